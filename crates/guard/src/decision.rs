//! `Decision`: the only answers to a request, and the `Permit` that forwarding takes.

use smallvec::SmallVec;

use portcullis_policy::MethodSet;

use crate::canon::ClientIp;
use crate::clock::Nanos;
use crate::csrf::{Forgotten, Token, TokenName};
use crate::limit::LimitState;
use crate::phases::bearer::Bearer;
use crate::plan::{LimitPlan, RoutePlan};
use crate::principal::Principal;
use crate::reason::{Inside, Reason};
use crate::session::{Binding, Caller};
use crate::store::LimitAsks;

/// The answer to a request. What belongs to it is on the heap, as an answer is handed on through many hands. It has no default, and nothing turns an error into [`Decision::Allow`].
#[derive(Debug)]
#[must_use]
pub enum Decision<'s> {
    /// It may pass.
    Allow(Box<Permit<'s>>),
    /// It may not.
    Deny(Box<Denial<'s>>),
    /// Nobody can say whether it may, so it may not.
    Unavailable(Box<Denial<'s>>),
    /// The guard answers itself, and nothing is forwarded.
    Own(Own),
}

/// Proof that every control passed. Only [`Decider`](crate::decide::Decider) makes one, forwarding takes one, and it
/// carries what forwarding needs to know.
#[derive(Debug)]
pub struct Permit<'s> {
    pub(crate) route: &'s RoutePlan,
    pub(crate) client: ClientIp,
    pub(crate) limits: ShownLimits<'s>,
    pub(crate) on_success: Vec<Released<'s>>,
    pub(crate) shadowed: SmallVec<[Reason; 2]>,
    pub(crate) body_max: u64,
    pub(crate) caller: Option<Box<Caller>>,
    pub(crate) bearer: Bearer,
    pub(crate) hides: Hides,
    pub(crate) binding: Option<Binding>,
    pub(crate) consumed: Option<Token>,
    pub(crate) forgets: Forgotten,
    pub(crate) tokens: SmallVec<[TokenName; 8]>,
    pub(crate) has_pre_session: bool,
    pub(crate) has_session: bool,
    pub(crate) navigates: bool,
    pub(crate) path: Option<Box<str>>,
}

impl<'s> Permit<'s> {
    /// The route by which it passed.
    #[must_use]
    pub const fn route(&self) -> &'s RoutePlan {
        self.route
    }

    /// Who the client is.
    #[must_use]
    pub const fn client(&self) -> ClientIp {
        self.client
    }

    /// What the limits of the request say, for the headers of the answer.
    #[must_use]
    pub const fn limits(&self) -> &ShownLimits<'s> {
        &self.limits
    }

    /// What would have refused it, did the policy not only watch there.
    #[must_use]
    pub fn shadowed(&self) -> &[Reason] {
        &self.shadowed
    }

    /// Who is calling.
    #[must_use]
    pub fn principal(&self) -> Option<Principal<'_>> {
        self.bearer.principal(self.caller.as_deref())
    }

    /// What of the request is not forwarded, as it says who calls and was not believed.
    #[must_use]
    pub const fn hides(&self) -> Hides {
        self.hides
    }

    /// The caller's session, where it is one of the guard's own that says who is calling.
    #[must_use]
    pub fn caller(&self) -> Option<&Caller> {
        match self.principal() {
            Some(Principal::Session(caller)) => Some(caller),
            Some(Principal::Token(_) | Principal::Key(_)) | None => None,
        }
    }

    /// The session that the browser's cookie names, where it is alive, whoever is calling.
    #[must_use]
    pub fn session(&self) -> Option<&Caller> {
        self.caller.as_deref()
    }

    /// What CSRF tokens for this browser are bound to; nothing where it has no session of any sort.
    #[must_use]
    pub const fn binding(&self) -> Option<Binding> {
        self.binding
    }

    /// The CSRF token that the request has used: the answer brings another.
    #[must_use]
    pub const fn consumed(&self) -> Option<Token> {
        self.consumed
    }

    /// The cookies that make room, where the browser has as many with tokens as it may, or more.
    #[must_use]
    pub const fn forgets(&self) -> Forgotten {
        self.forgets
    }

    /// The cookies with tokens that the browser has.
    #[must_use]
    pub fn tokens(&self) -> &[TokenName] {
        &self.tokens
    }

    /// Whether the browser has a cookie of who is not logged in.
    #[must_use]
    pub const fn has_pre_session(&self) -> bool {
        self.has_pre_session
    }

    /// Whether there is a session, of the guard's own that is alive, or of the application's.
    #[must_use]
    pub const fn has_session(&self) -> bool {
        self.has_session
    }

    /// Whether the browser is going to a page (Fetch Metadata §2.3).
    #[must_use]
    pub const fn navigates(&self) -> bool {
        self.navigates
    }

    /// The path as it is forwarded, without the query, where the application is told of it.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        self.path.as_deref()
    }

    /// How many bytes its body may have.
    #[must_use]
    pub const fn body_max(&self) -> u64 {
        self.body_max
    }

    /// What has to be given back to the store if the upstream's answer was no failure.
    #[must_use]
    pub fn on_success(&self) -> &[Released<'s>] {
        &self.on_success
    }
}

/// What of a request is not forwarded, so that nobody behind the guard takes it for something that was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hides {
    /// `Authorization`.
    pub authorization: bool,
    /// What could be read as a cookie that may hold a token ([`TokensPlan`](crate::identity_plan::TokensPlan)): all of it, or all
    /// that does not hold the one that was believed.
    pub token_cookies: HiddenCookies,
}

/// Which cookies that may hold a token are not forwarded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HiddenCookies {
    /// None, as the policy has no issuer.
    #[default]
    None,
    /// All.
    All,
    /// All that do not hold the token that was believed ([`cookie_shown`](crate::credential::cookie_shown)).
    ButTheBelieved,
}

/// What was counted in buckets of failures before anybody could know whether the request is one. Counting first and
/// giving back is exact however many requests run side by side.
#[derive(Debug)]
pub struct Released<'s> {
    /// The buckets.
    pub limits: LimitAsks<'s>,
    /// When they were counted.
    pub at: Nanos,
}

/// A limit of a request and what its bucket said.
pub type ShownLimits<'s> = SmallVec<[(&'s LimitPlan, LimitState); 2]>;

/// A refusal.
#[derive(Debug)]
pub struct Denial<'s> {
    /// Why.
    pub reason: Reason,
    /// More of the same, for the guard's own people.
    pub inside: Inside,
    /// The route, where the request got that far.
    pub route: Option<&'s RoutePlan>,
    /// The limits that were reached, for the headers of the answer and `Retry-After`.
    pub limits: ShownLimits<'s>,
    /// The methods that the path has, for the `Allow` of a 405.
    pub allow: MethodSet,
    /// The line of the policy that decided.
    pub line: Option<usize>,
    /// Whether the browser is told to forget the cookie of a session that is over.
    pub clears_session: bool,
    /// Who is calling, where that was known by then ([`Principal::name`]).
    pub user: Option<Box<str>>,
    /// The page of the service to which the browser is led instead.
    pub leads_to: Option<Box<str>>,
    /// How one can be known, for the `WWW-Authenticate` of a 401.
    pub challenge: Challenge,
}

/// How one can be known to a policy (RFC 9110 §11.6.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Challenge {
    /// By a token or a key.
    pub bearer: bool,
    /// By a token or a key, and the one that was shown is not good (RFC 6750 §3.1). Why, nobody outside is told.
    pub invalid_token: bool,
    /// By a session.
    pub cookie: bool,
    /// One is known, and the key or the token is not good for what is asked (RFC 6750 §3.1).
    pub insufficient_scope: bool,
}

impl Challenge {
    /// The value of the field. Browsers have no window for any of it.
    #[must_use]
    pub const fn value(self) -> &'static str {
        if self.insufficient_scope {
            return r#"Bearer error="insufficient_scope""#;
        }
        match (self.bearer, self.invalid_token, self.cookie) {
            (true, false, false) => "Bearer",
            (true, true, false) => r#"Bearer error="invalid_token""#,
            (true, false, true) => "Bearer, Cookie",
            (true, true, true) => r#"Bearer error="invalid_token", Cookie"#,
            (false, ..) => "Cookie",
        }
    }
}

impl<'s> Denial<'s> {
    /// A refusal with nothing but its reason.
    pub fn because(reason: Reason) -> Self {
        Self {
            reason,
            inside: Inside::Borrowed(""),
            route: None,
            limits: SmallVec::new(),
            allow: MethodSet::NONE,
            line: None,
            clears_session: false,
            user: None,
            leads_to: None,
            challenge: Challenge::default(),
        }
    }

    /// What the client reads: 302 where it is led to a page, else the status of the reason.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self.leads_to {
            Some(_) => 302,
            None => self.reason.status,
        }
    }

    /// Says more, inside.
    #[must_use]
    pub fn saying(mut self, inside: impl Into<Inside>) -> Self {
        self.inside = inside.into();
        self
    }

    /// Says by which route.
    #[must_use]
    pub const fn at(mut self, route: &'s RoutePlan) -> Self {
        self.route = Some(route);
        self
    }

    /// How long the client should wait: as long as the slowest of the limits that refused. Nothing where waiting does
    /// not help.
    #[must_use]
    pub fn retry_after(&self) -> Option<Nanos> {
        self.limits
            .iter()
            .filter(|(_, state)| !state.admitted)
            .map(|(_, state)| state.retry_after)
            .max()
            .filter(|wait| *wait != Nanos::MAX)
    }
}

impl<'s> From<Denial<'s>> for Decision<'s> {
    fn from(denial: Denial<'s>) -> Self {
        Box::new(denial).into()
    }
}

impl<'s> From<Box<Denial<'s>>> for Decision<'s> {
    fn from(denial: Box<Denial<'s>>) -> Self {
        if denial.reason.is_unavailable() {
            Self::Unavailable(denial)
        } else {
            Self::Deny(denial)
        }
    }
}

/// What the guard answers itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Own {
    /// Which methods a path has: 204 with `Allow` (RFC 9110 §9.3.7).
    Options(MethodSet),
    /// Which methods pages of other sites may use: 204 as `[cors]` has it (Fetch §4.8).
    Preflight(MethodSet),
    /// The keys by which the application knows who the guard says is calling (RFC 7517).
    Keys,
    /// A CSRF token.
    Token(TokenGrant),
    /// The keys by which others know the tokens of the guard's own (RFC 7517).
    TokenKeys,
    /// A token of the guard's own, for who may have one.
    Wished(Wish),
}

/// What somebody wishes of the guard's own issuer. Whether they may have it is not decided yet: the door asks for the credential
/// or the parent token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// An access token or a parent, for a service.
    Issue,
    /// A child, for who has a parent.
    Exchange,
}

/// That a browser may have a CSRF token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenGrant {
    /// What it is bound to; nothing where the browser has to be given a cookie for that first.
    pub binding: Option<Binding>,
    /// The cookies that make room, where the browser has as many as it may, or more.
    pub forgets: Forgotten,
}
