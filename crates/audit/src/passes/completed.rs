//! What it proves that a call came back.

use portcullis_code::value::{CallId, Value, ValueId, Values};

use super::{
    Passed, Passes, Proof,
    sign_in::{signs_in, strategy_is_ambient},
};
use crate::{
    input::Input,
    knowledge::Known,
    library::{Guard, GuardKind, Meaning, Pass, Usage},
    origin::Origins,
};

impl Passes<'_, '_> {
    pub(super) fn of_return(&self, values: &Values, call: CallId) -> Vec<Passed> {
        let data = values.call(call);
        let mut found = Vec::new();
        // The call of a wrapped handler or a made middleware: the row describes what made it.
        let made = self.knowledge.of_maker_unless_told(values, data.callee);
        for known in &made {
            if known.row.usage != Usage::Plain {
                self.completed(values, known, call, true, &mut found);
            }
        }
        // A middleware that is not given `next` stops nothing that comes after its call.
        let goes_on = data.args.iter().any(|(arg, _)| {
            matches!(values.value(*arg), Value::Input(tag) if Input::of(*tag) == Input::Next)
        });
        if made.is_empty() && goes_on {
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
                if guard.passing.pass == Some(Pass::Returns)
                    || enforces && guard.passing.pass.is_none() =>
            {
                self.guard(values, known, guard, call, None, found);
            }
            Meaning::Caller(caller)
                if caller.passing.pass == Some(Pass::Returns) && caller.verified =>
            {
                found.push(Passed {
                    kind: Proof::Authentication,
                    call: Some(call),
                    tested: None,
                    ambient: caller.passing.ambient,
                });
            }
            _ => {}
        }
    }

    pub(super) fn guard(
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
                GuardKind::Authentication if signs_in(self.knowledge, values, known) => {
                    Proof::Credential
                }
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
                ambient: guard
                    .passing
                    .ambient
                    .or_else(|| self.carried(values, known, guard))
                    .or_else(|| strategy_is_ambient(self.knowledge, values, known)),
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
}
