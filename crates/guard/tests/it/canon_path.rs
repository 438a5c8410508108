//! Paths and targets: the cases of path identity.

use portcullis_guard::canon::{CanonPath, HostName, PathFault, Target};
use portcullis_guard::http1::{HeadBounds, HeadFault, parse_request_head};
use portcullis_policy::{Method, PathTemplate};

use crate::http1_made::{refused, request};

fn canonical(path: &str) -> String {
    CanonPath::parse(path.as_bytes())
        .unwrap_or_else(|fault| panic!("{path}: {fault}"))
        .to_string()
}

/// Each path is refused for this reason, and the policy's templates match none of them either.
fn all_refused(paths: &[&str], reason: PathFault) {
    let any = PathTemplate::parse("/{*rest}").unwrap();
    for path in paths {
        assert_eq!(CanonPath::parse(path.as_bytes()), Err(reason), "{path}");
        assert_eq!(reason.status(), 400);
        assert!(!any.matches(path), "the policy takes {path}");
    }
}

fn target(raw: &str, host: &str) -> Result<Vec<u8>, PathFault> {
    let host = HostName::parse(host.as_bytes()).unwrap();
    let target = Target::parse(raw.as_bytes(), Method::Get, &host)?;
    let mut out = Vec::new();
    target.write_to(&mut out);
    Ok(out)
}

#[test]
fn case_01_dot_dot() {
    all_refused(
        &[
            "/public/../admin",
            "/..",
            "/../",
            "/a/..",
            "/a/./b",
            "/.",
            "/./a",
            "/a/.",
        ],
        PathFault::DotSegment,
    );
    for path in [
        "/...",
        "/a/.well-known",
        "/a../b",
        "/..a",
        "/a.b",
        "/.a/..b",
    ] {
        assert_eq!(canonical(path), path);
    }
}

#[test]
fn case_02_dots_as_escapes() {
    all_refused(
        &[
            "/public/%2e%2e/admin",
            "/%2E./a",
            "/.%2e/a",
            "/%2e",
            "/a%2eb",
            "/%2E%2E",
        ],
        PathFault::EscapeHidden,
    );
}

#[test]
fn case_03_encoded_slash_before_dot_dot() {
    all_refused(
        &["/a%2F..%2Fadmin", "/public/..%2fadmin"],
        PathFault::EscapeHidden,
    );
}

#[test]
fn case_04_encoded_slash_in_both_cases() {
    all_refused(&["/a%2fb", "/a%2Fb"], PathFault::EscapeHidden);
}

#[test]
fn case_05_two_slashes_are_no_authority() {
    all_refused(
        &["//admin", "//evil.example.com/admin"],
        PathFault::EmptySegment,
    );
    assert_eq!(
        target("//evil.example.com/", "shop.example.com"),
        Err(PathFault::EmptySegment)
    );
}

#[test]
fn case_06_duplicate_slashes() {
    all_refused(&["/a//b", "/a//", "//", "/a///b"], PathFault::EmptySegment);
    assert_eq!(canonical("/a/"), "/a/");
}

#[test]
fn case_07_dot_dot_with_parameter() {
    all_refused(
        &["/public/..;x=y/admin", "/..;/admin", "/.;/a"],
        PathFault::Byte,
    );
}

#[test]
fn case_08_path_parameter() {
    all_refused(&["/admin;x=y", "/;/admin", "/a;"], PathFault::Byte);
    all_refused(&["/admin%3bx", "/admin%3Bx"], PathFault::EscapeHidden);
}

#[test]
fn case_09_fragment() {
    all_refused(&["/public#/../admin", "/admin#"], PathFault::Byte);
    all_refused(&["/public%23/admin"], PathFault::EscapeHidden);
    assert_eq!(target("/a?b#c", "shop.example.com"), Err(PathFault::Query));
    assert_eq!(target("/a#b?c", "shop.example.com"), Err(PathFault::Byte));
}

#[test]
fn case_10_query_is_never_part_of_the_path() {
    let host = HostName::parse(b"shop.example.com").unwrap();
    let target = Target::parse(b"/login?next=/public/../admin?x", Method::Get, &host).unwrap();
    assert_eq!(target.path().unwrap().as_str(), "/login");
    assert_eq!(target.query().unwrap().as_str(), "next=/public/../admin?x");
    assert_eq!(CanonPath::parse(b"/login?next"), Err(PathFault::Byte));
    let empty = Target::parse(b"/login?", Method::Get, &host).unwrap();
    assert_eq!(empty.query().map(|query| query.as_str().len()), Some(0));
    let mut out = Vec::new();
    empty.write_to(&mut out);
    assert_eq!(out, b"/login?");
}

#[test]
fn case_11_backslash() {
    all_refused(&["/a%5c..%5cadmin", "/a%5Cb"], PathFault::EscapeHidden);
    all_refused(&["/a\\b", "/\\evil.example.com"], PathFault::Byte);
}

#[test]
fn case_12_star_in_a_path_is_only_a_star() {
    assert_eq!(canonical("/items/*"), "/items/%2A");
    assert_eq!(canonical("/items/%2a"), "/items/%2A");
    let literal = PathTemplate::parse("/items/all").unwrap();
    assert!(!literal.matches(&canonical("/items/*")));
    let star = PathTemplate::parse("/items/%2a").unwrap();
    assert!(star.matches("/items/*") && star.matches(&canonical("/items/*")));
}

#[test]
fn case_13_missing_slash() {
    all_refused(&["admin", "", "%2fadmin", "a/b"], PathFault::Form);
    assert_eq!(target("admin", "shop.example.com"), Err(PathFault::Form));
    assert_eq!(target("?a", "shop.example.com"), Err(PathFault::Form));
}

#[test]
fn case_14_broken_escapes() {
    all_refused(
        &["/%", "/a%2", "/%zz", "/%2/", "/%%41", "/%u0041", "/%+1"],
        PathFault::EscapeBroken,
    );
    for target in [
        "http:/a",
        "http:///a",
        "http://",
        "http://shop.example.com",
        "h://shop.example.com/",
    ] {
        assert!(matches!(
            self::target(target, "shop.example.com"),
            Err(PathFault::Form | PathFault::Authority)
        ));
    }
}

#[test]
fn case_15_what_is_forwarded_is_what_was_matched() {
    for (raw, forwarded) in [
        ("/static/%61dmin?x=%2e", "/static/admin?x=%2e"),
        ("/a%c3%a9", "/a%C3%A9"),
        ("/plain", "/plain"),
        ("http://SHOP.example.com/%7euser", "/~user"),
    ] {
        assert_eq!(
            target(raw, "shop.example.com").unwrap(),
            forwarded.as_bytes()
        );
    }
}

#[test]
fn case_16_trailing_slash_and_letter_case_count() {
    assert_ne!(canonical("/items"), canonical("/items/"));
    assert_ne!(canonical("/Items"), canonical("/items"));
    let path = CanonPath::parse(b"/items/").unwrap();
    assert_eq!(path.segments().collect::<Vec<_>>(), ["items", ""]);
    let root = CanonPath::parse(b"/").unwrap();
    assert_eq!(root.segments().collect::<Vec<_>>(), [""]);
}

#[test]
fn case_17_variants_of_frameworks_are_other_paths() {
    let template = PathTemplate::parse("/dashboard").unwrap();
    for path in [
        "/dashboard.rsc",
        "/dashboard.segments/a.segment.rsc",
        "/dashboard.txt",
    ] {
        assert!(!template.matches(&canonical(path)), "{path}");
    }
}

#[test]
fn case_18_crafted_paths_match_by_their_canonical_text_only() {
    let admin = PathTemplate::parse("/admin/{*rest}").unwrap();
    assert!(admin.matches(&canonical("/%61dmin/users")));
    assert!(admin.matches(&canonical("/admi%6E/users")));
    assert_eq!(
        CanonPath::parse(b"/%2561dmin/users"),
        Err(PathFault::EscapeHidden)
    );
}

#[test]
fn case_19_escapes_are_undone_once() {
    all_refused(
        &["/%252e%252e/admin", "/%25", "/a%252fb"],
        PathFault::EscapeHidden,
    );
}

#[test]
fn case_20_nul_overlong_and_other_encodings() {
    all_refused(
        &["/a%00", "/a%0a", "/a%0d%0aHost:x", "/%7f", "/%1b"],
        PathFault::EscapeHidden,
    );
    all_refused(
        &[
            "/%C0%AE%C0%AE/admin",
            "/%C0%AF",
            "/%E0%80%AF",
            "/%F0%80%80%AF",
            "/%FF",
            "/a%C3",
            "/%C3/%A9",
            "/%C3a%A9",
            "/%80",
            "/%ED%A0%80",
            "/%F4%90%80%80",
        ],
        PathFault::EscapeEncoding,
    );
    for raw in [
        &b"/\xc3\xa9"[..],
        b"/\x00",
        b"/\xff",
        b"/a b",
        b"/a\t",
        b"/\x7f",
    ] {
        assert_eq!(
            CanonPath::parse(raw),
            Err(PathFault::Byte),
            "{}",
            raw.escape_ascii()
        );
    }
    assert_eq!(
        canonical("/%e2%82%ac/%F0%9F%98%80"),
        "/%E2%82%AC/%F0%9F%98%80"
    );
}

#[test]
fn case_21_connect_and_no_path() {
    assert_eq!(
        request(b"CONNECT shop.example.com:443 HTTP/1.1\r\nHost: shop.example.com\r\n\r\n"),
        Err(HeadFault::MethodRefused)
    );
    assert_eq!(
        refused(b"GET  HTTP/1.1\r\nHost: a\r\n\r\n"),
        "request_line_malformed"
    );
    assert_eq!(
        refused(b"GET HTTP/1.1\r\nHost: a\r\n\r\n"),
        "request_line_malformed"
    );
    for raw in ["shop.example.com:443", "*", "shop.example.com"] {
        assert_eq!(target(raw, "shop.example.com"), Err(PathFault::Form));
    }
    let host = HostName::parse(b"shop.example.com").unwrap();
    assert_eq!(
        Target::parse(b"*", Method::Options, &host),
        Ok(Target::Server)
    );
}

#[test]
fn case_22_whole_address_and_host_field() {
    let take = |raw| target(raw, "shop.example.com:8443");
    assert_eq!(take("http://shop.example.com:8443/a?b").unwrap(), b"/a?b");
    assert_eq!(take("HTTPS://SHOP.example.com:8443/").unwrap(), b"/");
    for other in [
        "http://shop.example.com/",
        "http://evil.example.com:8443/",
        "http://shop.example.com:8443./",
        "http://user@shop.example.com:8443/",
        "http://shop.example.com:08443/",
        "http:///a",
        "http://shop.example.com%3a8443/",
    ] {
        assert_eq!(take(other), Err(PathFault::Authority), "{other}");
    }
    for other in [
        "http://shop.example.com:8443",
        "http://shop.example.com:8443?a",
        "ftp://shop.example.com:8443/",
    ] {
        assert_eq!(take(other), Err(PathFault::Form), "{other}");
    }
    assert_eq!(
        take("http://shop.example.com:8443//a"),
        Err(PathFault::EmptySegment)
    );
}

#[test]
fn a_path_over_the_bound_is_414() {
    let long = format!("/{}", "a".repeat(CanonPath::BYTES_MAX));
    assert_eq!(CanonPath::parse(long.as_bytes()), Err(PathFault::TooLong));
    assert_eq!(PathFault::TooLong.status(), 414);
    assert!(CanonPath::parse(&long.as_bytes()[..CanonPath::BYTES_MAX]).is_ok());
    // What is forwarded counts, too: three bytes for each of these.
    let stars = format!("/{}", "*".repeat(CanonPath::BYTES_MAX / 3 + 1));
    assert_eq!(CanonPath::parse(stars.as_bytes()), Err(PathFault::TooLong));
    assert!(CanonPath::parse(&stars.as_bytes()[..CanonPath::BYTES_MAX / 3]).is_ok());
    let line = format!("GET {long} HTTP/1.1\r\nHost: a\r\n\r\n");
    let fault = parse_request_head(line.as_bytes(), &HeadBounds::STANDARD).unwrap_err();
    assert_eq!((fault, fault.status()), (HeadFault::TargetTooLong, 414));
}

#[test]
fn a_canonical_path_is_not_copied() {
    for path in ["/", "/items/42", "/a%20b/%C3%A9", "/a@b:c,d=e!&'~_-."] {
        assert!(
            CanonPath::parse(path.as_bytes()).unwrap().is_borrowed(),
            "{path}"
        );
    }
    let changed = CanonPath::parse(b"/%41").unwrap();
    assert!(!changed.is_borrowed());
    assert_eq!(changed.into_owned().as_str(), "/A");
}
