//! What `audit` and `routes` answer about a folder.

use std::fs;

use serde_json::Value;

use crate::folder::Folder;
use crate::{err, out, portcullis, run};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

#[test]
fn nothing_to_read_is_not_clean() {
    let empty = Folder::with(&[]);
    for args in [
        &["audit"][..],
        &["audit", "--format", "json"],
        &["audit", "--format", "sarif"],
        &["audit", "--fail-on", "none"],
        &["routes"],
        &["routes", "--format", "json"],
        &["routes", "--why"],
    ] {
        let output = run(&[args, &[empty.path()]].concat());
        // `routes --why DIR` would take the folder for a method.
        let code = if args.contains(&"--why") { 2 } else { 3 };
        assert_eq!(
            output.status.code(),
            Some(code),
            "{args:?}: {}",
            err(&output)
        );
    }
    assert_eq!(
        run(&["routes", empty.path(), "--why"]).status.code(),
        Some(3)
    );
}

#[test]
fn documents_begin_alike_and_name_commit_and_policy() {
    let app = Folder::with(&[
        ("portcullis.toml", "version = 1\n"),
        (".git/HEAD", "ref: refs/heads/main\n"),
        (".git/refs/heads/main", COMMIT),
    ]);
    for (verb, schema) in [
        ("audit", "portcullis.audit/1"),
        ("routes", "portcullis.routes/1"),
    ] {
        let text = out(&run(&[verb, app.path(), "--format", "json"]));
        let document: Value = serde_json::from_str(&text).unwrap();
        let keys: Vec<_> = document.as_object().unwrap().keys().take(4).collect();
        assert_eq!(keys, ["schema", "tool", "commit", "policy_digest"]);
        assert_eq!(document["schema"], schema);
        assert_eq!(document["commit"], COMMIT);
        assert!(
            document["policy_digest"]
                .as_str()
                .unwrap()
                .starts_with("sha256:")
        );
    }
    let sarif = out(&run(&["audit", app.path(), "--format", "sarif"]));
    let log: Value = serde_json::from_str(&sarif).unwrap();
    assert_eq!(log["runs"][0]["properties"]["commit"], COMMIT);
}

#[test]
fn a_reference_cannot_lead_out_of_the_folder() {
    let app = Folder::with(&[
        ("secret", COMMIT),
        ("app/.git/HEAD", "ref: refs/../../../secret\n"),
    ]);
    let dir = app.join("app");
    let text = out(&run(&["audit", dir.to_str().unwrap(), "--format", "json"]));
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["commit"], Value::Null);
}

#[test]
fn the_same_folder_gives_the_same_bytes() {
    let app = Folder::with(&[("app/api/health/route.ts", "export const GET = () => {};\n")]);
    for format in ["terminal", "json", "sarif"] {
        let args = ["audit", app.path(), "--format", format];
        assert_eq!(run(&args).stdout, run(&args).stdout, "{format}");
    }
}

#[test]
fn a_policy_that_cannot_be_used_is_usage_and_says_where() {
    let app = Folder::with(&[("portcullis.toml", "version = 1\nverson = 2\n")]);
    let output = run(&["audit", app.path()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        err(&output).contains("portcullis.toml:2:1: "),
        "{}",
        err(&output)
    );

    let missing = run(&["audit", app.path(), "--policy", "no-such.toml"]);
    assert_eq!(missing.status.code(), Some(2));
    assert!(err(&missing).starts_with("error: cannot read the policy `no-such.toml`: "));
}

#[test]
fn an_answer_goes_to_a_file_when_told() {
    let app = Folder::with(&[]);
    let file = app.join("out.json");
    let name = file.to_str().unwrap();
    let output = run(&["audit", app.path(), "--format", "json", "--output", name]);
    assert_eq!(out(&output), "");
    let document: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(document["schema"], "portcullis.audit/1");

    let nowhere = run(&["audit", app.path(), "--output", "no/such/folder/out"]);
    assert_eq!(nowhere.status.code(), Some(2));
    assert!(err(&nowhere).starts_with("error: cannot write `no/such/folder/out`: "));
}

#[test]
fn colours_come_only_when_asked_for() {
    let app = Folder::with(&[]);
    assert!(
        !out(&run(&["audit", app.path()])).contains('\u{1b}'),
        "not a terminal"
    );
    let args = ["audit", app.path(), "--color", "always"];
    assert!(out(&run(&args)).contains('\u{1b}'));
    let no_color = portcullis()
        .args(args)
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    assert!(
        out(&no_color).contains('\u{1b}'),
        "the argument is nearer than the variable"
    );
    let never = run(&["audit", app.path(), "--color", "never"]);
    assert!(!out(&never).contains('\u{1b}'));
}

#[test]
fn a_route_that_is_not_there_is_usage() {
    let app = Folder::with(&[]);
    let output = run(&["routes", app.path(), "--why", "GET", "/nowhere"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("there is no route `GET /nowhere`"));
}
