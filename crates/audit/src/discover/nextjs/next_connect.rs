//! `next-connect`: a router whose handlers stand in calls such as `router.post(..)`, all for the path of the file.

use portcullis_code::{
    machine::{Event, Machine},
    value::{Value, ValueId, Values},
};
use portcullis_policy::Method;

use super::member_calls;
use crate::route::{Convention, Link, LinkRole, Site};

/// The package.
const PACKAGE: &str = "next-connect";

/// The handlers of the router that a value comes from, each with what runs before it; none for any other value.
pub(super) fn handlers(
    machine: &Machine<'_>,
    loaded: &[Event],
    value: ValueId,
) -> Option<Vec<(Method, Vec<Link>)>> {
    let values = &machine.values;
    let router = router_of(values, value)?;
    let mut before: Vec<Link> = Vec::new();
    let mut found = Vec::new();
    for (base, name, _, data) in member_calls(values, loaded) {
        if router_of(values, base) != Some(router) {
            continue;
        }
        let method = match name.as_str() {
            "use" => None,
            "all" => Some(Method::Any),
            name => match name.to_ascii_uppercase().parse() {
                Ok(method) if method != Method::Any => Some(method),
                _ => continue,
            },
        };
        let site = Site {
            module: data.module,
            span: data.span,
        };
        // A path in front of the functions narrows nothing that a file of its own does not.
        let functions: Vec<ValueId> = data
            .args
            .iter()
            .map(|arg| arg.0)
            .filter(|arg| values.as_const(*arg).is_none())
            .collect();
        let link = |value, convention, role| Link {
            value,
            convention,
            role,
            site,
        };
        let Some(method) = method else {
            let links = functions
                .into_iter()
                .map(|value| link(value, Convention::Express, LinkRole::Middleware));
            before.extend(links);
            continue;
        };
        let Some((&last, first)) = functions.split_last() else {
            continue;
        };
        let mut chain = before.clone();
        let own = first
            .iter()
            .map(|&value| link(value, Convention::Express, LinkRole::RouteMiddleware));
        chain.extend(own);
        chain.push(link(last, Convention::Pages, LinkRole::Handler));
        found.push((method, chain));
    }
    (!found.is_empty()).then_some(found)
}

/// The call that made the router which a chain of calls goes back to.
fn router_of(values: &Values, value: ValueId) -> Option<ValueId> {
    let mut at = value;
    loop {
        let Value::Call(call) = *values.value(at) else {
            return None;
        };
        match *values.value(values.call(call).callee) {
            Value::Member(base, _) => at = base,
            Value::External(package, _) if package == PACKAGE => return Some(at),
            _ => return None,
        }
    }
}
