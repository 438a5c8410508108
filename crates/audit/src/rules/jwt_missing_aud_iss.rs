//! `jwt-missing-aud-iss`: a token is verified, but not that it was issued by whom, and for whom, it should be.

use portcullis_code::value::Values;
use portcullis_policy::Control;
use portcullis_report::{Basis, Class, Confidence, Severity};

use crate::{
    library::{Guard, Meaning, Place},
    parts::{all_tests, depends, names_of},
    rule::{CallContext, Check, Hit, Rule},
    setting::Setting,
};

pub(super) static RULE: Rule = Rule {
    id: "jwt-missing-aud-iss",
    class: Class::JwtMissingAudIss,
    control: Control::Token,
    severity: Severity::Medium,
    confidence: Confidence::High,
    basis: Basis::Code,
    cwe: &["CWE-345"],
    asvs: &["v5.0.0-9.2.3", "v5.0.0-9.1.3"],
    owasp: &["A07:2021", "API2:2023"],
    summary: "a token is verified without its audience or its issuer",
    page: include_str!("jwt_missing_aud_iss.md"),
    check: Check::Call(check),
};

fn check(context: &CallContext<'_>) -> Vec<Hit> {
    let values = &context.machine.values;
    let mut hits = Vec::new();
    for known in context.rows {
        let Meaning::Guard(guard) = &known.row.meaning else {
            continue;
        };
        let lacks = |places: &[Place]| {
            !places.is_empty() && Setting::at_any(values, known, places) == Setting::Absent
        };
        let audience = lacks(&guard.audience) && !compared(context, values, &["aud", "audience"]);
        let issuer = lacks(&guard.issuer) && !compared(context, values, &["iss", "issuer"]);
        let (missing, options) = match (audience, issuer) {
            (true, true) => ("audience and issuer", "`audience` and `issuer`"),
            (true, false) => ("audience", "`audience`"),
            (false, true) => ("issuer", "`issuer`"),
            (false, false) => continue,
        };
        hits.push(hit(context, guard, missing, options));
        break;
    }
    hits
}

fn hit(context: &CallContext<'_>, guard: &Guard, missing: &str, options: &str) -> Hit {
    let accepted = match missing {
        "issuer" => "a token of any issuer that signs with the same key is accepted",
        _ => "a token that was made for another service, but signed with the same key, is accepted",
    };
    let hit = Hit::at(
        context.site(),
        format!("the token is verified without its {missing}"),
    )
    .because(None, accepted)
    .fixed_by(format!("give the verifier {options}"));
    if guard.algorithms.is_empty() {
        return hit;
    }
    hit.because(
        None,
        "without these options the library compares neither claim",
    )
}

/// Whether the code compares a claim of the verified token itself.
fn compared(context: &CallContext<'_>, values: &Values, names: &[&str]) -> bool {
    let points = context.events.iter().map(|event| event.facts);
    all_tests(values, points).into_iter().any(|tested| {
        names_of(values, tested)
            .iter()
            .any(|name| names.contains(&name.as_str()))
            && depends(values, tested, context.call)
    })
}
