//! What the facts at a point prove: which guards were passed on every way there.

use std::{cell::RefCell, rc::Rc};

use portcullis_code::{
    body::{BinaryOp, Const},
    value::{CallId, Fact, FactsId, Value, ValueId, Values},
};
use portcullis_policy::Control;
use rustc_hash::FxHashMap;
use ustr::Ustr;

use crate::{
    input::Input,
    knowledge::{Knowledge, Known},
    library::{Caller, DeriveKind, Field, Guard, GuardKind, Meaning, Pass, Role, Step, Usage},
    origin::{OriginFinder, Origins},
    semantics::HANDED_BY_ROW,
};

/// A guard that was passed.
#[derive(Clone, Debug, PartialEq)]
pub struct Passed {
    /// What it guards.
    pub kind: Proof,
    /// The call that guards, if it is one.
    pub call: Option<CallId>,
    /// The value that was tested, if one was.
    pub tested: Option<ValueId>,
    /// Whether the credential is a cookie; none where it may be either.
    pub ambient: Option<bool>,
}

/// What a passed guard proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Proof {
    /// The caller is known.
    Authentication,
    /// The caller showed a secret that only another service has.
    Service,
    /// The message is signed.
    Signature,
    /// The caller has a role or permission.
    Authorization,
    /// A row's owner was compared with the caller.
    Ownership,
    /// Requests are counted.
    RateLimit,
    /// The request comes from the application's own pages.
    Csrf,
    /// A cookie was only compared with what the request says itself.
    CsrfCompare,
    /// Input fits a schema.
    Validation,
    /// A password or code was right.
    Credential,
    /// A secret link or key was found among the rows.
    Capability,
}

impl Proof {
    /// The control it is an instance of.
    #[must_use]
    pub const fn control(self) -> Control {
        match self {
            Self::Authentication | Self::Service | Self::Credential | Self::Capability => {
                Control::Authentication
            }
            Self::Signature => Control::Signature,
            Self::Authorization => Control::Authorization,
            Self::Ownership => Control::Ownership,
            Self::RateLimit => Control::RateLimit,
            Self::Csrf | Self::CsrfCompare => Control::Csrf,
            Self::Validation => Control::Validation,
        }
    }

    /// Whether it proves who calls.
    #[must_use]
    pub const fn identifies(self) -> bool {
        matches!(self, Self::Authentication | Self::Service | Self::Signature)
    }
}

/// Judges facts, and remembers for one route.
pub struct Passes<'k, 'p> {
    knowledge: &'k Knowledge<'p>,
    origins: &'k OriginFinder<'k, 'p>,
    known: RefCell<FxHashMap<FactsId, Rc<Vec<Passed>>>>,
    by_fact: RefCell<FxHashMap<Fact, Rc<Vec<Passed>>>>,
    /// Reads that find a row by a secret.
    secrets: RefCell<FxHashMap<CallId, bool>>,
    settings: std::cell::Cell<bool>,
}

impl std::fmt::Debug for Passes<'_, '_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Passes").finish_non_exhaustive()
    }
}

impl<'k, 'p> Passes<'k, 'p> {
    /// A judge of facts for one route.
    #[must_use]
    pub fn new(knowledge: &'k Knowledge<'p>, origins: &'k OriginFinder<'k, 'p>) -> Self {
        Self {
            knowledge,
            origins,
            known: RefCell::default(),
            by_fact: RefCell::default(),
            secrets: RefCell::default(),
            settings: std::cell::Cell::new(false),
        }
    }

    /// Says that a read finds its row by a secret that the client shows: in a header, as a key, or in a link.
    pub fn secret(&self, call: CallId, in_header: bool) {
        self.secrets.borrow_mut().insert(call, in_header);
    }

    /// Forgets what was judged, after more is known.
    pub fn forget(&self) {
        self.known.borrow_mut().clear();
        self.by_fact.borrow_mut().clear();
    }

    /// Every guard that was passed on every way to a point.
    #[must_use]
    pub fn at(&self, values: &Values, facts: FactsId) -> Rc<Vec<Passed>> {
        // Back to the last point that is known, and forward again: each point adds one fact to the one before.
        let mut todo = Vec::new();
        let mut at = facts;
        let mut passed: Rc<Vec<Passed>> = loop {
            if let Some(known) = self.known.borrow().get(&at) {
                break known.clone();
            }
            match values.newest(at) {
                Some((before, fact)) => {
                    todo.push((at, fact));
                    at = before;
                }
                None => break Rc::default(),
            }
        };
        for (point, fact) in todo.into_iter().rev() {
            let found = self.of_fact(values, fact);
            if found.iter().any(|found| !passed.contains(found)) {
                let mut more = passed.as_ref().clone();
                for found in found.iter() {
                    if !more.contains(found) {
                        more.push(found.clone());
                    }
                }
                passed = Rc::new(more);
            }
            self.known.borrow_mut().insert(point, passed.clone());
        }
        passed
    }

    /// Whether a guard of this kind was passed on every way to a point.
    #[must_use]
    pub fn has(&self, values: &Values, facts: FactsId, kind: Proof) -> bool {
        self.at(values, facts)
            .iter()
            .any(|passed| passed.kind == kind)
    }

    /// Whether who calls is known on every way to a point.
    #[must_use]
    pub fn identified(&self, values: &Values, facts: FactsId) -> bool {
        self.at(values, facts)
            .iter()
            .any(|passed| passed.kind.identifies())
    }

    /// What one fact proves.
    #[must_use]
    pub fn of_fact(&self, values: &Values, fact: Fact) -> Rc<Vec<Passed>> {
        if let Some(known) = self.by_fact.borrow().get(&fact) {
            return known.clone();
        }
        let found = Rc::new(match fact {
            Fact::Returned(call) => self.of_return(values, call),
            Fact::Test(value, truth) => self.of_test(values, value, truth),
            Fact::Caught(_) => Vec::new(),
            Fact::OneOf(number) => self.of_join(values, number),
        });
        self.by_fact.borrow_mut().insert(fact, found.clone());
        found
    }

    /// What is proved on each of several ways, if not by the same guard then by one of the same kind.
    ///
    /// A way that only a setting opens (`if (process.env.VERCEL !== "1") return`) does not count against the others: what
    /// they prove then depends on that setting, which [`Passes::by_setting`] tells.
    fn of_join(&self, values: &Values, number: u32) -> Vec<Passed> {
        let joined = values.joined(number);
        let ways: Vec<(bool, Rc<Vec<Passed>>)> = joined
            .iter()
            .map(|facts| {
                (
                    self.is_by_setting(values, *facts, joined),
                    self.at(values, *facts),
                )
            })
            .collect();
        let alike =
            |one: Proof, other: Proof| one == other || one.identifies() && other.identifies();
        let all = |ways: &[&Rc<Vec<Passed>>]| -> Vec<Passed> {
            let Some((first, others)) = ways.split_first() else {
                return Vec::new();
            };
            let proved = |passed: &&Passed| {
                others
                    .iter()
                    .all(|way| way.iter().any(|other| alike(passed.kind, other.kind)))
            };
            first.iter().filter(proved).cloned().collect()
        };
        let every: Vec<&Rc<Vec<Passed>>> = ways.iter().map(|(_, way)| way).collect();
        let found = all(&every);
        // Of the ways that a setting tells apart, those that prove least are the ones it switches off.
        let most = ways
            .iter()
            .filter(|(by_setting, _)| *by_setting)
            .map(|(_, way)| way.len())
            .max()
            .unwrap_or(0);
        let usual: Vec<&Rc<Vec<Passed>>> = ways
            .iter()
            .filter(|(by_setting, way)| !by_setting || way.len() == most)
            .map(|(_, way)| way)
            .collect();
        if usual.is_empty() || usual.len() == ways.len() {
            return found;
        }
        let more = all(&usual);
        if more.len() > found.len() {
            self.settings.set(true);
            return more;
        }
        found
    }

    /// Whether a way is taken because of a test of the environment that the others do not share.
    fn is_by_setting(&self, values: &Values, facts: FactsId, ways: &[FactsId]) -> bool {
        values.facts(facts).take(64).any(|fact| match fact {
            // A comparison names the platform or the stage; a setting that is only there or not is off until somebody
            // sets it, and a guard behind it is not counted on.
            Fact::Test(value, _) => {
                matches!(values.value(value), Value::Binary(BinaryOp::Equal, ..))
                    && self.origins.of(values, value) == Origins::ENVIRONMENT
                    && ways.iter().any(|other| !values.holds(*other, fact))
            }
            _ => false,
        })
    }

    /// Whether something that was proved depends on a setting.
    #[must_use]
    pub fn by_setting(&self) -> bool {
        self.settings.get()
    }

    fn of_return(&self, values: &Values, call: CallId) -> Vec<Passed> {
        let data = values.call(call);
        let mut found = Vec::new();
        // The call of a wrapped handler or a made middleware: the row describes what made it.
        let made = match values.value(data.callee) {
            Value::Call(made) => self.knowledge.of_call(values, *made),
            _ => Vec::new(),
        };
        for known in &made {
            if known.row.usage != Usage::Plain {
                self.completed(values, known, call, true, &mut found);
            }
        }
        if made.is_empty() {
            for known in self.knowledge.of_value(values, data.callee) {
                if known.row.usage == Usage::Middleware {
                    self.completed(values, &known, call, true, &mut found);
                }
            }
        }
        for known in self.knowledge.of_call(values, call) {
            if known.row.usage == Usage::Plain {
                self.completed(values, &known, call, false, &mut found);
            }
        }
        found
    }

    /// What the completion of a call proves.
    fn completed(
        &self,
        values: &Values,
        known: &Known<'_>,
        call: CallId,
        enforces: bool,
        found: &mut Vec<Passed>,
    ) {
        match &known.row.meaning {
            Meaning::Guard(guard)
                if enforces && guard.pass.is_none_or(|pass| pass == Pass::Returns)
                    || guard_returns(&known.row.meaning) =>
            {
                let Meaning::Guard(guard) = &known.row.meaning else {
                    return;
                };
                self.guard(values, known, guard, call, None, found);
            }
            Meaning::Caller(caller) if caller.pass == Some(Pass::Returns) && caller.verified => {
                found.push(Passed {
                    kind: Proof::Authentication,
                    call: Some(call),
                    tested: None,
                    ambient: caller.ambient,
                });
            }
            _ => {}
        }
    }

    fn guard(
        &self,
        values: &Values,
        known: &Known<'_>,
        guard: &Guard,
        call: CallId,
        tested: Option<ValueId>,
        found: &mut Vec<Passed>,
    ) {
        for kind in std::iter::once(guard.guard).chain(guard.also.iter().copied()) {
            let kind = match kind {
                GuardKind::Authentication if is_login(values, known) => Proof::Credential,
                GuardKind::Authentication => Proof::Authentication,
                GuardKind::Authorization => Proof::Authorization,
                GuardKind::Ownership => Proof::Ownership,
                GuardKind::RateLimit => Proof::RateLimit,
                GuardKind::Csrf => Proof::Csrf,
                GuardKind::Signature => Proof::Signature,
                GuardKind::Validation => Proof::Validation,
                GuardKind::BodyLimit | GuardKind::BotCheck => continue,
            };
            found.push(Passed {
                kind,
                call: Some(call),
                tested,
                ambient: guard.ambient.or_else(|| self.carried(values, known, guard)),
            });
        }
    }

    /// Whether the credential that a guard reads came in a cookie; none where it may have come either way.
    fn carried(&self, values: &Values, known: &Known<'_>, guard: &Guard) -> Option<bool> {
        let subject = self
            .knowledge
            .place(values, known, guard.subject.as_ref()?)?;
        let origins = self.origins.of(values, subject);
        let cookie = origins.any(Origins::COOKIE);
        let attached = origins.any(Origins::HEADER.and(Origins::CHOSEN));
        (cookie != attached).then_some(cookie)
    }

    fn of_test(&self, values: &Values, value: ValueId, truth: bool) -> Vec<Passed> {
        let mut found = Vec::new();
        for (call, steps) in calls_under(values, value) {
            for known in self.knowledge.of_call(values, call) {
                if known.row.usage == Usage::Plain {
                    self.tested(values, &known, call, &steps, value, truth, &mut found);
                }
            }
        }
        match values.value(value) {
            Value::Binary(BinaryOp::Equal, a, b) if truth => {
                self.compared(values, *a, *b, value, &mut found)
            }
            _ if truth => self.truthy(values, value, &mut found),
            _ => {}
        }
        found
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one test")]
    fn tested(
        &self,
        values: &Values,
        known: &Known<'_>,
        call: CallId,
        steps: &[Step],
        value: ValueId,
        truth: bool,
        found: &mut Vec<Passed>,
    ) {
        match &known.row.meaning {
            Meaning::Caller(caller) if caller.verified && caller_passes(caller, steps, truth) => {
                found.push(Passed {
                    kind: Proof::Authentication,
                    call: Some(call),
                    tested: Some(value),
                    ambient: caller.ambient,
                });
                if truth && caller.role_fields.iter().any(|field| begins(steps, field)) {
                    found.push(Passed {
                        kind: Proof::Authorization,
                        call: Some(call),
                        tested: Some(value),
                        ambient: None,
                    });
                }
            }
            Meaning::Guard(guard) => {
                let plain = steps.is_empty()
                    && match guard.pass {
                        Some(Pass::Truthy) => truth,
                        Some(Pass::Falsy) => !truth,
                        _ => false,
                    };
                let nested = guard.pass == Some(Pass::Truthy) && truth && !steps.is_empty();
                let by_field = truth && guard.pass_fields.iter().any(|field| begins(steps, field))
                    || !truth && guard.fail_fields.iter().any(|field| is(steps, field));
                if plain || nested || by_field {
                    self.guard(values, known, guard, call, Some(value), found);
                }
            }
            Meaning::Credential(credential) if steps.is_empty() => {
                let passed = match credential.pass {
                    Pass::Truthy => truth,
                    Pass::Falsy => !truth,
                    _ => false,
                };
                if passed {
                    found.push(Passed {
                        kind: Proof::Credential,
                        call: Some(call),
                        tested: Some(value),
                        ambient: None,
                    });
                }
            }
            Meaning::Session(_) if truth && !steps.is_empty() => {
                found.push(Passed {
                    kind: Proof::Authentication,
                    call: Some(call),
                    tested: Some(value),
                    ambient: Some(true),
                });
            }
            Meaning::Derive(derive)
                if derive.kind == DeriveKind::Compare && truth && steps.is_empty() =>
            {
                let args: Vec<ValueId> = values.call(call).args.iter().map(|arg| arg.0).collect();
                if let (Some(&a), Some(&b)) = (args.first(), args.get(1)) {
                    self.compared(values, a, b, value, found);
                }
            }
            Meaning::Db(_) if truth => {
                if self.origins.is_bound(call) {
                    found.push(Passed {
                        kind: Proof::Authentication,
                        call: None,
                        tested: Some(value),
                        ambient: None,
                    });
                }
                if let Some(in_header) = self.secrets.borrow().get(&call).copied() {
                    found.push(Passed {
                        kind: if in_header {
                            Proof::Authentication
                        } else {
                            Proof::Capability
                        },
                        call: Some(call),
                        tested: Some(value),
                        ambient: Some(false),
                    });
                }
            }
            _ => {}
        }
    }

    /// What it proves that two values are equal.
    fn compared(
        &self,
        values: &Values,
        a: ValueId,
        b: ValueId,
        tested: ValueId,
        found: &mut Vec<Passed>,
    ) {
        let sent = Origins::HEADER
            .and(Origins::COOKIE)
            .and(Origins::QUERY)
            .and(Origins::BODY)
            .and(Origins::PARSED);
        for (one, other) in [(a, b), (b, a)] {
            let (left, right) = (self.origins.of(values, one), self.origins.of(values, other));
            let mut push = |kind, ambient| {
                found.push(Passed {
                    kind,
                    call: None,
                    tested: Some(tested),
                    ambient,
                })
            };
            if left.any(Origins::HMAC) && right.any(sent) {
                let csrf =
                    left.any(Origins::COOKIE.and(Origins::CALLER)) || right.any(Origins::COOKIE);
                push(if csrf { Proof::Csrf } else { Proof::Signature }, None);
            } else if left.any(Origins::ENVIRONMENT) && right.any(sent) {
                if names_of(values, other).iter().any(|name| {
                    matches!(
                        name.to_lowercase().as_str(),
                        "origin" | "referer" | "sec-fetch-site"
                    )
                }) {
                    push(Proof::Csrf, None);
                } else if names_of(values, one)
                    .iter()
                    .chain(&names_of(values, other))
                    .any(|name| is_secret_name(name))
                {
                    push(Proof::Service, Some(false));
                }
            } else if left.any(Origins::COOKIE)
                && right.any(Origins::HEADER.and(Origins::BODY).and(Origins::PARSED))
            {
                push(Proof::CsrfCompare, None);
            } else if left.any(Origins::HEADER)
                && names_of(values, one)
                    .iter()
                    .any(|name| matches!(name.to_lowercase().as_str(), "origin" | "sec-fetch-site"))
            {
                push(Proof::Csrf, None);
            }
            let by_caller = left.any(Origins::CALLER.and(Origins::OWN_ROW).and(Origins::ROLE));
            if by_caller
                && values.as_const(other).is_some()
                && names_of(values, one).iter().any(|name| is_role_name(name))
            {
                push(Proof::Authorization, None);
                push(Proof::Authentication, None);
            }
            if left.any(Origins::BOUND) && right.any(Origins::ROW) {
                push(Proof::Ownership, None);
            }
        }
    }

    /// What it proves that a value is truthy, beyond what rows say.
    fn truthy(&self, values: &Values, value: ValueId, found: &mut Vec<Passed>) {
        let mut push = |kind, ambient| {
            let passed = Passed {
                kind,
                call: None,
                tested: Some(value),
                ambient,
            };
            if !found.contains(&passed) {
                found.push(passed);
            }
        };
        let (base, path) = members_under(values, value);
        match values.value(base) {
            Value::Input(tag)
                if matches!(
                    Input::of(*tag),
                    Input::NodeRequest | Input::PagesRequest | Input::WebRequest
                ) =>
            {
                match path.first().map(Ustr::as_str) {
                    Some("user" | "auth") => push(Proof::Authentication, None),
                    Some("session")
                        if path.len() > 1
                            && !matches!(
                                path.get(1).map(Ustr::as_str),
                                Some("csrf" | "csrfToken" | "flash" | "cookie" | "views")
                            ) =>
                    {
                        push(Proof::Authentication, Some(true));
                    }
                    _ => {}
                }
            }
            Value::Handed(call, argument, param) => {
                let caller = if *param >= HANDED_BY_ROW {
                    self.origins.of(values, base).any(Origins::CALLER)
                } else {
                    self.knowledge
                        .handed(values, *call, *argument, *param)
                        .iter()
                        .any(|(members, role)| {
                            matches!(role, Role::Caller | Role::Claims | Role::Session)
                                && path.starts_with(members)
                        })
                };
                if caller {
                    let login = is_sign_in(values, *call);
                    push(
                        if login {
                            Proof::Credential
                        } else {
                            Proof::Authentication
                        },
                        None,
                    );
                }
            }
            Value::Call(call) => {
                let data = values.call(*call);
                if let Value::Member(on, name) = values.value(data.callee)
                    && name == "isAuthenticated"
                    && matches!(values.value(*on), Value::Input(_))
                {
                    push(Proof::Authentication, Some(true));
                }
            }
            _ => {}
        }
        // A choice or a computation may hold because the role is missing: its parts are judged by themselves.
        if !matches!(
            values.value(value),
            Value::Member(..) | Value::Call(_) | Value::Index(..)
        ) {
            return;
        }
        let origins = self.origins.of(values, value);
        if origins.any(Origins::CALLER.and(Origins::OWN_ROW).and(Origins::ROLE))
            && !origins.any(Origins::USER_WRITTEN)
            && names_of(values, value)
                .iter()
                .any(|name| is_role_name(name))
        {
            push(Proof::Authorization, None);
        }
    }
}

fn guard_returns(meaning: &Meaning) -> bool {
    matches!(meaning, Meaning::Guard(guard) if guard.pass == Some(Pass::Returns))
}

/// A sign-in strategy checks credentials; it does not say that somebody was signed in before.
fn is_login(values: &Values, known: &Known<'_>) -> bool {
    known.row.source.file.contains("passport")
        && known.calls.iter().any(|call| is_sign_in(values, *call))
}

/// Whether a call names a strategy that signs in: everything but those that read a token or key with each request.
pub(crate) fn is_sign_in(values: &Values, call: CallId) -> bool {
    const WITH_EACH_REQUEST: [&str; 8] = [
        "jwt",
        "bearer",
        "session",
        "localapikey",
        "headerapikey",
        "basic",
        "token",
        "api-key",
    ];
    values
        .call(call)
        .args
        .first()
        .and_then(|arg| values.as_text(arg.0))
        .is_some_and(|strategy| {
            !WITH_EACH_REQUEST.contains(&strategy.as_str()) && !strategy.contains("jwt")
        })
}

fn caller_passes(caller: &Caller, steps: &[Step], truth: bool) -> bool {
    let by_itself = truth && caller.pass == Some(Pass::Truthy);
    let by_field = truth && caller.pass_fields.iter().any(|field| begins(steps, field));
    let by_id =
        truth && !steps.is_empty() && caller.id_fields.iter().any(|field| begins(steps, field));
    let by_role =
        truth && !steps.is_empty() && caller.role_fields.iter().any(|field| begins(steps, field));
    let by_failure = !truth && caller.fail_fields.iter().any(|field| is(steps, field));
    by_itself || by_field || by_id || by_role || by_failure
}

fn begins(steps: &[Step], field: &Field) -> bool {
    steps.len() >= field.steps.len() && steps.iter().zip(field.steps.iter()).all(|(a, b)| a == b)
}

fn is(steps: &[Step], field: &Field) -> bool {
    steps.len() == field.steps.len() && begins(steps, field)
}

/// The opaque calls that a value is a part of the result of, each with the way from the result to the value.
#[must_use]
pub fn calls_under(values: &Values, value: ValueId) -> Vec<(CallId, Vec<Step>)> {
    let mut found = Vec::new();
    let mut steps: Vec<Step> = Vec::new();
    let mut at = value;
    for _ in 0..16 {
        match values.value(at) {
            Value::Member(base, name) => {
                steps.push(Step::Name(name.as_str().into()));
                at = *base;
            }
            Value::Index(base, _) | Value::Element(base) => {
                steps.push(Step::Index);
                at = *base;
            }
            Value::Promise(base) | Value::Rest(base, _) => at = *base,
            Value::Call(call) => {
                found.push((*call, steps.iter().rev().cloned().collect()));
                steps.push(Step::Call);
                at = values.call(*call).callee;
            }
            _ => break,
        }
    }
    found
}

/// A value without its members, and their names.
#[must_use]
pub fn members_under(values: &Values, value: ValueId) -> (ValueId, Vec<Ustr>) {
    let mut path = Vec::new();
    let mut at = value;
    for _ in 0..16 {
        match values.value(at) {
            Value::Member(base, name) => {
                path.push(*name);
                at = *base;
            }
            Value::Promise(base) => at = *base,
            _ => break,
        }
    }
    path.reverse();
    (at, path)
}

/// The names of members and the constant arguments that a value is made with.
#[must_use]
pub fn names_of(values: &Values, value: ValueId) -> Vec<Ustr> {
    let mut names = Vec::new();
    collect_names(values, value, 0, &mut names);
    names
}

fn collect_names(values: &Values, value: ValueId, depth: u32, names: &mut Vec<Ustr>) {
    if depth > 6 {
        return;
    }
    match values.value(value) {
        Value::Member(base, name) => {
            names.push(*name);
            collect_names(values, *base, depth + 1, names);
        }
        Value::Promise(base) | Value::Index(base, _) | Value::Element(base) | Value::Not(base) => {
            collect_names(values, *base, depth + 1, names)
        }
        Value::Call(call) => {
            let data = values.call(*call);
            collect_names(values, data.callee, depth + 1, names);
            for (arg, _) in &data.args {
                match values.value(*arg) {
                    Value::Const(Const::Str(text)) if text.len() < 80 => names.push(*text),
                    _ => collect_names(values, *arg, depth + 2, names),
                }
            }
        }
        Value::Choice(alternatives) => {
            for each in alternatives.iter().take(4) {
                collect_names(values, each.value, depth + 1, names);
            }
        }
        Value::Binary(_, a, b) => {
            collect_names(values, *a, depth + 1, names);
            collect_names(values, *b, depth + 1, names);
        }
        Value::Derived(parts) | Value::Template(parts) => {
            for part in parts.iter().take(4) {
                collect_names(values, *part, depth + 1, names);
            }
        }
        _ => {}
    }
}

/// Whether the name of a setting or header speaks of a secret.
fn is_secret_name(name: &str) -> bool {
    let lower = name.to_lowercase();
    [
        "secret",
        "token",
        "key",
        "password",
        "auth",
        "signature",
        "credential",
        "bearer",
    ]
    .iter()
    .any(|word| lower.contains(word))
}

/// Whether a member's name speaks of roles or permissions.
#[must_use]
pub fn is_role_name(name: &str) -> bool {
    let lower = name.to_lowercase();
    [
        "role",
        "admin",
        "permission",
        "moderator",
        "superuser",
        "isstaff",
        "is_staff",
        "privilege",
        "scope",
    ]
    .iter()
    .any(|word| lower.contains(word))
        || lower == "has"
        || lower == "can"
}
