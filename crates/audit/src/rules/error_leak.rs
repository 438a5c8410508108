//! `error-leak`: an answer shows the text of whatever went wrong inside.

use portcullis_code::{
    body::{BinaryOp, Const, Pattern},
    machine::EventKind,
    value::{Fact, Value, ValueId, Values},
};
use portcullis_policy::Control;
use portcullis_report::{Basis, Class, Confidence, Severity};

use crate::{
    input::Input,
    library::{GuardKind, Meaning},
    parts::{Shown, members_under, names_of, shown},
    response::Response,
    rule::{Check, Hit, RouteContext, Rule},
    stage::asks_for_stage,
};

pub(super) static RULE: Rule = Rule {
    id: "error-leak",
    class: Class::ErrorLeak,
    control: Control::ErrorHandling,
    severity: Severity::Low,
    confidence: Confidence::High,
    basis: Basis::Code,
    cwe: &["CWE-209"],
    asvs: &["v5.0.0-16.5.1"],
    owasp: &["A05:2021", "API8:2023"],
    summary: "an answer shows the text of an internal error",
    page: include_str!("error_leak.md"),
    check: Check::Route(check),
};

/// What of an error tells about the inside.
const TELLING: [&str; 9] = [
    "message",
    "stack",
    "detail",
    "details",
    "sql",
    "sqlMessage",
    "cause",
    "meta",
    "inner",
];

fn check(context: &RouteContext<'_>) -> Vec<Hit> {
    context
        .judgement
        .responses
        .iter()
        .filter_map(|response| judge(context, response))
        .collect()
}

fn judge(context: &RouteContext<'_>, response: &Response) -> Option<Hit> {
    let values = &context.machine.values;
    // Another service that proved itself, our own scheduler as a rule, may read what went wrong.
    if context.bench.passes.of_service(values, response.facts) {
        return None;
    }
    let leaks: Vec<Leak> = shown(values, context.bench.knowledge, response.body?)
        .iter()
        .filter_map(|shown| Leak::of(context, response, shown))
        .collect();
    let worst = leaks.iter().max_by_key(|leak| leak.is_stack)?;
    let what = if worst.is_stack {
        "the answer shows where in the code the error arose"
    } else if worst.is_whole {
        "the answer shows a caught error as it is"
    } else {
        "the answer shows the text of a caught error, whatever it was"
    };
    let mut hit = Hit::at(response.site, what)
        .because(
            None,
            "texts of errors name tables, columns, hosts and files; whoever causes them can read how the inside works",
        )
        .fixed_by(
            "log the error, answer with fixed words, and show a message only of errors that the application itself made for the client",
        );
    if worst.is_stack {
        hit.severity = Some(Severity::Medium);
    }
    hit.confidence = Some(if worst.is_stack {
        Confidence::High
    } else if leaks.iter().all(|leak| leak.only_signature) {
        Confidence::Low
    } else if worst.is_whole {
        Confidence::Medium
    } else {
        Confidence::High
    });
    Some(hit)
}

struct Leak {
    is_stack: bool,
    is_whole: bool,
    only_signature: bool,
}

impl Leak {
    fn of(context: &RouteContext<'_>, response: &Response, shown: &Shown) -> Option<Self> {
        let values = &context.machine.values;
        let (value, printed) = printed(values, shown.value);
        let (error, path) = members_under(values, value);
        if !is_error(context, error) {
            return None;
        }
        let last = path.last().map(|name| name.as_str());
        if last.is_some_and(|name| !TELLING.contains(&name)) {
            return None;
        }
        let safe = shown
            .known(values, response.facts)
            .any(|fact| vouches(context, fact, error));
        if safe {
            return None;
        }
        let source = source(context, error);
        if source == Source::Input {
            return None;
        }
        Some(Self {
            is_stack: last == Some("stack"),
            is_whole: path.is_empty() && !printed,
            only_signature: source == Source::Signature,
        })
    }
}

/// `error.toString()` and `String(error)`: what they print.
fn printed(values: &Values, value: ValueId) -> (ValueId, bool) {
    if let Value::Call(call) = values.value(value)
        && let Value::Member(base, name) = values.value(values.call(*call).callee)
        && name == "toString"
    {
        return (*base, true);
    }
    (value, false)
}

fn is_error(context: &RouteContext<'_>, value: ValueId) -> bool {
    let values = &context.machine.values;
    match values.value(value) {
        Value::Caught(_) => true,
        Value::Input(tag) => Input::of(*tag) == Input::Error,
        // The first parameter of a callback `(error, result)`.
        Value::Handed(call, argument, 0) => {
            let callback = values.call(*call).args.get(*argument as usize);
            let Some(Value::Function {
                module, function, ..
            }) = callback.map(|arg| values.value(arg.0))
            else {
                return false;
            };
            let body = &context.machine.project.module(*module).body;
            let params = &body.function(*function).params;
            let name = match params.first() {
                Some(Pattern::Local(local)) => body.local(*local).name,
                _ => return false,
            };
            params.len() > 1 && matches!(name.as_str(), "err" | "error" | "e")
        }
        _ => false,
    }
}

/// Whether a fact says that the error is one whose text is meant to be shown, or that nobody but developers sees it.
fn vouches(context: &RouteContext<'_>, fact: Fact, error: ValueId) -> bool {
    let values = &context.machine.values;
    let Fact::Test(test, truth) = fact else {
        return false;
    };
    if asks_for_stage(context.bench, values, test, truth) {
        return true;
    }
    vouched(context, test, truth, error)
}

fn vouched(context: &RouteContext<'_>, test: ValueId, truth: bool, error: ValueId) -> bool {
    let values = &context.machine.values;
    match values.value(test) {
        // What was caught may be something that is known to be thrown, or anything: each is tested.
        Value::Choice(alternatives) => alternatives
            .iter()
            .any(|each| vouched(context, each.value, truth, error)),
        Value::Binary(BinaryOp::InstanceOf, tested, class) => {
            truth && may_be(values, *tested, error) && !tells_nothing(context, *class)
        }
        Value::Binary(BinaryOp::Equal, left, right) => {
            truth
                && [(*left, *right), (*right, *left)]
                    .iter()
                    .any(|(side, other)| {
                        let empty = matches!(
                            values.as_const(*other),
                            Some(Const::Null | Const::Undefined | Const::Bool(_))
                        );
                        !empty
                            && values.as_const(*other).is_some()
                            && is_member(values, *side, error)
                    })
        }
        Value::Binary(
            BinaryOp::Less | BinaryOp::LessEqual | BinaryOp::Greater | BinaryOp::GreaterEqual,
            left,
            right,
        ) => mentions(values, *left, error, 0) || mentions(values, *right, error, 0),
        Value::Binary(BinaryOp::In, name, object) => {
            let shape = values.as_text(*name);
            truth
                && may_be(values, *object, error)
                && shape.is_some_and(|name| !TELLING.contains(&name.as_str()) && name != "name")
        }
        Value::Member(base, name) => {
            truth && *base == error && !TELLING.contains(&name.as_str()) && *name != "name"
        }
        Value::Call(call) => {
            truth
                && values
                    .call(*call)
                    .args
                    .iter()
                    .any(|arg| mentions(values, arg.0, error, 0))
        }
        _ => false,
    }
}

/// Whether being an instance of this class says nothing about who wrote the text.
fn tells_nothing(context: &RouteContext<'_>, class: ValueId) -> bool {
    const STORES: [&str; 10] = [
        "prisma",
        "mongo",
        "sequelize",
        "typeorm",
        "knex",
        "drizzle",
        "mysql",
        "postgres",
        "pg",
        "axios",
    ];
    let values = &context.machine.values;
    match values.value(class) {
        Value::Global(name) => name.ends_with("Error"),
        Value::Unknown(_) => false,
        _ => context
            .bench
            .knowledge
            .reach(values, class)
            .is_some_and(|reach| {
                STORES
                    .iter()
                    .any(|store| reach.package.to_lowercase().contains(store))
                    && !matches!(values.value(class), Value::Class { .. })
            }),
    }
}

/// Whether a value is the error, or one of several of which the error is one.
fn may_be(values: &Values, value: ValueId, error: ValueId) -> bool {
    value == error
        || matches!(values.value(value), Value::Choice(alternatives) if alternatives.iter().any(|each| each.value == error))
}

fn is_member(values: &Values, value: ValueId, error: ValueId) -> bool {
    if let Value::Choice(alternatives) = values.value(value) {
        return alternatives
            .iter()
            .any(|each| is_member(values, each.value, error));
    }
    let (base, path) = members_under(values, value);
    base == error && !path.is_empty()
}

fn mentions(values: &Values, value: ValueId, error: ValueId, depth: u32) -> bool {
    if value == error {
        return true;
    }
    if depth > 6 {
        return false;
    }
    let any = |inner: &ValueId| mentions(values, *inner, error, depth + 1);
    match values.value(value) {
        Value::Member(base, _)
        | Value::Index(base, _)
        | Value::Not(base)
        | Value::Promise(base)
        | Value::Kept(base, _)
        | Value::TypeOf(base) => any(base),
        Value::Binary(_, left, right) => any(left) || any(right),
        Value::Choice(alternatives) => alternatives.iter().any(|each| any(&each.value)),
        Value::Template(parts) | Value::Derived(parts) => parts.iter().any(any),
        Value::Call(call) => {
            let data = values.call(*call);
            any(&data.callee) || data.args.iter().any(|arg| any(&arg.0))
        }
        _ => false,
    }
}

/// What can have thrown what was caught.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    /// Only the reading and checking of what the client sent.
    Input,
    /// Only that and the check of a signature.
    Signature,
    /// Anything.
    Inside,
}

fn source(context: &RouteContext<'_>, error: ValueId) -> Source {
    let values = &context.machine.values;
    let Value::Caught(number) = values.value(error) else {
        return Source::Inside;
    };
    let events = &context.judgement.events;
    let range = events.iter().find_map(|event| match event.kind {
        EventKind::Handled {
            number: of,
            first,
            end,
            ..
        } if of == *number => Some((first, end)),
        _ => None,
    });
    let Some((first, end)) = range else {
        return Source::Inside;
    };
    let mut source = Source::Input;
    for event in events.iter().take(end).skip(first) {
        let EventKind::Call(call) = event.kind else {
            continue;
        };
        let rows = context.bench.knowledge.of_call(values, call);
        let guards = rows.iter().find_map(|known| match &known.row.meaning {
            Meaning::Guard(guard) => Some(guard.guard),
            Meaning::Respond(_) | Meaning::Log(_) | Meaning::Derive(_) | Meaning::Input(_) => {
                Some(GuardKind::Validation)
            }
            _ => None,
        });
        match guards {
            Some(GuardKind::Validation) => {}
            Some(GuardKind::Signature) => source = Source::Signature,
            Some(_) => return Source::Inside,
            None if is_reading(values, call) => {}
            None => return Source::Inside,
        }
    }
    source
}

/// Reading the request, parsing text, answering, logging.
fn is_reading(values: &Values, call: portcullis_code::value::CallId) -> bool {
    let callee = values.call(call).callee;
    let mut at = callee;
    for _ in 0..8 {
        match values.value(at) {
            Value::Member(base, _) | Value::Index(base, _) | Value::Promise(base) => at = *base,
            Value::Call(inner) => at = values.call(*inner).callee,
            Value::Input(_) => return true,
            Value::Global(name) => {
                return matches!(
                    name.as_str(),
                    "JSON"
                        | "console"
                        | "Response"
                        | "Number"
                        | "parseInt"
                        | "Buffer"
                        | "URL"
                        | "Object"
                        | "Array"
                        | "Error"
                        | "TextDecoder"
                        | "Date"
                        | "BigInt"
                );
            }
            _ => break,
        }
    }
    names_of(values, callee)
        .first()
        .is_some_and(|name| matches!(name.as_str(), "toString" | "trim" | "split"))
}
