//! Whatever routes there are, what is written is valid, and no route is less than it looks or forgotten.

use portcullis_audit::served::Served;
use portcullis_policy::{Method, RouteType};
use portcullis_report::{Answer, Auth, Location, Ownership, Report, RouteMethod, RouteRecord};
use proptest::prelude::*;

use super::*;

fn record(method: Method, path: String, kind: RouteType, line: u32) -> RouteRecord {
    RouteRecord {
        framework: "express".to_owned(),
        method: RouteMethod::Http(method),
        path,
        location: Location {
            line,
            ..Location::of_file("app.js")
        },
        auth: Auth::None,
        auth_where: None,
        csrf: Answer::No,
        rate_limit: Answer::No,
        validated: Answer::No,
        ownership: Ownership::NotApplicable,
        route_type: kind,
        type_reason: "because".to_owned(),
        conditions: Vec::new(),
        guards: Vec::new(),
        reasons: Vec::new(),
        unknowns: Vec::new(),
    }
}

fn segment() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "a",
        "b",
        "a b",
        "{id}",
        "{other}",
        "{file}.json",
        "a{x}",
        "{*}",
        "{*rest}",
        "{a}-{b}",
        "..",
        "\u{e9}",
        "{unknown}",
        ":x",
        "",
    ])
}

fn route() -> impl Strategy<Value = RouteRecord> {
    let method = prop::sample::select(vec![
        Method::Get,
        Method::Head,
        Method::Post,
        Method::Delete,
        Method::Any,
    ]);
    let kind = prop::sample::select(RouteType::ALL.to_vec());
    let path =
        prop::collection::vec(segment(), 1..4).prop_map(|parts| format!("/{}", parts.join("/")));
    (method, path, kind, 1_u32..99)
        .prop_map(|(method, path, kind, line)| record(method, path, kind, line))
}

/// A path that belongs to a template.
fn sample(template: &PathTemplate) -> String {
    let path = template.as_str().replace("{*rest}", "x1/y2");
    let mut sample = String::new();
    let mut rest = path.as_str();
    while let Some((before, after)) = rest.split_once('{') {
        sample.push_str(before);
        sample.push_str("x1");
        rest = after.split_once('}').map_or("", |(_, after)| after);
    }
    sample + rest
}

proptest! {
    #[test]
    fn what_is_written_is_valid_and_whole(routes in prop::collection::vec(route(), 1..12)) {
        let audited = Audited {
            report: Report { routes: routes.clone(), files_read: 1, ..Report::default() },
            ..Audited::default()
        };
        let draft = draft(&audited, &Told::default(), &[]).expect("a policy");
        let policy = Policy::parse(&draft.text).expect("valid");
        for route in &routes {
            let name = route.name();
            let told = draft.text.contains(&format!("# todo {name}"))
                || draft.text.contains("# todo not valid as it is");
            let Ok(template) = portcullis_audit::template_of(&route.path) else {
                prop_assert!(told, "{} is not there:\n{}", name, draft.text);
                continue;
            };
            if route.path.contains("{unknown}") {
                prop_assert!(told, "{} is not there:\n{}", name, draft.text);
                continue;
            }
            let RouteMethod::Http(method) = route.method else { continue };
            let asked = if method == Method::Any { Method::Put } else { method };
            let entry = policy.route_for(asked, &sample(&template));
            let Some(entry) = entry else {
                prop_assert!(told, "{} has no entry:\n{}", name, draft.text);
                continue;
            };
            // An entry of the very same paths is as strict as each handler of them.
            if entry.path.same_paths(&template) {
                let is_kept = entry::strictness(entry.kind) >= entry::strictness(route.route_type);
                prop_assert!(is_kept, "{} became `{}`:\n{}", name, entry.kind, draft.text);
            }
        }
    }
}

#[test]
fn functions_of_another_server_are_named_and_open_no_page() {
    let function = |kind: &str, path: &str, route_type| RouteRecord {
        framework: "convex".to_owned(),
        method: RouteMethod::Operation(kind.to_owned()),
        ..record(Method::Post, path.to_owned(), route_type, 1)
    };
    let audited = Audited {
        report: Report {
            routes: vec![
                function("MUTATION", "admin/notes:add", RouteType::PublicForm),
                function("INTERNALQUERY", "notes:default", RouteType::Internal),
                RouteRecord {
                    framework: "nextjs-action".to_owned(),
                    auth: Auth::Required,
                    ..record(
                        Method::Post,
                        "action:app/a.ts#save".to_owned(),
                        RouteType::ProtectedMutation,
                        1,
                    )
                },
            ],
            files_read: 1,
            ..Report::default()
        },
        served: Served {
            takes_actions: true,
            ..Served::default()
        },
        ..Audited::default()
    };
    let draft = draft(&audited, &Told::default(), &[]).expect("a policy");
    let policy = Policy::parse(&draft.text).expect("valid");
    let kind = |name: &str| policy.function(name).map(|function| function.kind);
    assert_eq!(kind("admin/notes:add"), Some(RouteType::PublicForm));
    assert_eq!(kind("notes:default"), Some(RouteType::Internal));
    assert!(policy.routes().is_empty(), "no function has a path");
    // The one action asks who calls: what anybody may call elsewhere opens no page to calls.
    let all = All::of(&audited.report, &audited.served, &Todos::default());
    assert_eq!(all.open_action, None);
}
