//! What single patterns match, dialect by dialect.

use portcullis_audit::matcher::{Dialect, Match, PATTERN_BYTES_MAX, PathPattern};

fn answer(pattern: &str, dialect: Dialect, path: &str) -> Match {
    PathPattern::compile(pattern, dialect)
        .unwrap()
        .is_match(path)
}

#[track_caller]
fn check(dialect: Dialect, pattern: &str, yes: &[&str], no: &[&str]) {
    for path in yes {
        assert_eq!(
            answer(pattern, dialect, path),
            Match::Yes,
            "{dialect:?} `{pattern}` on `{path}`"
        );
    }
    for path in no {
        assert_eq!(
            answer(pattern, dialect, path),
            Match::No,
            "{dialect:?} `{pattern}` on `{path}`"
        );
    }
}

const CLERK_STATIC: &str = "/((?!_next|[^?]*\\.(?:html?|css|js(?!on)|jpe?g|webp|png|gif|svg|ttf|woff2?|ico|csv|docx?|xlsx?|zip|webmanifest)).*)";

#[test]
fn the_matchers_seen_in_applications_run_where_they_were_measured_to() {
    for dialect in [Dialect::NextConfig, Dialect::Clerk] {
        check(
            dialect,
            "/((?!api|_next/static|_next/image|favicon.ico).*)",
            &["/", "/dashboard", "/dashboard/a.b"],
            &[
                "/api/users",
                "/apidocs",
                "/_next/static/x.js",
                "/favicon.ico",
            ],
        );
        check(
            dialect,
            "/((?!.*\\..*|_next).*)",
            &["/dashboard", "/api/users"],
            &["/dashboard/a.b", "/api/x.json", "/_next/x"],
        );
        check(
            dialect,
            "/(api|trpc)(.*)",
            &["/api", "/api/x.json", "/trpc/a.b", "/apidocs"],
            &["/", "/dashboard"],
        );
        check(
            dialect,
            CLERK_STATIC,
            &["/dashboard", "/dashboard/data.json", "/api/items"],
            &["/dashboard/report.csv", "/admin/export.zip", "/_next/x"],
        );
        check(
            dialect,
            "/dashboard(.*)",
            &[
                "/dashboard",
                "/dashboard/x",
                "/dashboardx",
                "/dashboard/a%0ab",
            ],
            &["/dashboard/a\nb", "/x/dashboard"],
        );
        check(
            dialect,
            "/dashboard/:path*",
            &[
                "/dashboard",
                "/dashboard/",
                "/dashboard/a",
                "/dashboard/a/b",
                "/dashboard/a\nb",
                "/dashboard/a.b",
            ],
            &["/dashboardx", "/x"],
        );
    }
}

#[test]
fn next_is_the_only_one_that_minds_the_case() {
    check(
        Dialect::NextConfig,
        "/admin/:path*",
        &["/admin/x"],
        &["/Admin/x"],
    );
    for dialect in [
        Dialect::Clerk,
        Dialect::ConvexAuth,
        Dialect::Express4,
        Dialect::Express5,
    ] {
        check(
            dialect,
            "/admin/:id",
            &["/admin/x", "/Admin/x", "/ADMIN/x/"],
            &["/admin", "/admins/x"],
        );
    }
}

#[test]
fn clerk_asks_about_the_decoded_path_and_the_others_about_the_one_sent() {
    let of = |dialect| PathPattern::compile("/dashboard(.*)", dialect).unwrap();
    let line_feed = "/dashboard/a%0ab";
    assert_eq!(of(Dialect::Clerk).matches_request(line_feed), Match::No);
    assert_eq!(
        of(Dialect::ConvexAuth).matches_request(line_feed),
        Match::Yes
    );
    assert_eq!(
        of(Dialect::NextConfig).matches_request(line_feed),
        Match::Yes
    );
    let clerk = PathPattern::compile("/api/admin(.*)", Dialect::Clerk).unwrap();
    for path in ["//api///admin/x", "/api/%61dmin", "/api/admin/%C3%A9"] {
        assert_eq!(clerk.matches_request(path), Match::Yes, "{path}");
    }
    assert_eq!(
        clerk.matches_request("/api%2Fadmin"),
        Match::No,
        "a reserved character stays encoded"
    );
    for path in ["/api/admin/%", "/api/admin/%zz", "/api/admin/%ff"] {
        assert_eq!(clerk.matches_request(path), Match::Unknown, "{path}");
    }
}

#[test]
fn a_regular_expression_literal_keeps_its_javascript_meaning() {
    let on = |source: &str, flags: &str, path: &str| {
        PathPattern::compile_regexp(source, flags, Dialect::Clerk)
            .map(|pattern| pattern.is_match(path))
    };
    let table = [
        (r"^\/api\/(?<name>[^/]+)$", "", "/api/x", Match::Yes),
        (r"^\/api\/(?<name>[^/]+)$", "", "/API/x", Match::No),
        (r"^\/api\/(?<name>[^/]+)$", "i", "/API/x", Match::Yes),
        (r"admin", "", "/x/admin/y", Match::Yes),
        (r"^\/a[^]b$", "", "/a\nb", Match::Yes),
        (r"^\/a.b$", "", "/a\nb", Match::No),
        (r"^\/a.b$", "s", "/a\nb", Match::Yes),
        (r"^\/a.b$", "", "/a\u{2028}b", Match::No),
        (r"^\/\d+$", "", "/\u{663}", Match::No),
        (r"^\/\w+$", "", "/\u{e9}", Match::No),
        (r"^\/\s$", "", "/\u{feff}", Match::Yes),
        (r"^\/s$", "i", "/\u{17f}", Match::No),
        (r"^\/\u00e9$", "i", "/\u{c9}", Match::Yes),
        (r"^\/x$", "", "/x\n", Match::No),
        (r"^\/x$", "m", "/x\ny", Match::Yes),
        (r"^\/(?!admin\b)", "", "/admins", Match::Yes),
        (r"^\/(?!admin\b)", "", "/admin/x", Match::No),
        (r"(?<!\/v\d)\/users$", "", "/v1/users", Match::No),
        (r"a{,2}", "", "a{,2}", Match::Yes),
        (r"a{,2}", "", "aa", Match::No),
        (r"[]", "", "x", Match::No),
        (r"[\w-]", "", "-", Match::Yes),
    ];
    for (source, flags, path, expected) in table {
        assert_eq!(
            on(source, flags, path),
            Ok(expected),
            "/{source}/{flags} on {path:?}"
        );
    }
    for (source, flags) in [
        ("x", "g"),
        ("x", "y"),
        ("x", "u"),
        ("x", "ii"),
        (r"(a)\1", ""),
        (r"(?<a>b)\k<a>", ""),
        ("(", ""),
        ("a**", ""),
    ] {
        assert!(on(source, flags, "/").is_err(), "/{source}/{flags}");
    }
}

#[test]
fn express_4_marks() {
    let dialect = Dialect::Express4;
    check(
        dialect,
        "/users/:id?",
        &["/users", "/users/", "/users/5", "/USERS/5"],
        &["/users/5/6", "/usersx"],
    );
    check(
        dialect,
        "/files/*",
        &["/files/", "/files/a/b", "/files/a.b"],
        &["/files"],
    );
    check(dialect, "/n/:id(\\d+)", &["/n/5"], &["/n/x"]);
    check(
        dialect,
        "/flights/:from-:to",
        &["/flights/a-b"],
        &["/flights/a", "/flights/a/b-c"],
    );
    check(dialect, "/a.b", &["/a.b"], &["/axb"]);
    check(dialect, "/ab?c", &["/ac", "/abc"], &["/abbc"]);
    check(dialect, "*", &["/", "/x/y"], &[]);
}

#[test]
fn express_5_marks() {
    let dialect = Dialect::Express5;
    check(dialect, "/{*splat}", &["/", "/a", "/a/b"], &[]);
    check(
        dialect,
        "/files/*name",
        &["/files/a", "/files/a/b"],
        &["/files"],
    );
    check(
        dialect,
        "/users{/:id}",
        &["/users", "/users/", "/users/5"],
        &["/users/5/6"],
    );
    check(dialect, "/x/", &["/x", "/x/"], &["/xy"]);
    for refused in ["/users/:id?", "/*", "/n/:id(\\d+)", "/a+", "/[ab]"] {
        assert!(PathPattern::compile(refused, dialect).is_err(), "{refused}");
    }
}

#[test]
fn a_mount_ends_at_the_border_of_a_segment() {
    for dialect in [Dialect::Express4, Dialect::Express5] {
        let mount = |source| PathPattern::compile_mount(source, dialect).unwrap();
        for path in ["/admin", "/admin/", "/Admin/x", "/admin/x/y"] {
            assert_eq!(
                mount("/admin").is_match(path),
                Match::Yes,
                "{dialect:?} {path}"
            );
        }
        for path in ["/admins", "/x/admin", "/"] {
            assert_eq!(
                mount("/admin").is_match(path),
                Match::No,
                "{dialect:?} {path}"
            );
        }
        assert_eq!(mount("/").is_match("/anything"), Match::Yes);
    }
    assert!(PathPattern::compile_mount("/admin", Dialect::Clerk).is_err());
}

#[test]
fn what_is_too_large_is_unparsable_or_unknown_and_never_a_yes() {
    let long = format!("/{}", "a".repeat(PATTERN_BYTES_MAX));
    for dialect in [
        Dialect::NextConfig,
        Dialect::Clerk,
        Dialect::ConvexAuth,
        Dialect::Express4,
        Dialect::Express5,
    ] {
        assert!(PathPattern::compile(&long, dialect).is_err());
        let nested = format!("/{}x{}", "(?:".repeat(1000), ")".repeat(1000));
        assert!(PathPattern::compile(&nested, dialect).is_err());
    }
    assert!(
        PathPattern::compile_regexp("(?:(?:a{1000}){1000}){1000}", "", Dialect::Clerk).is_err()
    );
    let nested = format!("/{}x{}", "{".repeat(1000), "}".repeat(1000));
    assert!(PathPattern::compile(&nested, Dialect::Express5).is_err());
    let groups = "{/a}".repeat(20);
    assert!(PathPattern::compile(&groups, Dialect::Express5).is_err());
    let any = PathPattern::compile("/(.*)", Dialect::Clerk).unwrap();
    assert_eq!(
        any.is_match(&format!("/{}", "a".repeat(10_000))),
        Match::Unknown
    );
    assert_eq!(any.is_match("/\u{1F600}"), Match::Unknown);
    // A look-ahead keeps the engine on its backtracking side; the search ends at its limit.
    let slow = PathPattern::compile_regexp("^(?=(?:a+)+$)(?:(?:a|aa)+)+(?!.)c", "", Dialect::Clerk)
        .unwrap();
    assert_ne!(slow.is_match(&"a".repeat(60)), Match::Yes);
}
