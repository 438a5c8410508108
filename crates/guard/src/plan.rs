//! `Plan`: a policy as the guard works with it, everything that can be known beforehand worked out.
//!
//! A plan never changes. A reload makes another one, and every request keeps the one it began with to its end.

use std::fmt;
use std::time::Duration;

use portcullis_policy::{Control, Method, MethodSet, RouteType};

use crate::answer::{AnswerPlan, Caching};
use crate::canon::{Believed, HostName, Scheme, TrustedProxies};
use crate::decide::phases_of;
use crate::http1::HeadBounds;
use crate::identity_plan::IdentityPlan;
use crate::limit::LimitRule;
use crate::phases::Phase;
use crate::route_table::RouteTable;
use crate::store::{Durability, Scope};

/// How large a body may be that belongs to no route, where the guard only watches.
const STRAY_BODY_MAX: u64 = 1 << 30;

/// How many hosts are compared with the bytes of a request before these are read.
const HOSTS_TRIED: usize = 4;

/// A policy, ready for use.
#[derive(Debug)]
pub struct Plan {
    /// What names the policy's exact text: `sha256:` and 64 hexadecimal digits.
    pub digest: String,
    /// The hosts that are answered for.
    pub hosts: Vec<HostPlan>,
    /// Whose forwarding headers are believed.
    pub trusted: TrustedProxies,
    /// What of them is believed.
    pub believed: Believed,
    /// How clients come to a trusted proxy that is not believed, or does not say, how they came.
    pub public_scheme: Scheme,
    /// The bounds of a head.
    pub head: HeadBounds,
    /// The header fields of answers.
    pub answer: AnswerPlan,
    /// The routes, those of `static` behind those of the file.
    pub routes: Vec<RoutePlan>,
    /// How callers are known.
    pub identity: IdentityPlan,
    /// The limits of what the guard itself answers.
    pub reserved_limits: Vec<LimitPlan>,
    /// The limits of who asks for tokens of the guard's own.
    pub token_limits: Vec<LimitPlan>,
    pub(crate) table: RouteTable,
    /// What is asked of a request, in its order. Of none there is no route, and so no permit.
    pub(crate) phases: Box<[&'static Phase]>,
    /// By what a request passes that belongs to no route; only where the whole guard watches.
    pub(crate) stray: Option<RoutePlan>,
}

/// A host that is answered for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPlan {
    /// Its name in lower case; an IPv6 address in brackets.
    pub name: String,
    /// The port that the request must name.
    pub port: Option<u16>,
    /// How nearly every request for it writes it, and what that is read as.
    pub(crate) usual: Option<(Box<str>, HostName<'static>)>,
}

/// A route, ready for use.
#[derive(Debug)]
pub struct RoutePlan {
    /// The template: what events and metrics call the route.
    pub template: String,
    /// Its methods.
    pub methods: MethodSet,
    /// What sort of route it is.
    pub kind: RouteType,
    /// The line of the policy file that it is written at; none for what `static` lists.
    pub line: Option<usize>,
    /// The hosts it answers on; all of the policy's where it names none.
    pub hosts: Option<Vec<HostPlan>>,
    /// With which methods an internal route is open all the same, as an exception says that the application looks after
    /// it. See [`is_closed_to`](Self::is_closed_to).
    pub opened: MethodSet,
    /// The limits that count by what the head says.
    pub head_limits: Vec<LimitPlan>,
    /// The limits that count by who is calling.
    pub caller_limits: Vec<LimitPlan>,
    /// The limits that count by a field of the body.
    pub body_limits: Vec<LimitPlan>,
    /// Whether it needs a CSRF token.
    pub csrf: CsrfNeed,
    /// With which methods it needs none all the same, as an exception says.
    pub csrf_spared: MethodSet,
    /// With which methods somebody must be known.
    pub needs_caller: MethodSet,
    /// What a key or a token must be good for, all of it.
    pub scopes: Vec<Box<str>>,
    /// How many bytes a body may have.
    pub body_max: u64,
    /// The media types it takes, in lower case, without parameters; none where it takes any.
    pub content_types: Vec<String>,
    /// Whether the body is read before it is decided.
    pub buffered: bool,
    /// With which methods a request must be in the audit trail before it is forwarded.
    pub recorded: MethodSet,
    /// Who else may keep its answers.
    pub caching: Caching,
    /// How long the upstream may take for its head, where the route says.
    pub response_timeout: Option<Duration>,
    /// Controls that only watch, until a day.
    pub shadow: Vec<Shadow>,
    /// The exceptions that the route stands on. After the last day of one it is refused.
    pub standing: Vec<Standing>,
}

/// Whether a route needs a CSRF token for what may change something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CsrfNeed {
    /// It needs none.
    Never,
    /// Where a cookie says who is calling.
    WhereACookieSpeaks,
    /// Always: it hands out such cookies, or takes what anybody sends.
    Always,
}

/// A control that only watches on a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shadow {
    /// For which methods.
    pub methods: MethodSet,
    /// Which.
    pub control: Control,
    /// The last day on which it does, as days since 1970-01-01.
    pub until: u64,
    /// The line of the exception.
    pub line: usize,
}

/// An exception that a route stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// With which methods.
    pub methods: MethodSet,
    /// The last day on which it holds, as days since 1970-01-01.
    pub until: u64,
    /// The line of the exception.
    pub line: usize,
}

/// A limit, ready for use.
#[derive(Debug)]
pub struct LimitPlan {
    /// Its name.
    pub name: String,
    /// The line of the policy file that it is written at; none for a default one.
    pub line: Option<usize>,
    /// The rate, as a person writes it.
    pub rate: String,
    /// How it counts.
    pub rule: LimitRule,
    /// Its buckets, all of which must admit.
    pub buckets: Vec<BucketPlan>,
    /// How the client is told of it, if it is.
    pub shown: Option<ShownAs>,
    /// Whether only failures count.
    pub counts_failures: bool,
    /// How its buckets are kept.
    pub durability: Durability,
    /// The methods that it does not count, as an exception says that they may be without a limit.
    pub spared: MethodSet,
}

/// What the header fields about a limit say of it whenever they are written (draft-ietf-httpapi-ratelimit-headers-11 §3, §4).
#[derive(Debug)]
pub struct ShownAs {
    /// How its item of `RateLimit` begins, up to how many requests are left: `"login";r=`. The name is a Structured Field
    /// string (RFC 9651 §3.3.3).
    pub left: Box<str>,
    /// Its item of `RateLimit-Policy`: `"login";q=5;w=60`.
    pub policy: Box<str>,
}

/// One bucket of a limit.
#[derive(Debug)]
pub struct BucketPlan {
    /// What it counts by.
    pub by: Dimension,
    /// The buckets it is one of.
    pub scope: Scope,
    /// The same, where the control only watches: it counts apart, so that watching takes nothing from anybody.
    pub shadow_scope: Scope,
}

/// What a bucket counts by, of what the guard can know today.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// The client's address: IPv4 in full, IPv6 by /64.
    Ip,
    /// The route, whoever calls.
    Route,
    /// The value of a header field; its name in lower case.
    Header(String),
    /// A field of the JSON body.
    Body(String),
    /// Who is calling; who is not known, by their address.
    User,
    /// The tenant of who is calling; of who has none, by their address.
    Tenant,
    /// The session; without one, the address.
    Session,
}

impl Plan {
    /// The plan that refuses everything: what a guard has before it has a policy.
    #[must_use]
    pub fn closed() -> Self {
        let mut plan = Self {
            digest: String::new(),
            hosts: Vec::new(),
            trusted: TrustedProxies::default(),
            believed: Believed::default(),
            public_scheme: Scheme::Http,
            head: HeadBounds::STANDARD,
            answer: AnswerPlan::closed(),
            routes: Vec::new(),
            identity: IdentityPlan::default(),
            reserved_limits: Vec::new(),
            token_limits: Vec::new(),
            table: RouteTable::default(),
            phases: Box::default(),
            stray: None,
        };
        plan.phases = phases_of(&plan);
        plan
    }

    /// The same plan, which only watches: what a control of a route would refuse passes, and so does what belongs to no
    /// route. What is ambiguous, malformed or for another host is refused all the same, and so is what is internal.
    #[must_use]
    pub fn only_watching(mut self) -> Self {
        let watch = |control| Shadow {
            methods: MethodSet::NONE.with(Method::Any),
            control,
            until: u64::MAX,
            line: 0,
        };
        let all = [
            Control::RateLimit,
            Control::BodyLimit,
            Control::Validation,
            Control::Csrf,
            Control::Authentication,
            Control::Authorization,
            Control::AuditTrail,
        ]
        .map(watch);
        for route in &mut self.routes {
            route.shadow = all.to_vec();
        }
        self.stray = Some(RoutePlan {
            template: "(no route)".to_owned(),
            methods: MethodSet::NONE.with(Method::Any),
            kind: RouteType::PublicRead,
            line: None,
            hosts: None,
            opened: MethodSet::NONE,
            head_limits: Vec::new(),
            caller_limits: Vec::new(),
            body_limits: Vec::new(),
            csrf: CsrfNeed::Never,
            csrf_spared: MethodSet::NONE,
            needs_caller: MethodSet::NONE,
            scopes: Vec::new(),
            body_max: STRAY_BODY_MAX,
            content_types: Vec::new(),
            buffered: false,
            recorded: MethodSet::NONE,
            caching: Caching::ByRequest,
            response_timeout: None,
            shadow: all.to_vec(),
            standing: Vec::new(),
        });
        self
    }

    /// Whether it only watches.
    #[must_use]
    pub const fn is_only_watching(&self) -> bool {
        self.stray.is_some()
    }

    /// What a `Host` field says that is written as the policy writes its hosts: it need not be read anew each time. Only the
    /// first few are looked through.
    pub(crate) fn host_as_written(&self, raw: &[u8]) -> Option<HostName<'_>> {
        let usual = self.hosts.iter().take(HOSTS_TRIED).filter_map(|host| {
            let (text, name) = host.usual.as_ref()?;
            (text.as_bytes() == raw).then(|| name.borrowed())
        });
        usual.into_iter().next()
    }

    /// Whether a host is one that is answered for.
    #[must_use]
    pub fn knows(&self, host: &HostName<'_>) -> bool {
        self.hosts.iter().any(|one| one.is(host))
    }
}

impl RoutePlan {
    /// Whether nobody outside may reach it with this method: it is internal, and no exception speaks of the method.
    #[must_use]
    pub fn is_closed_to(&self, method: Method) -> bool {
        self.kind == RouteType::Internal && !self.opened.contains(method)
    }

    /// Whether nobody outside may reach it with any method: to them it is not there.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.kind == RouteType::Internal && self.opened.is_empty()
    }

    /// Whether it answers on a host that the policy knows.
    #[must_use]
    pub fn answers_on(&self, host: &HostName<'_>) -> bool {
        self.hosts
            .as_ref()
            .is_none_or(|hosts| hosts.iter().any(|one| one.is(host)))
    }

    /// All of its limits.
    pub fn limits(&self) -> impl Iterator<Item = &LimitPlan> {
        let head = self.head_limits.iter().chain(&self.caller_limits);
        head.chain(&self.body_limits)
    }

    /// The fields of the body that its limits count by, each once.
    #[must_use]
    pub fn body_fields(&self) -> Vec<&str> {
        let buckets = self.body_limits.iter().flat_map(|limit| &limit.buckets);
        let mut fields: Vec<&str> = buckets
            .filter_map(|bucket| match &bucket.by {
                Dimension::Body(field) => Some(field.as_str()),
                Dimension::Ip
                | Dimension::Route
                | Dimension::Header(_)
                | Dimension::User
                | Dimension::Tenant
                | Dimension::Session => None,
            })
            .collect();
        fields.sort_unstable();
        fields.dedup();
        fields
    }

    /// The exception by which a control only watches here today.
    #[must_use]
    pub fn shadow(&self, control: Control, method: Method, today: u64) -> Option<Shadow> {
        self.shadow.iter().copied().find(|shadow| {
            shadow.control == control && shadow.methods.contains(method) && today <= shadow.until
        })
    }
}

impl HostPlan {
    /// Whether a request's host is this one. Without a port, 80, 443 and none are meant (RFC 9110 §4.2.3).
    #[must_use]
    pub fn is(&self, host: &HostName<'_>) -> bool {
        self.name == host.name()
            && match self.port {
                Some(_) => self.port == host.port(),
                None => matches!(host.port(), None | Some(80 | 443)),
            }
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip => f.write_str("ip"),
            Self::Route => f.write_str("route"),
            Self::Header(name) => write!(f, "header.{name}"),
            Self::Body(field) => write!(f, "body.{field}"),
            Self::User => f.write_str("user"),
            Self::Tenant => f.write_str("tenant"),
            Self::Session => f.write_str("session"),
        }
    }
}
