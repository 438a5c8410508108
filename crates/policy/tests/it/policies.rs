//! What a valid policy says.

use std::time::Duration;

use portcullis_policy::{
    Algorithm, ByteCount, Control, Date, FailOn, GuardResult, GuardUse, LimitKey, Meaning, Method,
    Need, Passes, PathTemplate, Policy, RouteName, RouteType, SecretRef,
};

const SHOP: &str = include_str!("shop.toml");

fn shop() -> Policy {
    Policy::parse(SHOP).unwrap_or_else(|errors| panic!("{errors}"))
}

fn date(text: &str) -> Date {
    text.parse().expect("a date")
}

#[test]
fn the_empty_policy_is_a_policy() {
    let policy = Policy::parse("version = 1").expect("valid");
    assert_eq!(policy, Policy::default());
    assert!(policy.route_for(Method::Get, "/").is_none());
}

#[test]
fn the_whole_file_is_read() {
    let policy = shop();
    assert_eq!(policy.routes().len(), 6);
    let later: Vec<&str> = policy.later().iter().map(|later| later.key).collect();
    assert_eq!(later, ["store", "roles", "facts"]);
    let login = &policy.limits()["login"];
    assert_eq!(login.rate.to_string(), "5 per 1m");
    assert_eq!(login.rate.window, Duration::from_secs(60));
    assert_eq!(login.algorithm, Algorithm::Exact);
    assert_eq!(
        login.by,
        [
            LimitKey::Ip,
            LimitKey::Body("email".parse().expect("a name"))
        ]
    );
    assert_eq!((login.place.line, login.place.column), (16, 1));
    let message = &policy.limits()["message"];
    assert_eq!(
        (message.algorithm, message.burst),
        (Algorithm::Smooth, None)
    );
    let contact = policy
        .route_for(Method::Post, "/api/contact")
        .expect("a route");
    assert_eq!(contact.kind, RouteType::PublicForm);
    let body = contact.body.as_ref().expect("a body");
    assert_eq!(body.max.map(ByteCount::bytes), Some(16 * 1024));
    let webhook = policy
        .route_for(Method::Post, "/api/webhooks/clerk")
        .expect("a route");
    let verify = webhook.verify.as_ref().expect("a signature");
    assert_eq!(
        verify.secret.as_slice()[0].key,
        SecretRef::Env("CLERK_WEBHOOK_SECRET".to_owned())
    );
    assert_eq!(policy.audit().fail_on, Some(FailOn::Medium));
    assert_eq!(policy.audit().session_cookie, Some(false));
    assert_eq!(policy.audit().ignore[0].as_str(), "legacy/**");
}

#[test]
fn the_most_specific_route_answers() {
    let policy = shop();
    let path = |method, path| {
        policy
            .route_for(method, path)
            .map(|route| route.path.as_str())
    };
    assert_eq!(path(Method::Patch, "/api/items/7"), Some("/api/items/{id}"));
    assert_eq!(
        path(Method::Patch, "/api/items/mine"),
        Some("/api/items/mine")
    );
    assert_eq!(path(Method::Get, "/api/items/7"), None);
    assert_eq!(path(Method::Head, "/api/export"), Some("/api/export"));
    assert_eq!(path(Method::Post, "/api/export"), None);
    let covering = |method, path: &str| {
        let template = PathTemplate::parse(path).expect("a template");
        policy
            .route_covering(method, &template)
            .map(|route| route.path.as_str())
    };
    assert_eq!(
        covering(Method::Delete, "/api/items/{itemId}"),
        Some("/api/items/{id}")
    );
    assert_eq!(covering(Method::Patch, "/api/items/{*rest}"), None);
    assert_eq!(covering(Method::Any, "/api/items/{itemId}"), None);
}

#[test]
fn a_route_can_need_more_than_its_type_and_never_less() {
    let policy = shop();
    for route in policy.routes() {
        for control in Control::ALL {
            if portcullis_policy::need(route.kind, *control) == Need::Required {
                assert_eq!(
                    route.need(*control),
                    Need::Required,
                    "{} {control}",
                    route.title()
                );
            }
        }
    }
    let export = policy
        .route_for(Method::Get, "/api/export")
        .expect("a route");
    assert_eq!(export.need(Control::RateLimit), Need::Required);
    let item = policy
        .route_for(Method::Delete, "/api/items/1")
        .expect("a route");
    assert_eq!(item.need(Control::Ownership), Need::Required);
    assert_eq!(item.need(Control::Authorization), Need::Required);
    assert_eq!(item.need(Control::Csrf), Need::Required);
    assert_eq!(item.need(Control::Confirmation), Need::Conditional);
    let contact = policy
        .route_for(Method::Post, "/api/contact")
        .expect("a route");
    assert_eq!(contact.need(Control::Validation), Need::Required);
    assert_eq!(contact.need(Control::Csrf), Need::Conditional);
    assert_eq!(contact.need(Control::Authentication), Need::NotNeeded);
}

#[test]
fn an_exception_holds_for_one_route_one_control_and_until_its_day() {
    let policy = shop();
    let export: RouteName = "GET /api/export".parse().expect("a route");
    let other: RouteName = "GET /api/exports".parse().expect("a route");
    let excepted = |route: &RouteName, control, day: &str| {
        policy.excepted(route, control, date(day)).is_some()
    };
    assert!(excepted(&export, Control::RateLimit, "2027-01-31"));
    assert!(!excepted(&export, Control::RateLimit, "2027-02-01"));
    assert!(!excepted(&export, Control::Authentication, "2026-01-01"));
    assert!(!excepted(&other, Control::RateLimit, "2026-01-01"));
    assert_eq!(policy.expired(date("2027-01-31")).count(), 0);
    assert_eq!(policy.expired(date("2027-02-01")).count(), 1);
    let operation: RouteName = "MUTATION messages:send".parse().expect("an operation");
    assert!(excepted(&operation, Control::RateLimit, "2027-02-01"));
}

#[test]
fn guards_say_what_they_mean_and_how_they_tell() {
    let policy = shop();
    let guards = policy.guards();
    assert_eq!(guards.len(), 4);
    assert_eq!(guards[0].means, [Meaning::Authentication, Meaning::Role]);
    assert!(guards[0].enforces(Control::Authorization));
    assert!(!guards[0].enforces(Control::Csrf));
    assert_eq!(
        (&guards[0].passes, guards[0].used_as),
        (&Passes::Returns, GuardUse::Call)
    );
    assert_eq!(guards[0].result, GuardResult::Caller);
    let fields = Passes::Fields {
        present: vec!["userId".to_owned()],
        absent: vec!["error".to_owned()],
    };
    assert_eq!(guards[1].passes, fields);
    assert_eq!(guards[2].used_as, GuardUse::Wrapper { handler: 1 });
    assert_eq!(
        (&guards[3].passes, guards[3].used_as),
        (&Passes::Returns, GuardUse::Middleware)
    );
    let symbol = "src/auth.ts#session".parse().expect("a symbol");
    assert!(policy.guard(&symbol).is_some());
}

#[test]
fn every_word_is_written_as_it_is_read() {
    for control in Control::ALL {
        assert_eq!(control.as_str().parse::<Control>().as_ref(), Ok(control));
    }
    for kind in RouteType::ALL {
        assert_eq!(kind.as_str().parse::<RouteType>().as_ref(), Ok(kind));
    }
    for method in Method::ALL {
        assert_eq!(method.as_str().parse::<Method>().as_ref(), Ok(method));
    }
}
