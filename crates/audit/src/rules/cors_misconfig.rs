//! `cors-misconfig`: any site may read what the application answers to its users.

use portcullis_code::{
    body::{Const, ExprKind, StmtKind},
    machine::EventKind,
    value::{CallId, Entry, FactsId, Value, ValueId, Values},
};
use portcullis_policy::Control;
use portcullis_report::{Basis, Class, Confidence, Severity};

use crate::{
    library::Meaning,
    parts::{headers_of, tests},
    rule::{CallContext, Check, Hit, Rule},
    setting::Setting,
};

pub(super) static RULE: Rule = Rule {
    id: "cors-misconfig",
    class: Class::CorsMisconfig,
    control: Control::SecurityHeaders,
    severity: Severity::Medium,
    confidence: Confidence::High,
    basis: Basis::Code,
    cwe: &["CWE-942", "CWE-346"],
    asvs: &["v5.0.0-3.4.2"],
    owasp: &["A05:2021", "API8:2023"],
    summary: "any site may read answers that are made for the user's cookie",
    page: include_str!("cors_misconfig.md"),
    check: Check::Call(check),
};

const ALLOW_ORIGIN: &str = "access-control-allow-origin";
const ALLOW_CREDENTIALS: &str = "access-control-allow-credentials";

/// Whom an application lets read its answers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Allowed {
    /// Whoever asks, by name.
    Whoever,
    /// `*`, which browsers refuse to take together with credentials.
    Star,
    /// Whose name has a text in it somewhere.
    Resembling,
}

fn check(context: &CallContext<'_>) -> Vec<Hit> {
    by_library(context)
        .or_else(|| by_hand(context))
        .map(|allowed| hit(context, allowed))
        .into_iter()
        .collect()
}

fn hit(context: &CallContext<'_>, allowed: Allowed) -> Hit {
    let (message, severity, confidence) = match allowed {
        Allowed::Whoever => (
            "whichever site asks may read answers that are made for the user's cookie",
            Severity::High,
            Confidence::High,
        ),
        Allowed::Resembling => (
            "sites whose names only resemble the allowed one may read answers that are made for the user's cookie",
            Severity::Medium,
            Confidence::Medium,
        ),
        Allowed::Star => (
            "credentials are allowed to every site at once: browsers refuse that, and what repairs it lets them all in",
            Severity::Low,
            Confidence::Medium,
        ),
    };
    let mut hit = Hit::at(context.site(), message)
        .because(
            None,
            "the origin is not compared with a list of the application's own, and credentials are allowed",
        )
        .fixed_by("name the origins that may read, as whole texts; leave credentials out where no cookie is needed");
    hit.severity = Some(severity);
    hit.confidence = Some(confidence);
    hit
}

/// A middleware that was made with options.
fn by_library(context: &CallContext<'_>) -> Option<Allowed> {
    let values = &context.machine.values;
    let (known, cors) = context
        .rows
        .iter()
        .find_map(|known| match &known.row.meaning {
            Meaning::Cors(cors) => Some((known, cors)),
            _ => None,
        })?;
    let options = cors.options.as_ref()?;
    let Setting::Given(options) = Setting::at(values, known, options) else {
        return None;
    };
    let Setting::Given(credentials) = Setting::member(values, options, "credentials") else {
        return None;
    };
    if values.as_const(credentials) != Some(Const::Bool(true)) || context.depends_on_environment() {
        return None;
    }
    match Setting::member(values, options, "origin") {
        Setting::Absent => cors.any_origin_by_default.then_some(Allowed::Star),
        Setting::Unknown => None,
        Setting::Given(origin) => allowed_by(context, origin),
    }
}

fn allowed_by(context: &CallContext<'_>, origin: ValueId) -> Option<Allowed> {
    let values = &context.machine.values;
    match values.value(origin) {
        Value::Const(Const::Bool(true)) => Some(Allowed::Whoever),
        Value::Const(Const::Str(text)) => (*text == "*").then_some(Allowed::Star),
        Value::Const(Const::Regex(pattern, _)) => {
            (!is_whole(pattern)).then_some(Allowed::Resembling)
        }
        Value::Array(list) => values
            .object(*list)
            .entries
            .iter()
            .find_map(|entry| match entry {
                Entry::Item(item) => match values.value(*item) {
                    Value::Const(Const::Bool(_)) => None,
                    _ => allowed_by(context, *item),
                },
                _ => None,
            }),
        Value::Function {
            module, function, ..
        } => {
            let body = &context.machine.project.module(*module).body;
            let function = body.function(*function);
            let [only] = function.body.as_slice() else {
                return None;
            };
            let (StmtKind::Expr(expr) | StmtKind::Return(Some(expr))) = only.kind else {
                return None;
            };
            lets_all(body, expr).then_some(Allowed::Whoever)
        }
        _ => None,
    }
}

/// `(origin, callback) => callback(null, true)`, or `() => true`.
fn lets_all(body: &portcullis_code::body::Body, expr: portcullis_code::body::ExprId) -> bool {
    let is_true = |expr| matches!(body.expr(expr).kind, ExprKind::Const(Const::Bool(true)));
    match &body.expr(expr).kind {
        ExprKind::Call { args, .. } => {
            matches!(args.as_slice(), [_, second] if !second.spread && is_true(second.value))
        }
        _ => is_true(expr),
    }
}

/// Whether a pattern says how an origin begins and ends, and takes a dot for a dot.
fn is_whole(pattern: &str) -> bool {
    let begins = pattern.starts_with('^');
    let ends = pattern.ends_with('$') && !pattern.ends_with("\\$");
    let mut before = ' ';
    let mut letters = pattern.chars().peekable();
    while let Some(letter) = letters.next() {
        // `my.shop.example` is also `myxshop.example`.
        let quantified = matches!(letters.peek(), Some('*' | '+' | '?' | '{'));
        if letter == '.' && before != '\\' && before != '[' && !quantified {
            return false;
        }
        before = if before == '\\' { ' ' } else { letter };
    }
    begins && ends
}

/// The header is set by the application: what the request says comes back, and credentials are allowed.
fn by_hand(context: &CallContext<'_>) -> Option<Allowed> {
    let values = &context.machine.values;
    let origin = header_set(values, context.call, ALLOW_ORIGIN)?;
    let reflects = reflected(values, origin, context.event.facts);
    let is_star = values.as_text(origin).is_some_and(|text| text == "*");
    if !reflects && !is_star {
        return None;
    }
    let credentials = context.events.iter().any(|event| {
        let EventKind::Call(call) = event.kind else {
            return false;
        };
        header_set(values, call, ALLOW_CREDENTIALS).is_some_and(|value| {
            matches!(values.as_const(value), Some(Const::Bool(true)))
                || values.as_text(value).is_some_and(|text| text == "true")
        })
    });
    credentials.then_some(if reflects {
        Allowed::Whoever
    } else {
        Allowed::Star
    })
}

/// The value that a call gives a header: `setHeader(name, value)`, `{ headers: { name: value } }`.
fn header_set(values: &Values, call: CallId, name: &str) -> Option<ValueId> {
    let data = values.call(call);
    let is_name = |value: ValueId| {
        values
            .as_text(value)
            .is_some_and(|text| text.eq_ignore_ascii_case(name))
    };
    if let Value::Member(_, method) = values.value(data.callee)
        && matches!(method.as_str(), "setHeader" | "header" | "set" | "append")
        && let [(first, _), (second, _), ..] = data.args.as_slice()
        && is_name(*first)
    {
        return Some(*second);
    }
    data.args
        .iter()
        .take(3)
        .find_map(|(arg, _)| entry(values, *arg, name, 0))
}

fn entry(values: &Values, value: ValueId, name: &str, depth: u32) -> Option<ValueId> {
    let Value::Object(object) = values.value(value) else {
        return None;
    };
    values
        .object(*object)
        .entries
        .iter()
        .find_map(|found| match found {
            Entry::Named(key, value) if key.eq_ignore_ascii_case(name) => Some(*value),
            Entry::Named(key, value) if *key == "headers" && depth == 0 => {
                entry(values, *value, name, 1)
            }
            Entry::Spread(value) if depth < 3 => entry(values, *value, name, depth + 1),
            _ => None,
        })
}

/// Whether a value is the origin that the request names, and nothing looked at which one that is.
fn reflected(values: &Values, value: ValueId, facts: FactsId) -> bool {
    match values.value(value) {
        Value::Choice(alternatives) => alternatives
            .iter()
            .any(|each| reflected(values, each.value, each.facts) && !looked_at(values, facts)),
        _ => is_origin(values, value) && !looked_at(values, facts),
    }
}

fn is_origin(values: &Values, value: ValueId) -> bool {
    matches!(
        values.value(value),
        Value::Member(..) | Value::Call(_) | Value::Promise(_)
    ) && headers_of(values, value)
        .iter()
        .any(|name| name.eq_ignore_ascii_case("origin"))
}

/// Whether a test on the way is about the origin, more than whether there is one.
fn looked_at(values: &Values, facts: FactsId) -> bool {
    tests(values, facts).into_iter().any(|tested| {
        let plain = match values.value(tested) {
            Value::Not(inner) => *inner,
            _ => tested,
        };
        let is_itself = matches!(values.value(plain), Value::Member(..))
            || matches!(values.value(plain), Value::Call(call) if names_origin(values, *call));
        !is_itself
            && headers_of(values, tested)
                .iter()
                .any(|name| name.eq_ignore_ascii_case("origin"))
    })
}

/// `headers.get('origin')`
fn names_origin(values: &Values, call: CallId) -> bool {
    let data = values.call(call);
    matches!(data.args.as_slice(), [(name, _)] if values
        .as_text(*name)
        .is_some_and(|text| text.eq_ignore_ascii_case("origin")))
}
