//! Cases 63 to 65: a body that the guard reads is bounded, plain and strict before anything looks at it.

use crate::support::{Gate, Setup, Upstream};

const LOGIN: &str = r#"
[limits.login]
rate = "1000 per 1m"
algorithm = "exact"
by = ["ip", "body.email"]

[[route]]
path = "/login"
methods = ["POST"]
type = "auth_op"
limits = ["login"]
body = { max = "4 KiB" }
"#;

fn guarded() -> (Gate, Upstream) {
    let upstream = Upstream::ok();
    (Setup::simple(&upstream).and(LOGIN).start(), upstream)
}

/// The status of a login with this body.
fn status(gate: &Gate, fields: &str, body: &[u8]) -> u16 {
    let head = format!(
        "POST /login HTTP/1.1\r\nHost: victim.test\r\nContent-Type: application/json\r\n{fields}Content-Length: {}\r\n\r\n",
        body.len()
    );
    gate.client().ask([head.as_bytes(), body].concat()).status
}

#[test]
fn case_63_nothing_compressed_is_unpacked() {
    let (gate, upstream) = guarded();
    for coding in ["gzip", "deflate", "br", "zstd", "identity", "gzip, gzip"] {
        let fields = format!("Content-Encoding: {coding}\r\n");
        assert_eq!(
            status(&gate, &fields, b"{\"email\":\"a@example.com\"}"),
            415,
            "{coding}"
        );
    }
    assert_eq!(status(&gate, "", &[b' '; 5000]), 413);
    assert!(upstream.requests().is_empty());
}

#[test]
fn case_64_depth_and_keys_that_stand_twice() {
    let (gate, upstream) = guarded();
    let deep = "[".repeat(1000) + &"]".repeat(1000);
    for body in [
        deep.as_str(),
        "{\"email\":\"a@example.com\",\"email\":\"b@example.com\"}",
        "{\"email\":\"a@example.com\",\"\\u0065mail\":\"b@example.com\"}",
        "{\"a\":{\"b\":1,\"b\":2}}",
        "{\"email\":\"a@example.com\"}{}",
        "\u{feff}{}",
        "{'email':1}",
        "",
    ] {
        let expected = if body.is_empty() { 200 } else { 400 };
        assert_eq!(status(&gate, "", body.as_bytes()), expected, "{body}");
    }
    assert_eq!(status(&gate, "", b"{\"email\":\"\xff\"}"), 400);
    assert_eq!(status(&gate, "", b"{\"email\":\"a@example.com\"}"), 200);
    let bodies: Vec<Vec<u8>> = upstream
        .requests()
        .into_iter()
        .map(|one| one.body)
        .collect();
    assert_eq!(
        bodies,
        [&b""[..], b"{\"email\":\"a@example.com\"}"],
        "as they came"
    );
}

#[test]
fn case_65_long_numbers() {
    let (gate, upstream) = guarded();
    for number in [
        "1".repeat(2000),
        format!("1e{}", "9".repeat(500)),
        format!("0.{}", "0".repeat(2000)),
    ] {
        assert_eq!(
            status(&gate, "", format!("{{\"n\":{number}}}").as_bytes()),
            400,
            "{number}"
        );
    }
    assert!(upstream.requests().is_empty());
}
