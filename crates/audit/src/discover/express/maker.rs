//! `Maker`: which values are applications, routers and route objects.

use portcullis_code::value::{CallId, Value, ValueId, Values};
use portcullis_policy::Method;

/// What an application or router is made by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Maker {
    package: &'static str,
    export: &'static str,
    /// Whether it makes an application, which may listen by itself.
    pub(super) makes_app: bool,
    /// Whether its handlers may go on without being given `next`: they resolve to the word.
    pub(super) goes_on_by_promise: bool,
}

const fn maker(package: &'static str, export: &'static str, makes_app: bool) -> Maker {
    Maker {
        package,
        export,
        makes_app,
        goes_on_by_promise: false,
    }
}

const fn promising(package: &'static str) -> Maker {
    Maker {
        package,
        export: "default",
        makes_app: false,
        goes_on_by_promise: true,
    }
}

const MAKERS: [Maker; 4] = [
    maker("express", "default", true),
    maker("express", "Router", false),
    maker("router", "default", false),
    promising("express-promise-router"),
];

/// Longest chain of calls on one route object: `app.route(p).get(a).post(b)`.
const CHAIN_MAX: usize = 64;
/// Most values that are looked at for one application: a chain of calls, and what it may have been called on.
const VALUES_MAX: usize = 256;

/// What the callee makes, if it makes an application or a router.
pub(super) fn maker_of(values: &Values, callee: ValueId) -> Option<&'static Maker> {
    let (package, export) = match values.value(callee) {
        // `require("express")()`: the namespace of a CommonJS module is its default export.
        Value::External(package, export) if export.is_empty() => (*package, "default"),
        Value::External(package, export) => (*package, export.as_str()),
        Value::Member(base, name) => match values.value(*base) {
            Value::External(package, export) if export == "default" => (*package, name.as_str()),
            _ => return None,
        },
        _ => return None,
    };
    MAKERS
        .iter()
        .find(|maker| package == maker.package && export == maker.export)
}

/// The applications and routers that a value may be.
pub(super) fn containers(values: &Values, value: ValueId) -> Vec<ValueId> {
    let mut found = Vec::new();
    let mut waiting = vec![value];
    let mut seen = Vec::new();
    while let Some(value) = waiting.pop() {
        if seen.contains(&value) || seen.len() >= VALUES_MAX {
            continue;
        }
        seen.push(value);
        match values.value(value) {
            Value::Call(call) => {
                let callee = values.call(*call).callee;
                if maker_of(values, callee).is_some() {
                    found.push(value);
                } else if let Value::Member(base, name) = values.value(callee)
                    && returns_itself(name)
                {
                    waiting.push(*base);
                }
            }
            Value::Promise(inner) => waiting.push(*inner),
            // The last is looked at first.
            Value::Choice(alternatives) => {
                waiting.extend(alternatives.iter().rev().map(|each| each.value));
            }
            _ => {}
        }
    }
    found
}

fn returns_itself(method: &str) -> bool {
    verb(method).is_some()
        || matches!(
            method,
            "use" | "param" | "set" | "enable" | "disable" | "engine"
        )
}

/// The `route(...)` call that a value is, verbs chained to it aside.
pub(super) fn route_object(values: &Values, value: ValueId) -> Option<CallId> {
    let mut at = value;
    for _ in 0..CHAIN_MAX {
        let Value::Call(call) = *values.value(at) else {
            return None;
        };
        let Value::Member(base, name) = *values.value(values.call(call).callee) else {
            return None;
        };
        if name == "route" {
            return (!containers(values, base).is_empty()).then_some(call);
        }
        verb(&name)?;
        at = base;
    }
    None
}

/// The method that a registering call is named after.
pub(super) fn verb(name: &str) -> Option<Method> {
    Some(match name {
        "get" => Method::Get,
        "head" => Method::Head,
        "post" => Method::Post,
        "put" => Method::Put,
        "patch" => Method::Patch,
        "delete" | "del" => Method::Delete,
        "options" => Method::Options,
        "all" => Method::Any,
        _ => return None,
    })
}
