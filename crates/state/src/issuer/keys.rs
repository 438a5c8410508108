//! `IssuerKeys`: the signing keys of a guard that runs: what signs now, what is published, and what is believed.

use std::sync::Arc;

use arc_swap::ArcSwap;
use portcullis_guard::base64url;
use portcullis_guard::clock::Now;
use portcullis_guard::token::{KeySet, KeyStrength};
use portcullis_policy::SigningAlgorithm;

use super::fault::IssuerKeyError;
use super::folder::IssuerFolder;
use super::list::KeyList;
use super::pair::SigningPair;
use crate::key_sets::{Held, next_generation};

/// The signing keys of a guard that runs.
#[derive(Debug)]
pub struct IssuerKeys {
    folder: IssuerFolder,
    strength: KeyStrength,
    current: ArcSwap<Current>,
}

/// The keys as they were read.
#[derive(Debug)]
struct Current {
    text: Vec<u8>,
    list: KeyList,
    signers: Vec<Arc<Signer>>,
    /// What is published.
    set: Arc<str>,
    held: Held,
    /// When what is published is another, by the clock alone.
    changes: Option<u64>,
}

/// A key that signs, or will.
#[derive(Debug)]
pub struct Signer {
    kid: String,
    algorithm: SigningAlgorithm,
    signs_from: u64,
    header: String,
    pair: SigningPair,
}

impl Signer {
    /// What it signs with.
    #[must_use]
    pub const fn algorithm(&self) -> SigningAlgorithm {
        self.algorithm
    }

    /// What it is called.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// A token (RFC 7515 §7.1) of claims that are a JSON object. It takes a millisecond and more with RSA. Nothing where the
    /// library signs nothing.
    #[must_use]
    pub fn sign(&self, claims: &str) -> Option<String> {
        let mut token = self.header.clone().into_bytes();
        token.push(b'.');
        base64url::write(&mut token, claims.as_bytes());
        let signature = self.pair.sign(&token)?;
        token.push(b'.');
        base64url::write(&mut token, &signature);
        String::from_utf8(token).ok()
    }
}

impl IssuerKeys {
    /// Reads the keys of a folder.
    ///
    /// # Errors
    ///
    /// Where there are none, where a file is damaged or open to others, where a key that signs is too weak.
    pub fn open(
        folder: IssuerFolder,
        strength: KeyStrength,
        now: Now,
    ) -> Result<Self, IssuerKeyError> {
        let (list, text) = folder.list()?;
        let current = Current::of(&folder, strength, (list, text), now.unix_seconds())?;
        Ok(Self {
            folder,
            strength,
            current: ArcSwap::from_pointee(current),
        })
    }

    /// Looks whether the folder or the clock has changed something; whether it was so. To be called every few seconds.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open). Everything stays as it was then.
    pub fn refresh(&self, now: Now) -> Result<bool, IssuerKeyError> {
        let now = now.unix_seconds();
        let text = self.folder.text()?;
        let current = self.current.load();
        let is_due = current.changes.is_some_and(|moment| now >= moment);
        if current.text == text && !is_due {
            return Ok(false);
        }
        let read = self.folder.list()?;
        let next = Current::of(&self.folder, self.strength, read, now)?;
        self.current.store(Arc::new(next));
        Ok(true)
    }

    /// The key that signs at a moment. None where the clock is before the first.
    #[must_use]
    pub fn signer(&self, now: Now) -> Option<Arc<Signer>> {
        let now = now.unix_seconds();
        let current = self.current.load();
        let signs = |signer: &&Arc<Signer>| signer.signs_from <= now;
        current.signers.iter().rev().find(signs).cloned()
    }

    /// The published set (RFC 7517 §5).
    #[must_use]
    pub fn published(&self) -> Arc<str> {
        Arc::clone(&self.current.load().set)
    }

    /// The keys as they were read.
    #[must_use]
    pub fn list(&self) -> KeyList {
        self.current.load().list.clone()
    }

    /// The public keys, by which tokens are believed.
    #[must_use]
    pub fn held(&self) -> Held {
        self.current.load().held.clone()
    }

    /// Where they are.
    #[must_use]
    pub const fn folder(&self) -> &IssuerFolder {
        &self.folder
    }

    /// How strong they must be.
    #[must_use]
    pub const fn strength(&self) -> KeyStrength {
        self.strength
    }
}

impl Current {
    fn of(
        folder: &IssuerFolder,
        strength: KeyStrength,
        (list, text): (KeyList, Vec<u8>),
        now: u64,
    ) -> Result<Self, IssuerKeyError> {
        let mut signers = Vec::new();
        for key in list.signing(now) {
            let (kid, algorithm) = (key.public.thumbprint(), key.public.algorithm());
            let header = format!(r#"{{"alg":"{algorithm}","typ":"JWT","kid":"{kid}"}}"#);
            signers.push(Arc::new(Signer {
                pair: folder.pair(key, strength)?,
                header: base64url::text(header.as_bytes()),
                signs_from: key.signs_from,
                kid,
                algorithm,
            }));
        }
        let set = list.key_set(now);
        // A key that signs no more and is too weak by now is left out: its tokens are not believed.
        let keys = KeySet::read(set.as_bytes(), strength)
            .map_err(|fault| IssuerKeyError::damaged(folder.path(), fault.to_string()))?;
        Ok(Self {
            signers,
            held: Held {
                keys: Arc::new(keys),
                generation: next_generation(),
            },
            set: set.into(),
            changes: list.changes_after(now),
            text,
            list,
        })
    }
}
