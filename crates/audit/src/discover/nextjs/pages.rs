//! `pages/api/**`: one route for each method that the handler tells apart; other pages run `getServerSideProps`.

use portcullis_code::machine::{Event, Machine};
use portcullis_policy::Method;
use ustr::ustr;

use super::{
    Application, Discovered, app, application::RouterFile, exports, methods, next_connect, route,
};
use crate::route::{Convention, Route, Site};

/// The function that a page runs for each request.
const FOR_EACH_REQUEST: &str = "getServerSideProps";

/// Adds what the Pages Router of an application serves.
pub(super) fn routes(
    machine: &mut Machine<'_>,
    loaded: &[Event],
    application: &Application,
    found: &mut Discovered,
) {
    for file in &application.files {
        let Some(place) = file.place.strip_prefix("pages/") else {
            continue;
        };
        if place.starts_with("api/") || place.starts_with("api.") {
            endpoints(machine, loaded, application, file, &mut found.routes);
        } else {
            found.pages.extend(page(machine, file));
        }
    }
}

fn endpoints(
    machine: &mut Machine<'_>,
    loaded: &[Event],
    application: &Application,
    file: &RouterFile,
    routes: &mut Vec<Route>,
) {
    let Some((value, site)) = app::default_export(machine, file.module) else {
        return;
    };
    if let Some(handlers) = next_connect::handlers(machine, loaded, value) {
        for (method, chain) in handlers {
            let site = chain.last().map_or(site, |link| link.site);
            let mut route = route(
                "nextjs-pages",
                method,
                file.path.clone(),
                site,
                (value, Convention::Pages),
            );
            app::describe(machine, &mut route, value, application);
            route.mega = None;
            route.unknowns.retain(|unknown| unknown.code != "U5");
            route.chain = chain;
            routes.push(route);
        }
        return;
    }
    for method in methods::answered(machine, value) {
        let mut route = route(
            "nextjs-pages",
            method,
            file.path.clone(),
            site,
            (value, Convention::Pages),
        );
        app::describe(machine, &mut route, value, application);
        routes.push(route);
    }
}

fn page(machine: &mut Machine<'_>, file: &RouterFile) -> Option<Route> {
    let name = ustr(FOR_EACH_REQUEST);
    let (_, span) = exports(machine, file.module)
        .into_iter()
        .find(|(known, _)| *known == name)?;
    let value = machine.export(file.module, name, 0);
    let site = Site {
        module: file.module,
        span,
    };
    Some(route(
        "nextjs-page",
        Method::Get,
        file.path.clone(),
        site,
        (value, Convention::Page),
    ))
}
