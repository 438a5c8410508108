//! `csrf-compare-only`: a cookie is compared with what the request says itself, and is bound to nobody.

use portcullis_code::{
    body::{BinaryOp, ExprKind},
    machine::EventKind,
    value::{Value, ValueId},
};
use portcullis_policy::{Control, Method};
use portcullis_report::{Basis, Class, Confidence, Severity};

use crate::{
    parts::calls_under,
    passes::Proof,
    route::Site,
    rule::{Check, Hit, RouteContext, Rule},
};

pub(super) static RULE: Rule = Rule {
    id: "csrf-compare-only",
    class: Class::CsrfMissing,
    control: Control::Csrf,
    severity: Severity::Medium,
    confidence: Confidence::High,
    basis: Basis::Code,
    cwe: &["CWE-352"],
    asvs: &["v5.0.0-3.5.1"],
    owasp: &["A01:2021"],
    summary: "a CSRF token is compared with a cookie that is signed by nobody and bound to no session",
    page: include_str!("csrf_compare_only.md"),
    check: Check::Route(check),
};

fn check(context: &RouteContext<'_>) -> Vec<Hit> {
    if matches!(
        context.route.method,
        Method::Get | Method::Head | Method::Options
    ) || context.route.origin_checked
    {
        return Vec::new();
    }
    let values = &context.machine.values;
    let passes = context.bench.passes;
    let mut hits: Vec<Hit> = Vec::new();
    for point in &context.judgement.points {
        if passes.has(values, *point, Proof::Csrf) {
            continue;
        }
        for passed in passes.at(values, *point).iter() {
            if passed.kind != Proof::CsrfCompare {
                continue;
            }
            let Some(site) = passed
                .tested
                .and_then(|tested| compared_at(context, tested))
            else {
                continue;
            };
            if hits.iter().any(|hit| hit.site == site) {
                continue;
            }
            hits.push(
                Hit::at(
                    site,
                    "the token is only compared with a cookie: whoever can set that cookie chooses both",
                )
                .because(
                    Some(site),
                    "cookie and header come with the same request, and the server signed neither",
                )
                .because(
                    None,
                    "a subdomain, a page over plain HTTP or a script that writes cookies can plant its own pair",
                )
                .fixed_by(
                    "make the token an HMAC of the session's id with a secret of the server and check that, or compare the Origin header with the application's own",
                ),
            );
        }
    }
    hits
}

/// Where the comparison is written: the call that compares, or the first comparison after both sides were read.
fn compared_at(context: &RouteContext<'_>, tested: ValueId) -> Option<Site> {
    let values = &context.machine.values;
    // A helper compares, and gives back how it came out.
    let given_back = |value: ValueId| match values.value(value) {
        Value::Choice(alternatives) => alternatives.iter().any(|each| each.value == tested),
        _ => value == tested,
    };
    let helper = context
        .judgement
        .events
        .iter()
        .find(|event| matches!(event.kind, EventKind::Return(_, value) if given_back(value)));
    if let Some(event) = helper {
        return Some(Site {
            module: event.module,
            span: event.span,
        });
    }
    let sides: Vec<ValueId> = match values.value(tested) {
        Value::Binary(_, a, b) => vec![*a, *b],
        Value::Call(call) => {
            let data = values.call(*call);
            return Some(Site {
                module: data.module,
                span: data.span,
            });
        }
        _ => return None,
    };
    let reads: Vec<Site> = sides
        .iter()
        .filter_map(|side| {
            let (call, _) = calls_under(values, *side).into_iter().next()?;
            let data = values.call(call);
            Some(Site {
                module: data.module,
                span: data.span,
            })
        })
        .collect();
    let last = reads
        .iter()
        .max_by_key(|site| (site.module, site.span.start))
        .copied()
        .unwrap_or(context.route.site);
    let module = context.machine.project.module(last.module);
    module
        .body
        .exprs
        .iter()
        .filter(|expr| {
            matches!(expr.kind, ExprKind::Binary(BinaryOp::Equal, a, b)
                if [a, b].iter().all(|side| !matches!(module.body.expr(*side).kind, ExprKind::Const(_))))
                && expr.span.end >= last.span.end
        })
        .min_by_key(|expr| (expr.span.start.abs_diff(last.span.end), expr.span.end))
        .map(|expr| Site {
            module: last.module,
            span: expr.span,
        })
        .or(Some(last))
}
