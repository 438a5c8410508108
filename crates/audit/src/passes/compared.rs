//! What it proves that two values are equal.

use portcullis_code::value::{Value, ValueId, Values};

use super::{
    Passed, Passes, Proof,
    name::{is_role_name, is_secret_name},
};
use crate::{origin::Origins, parts::names_of};

impl Passes<'_, '_> {
    /// What it proves that two values are equal.
    pub(super) fn compared(
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
            } else if left.any(Origins::ENVIRONMENT)
                // What a call gives that is made with settings, a row or a cached value, is no setting.
                && !left.any(Origins::ROW.and(Origins::CALL))
                && right.any(sent)
                && !names_of(values, one).iter().any(|name| is_shipped(name))
            {
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
            // A list of one: only this account, only this tenant.
            let fixed = values.as_text(other).is_some_and(|text| !text.is_empty())
                || right == Origins::ENVIRONMENT;
            if left.any(Origins::BOUND) && fixed && is_identity(values, one) {
                push(Proof::Authorization, None);
            }
            if left.any(Origins::BOUND) && right.any(Origins::ROW) {
                push(Proof::Ownership, None);
            }
        }
    }
}

/// Whether a value names an account or a tenant: its last member is an id or an address.
fn is_identity(values: &Values, value: ValueId) -> bool {
    let mut at = value;
    // `user.email.toLowerCase()`
    if let Value::Call(call) = *values.value(at)
        && let Value::Member(spelled, how) = *values.value(values.call(call).callee)
        && matches!(
            how.as_str(),
            "toLowerCase" | "toUpperCase" | "trim" | "toString"
        )
    {
        at = spelled;
    }
    let Value::Member(_, name) = values.value(at) else {
        return false;
    };
    matches!(
        name.as_str(),
        "id" | "_id"
            | "sub"
            | "email"
            | "userId"
            | "orgId"
            | "organizationId"
            | "tenantId"
            | "teamId"
            | "workspaceId"
            | "accountId"
    )
}

/// Whether a setting of this name is shipped to browsers, as frameworks do by its prefix.
fn is_shipped(name: &str) -> bool {
    ["NEXT_PUBLIC_", "VITE_", "REACT_APP_", "PUBLIC_"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
}
