//! `TokenCache`: which tokens were verified, by which set of keys, and a few whose signature does not hold.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use portcullis_guard::digest::sha256;
use portcullis_guard::token::Believed;
use portcullis_policy::TOKENS_REMEMBERED;

/// How much is kept at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheBounds {
    /// Tokens.
    pub tokens: usize,
    /// Bytes of what they claim, with what an entry takes besides.
    pub bytes: usize,
}

impl CacheBounds {
    /// So many tokens, with 1 KiB for each.
    #[must_use]
    pub const fn of(tokens: u32) -> Self {
        let tokens = tokens as usize;
        Self {
            tokens,
            bytes: tokens.saturating_mul(1_024),
        }
    }
}

impl Default for CacheBounds {
    /// 4096 tokens, 4 MiB.
    fn default() -> Self {
        Self::of(TOKENS_REMEMBERED)
    }
}

/// The SHA-256 of a token: the token itself is not kept, since whoever has it is its bearer.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Digest([u8; 32]);

impl Digest {
    pub(super) fn of(compact: &str) -> Self {
        Self(sha256(compact.as_bytes()))
    }

    /// Its place among those that are not signed, by another byte than its part.
    fn place(&self) -> usize {
        usize::from(self.0.last().copied().unwrap_or_default()) % UNSIGNED
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest")
    }
}

/// What was verified, by the set of which number.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) believed: Believed,
    pub(super) generation: u64,
}

/// What an entry takes besides what is claimed: the digest, the claims' own fields, the place in a table that is half empty.
const ENTRY_BYTES: usize = 700;

/// Parts with a lock each.
const PARTS: usize = 16;

/// What was verified. It is full when half of it is young: then what is young becomes old, and what is old and was not asked for
/// since is forgotten.
pub(super) struct TokenCache {
    parts: Vec<Mutex<Part>>,
    bounds: CacheBounds,
}

#[derive(Default)]
struct Part {
    young: HashMap<Digest, Kept>,
    young_bytes: usize,
    old: HashMap<Digest, Kept>,
    /// Texts that are signed by no key of the set of this number. Each has one place alone, so that whoever makes up many costs
    /// nobody but those who do the same.
    unsigned: [Option<(Digest, u64)>; UNSIGNED],
}

/// How many texts that are not signed a part knows.
const UNSIGNED: usize = 16;

impl TokenCache {
    pub(super) fn new(bounds: CacheBounds) -> Self {
        let parts = (0..PARTS).map(|_| Mutex::default()).collect();
        Self { parts, bounds }
    }

    /// What was verified under this digest, as it was when it was kept.
    pub(super) fn find(&self, digest: &Digest) -> Option<Kept> {
        let mut part = self
            .part(digest)?
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = part.young.get(digest) {
            return Some(kept.clone());
        }
        let kept = part.old.remove(digest)?;
        self.put(&mut part, *digest, kept.clone());
        Some(kept)
    }

    /// Keeps what was verified.
    pub(super) fn keep(&self, digest: Digest, kept: Kept) {
        if let Some(part) = self.part(&digest) {
            let mut part = part.lock().unwrap_or_else(PoisonError::into_inner);
            self.put(&mut part, digest, kept);
        }
    }

    /// Whether it is known that a text is signed by no key of the set of this number. That cannot change: another set has another
    /// number.
    pub(super) fn is_unsigned(&self, digest: &Digest, generation: u64) -> bool {
        let Some(part) = self.part(digest) else {
            return false;
        };
        let part = part.lock().unwrap_or_else(PoisonError::into_inner);
        let known = part.unsigned.get(digest.place());
        known.is_some_and(|known| *known == Some((*digest, generation)))
    }

    /// Keeps in mind that it is not.
    pub(super) fn keep_unsigned(&self, digest: Digest, generation: u64) {
        if let Some(part) = self.part(&digest) {
            let mut part = part.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(place) = part.unsigned.get_mut(digest.place()) {
                *place = Some((digest, generation));
            }
        }
    }

    fn put(&self, part: &mut Part, digest: Digest, kept: Kept) {
        let bytes = bytes_of(&kept);
        let is_full = part.young.len() >= self.bounds.tokens / PARTS / 2
            || part.young_bytes + bytes > self.bounds.bytes / PARTS / 2;
        if is_full {
            // The table of what is forgotten is the next one: it has its size already.
            let Part {
                young,
                old,
                young_bytes,
                ..
            } = part;
            std::mem::swap(young, old);
            young.clear();
            *young_bytes = 0;
        }
        if bytes > self.bounds.bytes / PARTS / 2 || self.bounds.tokens < 2 * PARTS {
            return;
        }
        part.young_bytes += bytes;
        if let Some(before) = part.young.insert(digest, kept) {
            part.young_bytes -= bytes_of(&before).min(part.young_bytes);
        }
    }

    /// The part of a digest. Its bytes are as good as random, and are no other part's for being chosen: what is kept was verified.
    fn part(&self, digest: &Digest) -> Option<&Mutex<Part>> {
        let first = digest.0.first().copied().unwrap_or_default();
        self.parts.get(usize::from(first) % PARTS)
    }

    #[cfg(test)]
    fn size(&self) -> (usize, usize) {
        let sizes = self.parts.iter().map(|part| {
            let part = part.lock().unwrap();
            let all = part.young.values().chain(part.old.values());
            (
                part.young.len() + part.old.len(),
                all.map(bytes_of).sum::<usize>(),
            )
        });
        sizes.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
    }
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCache")
            .field("bounds", &self.bounds)
            .finish_non_exhaustive()
    }
}

fn bytes_of(kept: &Kept) -> usize {
    ENTRY_BYTES + kept.believed.claims().bytes()
}

#[cfg(test)]
mod tests {
    use portcullis_guard::clock::Now;
    use portcullis_guard::token::{KeySet, KeyStrength, TokenUse, TokenVerifier};
    use portcullis_policy::Policy;

    use super::*;

    /// Clerk's own fixture: a token that is verified by a real key, for something to keep.
    fn believed() -> Believed {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../fixtures/vectors/clerk-fixtures/fixtures.json"
        );
        let fixtures: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let policy = Policy::parse("version = 1\n[[identity.issuer]]\npreset = \"clerk\"\nissuer = \"https://clerk.inspired.puma-74.lcl.dev\"\nauthorized_parties = [\"https://accounts.inspired.puma-74.lcl.dev\"]\nalgorithms = [\"RS256\"]").unwrap();
        let verifier = TokenVerifier::new(&policy.identity().unwrap().issuers, None);
        let keys = KeySet::read(
            fixtures["mockJwks"].to_string().as_bytes(),
            KeyStrength::Standard,
        )
        .unwrap();
        let now = Now {
            monotonic: 0,
            unix_millis: 1_666_648_250_000,
        };
        let read = verifier
            .read(fixtures["signedJwt"].as_str().unwrap())
            .unwrap();
        verifier.verify(read, &keys, now, TokenUse::Route).unwrap()
    }

    #[test]
    fn it_never_holds_more_than_it_may() {
        let believed = believed();
        for bounds in [
            CacheBounds {
                tokens: 320,
                bytes: usize::MAX,
            },
            CacheBounds {
                tokens: usize::MAX,
                bytes: 160_000,
            },
            CacheBounds {
                tokens: 0,
                bytes: 160_000,
            },
            CacheBounds {
                tokens: 320,
                bytes: 0,
            },
        ] {
            let cache = TokenCache::new(bounds);
            for at in 0..5_000_u64 {
                let kept = Kept {
                    believed: believed.clone(),
                    generation: at,
                };
                cache.keep(Digest::of(&at.to_string()), kept);
                let (tokens, bytes) = cache.size();
                assert!(
                    tokens <= bounds.tokens && bytes <= bounds.bytes,
                    "{tokens} {bytes} {bounds:?}"
                );
            }
            let is_for_some = bounds.tokens > 0 && bounds.bytes > 0;
            let last = cache.find(&Digest::of("4999"));
            assert_eq!(
                last.map(|kept| kept.generation),
                is_for_some.then_some(4_999)
            );
            assert!(cache.find(&Digest::of("0")).is_none());
            assert!(cache.find(&Digest::of("another")).is_none());
        }
    }

    #[test]
    fn what_is_not_signed_is_so_by_one_set_of_keys() {
        let cache = TokenCache::new(CacheBounds::default());
        let digest = Digest::of("a");
        assert!(!cache.is_unsigned(&digest, 1));
        cache.keep_unsigned(digest, 1);
        assert!(cache.is_unsigned(&digest, 1));
        assert!(!cache.is_unsigned(&digest, 2));
        assert!(!cache.is_unsigned(&Digest::of("b"), 1));
        for at in 0..10_000_u64 {
            cache.keep_unsigned(Digest::of(&at.to_string()), 1);
        }
        assert!(cache.is_unsigned(&Digest::of("9999"), 1));
        let known = (0..10_000_u64).filter(|at| cache.is_unsigned(&Digest::of(&at.to_string()), 1));
        assert!(known.count() <= PARTS * UNSIGNED);
    }

    #[test]
    fn what_is_asked_for_stays() {
        let believed = believed();
        let cache = TokenCache::new(CacheBounds {
            tokens: 320,
            bytes: usize::MAX,
        });
        cache.keep(
            Digest::of("hot"),
            Kept {
                believed: believed.clone(),
                generation: 7,
            },
        );
        for at in 0..5_000_u64 {
            cache.keep(
                Digest::of(&at.to_string()),
                Kept {
                    believed: believed.clone(),
                    generation: at,
                },
            );
            assert_eq!(
                cache.find(&Digest::of("hot")).unwrap().generation,
                7,
                "after {at}"
            );
        }
    }
}
