//! `Rehearsal`: a policy that is asked about requests as a running guard would be, without a network.
//!
//! The bytes that a client would send are read by the guard's own reader and decided by its own core with a store of
//! its own. What is added here is told: the first two steps, and how the body would arrive.

use portcullis_guard::answer::{AnswerPlan, Audience, NONCE_RANDOM_BYTES, Nonce};
use portcullis_guard::clock::{Nanos, Now, SECOND};
use portcullis_guard::decide::{Decider, Step as Next};
use portcullis_guard::decision::{Decision, Denial, Permit};
use portcullis_guard::http1::{Parsed, RequestHead, parse_request_head};
use portcullis_guard::plan::Plan;
use portcullis_guard::reason::Reason;
use portcullis_guard::request::RequestView;
use portcullis_guard::store::{Answers, Ask, Reply, Store as _, StoreError};
use portcullis_guard::token::{Believed, TokenVerifier, Unbelieved};
use portcullis_policy::{Control, Method, Need, Policy, Route};
use portcullis_state::{MemoryOptions, MemoryStore};

use super::answer::ClientReads;
use super::asked::Asked;
use super::explanation::{Explanation, LeftOut, LimitTold, RouteTold, Run, Step, Verdict};
use super::forwarding::Forwarding;
use super::login::Login;
use super::moment::Moment;
use super::rehearsed_key::{RehearsedKey, scopes};
use crate::failure::Failure;
use crate::guarding::enforced;

/// Where monotonic time begins: far enough from zero for every window of a policy to lie behind it.
const BEGINNING: Nanos = 100 * 86_400 * SECOND;

/// How much the store may hold: what is asked here fits many times over.
const STORE_BYTES: usize = 16 << 20;

/// The policy, and what was counted.
#[derive(Debug)]
pub(crate) struct Rehearsal<'p> {
    policy: &'p Policy,
    plan: &'p Plan,
    store: MemoryStore,
    verifier: TokenVerifier,
    first: Option<Moment>,
    monotonic: Nanos,
}

/// By what somebody is known to the store.
#[derive(Clone, Copy)]
struct Entries<'e> {
    login: Option<&'e Login>,
    key: Option<&'e RehearsedKey>,
}

impl<'p> Rehearsal<'p> {
    /// A guard that has just started.
    pub(crate) fn new(policy: &'p Policy, plan: &'p Plan) -> Result<Self, Failure> {
        let options = MemoryOptions {
            bucket_bytes: STORE_BYTES,
            entry_bytes: STORE_BYTES,
            shards: 1,
        };
        let store =
            MemoryStore::for_rehearsal(options).map_err(|error| Failure::caused("", &error))?;
        Ok(Self {
            policy,
            plan,
            store,
            verifier: verifier(policy),
            first: None,
            monotonic: BEGINNING,
        })
    }

    /// Asks about a request, as often as it says, and tells of the last time.
    ///
    /// # Errors
    ///
    /// What cannot be sent as one request.
    pub(crate) fn ask(&mut self, asked: &Asked) -> Result<Explanation, String> {
        let hosts = self.policy.hosts();
        let host = hosts.first().map(ToString::to_string);
        let now = self.now(asked.at);
        let login = match &asked.user {
            Some(user) => Login::of(&self.plan.identity, user, now)?,
            None => None,
        };
        let key = match &asked.user {
            Some(user) => RehearsedKey::of(&self.plan.identity, self.policy, user, now)?,
            None => None,
        };
        let shown = self.shown(asked, login.as_ref(), key.as_ref());
        let entries = Entries {
            login: login.as_ref(),
            key: key.as_ref(),
        };
        let asked = &shown;
        let head = asked.head(host.as_deref())?;
        let mut runs: Vec<Run> = Vec::new();
        let mut told = self.once(asked, entries, &head, now);
        for time in 1..=asked.times {
            if time > 1 {
                told = self.once(asked, entries, &head, now);
            }
            match runs.last_mut() {
                Some(run) if run.verdict == told.verdict && run.reason == told.reason => {
                    run.count += 1;
                }
                _ => runs.push(Run {
                    verdict: told.verdict,
                    reason: told.reason,
                    count: 1,
                }),
            }
        }
        told.runs = runs;
        Ok(told)
    }

    /// Both clocks at a moment. Monotonic time goes on as the moments do, and never back.
    fn now(&mut self, at: Moment) -> Now {
        let first = *self.first.get_or_insert(at);
        let passed = at.unix_millis().saturating_sub(first.unix_millis());
        let moved = BEGINNING.saturating_add(passed.saturating_mul(SECOND / 1_000));
        self.monotonic = self.monotonic.max(moved);
        Now {
            monotonic: self.monotonic,
            unix_millis: at.unix_millis(),
        }
    }

    /// The request as somebody sends it who is logged in, from a page of the service where it may change something. What was
    /// written down is sent as it is.
    fn shown(&self, asked: &Asked, login: Option<&Login>, key: Option<&RehearsedKey>) -> Asked {
        let mut shown = asked.clone();
        let fields = match login {
            Some(login) => login.fields(&asked.method),
            None if key.is_some() => key.map(RehearsedKey::field).into_iter().collect(),
            None if asked.user.is_some() && self.plan.identity.tokens.is_some() => {
                vec![("Authorization", "Bearer of.a.rehearsal".to_owned())]
            }
            None => Vec::new(),
        };
        let missing = fields.into_iter().filter(|(name, _)| !asked.has(name));
        let missing = missing.map(|(name, value)| (name.to_owned(), value));
        shown.headers.extend(missing);
        shown
    }

    /// What the token of a rehearsal is worth: whoever is asked about has one that is good, and nobody else has.
    fn believed(&self, asked: &Asked, now: Now) -> Result<Believed, Unbelieved> {
        const NO_KEYS: &str = "nobody's keys are asked here, so no token is believed: say with `--as USER` who has a good one";
        let user = asked.user.as_deref();
        let scopes = scopes(self.policy).join(" ");
        let believed = user.and_then(|user| self.verifier.rehearsed(user, &scopes, now));
        believed.ok_or(Unbelieved::Unavailable(NO_KEYS.into()))
    }

    fn once(&self, asked: &Asked, entries: Entries<'_>, buf: &[u8], now: Now) -> Explanation {
        let of_login = entries
            .login
            .into_iter()
            .flat_map(|login| login.entries(&self.plan.identity, now));
        for entry in of_login.chain(entries.key.map(RehearsedKey::entry)) {
            drop(ready(self.store.ask(&[entry], now)));
        }
        let mut told = Explanation {
            title: asked.title(),
            at: asked.at,
            client: None,
            host: None,
            steps: Vec::new(),
            runs: Vec::new(),
            verdict: Verdict::Deny,
            status: None,
            reason: None,
            route: None,
            line: None,
            limits: Vec::new(),
            watched: Vec::new(),
            left_out: Vec::new(),
            forwarding: None,
            client_reads: ClientReads::default(),
        };
        let head = match parse_request_head(buf, &self.plan.head) {
            Ok(Parsed::Complete { head, len }) if len == buf.len() => head,
            // One head was written, so it is one and whole; else something is wrong with us.
            Ok(Parsed::Complete { .. } | Parsed::Incomplete) => {
                told.refused_early(
                    &self.plan.answer,
                    "head",
                    Reason::INTERNAL,
                    "no single whole head",
                );
                return told;
            }
            Err(fault) => {
                let reason = Reason::of(fault.reason(), fault.status());
                told.refused_early(&self.plan.answer, "head", reason, "not strict HTTP/1.1");
                return told;
            }
        };
        let count = head.fields().len();
        let why = format!("strict HTTP/1.1, {count} header field{}", plural(count));
        told.steps.push(Step::passed("head", why));
        let view = match RequestView::read(self.plan, &head, buf, asked.peer) {
            Ok(view) => view,
            Err(fault) => {
                let reason = Reason::of(fault.reason(), fault.status());
                let why = "two readers could differ about it";
                told.refused_early(&self.plan.answer, "request", reason, why);
                return told;
            }
        };
        self.decide(asked, &head, &view, now, &mut told);
        told
    }

    fn decide(
        &self,
        asked: &Asked,
        head: &RequestHead,
        view: &RequestView<'_>,
        now: Now,
        told: &mut Explanation,
    ) {
        let (client, host) = (view.client().address().to_string(), view.host().to_string());
        let path = view.path().map_or("*", |path| path.as_str());
        let why = format!("`{} {path}` from {client} for `{host}`", view.method());
        told.steps.push(Step::passed("request", why));
        (told.client, told.host) = (Some(client), Some(host));
        let mut decider = Decider::new(self.plan, view, now).traced();
        let mut next = decider.start();
        let decision = loop {
            next = match next {
                Next::Done(decision) => break decision,
                Next::Ask => {
                    let answers = ready(self.store.ask(decider.batch(), now));
                    decider.answered(answers)
                }
                Next::Token => decider.judged(self.believed(asked, now)),
                Next::Body { bytes_max } => match asked.content(head.framing(), bytes_max) {
                    Ok(body) => decider.body(body, now),
                    Err(reason) => decider.without_body(reason),
                },
            };
        };
        told.steps.extend(decider.trace().iter().map(Step::of));
        let held = decider.into_body().map(|body| body.len());
        let held = held.and_then(|length| u64::try_from(length).ok());
        match decision {
            Decision::Allow(permit) => self.allowed(asked, view, held, &permit, now, told),
            Decision::Deny(denial) | Decision::Unavailable(denial) => {
                told.refused(
                    &self.plan.answer,
                    self.audience(view),
                    &denial,
                    view.method(),
                );
            }
            Decision::Own(own) => {
                told.verdict = Verdict::Answer;
                told.status = Some(204);
                told.client_reads =
                    ClientReads::of_answer(&self.plan.answer, self.audience(view), own);
            }
        }
        if asked.user.is_some() && !self.plan.identity.knows_callers() {
            told.steps.push(Step {
                phase: "identity",
                outcome: "not_enforced",
                reason: None,
                why: "the policy does not say how the guard knows who is calling: `--as` changes nothing"
                    .to_owned(),
                line: None,
            });
        }
    }

    fn allowed(
        &self,
        asked: &Asked,
        view: &RequestView<'_>,
        held: Option<u64>,
        permit: &Permit<'_>,
        now: Now,
        told: &mut Explanation,
    ) {
        told.watched = permit.shadowed().iter().map(|one| one.code).collect();
        if held.is_none()
            && let Err(reason) = asked.streamed(view.framing(), permit.body_max())
        {
            let denial = Denial::because(reason).at(permit.route());
            told.refused(
                &self.plan.answer,
                self.audience(view),
                &denial,
                view.method(),
            );
            return;
        }
        if asked.answer < 400 {
            for released in permit.on_success() {
                let batch = [Ask::Release {
                    limits: released.limits.clone(),
                    at: released.at,
                }];
                // What cannot be given back stays counted, as in a running guard.
                drop(ready(self.store.ask(&batch, now)));
            }
        }
        told.verdict = Verdict::Allow;
        told.route = Some(RouteTold::of(permit.route()));
        told.line = permit.route().line;
        told.limits = LimitTold::all(permit.limits());
        told.left_out = self.left_out(permit, view.method(), asked.at);
        told.forwarding = Some(Forwarding::of(view, held, self.plan.answer.wants_nonce()));
        told.client_reads = ClientReads::of_application(
            &self.plan.answer,
            self.audience(view),
            permit,
            asked.answer,
        );
    }

    /// Who the answer is for. A nonce is another one for each answer; the one that is shown is of nobody.
    fn audience(&self, view: &RequestView<'_>) -> Audience {
        let audience = self.plan.answer.audience(view);
        if self.plan.answer.wants_nonce() {
            audience.with_nonce(Nonce::of([0; NONCE_RANDOM_BYTES]))
        } else {
            audience
        }
    }

    /// What the route must have and nobody here looks at.
    fn left_out(&self, permit: &Permit<'_>, method: Method, at: Moment) -> Vec<LeftOut> {
        let plan = permit.route();
        let Some(route) = self
            .policy
            .all_routes()
            .find(|route| route.methods == plan.methods && route.path.to_string() == plan.template)
        else {
            return Vec::new();
        };
        let enforced = enforced(self.policy);
        Control::ALL
            .iter()
            .copied()
            .filter(|control| !enforced.contains(control))
            .filter_map(|control| Some((control, is_conditional(route, control, method)?)))
            .map(|(control, conditional)| LeftOut {
                control: control.as_str(),
                conditional,
                exception: at
                    .day()
                    .and_then(|day| self.policy.excepted_on(route, method, control, day))
                    .map(|except| (except.place.line, except.until.to_string())),
            })
            .collect()
    }
}

impl Explanation {
    /// A refusal before anything of the policy was asked.
    fn refused_early(&mut self, plan: &AnswerPlan, phase: &'static str, reason: Reason, why: &str) {
        self.steps.push(Step::refused(phase, reason, why));
        let audience = Audience::default();
        self.refused(plan, audience, &Denial::because(reason), Method::Get);
    }

    fn refused(
        &mut self,
        plan: &AnswerPlan,
        audience: Audience,
        denial: &Denial<'_>,
        method: Method,
    ) {
        let code = denial.reason.code;
        self.verdict = Verdict::Deny;
        self.status = Some(denial.status());
        self.reason = Some(code);
        self.route = denial.route.map(RouteTold::of);
        self.limits = LimitTold::all(&denial.limits);
        self.client_reads = ClientReads::of_refusal(plan, audience, denial, method == Method::Head);
        if !self.steps.iter().any(|step| step.reason == Some(code)) {
            // How a body arrives is nothing that the core sees.
            let why = "the body does not arrive as its head says, or is too long";
            self.steps.push(Step::refused("body", denial.reason, why));
        }
        let step = self
            .steps
            .iter()
            .rev()
            .find(|step| step.outcome == "refused");
        self.line = denial.line.or_else(|| step.and_then(|step| step.line));
    }
}

/// The issuers of a policy.
fn verifier(policy: &Policy) -> TokenVerifier {
    let issuers = policy.identity().map(|identity| &*identity.issuers);
    TokenVerifier::new(issuers.unwrap_or_default(), None)
}

/// Whether the route needs a control for a method only under a condition; nothing where it does not need it.
fn is_conditional(route: &Route, control: Control, method: Method) -> Option<bool> {
    let is_safe = matches!(method, Method::Get | Method::Head | Method::Options);
    match route.need(control) {
        Need::Required => Some(false),
        Need::Conditional if control == Control::Confirmation => {
            route.confirm.contains(method).then_some(false)
        }
        Need::Conditional => (control == Control::Csrf && !is_safe).then_some(true),
        Need::NotNeeded => None,
    }
}

/// The answer of a store that is in memory, and so has it at once.
fn ready(reply: Reply<'_>) -> Result<Answers, StoreError> {
    match reply {
        Reply::Ready(answers) => answers,
        Reply::Pending(_) => Err(StoreError::TimedOut),
    }
}

pub(crate) const fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}
