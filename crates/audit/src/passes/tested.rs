//! `Tested`: what it proves that the result of a call was tested.

use portcullis_code::{
    body::BinaryOp,
    value::{CallId, Value, ValueId, Values},
};

use super::{Passed, Passes, Proof};
use crate::{
    knowledge::Known,
    library::{DeriveKind, EffectKind, Field, Meaning, Pass, Passing, Role, Step, Usage},
    parts::calls_under,
};

/// A test of what a call returned, or of a part of it.
#[derive(Clone, Copy)]
struct Tested<'t> {
    call: CallId,
    /// The way from the result to what was tested.
    steps: &'t [Step],
    value: ValueId,
    /// How it came out.
    truth: bool,
}

impl Tested<'_> {
    const fn proves(&self, kind: Proof, ambient: Option<bool>) -> Passed {
        Passed {
            kind,
            call: Some(self.call),
            tested: Some(self.value),
            ambient,
        }
    }

    /// Whether the whole result was tested, and came out as the row says.
    fn is_passed(&self, pass: Pass) -> bool {
        self.steps.is_empty()
            && match pass {
                Pass::Truthy => self.truth,
                Pass::Falsy => !self.truth,
                _ => false,
            }
    }

    /// Whether what was tested lies in this field.
    fn begins(&self, field: &Field) -> bool {
        self.steps.len() >= field.steps.len()
            && self
                .steps
                .iter()
                .zip(field.steps.iter())
                .all(|(a, b)| a == b)
    }

    fn begins_any(&self, fields: &[Field]) -> bool {
        fields.iter().any(|field| self.begins(field))
    }

    /// Whether exactly this field was tested.
    fn is(&self, field: &Field) -> bool {
        self.steps.len() == field.steps.len() && self.begins(field)
    }

    fn passes(&self, passing: &Passing) -> bool {
        let by_result = match passing.pass {
            // What is there in a truthy result is there only when it passed.
            Some(Pass::Truthy) => self.truth,
            Some(pass) => self.is_passed(pass),
            None => false,
        };
        let by_field = if self.truth {
            self.begins_any(&passing.pass_fields)
        } else {
            passing.fail_fields.iter().any(|field| self.is(field))
        };
        by_result || by_field
    }

    fn passes_caller(&self, caller: &Passing) -> bool {
        let inside = self.truth && !self.steps.is_empty();
        let by_name = self.begins_any(&caller.id_fields) || self.begins_any(&caller.role_fields);
        self.passes(caller) || inside && by_name
    }
}

impl Passes<'_, '_> {
    pub(super) fn of_test(&self, values: &Values, value: ValueId, truth: bool) -> Vec<Passed> {
        let mut found = Vec::new();
        for (call, steps) in calls_under(values, value) {
            let test = Tested {
                call,
                steps: &steps,
                value,
                truth,
            };
            for known in self.knowledge.of_call(values, call) {
                if known.row.usage == Usage::Plain {
                    self.tested(values, &known, test, &mut found);
                }
            }
        }
        match values.value(value) {
            Value::Handed(call, argument, param) if !truth => {
                self.no_error(values, (*call, *argument, *param), value, &mut found);
            }
            Value::Binary(BinaryOp::Equal, a, b) if truth => {
                self.compared(values, *a, *b, value, &mut found)
            }
            _ if truth => self.truthy(values, value, &mut found),
            _ => {}
        }
        found
    }

    /// What it proves that a callback was handed no error: `verify(token, key, (error, claims) => ..)`.
    fn no_error(
        &self,
        values: &Values,
        (call, argument, param): (CallId, u32, u32),
        tested: ValueId,
        found: &mut Vec<Passed>,
    ) {
        let is_error = self
            .knowledge
            .handed(values, call, argument, param)
            .iter()
            .any(|(members, role)| members.is_empty() && *role == Role::Error);
        if !is_error {
            return;
        }
        for known in self.knowledge.of_call(values, call) {
            if let Meaning::Guard(guard) = &known.row.meaning
                && guard.passing.pass == Some(Pass::Callback)
            {
                self.guard(values, &known, guard, call, Some(tested), found);
            }
        }
    }

    /// What a row says that a test of its call proves.
    fn tested(
        &self,
        values: &Values,
        known: &Known<'_>,
        test: Tested<'_>,
        found: &mut Vec<Passed>,
    ) {
        match &known.row.meaning {
            Meaning::Caller(caller) if caller.verified && test.passes_caller(&caller.passing) => {
                found.push(test.proves(Proof::Authentication, caller.passing.ambient));
                if test.truth && test.begins_any(&caller.passing.role_fields) {
                    found.push(test.proves(Proof::Authorization, None));
                }
            }
            Meaning::Guard(guard) if test.passes(&guard.passing) => {
                self.guard(values, known, guard, test.call, Some(test.value), found);
            }
            Meaning::Credential(credential) if test.is_passed(credential.pass) => {
                found.push(test.proves(Proof::Credential, None));
            }
            Meaning::Session(_) if test.truth && !test.steps.is_empty() => {
                found.push(test.proves(Proof::Authentication, Some(true)));
            }
            Meaning::Derive(derive)
                if derive.kind == DeriveKind::Compare && test.truth && test.steps.is_empty() =>
            {
                if let [a, b, ..] = values.call(test.call).args.as_slice() {
                    self.compared(values, a.0, b.0, test.value, found);
                }
            }
            Meaning::Db(_) if test.truth => self.row_found(test, found),
            Meaning::Effect(effect) if test.truth && effect.kind == EffectKind::Cache => {
                self.row_found(test, found);
            }
            _ => {}
        }
    }

    /// What it proves that a row is there.
    fn row_found(&self, test: Tested<'_>, found: &mut Vec<Passed>) {
        if self.origins.is_bound(test.call) {
            found.push(Passed {
                kind: Proof::Authentication,
                call: None,
                tested: Some(test.value),
                ambient: None,
            });
        }
        if let Some(in_header) = self.secrets.borrow().get(&test.call).copied() {
            let kind = if in_header {
                Proof::Authentication
            } else {
                Proof::Capability
            };
            found.push(test.proves(kind, Some(false)));
        }
    }
}
