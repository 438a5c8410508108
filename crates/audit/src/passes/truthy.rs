//! What it proves that a value is truthy, beyond what rows say.

use portcullis_code::value::{Value, ValueId, Values};
use ustr::Ustr;

use super::{
    Passed, Passes, Proof,
    name::{is_role_name, speaks_of_scopes},
    sign_in::{signs_in, strategy_is_ambient},
};
use crate::{
    input::Input,
    library::Role,
    origin::Origins,
    parts::{calls_under, members_under, names_of},
    semantics::HANDED_BY_ROW,
};

impl Passes<'_, '_> {
    pub(super) fn truthy(&self, values: &Values, value: ValueId, found: &mut Vec<Passed>) {
        let (base, path) = members_under(values, value);
        let by_base = self.by_base(values, base, &path);
        let by_role = self
            .is_callers_role(values, value)
            .then_some((Proof::Authorization, None));
        for (kind, ambient) in by_base.into_iter().chain(by_role) {
            let passed = Passed {
                kind,
                call: None,
                tested: Some(value),
                ambient,
            };
            if !found.contains(&passed) {
                found.push(passed);
            }
        }
    }

    /// What it proves that this member of something the chain was given is there, and whether it came in a cookie.
    fn by_base(
        &self,
        values: &Values,
        base: ValueId,
        path: &[Ustr],
    ) -> Option<(Proof, Option<bool>)> {
        match values.value(base) {
            Value::Input(tag) => by_request(Input::of(*tag), path),
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
                let rows = self.knowledge.of_call(values, *call);
                let login = rows
                    .iter()
                    .any(|known| signs_in(self.knowledge, values, known));
                let ambient = rows
                    .iter()
                    .find_map(|known| strategy_is_ambient(self.knowledge, values, known));
                let kind = if login {
                    Proof::Credential
                } else {
                    Proof::Authentication
                };
                caller.then_some((kind, ambient))
            }
            Value::Call(call) => match values.value(values.call(*call).callee) {
                Value::Member(on, name)
                    if name == "isAuthenticated"
                        && matches!(values.value(*on), Value::Input(_)) =>
                {
                    Some((Proof::Authentication, Some(true)))
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether a value is a role or permission of the caller that no user wrote.
    fn is_callers_role(&self, values: &Values, value: ValueId) -> bool {
        // A choice or a computation may hold because the role is missing: its parts are judged by themselves.
        if !matches!(
            values.value(value),
            Value::Member(..) | Value::Call(_) | Value::Index(..)
        ) {
            return false;
        }
        let origins = self.origins.of(values, value);
        if !origins.any(Origins::CALLER.and(Origins::OWN_ROW).and(Origins::ROLE))
            || origins.any(Origins::USER_WRITTEN)
        {
            return false;
        }
        // The scopes in a row of the caller's may be those of a credential for another service.
        let of_token = || {
            origins.any(Origins::CALLER.and(Origins::ROLE))
                || calls_under(values, value)
                    .iter()
                    .any(|(call, _)| self.origins.is_held(*call))
        };
        names_of(values, value)
            .iter()
            .any(|name| is_role_name(name) && (!speaks_of_scopes(name) || of_token()))
    }
}

/// What earlier code leaves on the request where it found out who calls.
fn by_request(input: Input, path: &[Ustr]) -> Option<(Proof, Option<bool>)> {
    let request = matches!(
        input,
        Input::NodeRequest | Input::PagesRequest | Input::WebRequest
    );
    match path.first().map(Ustr::as_str) {
        Some("user" | "auth") if request => Some((Proof::Authentication, None)),
        Some("session") if request => {
            let by = path.get(1)?;
            let anybodys = matches!(
                by.as_str(),
                "csrf" | "csrfToken" | "flash" | "cookie" | "views"
            );
            (!anybodys).then_some((Proof::Authentication, Some(true)))
        }
        _ => None,
    }
}
