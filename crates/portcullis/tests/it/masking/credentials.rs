//! A guard that gives out tokens and API keys: none of them, nothing that opens it, and no key that signs is in anything else that
//! it writes.

use std::net::SocketAddr;
use std::path::Path;

use serde_json::{Value, json};

use super::guard::Guard;
use super::needles::{Needle, found};
use super::requests::Answers;
use super::values::{ADMIN_SECRET, EVENTS_SECRET, SERVICE_SECRET, TRAIL_SECRET, USER, VARIABLES};
use super::{files, folder_of, reasons};
use crate::folder::Folder;
use crate::logging_in::{self, Ways};
use crate::portcullis;

fn policy(application: SocketAddr) -> String {
    format!(
        r#"version = 1
name = "shop"
public_url = "https://shop.test"
upstream = "http://{application}"

[proxy]
admin = "127.0.0.1:9901"
admin_secret = "env:ADMIN"

[events]
record = "all"
key = "file:events.key"

[trail]
signing_key = "file:trail.key"
checkpoints = "checkpoints.jsonl"

[identity.tokens]
secret = "env:SERVICE"
audience = ["shop"]
networks = ["main"]
[identity.api_keys]

[[route]]
path = "/me"
methods = ["GET"]
type = "protected_read"
"#
    )
}

/// What is given, and nobody else may read.
#[derive(Default)]
struct Given {
    needles: Vec<Needle>,
    answers: Answers,
}

impl Given {
    /// Keeps an answer, and what it gives under a name; each part of that is as good as the whole.
    fn take(&mut self, what: &'static str, answer: Vec<u8>, name: &str) -> String {
        let text = String::from_utf8_lossy(&answer).into_owned();
        let body = text.split_once("\r\n\r\n").unwrap().1;
        let body: Value = serde_json::from_str(body).unwrap_or_else(|_| panic!("{text}"));
        let given = body[name]
            .as_str()
            .unwrap_or_else(|| panic!("{text}"))
            .to_owned();
        self.hide(what, &given);
        self.answers.push((format!("given: {what}"), answer));
        given
    }

    fn hide(&mut self, what: &'static str, credential: &str) {
        let needle = |text: &str| Needle::new(what, text).in_its_place(&["given: "]);
        // The header of a token says nothing, and stands in many; the id of a key names it.
        let parts = credential.split(['.', '_']).skip(1);
        let secret = parts.filter(|part| part.len() >= 24);
        self.needles.push(needle(credential));
        self.needles.extend(secret.map(needle));
    }

    /// What was answered to something that should have had this status.
    fn answer(&mut self, place: &str, status: u16, answer: Vec<u8>) {
        let text = String::from_utf8_lossy(&answer).into_owned();
        assert!(
            text.starts_with(&format!("HTTP/1.1 {status} ")),
            "{place}: {text}"
        );
        self.answers.push((place.to_owned(), answer));
    }
}

/// The same with six other characters near the end. The last one stays: the bits it has to spare are zero (RFC 4648 §3.5), and
/// another one would be refused as no text of base64, before anybody looks at the signature.
fn forged(credential: &str) -> String {
    let changed = |one: char| if one == 'A' { 'B' } else { 'A' };
    let (most, last) = credential.split_at(credential.len() - 1);
    let (rest, middle) = most.split_at(most.len() - 6);
    let middle: String = middle.chars().map(changed).collect();
    format!("{rest}{middle}{last}")
}

fn post(guard: &Guard, path: &str, shown: &str, body: &Value) -> Vec<u8> {
    let (host, body) = (&guard.host, body.to_string());
    guard.ask(&format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{shown}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ))
}

fn admin(guard: &Guard, path: &str, body: &Value) -> Vec<u8> {
    let body = body.to_string();
    let lines = format!(
        "{}Content-Type: application/json\r\nContent-Length: {}\r\n",
        bearer(ADMIN_SECRET),
        body.len()
    );
    guard.ask_admin_with(&format!("POST {path}"), &lines, &body)
}

fn bearer(credential: &str) -> String {
    format!("Authorization: Bearer {credential}\r\n")
}

fn me(guard: &Guard, credential: &str) -> Vec<u8> {
    let (host, shown) = (&guard.host, bearer(credential));
    guard.ask(&format!(
        "GET /me HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{shown}\r\n"
    ))
}

/// The seed of a private key in PKCS#8, in hex (RFC 8410 §7: an octet string in an octet string).
fn seed(der: &[u8]) -> String {
    let begin = [0x04, 0x22, 0x04, 0x20];
    let at = der.windows(4).position(|bytes| bytes == begin).unwrap() + 4;
    let bytes = &der[at..at + 32];
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// All that is done to tokens.
fn tokens(guard: &Guard, given: &mut Given) {
    let wish = |sort: &str| json!({ "token_type": sort, "user_id": USER, "network": "main", "rate_limit": 10 });
    let service = bearer(SERVICE_SECRET);
    let issued = post(guard, "/.portcullis/tokens", &service, &wish("access"));
    let access = given.take("a token for access", issued, "access_token");
    let issued = post(guard, "/.portcullis/tokens", &service, &wish("parent"));
    let parent = given.take("a parent token", issued, "access_token");
    let exchange = |parent: &str| json!({ "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange", "subject_token_type": "urn:ietf:params:oauth:token-type:jwt", "subject_token": parent });
    let made = post(
        guard,
        "/.portcullis/tokens/exchange",
        "",
        &exchange(&parent),
    );
    let child = given.take("a child token", made, "access_token");
    let stranger = forged(&child);
    given.hide("a forged token", &stranger);
    let wrong = post(
        guard,
        "/.portcullis/tokens",
        &bearer(&stranger),
        &wish("access"),
    );
    given.answer("a token as a service", 401, wrong);
    let wrong = post(
        guard,
        "/.portcullis/tokens/exchange",
        "",
        &exchange(&access),
    );
    given.answer("an exchange of no parent", 401, wrong);
    for (token, status) in [
        (&access, 200),
        (&child, 200),
        (&parent, 401),
        (&stranger, 401),
    ] {
        given.answer("what it opens", status, me(guard, token));
    }
    let wrong = admin(guard, "/tokens/revoke", &json!({ "token": stranger }));
    given.answer("a forged token taken back", 400, wrong);
    let taken = admin(guard, "/tokens/revoke", &json!({ "token": child }));
    given.answer("a token taken back", 200, taken);
    given.answer("what it opens", 401, me(guard, &child));
}

/// All that is done to API keys.
fn keys(guard: &Guard, given: &mut Given) {
    let made = admin(guard, "/keys", &json!({ "user": USER, "name": "ci" }));
    let key = given.take("an API key", made, "key");
    let wrong = forged(&key);
    given.hide("a forged API key", &wrong);
    for (key, status) in [(&key, 200), (&wrong, 401)] {
        given.answer("what it opens", status, me(guard, key));
    }
}

#[test]
fn a_guard_that_gives_out_credentials_writes_none_of_them() {
    let policy = policy(logging_in::start(Ways {
        user: USER,
        lines: |_path| Some(String::new()),
    }));
    let folder: Folder = folder_of(&policy);
    let run = |args: &[&str]| {
        let output = portcullis()
            .current_dir(folder.path())
            .envs(VARIABLES)
            .args(args)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{args:?}: {said}");
        [output.stdout, output.stderr].concat()
    };
    let mut given = Given::default();
    let generated = run(&["token", "keys", "generate"]);
    given.answers.push(("keys made".to_owned(), generated));
    let guard = Guard::plain(&folder);
    tokens(&guard, &mut given);
    keys(&guard, &mut given);
    let address = guard.admin.unwrap().to_string();
    let listed = run(&["key", "list", "--user", USER, "--admin", &address]);
    given
        .answers
        .push(("the admin's list of keys".to_owned(), listed));
    let (events, said) = guard.end();
    let told = reasons(&events);
    for reason in ["service_unknown", "token_signature_wrong", "token_revoked"] {
        assert!(
            told.iter().any(|one| one == reason),
            "{reason} is not in {told:?}"
        );
    }
    let mut answers = std::mem::take(&mut given.answers);
    answers.push(("standard output".to_owned(), events));
    answers.push(("standard error".to_owned(), said));
    for args in [["trail", "export"], ["token", "keys"]] {
        let args = match args {
            ["token", "keys"] => vec!["token", "keys", "list"],
            other => [&other[..], &["--trail", ".portcullis/trail.sqlite"]].concat(),
        };
        answers.push((args.join(" "), run(&args)));
    }
    files(Path::new(folder.path()), &mut answers);
    // The file of a key that signs is where that key belongs; it is nowhere else.
    let (signing, answers): (Answers, Answers) = answers
        .into_iter()
        .partition(|(place, _)| place.ends_with(".pk8"));
    let seeds: Vec<String> = signing.iter().map(|(_, der)| seed(der)).collect();
    assert_eq!(seeds.len(), 1, "one key that signs is in the folder");
    let mut needles = given.needles;
    needles.extend([
        Needle::new("the secret of the service", SERVICE_SECRET),
        Needle::new("the admin secret", ADMIN_SECRET),
        Needle::new("the key of events", EVENTS_SECRET),
        Needle::new("the key of the trail", TRAIL_SECRET),
        Needle::new("the user", USER).in_its_place(&["given: ", "the store", "the admin's list"]),
    ]);
    needles.extend(
        seeds
            .iter()
            .map(|seed| Needle::new("a key that signs", seed)),
    );
    // What is looked for is found where it belongs: in the answers that give it.
    let given = answers
        .iter()
        .filter(|(place, _)| place.starts_with("given: "));
    assert!(
        given
            .flat_map(|(_, text)| found("elsewhere", text, &needles))
            .count()
            >= 4
    );
    let wrong: Vec<String> = answers
        .iter()
        .flat_map(|(place, text)| found(place, text, &needles))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
