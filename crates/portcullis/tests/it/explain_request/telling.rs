//! How it is told, and what is never told.

use super::{JSON, json, terminal, told, usage};

#[test]
fn no_value_of_a_header_and_no_query_is_printed() {
    let args = [
        "POST",
        "/api/contact?token=hunter1",
        "-H",
        "Authorization: Bearer hunter2",
        "-H",
        "Cookie: sid=hunter3",
        "-H",
        "X-Api-Key: hunter4",
        "-H",
        "Content-Type: application/json",
        "--body",
        "small.json",
        "--times",
        "3",
    ];
    for text in [
        terminal(&args),
        terminal(&args[..args.len() - 2]),
        json(&args).to_string(),
    ] {
        assert!(!text.contains("hunter"), "{text}");
    }
    let told = usage(&["GET", "/", "-H", "Authorization: Bearer hunter2\r\nX: y"]);
    assert!(told.contains("header number 1"), "{told}");
    assert!(!told.contains("hunter"), "{told}");
}

#[test]
fn the_terminal_shows_every_step_and_the_line_behind_it() {
    let text = terminal(
        &[
            &[
                "POST",
                "/api/contact",
                "--body",
                "small.json",
                "--times",
                "3",
            ],
            &JSON[..],
        ]
        .concat(),
    );
    let expected = "\
POST /api/contact  at 2026-06-01T00:00:00Z

  head          passed         strict HTTP/1.1, 3 header fields
  request       passed         `POST /api/contact` from 192.0.2.1 for `shop.example.com`
  host          passed         `shop.example.com` is a host of the policy
  reserved      not needed     the path is none of the guard's own
  route         passed         `POST /api/contact`, a `public_form`  (portcullis.toml:19)
  internal      not needed     the route is for callers from outside
  standing      not needed     the route stands on no exception
  shape         passed         the body is of a type that the route takes, at most 1024 bytes  (portcullis.toml:19)
  head limits   refused        rate_limited: contact: none of 2 left by ip, again in 30 s  (portcullis.toml:7)

asked         3 times: 2 allowed, then 1 refused (rate_limited); this is the last
verdict       refused, 429 Too Many Requests: rate_limited by POST /api/contact  (portcullis.toml:7)
limits        contact: 2 per 1m, smooth, by ip: reached, again in 30 s  (portcullis.toml:7)

client reads  429 Too Many Requests
              Cache-Control: no-store
              X-Content-Type-Options: nosniff
              X-Frame-Options: DENY
              X-XSS-Protection: 0
              Cross-Origin-Opener-Policy: same-origin
              Cross-Origin-Resource-Policy: same-origin
              Referrer-Policy: strict-origin-when-cross-origin
              Permissions-Policy: camera=(), geolocation=(), microphone=(), usb=()
              Content-Security-Policy: default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'
              RateLimit-Policy: \"contact\";q=2;w=60
              RateLimit: \"contact\";r=0;t=30
              Retry-After: 30
              Content-Type: application/problem+json
              {\"type\":\"https://iana.org/assignments/http-problem-types#quota-exceeded\",\"title\":\"Too Many Requests\",\"status\":429}
";
    assert_eq!(text, expected);
}

#[test]
fn colours_are_for_who_asks_for_them() {
    let plain = terminal(&["GET", "/nowhere"]);
    assert!(!plain.contains('\u{1b}'));
    let coloured = terminal(&["GET", "/nowhere", "--color", "always"]);
    assert!(coloured.contains("\u{1b}[31m"), "{coloured}");
}

#[test]
fn the_same_question_gives_the_same_bytes() {
    let args = ["GET", "/api/items/7", "--as", "alice", "--times", "50"];
    let first = told(&args, &["--format", "json"]);
    assert_eq!(first, told(&args, &["--format", "json"]));
    assert!(first.starts_with("{\n  \"schema\": \"portcullis.explain/1\",\n  \"tool\": {"));
    assert!(
        json(&args)["policy_digest"]
            .as_str()
            .unwrap()
            .starts_with("sha256:")
    );
}
