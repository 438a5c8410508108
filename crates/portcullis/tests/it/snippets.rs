//! The files that applications copy (`examples/applications/`): what they refuse, in the languages that they are written in.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

/// The folder of a language.
fn folder(language: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../examples/applications")
        .join(language)
}

/// Whether a program runs; where it does not, that is said, and on a build machine it is a failure.
fn is_there(program: &str, args: &[&str]) -> bool {
    let output = Command::new(program).args(args).output();
    let is_there = output.is_ok_and(|output| output.status.success());
    if !is_there {
        #[expect(
            clippy::disallowed_methods,
            reason = "a test is told by its runner whether it may be skipped"
        )]
        let ci = std::env::var("CI");
        let line = format!(
            "skipped: snippets: `{program} {}` does not run",
            args.join(" ")
        );
        assert!(ci.is_err(), "{line}, and in CI nothing may be skipped");
        writeln!(std::io::stderr(), "{line}").unwrap();
    }
    is_there
}

/// Debian's, since that is the one that Debian's packages are for.
const PYTHON: &str = "/usr/bin/python3";

/// Runs the tests of a language, and holds how many there are: a runner that finds none succeeds too.
fn run(command: &mut Command, closing: &str) {
    let output = command.output().unwrap();
    let text = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    let text = String::from_utf8_lossy(&text);
    assert!(output.status.success(), "{text}");
    assert!(text.contains(closing), "no `{closing}` in: {text}");
}

#[test]
fn node_refuses_what_it_must() {
    if is_there("node", &["--version"]) {
        let mut node = Command::new("node");
        node.args(["--test", "--test-reporter=tap"])
            .current_dir(folder("node"));
        run(&mut node, "# pass 11\n");
    }
}

#[test]
fn python_refuses_what_it_must() {
    if is_there(PYTHON, &["-c", "import cryptography"]) {
        let mut python = Command::new(PYTHON);
        python
            .args(["-B", "-W", "ignore::ResourceWarning", "-m", "unittest"])
            .current_dir(folder("python"));
        run(&mut python, "Ran 13 tests");
    }
}

#[test]
fn go_refuses_what_it_must() {
    if is_there("go", &["version"]) {
        let mut go = Command::new("go");
        go.args(["test", "-count=1", "-v", "./..."])
            .envs([("GOFLAGS", "-mod=mod"), ("GOPROXY", "off")])
            .current_dir(folder("go"));
        run(
            &mut go,
            "--- PASS: TestAWeakOrMissingSecretIsRefusedAtStart",
        );
    }
}
