//! `fail-open-catch`: an error in a guard lets the request pass.

use portcullis_code::machine::EventKind;
use portcullis_policy::Control;
use portcullis_report::{Basis, Class, Confidence, Severity};

use crate::{
    library::EffectKind,
    opening::{self, Opening, Point},
    passes::Proof,
    response::ResponseKind,
    route::Site,
    rule::{Check, Hit, RouteContext, Rule},
};

pub(super) static RULE: Rule = Rule {
    id: "fail-open-catch",
    class: Class::FailOpen,
    control: Control::ErrorHandling,
    severity: Severity::High,
    confidence: Confidence::High,
    basis: Basis::Code,
    cwe: &["CWE-636", "CWE-755"],
    asvs: &["v5.0.0-16.5.3"],
    owasp: &["A10:2025"],
    summary: "a handler of errors goes on although the guard in the body of its try statement failed",
    page: include_str!("fail_open_catch.md"),
    check: Check::Route(check),
};

fn check(context: &RouteContext<'_>) -> Vec<Hit> {
    let judgement = context.judgement;
    let refusals: Vec<_> = judgement
        .responses
        .iter()
        .filter(|response| response.refuses())
        .collect();
    let own = opening::openings(
        &context.machine.values,
        context.bench.passes,
        &judgement.events,
        &refusals,
        &points(context),
    );
    let of_middleware = context.cover.map(|cover| cover.openings.clone());
    own.into_iter()
        .map(|opening| {
            let guard = opening.guard.map(|call| {
                let data = context.machine.values.call(call);
                Site {
                    module: data.module,
                    span: data.span,
                }
            });
            hit(&opening, guard)
        })
        .chain(
            of_middleware
                .unwrap_or_default()
                .iter()
                .map(|opening| hit(opening, None)),
        )
        .collect()
}

/// What the route does, gives away, or lets through.
fn points(context: &RouteContext<'_>) -> Vec<Point> {
    let judgement = context.judgement;
    let values = &context.machine.values;
    let mut points: Vec<Point> = Vec::new();
    for judged in &judgement.queries {
        if judged.query.op.writes() {
            points.push(Point {
                facts: judged.query.facts,
                event: Some(judged.query.event),
                site: judged.query.site,
                what: "the database is written",
                shows: false,
                lets_through: false,
            });
        }
    }
    for (at, event) in judgement.events.iter().enumerate() {
        let EventKind::Call(call) = event.kind else {
            continue;
        };
        let effect = judgement.effects.iter().any(|effect| {
            effect.call == call
                && !matches!(
                    effect.kind,
                    EffectKind::Cache | EffectKind::Http | EffectKind::FsRead
                )
        });
        let next = opening::goes_to_next(values, call);
        if effect || next {
            points.push(Point {
                facts: event.facts,
                event: Some(at),
                site: Site {
                    module: event.module,
                    span: event.span,
                },
                what: if next {
                    "the request goes on"
                } else {
                    "something is done outside"
                },
                shows: false,
                lets_through: next,
            });
        }
    }
    for response in &judgement.responses {
        let passes = match response.kind {
            ResponseKind::Continues => true,
            ResponseKind::Data => {
                !response.refuses()
                    && response
                        .body
                        .is_some_and(|body| !crate::response::is_constant(values, body))
            }
            ResponseKind::Redirect | ResponseKind::Thrown => false,
        };
        // An error's own answer tells of the error, and is no way in.
        if passes && !(response.after_error(values) && response.kind == ResponseKind::Data) {
            points.push(Point {
                facts: response.facts,
                event: None,
                site: response.site,
                what: "data is answered",
                shows: response.kind == ResponseKind::Data,
                lets_through: response.kind == ResponseKind::Continues,
            });
        }
    }
    points
}

fn hit(opening: &Opening, guard: Option<Site>) -> Hit {
    let guarded = match opening.kind {
        Proof::Authentication => "the check of who calls",
        Proof::Authorization => "the check of the caller's role",
        Proof::Ownership => "the check of whose row it is",
        Proof::Signature => "the check of the signature",
        Proof::Service => "the check of the service's secret",
        Proof::Csrf => "the check of the request's origin",
        Proof::RateLimit => "the limit of requests",
        _ => "the check",
    };
    let limit = opening.kind == Proof::RateLimit;
    let mut hit = Hit::at(
        opening.site,
        format!("an error in {guarded} is caught, and the request passes without it"),
    )
    .because(
        guard.or(Some(opening.site)),
        format!("{guarded} stands in the body"),
    )
    .because(Some(opening.handler), "the handler does not leave")
    .because(
        Some(opening.point.site),
        format!("{} all the same", opening.point.what),
    )
    .fixed_by(if limit {
        "refuse while the counter cannot be reached, or fall back to a limit in memory"
    } else {
        "answer 401, 403 or 503 in the handler, or rethrow: what cannot be checked does not pass"
    });
    if limit {
        hit.severity = Some(Severity::Medium);
    }
    hit
}
