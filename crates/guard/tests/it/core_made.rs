//! Decisions made from text: a policy, a request, a store that counts, and the outcome in words.

use std::collections::HashMap;
use std::net::IpAddr;

use portcullis_guard::clock::{Nanos, Now, SECOND};
use portcullis_guard::decide::{Decider, Step};
use portcullis_guard::decision::{Decision, Own, ShownLimits};
use portcullis_guard::http1::{HeadBounds, Parsed, RequestHead, parse_request_head};
use portcullis_guard::limit::{ExactCell, GcraCell, LimitRule, LimitState};
use portcullis_guard::plan::Plan;
use portcullis_guard::reason::Reason;
use portcullis_guard::request::RequestView;
use portcullis_guard::store::{Answer, Answers, Ask, LimitAsk, LimitStates, StoreError};
use portcullis_guard::token::TokenFault;
use portcullis_policy::Policy;

/// 2026-11-28, at noon.
pub(crate) const NOON: Now = Now {
    monotonic: 1_000_000 * SECOND,
    unix_millis: 1_795_867_200_000,
};

/// The same, so much later.
pub(crate) fn later(nanos: Nanos) -> Now {
    Now {
        monotonic: NOON.monotonic + nanos,
        unix_millis: NOON.unix_millis + nanos / 1_000_000,
    }
}

/// A policy for `shop.example.com` with these lines.
pub(crate) fn policy(lines: &str) -> Policy {
    let text = format!(
        "version = 1\npublic_url = \"https://shop.example.com\"\nupstream = \"http://127.0.0.1:3000\"\n{lines}"
    );
    Policy::parse(&text).unwrap_or_else(|errors| panic!("{errors}\n{text}"))
}

pub(crate) fn plan(lines: &str) -> Plan {
    Plan::of(&policy(lines), "sha256:00").unwrap()
}

/// `[[route]]` with these methods and this type; more lines may follow.
pub(crate) fn route(path: &str, methods: &str, kind: &str) -> String {
    let methods: Vec<String> = methods.split(' ').map(|one| format!("\"{one}\"")).collect();
    let methods = methods.join(", ");
    format!("[[route]]\npath = \"{path}\"\nmethods = [{methods}]\ntype = \"{kind}\"\n")
}

/// `[[except]]` until a day.
pub(crate) fn except(route: &str, lacks: &str, until: &str, shadow: bool) -> String {
    format!(
        "[[except]]\nroute = \"{route}\"\nlacks = \"{lacks}\"\nbecause = \"a test\"\nowner = \"tests\"\nuntil = {until}\nshadow = {shadow}\n"
    )
}

/// A request on its way: its head's lines and its body.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    pub(crate) first: String,
    pub(crate) host: String,
    pub(crate) lines: Vec<String>,
    pub(crate) body: Vec<u8>,
    pub(crate) peer: IpAddr,
}

/// `GET /path`, from 203.0.113.9.
pub(crate) fn ask(line: &str) -> Made {
    Made {
        first: line.to_owned(),
        host: "shop.example.com".to_owned(),
        lines: Vec::new(),
        body: Vec::new(),
        peer: "203.0.113.9".parse().unwrap(),
    }
}

impl Made {
    pub(crate) fn on(mut self, host: &str) -> Self {
        self.host = host.to_owned();
        self
    }

    pub(crate) fn from(mut self, peer: &str) -> Self {
        self.peer = peer.parse().unwrap();
        self
    }

    pub(crate) fn with(mut self, line: &str) -> Self {
        self.lines.push(line.to_owned());
        self
    }

    /// A body of a type, with its length said.
    pub(crate) fn body(mut self, media: &str, body: &str) -> Self {
        self.body = body.as_bytes().to_vec();
        let length = format!("Content-Length: {}", body.len());
        self.with(&format!("Content-Type: {media}")).with(&length)
    }

    pub(crate) fn json(self, body: &str) -> Self {
        self.body("application/json", body)
    }

    /// The same in chunks, of which the head says no length.
    pub(crate) fn chunked_json(mut self, body: &str) -> Self {
        self.body = body.as_bytes().to_vec();
        self.with("Content-Type: application/json")
            .with("Transfer-Encoding: chunked")
    }

    /// Which host was asked by which scheme, in the eyes of this plan.
    pub(crate) fn origin(&self, plan: &Plan) -> String {
        let (bytes, head) = self.head();
        match RequestView::read(plan, &head, &bytes, self.peer) {
            Ok(view) => format!("{}://{}", view.scheme().as_str(), view.host()),
            Err(fault) => fault.reason().to_owned(),
        }
    }

    fn head(&self) -> (Vec<u8>, RequestHead) {
        let mut text = format!("{} HTTP/1.1\r\nHost: {}\r\n", self.first, self.host);
        for line in &self.lines {
            text.push_str(line);
            text.push_str("\r\n");
        }
        text.push_str("\r\n");
        let bytes = text.into_bytes();
        match parse_request_head(&bytes, &HeadBounds::STANDARD) {
            Ok(Parsed::Complete { head, .. }) => (bytes, head),
            other => panic!("{other:?}: {self:?}"),
        }
    }

    /// Drives the decision by a store, which is any function; `calls` are seen as they are made.
    pub(crate) fn decided<'p>(
        &self,
        plan: &'p Plan,
        now: Now,
        store: &mut dyn FnMut(&[Ask<'_>]) -> Result<Answers, StoreError>,
    ) -> Outcome<'p> {
        self.driven(plan, now, store, false)
    }

    pub(crate) fn driven<'p>(
        &self,
        plan: &'p Plan,
        now: Now,
        store: &mut dyn FnMut(&[Ask<'_>]) -> Result<Answers, StoreError>,
        traced: bool,
    ) -> Outcome<'p> {
        let (bytes, head) = self.head();
        let view = match RequestView::read(plan, &head, &bytes, self.peer) {
            Ok(view) => view,
            Err(fault) => {
                return Outcome::of_words(format!("deny {} {}", fault.status(), fault.reason()));
            }
        };
        let mut decider = Decider::new(plan, &view, now);
        if traced {
            decider = decider.traced();
        }
        let mut step = decider.start();
        let decision = loop {
            step = match step {
                Step::Ask => {
                    let answers = store(decider.batch());
                    decider.answered(answers)
                }
                // Nobody's keys are known here.
                Step::Token => decider.judged(Err(TokenFault::SignatureWrong.into())),
                Step::Body { bytes_max } if self.body.len() as u64 > bytes_max => {
                    decider.without_body(Reason::BODY_TOO_LARGE)
                }
                Step::Body { .. } => decider.body(self.body.clone(), now),
                Step::Done(decision) => break decision,
            };
        };
        let trace = decider.trace().to_vec();
        Outcome {
            trace,
            ..Outcome::of(decision)
        }
    }

    /// The verdict in words: `allow /a/{id}`, `deny 429 rate_limited`, `own GET`.
    pub(crate) fn verdict(&self, plan: &Plan, store: &mut Counting) -> String {
        let mut answer = |batch: &[Ask<'_>]| Ok(store.answer(batch, NOON));
        self.decided(plan, NOON, &mut answer).words
    }
}

/// The end of a decision, in words and parts.
#[derive(Debug, Default)]
pub(crate) struct Outcome<'p> {
    pub(crate) words: String,
    pub(crate) line: Option<usize>,
    pub(crate) shadowed: Vec<&'static str>,
    pub(crate) limits: ShownLimits<'p>,
    pub(crate) retry_after: Option<Nanos>,
    /// What is to be given back on success, and when it was taken.
    pub(crate) released: Vec<(Vec<LimitAsk<'p>>, Nanos)>,
    pub(crate) body_max: u64,
    pub(crate) trace: Vec<portcullis_guard::trace::TraceStep>,
}

impl<'p> Outcome<'p> {
    fn of_words(words: String) -> Self {
        Self {
            words,
            ..Self::default()
        }
    }

    pub(crate) fn of(decision: Decision<'p>) -> Self {
        match decision {
            Decision::Allow(permit) => Self {
                words: format!("allow {}", permit.route().template),
                shadowed: permit.shadowed().iter().map(|one| one.code).collect(),
                limits: permit.limits().clone(),
                released: permit
                    .on_success()
                    .iter()
                    .map(|one| (one.limits.to_vec(), one.at))
                    .collect(),
                body_max: permit.body_max(),
                ..Self::default()
            },
            Decision::Deny(denial) => Self::of_denial("deny", *denial),
            Decision::Unavailable(denial) => Self::of_denial("unavailable", *denial),
            Decision::Own(Own::Options(methods)) => Self::of_words(format!("own {methods}")),
            Decision::Own(Own::Preflight(methods)) => {
                Self::of_words(format!("preflight {methods}"))
            }
            Decision::Own(other) => Self::of_words(format!("own {other:?}")),
        }
    }

    fn of_denial(verdict: &str, denial: portcullis_guard::decision::Denial<'p>) -> Self {
        let reason = denial.reason;
        let mut words = format!("{verdict} {} {reason}", reason.status);
        if !denial.allow.is_empty() {
            words.push_str(&format!(" ({})", denial.allow));
        }
        Self {
            words,
            line: denial.line,
            retry_after: denial.retry_after(),
            limits: denial.limits,
            ..Self::default()
        }
    }
}

/// A store that counts by the cells of the guard, all or none.
#[derive(Debug, Default)]
pub(crate) struct Counting {
    logs: HashMap<(String, Vec<u8>), ExactCell>,
    smooth: HashMap<(String, Vec<u8>), GcraCell>,
}

impl Counting {
    pub(crate) fn answer(&mut self, batch: &[Ask<'_>], now: Now) -> Answers {
        batch
            .iter()
            .map(|one| match one {
                Ask::Limits(limits) => Answer::Limits(self.count(limits, now.monotonic)),
                Ask::Release { limits, at } => {
                    for limit in limits {
                        self.release(limit, *at, now.monotonic);
                    }
                    Answer::Done
                }
                other => panic!("not asked by any phase: {other:?}"),
            })
            .collect()
    }

    fn count(&mut self, limits: &[LimitAsk<'_>], now: Nanos) -> LimitStates {
        let states: LimitStates = limits.iter().map(|one| self.look(one, now)).collect();
        if states.iter().all(|state| state.admitted) {
            for limit in limits {
                match limit.rule {
                    LimitRule::Exact { count, lockout, .. } => {
                        let cell = self.logs.entry(key(limit)).or_default();
                        cell.admit(count, lockout, limit.cost, now);
                    }
                    LimitRule::Smooth { period, burst } => {
                        let cell = self.smooth.entry(key(limit)).or_default();
                        *cell = cell.check(period, burst, limit.cost, now).1;
                    }
                }
            }
        }
        states
    }

    /// What a bucket would say.
    pub(crate) fn look(&mut self, limit: &LimitAsk<'_>, now: Nanos) -> LimitState {
        match limit.rule {
            LimitRule::Exact {
                count,
                window,
                lockout,
            } => {
                let cell = self.logs.entry(key(limit)).or_default();
                cell.check(count, window, lockout, limit.cost, now)
            }
            LimitRule::Smooth { period, burst } => {
                let cell = self.smooth.entry(key(limit)).or_default();
                cell.check(period, burst, limit.cost, now).0
            }
        }
    }

    fn release(&mut self, limit: &LimitAsk<'_>, at: Nanos, now: Nanos) {
        match limit.rule {
            LimitRule::Exact { count, window, .. } => {
                let cell = self.logs.entry(key(limit)).or_default();
                cell.release(count, window, at, now);
            }
            LimitRule::Smooth { period, .. } => {
                let cell = self.smooth.entry(key(limit)).or_default();
                *cell = cell.released(period, limit.cost, at, now);
            }
        }
    }

    /// The scopes and values of all buckets that were asked for, in order.
    pub(crate) fn buckets(&self) -> Vec<(String, Vec<u8>)> {
        let mut all: Vec<_> = self
            .logs
            .keys()
            .chain(self.smooth.keys())
            .cloned()
            .collect();
        all.sort();
        all
    }
}

fn key(limit: &LimitAsk<'_>) -> (String, Vec<u8>) {
    (limit.scope.as_str().to_owned(), limit.value.to_vec())
}
