//! Hono inside a route handler: `export const GET = handle(app)` serves the routes that `app.get(..)` declares.

use portcullis_code::{
    machine::{Event, Machine},
    value::{Value, ValueId, Values},
};
use portcullis_policy::Method;

use super::{member_calls, route};
use crate::route::{Convention, Link, LinkRole, Route, Site, Unknown};

/// The modules whose `handle` makes a route handler of an application.
const ADAPTERS: [&str; 2] = ["hono/vercel", "hono/nextjs"];
/// Deepest nesting of applications in applications.
const NESTED_MAX: u32 = 8;

/// The routes of the application that a handler serves under a method; none when the handler is nothing of Hono's.
pub(super) fn routes(
    machine: &Machine<'_>,
    loaded: &[Event],
    value: ValueId,
    method: Method,
    site: Site,
) -> Option<Vec<Route>> {
    let values = &machine.values;
    let Value::Call(call) = *values.value(value) else {
        return None;
    };
    let data = values.call(call);
    let is_adapter = matches!(values.value(data.callee), Value::External(package, name)
        if name == "handle" && ADAPTERS.contains(&package.as_str()));
    if !is_adapter {
        return None;
    }
    let &(app, _) = data.args.first()?;
    let mut reader = Reader {
        values,
        loaded,
        method,
        site,
        routes: Vec::new(),
    };
    reader.read(app, "", &[], 0);
    Some(reader.routes)
}

struct Reader<'m> {
    values: &'m Values,
    loaded: &'m [Event],
    method: Method,
    site: Site,
    routes: Vec<Route>,
}

impl Reader<'_> {
    fn read(&mut self, app: ValueId, prefix: &str, outer: &[Link], depth: u32) {
        if depth > NESTED_MAX {
            return;
        }
        let (values, loaded) = (self.values, self.loaded);
        let root = origin(values, app);
        let mut before = outer.to_vec();
        for (base, name, _, data) in member_calls(values, loaded) {
            if origin(values, base) != root {
                continue;
            }
            let site = Site {
                module: data.module,
                span: data.span,
            };
            let base_path = format!("{prefix}{}", base_path(values, base));
            let path = data.args.first().and_then(|arg| values.as_text(arg.0));
            let functions = data
                .args
                .iter()
                .skip(usize::from(path.is_some()))
                .map(|arg| arg.0);
            match name.as_str() {
                // What it covers only in part is not counted as standing before a route.
                "use" if path.is_none_or(|path| matches!(path.as_str(), "*" | "/*")) => {
                    before.extend(functions.map(|value| Link {
                        value,
                        convention: Convention::Web,
                        role: LinkRole::Middleware,
                        site,
                    }));
                }
                "route" => {
                    let inner = data.args.get(1).map(|arg| arg.0);
                    if let (Some(path), Some(inner)) = (path, inner) {
                        let prefix = join(&base_path, &path);
                        self.read(inner, &prefix, &before, depth + 1);
                    }
                }
                name => {
                    let is_served = name == "all"
                        || name.to_ascii_uppercase().parse().ok() == Some(self.method);
                    if is_served {
                        let path = join(&base_path, path.as_deref().unwrap_or("/"));
                        let functions: Vec<ValueId> = functions.collect();
                        self.add(&path, &before, &functions, site);
                    }
                }
            }
        }
    }

    fn add(&mut self, path: &str, before: &[Link], functions: &[ValueId], declared: Site) {
        let Some((&handler, own)) = functions.split_last() else {
            return;
        };
        let mut route = route(
            "nextjs-app",
            self.method,
            template(path),
            declared,
            (handler, Convention::Web),
        );
        let own = own.iter().map(|&value| Link {
            value,
            convention: Convention::Web,
            role: LinkRole::RouteMiddleware,
            site: declared,
        });
        route.chain.splice(0..0, before.iter().copied().chain(own));
        route.mega = Some("hono#Hono".to_owned());
        route.unknowns.push(Unknown {
            code: "U5",
            site: Some(self.site),
            reason: "a handler of Hono is given a context of its own, which is not followed"
                .to_owned(),
        });
        self.routes.push(route);
    }
}

/// The application that a chain of calls goes back to.
fn origin(values: &Values, app: ValueId) -> ValueId {
    let mut at = app;
    while let Value::Call(call) = *values.value(at) {
        match *values.value(values.call(call).callee) {
            Value::Member(base, _) => at = base,
            _ => break,
        }
    }
    at
}

/// The base paths along a chain of calls.
fn base_path(values: &Values, app: ValueId) -> String {
    let mut parts = Vec::new();
    let mut at = app;
    while let Value::Call(call) = *values.value(at) {
        let data = values.call(call);
        let Value::Member(base, name) = *values.value(data.callee) else {
            break;
        };
        let given = data.args.first().and_then(|arg| values.as_text(arg.0));
        if name == "basePath"
            && let Some(path) = given
        {
            parts.push(path);
        }
        at = base;
    }
    parts
        .iter()
        .rev()
        .fold(String::new(), |path, part| join(&path, part))
}

fn join(prefix: &str, path: &str) -> String {
    let (prefix, path) = (prefix.trim_end_matches('/'), path.trim_start_matches('/'));
    if path.is_empty() && !prefix.is_empty() {
        return prefix.to_owned();
    }
    format!("{prefix}/{path}")
}

/// `/items/:id{[0-9]+}/*` as `/items/{id}/{*}`.
fn template(path: &str) -> String {
    let segments = path.split('/').map(|segment| {
        if segment == "*" {
            return "{*}".to_owned();
        }
        match segment.strip_prefix(':') {
            Some(name) => {
                let name = name.split('{').next().unwrap_or(name);
                format!("{{{}}}", name.trim_end_matches('?'))
            }
            None => segment.to_owned(),
        }
    });
    segments.collect::<Vec<_>>().join("/")
}
