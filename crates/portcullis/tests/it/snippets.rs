//! The files that applications copy (`examples/applications/`): what they refuse, and how the small applications that use
//! them get on with a guard.

mod client;
mod shop;
mod tap;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

use serde_json::json;

use client::ask;
use shop::Shop;

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

#[test]
fn the_node_application_gets_on_with_the_guard() {
    if is_there("node", &["--version"]) {
        let mut node = Command::new("node");
        behind_a_guard(node.arg("application.mjs").current_dir(folder("node")));
    }
}

#[test]
fn the_python_application_gets_on_with_the_guard() {
    if is_there(PYTHON, &["-c", "import cryptography"]) {
        let mut python = Command::new(PYTHON);
        behind_a_guard(
            python
                .args(["-B", "application.py"])
                .current_dir(folder("python")),
        );
    }
}

#[test]
fn the_go_application_gets_on_with_the_guard() {
    if is_there("go", &["version"]) {
        // Built first: `go run` would be killed, and what it runs would stay.
        let made = crate::folder::Folder::with(&[]);
        let program = made.join("application");
        let mut go = Command::new("go");
        go.args(["build", "-o"])
            .arg(&program)
            .arg(".")
            .envs([("GOFLAGS", "-mod=mod -buildvcs=false"), ("GOPROXY", "off")])
            .current_dir(folder("go"));
        run(&mut go, "");
        let script = folder("browser").join("csrf.js");
        behind_a_guard(Command::new(&program).env("CSRF_SCRIPT", script));
    }
}

const SESSION: &str = "__Host-pc-sid";
const ALICE: &str = "user=alice&password=correct+horse";

/// A person signs in, takes a role, and signs out here and everywhere; somebody else gets hold of what is said of them.
fn behind_a_guard(command: &mut Command) {
    let shop = Shop::open(command);
    let mut alice = shop.client();
    assert_eq!(alice.get("/login").status, 200);
    assert_eq!(alice.get("/me").status, 401);
    assert_eq!(
        alice.post("/login", "user=alice&password=wrong").status,
        401
    );
    assert_eq!(alice.post("/login", "user=mallory&password=x").status, 401);
    assert!(!alice.cookies.contains_key(SESSION));

    let answer = alice.post("/login", ALICE);
    assert_eq!((answer.status, answer.all("location")), (303, vec!["/me"]));
    assert!(
        answer.all("portcullis-session").is_empty(),
        "for the guard alone"
    );
    let me = alice.get("/me").json();
    assert_eq!(
        (&me["user"], &me["roles"]),
        (&json!("alice"), &json!(["user"]))
    );
    let first = alice.cookies[SESSION].clone();
    assert!(!first.contains(me["session"].as_str().unwrap()));

    assert_eq!(alice.post("/role", "").status, 303);
    assert_eq!(alice.get("/me").json()["roles"], json!(["user", "admin"]));
    let mut late = shop.client();
    late.cookies.insert(SESSION.to_owned(), first);
    assert_eq!(
        late.get("/me").status,
        401,
        "another role is another session"
    );

    stolen(&shop, &alice.cookies[SESSION]);

    let mut elsewhere = shop.client();
    assert_eq!(elsewhere.post("/login", ALICE).status, 303);
    let kept = alice.cookies[SESSION].clone();
    assert_eq!(alice.post("/logout", "").status, 303);
    assert!(!alice.cookies.contains_key(SESSION));
    alice.cookies.insert(SESSION.to_owned(), kept);
    assert_eq!(
        alice.get("/me").status,
        401,
        "it is over, whoever kept the cookie"
    );
    assert!(!alice.cookies.contains_key(SESSION), "and is taken back");
    assert_eq!(elsewhere.get("/me").status, 200);

    let mut third = shop.client();
    assert_eq!(third.post("/login", ALICE).status, 303);
    let mut bob = shop.client();
    assert_eq!(
        bob.post("/login", "user=bob&password=battery+staple")
            .status,
        303
    );
    assert_eq!(elsewhere.post("/logout-everywhere", "").status, 303);
    assert_eq!(
        (elsewhere.get("/me").status, third.get("/me").status),
        (401, 401)
    );
    assert_eq!(bob.get("/me").json()["user"], json!("bob"));
}

/// What the guard tells the application is worth nothing for another request, nor if the client says it itself.
fn stolen(shop: &Shop, session: &str) {
    let head = shop.tap.last("GET /me HTTP/1.1");
    let value = |name: &str| {
        let find = |line: &str| {
            let (one, value) = line.split_once(": ")?;
            one.eq_ignore_ascii_case(name).then(|| value.to_owned())
        };
        head.lines()
            .find_map(find)
            .unwrap_or_else(|| panic!("no {name} in {head}"))
    };
    assert!(
        !head.contains(session),
        "the cookie of the guard is none of the application's business"
    );
    let (identity, id) = (value("Portcullis-Identity"), value("X-Request-Id"));
    let direct = |request: &str, identity: &str, id: &str| {
        let fields =
            format!("Host: a\r\nX-Request-Id: {id}\r\nPortcullis-Identity: {identity}\r\n");
        ask(shop.application, request, &fields, "").status
    };
    // Past the guard: the very request is the one for which it is good.
    assert_eq!(direct("GET /me", &identity, &id), 200);
    assert_eq!(
        direct("GET /me", &identity, "00000000000000000000000000000000"),
        401
    );
    for other in ["POST /logout", "POST /role", "POST /logout-everywhere"] {
        assert_eq!(direct(other, &identity, &id), 401, "{other}");
    }
    let (signed, signature) = identity.rsplit_once('.').unwrap();
    let other = if signature.starts_with('A') { "B" } else { "A" };
    let altered = format!("{signed}.{other}{}", signature.get(1..).unwrap());
    assert_eq!(direct("GET /me", &altered, &id), 401);
    // Through the guard a client cannot say it.
    let fields = format!("Portcullis-Identity: {identity}\r\nX-Request-Id: {id}\r\n");
    assert_eq!(shop.client().ask("GET /me", &fields, "").status, 401);
    assert_eq!(shop.client().ask("GET /login", &fields, "").status, 200);
    assert!(!shop.tap.last("GET /login HTTP/1.1").contains(&identity));
}
