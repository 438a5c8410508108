//! What `explain request` says is what happens.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use super::running::{Guard, PATIENCE, Upstream, value};
use crate::folder::Folder;
use crate::{err, out, portcullis};

/// What `explain request` says is what happens: the same request, once offline and once through a running guard.
#[test]
fn what_is_explained_is_what_happens() {
    let upstream = Upstream::start();
    let folder = Folder::with(&[("portcullis.toml", &upstream.policy())]);
    let guard = Guard::start(&folder, &[]);
    for (request, headers, body, times) in [
        (
            "GET /api/items?q=1",
            &[
                "Accept: */*",
                "X-Real-IP: 203.0.113.1",
                "X_Forwarded_For: a",
                "traceparent: none",
                "Forwarded: for=a",
            ][..],
            None,
            1,
        ),
        ("HEAD /api/items", &[], None, 1),
        ("OPTIONS /api/items", &[], None, 1),
        ("POST /api/items", &[], None, 1),
        ("GET /nowhere", &[], None, 1),
        ("HEAD /nowhere", &[], None, 1),
        ("GET /a//b", &[], None, 1),
        (
            "POST /api/contact",
            &["Content-Type: text/plain"],
            Some("hello"),
            1,
        ),
        (
            "POST /api/contact",
            &["Content-Type: application/json", "X-Request-Id: mine"],
            Some("{}"),
            1,
        ),
        // The limit of one is used up by the request before.
        (
            "POST /api/contact",
            &["Content-Type: application/json"],
            Some("{}"),
            2,
        ),
    ] {
        let (method, url) = request.split_once(' ').unwrap();
        let explained = explain(&folder, method, url, headers, body, times);
        let answer = send(&guard, request, headers, body);
        compare_answer(request, &explained["client_reads"], &answer);
        if explained["verdict"] != "allow" {
            assert!(upstream.seen.try_recv().is_err(), "{request}");
            continue;
        }
        assert!(answer.starts_with("HTTP/1.1 200 "), "{request}: {answer}");
        let seen = upstream.seen.recv_timeout(PATIENCE).unwrap();
        let names: BTreeSet<String> = seen
            .lines()
            .skip(1)
            .filter_map(|line| Some(line.split_once(": ")?.0.to_lowercase()))
            .collect();
        let forwarded = &explained["forwarded"];
        let named = |list: &str| -> Vec<Value> { forwarded[list].as_array().unwrap().clone() };
        let expected: BTreeSet<String> = named("kept")
            .iter()
            .chain(
                named("written")
                    .iter()
                    .map(|one| &one["name"])
                    .collect::<Vec<_>>(),
            )
            .map(|name| name.as_str().unwrap().to_lowercase())
            .collect();
        assert_eq!(names, expected, "{request}");
        for one in named("written") {
            if let Some(expected) = one["value"].as_str() {
                let name = one["name"].as_str().unwrap();
                assert_eq!(value(&seen, name), Some(expected), "{request}: {name}");
            }
        }
    }
    assert_eq!(guard.end().code(), Some(0));
}

fn explain(
    folder: &Folder,
    method: &str,
    url: &str,
    headers: &[&str],
    body: Option<&str>,
    times: u32,
) -> Value {
    let mut command = portcullis();
    command
        .current_dir(folder.path())
        .args(["explain", "request", method, url, "--format", "json"])
        .args(["--peer", "127.0.0.1", "--times", &times.to_string()]);
    for header in headers.iter().chain(&["Connection: close"]) {
        command.args(["-H", header]);
    }
    if let Some(body) = body {
        fs::write(folder.join("body"), body).unwrap();
        command.args(["--body", "body"]);
    }
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    serde_json::from_str(&out(&output)).unwrap()
}

fn send(guard: &Guard, request: &str, headers: &[&str], body: Option<&str>) -> String {
    let mut text = format!("{request} HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n");
    for header in headers {
        text += &format!("{header}\r\n");
    }
    if let Some(body) = body {
        text += &format!("Content-Length: {}\r\n", body.len());
    }
    guard.ask(&(text + "\r\n" + body.unwrap_or_default()))
}

fn compare_answer(request: &str, explained: &Value, answer: &str) {
    let (head, content) = answer.split_once("\r\n\r\n").unwrap();
    for header in explained["headers"].as_array().unwrap() {
        let (name, expected) = (header[0].as_str().unwrap(), header[1].as_str().unwrap());
        let seen = value(head, name).unwrap_or_else(|| panic!("{request}: no {name}: {head}"));
        if name == "RateLimit" || name == "Retry-After" {
            // A second or two may have passed between the requests.
            let waits = |text: &str| -> u64 {
                let digits = text.rsplit(['=']).next().unwrap();
                digits.parse().unwrap()
            };
            assert!(
                waits(expected).abs_diff(waits(seen)) <= PATIENCE.as_secs(),
                "{request}"
            );
        } else {
            assert_eq!(seen, expected, "{request}: {name}");
        }
    }
    let Some(status) = explained["status"].as_u64() else {
        return;
    };
    let title = explained["title"].as_str().unwrap();
    assert!(
        head.starts_with(&format!("HTTP/1.1 {status} {title}\r\n")),
        "{request}: {head}"
    );
    assert_eq!(
        content,
        explained["body"].as_str().unwrap_or_default(),
        "{request}"
    );
    let every = ["date", "x-request-id", "connection", "content-length"];
    let told: BTreeSet<String> = explained["headers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|header| header[0].as_str().unwrap().to_lowercase())
        .collect();
    let more: Vec<&str> = head
        .lines()
        .skip(1)
        .filter_map(|line| Some(line.split_once(": ")?.0))
        .filter(|name| !told.contains(&name.to_lowercase()))
        .filter(|name| !every.contains(&name.to_lowercase().as_str()))
        .collect();
    assert!(more.is_empty(), "{request}: {more:?} is not told");
}
