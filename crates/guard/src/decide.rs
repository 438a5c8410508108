//! `Decider`: asks and judges one request, phase by phase, in the order that stands here.
//!
//! The order, which a test holds against [`ORDER`]:
//!
//! 1. host: the host is one of the policy's
//! 2. reserved: what is under `/.portcullis/` is the guard's own
//! 3. own answer: a CSRF token is given to the session that asks for it
//! 4. route: path, host and method lead to one route
//! 5. internal: the route is not one of the service's own
//! 6. standing: no exception that the route stands on has expired
//! 7. shape: size, media type and coding of the body, as far as the head tells
//! 8. head limits: limits by address, route and header, counted in all or in none
//! 9. cookies: which session the request names, and which tokens it holds
//! 10. csrf: a request that may change something comes from the service's own pages, with a token
//! 11. bearer: a token that is shown holds by its signature and its claims, a key is one by its form
//! 12. session: the CSRF token is live, the session alive, the token not revoked, the key good, and where the route needs a caller there is one
//! 13. scopes: the key or the token is good for what the route asks for
//! 14. caller limits: limits by user, session and tenant
//! 15. body: where the policy asks about it, the body is strict JSON
//! 16. body limits: limits by a field of the body
//! 17. form token: where the token is in a form, it is read and live
//! 18. commit: what can be used once is used, all of it or nothing
//!
//! Before them the head is read into canonical types ([`RequestView::read`]); behind them stands the [`Permit`]. What
//! refuses first is cheap and says little; what counts comes before what costs.
//!
//! The decider does no I/O. It says what it needs ([`Step`]) and is told; whoever drops it, forgets it or calls it out of
//! order has no permit, and that is a refusal.

use smallvec::SmallVec;

use crate::clock::Now;
use crate::credential::Shown;
use crate::decision::{Decision, Denial, Own, Permit, Wish};
use crate::phases::{
    Case, Phase, Reads, Stop, Work, bearer, body, body_limits, caller_limits, commit, cookies,
    csrf, form_token, head_limits, host, internal, own_answer, reserved, route, scopes, session,
    shape, standing,
};
use crate::plan::Plan;
use crate::reason::Reason;
use crate::request::RequestView;
use crate::store::{Answers, Ask, Batch, StoreError};
use crate::token::{Believed, Unbelieved};
use crate::trace::{Outcome, TraceStep};

/// The phases, in their order. A new control is one file and one line here.
const ORDER: &[Phase] = &[
    host::PHASE,
    reserved::PHASE,
    own_answer::PHASE,
    route::PHASE,
    internal::PHASE,
    standing::PHASE,
    shape::PHASE,
    head_limits::PHASE,
    cookies::PHASE,
    csrf::PHASE,
    bearer::PHASE,
    session::PHASE,
    scopes::PHASE,
    caller_limits::PHASE,
    body::PHASE,
    body_limits::PHASE,
    form_token::PHASE,
    commit::PHASE,
];

/// The phases of a plan, in the order of all: those that have something to do.
pub(crate) fn phases_of(plan: &Plan) -> Box<[&'static Phase]> {
    ORDER
        .iter()
        .filter(|phase| (phase.is_needed)(plan))
        .collect()
}

/// What the decider needs next.
#[derive(Debug)]
#[must_use]
pub enum Step<'s> {
    /// An answer of the store to [`Decider::batch`]; it goes into [`Decider::answered`].
    Ask,
    /// The whole body of at most so many bytes; it goes into [`Decider::body`] or [`Decider::without_body`].
    Body {
        /// The bound.
        bytes_max: u64,
    },
    /// What the token of [`Decider::token`] is worth; it goes into [`Decider::judged`].
    Token,
    /// Nothing: this is the answer.
    Done(Decision<'s>),
}

/// The decision about one request, being made.
#[derive(Debug)]
pub struct Decider<'s, 'r> {
    case: Case<'s, 'r>,
    at: usize,
    batch: Batch<'s>,
    waits: Waits,
}

/// What the decider was left waiting for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waits {
    Start,
    Answer,
    Body,
    Token,
    Nothing,
}

impl<'s, 'r> Decider<'s, 'r> {
    /// A decision that has not begun.
    #[must_use]
    pub fn new(plan: &'s Plan, view: &'r RequestView<'r>, now: Now) -> Self {
        Self {
            case: Case::new(plan, view, now),
            at: 0,
            batch: SmallVec::new(),
            waits: Waits::Start,
        }
    }

    /// The same, with each step written down.
    #[must_use]
    pub fn traced(mut self) -> Self {
        self.case.trace = Some(Vec::new());
        self
    }

    /// What was written down.
    #[must_use]
    pub fn trace(&self) -> &[TraceStep] {
        self.case.trace.as_deref().unwrap_or_default()
    }

    /// Begins.
    pub fn start(&mut self) -> Step<'s> {
        if self.waits != Waits::Start {
            return self.confused();
        }
        self.run()
    }

    /// What the store is asked.
    #[must_use]
    pub fn batch(&self) -> &[Ask<'s>] {
        &self.batch
    }

    /// Goes on with the store's answer.
    pub fn answered(&mut self, answers: Result<Answers, StoreError>) -> Step<'s> {
        let Some(phase) = self.phase().filter(|_| self.waits == Waits::Answer) else {
            return self.confused();
        };
        let Work::Asks { judge, .. } = phase.work else {
            return self.confused();
        };
        match judge(&mut self.case, answers) {
            Ok(()) => self.at += 1,
            Err(stop) => return self.stopped(phase, stop),
        }
        self.run()
    }

    /// The token that is to be judged.
    #[must_use]
    pub fn token(&self) -> Option<&'r str> {
        match (self.waits, self.case.credential) {
            (Waits::Token, Some(Shown::Token { text, .. })) => Some(text),
            _ => None,
        }
    }

    /// Goes on with what the token is worth. Only what was verified is a [`Believed`].
    pub fn judged(&mut self, judged: Result<Believed, Unbelieved>) -> Step<'s> {
        if self.waits != Waits::Token {
            return self.confused();
        }
        self.case.judged = Some(judged);
        self.run()
    }

    /// Goes on with the whole body, which has arrived by now: what is counted from here on is counted at this moment.
    pub fn body(&mut self, body: Vec<u8>, now: Now) -> Step<'s> {
        if self.waits != Waits::Body {
            return self.confused();
        }
        self.case.body = Some(body);
        self.case.now = now;
        self.run()
    }

    /// Ends the decision, because there is no whole body for it.
    pub fn without_body(&mut self, reason: Reason) -> Step<'s> {
        let denial = match self.case.route {
            Some(route) => Denial::because(reason).at(route),
            None => Denial::because(reason),
        };
        self.waits = Waits::Nothing;
        Step::Done(denial.into())
    }

    /// The body that was read for the decision, to be sent on.
    #[must_use]
    pub fn into_body(self) -> Option<Vec<u8>> {
        self.case.body
    }

    fn phase(&self) -> Option<&'static Phase> {
        self.case.plan.phases.get(self.at).copied()
    }

    /// Runs phases until one needs something.
    fn run(&mut self) -> Step<'s> {
        while let Some(phase) = self.phase() {
            match phase.reads {
                Reads::Head => {}
                Reads::Body => {
                    if self.case.body.is_none()
                        && let Some(bytes_max) = self.case.body_wanted()
                    {
                        self.waits = Waits::Body;
                        return Step::Body { bytes_max };
                    }
                }
                Reads::Token(wants) => {
                    if self.case.token_wanted(wants) {
                        self.waits = Waits::Token;
                        return Step::Token;
                    }
                }
            }
            let judged = match phase.work {
                Work::Judges(judge) => judge(&mut self.case),
                Work::Asks { ask, .. } => {
                    self.batch.clear();
                    let asked = ask(&mut self.case, &mut self.batch);
                    if asked.is_ok() && !self.batch.is_empty() {
                        self.waits = Waits::Answer;
                        return Step::Ask;
                    }
                    asked
                }
            };
            match judged {
                Ok(()) => self.at += 1,
                Err(stop) => return self.stopped(phase, stop),
            }
        }
        self.waits = Waits::Nothing;
        Step::Done(self.permit())
    }

    /// The only place where a permit is made.
    fn permit(&mut self) -> Decision<'s> {
        let Some(route) = self.case.route else {
            return Denial::because(Reason::DECISION_CONFUSED).into();
        };
        Decision::Allow(Box::new(Permit {
            route,
            client: self.case.view.client(),
            limits: std::mem::take(&mut self.case.shown),
            on_success: std::mem::take(&mut self.case.on_success),
            shadowed: std::mem::take(&mut self.case.shadowed),
            body_max: self.case.body_max(route),
            has_session: self.case.has_session(),
            hides: self.case.hides(),
            bearer: std::mem::take(&mut self.case.bearer),
            navigates: self.case.navigates(),
            path: self.case.told_path(),
            forgets: self.case.oldest_tokens(),
            caller: self.case.caller.take(),
            binding: self.case.binding,
            consumed: self.case.consumed,
            tokens: std::mem::take(&mut self.case.seen.tokens),
            has_pre_session: self.case.seen.pre_session.is_some(),
        }))
    }

    fn stopped(&mut self, phase: &Phase, stop: Stop<'s>) -> Step<'s> {
        self.waits = Waits::Nothing;
        let decision = match stop {
            Stop::Denied(mut denial) => {
                denial.route = denial.route.or(self.case.route);
                denial.user = self.case.principal().map(|one| one.name().into());
                if self.case.trace.is_some() {
                    let outcome = Outcome::Refused(denial.reason);
                    let why = denial.inside.clone();
                    self.case.note(phase.name, outcome, why, denial.line);
                }
                denial.into()
            }
            Stop::Own(own) => {
                let why = match own {
                    Own::Options(_) => "the guard answers OPTIONS itself",
                    Own::Preflight(_) => "the guard answers preflights itself, as `[cors]` says",
                    Own::Keys => "the guard answers with its public keys",
                    Own::Token(_) => "the guard answers with a CSRF token",
                    Own::TokenKeys => "the guard answers with the keys of its tokens",
                    Own::Wished(Wish::Issue) => {
                        "the guard gives a token to who shows the credential of a service"
                    }
                    Own::Wished(Wish::Exchange) => {
                        "the guard gives a child to who shows a parent token"
                    }
                };
                self.case.note(phase.name, Outcome::Own, why.into(), None);
                Decision::Own(own)
            }
        };
        Step::Done(decision)
    }

    fn confused(&mut self) -> Step<'s> {
        self.waits = Waits::Nothing;
        Step::Done(Denial::because(Reason::DECISION_CONFUSED).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_the_one_at_the_top_of_the_file() {
        let numbered: Vec<&str> = include_str!("decide.rs")
            .lines()
            .filter_map(|line| line.strip_prefix("//! "))
            .filter(|line| line.starts_with(|first: char| first.is_ascii_digit()))
            .filter_map(|line| line.split_once(". ")?.1.split_once(':'))
            .map(|(name, _)| name)
            .collect();
        let names: Vec<&str> = ORDER.iter().map(|phase| phase.name).collect();
        assert_eq!(numbered, names);
        assert_eq!(names.len(), 18);
    }

    #[test]
    fn a_plan_has_the_phases_that_have_something_to_do_in_the_order_of_all() {
        const TOP: &str = "version = 1\nname = \"a\"\npublic_url = \"https://a.test\"\nupstream = \"http://127.0.0.1:1\"\n[[route]]\npath = \"/\"\nmethods = [\"GET\"]\ntype = \"public_read\"\n";
        const SESSIONS: &str =
            "[identity.session]\nsecret = \"env:A\"\n[identity.application]\nsecret = \"env:B\"\n";
        const TOKENS: &str = "[identity.csrf]\nsecret = \"env:C\"\n";
        const SCOPED: &str = "[[route]]\npath = \"/a\"\nmethods = [\"GET\"]\ntype = \"protected_read\"\nscopes = [\"a\"]\n[identity.api_keys]\n";
        let callers = [
            "cookies",
            "csrf",
            "session",
            "caller limits",
            "form token",
            "commit",
        ];
        for (text, without) in [
            (
                TOP.to_owned(),
                [&callers[..], &["own answer", "bearer", "scopes"]].concat(),
            ),
            (
                format!("{TOP}{SESSIONS}"),
                vec!["own answer", "bearer", "scopes"],
            ),
            (format!("{TOP}{SESSIONS}{TOKENS}"), vec!["bearer", "scopes"]),
            (format!("{TOP}{SCOPED}"), vec!["own answer"]),
        ] {
            let policy = portcullis_policy::Policy::parse(&text).unwrap();
            let keys = crate::identity_plan::IdentityKeys::of_seed(&[7; 32]);
            let plan = Plan::keyed(&policy, "sha256:0", keys).unwrap();
            let names: Vec<&str> = plan.phases.iter().map(|phase| phase.name).collect();
            let all = ORDER.iter().map(|phase| phase.name);
            let expected: Vec<&str> = all.filter(|name| !without.contains(name)).collect();
            assert_eq!(names, expected, "{text}");
        }
    }
}
