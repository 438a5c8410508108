//! What is read out of a `Set-Cookie` field, and which of them no application may send.

use portcullis_guard::canon::{ATTRIBUTE_BYTES_MAX, COOKIE_BYTES_MAX, SetCookie};
use proptest::prelude::*;

fn attributes(field: &str) -> Vec<(String, String)> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    SetCookie::read(field.as_bytes())
        .attributes()
        .map(|one| (text(one.name), text(one.value)))
        .collect()
}

#[test]
fn the_pair_is_what_stands_before_the_first_semicolon() {
    for (field, name, value) in [
        ("sid=1", "sid", "1"),
        ("sid=1; Path=/", "sid", "1"),
        (" \tsid \t=\t 1 \t;x", "sid", "1"),
        ("sid=a=b==", "sid", "a=b=="),
        ("sid=\"a b\"", "sid", "\"a b\""),
        ("sid=\"a;b\"", "sid", "\"a"),
        ("sid=", "sid", ""),
        ("=1", "", "1"),
        ("sid", "", "sid"),
        ("", "", ""),
        (";sid=1", "", ""),
        ("a=1, b=2", "a", "1, b=2"),
    ] {
        let cookie = SetCookie::read(field.as_bytes());
        assert_eq!(cookie.name(), name.as_bytes(), "{field}");
        assert_eq!(cookie.value(), value.as_bytes(), "{field}");
    }
}

#[test]
fn attributes_stand_in_their_order() {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(attributes("a=1"), []);
    assert_eq!(attributes("a=1;;; ;=x"), []);
    assert_eq!(
        attributes("a=1; Path = /x ; secure;Path=/y=z;"),
        [pair("Path", "/x"), pair("secure", ""), pair("Path", "/y=z")]
    );
    let long = "/".repeat(ATTRIBUTE_BYTES_MAX);
    assert_eq!(
        attributes(&format!("a=1; Path={long}")),
        [pair("Path", &long)]
    );
    assert_eq!(attributes(&format!("a=1; Path={long}/")), []);
}

#[test]
fn a_browser_keeps_no_more_than_so_many_bytes() {
    let field = format!("a={}", "x".repeat(COOKIE_BYTES_MAX - 1));
    assert!(!SetCookie::read(field.as_bytes()).is_too_long());
    assert!(SetCookie::read((field + "x").as_bytes()).is_too_long());
}

#[test]
fn a_cookie_of_the_guard_is_told_in_every_spelling() {
    for field in [
        "__Host-pc-sid=x; Secure; Path=/",
        "__Host-pc-=x",
        "__Host-pc-csrf-01234567=",
        "__Host-pc-sid=; Max-Age=0",
        "__host-PC-SID=x",
        "__HOST-pc-sid=x; Domain=example.com",
        " \t__Host-pc-sid =x",
        // Without a name a browser sends the value alone.
        "__Host-pc-sid",
        "=__Host-pc-sid=x",
        " = __Host-pc-sid=x; Secure",
        "==__Host-pc-sid=x",
        // What servers are known to leave away from around a name.
        "\"__Host-pc-sid\"=x",
        "\u{2000}__Host-pc-sid=x",
        "\u{a0}__Host-pc-sid=x",
        "\u{b}__Host-pc-sid=x",
        "\r\n__Host-pc-sid=x",
        "\0__Host-pc-sid=x",
        ",__Host-pc-sid=x",
    ] {
        assert!(SetCookie::read(field.as_bytes()).is_own(), "{field:?}");
    }
    for field in [
        "",
        "=",
        ";__Host-pc-sid=x",
        "sid=__Host-pc-sid=x",
        "sid=1; __Host-pc-sid=x",
        "a=1, __Host-pc-sid=x",
        "__Host-sid=x",
        "__Host-pc",
        "__Secure-pc-sid=x",
        "x__Host-pc-sid=x",
        "_Host-pc-sid=x",
        "pc-sid=x",
        // No browser undoes escapes in a name.
        "__Host%2dpc-sid=x",
    ] {
        assert!(!SetCookie::read(field.as_bytes()).is_own(), "{field:?}");
    }
}

#[test]
fn the_value_is_not_shown() {
    let shown = format!("{:?}", SetCookie::read(b"sid=topsecret; Path=/hidden"));
    assert!(shown.contains("sid") && !shown.contains("secret") && !shown.contains("hidden"));
}

proptest! {
    #[test]
    fn attributes_change_nothing_about_whose_cookie_it_is(
        name in "[ \t\"]{0,3}(__Host-pc-|__Host-)?[a-z\u{e9}]{0,4}",
        value in "[ -~&&[^;]]{0,8}",
        attributes in "[ -~]{0,20}",
    ) {
        let pair = format!("{name}={value}");
        let alone = SetCookie::read(pair.as_bytes());
        let field = format!("{pair};{attributes}");
        let whole = SetCookie::read(field.as_bytes());
        prop_assert_eq!((alone.name(), alone.value()), (whole.name(), whole.value()));
        prop_assert_eq!(alone.is_own(), whole.is_own());
        let other_case = field.to_ascii_uppercase();
        prop_assert_eq!(alone.is_own(), SetCookie::read(other_case.as_bytes()).is_own());
    }
}
