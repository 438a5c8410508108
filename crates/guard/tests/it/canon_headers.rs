//! Header fields: what is asked for once, what is stripped, what is forwarded.

use portcullis_guard::canon::{HeaderSet, Repeated};
use portcullis_guard::http1::{RequestHead, Role};
use portcullis_policy::Method;

use crate::http1_made::{get, refused, request, response};

fn names(bytes: &[u8], head: &RequestHead) -> Vec<String> {
    HeaderSet::of_request(head, bytes)
        .forwarded()
        .map(|(name, _)| String::from_utf8(name.to_vec()).unwrap())
        .collect()
}

/// Each of the lines is taken and not forwarded.
fn stripped(lines: &[&str]) {
    for line in lines {
        let bytes = get(&[line, "Accept: */*"]);
        let head = request(&bytes).unwrap_or_else(|fault| panic!("{line}: {fault}"));
        assert_eq!(names(&bytes, &head), ["Accept"], "{line}");
        let headers = HeaderSet::of_request(&head, &bytes);
        let why = headers
            .stripped()
            .filter_map(|(_, role)| role.why_not())
            .count();
        assert_eq!(why, 2, "the host and {line}");
    }
}

#[test]
fn case_27_28_other_forwarding_fields_are_never_forwarded() {
    stripped(&[
        "X-Forwarded-Uri: /admin",
        "X-Forwarded-Prefix: /admin",
        "X-Forwarded-Server: a",
        "X-Forwarded-Port: 1",
        "X-Forwarded-Method: PUT",
        "X-Forwarded-User: root",
        "X-Forwarded-Client-Cert: x",
        "x-forwarded-ANYTHING: 1",
    ]);
}

#[test]
fn case_29_forwarded_and_its_aliases() {
    stripped(&[
        "Forwarded: for=1.2.3.4",
        "FORWARDED: for=1.2.3.4",
        "X_Forwarded_For: 1.2.3.4",
        "X.Forwarded.Host: a",
        "X-Forwarded: 1",
        "Forwarded-For: 1.2.3.4",
        "X-Real-IP: 1.2.3.4",
        "X_Real_IP: 1.2.3.4",
        "Client-IP: 1.2.3.4",
        "True-Client-IP: 1.2.3.4",
        "CF-Connecting-IP: 1.2.3.4",
        "X-Client-IP: 1",
        "X-Cluster-Client-Ip: 1",
        "Fastly-Client-IP: 1",
    ]);
}

#[test]
fn case_32_identity_of_the_guard_is_stripped() {
    stripped(&[
        "Portcullis-Identity: a",
        "portcullis-anything: a",
        "PORTCULLIS-SESSION: a",
    ]);
}

#[test]
fn case_33_34_identity_with_other_separators() {
    stripped(&[
        "Portcullis_Identity: a",
        "portcullis.identity: a",
        "PORTCULLIS_.X: a",
    ]);
}

#[test]
fn case_35_a_name_is_asked_for_in_any_letter_case() {
    let bytes = get(&["x-API-key: 1"]);
    let head = request(&bytes).unwrap();
    let headers = HeaderSet::of_request(&head, &bytes);
    for name in ["X-Api-Key", "x-api-key", "X-API-KEY"] {
        assert_eq!(headers.one(name), Ok(Some(&b"1"[..])));
    }
    // Asked for by another name that some readers take for it, it is not one field.
    assert_eq!(headers.one("x_api_key"), Err(Repeated));
    for alias in ["X_API_Key: 2", "x.api.key: 2", "X-Api_Key: 2"] {
        let bytes = get(&[alias]);
        let head = request(&bytes).unwrap();
        let headers = HeaderSet::of_request(&head, &bytes);
        assert_eq!(headers.one("x-api-key"), Err(Repeated), "{alias}");
    }
}

#[test]
fn case_36_overrides_and_internal_words_of_frameworks() {
    stripped(&[
        "x-middleware-subrequest: middleware:middleware",
        "X-Middleware-Subrequest-Id: 1",
        "x_middleware_subrequest: 1",
        "X-Original-URL: /admin",
        "X-Rewrite-URL: /admin",
        "X-HTTP-Method-Override: DELETE",
        "X-HTTP-Method: DELETE",
        "X-Method-Override: DELETE",
        "x.http.method.override: DELETE",
        "x-nonce: a",
        "x-matched-path: /a",
        "x-invoke-path: /a",
        "x-now-route-matches: 1",
    ]);
}

#[test]
fn case_37_private_fields_of_proxies() {
    stripped(&[
        "x-envoy-original-path: /a",
        "X-Envoy-Internal: true",
        "X-Accel-Redirect: /a",
        "X-Sendfile: /etc/passwd",
        "X-Sendfile-Type: X-Accel-Redirect",
        "Proxy: http://evil.example.com",
        "Proxy-Connection: close",
        "Proxy-Authorization: Basic x",
        "X-Request-Id: 1",
        "TE: trailers",
        "Trailer: X",
        "Keep-Alive: timeout=5",
        "Upgrade: websocket",
        "HTTP2-Settings: x",
    ]);
}

#[test]
fn what_browsers_send_is_forwarded() {
    let lines = [
        "Accept: */*",
        "Accept-Encoding: gzip",
        "Accept-Language: de",
        "Authorization: Bearer a",
        "Cache-Control: no-cache",
        "Content-Type: application/json",
        "Cookie: a=b",
        "If-None-Match: \"a\"",
        "Origin: https://shop.example.com",
        "Referer: https://shop.example.com/",
        "Sec-Fetch-Site: same-origin",
        "User-Agent: a",
        "RSC: 1",
        "Next-Router-State-Tree: a",
        "Next-Router-Prefetch: 1",
        "Next-Action: a",
        "X-Nextjs-Data: 1",
        "X-CSRF-Token: a",
        "X-Requested-With: a",
        "traceparent: a",
        "tracestate: a",
        "Via: 1.1 a",
        "Priority: u=1",
    ];
    let bytes = get(&lines);
    let head = request(&bytes).unwrap();
    let expected: Vec<_> = lines
        .iter()
        .map(|line| line.split(':').next().unwrap())
        .collect();
    assert_eq!(names(&bytes, &head), expected);
}

#[test]
fn case_45_connection_lists_no_field_that_is_judged_by() {
    for name in [
        "Host",
        "Content-Length",
        "Transfer-Encoding",
        "Forwarded",
        "X-Forwarded-For",
        "x-forwarded-anything",
        "Portcullis-Identity",
        "portcullis_identity",
        "Authorization",
        "authorization",
        "Cookie",
        "Content-Type",
        "Origin",
        "Sec-Fetch-Site",
        "X-CSRF-Token",
        "X-Real-IP",
        "X-Request-Id",
        "Expect",
        "Connection",
        "x_middleware_subrequest",
        "Svix-Signature",
        "Stripe-Signature",
        "X-Hub-Signature-256",
        "Content_Type",
    ] {
        for list in [
            name.to_owned(),
            format!("close, {name}"),
            format!("keep-alive ,{name},"),
        ] {
            let line = format!("Connection: {list}");
            assert_eq!(
                refused(&get(&[&line])),
                "connection_lists_protected_field",
                "{line}"
            );
        }
    }
    for list in ["a b", "a;b", "\"close\"", "close, (x)", "\u{e9}"] {
        let line = format!("Connection: {list}");
        assert_eq!(refused(&get(&[&line])), "connection_malformed", "{line}");
    }
}

#[test]
fn case_45_other_listed_fields_are_taken_away() {
    let bytes = get(&[
        "Connection: X-Hop, , keep-alive",
        "x-hop: 1",
        "X_Hop: 2",
        "X-Hops: 3",
        "connection: upgrade, TE,x-other",
        "X-Other: 4",
        "Upgrade: h2c",
    ]);
    let head = request(&bytes).unwrap();
    assert_eq!(names(&bytes, &head), ["X-Hops"]);
    assert!(head.keep_alive() && head.has_upgrade());
    let listed = head
        .fields()
        .iter()
        .filter(|field| field.role == Role::Listed)
        .count();
    assert_eq!(listed, 3);
}

#[test]
fn one_field_is_one_field() {
    let bytes = get(&[
        "Authorization: Bearer a",
        "authorization: Bearer a",
        "Cookie: a=b",
        "X-Forwarded-Proto: https",
    ]);
    let head = request(&bytes).unwrap();
    let headers = HeaderSet::of_request(&head, &bytes);
    assert_eq!(headers.one("authorization"), Err(Repeated));
    assert_eq!(headers.one("Cookie"), Ok(Some(&b"a=b"[..])));
    assert_eq!(headers.one("accept"), Ok(None));
    assert_eq!(headers.all("Authorization").count(), 2);
    assert_eq!(Repeated.reason(), "field_repeated");
}

#[test]
fn case_44_a_value_that_is_not_utf8_never_reaches_a_decision() {
    let mut bytes = b"GET / HTTP/1.1\r\nHost: a\r\nX-Name: \xff\xfe\r\n\r\n".to_vec();
    assert_eq!(refused(&bytes), "field_value_not_utf8");
    bytes = b"GET / HTTP/1.1\r\nHost: a\r\nX-Name: J\xc3\xbcrgen\r\n\r\n".to_vec();
    let head = request(&bytes).unwrap();
    let headers = HeaderSet::of_request(&head, &bytes);
    assert_eq!(headers.one("x-name"), Ok(Some("Jürgen".as_bytes())));
}

#[test]
fn case_46_a_tab_in_a_value_stays_where_it_is_and_is_none_of_the_scheme() {
    let bytes = get(&["Authorization:\t Bearer\ta \t"]);
    let head = request(&bytes).unwrap();
    let headers = HeaderSet::of_request(&head, &bytes);
    assert_eq!(headers.one("authorization"), Ok(Some(&b"Bearer\ta"[..])));
}

#[test]
fn a_response_loses_what_is_for_the_guard_only() {
    let bytes = b"HTTP/1.1 200 OK\r\nServer: a\r\nX-Powered-By: b\r\nPortcullis-Session: c\r\nConnection: x-hop\r\n\
        X-Hop: 1\r\nContent-Length: 0\r\nKeep-Alive: a\r\nX-Accel-Redirect: /a\r\nX-Middleware-Next: 1\r\n\
        X-Request-Id: 1\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nContent-Type: text/html\r\n\r\n";
    let head = response(bytes, Method::Get).unwrap();
    let forwarded: Vec<_> = HeaderSet::of_response(&head, bytes)
        .forwarded()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(
        forwarded,
        [&b"Set-Cookie"[..], b"Set-Cookie", b"Content-Type"]
    );
}
