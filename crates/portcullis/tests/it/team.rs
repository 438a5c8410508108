//! What `audit` gives to a team: baselines, what a change touches, and whose policy counts.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::folder::Folder;
use crate::{err, out, run};

/// A route that leaks what went wrong.
fn leaking(name: &str) -> String {
    format!(
        "export async function {name}(request: Request) {{\n  try {{\n    return Response.json(await work(request));\n  }} catch (error) {{\n    \
         return Response.json({{ error: error.message }}, {{ status: 500 }});\n  }}\n}}\n\ndeclare function work(request: Request): Promise<unknown>;\n"
    )
}

const ONLY: [&str; 2] = ["--rule", "error-leak"];

fn audit(dir: &str, args: &[&str]) -> Output {
    run(&[&["audit", dir, "--fail-on", "low"][..], &ONLY, args].concat())
}

fn document(dir: &str, args: &[&str]) -> Value {
    let output = audit(dir, &[&["--format", "json"][..], args].concat());
    serde_json::from_str(&out(&output)).unwrap_or_else(|_| panic!("{}", err(&output)))
}

/// The file of each finding, and what suppresses it.
fn findings(document: &Value) -> Vec<(String, Option<String>)> {
    let of = |finding: &Value| {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        (
            text(&finding["file"]).unwrap(),
            text(&finding["suppressed"]["kind"]),
        )
    };
    document["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(of)
        .collect()
}

fn texts(document: &Value, key: &str) -> Vec<String> {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other["text"].as_str().unwrap().to_owned(),
    };
    document[key].as_array().unwrap().iter().map(text).collect()
}

const A: &str = "app/api/a/route.ts";
const B: &str = "app/api/b/route.ts";
const C: &str = "lib/c.ts";

#[test]
fn a_baseline_knows_what_was_there_and_nothing_more() {
    let app = Folder::with(&[(A, &leaking("GET"))]);
    let file = app.join("known.json");
    let name = file.to_str().unwrap();
    assert_eq!(audit(app.path(), &[]).status.code(), Some(1));

    let written = audit(app.path(), &["--write-baseline", name]);
    assert_eq!(written.status.code(), Some(0), "{}", err(&written));
    let text = fs::read_to_string(&file).unwrap();
    assert!(
        text.starts_with("{\n  \"schema\": \"portcullis.baseline/1\","),
        "{text}"
    );
    audit(app.path(), &["--write-baseline", name]);
    assert_eq!(fs::read_to_string(&file).unwrap(), text);

    // Moved and reformatted.
    let moved = format!("// one\n// two\n\n{}", leaking("GET")).replace("    ", "\t\t");
    fs::write(app.join(A), moved).unwrap();
    let known = document(app.path(), &["--baseline", name]);
    assert_eq!(
        findings(&known),
        [(A.to_owned(), Some("baseline".to_owned()))]
    );
    assert_eq!(
        audit(app.path(), &["--baseline", name]).status.code(),
        Some(0)
    );

    // The same fault at another route.
    fs::create_dir_all(app.join("app/api/b")).unwrap();
    fs::write(app.join(B), leaking("GET")).unwrap();
    let output = audit(app.path(), &["--baseline", name]);
    assert_eq!(output.status.code(), Some(1));

    // The first one is mended.
    fs::write(app.join(A), "export const GET = () => new Response();\n").unwrap();
    let gone = document(app.path(), &["--baseline", name]);
    assert_eq!(findings(&gone), [(B.to_owned(), None)]);
    let told = texts(&gone, "notices");
    assert!(
        told.iter()
            .any(|text| text.contains("`error-leak` at `GET /api/a`") && text.contains("gone")),
        "{told:?}"
    );
}

#[test]
fn a_baseline_that_cannot_be_used_is_usage() {
    let app = Folder::with(&[(A, &leaking("GET")), ("known.json", "{}")]);
    for (name, told) in [
        ("known.json", "cannot use the baseline"),
        ("none.json", "--write-baseline"),
    ] {
        let file = app.join(name);
        let output = audit(app.path(), &["--baseline", file.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(2));
        assert!(err(&output).contains(told), "{}", err(&output));
    }
}

/// Runs git in a folder, as nobody in particular.
fn git(dir: &Path, args: &[&str]) {
    let output = Command::new("git")
        .current_dir(dir)
        .args([
            "-c",
            "user.name=n",
            "-c",
            "user.email=n@example.com",
            "-c",
            "init.defaultBranch=main",
        ])
        .args([
            "-c",
            "commit.gpgSign=false",
            "-c",
            "core.hooksPath=/dev/null",
        ])
        .args(args)
        .output()
        .unwrap();
    assert!(output.status.success(), "{args:?}: {}", err(&output));
}

fn commit(dir: &Path) {
    git(dir, &["add", "--all"]);
    git(dir, &["commit", "--quiet", "--message", "m"]);
}

fn repository(files: &[(&str, &str)]) -> Folder {
    let app = Folder::with(files);
    let dir = Path::new(app.path());
    git(dir, &["init", "--quiet"]);
    commit(dir);
    git(dir, &["tag", "base"]);
    app
}

#[test]
fn what_a_change_does_not_touch_is_not_told() {
    let through = leaking("GET").replace("await work(request)", "await work(request, c())");
    let through = format!("import {{ c }} from \"../../../lib/c\";\n{through}");
    let app = repository(&[
        (A, &leaking("GET")),
        (B, &through),
        (
            C,
            "export function c() { return fetch(\"https://c.example.com\"); }\n",
        ),
    ]);
    let since = |rev: &str| document(app.path(), &["--changed-since", rev]);
    let nothing = since("base");
    assert_eq!(findings(&nothing), []);
    assert!(
        texts(&nothing, "notes")[0].contains("2 findings elsewhere are left out"),
        "{nothing}"
    );
    assert_eq!(nothing["routes"].as_array().unwrap().len(), 2);

    // A function on the way of one route, not committed yet.
    fs::write(
        app.join(C),
        "export function c() {\n  return fetch(\"https://d.example.com\");\n}\n",
    )
    .unwrap();
    assert_eq!(findings(&since("base")), [(B.to_owned(), None)]);
    commit(Path::new(app.path()));
    assert_eq!(findings(&since("base")), [(B.to_owned(), None)]);
    assert_eq!(findings(&since("HEAD")), []);

    // A file that nobody added.
    let new = app.join("app/api/new route/route.ts");
    fs::create_dir_all(new.parent().unwrap()).unwrap();
    fs::write(&new, leaking("POST")).unwrap();
    assert_eq!(
        findings(&since("HEAD")),
        [("app/api/new route/route.ts".to_owned(), None)]
    );

    // Commits of others since the branch began are no change of this one.
    commit(Path::new(app.path()));
    git(
        Path::new(app.path()),
        &["checkout", "--quiet", "-b", "side", "base"],
    );
    fs::write(app.join("lib/d.ts"), "export const d = 1;\n").unwrap();
    commit(Path::new(app.path()));
    assert_eq!(findings(&since("main")), []);
}

#[test]
fn a_revision_that_is_not_there_is_usage_and_says_so() {
    let app = repository(&[(A, &leaking("GET"))]);
    for option in ["--changed-since", "--policy-from"] {
        for wrong in ["no-such", "--output=/tmp/x", "HEAD:app"] {
            let output = audit(app.path(), &[&format!("{option}={wrong}")]);
            assert_eq!(output.status.code(), Some(2), "{wrong}");
            assert!(
                err(&output).contains("there is no revision"),
                "{}",
                err(&output)
            );
        }
    }
    let outside =
        std::env::temp_dir().join(format!("portcullis-no-repository-{}", std::process::id()));
    fs::create_dir_all(&outside).unwrap();
    fs::write(outside.join("a.ts"), "export {};\n").unwrap();
    let output = audit(outside.to_str().unwrap(), &["--changed-since", "HEAD"]);
    fs::remove_dir_all(&outside).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        err(&output).contains("needs a git repository"),
        "{}",
        err(&output)
    );
}

#[test]
fn a_repository_cannot_make_git_run_a_program() {
    let app = repository(&[
        (A, &leaking("GET")),
        (".gitattributes", "*.ts filter=f diff=d\n"),
    ]);
    let dir = Path::new(app.path());
    let ran = app.join("ran");
    let program = format!("touch '{}'; cat", ran.display());
    for name in [
        "filter.f.clean",
        "filter.f.process",
        "diff.external",
        "diff.d.command",
        "diff.d.textconv",
        "core.fsmonitor",
        "core.pager",
    ] {
        git(dir, &["config", name, &program]);
    }
    git(dir, &["config", "filter.f.required", "true"]);
    let hook = app.join(".git/hooks/post-index-change");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    fs::write(&hook, format!("#!/bin/sh\n{program}\n")).unwrap();
    fs::write(app.join(A), leaking("POST")).unwrap();
    let changed = document(
        app.path(),
        &["--changed-since", "base", "--policy-from", "base"],
    );
    assert_eq!(findings(&changed), [(A.to_owned(), None)]);
    assert!(!ran.exists());
}

const EXCEPT: &str = "version = 1\n\n[[except]]\nroute = \"GET /api/a\"\nlacks = \"error_handling\"\nbecause = \"it is mine\"\nowner = \"me\"\nuntil = 9999-12-31\n";

#[test]
fn a_change_cannot_loosen_what_it_is_held_against() {
    let app = repository(&[(A, &leaking("GET")), ("portcullis.toml", "version = 1\n")]);
    fs::write(app.join("portcullis.toml"), EXCEPT).unwrap();
    let text = leaking("GET").replace(
        "    return Response.json({ error: error.message }",
        "    // portcullis-ignore[error-leak]: it is mine\n    return Response.json({ error: error.message }",
    );
    fs::write(app.join(A), text).unwrap();
    let known = app.join("known.json");
    let name = known.to_str().unwrap();
    assert_eq!(
        findings(&document(app.path(), &[]))
            .first()
            .unwrap()
            .1
            .as_deref(),
        Some("policy")
    );

    let held = document(app.path(), &["--policy-from", "base"]);
    assert_eq!(findings(&held), [(A.to_owned(), None)]);
    let notes = texts(&held, "notes").join("\n");
    assert!(notes.contains("are those of `base`"), "{notes}");
    assert!(
        notes.contains("the change excepts `GET /api/a` from `error_handling`"),
        "{notes}"
    );
    let notices = texts(&held, "notices").join("\n");
    assert!(
        notices.contains("is not in `base` and hides nothing"),
        "{notices}"
    );

    audit(app.path(), &["--write-baseline", name]);
    let output = audit(app.path(), &["--policy-from", "base", "--baseline", name]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        err(&output).contains("there is no baseline"),
        "{}",
        err(&output)
    );

    // What is merged counts.
    commit(Path::new(app.path()));
    let merged = document(app.path(), &["--policy-from", "HEAD"]);
    assert_eq!(
        findings(&merged).first().unwrap().1.as_deref(),
        Some("policy")
    );
}

#[test]
fn a_revision_without_a_policy_has_none() {
    let app = repository(&[(A, &leaking("GET"))]);
    fs::write(app.join("portcullis.toml"), EXCEPT).unwrap();
    let held = document(app.path(), &["--policy-from", "base"]);
    assert_eq!(held["policy_digest"], Value::Null);
    assert_eq!(findings(&held), [(A.to_owned(), None)]);
    let notes = texts(&held, "notes").join("\n");
    assert!(
        notes.contains("which has no policy")
            && notes.contains("the change adds `portcullis.toml`"),
        "{notes}"
    );
}

#[test]
fn a_page_of_reviews_speaks_of_every_endpoint() {
    let app = Folder::with(&[
        (A, &leaking("GET")),
        (B, "export const GET = () => new Response();\n"),
    ]);
    let page = out(&run(&["audit", app.path(), "--format", "markdown"]));
    for heading in [
        "# Security review\n",
        "## Security review for `GET /api/a`\n",
        "## Security review for `GET /api/b`\n",
        "### Rate limiting\n",
    ] {
        assert!(page.contains(heading), "{page}");
    }
    assert!(
        page.contains("- [ ] Errors tell nothing of the inside: no\n  - "),
        "{page}"
    );
    let partly = out(&run(&[
        "audit",
        app.path(),
        "--format",
        "markdown",
        "--rule",
        "error-leak",
    ]));
    assert!(
        partly.contains("- [ ] Only named fields are written: no rule looked\n"),
        "{partly}"
    );
}

#[test]
fn a_second_run_with_a_cache_writes_the_same_bytes() {
    let app = Folder::with(&[("app/a.ts", ""), (&format!("app/{A}"), &leaking("GET"))]);
    let (dir, cache) = (app.join("app"), app.join("cache"));
    let (dir, cache) = (dir.to_str().unwrap(), cache.to_str().unwrap());
    let first = document(dir, &["--cache-dir", cache]);
    assert_eq!(fs::read_dir(cache).unwrap().count(), 1);
    assert_eq!(document(dir, &["--cache-dir", cache]), first);
    assert_eq!(document(dir, &["--no-cache"]), first);
    // What is no folder is told, and nothing else changes.
    let file = app.join("app/a.ts");
    let output = audit(dir, &["--cache-dir", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        err(&output).starts_with("note: the cache in "),
        "{}",
        err(&output)
    );
}
