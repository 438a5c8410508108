//! `CspText`: the directives of a Content-Security-Policy as a policy writes it.
//!
//! A browser says nothing of what it does not understand: a directive that is misspelt, a semicolon that is missing, a keyword
//! without its quotes are left out, and the page is less protected than its author believes. So they are refused here
//! (CSP3 §2.2, §2.3). What is well written and protects little is told, and refuses nothing.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::malformed::quoted;
use crate::{Csp, Malformed, Notice, Policy, closest};

/// The directives whose values are sources.
const OF_SOURCES: [&str; 20] = [
    "base-uri",
    "child-src",
    "connect-src",
    "default-src",
    "fenced-frame-src",
    "font-src",
    "form-action",
    "frame-ancestors",
    "frame-src",
    "img-src",
    "manifest-src",
    "media-src",
    "object-src",
    "script-src",
    "script-src-attr",
    "script-src-elem",
    "style-src",
    "style-src-attr",
    "style-src-elem",
    "worker-src",
];

/// The others.
const OTHERS: [&str; 7] = [
    "report-to",
    "report-uri",
    "require-trusted-types-for",
    "sandbox",
    "trusted-types",
    "upgrade-insecure-requests",
    "webrtc",
];

/// Those that there were, and that browsers pass over.
const OBSOLETE: [&str; 7] = [
    "block-all-mixed-content",
    "navigate-to",
    "plugin-types",
    "prefetch-src",
    "referrer",
    "reflected-xss",
    "require-sri-for",
];

/// The words that stand in quotes among sources.
const KEYWORDS: [&str; 11] = [
    "none",
    "self",
    "unsafe-inline",
    "unsafe-eval",
    "unsafe-hashes",
    "unsafe-allow-redirects",
    "wasm-unsafe-eval",
    "strict-dynamic",
    "report-sample",
    "inline-speculation-rules",
    "trusted-types-eval",
];

/// What stands before the value of a nonce or a hash.
const BEFORE_VALUES: [&str; 4] = ["nonce-", "sha256-", "sha384-", "sha512-"];

/// One directive.
#[derive(Clone, Debug)]
struct Directive<'t> {
    /// In lower case.
    name: String,
    values: Vec<&'t str>,
}

/// A policy that browsers understand as it is written.
#[derive(Clone, Debug)]
pub(crate) struct CspText<'t>(Vec<Directive<'t>>);

impl<'t> CspText<'t> {
    /// Reads the text.
    ///
    /// # Errors
    ///
    /// The first thing in it that a browser would pass over.
    pub(crate) fn read(text: &'t str) -> Result<Self, Malformed> {
        if let Some(at) = text.find(',') {
            let message = "a comma ends the policy, and what follows is another one: write `;`";
            return Err(Malformed::at(at..at + 1, message));
        }
        let mut names = BTreeSet::new();
        let mut directives = Vec::new();
        for piece in text.split(';') {
            let mut words = piece.split_ascii_whitespace();
            let Some(written) = words.next() else {
                continue;
            };
            let name = written.to_ascii_lowercase();
            let values: Vec<&str> = words.collect();
            let at = |word: &str| place(text, word);
            known(&name).map_err(|fault| moved(fault, at(written)))?;
            if !names.insert(name.clone()) {
                let message =
                    format!("the directive `{name}` is there twice, and browsers take the first");
                return Err(Malformed::at(at(written), message));
            }
            for value in &values {
                if let Some(message) = value_fault(&name, value, values.len()) {
                    return Err(Malformed::at(at(value), message));
                }
            }
            directives.push(Directive { name, values });
        }
        if directives.is_empty() {
            return Err(Malformed::whole(text, "there is no directive in it"));
        }
        Ok(Self(directives))
    }

    fn values(&self, name: &str) -> Option<&[&'t str]> {
        let found = self.0.iter().find(|directive| directive.name == name);
        found.map(|directive| directive.values.as_slice())
    }

    /// What bounds sources of a kind: the first of these directives that is there.
    fn bounding(&self, names: &[&'static str]) -> Option<(&'static str, &[&'t str])> {
        names
            .iter()
            .find_map(|name| self.values(name).map(|values| (*name, values)))
    }

    /// What is well written and protects little.
    pub(crate) fn weaknesses(&self) -> Vec<String> {
        let mut told = Vec::new();
        for directive in &self.0 {
            if OBSOLETE.contains(&directive.name.as_str()) {
                let name = &directive.name;
                told.push(format!("browsers pass over `{name}`: leave it out"));
            }
        }
        let mut looked_at = BTreeSet::new();
        for names in [
            &["script-src-elem", "script-src", "default-src"][..],
            &["script-src-attr", "script-src", "default-src"],
        ] {
            match self.bounding(names) {
                None if looked_at.insert("") => {
                    told.push("scripts may come from everywhere: add `script-src`".to_owned());
                }
                Some((name, values)) if looked_at.insert(name) => {
                    told.extend(weak_scripts(name, values));
                }
                _ => {}
            }
        }
        for names in [&["object-src", "default-src"][..], &["base-uri"]] {
            if let Some((name, values)) = self.bounding(names)
                && looked_at.insert(name)
            {
                told.extend(broad(name, values));
            }
        }
        told
    }
}

/// Where a word of the text stands in it.
fn place(text: &str, word: &str) -> Range<usize> {
    let start = word.as_ptr().addr().saturating_sub(text.as_ptr().addr());
    start..start + word.len()
}

fn moved(fault: Malformed, at: Range<usize>) -> Malformed {
    Malformed { at, ..fault }
}

/// Whether there is such a directive.
fn known(name: &str) -> Result<(), Malformed> {
    let all = || OF_SOURCES.iter().chain(&OTHERS).copied();
    if all().chain(OBSOLETE).any(|one| one == name) {
        return Ok(());
    }
    let message = format!(
        "{} is no directive of a Content-Security-Policy",
        quoted(name)
    );
    Err(Malformed::whole(name, message).perhaps(closest(name, all()).map(str::to_owned)))
}

/// What is wrong with one value among several.
fn value_fault(directive: &str, value: &str, count: usize) -> Option<String> {
    let lower = value.to_ascii_lowercase();
    if known(&lower).is_ok() && lower.contains('-') {
        return Some(format!(
            "a directive begins at `{lower}`: write `;` before it"
        ));
    }
    if !OF_SOURCES.contains(&directive) {
        return None;
    }
    let is_value = |word: &str| {
        BEFORE_VALUES
            .iter()
            .any(|before| word.strip_prefix(before).is_some_and(is_base64))
    };
    let inner = lower
        .strip_prefix('\'')
        .and_then(|rest| rest.strip_suffix('\''));
    match inner {
        Some("none") if count > 1 => {
            Some("`'none'` stands alone: beside another source browsers pass over it".to_owned())
        }
        Some(word) if KEYWORDS.contains(&word) || is_value(word) => None,
        Some(_) => Some(format!("{} is no word that browsers know", quoted(value))),
        None if KEYWORDS.contains(&lower.as_str()) || is_value(&lower) => Some(format!(
            "without its quotes it is the name of a host: write `'{value}'`"
        )),
        None => None,
    }
}

/// CSP3 §2.3.1; a nonce that is made anew for each answer stands as a word in braces.
fn is_base64(text: &str) -> bool {
    let is_one = |byte: u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte);
    let body = text.trim_end_matches('=');
    text == "{nonce}"
        || (!body.is_empty() && text.len() - body.len() <= 2 && body.bytes().all(is_one))
}

/// What makes a list of sources for scripts weak.
fn weak_scripts(name: &str, values: &[&str]) -> Vec<String> {
    let has = |word: &str| values.iter().any(|value| value.eq_ignore_ascii_case(word));
    let is_bound = values.iter().any(|value| {
        BEFORE_VALUES.iter().any(|before| {
            value
                .to_ascii_lowercase()
                .starts_with(&format!("'{before}"))
        })
    });
    let mut told = Vec::new();
    if has("'unsafe-inline'") && !is_bound && !has("'strict-dynamic'") {
        told.push(format!(
            "`{name}` has `'unsafe-inline'`, and what is smuggled into a page runs: use a nonce"
        ));
    }
    if has("'unsafe-eval'") {
        told.push(format!(
            "`{name}` has `'unsafe-eval'`, and text becomes code"
        ));
    }
    // With it browsers pass over hosts and schemes (CSP3 §8.2).
    if !has("'strict-dynamic'") {
        told.extend(broad(name, values));
    }
    told
}

/// Sources that are everywhere.
fn broad(name: &str, values: &[&str]) -> Option<String> {
    let is_broad = |value: &&&str| {
        let lower = value.to_ascii_lowercase();
        let host = lower.split_once("//").map_or(&*lower, |(_, host)| host);
        host == "*" || ["data:", "http:", "https:"].contains(&&*lower)
    };
    let broad = values.iter().find(is_broad)?;
    Some(format!(
        "`{name}` has `{broad}`, which is everywhere: name the hosts"
    ))
}

/// What is told of the policy of pages.
pub(crate) fn notices(policy: &Policy) -> Vec<Notice> {
    let Some(Csp {
        policy: text,
        place,
        ..
    }) = policy.csp()
    else {
        return Vec::new();
    };
    // What cannot be read was refused before.
    let weaknesses = CspText::read(text).map(|text| text.weaknesses());
    let told = weaknesses.unwrap_or_default().into_iter();
    told.map(|weakness| Notice {
        place: place.clone(),
        message: format!("`policy` of `[csp]`: {weakness}"),
    })
    .collect()
}
