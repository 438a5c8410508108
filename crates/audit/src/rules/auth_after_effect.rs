//! `auth-after-effect`: something is done before anybody asks who calls, and the refusal comes too late.

use portcullis_policy::Control;
use portcullis_report::{Auth, Basis, Class, Confidence, Severity};

use crate::{
    rule::{Check, Hit, RouteContext, Rule},
    rules::auth_result_unused::done_before,
};

pub(super) static RULE: Rule = Rule {
    id: "auth-after-effect",
    class: Class::AuthUnused,
    control: Control::Authentication,
    severity: Severity::High,
    confidence: Confidence::High,
    basis: Basis::Code,
    cwe: &["CWE-696", "CWE-306"],
    asvs: &["v5.0.0-8.3.1"],
    owasp: &["API2:2023", "A07:2021"],
    summary: "something is done before it is asked who calls",
    page: include_str!("auth_after_effect.md"),
    check: Check::Route(check),
};

fn check(context: &RouteContext<'_>) -> Vec<Hit> {
    // The middleware refuses already.
    if context.cover.is_some_and(|cover| cover.auth != Auth::None) {
        return Vec::new();
    }
    let mut hits: Vec<Hit> = Vec::new();
    for (deed, asked, refusal) in done_before(context) {
        if hits.iter().any(|hit| hit.site == deed) {
            continue;
        }
        hits.push(
            Hit::at(
                deed,
                "this is done before it is asked who calls: the refusal afterwards undoes nothing",
            )
            .because(Some(deed), "it is done here, for everybody")
            .because(Some(asked), "the caller is asked for only here")
            .because(Some(refusal), "and a caller without a session is refused")
            .fixed_by("ask who calls first, and leave where there is no caller"),
        );
    }
    hits
}
