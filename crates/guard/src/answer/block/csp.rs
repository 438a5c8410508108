//! The Content-Security-Policy of each profile (CSP3).
//!
//! The built-in ones stand where the application sends none. What `[csp]` says is for pages, and stands beside what the
//! application says: a browser obeys both. While it only reports, the built-in one stays; from then on what it does not
//! speak of still does, or a stricter policy would let in what the built-in one kept out.

use portcullis_policy::{AnswerHeaders, Csp, HeaderRule};

use super::{Bit, Part};
use crate::answer::defaults;
use crate::answer::media::Profile;

/// Who may frame an answer: what `X-Frame-Options` says, in the words that browsers obey today.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ancestors {
    Nobody,
    Itself,
    /// The application says.
    Unsaid,
}

impl Ancestors {
    pub(super) fn of(headers: Option<&AnswerHeaders>) -> Self {
        let mut rules = headers.into_iter().flat_map(|headers| &headers.rules);
        let rule = rules.find(|(name, _)| name.as_str() == "x-frame-options");
        match rule.map(|(_, rule)| rule) {
            None => Self::Nobody,
            Some(HeaderRule::Set(value)) if value.eq_ignore_ascii_case("SAMEORIGIN") => {
                Self::Itself
            }
            Some(HeaderRule::Set(_)) => Self::Nobody,
            Some(HeaderRule::Append(_) | HeaderRule::Keep) => Self::Unsaid,
        }
    }

    const fn directive(self) -> Option<&'static str> {
        match self {
            Self::Nobody => Some("frame-ancestors 'none'"),
            Self::Itself => Some("frame-ancestors 'self'"),
            Self::Unsaid => None,
        }
    }
}

const ENFORCED: &str = "Content-Security-Policy";
const REPORTED: &str = "Content-Security-Policy-Report-Only";

/// Where a nonce stands in the policy's text.
const NONCE: &str = "{nonce}";

/// The lines of all profiles.
pub(super) fn parts(csp: Option<&Csp>, ancestors: Ancestors) -> Vec<Part> {
    let mut parts = vec![
        built_in(Profile::Data, &defaults::DATA, ancestors),
        built_in(Profile::Drawing, &defaults::DRAWING, ancestors),
    ];
    if csp.is_none_or(|csp| csp.report_only) {
        parts.push(built_in(Profile::Page, &defaults::PAGE, ancestors));
    }
    parts.extend(csp.map(|csp| stated(csp, ancestors)));
    parts
}

fn built_in(profile: Profile, directives: &[&str], ancestors: Ancestors) -> Part {
    let all: Vec<&str> = directives
        .iter()
        .copied()
        .chain(ancestors.directive())
        .collect();
    Part {
        profiles: only(profile),
        unless: Some(Bit::Csp),
        ..Part::line(ENFORCED, &all.join("; "))
    }
}

/// What `[csp]` says, and of the built-in policy what it does not speak of.
fn stated(csp: &Csp, ancestors: Ancestors) -> Part {
    let name = if csp.report_only { REPORTED } else { ENFORCED };
    let built_in = defaults::PAGE.into_iter().chain(ancestors.directive());
    let unsaid = built_in.filter(|directive| !speaks_of(&csp.policy, directive));
    let said = csp.policy.trim_end_matches([';', ' ']);
    let all: Vec<&str> = [said].into_iter().chain(unsaid).collect();
    let line = format!("{name}: {}\r\n", all.join("; "));
    let pieces = if csp.nonce {
        line.split(NONCE)
            .map(|piece| piece.as_bytes().into())
            .collect()
    } else {
        vec![line.into_bytes().into()]
    };
    Part {
        pieces,
        profiles: only(Profile::Page),
        only_binding: false,
        unless: None,
    }
}

/// Whether a policy has a directive of this name, or for `object-src` the one that browsers take in its place (CSP3 §6.7).
fn speaks_of(policy: &str, directive: &str) -> bool {
    let name = |text: &str| text.split_ascii_whitespace().next().map(str::to_owned);
    let asked = name(directive).unwrap_or_default();
    policy.split(';').filter_map(name).any(|said| {
        said.eq_ignore_ascii_case(&asked)
            || (asked == "object-src" && said.eq_ignore_ascii_case("default-src"))
    })
}

fn only(profile: Profile) -> [bool; Profile::ALL.len()] {
    Profile::ALL.map(|one| one == profile)
}
