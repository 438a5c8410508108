//! `Mint`: gives out tokens: asks the store what it must know, and signs.

use std::sync::Arc;
use std::time::Duration;

use portcullis_guard::base64url;
use portcullis_guard::clock::Now;
use portcullis_guard::issuing::{
    ExchangeRequest, IssueFault, IssuePlan, IssueRequest, IssueWrong, NewToken,
};
use portcullis_guard::store::{Store, StoreError};
use portcullis_guard::token::{ClaimFault, TokenFault, TokenUse, TokenVerifier, Wrong};
use portcullis_policy::{Identity, Issuer, KeySetPlace, SigningAlgorithm};
use tokio::sync::Semaphore;

use super::keys::{IssuerKeys, Signer};
use crate::random_bytes;
use crate::revocations::Revocations;

/// Signatures by RSA that are made at a time. Each takes a thread for some milliseconds.
const SIGNING_MAX: usize = 4;

/// How long a request waits for its turn.
const TURN: Duration = Duration::from_secs(1);

/// How long a token waits until it may begin.
const WAIT_MAX: Duration = Duration::from_secs(1);

/// Gives out the tokens of one policy.
#[derive(Debug)]
pub struct Mint {
    keys: Arc<IssuerKeys>,
    /// Believes the guard's own tokens and no other.
    verifier: TokenVerifier,
    turns: Semaphore,
}

/// A token that was given out.
#[derive(Debug)]
pub struct Minted {
    /// The token. Whoever has it is its bearer.
    pub token: String,
    /// What it says.
    pub said: NewToken,
}

/// Why no token was given out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MintFault {
    /// What is asked for is not admitted.
    #[error(transparent)]
    Request(#[from] IssueFault),
    /// The parent token is not believed.
    #[error("the parent token is not believed: {0}")]
    Parent(#[from] TokenFault),
    /// The parent token was taken back, or all tokens of its user were.
    #[error("the parent token is revoked")]
    Revoked,
    /// The store does not say.
    #[error("{}", .0.class())]
    Store(#[from] StoreError),
    /// No key signs at this moment, or the library signs nothing.
    #[error("no key signs: see `portcullis token keys list`, and the clock of this machine")]
    NoKey,
    /// All tokens of the user are taken back by a moment that is still to come: a clock has gone back.
    #[error("all tokens of the user are taken back until later: see the clock of this machine")]
    NotYet,
    /// There is no randomness.
    #[error("the system gives no random bytes")]
    NoRandomness,
    /// Too many tokens are signed at this moment.
    #[error("too many tokens are being signed")]
    Busy,
}

impl Mint {
    /// That of a policy; nothing where the policy gives out no tokens.
    #[must_use]
    pub fn of(identity: &Identity, keys: Arc<IssuerKeys>) -> Option<Self> {
        let is_own = |issuer: &&Issuer| issuer.jwks == KeySetPlace::Own;
        let own: Vec<Issuer> = identity.issuers.iter().filter(is_own).cloned().collect();
        (!own.is_empty()).then(|| Self {
            keys,
            verifier: TokenVerifier::new(&own, None),
            turns: Semaphore::new(SIGNING_MAX),
        })
    }

    /// Its keys.
    #[must_use]
    pub const fn keys(&self) -> &Arc<IssuerKeys> {
        &self.keys
    }

    /// Gives a service the token that it asks for.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub async fn issue(
        &self,
        plan: &IssuePlan,
        request: &IssueRequest,
        store: &dyn Store,
        now: Now,
    ) -> Result<Minted, MintFault> {
        let revocations = Revocations::new(store);
        let until = revocations.revoked_until(plan.issuer(), &request.user_id, now);
        let issued = begins(until.await?, now);
        wait_for(issued, now).await?;
        let said = plan.issue(request, &token_id()?, issued)?;
        self.minted(said, now).await
    }

    /// Gives who has a parent token a child of it.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub async fn exchange(
        &self,
        plan: &IssuePlan,
        request: &ExchangeRequest,
        store: &dyn Store,
        now: Now,
    ) -> Result<Minted, MintFault> {
        let parent = self.verifier.read(&request.subject_token)?;
        let keys = self.keys.held().keys;
        let whole = self
            .verifier
            .verify_whole(parent, &keys, now, TokenUse::Exchange);
        let (believed, signed) = whole?;
        let parent = believed.claims();
        if Revocations::new(store).is_revoked(parent, now).await? {
            return Err(MintFault::Revoked);
        }
        let said = plan.exchange(
            request,
            (parent, signed.payload()),
            &token_id()?,
            // A parent that was given out right after all of its user's were taken back begins a second later.
            now.unix_seconds()
                .max(parent.issued_at().unwrap_or_default()),
        );
        let said = said.map_err(|fault| match fault.wrong {
            // Within the leeway it is believed, and no child can be begun any more: it is over, as it is a moment later.
            IssueWrong::Over => TokenFault::from(ClaimFault {
                claim: "exp",
                wrong: Wrong::Expired,
            })
            .into(),
            _ => MintFault::Request(fault),
        })?;
        self.minted(said, now).await
    }

    /// What a token of ours says that is shown to be taken back: also one that has ended, or is a parent.
    ///
    /// # Errors
    ///
    /// Where it is not signed by a key of ours.
    pub fn shown(&self, token: &str) -> Result<portcullis_guard::token::Claims, TokenFault> {
        let read = self.verifier.read(token)?;
        self.verifier.signed(read, &self.keys.held().keys)
    }

    async fn minted(&self, said: NewToken, now: Now) -> Result<Minted, MintFault> {
        let signer = self.keys.signer(now).ok_or(MintFault::NoKey)?;
        let token = self.sign(signer, &said.claims).await?;
        Ok(Minted { token, said })
    }

    /// Signs here, or where it takes long on a thread that serves nobody.
    async fn sign(&self, signer: Arc<Signer>, claims: &str) -> Result<String, MintFault> {
        if signer.algorithm() != SigningAlgorithm::Rs256 {
            return signer.sign(claims).ok_or(MintFault::NoKey);
        }
        let turn = tokio::time::timeout(TURN, self.turns.acquire()).await;
        let _turn = turn
            .map_err(|_elapsed| MintFault::Busy)?
            .map_err(|_closed| MintFault::Busy)?;
        let claims = claims.to_owned();
        let signed = tokio::task::spawn_blocking(move || signer.sign(&claims)).await;
        signed.ok().flatten().ok_or(MintFault::NoKey)
    }
}

/// When a token of a user begins: behind the moment by which all of theirs are taken back, which is this second at the latest
/// unless a clock has gone back. Who is taken back everywhere can be let in again at once.
fn begins(revoked_until: Option<u64>, now: Now) -> u64 {
    let after = revoked_until.map_or(0, |until| until.saturating_add(1));
    now.unix_seconds().max(after)
}

/// Waits until a token begins a second from now at the latest, as whoever verifies it has a clock of its own: longer only where all
/// of its user's were taken back twice in a second.
async fn wait_for(issued: u64, now: Now) -> Result<(), MintFault> {
    let begins_soon = issued.saturating_sub(1).saturating_mul(1_000);
    let early = Duration::from_millis(begins_soon.saturating_sub(now.unix_millis));
    if early > WAIT_MAX {
        return Err(MintFault::NotYet);
    }
    if !early.is_zero() {
        tokio::time::sleep(early).await;
    }
    Ok(())
}

/// 16 random bytes: it says which token it is, and is no secret.
fn token_id() -> Result<String, MintFault> {
    let bytes: [u8; 16] = random_bytes().map_err(|_none| MintFault::NoRandomness)?;
    Ok(base64url::text(&bytes))
}
