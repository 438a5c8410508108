//! What the caller can do wrong, and what is only asking.

use std::io::Read as _;
use std::process::Stdio;

use crate::{err, out, portcullis, run};

#[test]
fn help_is_an_answer_and_shows_examples() {
    for args in [&["--help"][..], &["audit", "--help"], &["routes", "--help"]] {
        let output = run(args);
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        assert!(out(&output).contains("Examples:"), "{args:?}");
        assert_eq!(err(&output), "");
    }
    let version = out(&run(&["--version"]));
    assert_eq!(
        version.trim(),
        format!("portcullis {}", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn a_wrong_argument_is_usage() {
    for args in [
        &[][..],
        &["audti"],
        &["audit", "--format", "pdf"],
        &["audit", "--fail-on", "hihg"],
        &["routes", "--why", "--format", "json"],
        &["explain", "rule"],
    ] {
        let output = run(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert_eq!(out(&output), "", "{args:?}");
        assert_ne!(err(&output), "", "{args:?}");
    }
    assert!(err(&run(&["audti"])).contains("'audit'"), "a suggestion");
}

#[test]
fn a_folder_that_is_not_there_is_usage() {
    for verb in ["audit", "routes"] {
        let output = run(&[verb, "no/such/folder"]);
        assert_eq!(output.status.code(), Some(2));
        assert!(
            err(&output).contains("`no/such/folder`"),
            "{}",
            err(&output)
        );
        let file = run(&[verb, "Cargo.toml"]);
        assert_eq!(file.status.code(), Some(2));
        assert_eq!(err(&file), "error: `Cargo.toml` is not a folder\n");
    }
}

#[test]
fn a_day_that_is_none_is_usage() {
    let output = portcullis()
        .args(["dump", "rules"])
        .env("PORTCULLIS_TODAY", "soon")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("`PORTCULLIS_TODAY` is `soon`"));
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let mut child = portcullis()
        .args(["completions", "bash"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Closed before anything is read.
    drop(child.stdout.take());
    let mut told = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut told)
        .unwrap();
    assert_eq!(told, "");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn completions_name_the_commands() {
    for shell in ["bash", "zsh", "fish"] {
        let output = run(&["completions", shell]);
        assert_eq!(output.status.code(), Some(0));
        assert!(out(&output).contains("skip-rule"), "{shell}");
    }
}
