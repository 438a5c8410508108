//! `log-injection`: text that the client sent begins lines of its own in a log.

use portcullis_code::value::{Value, ValueId};
use portcullis_policy::Control;
use portcullis_report::{Basis, Class, Confidence, Severity};

use crate::{
    library::{GuardKind, Meaning, Usage},
    origin::Origins,
    parts::{sent_in_words, wholes_of},
    rule::{CallContext, Check, Hit, Rule},
    secrets::told,
};

pub(super) static RULE: Rule = Rule {
    id: "log-injection",
    class: Class::LogInjection,
    control: Control::OutputFilter,
    severity: Severity::Low,
    confidence: Confidence::Medium,
    basis: Basis::Code,
    cwe: &["CWE-117"],
    asvs: &["v5.0.0-16.4.1"],
    owasp: &["A09:2021"],
    summary: "text that the client sent can begin a line of the log",
    page: include_str!("log_injection.md"),
    check: Check::Call(check),
};

fn check(context: &CallContext<'_>) -> Vec<Hit> {
    let values = &context.machine.values;
    let writes_lines = context.rows.iter().any(|known| {
        known.row.usage == Usage::Plain
            && matches!(&known.row.meaning, Meaning::Log(log) if log.lines)
    });
    if !writes_lines || context.route.is_none() {
        return Vec::new();
    }
    let passes = context.bench.passes;
    if passes.of_service(values, context.event.facts) {
        return Vec::new();
    }
    for (arg, _) in &values.call(context.call).args {
        for part in told(values, *arg) {
            if part.plain && is_raw_text(context, part.value) {
                let origins = context.bench.origins.of(values, part.value);
                let what = sent_in_words(values, part.value, origins);
                return vec![
                    Hit::at(context.site(), format!("{what} is written to a log as it came"))
                        .because(
                            None,
                            "a line break in it begins a line that looks like the application's own",
                        )
                        .fixed_by("log it as JSON (`JSON.stringify`), or take line breaks and control characters out"),
                ];
            }
        }
    }
    Vec::new()
}

/// Whether a value is text of the client, line breaks and all.
fn is_raw_text(context: &CallContext<'_>, value: ValueId) -> bool {
    let values = &context.machine.values;
    let origins = context.bench.origins.of(values, value);
    let free = Origins::BODY
        .and(Origins::PARSED)
        .and(Origins::ARGUMENT)
        .and(Origins::QUERY);
    if !origins.any(free) || origins.any(Origins::SIGNED) || origins.any(Origins::ROW) {
        return false;
    }
    is_text(context, value, 0)
}

/// Whether the code shows that it is text and keeps its line breaks: methods of a text are called on it.
fn is_text(context: &CallContext<'_>, value: ValueId, depth: u32) -> bool {
    let values = &context.machine.values;
    if depth > 6 {
        return false;
    }
    match values.value(value) {
        Value::Call(call) => match values.value(values.call(*call).callee) {
            Value::Member(base, name) => {
                let keeps = matches!(
                    name.as_str(),
                    "trim"
                        | "toLowerCase"
                        | "toUpperCase"
                        | "toLocaleLowerCase"
                        | "toLocaleUpperCase"
                        | "slice"
                        | "substring"
                        | "substr"
                        | "toString"
                        | "normalize"
                );
                keeps && (is_member(context, *base) || is_text(context, *base, depth + 1))
            }
            _ => false,
        },
        _ => is_member(context, value) && !names_id(context, value),
    }
}

/// Whether a value is a member of what the client sent, not of what something else made of it.
fn is_member(context: &CallContext<'_>, value: ValueId) -> bool {
    let values = &context.machine.values;
    if !matches!(values.value(value), Value::Member(..) | Value::Index(..)) {
        return false;
    }
    let root = wholes_of(values, value).take(12).last();
    root.is_some_and(|root| match values.value(root) {
        Value::Input(_) => true,
        Value::Call(call) => {
            let on_request = match values.value(values.call(*call).callee) {
                Value::Member(base, _) => matches!(values.value(*base), Value::Input(_)),
                _ => false,
            };
            let rows = context.bench.knowledge.of_call(values, *call);
            on_request
                || rows.iter().any(|known| match &known.row.meaning {
                    Meaning::Input(_) => true,
                    Meaning::Guard(guard) => guard.guard == GuardKind::Validation,
                    _ => false,
                })
        }
        _ => false,
    })
}

/// Whether its name says that it is an id, a number or a time, which as a rule is checked to be one.
fn names_id(context: &CallContext<'_>, value: ValueId) -> bool {
    let Some(name) = crate::secrets::last_name(&context.machine.values, value) else {
        return true;
    };
    let lower = name.to_lowercase();
    name.ends_with("Id")
        || name.ends_with("ID")
        || name.ends_with("Ids")
        || lower.ends_with("_id")
        || matches!(
            lower.as_str(),
            "id" | "_id"
                | "length"
                | "count"
                | "page"
                | "limit"
                | "size"
                | "status"
                | "type"
                | "code"
                | "amount"
                | "version"
                | "timestamp"
                | "role"
                | "enabled"
        )
}
