//! Secrets and what is known of persons are in nothing that a guard writes: a guard with recognisable values in every place that
//! has room for one, and all that it wrote anywhere searched for each of them in every spelling (ASVS v5.0.0-16.2.5, OWASP
//! Logging Cheat Sheet).

mod credentials;
mod guard;
mod needles;
mod requests;
mod values;

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::folder::Folder;
use crate::logging_in::{self, Ways};
use crate::portcullis;
use guard::Guard;
use needles::found;
use requests::{Answers, Browser, send_all};
use values::{
    ADMIN_SECRET, ADMIN_TRIED, API_KEY, BAD_FIELD, BAD_WORD, BEARER, BODY_MAIL, COOKIE,
    EVENTS_SECRET, IN_POLICY, PATH, QUERY, TRAIL_SECRET, USER, VARIABLES,
};

fn policy(application: SocketAddr) -> String {
    let route = |path: &str, methods: &str, kind: &str, more: &str| {
        format!("\n[[route]]\npath = \"{path}\"\nmethods = [{methods}]\ntype = \"{kind}\"\n{more}")
    };
    let mut text = format!(
        r#"version = 1
name = "shop"
public_url = "https://shop.test"
upstream = "http://{application}"
trusted_proxies = ["127.0.0.0/8"]

[proxy]
admin_secret = "env:ADMIN"

[events]
record = "all"
key = "file:events.key"

[trail]
signing_key = "file:trail.key"
checkpoints = "checkpoints.jsonl"

[identity.session]
secret = "env:SESSION"
[identity.csrf]
secret = "env:CSRF"
[identity.application]
secret = "env:APPLICATION"

[limits.roomy]
rate = "1000 per 1s"
[limits.logins]
rate = "100 per 1m"
algorithm = "exact"
[limits.mails]
rate = "2 per 1h"
by = ["body.email"]
"#
    );
    text += &route("/login", "\"POST\"", "auth_op", "limits = [\"logins\"]\n");
    text += &route(
        "/subscribe",
        "\"POST\"",
        "public_form",
        "limits = [\"roomy\", \"mails\"]\nbody = { max = \"16 KiB\" }\n",
    );
    text += &route(
        "/form",
        "\"POST\"",
        "protected_mutation",
        "limits = [\"roomy\"]\nrequires = [\"audit_trail\"]\n",
    );
    text += &route("/users/{id}", "\"GET\"", "protected_read", "");
    for path in ["/malformed", "/cut", "/says-too-much"] {
        text += &route(path, "\"GET\"", "public_read", "");
    }
    text
}

/// A folder with the policy and its files of secrets.
fn folder() -> (Folder, String) {
    let policy = policy(logging_in::start(Ways {
        user: USER,
        lines: |path| match path {
            "/says-too-much" => Some(format!("Portcullis-Session: {BAD_WORD}\r\n")),
            "/malformed" => Some(format!("{BAD_FIELD} : x\r\n")),
            "/cut" => None,
            _ => Some(String::new()),
        },
    }));
    let folder = folder_of(&policy);
    let body = format!(r#"{{"email":"{BODY_MAIL}"}}"#);
    fs::write(folder.join("body.json"), body).unwrap();
    (folder, policy)
}

/// A folder with a policy and the keys of events and trail.
fn folder_of(policy: &str) -> Folder {
    let folder = Folder::with(&[
        ("portcullis.toml", policy),
        ("events.key", EVENTS_SECRET),
        ("trail.key", TRAIL_SECRET),
    ]);
    for name in ["events.key", "trail.key"] {
        fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o600)).unwrap();
    }
    folder
}

/// Policies that are none, with a secret where it does not belong.
fn broken(policy: &str) -> Vec<String> {
    let with = |from: &str, to: &str| {
        assert!(policy.contains(from), "{from}");
        policy.replace(from, to)
    };
    vec![
        with("\"env:SESSION\"", &format!("\"{IN_POLICY}\"")),
        with("version = 1", &format!("version = 1\n{IN_POLICY} = 1")),
        with("version = 1", &format!("version = 1\nx = \"{IN_POLICY}\n")),
        with(
            "version = 1",
            &format!("version = 1\n{IN_POLICY} = 1\n{IN_POLICY} = 1"),
        ),
        with(
            "name = \"shop\"",
            &format!("name = \"{IN_POLICY} {BEARER}\""),
        ),
        with(
            "upstream = \"http://",
            &format!("upstream = \"http://user:{IN_POLICY}@"),
        ),
        with(
            "https://shop.test",
            &format!("https://{IN_POLICY}:{BEARER}@shop.test"),
        ),
        with(
            "limits = [\"logins\"]",
            &format!("limits = [\"{IN_POLICY}\"]"),
        ),
        with("type = \"auth_op\"", &format!("type = \"{IN_POLICY}\"")),
        with(
            "path = \"/cut\"",
            &format!("path = \"/cut/{IN_POLICY}/..\""),
        ),
        with("\"file:events.key\"", &format!("\"{ADMIN_TRIED}\"")),
        with("\"body.email\"", &format!("\"body.{IN_POLICY}!\"")),
    ]
}

fn replace(folder: &Folder, text: &str) {
    let beside = folder.join("next.toml");
    fs::write(&beside, text).unwrap();
    fs::rename(beside, folder.join("portcullis.toml")).unwrap();
}

/// All that is done to a guard, and all that it answers.
fn run(guard: &Guard, folder: &Folder, policy: &str) -> (Answers, Browser) {
    let mut answers = Answers::new();
    let mut browser = Browser::log_in(guard, &mut answers);
    send_all(guard, &mut browser, &mut answers);
    for text in broken(policy) {
        replace(folder, &text);
        guard.says_once_more("the changed policy is not taken");
    }
    replace(folder, policy);
    browser.get_token(guard, &mut answers);
    guard.disk_is_full(true);
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    let body = format!("email={BODY_MAIL}&_csrf={}", browser.token);
    let refused = guard.ask(&browser.request(guard, "POST", "/form", form, &body));
    assert!(
        refused.starts_with(b"HTTP/1.1 503 "),
        "{}",
        String::from_utf8_lossy(&refused)
    );
    answers.push(("given: a form on a full disk".to_owned(), refused));
    let (mut other, mut asked) = (Browser::default(), Answers::new());
    other.get_token(guard, &mut asked);
    let field = format!("X-CSRF-Token: {}\r\n", other.token);
    let refused = guard.ask(&other.request(guard, "POST", "/login", &field, ""));
    assert!(
        refused.starts_with(b"HTTP/1.1 503 "),
        "{}",
        String::from_utf8_lossy(&refused)
    );
    answers.push(("given: a login on a full disk".to_owned(), refused));
    guard.disk_is_full(false);
    (answers, browser)
}

/// What the commands print that read what a guard has written, and those that try a policy.
fn commands(folder: &Folder, state: &str, answers: &mut Answers) {
    let bearer = format!("Authorization: Bearer {BEARER}");
    let (cookie, key) = (
        format!("Cookie: mine={COOKIE}"),
        format!("X-Api-Key: {API_KEY}"),
    );
    let (target, users) = (
        format!("/subscribe?reset={QUERY}"),
        format!("/users/{PATH}?q={QUERY}"),
    );
    let headers = ["-H", &bearer, "-H", &cookie, "-H", &key];
    let json = [
        "-H",
        "Content-Type: application/json",
        "--body",
        "body.json",
    ];
    let posted = ["explain", "request", "POST", &target];
    let got = ["explain", "request", "GET", &users, "--format", "json"];
    for (place, args) in [
        ("trail export", vec!["trail", "export", "--trail", state]),
        (
            "trail export as csv",
            vec!["trail", "export", "--format", "csv", "--trail", state],
        ),
        (
            "trail query",
            vec!["trail", "query", "--limit", "1000", "--trail", state],
        ),
        ("trail verify", vec!["trail", "verify", "--trail", state]),
        ("explain", [&posted[..], &json, &headers].concat()),
        ("explain as json", [&got[..], &headers].concat()),
        ("policy check", vec!["policy", "check", "--resolved"]),
    ] {
        let output = portcullis()
            .current_dir(folder.path())
            .envs(VARIABLES)
            .args(&args)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            matches!(output.status.code(), Some(0 | 1)),
            "{args:?}: {said}"
        );
        assert!(!output.stdout.is_empty(), "{args:?}: {said}");
        answers.push((format!("{place}, printed"), output.stdout));
        answers.push((format!("{place}, said"), output.stderr));
    }
}

/// Every file below a folder, but for those that hold a secret because that is what they are for.
fn files(folder: &Path, answers: &mut Answers) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            files(&path, answers);
        } else if !["events.key", "trail.key", "body.json"].contains(&name.as_str()) {
            let is_store = name.contains("store") || name.contains("redb");
            let place = if is_store { "the store" } else { "the file" };
            answers.push((format!("{place} {name}"), fs::read(&path).unwrap()));
        }
    }
}

/// Searches everything for everything.
fn hold(answers: &Answers, browser: &Browser) {
    let mut needles = values::all();
    needles.extend(browser.needles());
    let wrong: Vec<String> = answers
        .iter()
        .flat_map(|(place, text)| found(place, text, &needles))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The reasons that the events tell of.
fn reasons(events: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(events);
    let mut reasons: Vec<String> = text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|event| event["reason"].as_str().unwrap().to_owned())
        .collect();
    reasons.sort_unstable();
    reasons.dedup();
    reasons
}

/// What must have happened, so that it is known what was searched.
const REASONS: &[&str] = &[
    "admin_credential_wrong",
    "body_malformed",
    "body_too_large",
    "caller_unknown",
    "client_ip_unreadable",
    "content_encoding_refused",
    "content_type_refused",
    "cookie_repeated",
    "csrf_origin",
    "csrf_token_missing",
    "head_too_large",
    "host_unknown",
    "method_not_allowed",
    "path_escape_broken",
    "policy_refused",
    "rate_limited",
    "request_line_malformed",
    "session_created",
    "session_not_kept",
    "session_over",
    "session_word_refused",
    "target_authority_mismatch",
    "trail_unwritable",
    "upstream_closed",
    "upstream_malformed",
];

#[test]
fn a_guard_writes_no_secret_and_no_person_anywhere() {
    let (folder, policy) = folder();
    let guard = Guard::plain(&folder);
    let (mut answers, browser) = run(&guard, &folder, &policy);
    let mail = USER.replace('@', "%40");
    let shown = format!("Authorization: Bearer {ADMIN_SECRET}\r\n");
    let tried = format!("Authorization: Bearer {ADMIN_TRIED}\r\n");
    for (place, line, field) in [
        ("the admin's numbers", "GET /metrics".to_owned(), ""),
        ("the admin's policy", "GET /policy".to_owned(), ""),
        ("the admin's word", "GET /ready".to_owned(), ""),
        (
            "the admin's list of sessions",
            format!("GET /sessions?user={mail}"),
            &shown,
        ),
        (
            "the admin's refusal",
            format!("GET /sessions?user={mail}"),
            &tried,
        ),
        (
            "the admin's refusal",
            format!("DELETE /sessions?user={mail}"),
            &tried,
        ),
        (
            "the admin's end",
            format!("DELETE /sessions?user={mail}"),
            &shown,
        ),
        (
            "the admin's fault",
            format!("GET /sessions?user={PATH}&x={QUERY}"),
            &shown,
        ),
    ] {
        answers.push((place.to_owned(), guard.ask_admin(&line, field)));
    }
    let (events, said) = guard.end();
    let told = reasons(&events);
    let missing: Vec<_> = REASONS
        .iter()
        .filter(|reason| !told.iter().any(|one| one == *reason))
        .collect();
    assert!(missing.is_empty(), "{missing:?} are not in {told:?}");
    answers.push(("standard output".to_owned(), events));
    answers.push(("standard error".to_owned(), said));
    commands(&folder, ".portcullis/trail.sqlite", &mut answers);
    files(Path::new(folder.path()), &mut answers);
    hold(&answers, &browser);
}

#[test]
fn a_guard_of_a_developer_writes_no_secret_either() {
    let (folder, policy) = folder();
    let guard = Guard::dev(&folder);
    let (mut answers, browser) = run(&guard, &folder, &policy);
    let (log, said) = guard.end();
    answers.push(("standard output".to_owned(), log));
    answers.push(("standard error".to_owned(), said));
    commands(&folder, ".portcullis/dev/state/trail.sqlite", &mut answers);
    files(Path::new(folder.path()), &mut answers);
    hold(&answers, &browser);
}
