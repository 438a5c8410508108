//! Makes the record of a route that a report lists.

use portcullis_code::project::Project;
use portcullis_policy::Control;
use portcullis_report::{Auth, GuardRecord, Reason, RouteRecord, UnknownRecord};

use super::location::location;
use crate::{
    judge::Judgement,
    middleware::Cover,
    route::{Convention, LinkRole, Route},
};

/// What was found out about a route.
pub(super) fn route_record(
    project: &Project,
    route: &Route,
    judgement: &Judgement,
    cover: Option<&Cover>,
) -> RouteRecord {
    let guards = judgement
        .guards
        .iter()
        .map(|guard| GuardRecord {
            what: guard.kind.control(),
            on_fail: guard.on_fail.to_owned(),
            via: via(route, guard.link).to_owned(),
            location: location(project, guard.site),
            source: guard.source.clone(),
        })
        .chain(
            cover
                .filter(|cover| cover.auth == Auth::Required)
                .map(|cover| GuardRecord {
                    what: Control::Authentication,
                    on_fail: "answers".to_owned(),
                    via: "middleware".to_owned(),
                    location: location(project, cover.site),
                    source: "the application's middleware".to_owned(),
                }),
        )
        .collect();
    RouteRecord {
        framework: route.framework.to_owned(),
        method: route.answers(),
        path: route.path.clone(),
        location: location(project, route.site),
        // Whoever is not signed in is answered, if only with nothing.
        auth: if judgement.soft {
            Auth::Optional
        } else {
            judgement.auth
        },
        auth_where: judgement.auth_where,
        csrf: judgement.csrf,
        rate_limit: judgement.rate_limit,
        validated: judgement.validated,
        ownership: judgement.ownership,
        route_type: judgement.route_type,
        type_reason: judgement.type_reason.clone(),
        conditions: judgement.conditions.clone(),
        guards,
        reasons: judgement
            .reasons
            .iter()
            .map(|(attribute, text, site)| Reason {
                attribute: (*attribute).to_owned(),
                text: text.clone(),
                location: site.map(|site| location(project, site)),
            })
            .collect(),
        unknowns: judgement
            .unknowns
            .iter()
            .map(|unknown| UnknownRecord {
                code: unknown.code.to_owned(),
                location: unknown.site.map(|site| location(project, site)),
                reason: unknown.reason.clone(),
            })
            .collect(),
    }
}

fn via(route: &Route, link: usize) -> &'static str {
    match route
        .chain
        .get(link)
        .map(|link| (link.role, link.convention))
    {
        Some((LinkRole::Handler, Convention::Web | Convention::Pages)) => "call",
        Some((LinkRole::Handler, _)) => "handler",
        Some((LinkRole::RouteMiddleware, _)) => "route middleware",
        _ => "middleware",
    }
}
