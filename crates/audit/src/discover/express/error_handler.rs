//! Error handlers: functions of four parameters handed to `use`, which answer for every route that fails.

use portcullis_code::{
    body::Span,
    machine::{Event, EventKind, Machine},
    value::{Entry, Value, ValueId},
};
use portcullis_policy::Method;

use super::attached::{parameter_count, place};
use crate::route::{Convention, Link, LinkRole, Route, Site};

/// What they are called; they are no routes, but they answer.
pub const FRAMEWORK: &str = "express-errors";
/// Deepest nesting of lists of functions.
const LISTS_MAX: u32 = 8;

/// Every error handler, once.
pub fn error_handlers(machine: &Machine<'_>, events: &[Event]) -> Vec<Route> {
    let mut found: Vec<Route> = Vec::new();
    for event in events {
        let EventKind::Call(call) = event.kind else {
            continue;
        };
        let data = machine.values.call(call);
        if !matches!(machine.values.value(data.callee), Value::Member(_, name) if *name == "use") {
            continue;
        }
        let attached = Site {
            module: event.module,
            span: event.span,
        };
        let mut handlers = Vec::new();
        for (arg, _) in &data.args {
            collect(machine, *arg, LISTS_MAX, &mut handlers);
        }
        for value in handlers {
            let site = place(machine, value, attached);
            if found.iter().any(|route| route.site == site) || site.span == Span::default() {
                continue;
            }
            found.push(Route {
                framework: FRAMEWORK,
                method: Method::Any,
                operation: None,
                path: "/*".to_owned(),
                site,
                chain: vec![Link {
                    value,
                    convention: Convention::ExpressError,
                    role: LinkRole::Handler,
                    site: attached,
                }],
                conditions: Vec::new(),
                unknowns: Vec::new(),
                mega: None,
                origin_checked: false,
                pathname: None,
            });
        }
    }
    found
}

fn collect(machine: &Machine<'_>, value: ValueId, depth: u32, found: &mut Vec<ValueId>) {
    match machine.values.value(value) {
        Value::Array(object) if depth > 0 => {
            for entry in &machine.values.object(*object).entries {
                if let Entry::Item(item) | Entry::Spread(item) | Entry::Each(item) = *entry {
                    collect(machine, item, depth - 1, found);
                }
            }
        }
        _ if parameter_count(machine, value) == Some(4) => found.push(value),
        _ => {}
    }
}
