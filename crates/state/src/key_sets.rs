//! The room for the public keys of issuers: reads or fetches them, keeps them fresh, and knows when they are too old.
//!
//! 1. A set in a file is read when the policy is loaded. One at an address is fetched by [`Fetcher`]: over TLS, no redirect,
//!    at most 256 KiB, at most 5 s.
//! 2. It is fetched again before it is old ([`KeySets::refresh_due`]), and when a token names a key that is not in it: one fetch
//!    for all who wait, at most one a minute and issuer, so that made-up key ids cost the issuer nothing (case 74).
//! 3. Who waits for an unknown key waits 500 ms at most. The key is not there: the token is not believed (401). Nobody could
//!    say: unavailable (503).
//! 4. A set that cannot be fetched again is used until `max_stale`, and then no more (case 75).
//!
//! Each issuer has keys of its own; nothing is looked up by `kid` alone (CVE-2025-59936).

mod fault;
mod fetch;
mod keeper;
mod source;

use std::sync::Arc;
use std::time::Duration;

use portcullis_guard::clock::Now;
use portcullis_guard::token::{IssuerIndex, KeySet, KeyStrength, UnusableKey};
use portcullis_policy::Issuer;

pub use fault::{FetchFault, KeySetError, KeysUnavailable};
pub use fetch::Fetcher;

use keeper::Keeper;
pub(crate) use keeper::next_generation;
use source::Source;

/// How long a request waits for keys.
pub const WAIT_MAX: Duration = Duration::from_millis(500);

/// The keys of one issuer as they were at one moment.
#[derive(Clone, Debug)]
pub struct Held {
    /// The keys.
    pub keys: Arc<KeySet>,
    /// Another number for each other set, in the whole process: what was verified by one may not be believed by another.
    pub generation: u64,
}

/// The keys of all issuers of a policy.
#[derive(Debug)]
pub struct KeySets {
    keepers: Vec<Arc<Keeper>>,
}

impl KeySets {
    /// The keys of the issuers of a policy. Files are read; addresses are fetched when [`refresh_due`](Self::refresh_due) is called, or
    /// with the first token. Of `before`, the sets of the policy that is replaced, those are taken over whose issuer did not
    /// change, so that a reload fetches nothing and forgets nothing.
    ///
    /// # Errors
    ///
    /// Where a file cannot be read, is no key set, or has no usable key. The policy is not loaded then.
    pub fn new(
        issuers: &[Issuer],
        strength: KeyStrength,
        fetcher: &Fetcher,
        before: Option<&Self>,
    ) -> Result<Self, KeySetError> {
        let keepers = issuers.iter().map(|issuer| {
            let source = Source::new(&issuer.jwks, fetcher);
            let is_same = |keeper: &&Arc<Keeper>| {
                keeper.is_for(issuer.issuer.as_str(), &source, strength, issuer.max_stale)
            };
            let kept = before.and_then(|before| before.keepers.iter().find(is_same));
            // A file may have changed: it is read with each policy.
            match (kept, &source) {
                (Some(kept), Source::Url { .. }) => Ok(Arc::clone(kept)),
                _ => {
                    let opened = Keeper::open(issuer, source, strength)?;
                    let kept = kept.filter(|kept| kept.reads_as(&opened));
                    Ok(kept.map_or_else(|| Arc::new(opened), Arc::clone))
                }
            }
        });
        Ok(Self {
            keepers: keepers.collect::<Result<_, _>>()?,
        })
    }

    /// Whether these are the keys of before, each issuer's from the same place and, where it is a file, with the same text.
    #[must_use]
    pub fn are_those_of(&self, before: &Self) -> bool {
        let mut pairs = self.keepers.iter().zip(&before.keepers);
        self.keepers.len() == before.keepers.len()
            && pairs.all(|(one, other)| Arc::ptr_eq(one, other))
    }

    /// The keys of an issuer if they are there and not too old, whichever they are.
    #[must_use]
    pub fn held(&self, issuer: IssuerIndex, now: Now) -> Option<Held> {
        self.keepers.get(issuer.0)?.held(now)
    }

    /// The keys of an issuer if they are there, not too old, and among them the one that a token names. Most tokens need no more
    /// than this; for all others there is [`wait_for`](Self::wait_for).
    #[must_use]
    pub fn ready(&self, issuer: IssuerIndex, key_id: Option<&str>, now: Now) -> Option<Held> {
        let held = self.keepers.get(issuer.0)?.held(now)?;
        held.keys.knows(key_id).then_some(held)
    }

    /// The keys of an issuer after they were fetched again for a key that was not among them, if that may be. The key may still
    /// not be there: then the issuer has said so, now or a little while ago.
    ///
    /// # Errors
    ///
    /// When there are no keys that may be used, when the last fetch failed, or when it takes too long.
    pub async fn wait_for(
        &self,
        issuer: IssuerIndex,
        key_id: Option<&str>,
        now: Now,
    ) -> Result<Held, KeysUnavailable> {
        let keeper = self
            .keepers
            .get(issuer.0)
            .ok_or(KeysUnavailable::NoIssuer)?;
        keeper.wait_for(key_id, now).await
    }

    /// Begins to fetch what has to be fetched again, and waits for nothing. To be called every second or so, inside a runtime.
    pub fn refresh_due(&self, now: Now) {
        for keeper in &self.keepers {
            keeper.refresh_if_due(now);
        }
    }

    /// What is to be said of each issuer: its name, how many keys it has, why the last fetch failed.
    pub fn health(&self, now: Now) -> impl Iterator<Item = Health> + '_ {
        self.keepers.iter().map(move |keeper| keeper.health(now))
    }
}

impl Health {
    /// Whether it publishes keys of which none can be used, or none at all: it is obeyed, and no token of it is believed.
    #[must_use]
    pub fn has_no_usable_key(&self) -> bool {
        self.keys == Some(0)
    }
}

/// How it stands with the keys of one issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// The `iss` of its tokens.
    pub issuer: String,
    /// How many keys are held that may be used; none before the first fetch, and when they are too old.
    pub keys: Option<usize>,
    /// How many keys of the set verify nothing.
    pub unusable: usize,
    /// Why the first of those does not.
    pub why_unusable: Option<UnusableKey>,
    /// Why the last fetch failed.
    pub fault: Option<FetchFault>,
}
