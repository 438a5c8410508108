//! `Blocks`: the lines that the guard adds to answers, made beforehand for each sort of answer.

mod csp;

use portcullis_policy::{AnswerHeaders, HeaderRule, Policy, Profile as Strictness};

use super::Nonce;
use super::defaults::{self, Wins};
use super::media::Profile;

/// A field that is left out where the application sent one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bit {
    Csp = 1,
    Referrer = 2,
    Permissions = 4,
    TransportSecurity = 8,
}

impl Bit {
    /// The bit of a default field that the application's own wins over.
    pub(super) fn of(name: &str) -> Option<Self> {
        match name {
            "Referrer-Policy" => Some(Self::Referrer),
            "Permissions-Policy" => Some(Self::Permissions),
            "Strict-Transport-Security" => Some(Self::TransportSecurity),
            _ => None,
        }
    }
}

/// Which of them the application sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen(u8);

impl Seen {
    pub(super) const fn note(&mut self, bit: Bit) {
        self.0 |= bit as u8;
    }

    pub(super) const fn has(self, bit: Bit) -> bool {
        self.0 & bit as u8 != 0
    }
}

/// One line, or what a nonce stands between.
#[derive(Debug)]
struct Part {
    pieces: Vec<Box<[u8]>>,
    /// In which profiles.
    profiles: [bool; Profile::ALL.len()],
    only_binding: bool,
    /// Left out where the application sent its own.
    unless: Option<Bit>,
}

/// The lines of each sort of answer.
#[derive(Debug)]
pub(super) struct Blocks {
    parts: Vec<Part>,
    /// By profile and scheme, where the application sent nothing of its own and there is no nonce in it.
    whole: Vec<Option<Box<[u8]>>>,
    /// By scheme: what an answer of the guard's own has.
    own: [Box<[u8]>; 2],
    wants_nonce: bool,
}

impl Blocks {
    /// Those of no policy.
    pub(super) fn standard() -> Self {
        Self::made(None, None, Strictness::Standard)
    }

    /// Those of a policy.
    pub(super) fn of(policy: &Policy) -> Self {
        Self::made(policy.headers(), policy.csp(), policy.profile())
    }

    fn made(
        headers: Option<&AnswerHeaders>,
        csp: Option<&portcullis_policy::Csp>,
        strictness: Strictness,
    ) -> Self {
        let mut parts = fields(headers, strictness, For::Relayed);
        let ancestors = csp::Ancestors::of(headers);
        parts.extend(csp::parts(csp, ancestors));
        let whole = Profile::ALL
            .iter()
            .flat_map(|profile| [(*profile, false), (*profile, true)])
            .map(|(profile, binds)| {
                let mut line = Vec::new();
                let wanted = parts.iter().filter(|part| part.is_in(profile, binds));
                let is_fixed = wanted.clone().all(|part| part.pieces.len() == 1);
                wanted.for_each(|part| part.write(&mut line, None));
                is_fixed.then(|| line.into())
            });
        let whole = whole.collect();
        let mut own = fields(headers, strictness, For::Own);
        own.extend(csp::parts(None, ancestors));
        let own = [false, true].map(|binds| {
            let mut line = Vec::new();
            let wanted = own.iter().filter(|part| part.is_in(Profile::Data, binds));
            wanted.for_each(|part| part.write(&mut line, None));
            line.into()
        });
        Self {
            parts,
            whole,
            own,
            wants_nonce: csp.is_some_and(|csp| csp.nonce),
        }
    }

    pub(super) const fn wants_nonce(&self) -> bool {
        self.wants_nonce
    }

    /// The lines of an answer of the guard's own.
    pub(super) fn own(&self, binds: bool) -> &[u8] {
        let [plain, secure] = &self.own;
        if binds { secure } else { plain }
    }

    /// Writes the lines of an application's answer.
    pub(super) fn write(
        &self,
        out: &mut Vec<u8>,
        profile: Profile,
        binds: bool,
        seen: Seen,
        nonce: Option<&Nonce>,
    ) {
        let place = profile.place() * 2 + usize::from(binds);
        if seen == Seen::default()
            && let Some(Some(whole)) = self.whole.get(place)
        {
            out.extend_from_slice(whole);
            return;
        }
        let wanted = self.parts.iter().filter(|part| {
            part.is_in(profile, binds) && !part.unless.is_some_and(|bit| seen.has(bit))
        });
        wanted.for_each(|part| part.write(out, nonce));
    }
}

impl Part {
    /// A line that every answer has.
    fn line(name: &str, value: &str) -> Self {
        Self {
            pieces: vec![format!("{name}: {value}\r\n").into_bytes().into()],
            profiles: [true; Profile::ALL.len()],
            only_binding: false,
            unless: None,
        }
    }

    fn is_in(&self, profile: Profile, binds: bool) -> bool {
        let is_there = self.profiles.get(profile.place());
        is_there.is_some_and(|is_there| *is_there) && (binds || !self.only_binding)
    }

    /// Writes the pieces with the nonce between them. Without one, a nonce that no script can have.
    fn write(&self, out: &mut Vec<u8>, nonce: Option<&Nonce>) {
        let mut pieces = self.pieces.iter();
        if let Some(first) = pieces.next() {
            out.extend_from_slice(first);
        }
        for piece in pieces {
            out.extend_from_slice(nonce.map_or(b"", Nonce::as_bytes));
            out.extend_from_slice(piece);
        }
    }
}

/// Whose answers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum For {
    Relayed,
    Own,
}

/// The lines of all fields but the Content-Security-Policy.
fn fields(headers: Option<&AnswerHeaders>, strictness: Strictness, whose: For) -> Vec<Part> {
    let rule_of = |name: &str| {
        let mut rules = headers.into_iter().flat_map(|headers| &headers.rules);
        rules
            .find(|(written, _)| written.as_str().eq_ignore_ascii_case(name))
            .map(|(_, rule)| rule)
    };
    let security = defaults::transport_security(strictness);
    let mut parts: Vec<Part> = Vec::new();
    for field in defaults::FIELDS.into_iter().chain([security]) {
        let lasts = field.wins == Wins::Longer;
        let part = match rule_of(field.name) {
            Some(HeaderRule::Set(value) | HeaderRule::Append(value)) => {
                Some(Part::line(field.name, value))
            }
            // An answer of our own has no other to keep; but what binds a host for a year is not ours to say then.
            Some(HeaderRule::Keep) => {
                (whose == For::Own && !lasts).then(|| Part::line(field.name, field.value))
            }
            None => Some(Part {
                unless: Bit::of(field.name),
                ..Part::line(field.name, field.value)
            }),
        };
        parts.extend(part.map(|part| Part {
            only_binding: lasts,
            ..part
        }));
    }
    let is_default = |name: &str| {
        let mut all = defaults::FIELDS.iter().chain([&security]);
        all.any(|field| field.name.eq_ignore_ascii_case(name))
    };
    let others = headers.into_iter().flat_map(|headers| &headers.rules);
    let others = others.filter(|(name, _)| {
        // Answers of our own say of themselves whether they may be kept.
        let is_said = whose == For::Own && name.as_str() == "cache-control";
        !is_said && !is_default(name.as_str())
    });
    parts.extend(others.filter_map(|(name, rule)| match rule {
        HeaderRule::Set(value) | HeaderRule::Append(value) => {
            Some(Part::line(name.as_str(), value))
        }
        HeaderRule::Keep => None,
    }));
    parts
}
