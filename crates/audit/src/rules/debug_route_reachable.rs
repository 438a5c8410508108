//! `debug-route-reachable`: a route made for developers answers everybody.

use portcullis_code::value::{Value, ValueId, Values};
use portcullis_policy::Control;
use portcullis_report::{Auth, Basis, Class, Confidence, Severity};

use crate::{
    origin::Origins,
    parts::tests,
    response::ResponseKind,
    route::Site,
    rule::{Check, Hit, RouteContext, Rule},
};

pub(super) static RULE: Rule = Rule {
    id: "debug-route-reachable",
    class: Class::DebugMode,
    control: Control::Authentication,
    severity: Severity::Medium,
    confidence: Confidence::Medium,
    basis: Basis::Code,
    cwe: &["CWE-489", "CWE-497"],
    asvs: &["v5.0.0-13.4.2"],
    owasp: &["A05:2021", "API8:2023"],
    summary: "a route made for developers answers everybody",
    page: include_str!("debug_route_reachable.md"),
    check: Check::Route(check),
};

/// Words that a path has a segment of where the route is for developers.
const WORDS: [&str; 8] = [
    "debug", "seed", "_debug", "__debug", "phpinfo", "reset-db", "resetdb", "seed-db",
];

fn check(context: &RouteContext<'_>) -> Vec<Hit> {
    let (route, judgement) = (context.route, context.judgement);
    let internal = route
        .operation
        .is_some_and(|operation| operation.is_internal);
    let covered = context
        .cover
        .is_some_and(|cover| cover.auth == Auth::Required);
    if internal || covered || judgement.auth != Auth::None || route.mega.is_some() {
        return Vec::new();
    }
    if let Some(site) = shows_environment(context) {
        let mut hit = Hit::at(
            site,
            "whoever asks is shown the whole environment of the server",
        )
        .because(Some(route.site), "nothing asks who calls")
        .fixed_by("take the route out, or answer only what the page needs");
        hit.severity = Some(Severity::High);
        hit.confidence = Some(Confidence::High);
        return vec![hit];
    }
    let named = route
        .path
        .split(['/', ':'])
        .map(|segment| segment.trim_end_matches(".js"))
        .find(|segment| WORDS.contains(&segment.to_lowercase().as_str()));
    let Some(named) = named else {
        return Vec::new();
    };
    let write = judgement
        .queries
        .iter()
        .find(|judged| judged.query.op.writes() && !by_environment(context, judged.query.facts));
    let Some(write) = write else {
        return Vec::new();
    };
    vec![
        Hit::at(
            route.site,
            format!("`{named}` in its path says that it is for developers, and it answers everybody"),
        )
        .because(Some(write.query.site), "this is changed for whoever calls")
        .fixed_by(
            "make a script of it that is no route, or answer 404 unless the environment says development",
        ),
    ]
}

/// Where `process.env` as a whole is answered.
fn shows_environment(context: &RouteContext<'_>) -> Option<Site> {
    let values = &context.machine.values;
    context
        .judgement
        .responses
        .iter()
        .filter(|response| response.kind == ResponseKind::Data && !response.refuses())
        .filter(|response| !by_environment(context, response.facts))
        .find(|response| {
            response
                .body
                .is_some_and(|body| is_environment(values, body, 0))
        })
        .map(|response| response.site)
}

fn is_environment(values: &Values, value: ValueId, depth: u32) -> bool {
    if depth > 6 {
        return false;
    }
    match values.value(value) {
        Value::Member(base, name) => {
            *name == "env"
                && matches!(values.value(*base), Value::Global(global) if *global == "process")
        }
        Value::Object(_) | Value::Array(_) | Value::Choice(_) | Value::Promise(_) => {
            let mut found = false;
            crate::parts::each_part(values, value, |part| {
                found |= is_environment(values, part, depth + 1);
            });
            found
        }
        _ => false,
    }
}

fn by_environment(context: &RouteContext<'_>, facts: portcullis_code::value::FactsId) -> bool {
    let values = &context.machine.values;
    tests(values, facts).into_iter().any(|tested| {
        context
            .bench
            .origins
            .of(values, tested)
            .any(Origins::ENVIRONMENT)
    })
}
