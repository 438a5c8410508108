//! What Mozilla's Observatory and csp-evaluator say of the header fields that a browser reads.
//!
//! Of the guard's own sets they were asked once, and what they said stands in `answers.json` beside the lines; here it is held that the
//! guard still writes these lines. Of what applications send, Observatory's own tests have the cases: each goes through the guard.

use portcullis_guard::answer::{Caching, Nonce};
use portcullis_guard::session::{SameSite, write_set};
use serde_json::Value;

use crate::answers::{audience, behind_tls, own, relayed};

fn read(text: &str) -> Vec<Value> {
    serde_json::from_str(text).unwrap()
}

fn sets() -> Vec<Value> {
    read(include_str!(
        "../../../../fixtures/vectors/http-observatory/answers.json"
    ))
}

fn cases() -> Vec<Value> {
    read(include_str!(
        "../../../../fixtures/vectors/http-observatory/cases.json"
    ))
}

fn texts(value: &Value) -> Vec<String> {
    let all = value.as_array().unwrap().iter();
    all.map(|one| one.as_str().unwrap().to_owned()).collect()
}

/// The lines of a set, as the guard writes them.
fn written(set: &Value) -> Vec<String> {
    let plan = behind_tls(set["policy"].as_str().unwrap());
    let mut audience = audience(&plan, &[], true);
    if plan.answer.wants_nonce() {
        audience = audience.with_nonce(Nonce::of([0; 18]));
    }
    let mut lines = match set["sent"].as_str() {
        None => own(&plan, audience),
        Some(media) => {
            let sent = format!("HTTP/1.1 200 OK\r\nContent-Type: {media}");
            let mut lines = relayed(&plan, audience, Caching::ByRequest, &sent).unwrap();
            lines.retain(|line| !line.starts_with("Content-Type: "));
            lines
        }
    };
    if set["cookies"] == true {
        let mut cookies = Vec::new();
        let hour = Some(3600);
        write_set(
            &mut cookies,
            "__Host-pc-sid",
            "x",
            SameSite::Lax,
            None,
            false,
        );
        write_set(
            &mut cookies,
            "__Host-pc-pre",
            "x",
            SameSite::Strict,
            hour,
            false,
        );
        let token = "__Host-pc-csrf-0123abcd";
        write_set(&mut cookies, token, "x", SameSite::Strict, hour, true);
        let cookies = String::from_utf8(cookies).unwrap();
        lines.extend(cookies.lines().map(str::to_owned));
    }
    lines.sort();
    lines
}

#[test]
fn what_was_judged_is_what_is_written() {
    for set in sets() {
        let mut judged = texts(&set["lines"]);
        judged.sort();
        assert_eq!(written(&set), judged, "{}", set["name"]);
    }
}

/// Only what a policy loosens on purpose fails, and of pages without `[csp]` that nothing is said of scripts: that would break
/// them. The page about answers has the numbers.
#[test]
fn what_they_find_is_known() {
    const SCRIPTS: &[&str] = &["contentSecurityPolicyTest"];
    let page = include_str!("../../../../docs/guide/answers.md");
    for set in sets() {
        let name = set["name"].as_str().unwrap();
        let row = format!(
            "| {name} | {} | {} |",
            set["score"],
            set["grade"].as_str().unwrap()
        );
        assert!(page.contains(&row), "{row}");
        let (failed, found): (&[&str], &[&str]) = match name {
            "a page"
            | "a page of the strict profile"
            | "a page, while a policy is tried"
            | "a page with the guard's cookies" => (SCRIPTS, &["HIGH script-src"]),
            // No browser shows a script as a page; a policy of its own would bind a worker.
            "a script" => (SCRIPTS, &[]),
            "a page of a policy that loosens" => (
                &[
                    "contentSecurityPolicyTest",
                    "referrerPolicyTest",
                    "strictTransportSecurityTest",
                    "xContentTypeOptionsTest",
                    "xFrameOptionsTest",
                ],
                &["HIGH script-src"],
            ),
            _ => (&[], &[]),
        };
        assert_eq!(texts(&set["failed"]), failed, "{name}");
        assert_eq!(texts(&set["findings"]), found, "{name}");
    }
}

/// Whether what a browser reads of the field that a case is about passes.
fn passes(case: &Value) -> bool {
    let analyzer = case["analyzer"].as_str().unwrap();
    let mut sent = String::from("HTTP/1.1 200 OK\r\nContent-Type: text/html");
    let mut lines = Vec::new();
    for (name, value) in case["headers"].as_object().unwrap() {
        let values = match value {
            Value::Array(_) => texts(value),
            _ => vec![value.as_str().unwrap().to_owned()],
        };
        for value in values {
            lines.push(format!("{name}: {}", value.trim()));
            sent.push_str(&format!("\r\n{name}: {value}"));
        }
    }
    let plan = behind_tls("");
    let audience = audience(&plan, &[], true);
    let read = relayed(&plan, audience, Caching::ByRequest, &sent).unwrap();
    let read: Vec<String> = read.iter().map(|line| plain(line)).collect();
    let all = sets();
    let page = all.iter().find(|set| set["name"] == "a page").unwrap();
    let ours: Vec<String> = texts(&page["lines"])
        .iter()
        .map(|line| plain(line))
        .collect();
    let names: Vec<String> = lines.iter().map(|line| name_of(line)).collect();
    let concerned = |line: &&String| names.contains(&name_of(line));
    let read: Vec<&String> = read.iter().filter(concerned).collect();
    // The application's own, and nothing beside it.
    let stands = read.len() == lines.len() && read.iter().all(|line| lines.contains(line));
    // Where an application only has its policy reported, the guard's own is in force.
    let is_policy = analyzer == "contentSecurityPolicyTest";
    if stands && (!is_policy || names.contains(&"content-security-policy".to_owned())) {
        return case["pass"] == true;
    }
    assert!(
        stands || read.iter().all(|line| ours.contains(line)),
        "{case}\n{read:?}"
    );
    !texts(&page["failed"]).contains(&analyzer.to_owned())
}

fn name_of(line: &str) -> String {
    line.split(':').next().unwrap().to_ascii_lowercase()
}

/// A line with its name in lower case.
fn plain(line: &str) -> String {
    let (_, value) = line.split_once(": ").unwrap();
    format!("{}: {value}", name_of(line))
}

#[test]
fn what_applications_send_is_as_good_or_better_for_browsers() {
    let (mut as_good, mut mended, mut left) = (0, Vec::new(), Vec::new());
    for case in cases() {
        let before = case["result"].as_str().unwrap().to_owned();
        match (case["pass"] == true, passes(&case)) {
            (true, true) => as_good += 1,
            (false, true) => mended.push(before),
            (false, false) => left.push(before),
            (true, false) => panic!("made worse: {case}"),
        }
    }
    mended.sort();
    left.sort();
    left.dedup();
    assert_eq!(as_good, 28);
    assert_eq!(
        mended,
        [
            "coop-header-invalid",
            "coop-header-invalid",
            "corp-header-invalid",
            "hsts-header-invalid",
            "hsts-implemented-max-age-less-than-six-months",
            "referrer-policy-header-invalid",
            "referrer-policy-unsafe",
            "x-content-type-options-header-invalid",
        ]
    );
    // What is the application's to say: a field that the guard has no value for, its own cookies, its own policy.
    assert_eq!(
        left,
        [
            "coep-header-invalid",
            "cookies-session-without-secure-flag",
            "cookies-session-without-secure-flag-but-protected-by-hsts",
            "cookies-without-secure-flag",
            "cookies-without-secure-flag-but-protected-by-hsts",
            "csp-header-invalid",
            "csp-implemented-with-insecure-scheme",
            "csp-implemented-with-unsafe-inline",
            "csp-not-implemented-but-reporting-enabled",
        ]
    );
}
