//! `[csp]` against every Content-Security-Policy of csp-evaluator's own tests, and what it finds in them.
//!
//! What it calls wrong syntax is refused; what it calls weak, of high severity, is told. The differences:
//!
//! - `base-uri` and `object-src` that are missing: the guard adds its own, so nothing is missing.
//! - Hosts from which others are known to bypass a policy: such a list grows old, and no host is judged here.
//! - Nonces that are short: one that is written in a file is refused, as it would be the same for everybody.
//! - `'unsafe-eval'` is told too, of which it is not sure, and so is `navigate-to`, which browsers pass over today;
//!   what stands in such a directive (`reflected-xss`) is not read.

use serde::Deserialize;

use portcullis_policy::Policy;

#[derive(Deserialize)]
struct Case {
    csp: String,
    findings: Vec<Finding>,
}

#[derive(Deserialize)]
struct Finding {
    r#type: String,
    severity: String,
    directive: String,
}

impl Finding {
    fn is_ours(&self) -> bool {
        match self.r#type.as_str() {
            "SCRIPT_UNSAFE_INLINE" | "PLAIN_URL_SCHEMES" | "PLAIN_WILDCARD" => true,
            "MISSING_DIRECTIVES" => self.directive == "script-src",
            "SCRIPT_UNSAFE_EVAL" | "DEPRECATED_DIRECTIVE" => true,
            _ => false,
        }
    }
}

fn cases() -> Vec<Case> {
    let text = include_str!("../../../../fixtures/vectors/csp-evaluator/policies.json");
    serde_json::from_str(text).unwrap()
}

/// The policy with this text, and with nonces that are made anew.
fn read(csp: &str) -> Result<Policy, String> {
    let mut text = String::new();
    for piece in csp.trim().split_inclusive(' ') {
        match piece.strip_prefix("'nonce-") {
            Some(rest) if rest.contains("***") => text.push_str(piece),
            Some(rest) => {
                let (_, behind) = rest.split_once('\'').unwrap();
                text.push_str("'nonce-{nonce}'");
                text.push_str(behind);
            }
            None => text.push_str(piece),
        }
    }
    let nonce = text.contains("{nonce}");
    let file = format!("version = 1\n[csp]\npolicy = \"{text}\"\nnonce = {nonce}\n");
    Policy::parse(&file).map_err(|errors| errors.to_string())
}

#[test]
fn what_an_evaluator_finds_is_refused_or_told() {
    let (mut refused, mut told, mut quiet) = (0, 0, 0);
    for Case { csp, findings } in cases() {
        let is_wrong = findings
            .iter()
            .any(|one| one.severity == "SYNTAX" && one.directive != "reflected-xss");
        match read(&csp) {
            Err(errors) => {
                assert!(is_wrong, "{csp}\n{errors}");
                refused += 1;
            }
            Ok(policy) => {
                assert!(!is_wrong, "{csp}");
                let notices = policy.notices();
                let is_weak =
                    findings.iter().any(Finding::is_ours) || csp.starts_with("navigate-to");
                assert_eq!(!notices.is_empty(), is_weak, "{csp}\n{notices:?}");
                if is_weak {
                    told += 1;
                } else {
                    quiet += 1;
                }
            }
        }
    }
    assert_eq!((refused, told, quiet), (8, 28, 19));
}

#[test]
fn what_browsers_would_pass_over_is_refused_where_it_stands() {
    for (csp, column, says) in [
        (
            "default-src 'self', script-src 'self'",
            29,
            "a comma ends the policy",
        ),
        ("scirpt-src 'self'", 11, "did you mean `script-src`?"),
        (
            "default-src 'self' script-src 'self'",
            30,
            "write `;` before it",
        ),
        (
            "script-src 'self'; script-src a.example",
            30,
            "is there twice",
        ),
        ("script-src self", 22, "write `'self'`"),
        ("script-src 'sefl'", 22, "is no word that browsers know"),
        ("script-src 'none' 'self'", 22, "`'none'` stands alone"),
        (
            "img-src a.example; script-src sha256-YWJj",
            41,
            "write `'sha256-YWJj'`",
        ),
        (";", 10, "there is no directive in it"),
    ] {
        let file = format!("version = 1\n[csp]\npolicy = \"{csp}\"\n");
        let errors = Policy::parse(&file).unwrap_err().to_string();
        assert!(
            errors.starts_with(&format!("3:{column}: ")),
            "{csp}: {errors}"
        );
        assert!(errors.contains(says), "{csp}: {errors}");
    }
}

#[test]
fn what_is_well_written_is_read() {
    for csp in [
        "default-src 'self'; img-src * data: blob:; font-src https:; style-src 'unsafe-inline'",
        "DEFAULT-SRC 'SELF'; upgrade-insecure-requests; sandbox allow-scripts allow-forms;",
        "script-src 'strict-dynamic' 'sha256-MTIz' https: 'unsafe-inline'; report-to csp; report-uri /csp",
        "script-src 'self' 'wasm-unsafe-eval'; require-trusted-types-for 'script'; trusted-types a 'allow-duplicates'",
        "frame-ancestors 'none'; default-src 'none'; connect-src wss://a.example:8443/b?c",
    ] {
        let file = format!("version = 1\n[csp]\npolicy = \"{csp}\"\n");
        let policy = Policy::parse(&file).unwrap_or_else(|errors| panic!("{csp}: {errors}"));
        assert_eq!(policy.notices(), [], "{csp}");
    }
}
