//! `Tokens`: the tokens of one policy: its issuers, their keys, and what was verified already.
//!
//! What was verified is kept as claims, under the SHA-256 of the token, and is never more than a saved signature: the issuer's
//! keys must still be the same set and not too old, and every claim is judged again at each request. Revocations are asked of
//! the store at each request as well ([`revocation`](portcullis_guard::token::revocation)). It belongs to one policy and ends
//! with it. Of refusals one is kept, for a few texts: that no key of a set signed them, which is a saved signature too. A client
//! that is stuck with such a token costs a digest with each try. All else that fails is looked at anew each time.

mod cache;
mod inspect;

use portcullis_guard::clock::Now;
use portcullis_guard::token::{
    Believed, Claims, KeyStrength, TokenFault, TokenUse, TokenVerifier, Unbelieved, Unverified,
};
use portcullis_policy::{Identity, SessionSource};

use crate::key_sets::{Fetcher, Held, KeySetError, KeySets, KeysUnavailable};
use cache::{Digest, Kept, TokenCache};

pub use cache::CacheBounds;
pub use inspect::Inspection;

/// Why a token is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotBelieved {
    /// It is not to be believed: 401.
    #[error(transparent)]
    Fault(#[from] TokenFault),
    /// Nobody can say: 503.
    #[error(transparent)]
    Unavailable(#[from] KeysUnavailable),
}

impl From<NotBelieved> for Unbelieved {
    fn from(why: NotBelieved) -> Self {
        match why {
            NotBelieved::Fault(fault) => Self::Fault(fault),
            NotBelieved::Unavailable(why) => Self::Unavailable(why.to_string().into()),
        }
    }
}

/// The tokens of one policy.
#[derive(Debug)]
pub struct Tokens {
    verifier: TokenVerifier,
    keys: KeySets,
    /// None where nothing is to be kept.
    cache: Option<TokenCache>,
}

/// A token that waits for keys.
#[derive(Debug)]
pub struct Waiting<'t> {
    token: Unverified<'t>,
    digest: Option<Digest>,
}

impl Tokens {
    /// The tokens of a policy. Key sets are taken over from `before`, what was verified is not.
    ///
    /// # Errors
    ///
    /// As [`KeySets::new`].
    pub fn new(
        identity: &Identity,
        strength: KeyStrength,
        fetcher: &Fetcher,
        bounds: CacheBounds,
        before: Option<&Self>,
    ) -> Result<Self, KeySetError> {
        let source = identity.session.as_ref().map(|session| &session.source);
        let session_claim = match source {
            Some(SessionSource::Claim(name)) => Some(name.as_str()),
            _ => None,
        };
        let before = before.map(|before| &before.keys);
        Ok(Self {
            verifier: TokenVerifier::new(&identity.issuers, session_claim),
            keys: KeySets::new(&identity.issuers, strength, fetcher, before)?,
            cache: (bounds.tokens > 0).then(|| TokenCache::new(bounds)),
        })
    }

    /// The keys of its issuers.
    #[must_use]
    pub const fn keys(&self) -> &KeySets {
        &self.keys
    }

    /// Judges a token, if the keys for it are there. If they are not, it has to wait for them ([`wait`](Self::wait)).
    ///
    /// # Errors
    ///
    /// What is wrong with the token.
    pub fn judge<'t>(
        &self,
        compact: &'t str,
        now: Now,
        used: TokenUse,
    ) -> Result<Result<Believed, Waiting<'t>>, TokenFault> {
        // Without a memory nothing is looked for, and no digest is made.
        let digest = self.cache.as_ref().map(|_| Digest::of(compact));
        if let Some((cache, digest)) = self.cache.as_ref().zip(digest)
            && let Some(Kept {
                believed,
                generation,
            }) = cache.find(&digest)
        {
            let held = self.keys.held(believed.issuer(), now);
            if held.is_some_and(|held| held.generation == generation) {
                self.verifier.judge(&believed, now, used)?;
                return Ok(Ok(believed));
            }
        }
        let token = self.verifier.read(compact)?;
        self.verifier.refuse_early(&token, now, used)?;
        match self.keys.ready(token.issuer(), token.key_id(), now) {
            Some(held) => self.verify(token, digest, &held, now, used).map(Ok),
            None => Ok(Err(Waiting { token, digest })),
        }
    }

    /// What a token says whose signature holds by the keys that are there, whether or not it is to be believed: for taking it back.
    ///
    /// # Errors
    ///
    /// Where it is of no issuer of the policy, its signature does not hold, or there are no keys.
    pub fn shown(&self, compact: &str, now: Now) -> Result<Claims, NotBelieved> {
        let token = self.verifier.read(compact)?;
        let held = self.keys.held(token.issuer(), now);
        let held = held.ok_or(KeysUnavailable::None)?;
        Ok(self.verifier.signed(token, &held.keys)?)
    }

    /// Judges a token after its issuer's keys were fetched again.
    ///
    /// # Errors
    ///
    /// What is wrong with the token, or that its keys are not to be had.
    pub async fn wait(
        &self,
        waiting: Waiting<'_>,
        now: Now,
        used: TokenUse,
    ) -> Result<Believed, NotBelieved> {
        let Waiting { token, digest } = waiting;
        let held = self
            .keys
            .wait_for(token.issuer(), token.key_id(), now)
            .await?;
        Ok(self.verify(token, digest, &held, now, used)?)
    }

    /// Both in one.
    ///
    /// # Errors
    ///
    /// As [`wait`](Self::wait).
    pub async fn believe(
        &self,
        compact: &str,
        now: Now,
        used: TokenUse,
    ) -> Result<Believed, NotBelieved> {
        match self.judge(compact, now, used)? {
            Ok(believed) => Ok(believed),
            Err(waiting) => self.wait(waiting, now, used).await,
        }
    }

    fn verify(
        &self,
        token: Unverified<'_>,
        digest: Option<Digest>,
        held: &Held,
        now: Now,
        used: TokenUse,
    ) -> Result<Believed, TokenFault> {
        let Some((cache, digest)) = self.cache.as_ref().zip(digest) else {
            return self.verifier.verify(token, &held.keys, now, used);
        };
        let generation = held.generation;
        if cache.is_unsigned(&digest, generation) {
            return Err(TokenFault::SignatureWrong);
        }
        let verified = self.verifier.verify(token, &held.keys, now, used);
        if let Err(TokenFault::SignatureWrong) = verified {
            cache.keep_unsigned(digest, generation);
        }
        let believed = verified?;
        let kept = Kept {
            believed: believed.clone(),
            generation,
        };
        cache.keep(digest, kept);
        Ok(believed)
    }
}
