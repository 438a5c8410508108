//! `validation-missing`: what the client sends is used as it came, whatever it is.

use portcullis_code::value::{Value, ValueId};
use portcullis_policy::Control;
use portcullis_report::{Answer, Basis, Class, Confidence, Severity};

use crate::{
    input::Input,
    origin::Origins,
    parts::whole_of,
    raw_input::uses,
    route::Site,
    rule::{Check, Hit, RouteContext, Rule},
    rules::{convex_args_missing, validation_result_unused},
};

pub(super) static RULE: Rule = Rule {
    id: "validation-missing",
    class: Class::ValidationMissing,
    control: Control::Validation,
    severity: Severity::Medium,
    confidence: Confidence::High,
    basis: Basis::Code,
    cwe: &["CWE-20"],
    asvs: &["v5.0.0-2.2.1"],
    owasp: &["A03:2021", "API8:2023"],
    summary: "what the client sends is stored or acted upon without a check of what it is",
    page: include_str!("validation_missing.md"),
    check: Check::Route(check),
};

fn check(context: &RouteContext<'_>) -> Vec<Hit> {
    if context.judgement.validated != Answer::No || context.route.mega.is_some() {
        return Vec::new();
    }
    // Where nothing is declared of the arguments, that is what has to be mended.
    if convex_args_missing::is_undeclared(context) {
        return Vec::new();
    }
    let uses = uses(context);
    let Some(worst) = uses.iter().find(|used| used.written).or(uses.first()) else {
        return Vec::new();
    };
    if !validation_result_unused::check(context).is_empty() {
        return Vec::new();
    }
    let site = read_at(context, worst.value).unwrap_or(context.route.site);
    let what = if worst.written {
        "what the client sends is stored or sent on without a check of its type and range"
    } else {
        "what the client sends chooses rows without a check of its type"
    };
    let mut hit = Hit::at(site, what)
        .because(Some(worst.site), "it is used here as it was sent")
        .fixed_by("parse the body with a schema first, and use only what the schema returned");
    if !worst.written {
        hit.confidence = Some(Confidence::Medium);
        hit.severity = Some(Severity::Low);
    }
    if context
        .bench
        .origins
        .of(&context.machine.values, worst.value)
        .any(Origins::ARGUMENT)
    {
        hit.confidence = Some(Confidence::Medium);
    }
    vec![hit]
}

/// Where a part of the body was read from the request.
fn read_at(context: &RouteContext<'_>, part: ValueId) -> Option<Site> {
    let values = &context.machine.values;
    let mut at = part;
    for _ in 0..16 {
        if let Some(whole) = whole_of(values, at) {
            at = whole;
            continue;
        }
        let Value::Call(call) = values.value(at) else {
            return None;
        };
        let data = values.call(*call);
        match values.value(data.callee) {
            Value::Member(base, _)
                if !matches!(values.value(*base), Value::Input(tag) if Input::of(*tag) == Input::WebRequest)
                    && !matches!(values.value(*base), Value::Global(_)) =>
            {
                at = *base;
            }
            _ => {
                return Some(Site {
                    module: data.module,
                    span: data.span,
                });
            }
        }
    }
    None
}
