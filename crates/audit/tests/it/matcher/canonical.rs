//! Paths as frameworks write them, and the templates they stand for.

use portcullis_audit::matcher::{Dialect, canonical_express, canonical_next};

#[test]
fn express_4_paths() {
    let table: [(&str, &[&str]); 20] = [
        ("/", &["/"]),
        ("", &["/"]),
        ("/users", &["/users"]),
        ("/users/", &["/users"]),
        ("/users/:id(\\d+)/files/*", &["/users/{id}/files/{*}"]),
        ("/users/:id?", &["/users/{id}", "/users"]),
        ("/:a?/:b?", &["/{a}/{b}", "/{a}", "/{b}", "/"]),
        ("/p/:path(*)", &["/p/{path}"]),
        ("/p/:path(.*)", &["/p/{*path}"]),
        ("/p/:path*", &["/p/{*path}"]),
        ("/p/:path+", &["/p/{*path}"]),
        ("/flights/:from-:to", &["/flights/{from}-{to}"]),
        ("/file.:ext?", &["/file.{ext}", "/file"]),
        ("/:lang(en|fr)/x", &["/{lang}/x"]),
        ("/n/(\\d+)", &["/n/{0}"]),
        ("/v1\\.0/x", &["/v1.0/x"]),
        ("/ab?cd", &["/abcd", "/acd"]),
        ("/ab+cd", &[]),
        ("/x(?:y)", &[]),
        ("/:id([0-9]", &[]),
    ];
    for (path, templates) in table {
        assert_eq!(
            canonical_express(path, Dialect::Express4),
            templates,
            "{path}"
        );
    }
}

#[test]
fn express_5_paths() {
    let table: [(&str, &[&str]); 9] = [
        ("/", &["/"]),
        ("/{*splat}", &["/{*splat}", "/"]),
        ("/files/*rest", &["/files/{*rest}"]),
        ("/users{/:id}", &["/users/{id}", "/users"]),
        ("/a{/:b{/:c}}", &["/a/{b}/{c}", "/a/{b}", "/a"]),
        ("/flights/:from-:to/", &["/flights/{from}-{to}"]),
        ("/x/:\"quoted\"", &["/x/{quoted}"]),
        ("/users/:id?", &[]),
        ("/*", &[]),
    ];
    for (path, templates) in table {
        assert_eq!(
            canonical_express(path, Dialect::Express5),
            templates,
            "{path}"
        );
    }
    assert!(canonical_express("/x", Dialect::Clerk).is_empty());
}

#[test]
fn next_files() {
    let table: [(&str, Option<&[&str]>); 27] = [
        ("app/page.tsx", Some(&["/"])),
        ("app/route.ts", Some(&["/"])),
        (
            "app/(shop)/api/items/[id]/[[...rest]]/route.ts",
            Some(&["/api/items/{id}/{*rest}", "/api/items/{id}"]),
        ),
        ("src/app/api/[...all]/route.js", Some(&["/api/{*all}"])),
        ("./app/[[...slug]]/page.tsx", Some(&["/{*slug}", "/"])),
        ("app/@modal/settings/page.tsx", Some(&["/settings"])),
        ("app/_lib/api/route.ts", None),
        ("app/api/_x/route.ts", None),
        ("app/%5Fx/route.ts", Some(&["/_x"])),
        (
            "app/feed/@modal/(.)photo/[id]/page.tsx",
            Some(&["/feed/photo/{id}"]),
        ),
        ("app/feed/(..)photo/[id]/page.tsx", Some(&["/photo/{id}"])),
        ("app/a/b/(..)(..)photo/page.tsx", Some(&["/photo"])),
        ("app/a/b/(...)photo/page.tsx", Some(&["/photo"])),
        ("app/feed/(.)photo/route.ts", None),
        ("app/api/items/route.test.ts", None),
        ("app/api/items/layout.tsx", None),
        ("app/page.css", None),
        ("app/api/[user-id]/route.ts", Some(&["/api/{user-id}"])),
        ("lib/route.ts", None),
        ("route.ts", None),
        ("pages/api/users/index.ts", Some(&["/api/users"])),
        ("pages/api/users/[id].ts", Some(&["/api/users/{id}"])),
        ("pages/api/[[...rest]].ts", Some(&["/api/{*rest}", "/api"])),
        ("pages/index.tsx", Some(&["/"])),
        ("pages/_app.tsx", None),
        ("pages/api/_x.ts", Some(&["/api/_x"])),
        ("pages/api/types.d.ts", None),
    ];
    for (file, paths) in table {
        let expected = paths.map(|paths| {
            paths
                .iter()
                .map(|&path| path.to_owned())
                .collect::<Vec<_>>()
        });
        assert_eq!(canonical_next(file), expected, "{file}");
    }
}
