//! `app/**/route.*`: one route for each exported method; `app/**/page.*`: the pages.

use portcullis_code::{
    body::ModuleId,
    machine::{Event, Machine},
    value::{Unknown as Why, Value, ValueId},
};
use portcullis_policy::Method;
use ustr::ustr;

use super::{
    Application, Discovered, application::RouterFile, exports, hono, library_router, route,
    uploadthing,
};
use crate::route::{Convention, Route, Site, Unknown};

/// Adds what the App Router of an application serves.
pub(super) fn routes(
    machine: &mut Machine<'_>,
    loaded: &[Event],
    application: &Application,
    found: &mut Discovered,
) {
    for file in &application.files {
        if !file.place.starts_with("app/") {
            continue;
        }
        let name = file.place.rsplit('/').next().unwrap_or("");
        if name.starts_with("route.") {
            handlers(machine, loaded, application, file, &mut found.routes);
        } else if let Some(page) = page(machine, file) {
            found.pages.push(page);
        }
    }
}

fn handlers(
    machine: &mut Machine<'_>,
    loaded: &[Event],
    application: &Application,
    file: &RouterFile,
    routes: &mut Vec<Route>,
) {
    for (name, span) in exports(machine, file.module) {
        let Some(method) = method(&name) else {
            continue;
        };
        let value = machine.export(file.module, name, 0);
        // A name that is taken out of an object which does not have it exports nothing.
        if machine.values.as_const(value).is_some() {
            continue;
        }
        let site = Site {
            module: file.module,
            span,
        };
        if let Some(inner) = hono::routes(machine, loaded, value, method, site) {
            routes.extend(inner);
            continue;
        }
        let mut route = route(
            "nextjs-app",
            method,
            file.path.clone(),
            site,
            (value, Convention::Web),
        );
        let path = application.config.without_base_path(&file.path);
        route.pathname = Some(path.to_owned());
        describe(machine, &mut route, value, application);
        uploadthing::guard(machine, &mut route, value);
        routes.push(route);
    }
}

fn page(machine: &mut Machine<'_>, file: &RouterFile) -> Option<Route> {
    let (value, site) = default_export(machine, file.module)?;
    Some(route(
        "nextjs-page",
        Method::Get,
        file.path.clone(),
        site,
        (value, Convention::Page),
    ))
}

/// The default export of a module, with the place of what is exported where it is declared in the module itself.
pub(super) fn default_export(
    machine: &mut Machine<'_>,
    module: ModuleId,
) -> Option<(ValueId, Site)> {
    use portcullis_code::body::{Exported, ExprKind};
    let value = machine.export(module, ustr("default"), 0);
    if machine.values.as_const(value).is_some() {
        return None;
    }
    let body = &machine.project.module(module).body;
    let export = body.exports.iter().find(|export| export.name == "default");
    let Some(export) = export else {
        // `module.exports = handler`, or nothing at all.
        return match machine.values.value(value) {
            Value::Unknown(_) | Value::Namespace(_) | Value::Object(_) => None,
            _ => {
                let (module, span) = machine.place(value);
                Some((value, Site { module, span }))
            }
        };
    };
    let local = match export.what {
        Exported::Local(local) => Some(local),
        Exported::Expr(expr) => match body.expr(expr).kind {
            ExprKind::Local(local) => Some(local),
            _ => None,
        },
        _ => None,
    };
    let declared = local
        .map(|local| body.local(local))
        .filter(|local| local.import.is_none());
    let span = declared.map_or(export.span, |local| local.span);
    Some((value, Site { module, span }))
}

/// Says of a route what its handler and its application's configuration leave open.
pub(super) fn describe(
    machine: &Machine<'_>,
    route: &mut Route,
    value: ValueId,
    application: &Application,
) {
    route.mega = library_router::name(machine, value);
    if let Some(router) = &route.mega {
        route.unknowns.push(Unknown {
            code: "U5",
            site: Some(route.site),
            reason: format!("`{router}` answers paths of its own here, which are not listed"),
        });
    }
    if matches!(
        machine.values.value(value),
        Value::Unknown(Why::Unresolved | Why::Cycle)
    ) {
        route.unknowns.push(Unknown {
            code: "U10",
            site: Some(route.site),
            reason: format!("what answers `{}` was not found", route.path),
        });
    }
    let path = application.config.without_base_path(&route.path);
    for rewrite in application.config.rewrites_to(path) {
        route
            .conditions
            .push(format!("also answers `{}` (a rewrite)", rewrite.source));
    }
    route
        .conditions
        .extend(application.config.unknowns.iter().cloned());
}

/// The method that an export of this name answers.
fn method(name: &str) -> Option<Method> {
    name.parse().ok().filter(|method| *method != Method::Any)
}
