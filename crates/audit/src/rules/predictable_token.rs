//! `predictable-token`: what lets somebody in is made from what others know.

use portcullis_code::value::{Value, ValueId, Values};
use portcullis_policy::Control;
use portcullis_report::{Basis, Class, Confidence, Severity};

use crate::{
    route::Site,
    rule::{Check, Hit, RouteContext, Rule},
    secrets::{Grant, Ingredients, granted, names_password},
};

pub(super) static RULE: Rule = Rule {
    id: "predictable-token",
    class: Class::PredictableToken,
    control: Control::Token,
    severity: Severity::High,
    confidence: Confidence::High,
    basis: Basis::Code,
    cwe: &["CWE-340", "CWE-640"],
    asvs: &["v5.0.0-7.2.3", "v5.0.0-11.5.1"],
    owasp: &["A07:2021", "API2:2023"],
    summary: "a token is made from what others know or can guess",
    page: include_str!("predictable_token.md"),
    check: Check::Route(check),
};

fn check(context: &RouteContext<'_>) -> Vec<Hit> {
    let values = &context.machine.values;
    let mut hits: Vec<Hit> = Vec::new();
    for grant in granted(context) {
        if names_password(&grant.name) {
            continue;
        }
        let from = Ingredients::of(
            values,
            context.bench.knowledge,
            context.bench.origins,
            grant.value,
        );
        if from.other || !from.random.is_empty() || !from.guessable.is_empty() {
            continue;
        }
        let made = from.hashes.first().or(from.time.first());
        let Some(made) = made.copied() else { continue };
        let is_date = from.hashes.is_empty() && (is_time(&grant) || !is_text(values, grant.value));
        if is_date || from.known.is_empty() && from.time.is_empty() {
            continue;
        }
        let data = values.call(made);
        let site = Site {
            module: data.module,
            span: data.span,
        };
        if !hits.iter().any(|hit| hit.site == site) {
            hits.push(hit(context, site, &grant, &from));
        }
    }
    hits
}

/// Whether the code makes a text of a value; else it is a point in time.
fn is_text(values: &Values, value: ValueId) -> bool {
    match values.value(value) {
        Value::Template(parts) => parts.len() > 1,
        Value::Promise(inner) => is_text(values, *inner),
        Value::Call(call) => {
            matches!(values.value(values.call(*call).callee), Value::Member(_, name)
                if matches!(name.as_str(), "toString" | "join" | "slice" | "substring" | "substr" | "replace"))
        }
        _ => false,
    }
}

/// Whether a name says that its value is a point in time: `tokenExpires`.
fn is_time(grant: &Grant) -> bool {
    let lower = grant.name.to_lowercase();
    ["expir", "time", "date", "_at", "until", "issued"]
        .iter()
        .any(|word| lower.contains(word))
        || grant.name.ends_with("At")
}

fn hit(context: &RouteContext<'_>, site: Site, grant: &Grant, from: &Ingredients) -> Hit {
    let values = &context.machine.values;
    let what: Vec<String> = from
        .known
        .iter()
        .filter_map(|value| crate::secrets::last_name(values, *value))
        .map(|name| format!("`{name}`"))
        .chain((!from.time.is_empty()).then(|| "the time".to_owned()))
        .take(3)
        .collect();
    let message = if what.is_empty() {
        format!("`{}` is made from what others know", grant.name)
    } else {
        format!("`{}` is made from {} alone", grant.name, what.join(" and "))
    };
    Hit::at(site, message)
        .because(
            Some(grant.site),
            format!("`{}` {}", grant.name, grant.used.words()),
        )
        .because(
            None,
            "whoever knows or guesses these can compute it, without ever being sent it",
        )
        .fixed_by("take 16 or more bytes of a secure generator (`crypto.randomBytes(32)`), store a hash of them, and let them expire")
}
