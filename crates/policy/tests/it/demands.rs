//! What a route takes and is limited by.

use portcullis_policy::{Control, Need, Policy, Route, RouteType, default_limit, need};

use crate::errors::check_one;

fn policy(text: &str) -> Policy {
    Policy::parse(text).unwrap_or_else(|errors| panic!("{text}\n{errors}"))
}

/// A policy of one route, with lines before it and in it.
pub(crate) fn one(head: &str, kind: &str, lines: &str) -> String {
    format!(
        "version = 1\n{head}\n[[route]]\npath = \"/a\"\nmethods = [\"POST\"]\ntype = \"{kind}\"\n{lines}\n"
    )
}

fn limits(policy: &Policy) -> Vec<&str> {
    let route = policy.routes().first().expect("a route");
    policy
        .limits_of(route)
        .iter()
        .map(|limit| limit.name.as_str())
        .collect()
}

#[test]
fn a_route_that_needs_a_limit_has_one() {
    for kind in RouteType::ALL {
        let needs = need(*kind, Control::RateLimit) == Need::Required;
        let default = default_limit(*kind).name.as_str();
        let plain = policy(&one("", kind.as_str(), ""));
        assert_eq!(
            limits(&plain),
            if needs { vec![default] } else { vec![] },
            "{kind}"
        );
        for line in ["expensive = true", "requires = [\"rate_limit\"]"] {
            assert_eq!(
                limits(&policy(&one("", kind.as_str(), line))),
                [default],
                "{kind} {line}"
            );
        }
    }
}

#[test]
fn named_limits_stand_in_for_the_default_where_they_limit_every_client() {
    for (limit, expected) in [
        ("", &["mine"][..]),
        ("by = [\"route\"]", &["mine"]),
        ("by = [\"body.email\", \"ip\"]", &["mine"]),
        ("counts = \"failures\"", &["mine", "default.public_form"]),
        (
            "by = [\"header.x-api-key\"]",
            &["mine", "default.public_form"],
        ),
        ("by = [\"body.email\"]", &["mine", "default.public_form"]),
    ] {
        let head = format!("[limits.mine]\nrate = \"7 per 1h\"\n{limit}");
        let text = one(&head, "public_form", "limits = [\"mine\"]");
        assert_eq!(limits(&policy(&text)), expected, "{limit}");
    }
}

#[test]
fn a_login_is_always_counted_exactly_by_what_nobody_chooses() {
    for (by, expected) in [
        ("\"ip\"", &["smooth", "mine"][..]),
        ("\"body.email\"", &["smooth", "mine", "default.auth_op"]),
    ] {
        let head = format!(
            "[limits.smooth]\nrate = \"9 per 1m\"\n[limits.mine]\nrate = \"7 per 1h\"\nalgorithm = \"exact\"\nby = [{by}]"
        );
        let text = one(&head, "auth_op", "limits = [\"smooth\", \"mine\"]");
        assert_eq!(limits(&policy(&text)), expected, "{by}");
    }
}

#[test]
fn a_default_limit_is_replaced_by_its_name() {
    let head = "[limits.\"default.webhook\"]\nrate = \"600 per 1m\"\n";
    let policy = policy(&one(head, "webhook", ""));
    let route = &policy.routes()[0];
    let limit = policy.limits_of(route)[0];
    assert_eq!((limit.rate.count.get(), limit.place.line), (600, 2));
    assert!(policy.notices().is_empty());
    // Named by a route of another type, without being defined.
    let named = self::policy(&one(
        "",
        "public_read",
        "limits = [\"default.file_upload\"]",
    ));
    assert_eq!(limits(&named), ["default.file_upload"]);
    for (name, words) in [
        ("\"default.webhok\"", "mean `default.webhook`"),
        ("\"default.other\"", "is followed by a route type"),
        ("default", "in quotes"),
        ("default.webhook", "in quotes"),
    ] {
        let text = format!("version = 1\n[limits.{name}]\nrate = \"1 per 1s\"\n");
        check_one(&text, "2:9", &[words]);
    }
    let smooth = "version = 1\n[limits.\"default.auth_op\"]\nrate = \"1 per 1s\"\n";
    check_one(smooth, "2:1", &["algorithm = \"exact\""]);
}

#[test]
fn what_a_limit_says_and_shows() {
    let policy = policy(
        "version = 1\n[limits.a]\nrate = \"10 per 1m\"\n[limits.b]\nrate = \"10 per 1m\"\nburst = 1\nshow = true\n[limits.c]\nrate = \"10 per 1m\"\nshow = false\n[limits.d]\nrate = \"10 per 1m\"\nby = [\"ip\", \"body.email\"]\n[limits.e]\nrate = \"10 per 1m\"\nby = [\"ip\", \"body.email\"]\nshow = true\n",
    );
    let limit = |name: &str| &policy.limits()[name];
    assert_eq!(limit("a").burst_or_default().get(), 10);
    assert_eq!(limit("b").burst_or_default().get(), 1);
    for (name, elsewhere, at_login) in [
        ("a", true, false),
        ("b", true, true),
        ("c", false, false),
        // What is left by somebody's address is theirs to know, and whose it is the client only says.
        ("d", false, false),
        ("e", true, true),
    ] {
        assert_eq!(
            limit(name).is_shown(RouteType::PublicForm),
            elsewhere,
            "{name}"
        );
        assert_eq!(limit(name).is_shown(RouteType::AuthOp), at_login, "{name}");
    }
    for (line, at, words) in [
        ("counts = \"errors\"", "4:10", "unknown count"),
        ("show = 1", "4:8", "`true` or `false`"),
        (
            "by = [\"header.cookie\"]",
            "4:15",
            "belongs to the connection",
        ),
        ("by = [\"header.X-Key\"]", "4:15", "mean `header.x-key`"),
        ("by = [\"header.x_key\"]", "4:15", "no header field"),
        (
            "by = [\"header.x-forwarded-for\"]",
            "4:15",
            "`ip` is the client's address",
        ),
        ("by = [\"rout\"]", "4:7", "mean `route`"),
        ("rate = \"10 per 500ms\"", "3:8", "no length of time"),
    ] {
        let rate = if line.starts_with("rate") {
            ""
        } else {
            "rate = \"1 per 1s\"\n"
        };
        let text = format!("version = 1\n[limits.a]\n{rate}{line}\n");
        check_one(&text, at, &[words]);
    }
}

#[test]
fn what_a_route_takes() {
    let types = |route: &Route| -> String {
        let types: Vec<&str> = route
            .content_types()
            .iter()
            .map(|one| one.as_str())
            .collect();
        types.join(" ")
    };
    let forms = "application/json application/x-www-form-urlencoded multipart/form-data";
    let by_field = "[limits.f]\nrate = \"1 per 1s\"\nby = [\"ip\", \"body.email\"]";
    let default_by_field =
        "[limits.\"default.public_form\"]\nrate = \"1 per 1s\"\nby = [\"ip\", \"body.email\"]";
    let verify = "verify = { scheme = \"svix\", secret = \"env:S\" }";
    for (head, kind, lines, expected, size, buffered) in [
        ("", "public_form", "", forms, 1 << 20, false),
        ("", "internal", "", forms, 1 << 20, false),
        (
            "",
            "file_upload",
            "",
            "multipart/form-data application/octet-stream",
            32 << 20,
            false,
        ),
        (
            "",
            "file_upload",
            "content_types = [\"image/png\"]\nbody = { max = \"1 B\" }",
            "image/png",
            1,
            false,
        ),
        (
            "",
            "public_form",
            "content_types = [\"text/plain\"]",
            "text/plain",
            1 << 20,
            false,
        ),
        (
            "",
            "public_form",
            "body = { schema = \"a.json\" }",
            "application/json",
            1 << 20,
            true,
        ),
        (
            by_field,
            "public_form",
            "limits = [\"f\"]",
            "application/json",
            1 << 20,
            true,
        ),
        (
            default_by_field,
            "public_form",
            "",
            "application/json",
            1 << 20,
            true,
        ),
        ("", "webhook", verify, forms, 1 << 20, true),
    ] {
        let policy = policy(&one(head, kind, lines));
        let route = &policy.routes()[0];
        let found = (types(route), route.body_max().bytes(), route.is_buffered());
        assert_eq!(
            found,
            (expected.to_owned(), size, buffered),
            "{kind} {lines}"
        );
    }
}

#[test]
fn faults_of_what_a_route_takes() {
    let cases: &[(&str, &str, &[&str])] = &[
        ("content_types = []", "7:17", &["a body has a type"]),
        ("content_types = [\"json\"]", "7:18", &["no media type"]),
        ("content_types = [\"image/*\"]", "7:18", &["no media type"]),
        (
            "content_types = [\"Text/Plain\"]",
            "7:18",
            &["mean `text/plain`"],
        ),
        (
            "content_types = [\"text/plain;charset=utf-8\"]",
            "7:29",
            &["mean `text/plain`"],
        ),
        (
            "content_types = \"text/plain\"",
            "7:17",
            &["mean `[\"text/plain\"]`"],
        ),
        (
            "content_types = [\"text/plain\"]\nbody = { schema = \"a.json\" }",
            "7:17",
            &["`application/json` and nothing else"],
        ),
        (
            "body = { schema = \"a.json\", max = \"65 MiB\" }",
            "7:8",
            &["may be 64 MiB", "buffer_max"],
        ),
        ("timeout = \"1ms\"", "7:11", &["`10ms` to `1h`"]),
        ("timeout = \"2h\"", "7:11", &["`10ms` to `1h`"]),
        ("protocol = \"grpk\"", "7:12", &["mean `grpc`"]),
        (
            "service = { scheme = \"bearer\", secret = \"env:S\" }",
            "7:11",
            &["belongs to an `internal` route", "`public_form`"],
        ),
        ("protocol = 1", "7:12", &["a string"]),
    ];
    for (lines, at, words) in cases {
        check_one(&one("", "public_form", lines), at, words);
    }
    // A type's own largest size can be over the budget too.
    let head = "[proxy]\nbuffer_max = \"1 MiB\"";
    let text = one(head, "file_upload", "body = { schema = \"a.json\" }");
    check_one(&text, "8:8", &["up to 32 MiB", "may be 1 MiB"]);
    let plain = policy(&one(
        "",
        "public_form",
        "protocol = \"http\"\ntimeout = \"10ms\"",
    ));
    assert_eq!(
        plain.routes()[0].timeout.map(|length| length.as_millis()),
        Some(10)
    );
}

/// Or every route of the type would have less than the matrix demands, and no exception would say so.
#[test]
fn a_default_that_is_not_enough_is_refused() {
    for (kind, more, enough) in [
        ("public_form", "counts = \"failures\"", false),
        ("webhook", "by = [\"header.x-sender\"]", false),
        ("file_upload", "by = [\"body.name\", \"header.x\"]", false),
        (
            "auth_op",
            "algorithm = \"exact\"\ncounts = \"failures\"",
            false,
        ),
        (
            "auth_op",
            "algorithm = \"exact\"\nby = [\"body.email\"]",
            false,
        ),
        ("public_form", "by = [\"ip\", \"header.x-sender\"]", true),
        ("auth_op", "algorithm = \"exact\"", true),
    ] {
        let text =
            format!("version = 1\n[limits.\"default.{kind}\"]\nrate = \"5 per 1m\"\n{more}\n");
        if enough {
            assert!(Policy::parse(&text).is_ok(), "{text}");
        } else {
            check_one(&text, "2:1", &[kind, "give one like this another name"]);
        }
    }
}
