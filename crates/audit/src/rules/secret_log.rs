//! `secret-log`: a password, a token or a key is written to a log.

use portcullis_code::value::{CallId, Value, ValueId};
use portcullis_policy::Control;
use portcullis_report::{Basis, Class, Confidence, Severity};
use ustr::ustr;

use crate::{
    input::Input,
    library::{Meaning, Usage},
    origin::Origins,
    parts::made_of,
    rule::{CallContext, Check, Hit, RouteContext, Rule},
    secrets::{Ingredients, Named, Told, codes, granted, handed_at, last_name, named, told},
    stage::is_for_developers,
};

pub(super) static RULE: Rule = Rule {
    id: "secret-log",
    class: Class::SecretLog,
    control: Control::OutputFilter,
    severity: Severity::Medium,
    confidence: Confidence::High,
    basis: Basis::Code,
    cwe: &["CWE-532"],
    asvs: &["v5.0.0-16.2.5"],
    owasp: &["A09:2021"],
    summary: "a password, a token or a key is written to a log",
    page: include_str!("secret_log.md"),
    check: Check::Call(check),
};

fn check(context: &CallContext<'_>) -> Vec<Hit> {
    let values = &context.machine.values;
    if !is_log(context) || is_for_developers(context.bench, values, context.event.facts) {
        return Vec::new();
    }
    let told: Vec<Told> = values
        .call(context.call)
        .args
        .iter()
        .flat_map(|arg| told(values, arg.0))
        .collect();
    let what = told
        .iter()
        .find_map(|part| secret(context, part.value).or_else(|| answered(context, part)));
    if let Some(what) = what {
        return vec![hit(context, &what)];
    }
    let parts: Vec<ValueId> = told.iter().map(|part| part.value).collect();
    of_chance(context, &parts).into_iter().collect()
}

fn hit(context: &CallContext<'_>, what: &str) -> Hit {
    let site = handed_at(context.machine, context.event);
    let mut hit = Hit::at(site, format!("{what} is written to a log"))
        .because(
            (site != context.site()).then(|| context.site()),
            "logs are kept longer, copied further and read by more people than what they speak of",
        )
        .fixed_by(
            "leave it out; where it has to be told apart, log an id, or a few characters of a hash",
        );
    // What a program prints as it starts is as a rule meant for whoever started it.
    if context.route.is_none() {
        hit.severity = Some(Severity::Low);
        hit.confidence = Some(Confidence::Medium);
    }
    hit
}

/// Parts that are made from the same numbers of chance as a token or a code that the route stores.
fn of_chance(context: &CallContext<'_>, parts: &[ValueId]) -> Option<Hit> {
    let values = &context.machine.values;
    let (route, judgement) = context.route?;
    let drawn: Vec<CallId> = parts
        .iter()
        .filter(|part| {
            context
                .bench
                .origins
                .of(values, **part)
                .without(Origins::RANDOM.and(Origins::CALL))
                == Origins::NONE
        })
        .flat_map(|part| {
            let from = Ingredients::of(
                values,
                context.bench.knowledge,
                context.bench.origins,
                *part,
            );
            from.random.into_iter().chain(from.guessable)
        })
        .collect();
    if drawn.is_empty() {
        return None;
    }
    let whole = RouteContext {
        route,
        judgement,
        cover: None,
        machine: context.machine,
        bench: context.bench,
    };
    let none = rustc_hash::FxHashSet::default();
    let grant = granted(&whole)
        .into_iter()
        .find(|grant| made_of(values, grant.value, &drawn, &none));
    if let Some(grant) = grant {
        return Some(hit(context, &format!("`{}`", grant.name)));
    }
    let code = codes(context.machine, context.bench, (route, judgement))
        .into_iter()
        .find(|code| drawn.iter().any(|call| code.has(*call)))?;
    let mut hit = hit(context, &format!("`{}`", code.column))
        .because(None, "other routes let in whoever names the right one");
    hit.severity = Some(Severity::Low);
    hit.confidence = Some(Confidence::Medium);
    hit.found_by = Some((code.table, code.column));
    Some(hit)
}

/// Whether a call writes what it is given to a log.
fn is_log(context: &CallContext<'_>) -> bool {
    context.rows.iter().any(|known| {
        known.row.usage == Usage::Plain
            && matches!(&known.row.meaning, Meaning::Log(log) if !log.requests)
    })
}

/// What of a secret is told, in words.
fn secret(context: &CallContext<'_>, value: ValueId) -> Option<String> {
    let values = &context.machine.values;
    if let Some(what) = whole_request(context, value) {
        return Some(what);
    }
    let origins = context.bench.origins.of(values, value);
    if let Some(name) = last_name(values, value)
        && let Some(Named::Password | Named::Secret) = named(&name)
    {
        let known = Origins::CHOSEN
            .and(Origins::ROW)
            .and(Origins::ENVIRONMENT)
            .and(Origins::HEADER)
            .and(Origins::COOKIE)
            .and(Origins::CALLER);
        return origins.any(known).then(|| format!("`{name}`"));
    }
    if origins.any(Origins::HEADER)
        && last_name(values, value).is_some_and(|name| {
            matches!(
                name.to_lowercase().as_str(),
                "authorization" | "cookie" | "x-api-key"
            )
        })
    {
        return Some("a credential of the request".to_owned());
    }
    let Value::Call(call) = values.value(value) else {
        return None;
    };
    let rows = context.bench.knowledge.of_call(values, *call);
    let signs = rows.iter().any(
        |known| matches!(&known.row.meaning, Meaning::IssueToken(issue) if issue.part.is_none()),
    );
    signs.then(|| "a signed token".to_owned())
}

/// A secret that somebody else gave: it was taken by that name from what a call answered, or is shown under it.
fn answered(context: &CallContext<'_>, part: &Told) -> Option<String> {
    let values = &context.machine.values;
    let taken = match values.value(part.value) {
        // How long it is, how many there are.
        Value::Member(_, name) if matches!(name.as_str(), "length" | "size" | "count") => {
            return None;
        }
        Value::Member(_, name) => *name,
        _ => return None,
    };
    let name = [Some(taken), part.name]
        .into_iter()
        .flatten()
        .find(|name| matches!(named(name), Some(Named::Password | Named::Secret)))?;
    let origins = context.bench.origins.of(values, part.value);
    (origins == Origins::CALL).then(|| format!("`{name}`"))
}

/// The body of a request as a whole, where the code takes a password or a token from it.
fn whole_request(context: &CallContext<'_>, value: ValueId) -> Option<String> {
    let values = &context.machine.values;
    let is_body = match values.value(value) {
        Value::Member(base, name) => {
            let node = matches!(values.value(*base), Value::Input(tag)
                if matches!(Input::of(*tag), Input::NodeRequest | Input::PagesRequest));
            if node && *name == "headers" {
                return Some("every header of the request, its credentials with them,".to_owned());
            }
            node && *name == "body"
        }
        Value::Call(call) => match values.value(values.call(*call).callee) {
            Value::Member(base, name) => {
                *name == "json"
                    && matches!(values.value(*base), Value::Input(tag) if Input::of(*tag) == Input::WebRequest)
            }
            _ => false,
        },
        _ => false,
    };
    if !is_body {
        return None;
    }
    [
        "password",
        "newPassword",
        "new_password",
        "currentPassword",
        "confirmPassword",
        "pwd",
        "token",
        "accessToken",
        "access_token",
        "refreshToken",
        "secret",
        "apiKey",
        "api_key",
    ]
    .iter()
    .find(|name| values.find(&Value::Member(value, ustr(name))).is_some())
    .map(|name| format!("a body with `{name}` in it"))
}
