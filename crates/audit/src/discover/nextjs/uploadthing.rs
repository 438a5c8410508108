//! Uploadthing: who may upload is decided by the `.middleware(..)` of each file route, not by the handler.

use portcullis_code::{
    machine::Machine,
    value::{Alternative, NO_FACTS, Value, ValueId},
};
use portcullis_policy::Method;
use ustr::ustr;

use crate::route::{Convention, Link, LinkRole, Route, Site, Unknown};

/// The functions that make the handlers of a file router.
const MAKERS: [&str; 2] = ["createRouteHandler", "createNextRouteHandler"];
/// More than this are not told apart.
const FILE_ROUTES_MAX: usize = 6;

/// Puts the middleware of the file routes in front of an upload route. GET only hands out the configuration.
pub(super) fn guard(machine: &mut Machine<'_>, route: &mut Route, value: ValueId) {
    if route.method == Method::Get {
        return;
    }
    let Some(router) = router(machine, value) else {
        return;
    };
    let files = machine.fields(router);
    let middlewares: Option<Vec<ValueId>> = files.map(|files| {
        let mut found: Vec<ValueId> = Vec::new();
        for (_, builder) in files {
            let middleware = middleware(machine, builder);
            if !found.contains(&middleware) {
                found.push(middleware);
            }
        }
        found
    });
    match middlewares {
        Some(found)
            if found
                .iter()
                .all(|value| machine.values.as_const(*value).is_some()) => {}
        Some(found) if found.len() <= FILE_ROUTES_MAX => {
            // One request is for one file route: what all of them demand is demanded.
            let alternatives = found
                .iter()
                .map(|&value| Alternative {
                    facts: NO_FACTS,
                    value,
                })
                .collect();
            let first = found.first().copied().unwrap_or(value);
            let (module, span) = machine.place(first);
            let link = Link {
                value: machine.values.choice(alternatives),
                convention: Convention::Web,
                role: LinkRole::RouteMiddleware,
                site: Site { module, span },
            };
            route.chain.insert(0, link);
        }
        _ => route.unknowns.push(Unknown {
            code: "U5",
            site: Some(route.site),
            reason: "the file routes of the upload router could not be listed".to_owned(),
        }),
    }
}

/// The router that the handler was made of.
fn router(machine: &mut Machine<'_>, value: ValueId) -> Option<ValueId> {
    let Value::Member(made, _) = *machine.values.value(value) else {
        return None;
    };
    let Value::Call(call) = *machine.values.value(made) else {
        return None;
    };
    let data = machine.values.call(call);
    let options = data.args.first()?.0;
    match machine.values.value(data.callee) {
        Value::External(package, name)
            if package.starts_with("uploadthing/") && MAKERS.contains(&name.as_str()) =>
        {
            Some(machine.member(options, ustr("router")))
        }
        _ => None,
    }
}

/// What a file route demands; undefined where it demands nothing.
fn middleware(machine: &mut Machine<'_>, builder: ValueId) -> ValueId {
    let mut at = builder;
    while let Value::Call(call) = *machine.values.value(at) {
        let data = machine.values.call(call);
        let Value::Member(base, name) = *machine.values.value(data.callee) else {
            break;
        };
        if name == "middleware"
            && let Some(&(function, _)) = data.args.first()
        {
            return function;
        }
        at = base;
    }
    machine
        .values
        .constant(portcullis_code::body::Const::Undefined)
}
