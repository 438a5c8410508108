//! `get-with-side-effect`: following a link changes something.

use portcullis_code::{
    body::BinaryOp,
    value::{Entry, Value, ValueId, Values},
};
use portcullis_policy::{Control, Method};
use portcullis_report::{Auth, Basis, Class, Confidence, Severity};

use crate::{
    judge::JudgedQuery,
    library::{DbOp, EffectKind},
    origin::Origins,
    parts::all_tests,
    passes::Proof,
    route::Site,
    rule::{Check, Hit, RouteContext, Rule},
};

pub(super) static RULE: Rule = Rule {
    id: "get-with-side-effect",
    class: Class::CsrfMissing,
    control: Control::Csrf,
    severity: Severity::Medium,
    confidence: Confidence::Medium,
    basis: Basis::Code,
    cwe: &["CWE-352", "CWE-650"],
    asvs: &["v5.0.0-3.5.3"],
    owasp: &["A01:2021"],
    summary: "a GET request changes something for whoever the cookie names",
    page: include_str!("get_with_side_effect.md"),
    check: Check::Route(check),
};

fn check(context: &RouteContext<'_>) -> Vec<Hit> {
    let (route, judgement) = (context.route, context.judgement);
    let by_link = matches!(route.method, Method::Get | Method::Head)
        && route.operation.is_none()
        && route.framework != "nextjs-page"
        && route.mega.is_none();
    if !by_link || judgement.auth != Auth::Required || judgement.bearer_only {
        return Vec::new();
    }
    // A secret link, a callback that proves where it comes from, another service: no page of another site has those.
    let told_apart = judgement.guards.iter().any(|guard| {
        matches!(
            guard.kind,
            Proof::Capability
                | Proof::Csrf
                | Proof::CsrfCompare
                | Proof::Signature
                | Proof::Service
        )
    });
    let by_cookie = judgement
        .guards
        .iter()
        .any(|guard| guard.kind == Proof::Authentication && guard.ambient != Some(false));
    if told_apart || !by_cookie || comes_back(context) {
        return Vec::new();
    }
    let mut done: Vec<(Site, &'static str)> = judgement
        .queries
        .iter()
        .filter(|judged| changes(context, judged))
        .map(|judged| {
            let what = match judged.query.op {
                DbOp::Delete => "this row is removed",
                DbOp::Create => "this row is made",
                _ => "this row is changed",
            };
            (judged.query.site, what)
        })
        .collect();
    done.extend(
        judgement
            .effects
            .iter()
            .filter(|effect| {
                effect.identified && matches!(effect.kind, EffectKind::Mail | EffectKind::Payment)
            })
            .filter(|effect| chosen(context, &effect.inputs))
            .map(|effect| (effect.site, "this is sent")),
    );
    if done.is_empty() {
        return Vec::new();
    }
    let mut hit = Hit::at(
        route.site,
        "a link changes something for whoever follows it: any site can have the browser follow it",
    )
    .because(
        None,
        "a browser sends the cookie along with a link, also where `SameSite=Lax` keeps it from forms; checks of tokens \
         and origins leave GET out",
    )
    .fixed_by("take POST for what changes something, with a token or a test of the origin");
    for (site, what) in done.into_iter().take(3) {
        hit = hit.because(Some(site), what);
    }
    vec![hit]
}

/// Whether a query changes what its caller would mind: chosen by the link, and more than a time or a count.
fn changes(context: &RouteContext<'_>, judged: &JudgedQuery) -> bool {
    let values = &context.machine.values;
    let query = &judged.query;
    let writes = matches!(
        query.op,
        DbOp::Create | DbOp::Update | DbOp::Delete | DbOp::Upsert
    );
    if !writes || !judged.identified {
        return false;
    }
    let filters: Vec<ValueId> = query.filters.iter().map(|filter| filter.value).collect();
    match query.op {
        DbOp::Delete => chosen(context, &filters),
        // What the link says is kept, or a mark is set on what it names; not what is refreshed on the way.
        DbOp::Update => query.data.iter().any(|data| {
            !only_counts(values, *data)
                && (chosen(context, &[*data])
                    || chosen(context, &filters) && is_mark(values, *data))
        }),
        _ => query
            .data
            .iter()
            .any(|data| !only_counts(values, *data) && chosen(context, &[*data])),
    }
}

/// Whether what is written is constant: `{ archived: true }`.
fn is_mark(values: &Values, data: ValueId) -> bool {
    let Value::Object(object) = values.value(data) else {
        return false;
    };
    let entries = &values.object(*object).entries;
    // A token that is refreshed comes with constants too; a mark is nothing else.
    let fixed = |entry: &Entry| matches!(entry, Entry::Named(_, value) if matches!(values.value(*value), Value::Const(_)));
    entries.iter().all(fixed)
        && entries
            .iter()
            .any(|entry| matches!(entry, Entry::Named(name, _) if !is_of_reading(name)))
}

/// A name of what reading does: `seen`, `isRead`, `openedAt`.
fn is_of_reading(name: &str) -> bool {
    let name = name.to_lowercase();
    ["seen", "read", "view", "open", "access", "visit", "last"]
        .iter()
        .any(|word| name.contains(word))
}

/// Whether the way leads here from another service that was asked before: what the link brings is compared with a
/// cookie, or the path says so.
fn comes_back(context: &RouteContext<'_>) -> bool {
    let values = &context.machine.values;
    let named = context
        .route
        .path
        .split('/')
        .any(|segment| segment.contains("callback") || segment.contains("oauth"));
    named
        || all_tests(values, context.judgement.points.iter().copied())
            .into_iter()
            .any(|tested| match values.value(tested) {
                Value::Binary(BinaryOp::Equal, left, right) => {
                    let origins = context
                        .bench
                        .origins
                        .of(values, *left)
                        .and(context.bench.origins.of(values, *right));
                    origins.any(Origins::COOKIE) && origins.any(Origins::QUERY)
                }
                _ => false,
            })
}

/// Whether the link chooses any of some values.
fn chosen(context: &RouteContext<'_>, values: &[ValueId]) -> bool {
    let by_link = Origins::PATH.and(Origins::QUERY);
    values.iter().any(|value| {
        context
            .bench
            .origins
            .of(&context.machine.values, *value)
            .any(by_link)
    })
}

/// Whether what is written is a time, a count or a mark only: when it was seen, how often.
fn only_counts(values: &Values, data: ValueId) -> bool {
    let Value::Object(object) = values.value(data) else {
        return false;
    };
    values.object(*object).entries.iter().all(|entry| {
        let Entry::Named(name, value) = entry else {
            return false;
        };
        match values.value(*value) {
            Value::Const(_) => is_of_reading(name),
            Value::Binary(BinaryOp::Add | BinaryOp::Arithmetic, ..) => true,
            Value::Call(call) => {
                let data = values.call(*call);
                match values.value(data.callee) {
                    Value::Global(name) => *name == "Date",
                    Value::Member(base, _) => {
                        matches!(values.value(*base), Value::Global(name) if *name == "Date")
                            || is_time(values, *base)
                    }
                    _ => false,
                }
            }
            Value::Object(inner) => values.object(*inner).entries.iter().all(|entry| {
                matches!(entry, Entry::Named(name, _) if matches!(name.as_str(), "increment" | "decrement"))
            }),
            _ => false,
        }
    })
}

/// `new Date().toISOString()`
fn is_time(values: &Values, value: ValueId) -> bool {
    matches!(values.value(value), Value::Call(call)
        if matches!(values.value(values.call(*call).callee), Value::Global(name) if *name == "Date"))
}
