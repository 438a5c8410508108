//! What cannot be asked, what is hostile, and policies that no guard starts with.

use std::fs;

use super::{POLICY, json, terminal, usage};
use crate::folder::Folder;
use crate::{err, out, portcullis};

#[test]
fn arguments_that_cannot_be_used_are_usage() {
    for (args, said) in [
        (&["GET"][..], "<URL>"),
        (
            &["GET", "/", "-H", "no-colon"],
            "a header is written `Name: value`",
        ),
        (&["GET", "/", "--peer", "nowhere"], "--peer"),
        (&["GET", "/", "--at", "soon"], "a time is written"),
        (&["GET", "/", "--times", "0"], "--times"),
        (&["GET", "/", "--times", "100001"], "--times"),
        (&["GET", "/", "--answer", "99"], "--answer"),
        (
            &["GET", "/", "--body", "nothing.json"],
            "cannot read `nothing.json`",
        ),
        (&["GET", "/", "--together"], "cannot be used with"),
        (&["GET", "/", "--requests", "x"], "cannot be used with"),
        (&["GET", "/\nx"], "line break"),
        (
            &["GET", "/", "--policy", "nothing.toml"],
            "there is no policy `nothing.toml`",
        ),
    ] {
        let told = usage(args);
        assert!(told.contains(said), "{args:?}: {told}");
    }
}

#[test]
fn hostile_requests_are_answered() {
    let long = format!("/{}", "a".repeat(9_000));
    for (args, reason) in [
        (&["GET", long.as_str()][..], "target_too_long"),
        (&["GET", "/\u{1b}[2J"], "target_byte"),
        (&["GET", "/\u{202e}"], "target_byte"),
        (&["GET", "/", "-H", "X: a\u{0}b"], "field_value_control"),
        (&["GET", "/", "-H", "X Y: b"], "field_name_malformed"),
        (
            &[
                "GET",
                "/",
                "-H",
                "Content-Length: 1",
                "-H",
                "Transfer-Encoding: chunked",
            ],
            "content_length_and_transfer_encoding",
        ),
    ] {
        // No argument can hold a zero byte; such a header can only be asked about in a file.
        if args.iter().any(|arg| arg.contains('\0')) {
            continue;
        }
        assert_eq!(json(args)["reason"], reason, "{args:?}");
        let text = terminal(args);
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
    }
    let folder = Folder::with(&[
        ("portcullis.toml", POLICY),
        (
            "requests.jsonl",
            r#"{"method":"GET","url":"/","headers":{"X":"a\u0000b"}}"#,
        ),
    ]);
    let output = portcullis()
        .current_dir(folder.path())
        .args([
            "explain",
            "request",
            "--requests",
            "requests.jsonl",
            "--format",
            "json",
        ])
        .output()
        .unwrap();
    assert!(out(&output).contains("\"field_value_control\""));
}

#[test]
fn a_policy_that_no_guard_starts_with_is_told() {
    let folder = Folder::with(&[]);
    let file = folder.join("portcullis.toml");
    fs::write(
        &file,
        "version = 1\n[[route]]\npath = \"/a\"\nmethods = [\"GET\"]\ntype = \"protected_read\"\n",
    )
    .unwrap();
    let ask = |url: &str| {
        portcullis()
            .current_dir(folder.path())
            .args(["explain", "request", "GET", url])
            .output()
            .unwrap()
    };
    let text = out(&ask("http://shop.example.com/a"));
    assert!(
        text.contains("note: no guard starts with this policy today: 3 things are lacking"),
        "{text}"
    );
    let without_host = ask("/a");
    assert_eq!(without_host.status.code(), Some(2));
    assert!(err(&without_host).contains("the policy names no host"));
    fs::write(&file, "version = 1\nhosst = []\n").unwrap();
    let invalid = ask("/a");
    assert_eq!(invalid.status.code(), Some(2));
    assert!(
        err(&invalid).contains("portcullis.toml:2:1: "),
        "{}",
        err(&invalid)
    );
    fs::write(&file, b"version = 1\n# \xff\n").unwrap();
    assert_eq!(ask("/a").status.code(), Some(2), "no text");
}
