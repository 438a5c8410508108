//! `Forwarded`, alone and beside `X-Forwarded-For`.

use portcullis_guard::canon::{Believed, ClientFault, ForwardedBy, Scheme};

use crate::client_ip::{client, is, said, trusted};

fn by_forwarded(value: &str) -> Result<String, ClientFault> {
    let line = format!("Forwarded: {value}");
    client(
        "10.0.0.1",
        &[&line],
        &trusted(&["10.0.0.0/8"]),
        ForwardedBy::Forwarded,
    )
}

#[test]
fn case_42_forwarded_is_read_strictly() {
    for (value, address) in [
        ("for=192.0.2.60", "192.0.2.60"),
        ("For=\"192.0.2.60:4711\"", "192.0.2.60"),
        ("for=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17"),
        ("for=\"[2001:db8::1]\"", "2001:db8::1"),
        ("for=192.0.2.43, for=10.0.0.2", "192.0.2.43"),
        ("for=1.1.1.1;proto=http;by=203.0.113.43", "1.1.1.1"),
        (
            "by=_x;for=1.1.1.1 ; host=a , for=\"[::ffff:10.0.0.2]\"",
            "1.1.1.1",
        ),
        ("for=\"_hidden\", for=2.2.2.2", "2.2.2.2"),
        ("for=unknown, for=2.2.2.2, for=10.0.0.2", "2.2.2.2"),
        ("proto=https, for=2.2.2.2", "2.2.2.2"),
    ] {
        assert_eq!(by_forwarded(value), is(address), "{value}");
    }
    for value in [
        "for=",
        "for",
        "=1.1.1.1",
        "for=1.1.1.1,",
        ",for=1.1.1.1",
        "for=1.1.1.1;",
        "for = 1.1.1.1",
        "for=1.1.1.1 x",
        "for=[::1]",
        "for=[2001:db8::1]:80",
        "for=1.1.1.1:80",
        "for=\"1.1.1.1",
        "for=\"1.1.1.1\"x",
        "for=1.1.1.\\1",
        "for=\"1.1.1.\\1\"",
        "for=1.1.1.1;for=2.2.2.2",
        "for=1.1.1.1;FOR=1.1.1.1",
        "",
        "for=1.1.1.1;@!=a",
        "for=\"a, for=2.2.2.2",
        "for=\"x, for=\"[2001:db8::1]\"",
    ] {
        assert_eq!(
            by_forwarded(value),
            Err(ClientFault::ForwardedMalformed),
            "{value}"
        );
    }
    for value in [
        "for=_hidden",
        "for=unknown",
        "for=\"_a:80\"",
        "proto=https",
        "for=\"\"",
        "for=\"2001:db8::1\"",
        "for=nope",
        "for=\"[fe80::1%eth0]\"",
        "for=2.2.2.2, for=_x, for=10.0.0.2",
        "for=\"0.0.0.0\"",
    ] {
        assert_eq!(by_forwarded(value), Err(ClientFault::Unreadable), "{value}");
    }
}

#[test]
fn the_scheme_and_host_of_forwarded_are_the_nearest_proxys() {
    let read = |value: &str| {
        let line = format!("Forwarded: {value}");
        let lines = [&line, "X-Forwarded-Proto: gopher"];
        said(&lines, Believed::all(ForwardedBy::Forwarded))
    };
    let value = "for=1.1.1.1;proto=http;host=evil.example.com, for=2.2.2.2;proto=https;host=\"shop.example.com:1\"";
    assert_eq!(
        read(value),
        Ok((Some(Scheme::Https), Some("shop.example.com:1".to_owned())))
    );
    assert_eq!(
        read("for=1.1.1.1;proto=http, for=2.2.2.2"),
        Ok((None, None))
    );
    assert_eq!(
        read("for=1.1.1.1;proto=ws"),
        Err(ClientFault::SchemeMalformed)
    );
    assert_eq!(
        read("for=1.1.1.1;host=\"a/b\""),
        Err(ClientFault::HostMalformed)
    );
}

#[test]
fn two_fields_that_have_to_agree() {
    let both = |lines: &[&str]| {
        client(
            "10.0.0.1",
            lines,
            &trusted(&["10.0.0.0/8"]),
            ForwardedBy::Both,
        )
    };
    assert_eq!(
        both(&["X-Forwarded-For: 1.1.1.1", "Forwarded: for=\"1.1.1.1:80\""]),
        is("1.1.1.1")
    );
    assert_eq!(both(&[]), is("10.0.0.1"));
    for lines in [
        ["X-Forwarded-For: 1.1.1.1", "Forwarded: for=1.1.1.2"],
        ["X-Forwarded-For: 1.1.1.1", "Accept: */*"],
        ["Accept: */*", "Forwarded: for=1.1.1.2"],
    ] {
        assert_eq!(both(&lines), Err(ClientFault::Disagreement), "{lines:?}");
    }
    let schemes = [
        "X-Forwarded-For: 1.1.1.1",
        "X-Forwarded-Proto: http",
        "Forwarded: for=1.1.1.1;proto=https",
    ];
    assert_eq!(both(&schemes), Err(ClientFault::Disagreement));
    let hosts = [
        "X-Forwarded-For: 1.1.1.1",
        "X-Forwarded-Host: a",
        "Forwarded: for=1.1.1.1;host=b",
    ];
    assert_eq!(both(&hosts), Err(ClientFault::Disagreement));
}
