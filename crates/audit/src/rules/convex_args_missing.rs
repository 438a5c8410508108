//! `convex-args-missing`: nothing is declared of what a public function is given, so the server lets anything in.

use portcullis_policy::Control;
use portcullis_report::{Basis, Class, Confidence, Severity};

use crate::{
    raw_input::uses,
    route::{Arguments, Convention, Validators},
    rule::{Check, Hit, RouteContext, Rule},
};

pub(super) static RULE: Rule = Rule {
    id: "convex-args-missing",
    class: Class::ValidationMissing,
    control: Control::Validation,
    severity: Severity::Low,
    confidence: Confidence::High,
    basis: Basis::Matrix,
    cwe: &["CWE-20"],
    asvs: &["v5.0.0-2.2.1"],
    owasp: &["A03:2021", "API8:2023"],
    summary: "a public function declares nothing of its arguments, so the server admits whatever is sent",
    page: include_str!("convex_args_missing.md"),
    check: Check::Route(check),
};

fn check(context: &RouteContext<'_>) -> Vec<Hit> {
    if !is_undeclared(context) {
        return Vec::new();
    }
    let used = uses(context);
    let Some(worst) = used.iter().find(|used| used.written).or(used.first()) else {
        let message = "nothing is declared of the arguments: the server admits whatever is sent";
        return vec![
            Hit::at(context.route.site, message)
                .because(None, "the handler uses none of it, today")
                .fixed_by("declare that there are none: `args: {}`"),
        ];
    };
    let does = if worst.written {
        "and is stored or sent on as it comes"
    } else {
        "and chooses rows as it comes"
    };
    let mut hit = Hit::at(
        context.route.site,
        format!(
            "nothing is declared of the arguments: whatever is sent reaches the handler, {does}"
        ),
    )
    .because(Some(worst.site), "it is used here as it was sent")
    .fixed_by(
        "declare each argument with its validator (`args: { text: v.string() }`), and check lengths and ranges in the handler",
    );
    hit.basis = Some(Basis::Code);
    hit.severity = Some(Severity::Medium);
    vec![hit]
}

/// Whether clients call the function, and nothing is declared of what they send.
pub(super) fn is_undeclared(context: &RouteContext<'_>) -> bool {
    declared(context).is_some_and(|it| it.of_client && it.validators == Validators::Missing)
}

/// What is declared of a remote procedure that the application wrote itself.
pub(super) fn declared(context: &RouteContext<'_>) -> Option<Arguments> {
    let link = context.route.chain.last()?;
    match link.convention {
        Convention::Convex(arguments) if context.route.mega.is_none() => Some(arguments),
        _ => None,
    }
}
