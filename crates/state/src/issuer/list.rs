//! `KeyList`: which keys there are and from when each is what, as `keys.json` has it.

use std::collections::BTreeMap;

use portcullis_guard::token::{KeySet, KeyStrength, TokenType};
use portcullis_policy::SigningAlgorithm;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::public::PublicJwk;

/// How long whoever verifies may keep the published set, in seconds.
pub const MAX_AGE_SECONDS: u64 = 300;

/// How long a new key is published before it signs, in seconds: verifiers keep a set for [`MAX_AGE_SECONDS`], and other guards for ten
/// minutes.
pub const LEAD_SECONDS: u64 = 15 * 60;

/// How long a key stays published that signs no more, in seconds: as long as a token of its may live (seed 004: 30 days at most),
/// with a minute for clocks that differ and one for guards that hear of the change late.
pub const RETIRING_SECONDS: u64 = TokenType::Parent.lifetime_seconds_max() + 120;

/// How long the private half of a key stays that signs no more, in seconds: the clock of another guard may be behind.
const FORGOTTEN_SECONDS: u64 = 600;

/// The most keys of a list.
const KEYS_MAX: usize = 32;

/// What the list is a list of.
const SCHEMA: &str = "portcullis.issuer-keys/1";

/// What a key is at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyState {
    /// It is published, and will sign.
    Next,
    /// It signs.
    Active,
    /// It signs no more, and is published as long as a token of its may live.
    Retiring,
    /// No token of its is believed any more.
    Retired,
}

impl KeyState {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Active => "active",
            Self::Retiring => "retiring",
            Self::Retired => "retired",
        }
    }
}

/// One key of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its public half.
    pub public: PublicJwk,
    /// From when it is published, in seconds since 1970-01-01T00:00:00Z.
    pub published: u64,
    /// From when it signs, likewise.
    pub signs_from: u64,
}

/// The keys, each signing from later than the one before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyList {
    keys: Vec<Key>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct WrittenList {
    schema: String,
    keys: Vec<WrittenKey>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct WrittenKey {
    kid: String,
    algorithm: String,
    published: u64,
    signs_from: u64,
    public: BTreeMap<String, String>,
}

impl KeyList {
    /// The longest text of one.
    pub(super) const BYTES_MAX: u64 = 64 * 1024;

    /// Reads one.
    pub(super) fn read(text: &[u8]) -> Result<Self, String> {
        let written: WrittenList = serde_json::from_slice(text)
            .map_err(|error| format!("it is no list of keys ({error})"))?;
        if written.schema != SCHEMA {
            return Err(format!("it is no `{SCHEMA}`"));
        }
        if written.keys.is_empty() || written.keys.len() > KEYS_MAX {
            return Err(format!("it has not 1 to {KEYS_MAX} keys"));
        }
        let mut list = Self::default();
        for key in written.keys {
            let kid = key.kid.clone();
            let read = read_key(key).ok_or_else(|| {
                format!("one of its keys is not the one that it is called by (`{kid}`)")
            })?;
            if list.keys.iter().any(|one| one.public == read.public) {
                return Err(format!("it has the key `{kid}` twice"));
            }
            let is_later = list
                .keys
                .last()
                .is_none_or(|last| last.signs_from < read.signs_from);
            if !is_later || read.published > read.signs_from {
                return Err(format!("the moments of the key `{kid}` are out of order"));
            }
            list.keys.push(read);
        }
        Ok(list)
    }

    /// As it is written.
    pub(super) fn written(&self) -> String {
        let keys = self.keys.iter().map(|key| WrittenKey {
            kid: key.public.thumbprint(),
            algorithm: key.public.algorithm().to_string(),
            published: key.published,
            signs_from: key.signs_from,
            public: key.public.members().clone(),
        });
        let list = WrittenList {
            schema: SCHEMA.to_owned(),
            keys: keys.collect(),
        };
        let text = serde_json::to_string_pretty(&list).unwrap_or_default();
        format!("{text}\n")
    }

    /// A list of one key more. What is retired is left out.
    pub(super) fn with(&self, key: Key, now: u64) -> Self {
        let mut keys = self.keys.clone();
        keys.push(key);
        let all = Self { keys };
        let stays = |(at, _): &(usize, &Key)| all.state_at(*at, now) != Some(KeyState::Retired);
        let kept = all.keys.iter().enumerate().filter(stays);
        Self {
            keys: kept.map(|(_, key)| key.clone()).collect(),
        }
    }

    /// The keys, each with what it is at a moment in seconds since 1970-01-01T00:00:00Z.
    pub fn states(&self, now: u64) -> impl Iterator<Item = (&Key, KeyState)> {
        self.keys
            .iter()
            .enumerate()
            .filter_map(move |(at, key)| Some((key, self.state_at(at, now)?)))
    }

    /// From when the key of a place signs no more; nothing of the last.
    fn superseded(&self, at: usize) -> Option<u64> {
        self.keys.get(at + 1).map(|next| next.signs_from)
    }

    fn state_at(&self, at: usize, now: u64) -> Option<KeyState> {
        let key = self.keys.get(at)?;
        let retired = self
            .superseded(at)
            .map(|end| end.saturating_add(RETIRING_SECONDS));
        Some(match self.superseded(at) {
            _ if now < key.signs_from => KeyState::Next,
            Some(end) if now >= end && retired.is_some_and(|end| now >= end) => KeyState::Retired,
            Some(end) if now >= end => KeyState::Retiring,
            _ => KeyState::Active,
        })
    }

    /// The key that signs at a moment: none before the first does.
    #[must_use]
    pub fn active(&self, now: u64) -> Option<&Key> {
        let signs = |key: &&Key| key.signs_from <= now;
        self.keys.iter().rev().find(signs)
    }

    /// The newest key, which signs or will.
    #[must_use]
    pub fn newest(&self) -> Option<&Key> {
        self.keys.last()
    }

    /// The keys whose private half is needed, at a moment.
    pub(super) fn signing(&self, now: u64) -> impl Iterator<Item = &Key> {
        let signs = move |(at, _): &(usize, &Key)| {
            let end = self.superseded(*at);
            end.is_none_or(|end| now < end.saturating_add(FORGOTTEN_SECONDS))
        };
        self.keys
            .iter()
            .enumerate()
            .filter(signs)
            .map(|(_, key)| key)
    }

    /// What is published at a moment: a key set (RFC 7517 §5).
    #[must_use]
    pub fn key_set(&self, now: u64) -> String {
        let published = self
            .states(now)
            .filter(|(key, state)| key.published <= now && *state != KeyState::Retired);
        let keys: Vec<_> = published.map(|(key, _)| key.public.in_set()).collect();
        json!({ "keys": keys }).to_string()
    }

    /// When something of it changes next: a key is published, or retired.
    pub(super) fn changes_after(&self, now: u64) -> Option<u64> {
        let published = self.keys.iter().map(|key| key.published);
        let retired = (0..self.keys.len()).filter_map(|at| self.superseded(at));
        let retired = retired.map(|end| end.saturating_add(RETIRING_SECONDS));
        published
            .chain(retired)
            .filter(|moment| *moment > now)
            .min()
    }
}

/// A key that verifies, and is called by its thumbprint.
fn read_key(written: WrittenKey) -> Option<Key> {
    let algorithm: SigningAlgorithm = written.algorithm.parse().ok()?;
    let public = PublicJwk::read(algorithm, written.public)?;
    let set = json!({ "keys": [public.in_set()] }).to_string();
    let set = KeySet::read(set.as_bytes(), KeyStrength::Standard).ok()?;
    let is_good = set.len() == 1 && public.thumbprint() == written.kid;
    is_good.then_some(Key {
        public,
        published: written.published,
        signs_from: written.signs_from,
    })
}

#[cfg(test)]
mod tests {
    use super::super::folder::RsaBits;
    use super::super::pair::SigningPair;
    use super::*;

    fn key(published: u64, signs_from: u64) -> Key {
        let pair = SigningPair::draw(SigningAlgorithm::EdDsa, RsaBits::B2048).unwrap();
        Key {
            public: pair.public().unwrap(),
            published,
            signs_from,
        }
    }

    #[test]
    fn states_follow_from_the_clock() {
        let list = KeyList::default()
            .with(key(100, 100), 100)
            .with(key(1_000, 1_900), 1_000);
        let retired = 1_900 + RETIRING_SECONDS;
        for (now, states, active) in [
            (99, &["next", "next"][..], None),
            (100, &["active", "next"], Some(0)),
            (1_899, &["active", "next"], Some(0)),
            (1_900, &["retiring", "active"], Some(1)),
            (retired - 1, &["retiring", "active"], Some(1)),
            (retired, &["retired", "active"], Some(1)),
        ] {
            let found: Vec<&str> = list.states(now).map(|(_, state)| state.as_str()).collect();
            assert_eq!(found, states, "{now}");
            let expected = active.map(|at: usize| &list.keys[at]);
            assert_eq!(list.active(now), expected, "{now}");
        }
    }

    /// A key is in the set before it signs, and as long as a token of its may live.
    #[test]
    fn what_is_published_when() {
        let list = KeyList::default()
            .with(key(100, 100), 100)
            .with(key(1_000, 1_900), 1_000);
        let retired = 1_900 + RETIRING_SECONDS;
        for (now, count) in [
            (99, 0),
            (100, 1),
            (999, 1),
            (1_000, 2),
            (retired - 1, 2),
            (retired, 1),
        ] {
            let set = list.key_set(now);
            let set = KeySet::read(set.as_bytes(), KeyStrength::Strict).unwrap();
            assert_eq!(set.len(), count, "{now}");
        }
        let changes: Vec<_> = [0, 100, 1_000, retired]
            .map(|now| list.changes_after(now))
            .into();
        assert_eq!(changes, [Some(100), Some(1_000), Some(retired), None]);
        assert_eq!(list.signing(1_900 + FORGOTTEN_SECONDS - 1).count(), 2);
        assert_eq!(list.signing(1_900 + FORGOTTEN_SECONDS).count(), 1);
        assert_eq!(list.with(key(retired, retired), retired).keys.len(), 2);
    }

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        let list = KeyList::default().with(key(1, 1), 1).with(key(5, 9), 5);
        let text = list.written();
        assert_eq!(KeyList::read(text.as_bytes()), Ok(list.clone()));
        let kid = list.keys[0].public.thumbprint();
        let x = list.keys[0].public.members()["x"].clone();
        for (from, to, words) in [
            ("issuer-keys/1", "issuer-keys/2", "it is no `portcullis"),
            ("\"published\": 5", "\"published\": 10", "out of order"),
            ("\"signs_from\": 9", "\"signs_from\": 1", "out of order"),
            ("\"published\": 5", "\"published\": -5", "no list of keys"),
            (
                "\"published\": 5",
                "\"published\": 5, \"published\": 5",
                "no list of keys",
            ),
            (
                "\"published\": 5",
                "\"published\": 5, \"d\": \"x\"",
                "no list of keys",
            ),
            (kid.as_str(), "other", "not the one that it is called by"),
            ("\"EdDSA\"", "\"ES256\"", "not the one that it is called by"),
            ("\"EdDSA\"", "\"HS256\"", "not the one that it is called by"),
            (x.as_str(), "AAAA", "not the one that it is called by"),
        ] {
            let changed = text.replacen(from, to, 1);
            assert_ne!(changed, text, "{from}");
            let why = KeyList::read(changed.as_bytes()).unwrap_err();
            assert!(why.contains(words), "{from}: {why}");
        }
        for text in [
            "",
            "{}",
            "[]",
            "{\"schema\":\"portcullis.issuer-keys/1\",\"keys\":[]}",
        ] {
            assert!(KeyList::read(text.as_bytes()).is_err(), "{text}");
        }
        let twice = text
            .replace("\"published\": 5", "\"published\": 1")
            .replace(&list.keys[1].public.members()["x"], &x);
        let twice = twice.replace(&list.keys[1].public.thumbprint(), &kid);
        assert!(
            KeyList::read(twice.as_bytes())
                .unwrap_err()
                .contains("twice")
        );
    }
}
