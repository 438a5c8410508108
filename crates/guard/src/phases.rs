//! The phases: one file each, and the case that they work on.

mod api_key;
pub(crate) mod bearer;
pub(crate) mod body;
pub(crate) mod body_limits;
pub(crate) mod caller_limits;
pub(crate) mod commit;
pub(crate) mod cookies;
pub(crate) mod csrf;
pub(crate) mod form_token;
pub(crate) mod head_limits;
pub(crate) mod host;
pub(crate) mod internal;
mod limits;
mod login_page;
pub(crate) mod own_answer;
pub(crate) mod reserved;
pub(crate) mod route;
pub(crate) mod scopes;
pub(crate) mod session;
pub(crate) mod shape;
pub(crate) mod standing;
mod still_calls;

use smallvec::SmallVec;

use portcullis_policy::{Control, Method};

use crate::canon::JsonBody;
use crate::clock::Now;
use crate::credential::{Place, Shown, could_be_a_key, could_be_believed};
use crate::csrf::{COOKIES_MAX, FORGOTTEN_MAX, Forgotten, Token};
use crate::decision::{Denial, HiddenCookies, Hides, Own, Released, ShownLimits};
use crate::http1::Framing;
use crate::plan::{Plan, RoutePlan, Shadow};
use crate::principal::Principal;
use crate::reason::{Inside, Reason};
use crate::request::RequestView;
use crate::session::{Binding, Caller};
use crate::store::{Answers, Batch, Key, StoreError};
use crate::token::{Believed, Unbelieved};
use crate::trace::{Outcome, TraceStep};

/// One phase.
#[derive(Debug)]
pub(crate) struct Phase {
    /// What it is called, here and in `explain request`.
    pub(crate) name: &'static str,
    /// What it looks at beside the head.
    pub(crate) reads: Reads,
    /// Whether it has anything to do by a plan. One that has nothing is not in the plan's list, and costs nothing.
    pub(crate) is_needed: fn(&Plan) -> bool,
    /// What it does.
    pub(crate) work: Work,
}

/// Of a phase that every plan has.
pub(crate) const fn always(_plan: &Plan) -> bool {
    true
}

/// Of a phase that is about who is calling.
pub(crate) const fn where_callers_are_known(plan: &Plan) -> bool {
    let identity = &plan.identity;
    identity.session.is_some() || identity.csrf.is_some() || identity.reads_credentials()
}

/// What a phase looks at beside the head.
#[derive(Debug)]
pub(crate) enum Reads {
    /// Nothing.
    Head,
    /// The body, where it has to be read.
    Body,
    /// What a token is worth, where one is shown and this says that somebody wants to know.
    Token(for<'s, 'r> fn(&Case<'s, 'r>) -> bool),
}

/// What a phase does: each refuses, or lets pass.
#[derive(Debug)]
pub(crate) enum Work {
    /// It judges by what is known.
    Judges(Judge),
    /// It asks the store, and judges by the answer.
    Asks {
        /// Puts into the batch what it needs. Where it puts nothing, it lets pass.
        ask: for<'s, 'r> fn(&mut Case<'s, 'r>, &mut Batch<'s>) -> Verdict<'s, ()>,
        /// Judges by the answer to what it asked.
        judge: for<'s, 'r> fn(&mut Case<'s, 'r>, Result<Answers, StoreError>) -> Verdict<'s, ()>,
    },
}

/// Judges by what is known.
pub(crate) type Judge = for<'s, 'r> fn(&mut Case<'s, 'r>) -> Verdict<'s, ()>;

/// How a phase goes on, or why it does not.
pub(crate) type Verdict<'s, T> = Result<T, Stop<'s>>;

/// The end of a decision.
#[derive(Debug)]
pub(crate) enum Stop<'s> {
    /// A refusal.
    Denied(Box<Denial<'s>>),
    /// An answer of the guard's own.
    Own(Own),
}

impl<'s> From<Denial<'s>> for Stop<'s> {
    fn from(denial: Denial<'s>) -> Self {
        Self::Denied(Box::new(denial))
    }
}

impl From<Reason> for Stop<'_> {
    fn from(reason: Reason) -> Self {
        Denial::because(reason).into()
    }
}

/// What is known of a request so far.
#[derive(Debug)]
pub(crate) struct Case<'s, 'r> {
    pub(crate) plan: &'s Plan,
    pub(crate) view: &'r RequestView<'r>,
    pub(crate) now: Now,
    pub(crate) route: Option<&'s RoutePlan>,
    /// Which of the guard's own answers is asked for.
    pub(crate) endpoint: Option<reserved::Endpoint>,
    /// What the cookies say.
    pub(crate) seen: cookies::Seen,
    /// How the request proves that it comes from the service's own pages.
    pub(crate) proof: csrf::Proof,
    /// What its token is asked for under, and what it would be bound to there.
    pub(crate) asked: Vec<(Binding, Key)>,
    /// The entry of its token, which is live.
    pub(crate) token_key: Option<Key>,
    /// Its token, which it has used.
    pub(crate) consumed: Option<Token>,
    /// What the head shows to say who is calling; nothing before somebody has looked.
    pub(crate) credential: Option<Shown<'r>>,
    /// What was found out about the token.
    pub(crate) judged: Option<Result<Believed, Unbelieved>>,
    /// Who calls by a token.
    pub(crate) bearer: bearer::Bearer,
    /// Whose session is alive.
    pub(crate) caller: Option<Box<Caller>>,
    /// What its tokens are bound to.
    pub(crate) binding: Option<Binding>,
    pub(crate) body: Option<Vec<u8>>,
    pub(crate) json: Option<JsonBody>,
    pub(crate) shown: ShownLimits<'s>,
    pub(crate) on_success: Vec<Released<'s>>,
    pub(crate) shadowed: SmallVec<[Reason; 2]>,
    pub(crate) trace: Option<Vec<TraceStep>>,
}

impl<'s, 'r> Case<'s, 'r> {
    pub(crate) fn new(plan: &'s Plan, view: &'r RequestView<'r>, now: Now) -> Self {
        Self {
            plan,
            view,
            now,
            route: None,
            endpoint: None,
            seen: cookies::Seen::default(),
            proof: csrf::Proof::NotNeeded,
            asked: Vec::new(),
            token_key: None,
            consumed: None,
            credential: None,
            judged: None,
            bearer: bearer::Bearer::Nobody,
            caller: None,
            binding: None,
            body: None,
            json: None,
            shown: SmallVec::new(),
            on_success: Vec::new(),
            shadowed: SmallVec::new(),
            trace: None,
        }
    }

    /// The route, behind the phase that finds it.
    pub(crate) fn route(&self) -> Verdict<'s, &'s RoutePlan> {
        self.route.ok_or_else(|| Reason::DECISION_CONFUSED.into())
    }

    /// Who is calling. What the request shows on purpose, a token or a key, decides alone, also where it is not believed.
    pub(crate) fn principal(&self) -> Option<Principal<'_>> {
        self.bearer.principal(self.caller.as_deref())
    }

    /// The token whose worth has to be known, for a phase that wants to know it.
    pub(crate) fn token_wanted(&mut self, wants: impl Fn(&Self) -> bool) -> bool {
        if self.credential.is_none() && wants(self) && self.plan.identity.reads_credentials() {
            let shown = Shown::of(&self.plan.identity, *self.view.fields());
            self.credential = Some(shown);
            return matches!(shown, Shown::Token { .. });
        }
        false
    }

    /// How large a body may be that has to be read before the decision; none where it need not be read.
    ///
    /// Where its size is only watched, one that says that it is too large is passed on unread, and one that says nothing
    /// is read as far as there is memory.
    pub(crate) fn body_wanted(&self) -> Option<u64> {
        let route = self
            .route
            .filter(|one| (one.buffered || self.looks_into_form()) && self.view.has_body())?;
        let bytes_max = self.body_max(route);
        match self.view.framing() {
            Framing::Length(length) if bytes_max > route.body_max && length > route.body_max => {
                None
            }
            Framing::Length(_) => Some(route.body_max),
            Framing::Chunked | Framing::None => Some(bytes_max),
        }
    }

    /// Whether a token is looked for in a form.
    fn looks_into_form(&self) -> bool {
        matches!(self.proof, csrf::Proof::InForm)
    }

    /// The cookies with tokens that make room for a new one: those that the browser was given first, as it sends those first
    /// (RFC 6265 §5.4).
    ///
    /// Answers that cross each other each bring one, and none of them knows of the others. So a browser may have more than it
    /// may, and would never get rid of them if each answer took back one alone: in the end its head would be too long.
    pub(crate) fn oldest_tokens(&self) -> Forgotten {
        let tokens = &self.seen.tokens;
        let excess = (tokens.len() + 1).saturating_sub(COOKIES_MAX);
        let mut oldest = [None; FORGOTTEN_MAX];
        for (place, name) in oldest.iter_mut().zip(tokens.iter().take(excess)) {
            *place = Some(*name);
        }
        oldest
    }

    /// Whether a browser is going to a page. One that says nothing of it is believed by what it wants to have.
    pub(crate) fn navigates(&self) -> bool {
        if self.plan.identity.csrf.is_none() || self.view.method() != Method::Get {
            return false;
        }
        let fields = self.view.fields();
        match fields.one("sec-fetch-mode") {
            Ok(Some(mode)) => mode == b"navigate",
            Ok(None) => {
                let wanted = fields.all("accept").next().unwrap_or_default();
                memchr::memmem::find(wanted, b"text/html").is_some()
            }
            Err(_repeated) => false,
        }
    }

    /// The path, where the application is told who is calling and for what.
    pub(crate) fn told_path(&self) -> Option<Box<str>> {
        self.plan.identity.application.as_ref()?;
        self.view.path().map(|path| path.as_str().into())
    }

    /// How large a body may be that passes: any, where its size is only watched.
    pub(crate) fn body_max(&self, route: &RoutePlan) -> u64 {
        match self.shadow(Control::BodyLimit) {
            Some(_) => u64::MAX,
            None => route.body_max,
        }
    }

    /// The exception by which a control only watches this request.
    pub(crate) fn shadow(&self, control: Control) -> Option<Shadow> {
        self.route?
            .shadow(control, self.view.method(), self.now.unix_day())
    }

    /// Whether there is a session, of whichever sort.
    pub(crate) fn has_session(&self) -> bool {
        let source = self.plan.identity.session.as_ref().map(|one| &one.source);
        self.caller.is_some()
            || self.seen.foreign.is_some()
            || self.bearer.binding(source).is_some()
    }

    /// What says who calls and was not believed, and every key: the application has no use for one.
    pub(crate) fn hides(&self) -> Hides {
        let identity = &self.plan.identity;
        let fields = *self.view.fields();
        let has_key = |keys| could_be_a_key(keys, fields);
        let mut hides = Hides {
            authorization: identity.api_keys.as_ref().is_some_and(has_key),
            token_cookies: HiddenCookies::None,
        };
        if identity.tokens.is_some() {
            let believed = self.bearer.believed_in();
            hides.authorization |= believed != Some(Place::Header) && could_be_believed(fields);
            hides.token_cookies = if believed == Some(Place::Cookie) {
                HiddenCookies::ButTheBelieved
            } else {
                HiddenCookies::All
            };
        }
        hides
    }

    /// Lets a request pass that a control would refuse, because the control only watches.
    pub(crate) fn watched(&mut self, phase: &'static str, reason: Reason, line: usize) {
        self.shadowed.push(reason);
        let why = "would be refused, and is only watched";
        let line = (line > 0).then_some(line);
        self.note(phase, Outcome::Watched(reason), why.into(), line);
    }

    /// Refuses, or lets pass what is only watched.
    pub(crate) fn refuse(
        &mut self,
        phase: &'static str,
        denial: Box<Denial<'s>>,
    ) -> Verdict<'s, ()> {
        let shadow = denial
            .reason
            .control
            .and_then(|control| self.shadow(control));
        match shadow {
            Some(shadow) => {
                self.watched(phase, denial.reason, shadow.line);
                Ok(())
            }
            None => Err(Stop::Denied(denial)),
        }
    }

    /// Writes a step down, where somebody wants it.
    pub(crate) fn note(
        &mut self,
        phase: &'static str,
        outcome: Outcome,
        why: Inside,
        line: Option<usize>,
    ) {
        if let Some(trace) = &mut self.trace {
            trace.push(TraceStep {
                phase,
                outcome,
                why,
                line,
            });
        }
    }

    /// The same for what passes, where the words have to be made.
    pub(crate) fn passed(
        &mut self,
        phase: &'static str,
        line: Option<usize>,
        why: impl FnOnce() -> String,
    ) {
        if self.trace.is_some() {
            self.note(phase, Outcome::Passed, why().into(), line);
        }
    }

    /// The same for a phase that is about who is calling: where no policy says how that is known, it says nothing.
    pub(crate) fn nobody_is_known(&mut self, phase: &'static str, why: &'static str) {
        if where_callers_are_known(self.plan) {
            self.not_needed(phase, why);
        }
    }

    /// The same for a phase that has nothing to ask here.
    pub(crate) fn not_needed(&mut self, phase: &'static str, why: &'static str) {
        self.note(phase, Outcome::NotNeeded, why.into(), None);
    }
}
