//! The header fields of answers: what the application sent, a policy, a sort of answer and a scheme, and exactly what
//! comes of them.

use std::net::IpAddr;

use portcullis_guard::answer::{Audience, Caching, Nonce};
use portcullis_guard::http1::ResponseFault;
use portcullis_guard::plan::Plan;
use portcullis_guard::request::RequestView;
use portcullis_policy::Method;
use proptest::prelude::*;

use crate::core_made::plan;
use crate::http1_made::{request, response, with};

/// The policy of the tests stands behind a proxy that speaks TLS.
pub(crate) fn behind_tls(lines: &str) -> Plan {
    plan(&format!("trusted_proxies = [\"192.0.2.0/24\"]\n{lines}"))
}

/// Who the answer to a GET with these lines is for.
pub(crate) fn audience(plan: &Plan, lines: &[&str], https: bool) -> Audience {
    let peer: IpAddr = if https { "192.0.2.1" } else { "203.0.113.1" }
        .parse()
        .unwrap();
    let mut all = vec!["X-Forwarded-For: 203.0.113.9"];
    all.extend(lines);
    let buf = with("GET / HTTP/1.1", &all);
    let head = request(&buf).unwrap();
    let view = RequestView::read(plan, &head, &buf, peer).unwrap();
    plan.answer.audience(&view)
}

/// The lines of an answer that an application sent so.
pub(crate) fn relayed(
    plan: &Plan,
    audience: Audience,
    caching: Caching,
    sent: &str,
) -> Result<Vec<String>, ResponseFault> {
    let buf = format!("{sent}\r\n\r\n").into_bytes();
    let head = response(&buf, Method::Get).unwrap();
    let mut out = Vec::new();
    plan.answer
        .write_relayed(&mut out, &head, &buf, audience, caching)?;
    Ok(lines(&out))
}

/// The lines of an answer of the guard's own.
pub(crate) fn own(plan: &Plan, audience: Audience) -> Vec<String> {
    let mut out = Vec::new();
    plan.answer.write_own(&mut out, audience);
    lines(&out)
}

fn lines(out: &[u8]) -> Vec<String> {
    let text = std::str::from_utf8(out).unwrap();
    assert!(text.is_empty() || text.ends_with("\r\n"), "{text}");
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for line in &lines {
        assert!(
            !line.contains(['\r', '\n']) && line.contains(": "),
            "{line}"
        );
    }
    lines
}

/// What answers always have.
const ALWAYS: [&str; 5] = [
    "X-Content-Type-Options: nosniff",
    "X-Frame-Options: DENY",
    "X-XSS-Protection: 0",
    "Cross-Origin-Opener-Policy: same-origin",
    "Cross-Origin-Resource-Policy: same-origin",
];
const REFERRER: &str = "Referrer-Policy: strict-origin-when-cross-origin";
const PERMISSIONS: &str = "Permissions-Policy: camera=(), geolocation=(), microphone=(), usb=()";
const HSTS: &str = "Strict-Transport-Security: max-age=31536000";
const PAGE: &str =
    "Content-Security-Policy: base-uri 'none'; object-src 'none'; frame-ancestors 'none'";
const DATA: &str = "Content-Security-Policy: default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The set with some lines behind it.
fn set(more: &[&str]) -> Vec<String> {
    let all = ALWAYS.iter().chain(&[REFERRER, PERMISSIONS]).chain(more);
    all.map(|line| (*line).to_owned()).collect()
}

fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort();
    lines
}

#[test]
fn each_sort_of_answer_has_its_set() {
    let plan = behind_tls("");
    for (sent, more) in [
        (
            "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8",
            vec![PAGE],
        ),
        ("HTTP/1.1 500 Oops\r\nContent-Type: TEXT/HTML", vec![PAGE]),
        (
            "HTTP/1.1 200 OK\r\nContent-Type: application/json",
            vec![DATA],
        ),
        ("HTTP/1.1 200 OK\r\nContent-Type: text/plain", vec![DATA]),
        ("HTTP/1.1 204 No Content", vec![DATA]),
        ("HTTP/1.1 200 OK\r\nContent-Type: text/javascript", vec![]),
        ("HTTP/1.1 200 OK\r\nContent-Type: image/png", vec![]),
        (
            "HTTP/1.1 200 OK\r\nContent-Type: image/svg+xml",
            vec![
                "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            ],
        ),
        // A field of a 304 replaces that of the page which the browser has.
        ("HTTP/1.1 304 Not Modified\r\nETag: \"a\"", vec![]),
        (
            "HTTP/1.1 304 Not Modified\r\nContent-Type: text/html",
            vec![],
        ),
        // Two types are two answers to two readers.
        (
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Type: text/html",
            vec![DATA],
        ),
    ] {
        for https in [false, true] {
            let audience = audience(&plan, &[], https);
            let got = relayed(&plan, audience, Caching::ByRequest, sent).unwrap();
            let mut more = more.clone();
            more.extend(https.then_some(HSTS));
            let theirs =
                |line: &&String| !line.starts_with("Content-Type: ") && !line.starts_with("ETag: ");
            let got: Vec<String> = got.iter().filter(theirs).cloned().collect();
            assert_eq!(sorted(got), sorted(set(&more)), "{sent} {https}");
        }
    }
}

#[test]
fn answers_of_our_own_have_the_set() {
    let plan = behind_tls("");
    for https in [false, true] {
        let mut more = vec![DATA];
        more.extend(https.then_some(HSTS));
        let got = own(&plan, audience(&plan, &[], https));
        assert_eq!(sorted(got), sorted(set(&more)));
    }
    let got = own(&Plan::closed(), Audience::default());
    assert_eq!(sorted(got), sorted(set(&[DATA])));
    let strict = behind_tls("profile = \"strict\"");
    let got = own(&strict, audience(&strict, &[], true));
    assert!(
        got.contains(&format!("{HSTS}; includeSubDomains")),
        "{got:?}"
    );
}

/// What stands of a field that both have: `ours` is what the guard would say, `theirs` what the application said.
#[test]
fn what_the_application_says_as_well() {
    let plan = behind_tls("");
    let answer = |https, sent: &str| {
        let sent = format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n{sent}");
        let audience = audience(&plan, &[], https);
        relayed(&plan, audience, Caching::ByRequest, &sent).unwrap()
    };
    let all = |lines: &[String], name: &str| -> Vec<String> {
        let named = lines.iter().filter_map(|line| line.split_once(": "));
        let named = named.filter(|(one, _)| one.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.to_owned()).collect()
    };
    for (https, sent, stands) in [
        // There is none stricter.
        (true, "x-frame-options: SAMEORIGIN", &["DENY"][..]),
        (true, "X-XSS-Protection: 1; mode=block", &["0"]),
        (true, "X-Content-Type-Options: sniff", &["nosniff"]),
        (
            true,
            "Cross-Origin-Opener-Policy: unsafe-none",
            &["same-origin"],
        ),
        (
            true,
            "Cross-Origin-Resource-Policy: cross-origin",
            &["same-origin"],
        ),
        // Only the application knows.
        (true, "referrer-policy: no-referrer", &["no-referrer"]),
        (
            true,
            "Permissions-Policy: camera=(self)",
            &["camera=(self)"],
        ),
        (
            true,
            "Content-Security-Policy: default-src *",
            &["default-src *"],
        ),
        (
            true,
            "Content-Security-Policy: default-src 'self'\r\ncontent-security-policy: img-src *",
            &["default-src 'self'", "img-src *"],
        ),
        // As long as ours, once, and by TLS.
        (
            true,
            "Strict-Transport-Security: max-age=63072000; preload",
            &["max-age=63072000; preload"],
        ),
        (
            true,
            "Strict-Transport-Security: max-age=0",
            &["max-age=31536000"],
        ),
        (
            true,
            "strict-transport-security: nonsense",
            &["max-age=31536000"],
        ),
        (
            true,
            "Strict-Transport-Security: max-age=0\r\nStrict-Transport-Security: max-age=63072000\r\nStrict-Transport-Security: max-age=31536001",
            &["max-age=63072000"],
        ),
        (false, "Strict-Transport-Security: max-age=63072000", &[]),
        (true, "Server: nginx", &[]),
        (true, "X-Powered-By: Express", &[]),
        // What goes no further counts for nothing.
        (
            true,
            "Connection: referrer-policy\r\nReferrer-Policy: unsafe-url",
            &["strict-origin-when-cross-origin"],
        ),
    ] {
        let name = sent.lines().last().unwrap().split_once(':').unwrap().0;
        assert_eq!(all(&answer(https, sent), name), stands, "{sent}");
    }
}

#[test]
fn rules_of_the_policy() {
    let rules = r#"
[headers]
x-frame-options = { set = "SAMEORIGIN" }
permissions-policy = { append = "payment=()" }
referrer-policy = "keep"
cross-origin-opener-policy = { set = "same-origin-allow-popups" }
strict-transport-security = "keep"
server = "keep"
x-powered-by = { set = "portcullis" }
x-extra = { append = "ours" }
"#;
    let plan = behind_tls(rules);
    let sent = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nX-Frame-Options: DENY\r\nPermissions-Policy: camera=(self)\r\nServer: theirs\r\nX-Powered-By: PHP\r\nX-Extra: theirs";
    let https = audience(&plan, &[], true);
    let got = relayed(&plan, https, Caching::ByRequest, sent).unwrap();
    let expected = [
        "Content-Type: text/html",
        "Permissions-Policy: camera=(self)",
        "Server: theirs",
        "X-Extra: theirs",
        "X-Content-Type-Options: nosniff",
        "X-Frame-Options: SAMEORIGIN",
        "X-XSS-Protection: 0",
        "Cross-Origin-Opener-Policy: same-origin-allow-popups",
        "Cross-Origin-Resource-Policy: same-origin",
        "Permissions-Policy: payment=()",
        "x-extra: ours",
        "x-powered-by: portcullis",
        // It follows the field that it replaces.
        "Content-Security-Policy: base-uri 'none'; object-src 'none'; frame-ancestors 'self'",
    ];
    assert_eq!(sorted(got), sorted(expected.map(str::to_owned).to_vec()));
    // Of ours there is no other to keep, and for a year nobody is bound who did not say so.
    let got = own(&plan, https);
    let expected = [
        "X-Content-Type-Options: nosniff",
        "X-Frame-Options: SAMEORIGIN",
        "X-XSS-Protection: 0",
        "Cross-Origin-Opener-Policy: same-origin-allow-popups",
        "Cross-Origin-Resource-Policy: same-origin",
        REFERRER,
        "Permissions-Policy: payment=()",
        "x-extra: ours",
        "x-powered-by: portcullis",
        "Content-Security-Policy: default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
    ];
    assert_eq!(sorted(got), sorted(expected.map(str::to_owned).to_vec()));
    let keeps = behind_tls("[headers]\nx-frame-options = \"keep\"");
    let got = relayed(&keeps, https, Caching::ByRequest, "HTTP/1.1 200 OK").unwrap();
    assert!(!got.iter().any(|line| line.contains("X-Frame-Options")));
    assert!(
        !got.iter().any(|line| line.contains("frame-ancestors")),
        "{got:?}"
    );
    let set = behind_tls("[headers]\nstrict-transport-security = { set = \"max-age=63072000\" }");
    for https in [false, true] {
        let sent = "HTTP/1.1 200 OK\r\nStrict-Transport-Security: max-age=99999999";
        let got = relayed(&set, audience(&set, &[], https), Caching::ByRequest, sent).unwrap();
        let got: Vec<&String> = got
            .iter()
            .filter(|line| line.starts_with("Strict-T"))
            .collect();
        let expected = ["Strict-Transport-Security: max-age=63072000"];
        assert_eq!(got, &expected[..usize::from(https)]);
    }
}

#[test]
fn a_stated_policy_is_for_pages_and_reports_first() {
    let policies = |lines: &str, nonce: Option<Nonce>, sent: &str| -> Vec<String> {
        let plan = behind_tls(lines);
        assert_eq!(plan.answer.wants_nonce(), nonce.is_some());
        let mut audience = audience(&plan, &[], true);
        if let Some(nonce) = nonce {
            audience = audience.with_nonce(nonce);
        }
        let got = relayed(&plan, audience, Caching::ByRequest, sent).unwrap();
        let is_policy = |line: &&String| line.to_lowercase().starts_with("content-security");
        got.iter().filter(is_policy).cloned().collect()
    };
    let page = "HTTP/1.1 200 OK\r\nContent-Type: text/html";
    let own = format!("{page}\r\nContent-Security-Policy: default-src *");
    let reported = "[csp]\npolicy = \"default-src 'self'\"";
    let report = "Content-Security-Policy-Report-Only: default-src 'self'; base-uri 'none'; frame-ancestors 'none'";
    assert_eq!(policies(reported, None, page), [PAGE, report]);
    let theirs = "Content-Security-Policy: default-src *";
    assert_eq!(policies(reported, None, &own), [theirs, report]);
    let enforced = format!("{reported}\nreport_only = false");
    let ours =
        "Content-Security-Policy: default-src 'self'; base-uri 'none'; frame-ancestors 'none'";
    assert_eq!(policies(&enforced, None, page), [ours]);
    // A browser obeys both, so neither loosens the other.
    assert_eq!(policies(&enforced, None, &own), [theirs, ours]);
    for sent in [
        "HTTP/1.1 304 Not Modified\r\nContent-Type: text/html",
        "HTTP/1.1 200 OK\r\nContent-Type: text/css",
    ] {
        assert_eq!(policies(&enforced, None, sent), [""; 0], "{sent}");
    }
    let json = "HTTP/1.1 200 OK\r\nContent-Type: application/json";
    assert_eq!(policies(&enforced, None, json), [DATA]);
    let with_nonce = "[csp]\npolicy = \"script-src 'nonce-{nonce}' 'strict-dynamic'; style-src 'nonce-{nonce}'\"\nreport_only = false\nnonce = true";
    let nonce = Nonce::of([0; 18]);
    let word = "A".repeat(24);
    assert_eq!(
        policies(with_nonce, Some(nonce), page),
        [format!(
            "Content-Security-Policy: script-src 'nonce-{word}' 'strict-dynamic'; style-src 'nonce-{word}'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'"
        )]
    );
    assert_eq!(policies(with_nonce, Some(nonce), json), [DATA]);
    // What it speaks of is as it says.
    let all =
        "Base-URI 'self'; object-src blob:; frame-ancestors https://a.example; script-src 'self';";
    let stated = format!("[csp]\npolicy = \"{all}\"\nreport_only = false");
    let line = format!("Content-Security-Policy: {}", all.trim_end_matches(';'));
    assert_eq!(policies(&stated, None, page), [line]);
    let framed = format!("{enforced}\n[headers]\nx-frame-options = \"keep\"");
    let line = "Content-Security-Policy: default-src 'self'; base-uri 'none'";
    assert_eq!(policies(&framed, None, page), [line]);
}

#[test]
fn what_nobody_may_keep() {
    let plan = behind_tls("");
    let appended = behind_tls("[headers]\ncache-control = { append = \"no-transform\" }");
    let set = behind_tls("[headers]\ncache-control = { set = \"no-cache\" }");
    let keeps = behind_tls("[headers]\ncache-control = \"keep\"");
    let said = "max-age=60";
    let cookie = &["Cookie: a=b"][..];
    let bearer = &["Authorization: Bearer a"][..];
    for (plan, caching, bears, unsaid, when_said) in [
        (&plan, Caching::ByRequest, &[][..], &[][..], &[said][..]),
        (&plan, Caching::ByRequest, cookie, &["no-store"], &[said]),
        (
            &plan,
            Caching::ByRequest,
            bearer,
            &["no-store"],
            &["no-store"],
        ),
        (&plan, Caching::Private, &[], &["no-store"], &["no-store"]),
        (
            &plan,
            Caching::Private,
            bearer,
            &["no-store"],
            &["no-store"],
        ),
        (&plan, Caching::Shared, cookie, &[], &[said]),
        (&plan, Caching::Shared, bearer, &[], &[said]),
        (
            &appended,
            Caching::ByRequest,
            &[],
            &["no-transform"],
            &[said, "no-transform"],
        ),
        (
            &appended,
            Caching::Private,
            &[],
            &["no-store", "no-transform"],
            &["no-store", "no-transform"],
        ),
        (&set, Caching::Private, &[], &["no-cache"], &["no-cache"]),
        (&keeps, Caching::Private, bearer, &[], &[said]),
    ] {
        let audience = audience(plan, bears, true);
        for (sent, expected) in [
            ("HTTP/1.1 200 OK".to_owned(), unsaid),
            (
                format!("HTTP/1.1 200 OK\r\ncache-control: {said}"),
                when_said,
            ),
        ] {
            let got = relayed(plan, audience, caching, &sent).unwrap();
            let got: Vec<&str> = got
                .iter()
                .filter_map(|line| line.split_once(": "))
                .filter(|(name, _)| name.eq_ignore_ascii_case("cache-control"))
                .map(|(_, value)| value)
                .collect();
            assert_eq!(got, expected, "{sent} {caching:?} {bears:?}");
        }
    }
}

/// Case 112: no answer leads to a place that two readers take for two.
#[test]
fn where_an_answer_may_lead() {
    let plan = behind_tls("");
    let audience = audience(&plan, &[], true);
    for (place, leads) in [
        ("/login", Some("/login")),
        (
            "https://other.example.com/a",
            Some("https://other.example.com/a"),
        ),
        ("?a=\\b", Some("?a=\\b")),
        ("/a#\\b", Some("/a#\\b")),
        ("/\\evil", None),
        ("\\/evil", None),
        ("\\\\evil", None),
        ("https:\\\\evil", None),
        ("/\t/evil", None),
        // The address inside.
        (
            "http://127.0.0.1:3000/login?a=b",
            Some("https://shop.example.com/login?a=b"),
        ),
        ("HTTP://LocalHost:3000", Some("https://shop.example.com/")),
        ("http://0.0.0.0:3000?a", Some("https://shop.example.com/?a")),
        ("http://[::1]:3000#a", Some("https://shop.example.com/#a")),
        // What is left of it leads nowhere else.
        (
            "http://127.0.0.1:3000//evil",
            Some("https://shop.example.com//evil"),
        ),
        ("http://127.0.0.1:3000/\\evil", None),
        // Another address.
        ("http://127.0.0.1:30000/", Some("http://127.0.0.1:30000/")),
        (
            "http://127.0.0.1:3000@evil",
            Some("http://127.0.0.1:3000@evil"),
        ),
        ("http://127.0.0.1/", Some("http://127.0.0.1/")),
        ("http://127.0.0.1", Some("http://127.0.0.1")),
    ] {
        for name in ["Location", "content-location"] {
            let sent = format!("HTTP/1.1 302 Found\r\n{name}: {place}");
            let got = relayed(&plan, audience, Caching::ByRequest, &sent);
            match leads {
                None => assert_eq!(got, Err(ResponseFault::Location), "{place}"),
                Some(leads) => {
                    let line = format!("{name}: {leads}");
                    assert!(got.clone().unwrap().contains(&line), "{place}: {got:?}");
                }
            }
        }
    }
}

/// Names that stand once.
const ONCE: [&str; 8] = [
    "x-content-type-options",
    "x-frame-options",
    "x-xss-protection",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "strict-transport-security",
    "server",
    "access-control-allow-origin",
];

proptest! {
    #[test]
    fn no_field_that_stands_once_stands_twice(
        names in prop::collection::vec(0..14_usize, 0..12),
        values in prop::collection::vec("[!-~]{1,12}", 12),
        status in prop::sample::select(vec![200_u16, 204, 302, 304, 401, 500]),
        https in any::<bool>(),
        origin in any::<bool>(),
    ) {
        const MORE: [&str; 6] = [
            "Content-Security-Policy",
            "Cache-Control",
            "Content-Type",
            "Access-Control-Allow-Credentials",
            "Vary",
            "X-Other",
        ];
        let plan = behind_tls("[cors]\norigins = [\"https://a.example.com\"]\ncredentials = true");
        let mut sent = format!("HTTP/1.1 {status} X");
        for (name, value) in names.iter().zip(&values) {
            let name = ONCE.iter().chain(&MORE).nth(*name).unwrap();
            sent += &format!("\r\n{name}: {value}");
        }
        let lines: &[&str] = if origin { &["Origin: https://a.example.com"] } else { &[] };
        let audience = audience(&plan, lines, https);
        let got = relayed(&plan, audience, Caching::Private, &sent).unwrap();
        for name in ONCE {
            let start = format!("{name}: ");
            let count = got.iter().filter(|line| line.to_lowercase().starts_with(&start)).count();
            let most = usize::from(name != "server");
            prop_assert!(count <= most, "{name}: {got:?}");
        }
        for line in ALWAYS {
            prop_assert!(got.contains(&line.to_owned()), "{line}: {got:?}");
        }
        prop_assert_eq!(got.contains(&"Access-Control-Allow-Origin: https://a.example.com".to_owned()), origin);
        let kept = got.iter().filter(|line| line.to_lowercase().starts_with("cache-control: "));
        prop_assert_eq!(kept.collect::<Vec<_>>(), ["Cache-Control: no-store"]);
    }
}
