//! `jwt-expiry-ignored`: a token that has expired is accepted.

use portcullis_code::body::Const;
use portcullis_policy::Control;
use portcullis_report::{Basis, Class, Confidence, Severity};

use crate::{
    library::Meaning,
    parts::{all_tests, depends, names_of},
    rule::{CallContext, Check, Hit, Rule},
    setting::Setting,
};

pub(super) static RULE: Rule = Rule {
    id: "jwt-expiry-ignored",
    class: Class::JwtLifetime,
    control: Control::Token,
    severity: Severity::Medium,
    confidence: Confidence::High,
    basis: Basis::Code,
    cwe: &["CWE-613"],
    asvs: &["v5.0.0-9.2.1"],
    owasp: &["A07:2021", "API2:2023"],
    summary: "a token that has expired is accepted",
    page: include_str!("jwt_expiry_ignored.md"),
    check: Check::Call(check),
};

fn check(context: &CallContext<'_>) -> Vec<Hit> {
    let values = &context.machine.values;
    let ignored = context.rows.iter().any(|known| {
        let Meaning::Guard(guard) = &known.row.meaning else {
            return false;
        };
        let setting = Setting::at_any(values, known, &guard.ignores_expiry);
        matches!(setting, Setting::Given(value) if values.as_const(value) == Some(Const::Bool(true)))
    });
    if !ignored || compares_expiry(context) {
        return Vec::new();
    }
    vec![
        Hit::at(context.site(), "a token that has expired is accepted")
            .because(
                None,
                "the library is told not to look at `exp`, and no code compares it either",
            )
            .because(None, "a token that was stolen once works for ever")
            .fixed_by(
                "leave the option out; where an old token is to be renewed, accept one that expired a short while ago and look up its session",
            ),
    ]
}

/// Whether the code looks at the claim itself.
fn compares_expiry(context: &CallContext<'_>) -> bool {
    let values = &context.machine.values;
    let points = context.events.iter().map(|event| event.facts);
    all_tests(values, points).into_iter().any(|tested| {
        let names = names_of(values, tested);
        names
            .iter()
            .any(|name| matches!(name.as_str(), "exp" | "iat"))
            && depends(values, tested, context.call)
    })
}
