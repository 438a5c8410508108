//! `Names`: what the name of a field in an application's answer means, found by its first letter and its length.

use portcullis_policy::{HeaderRule, Policy};

use super::block::Bit;
use super::defaults::{self, Wins};
use crate::http1::Role;
use crate::http1::role::of_response_field;

/// What a name means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Only the guard says it: the application's is left out.
    Ours,
    /// The application's stands, and ours is left out.
    Theirs(Bit),
    /// The application's stands where it lasts.
    TransportSecurity,
    /// How long the answer may be kept.
    CacheControl,
    /// The media type.
    ContentType,
    /// Where the answer leads.
    Location,
    /// What software answers, and the policy has it told.
    Software,
}

/// Names and what they mean.
#[derive(Debug)]
pub(super) struct Names {
    /// Bit `n` of place `l` says that some name begins with letter `l` and has `n` bytes, or `n` is [`LENGTH_MAX`] and
    /// some has that or more. Most fields end here.
    lengths: [u64; LETTERS],
    rows: Vec<(Box<[u8]>, Meaning)>,
    /// Whether all that begins with `Access-Control-` is ours.
    are_cross_origin_ours: bool,
}

/// The last five bits of a letter are the same in both cases.
const LETTERS: usize = 32;
const LENGTH_MAX: usize = 63;

/// How the fields begin by which other sites' pages read an answer (Fetch §3.3.2).
pub(super) const CROSS_ORIGIN: &[u8] = b"access-control-";

impl Names {
    /// Those of no policy.
    pub(super) fn standard() -> Self {
        let mut names = Self {
            lengths: [0; LETTERS],
            rows: Vec::new(),
            are_cross_origin_ours: false,
        };
        for field in defaults::FIELDS {
            names.mean(field.name, meaning_of(field.name, field.wins));
        }
        for (name, meaning) in [
            ("content-security-policy", Meaning::Theirs(Bit::Csp)),
            ("strict-transport-security", Meaning::TransportSecurity),
            ("cache-control", Meaning::CacheControl),
            ("content-type", Meaning::ContentType),
            ("location", Meaning::Location),
            ("content-location", Meaning::Location),
        ] {
            names.mean(name, meaning);
        }
        names
    }

    /// Those of a policy.
    pub(super) fn of(policy: &Policy) -> Self {
        let mut names = Self::standard();
        let rules = policy.headers().map(|headers| &headers.rules);
        for (name, rule) in rules.into_iter().flatten() {
            let name = name.as_str();
            names.forget(name);
            match rule {
                HeaderRule::Set(_) => names.mean(name, Meaning::Ours),
                HeaderRule::Append(_) if name == "cache-control" => {
                    names.mean(name, Meaning::CacheControl);
                }
                HeaderRule::Append(_) => {}
                HeaderRule::Keep => {
                    if of_response_field(name.as_bytes()) == Role::Software {
                        names.mean(name, Meaning::Software);
                    }
                }
            }
        }
        if policy.cors().is_some() {
            names.are_cross_origin_ours = true;
            names.look_at(
                CROSS_ORIGIN.first().copied(),
                CROSS_ORIGIN.len()..=LENGTH_MAX,
            );
        }
        names
    }

    /// What a name means; nothing where it means nothing here.
    pub(super) fn meaning(&self, name: &[u8]) -> Option<Meaning> {
        let letter = name.first()? & 31;
        let lengths = self.lengths.get(usize::from(letter))?;
        if lengths >> name.len().min(LENGTH_MAX) & 1 == 0 {
            return None;
        }
        let mut rows = self.rows.iter();
        if let Some((_, meaning)) = rows.find(|(row, _)| row.eq_ignore_ascii_case(name)) {
            return Some(*meaning);
        }
        let begins = name.get(..CROSS_ORIGIN.len())?;
        (self.are_cross_origin_ours && begins.eq_ignore_ascii_case(CROSS_ORIGIN))
            .then_some(Meaning::Ours)
    }

    fn mean(&mut self, name: &str, meaning: Meaning) {
        let length = name.len().min(LENGTH_MAX);
        self.look_at(name.as_bytes().first().copied(), length..=length);
        self.rows.push((name.as_bytes().into(), meaning));
    }

    fn forget(&mut self, name: &str) {
        self.rows
            .retain(|(row, _)| !row.eq_ignore_ascii_case(name.as_bytes()));
    }

    fn look_at(&mut self, first: Option<u8>, mut lengths: std::ops::RangeInclusive<usize>) {
        let place = usize::from(first.unwrap_or_default() & 31);
        if let Some(bits) = self.lengths.get_mut(place) {
            *bits = lengths
                .try_fold(*bits, |bits, length| Some(bits | 1 << length))
                .unwrap_or(*bits);
        }
    }
}

fn meaning_of(name: &str, wins: Wins) -> Meaning {
    match (wins, Bit::of(name)) {
        (Wins::Application, Some(bit)) => Meaning::Theirs(bit),
        (Wins::Longer, _) => Meaning::TransportSecurity,
        (Wins::Guard | Wins::Application, _) => Meaning::Ours,
    }
}
