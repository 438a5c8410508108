//! Which routes cannot stand in one policy.

use std::fmt::Write as _;

use portcullis_policy::{Policy, bounds::ROUTES_MAX};

use crate::errors::check_one;

/// One route: methods, path, hosts.
type Written<'w> = (&'w str, &'w str, &'w [&'w str]);

fn written(head: &str, routes: &[Written<'_>]) -> String {
    let mut text = format!("version = 1\n{head}\n");
    for (methods, path, hosts) in routes {
        text.push_str("[[route]]\n");
        writeln!(text, "path = \"{path}\"").expect("written");
        writeln!(text, "methods = [\"{methods}\"]").expect("written");
        if !hosts.is_empty() {
            writeln!(text, "hosts = {hosts:?}").expect("written");
        }
        text.push_str("type = \"public_read\"\n");
    }
    text
}

fn fine(text: &str) {
    if let Err(errors) = Policy::parse(text) {
        panic!("{text}\n{errors}");
    }
}

const HOSTS: &str = "hosts = [\"a\", \"b\", \"c:8443\"]";

#[test]
fn routes_without_a_host_in_common_do_not_meet() {
    fine(&written(
        HOSTS,
        &[("GET", "/x", &["a"]), ("GET", "/x", &["b", "c:8443"])],
    ));
    fine(&written(
        HOSTS,
        &[("GET", "/{x}/s", &["a"]), ("GET", "/u/{y}", &["b"])],
    ));
    for hosts in [&["a", "b"][..], &[]] {
        let text = written(HOSTS, &[("GET", "/x", &["a"]), ("GET", "/x", hosts)]);
        check_one(&text, "8:1", &["already described by the route at line 3"]);
    }
}

#[test]
fn a_crossing_is_settled_for_every_host_that_both_answer_for() {
    let crossing: [Written<'_>; 2] = [("GET", "/{x}/s", &[]), ("GET", "/u/{y}", &["a", "b"])];
    let with = |more: &[Written<'_>]| written(HOSTS, &[&crossing[..], more].concat());
    check_one(&with(&[]), "7:1", &["add a route for `/u/s`"]);
    check_one(
        &with(&[("GET", "/u/s", &["a"])]),
        "7:1",
        &["neither is more specific"],
    );
    fine(&with(&[("GET", "/u/s", &["a"]), ("GET", "/u/s", &["b"])]));
    fine(&with(&[("ANY", "/u/s", &["b", "a"])]));
}

#[test]
fn hosts_of_a_route_are_among_the_policys() {
    let text = |head: &str, host: &str| written(head, &[("GET", "/x", &[host])]);
    fine(&text(
        "public_url = \"https://shop.example.com\"",
        "shop.example.com",
    ));
    fine(&text(
        "public_url = \"https://shop.example.com:8443\"",
        "shop.example.com:8443",
    ));
    for (head, host, words) in [
        (HOSTS, "d", "`d` is none of the policy's hosts"),
        (HOSTS, "c", "`c` is none of the policy's hosts"),
        (
            "public_url = \"https://shop.example.com\"",
            "shp.example.com",
            "mean `shop.example.com`",
        ),
        ("", "a", "add it to `hosts`"),
    ] {
        check_one(&text(head, host), "6:10", &[words]);
    }
    let empty = "version = 1\n[[route]]\npath = \"/\"\nmethods = [\"GET\"]\ntype = \"public_read\"\nhosts = []\n";
    check_one(empty, "6:9", &["one host at least"]);
}

#[test]
fn a_static_path_is_a_route() {
    let head = "static = [\"/{x}.js\", \"/v{y}\", \"/assets/{*rest}\"]";
    // Two static entries may cross: the same answers to both.
    fine(&written(
        head,
        &[
            ("POST", "/{x}.js", &[]),
            ("GET", "/assets/private/{id}", &[]),
        ],
    ));
    check_one(
        &written(head, &[("GET", "/assets/{*all}", &[])]),
        "2:31",
        &["already described by the route at line 3"],
    );
    check_one(
        &written(head, &[("GET", "/{dir}/logo", &[])]),
        "2:31",
        &["`/assets/logo`", "neither is more specific"],
    );
    check_one(
        "version = 1\nstatic = [\"/a\", \"/a\"]",
        "2:17",
        &["already described"],
    );
}

#[test]
fn a_route_that_no_request_reaches_is_refused() {
    let all: &[Written<'_>] = &[
        ("ANY", "/docs/{x}", &[]),
        ("ANY", "/docs/{x}/", &[]),
        ("ANY", "/docs/{x}/{*r}", &[]),
        ("GET", "/docs/{*rest}", &[]),
    ];
    let text = written("", all);
    check_one(&text, "15:1", &["no request reaches `GET /docs/{*rest}`"]);
    for missing in 0..3 {
        let some: Vec<Written<'_>> = all
            .iter()
            .enumerate()
            .filter(|(position, _)| *position != missing)
            .map(|(_, route)| *route)
            .collect();
        fine(&written("", &some));
    }
    // Split once more: one segment, two, and more than two.
    let deeper: &[Written<'_>] = &[
        ("GET", "/{a}", &[]),
        ("GET", "/{a}/", &[]),
        ("GET", "/{a}/{b}", &[]),
        ("GET", "/{a}/{b}/", &[]),
        ("GET", "/{a}/{b}/{*c}", &[]),
        ("GET", "/{*all}", &[]),
    ];
    check_one(&written("", deeper), "23:1", &["no request reaches"]);
    fine(&written("", &[&deeper[..4], &deeper[5..]].concat()));
    // Other methods still get through to it, and so do other hosts.
    let methods: Vec<Written<'_>> = [&all[..3], &[("ANY", "/docs/{*rest}", &[])]].concat();
    check_one(&written("", &methods), "15:1", &["no request reaches"]);
    let get: Vec<Written<'_>> = methods
        .iter()
        .enumerate()
        .map(|(position, (method, path, hosts))| {
            (if position == 0 { "GET" } else { *method }, *path, *hosts)
        })
        .collect();
    fine(&written("", &get));
    let on_a: Vec<Written<'_>> = all[..3]
        .iter()
        .map(|(method, path, _)| (*method, *path, &["a"][..]))
        .chain([all[3]])
        .collect();
    fine(&written(HOSTS, &on_a));
}

#[test]
fn as_many_routes_as_there_may_be() {
    let mut text = "version = 1\n".to_owned();
    for number in 0..ROUTES_MAX {
        writeln!(
            text,
            "[[route]]\npath = \"/api/r{}/{{id}}/p{number}\"\nmethods = [\"GET\"]\ntype = \"public_read\"",
            number % 97
        )
        .expect("written");
    }
    assert_eq!(
        Policy::parse(&text).map(|policy| policy.routes().len()),
        Ok(ROUTES_MAX)
    );
}

/// However their paths lie to each other: a guard reads its policy while it serves. These were seconds each, and would be
/// minutes here, when every pair that shares a first segment was looked at.
#[test]
fn as_many_routes_in_any_shape() {
    let shapes: [(&str, &[&str], [&str; 2]); 4] = [
        (
            "hosts = [\"a\", \"b\"]",
            &["a", "b"],
            ["/{x}/s#", "/u#/{y}"],
        ),
        ("", &[], ["/{x}/s#", "/u#/{y}/z"]),
        ("", &[], ["/{x}/s#/a", "/u#/{y}/b"]),
        ("", &[], ["/a{x}x#/b#", "/aa#{x}/f#"]),
    ];
    for (head, hosts, paths) in shapes {
        let mut text = format!("version = 1\n{head}\n");
        for number in 0..ROUTES_MAX {
            let which = number % 2;
            let path = paths[which].replace('#', &number.to_string());
            writeln!(
                text,
                "[[route]]\npath = \"{path}\"\nmethods = [\"GET\"]\ntype = \"public_read\""
            )
            .expect("written");
            if let Some(host) = hosts.get(which) {
                writeln!(text, "hosts = [\"{host}\"]").expect("written");
            }
        }
        assert_eq!(
            Policy::parse(&text).map(|policy| policy.routes().len()),
            Ok(ROUTES_MAX),
            "{paths:?}"
        );
    }
}

/// Each of many routes for all the rest, on a host of its own, is looked at with all that may leave it nothing.
#[test]
fn many_hosts_with_a_route_for_all_the_rest() {
    let hosts: Vec<String> = (0..256).map(|number| format!("h{number}")).collect();
    let mut text = format!("version = 1\nhosts = {hosts:?}\n");
    let mut add = |path: &str, method: &str, host: &str| {
        writeln!(
            text,
            "[[route]]\npath = \"{path}\"\nmethods = [\"{method}\"]\ntype = \"public_read\"{host}"
        )
        .expect("written");
    };
    for host in &hosts {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            add("/{*rest}", method, &format!("\nhosts = [\"{host}\"]"));
        }
    }
    let mut open = String::new();
    for depth in 0..60 {
        write!(open, "/{{p{depth}}}").expect("written");
        add(&open, "ANY", "");
        add(&format!("{open}/"), "ANY", "");
    }
    for number in 0..5000 {
        add(&format!("/{{a}}/k{number}"), "GET", "");
    }
    fine(&text);
    let filled = format!(
        "{text}[[route]]\npath = \"{open}/{{*rest}}\"\nmethods = [\"ANY\"]\ntype = \"public_read\"\n"
    );
    let errors = Policy::parse(&filled).expect_err("no request reaches them");
    assert_eq!(errors.as_slice().len() + errors.left_out(), hosts.len() * 6);
}

/// `GET /admin` is nobody's page, and still answered: told, and refused by nobody.
#[test]
fn what_falls_through_to_a_public_route_is_told() {
    let route = |method: &str, path: &str, kind: &str| {
        format!("[[route]]\npath = \"{path}\"\nmethods = [\"{method}\"]\ntype = \"{kind}\"\n")
    };
    let told = |routes: &[(&str, &str, &str)]| -> Vec<String> {
        let routes: Vec<String> = routes
            .iter()
            .map(|(method, path, kind)| route(method, path, kind))
            .collect();
        let text = format!("version = 1\n{}", routes.concat());
        let policy = Policy::parse(&text).unwrap_or_else(|errors| panic!("{text}\n{errors}"));
        policy.notices().iter().map(ToString::to_string).collect()
    };
    let page = ("GET", "/{slug}", "public_read");
    let admin = ("POST", "/admin", "protected_mutation");
    let notices = told(&[page, admin, ("PUT", "/users", "protected_mutation")]);
    assert_eq!(notices.len(), 1, "{notices:?}");
    for words in [
        "2:1: `GET /{slug}`",
        "also answers GET of `/admin` (line 6)",
        "POST alone, and of 1 more",
    ] {
        assert!(notices[0].contains(words), "{notices:?}");
    }
    for quiet in [
        vec![page, ("POST", "/contact", "public_form")],
        vec![page, admin, ("GET", "/admin", "protected_read")],
        vec![("GET", "/{*all}", "public_read"), admin],
        vec![("GET", "/{slug}", "protected_read"), admin],
        vec![page, ("POST", "/api/admin", "protected_mutation")],
        vec![
            page,
            ("POST", "/a-{id}", "protected_mutation"),
            ("GET", "/a-{id}", "protected_read"),
        ],
        vec![
            ("GET", "/home", "public_read"),
            ("POST", "/home", "protected_mutation"),
        ],
    ] {
        assert_eq!(told(&quiet), Vec::<String>::new(), "{quiet:?}");
    }
}
