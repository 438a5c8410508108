//! `TokenVerifier`: whose a token is, among the issuers of a policy, and whether it is believed.

use std::fmt;
use std::sync::Arc;

use portcullis_policy::Issuer;

use super::claim_fault::{ClaimFault, Wrong};
use super::claims::Claims;
use super::fault::TokenFault;
use super::issuer_rules::{IssuerRules, TokenUse};
use super::jws::Jws;
use super::key_set::KeySet;
use super::revocation::Revocable;
use super::verify::{Verified, verify_read};
use crate::clock::Now;

/// The issuers of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenVerifier {
    issuers: Vec<IssuerRules>,
    session_claim: Box<str>,
}

/// Which issuer of a policy: its place in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IssuerIndex(pub usize);

/// A token that was taken apart and names an issuer of ours. It is not verified: what it claims is not to be had from it.
pub struct Unverified<'t> {
    token: Jws<'t>,
    claims: Claims,
    issuer: IssuerIndex,
}

/// What is believed: a token whose signature held when it was read, and whose claims held at the moment it was judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Believed {
    said: Arc<Said>,
    issuer: IssuerIndex,
    until: u64,
}

/// What a token says, and by what it can be revoked.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    claims: Claims,
    revocable: Revocable,
}

/// Who a caller is: `iss` and `sub` together, since two issuers may call two people the same. Neither is ever taken apart: a
/// name like `a@evil@corp` has no domain (CVE-2026-40574).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity<'c> {
    /// `iss`, byte by byte as the policy has it.
    pub issuer: &'c str,
    /// `sub`, byte by byte as the token has it.
    pub subject: &'c str,
}

impl TokenVerifier {
    /// A verifier for the issuers of a policy. `session_claim` is the claim that the policy calls a session; `sid` where it
    /// names none.
    #[must_use]
    pub fn new(issuers: &[Issuer], session_claim: Option<&str>) -> Self {
        Self {
            issuers: issuers.iter().map(IssuerRules::new).collect(),
            session_claim: session_claim.unwrap_or("sid").into(),
        }
    }

    /// The issuers, in the order of the policy.
    #[must_use]
    pub fn issuers(&self) -> &[IssuerRules] {
        &self.issuers
    }

    /// Takes a token apart and finds whose it is, which decides by whose keys alone it may be verified (CVE-2025-59936).
    ///
    /// # Errors
    ///
    /// Where it is no well-formed token, its `typ` or an `alg` is none of the issuer's, or it is of nobody whom the policy names.
    pub fn read<'t>(&self, compact: &'t str) -> Result<Unverified<'t>, TokenFault> {
        let token = Jws::read(compact)?;
        IssuerRules::judge_header(&token.header)?;
        let is_of_clerk = |name: &str| {
            let issuer = self.issuers.iter().find(|one| **one.name() == *name);
            issuer.is_some_and(IssuerRules::is_of_clerk)
        };
        let claims = Claims::read(&token.payload, &self.session_claim, is_of_clerk)?;
        let found = self
            .issuers
            .iter()
            .position(|one| **one.name() == *claims.issuer());
        let issuer = found.ok_or(ClaimFault::new("iss", Wrong::Refused))?;
        Ok(Unverified {
            token,
            claims,
            issuer: IssuerIndex(issuer),
        })
    }

    /// Refuses what nobody needs to verify: a token that by its own words is over, not begun, or for somebody else. It is refused
    /// whoever signed it, so it costs no signature, and no issuer is asked for a key that only such a token names. What passes is
    /// believed in nothing: [`verify`](Self::verify) judges every claim once more behind the signature.
    ///
    /// # Errors
    ///
    /// The first claim that would not hold.
    pub fn refuse_early(
        &self,
        token: &Unverified<'_>,
        now: Now,
        used: TokenUse,
    ) -> Result<(), TokenFault> {
        Ok(self.rules(token.issuer)?.judge(&token.claims, now, used)?)
    }

    /// Verifies a token by the keys of its issuer, then judges what it claims.
    ///
    /// # Errors
    ///
    /// See [`TokenFault`]. Of [`TokenFault::KeyUnknown`] the caller may think that the keys are old.
    pub fn verify(
        &self,
        token: Unverified<'_>,
        keys: &KeySet,
        now: Now,
        used: TokenUse,
    ) -> Result<Believed, TokenFault> {
        let (believed, _signed) = self.verify_whole(token, keys, now, used)?;
        Ok(believed)
    }

    /// The same, with the bytes that were signed, for claims that only their issuer knows.
    ///
    /// # Errors
    ///
    /// As [`verify`](Self::verify).
    pub fn verify_whole(
        &self,
        token: Unverified<'_>,
        keys: &KeySet,
        now: Now,
        used: TokenUse,
    ) -> Result<(Believed, Verified), TokenFault> {
        let Unverified {
            token,
            claims,
            issuer,
        } = token;
        let rules = self.rules(issuer)?;
        let verified = verify_read(token, keys, rules.algorithms())?;
        rules.judge(&claims, now, used)?;
        let until = rules.accepts_until(&claims);
        let believed = Believed::new(claims, issuer, until);
        Ok((believed, verified))
    }

    /// A token that nobody signed, for a rehearsal of what a caller would meet: an access token of the first issuer that lives for
    /// a minute and is good for what `scope` names. Nothing of a guard that serves calls it, and it opens nothing but what is asked about in the rehearsal.
    #[must_use]
    pub fn rehearsed(&self, subject: &str, scope: &str, now: Now) -> Option<Believed> {
        let claims = Claims::rehearsed(self.issuers.first()?.name(), subject, scope, now)?;
        let until = claims.expires_at();
        Some(Believed::new(claims, IssuerIndex(0), until))
    }

    /// What a token says whose signature holds, whether or not it is to be believed at any moment: for taking it back.
    ///
    /// # Errors
    ///
    /// Where the signature does not hold, or is by no key of its issuer's.
    pub fn signed(&self, token: Unverified<'_>, keys: &KeySet) -> Result<Claims, TokenFault> {
        let rules = self.rules(token.issuer)?;
        verify_read(token.token, keys, rules.algorithms())?;
        Ok(token.claims)
    }

    /// Judges once more, at another moment, what was believed: `exp` of a token that is kept in a cache, for one.
    ///
    /// # Errors
    ///
    /// The first claim that holds no longer.
    pub fn judge(&self, believed: &Believed, now: Now, used: TokenUse) -> Result<(), TokenFault> {
        let rules = self.rules(believed.issuer)?;
        Ok(rules.judge(believed.claims(), now, used)?)
    }

    fn rules(&self, issuer: IssuerIndex) -> Result<&IssuerRules, ClaimFault> {
        // An index of another policy's list.
        let none = ClaimFault::new("iss", Wrong::Refused);
        self.issuers.get(issuer.0).ok_or(none)
    }
}

impl Unverified<'_> {
    /// By whose keys it has to be verified.
    #[must_use]
    pub const fn issuer(&self) -> IssuerIndex {
        self.issuer
    }

    /// By which of them.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.token.header.key_id()
    }
}

/// Nothing of what it says.
impl fmt::Debug for Unverified<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unverified")
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

impl Believed {
    fn new(claims: Claims, issuer: IssuerIndex, until: u64) -> Self {
        let revocable = Revocable::of(&claims);
        Self {
            said: Arc::new(Said { claims, revocable }),
            issuer,
            until,
        }
    }

    /// What it claims.
    #[must_use]
    pub fn claims(&self) -> &Claims {
        &self.said.claims
    }

    /// By what it can be revoked.
    #[must_use]
    pub fn revocable(&self) -> &Revocable {
        &self.said.revocable
    }

    /// Whose it is.
    #[must_use]
    pub const fn issuer(&self) -> IssuerIndex {
        self.issuer
    }

    /// Whether it is over at a moment by which some time has passed since it was judged.
    #[must_use]
    pub const fn is_over(&self, now: Now) -> bool {
        now.unix_seconds() > self.until
    }

    /// Who calls.
    #[must_use]
    pub fn identity(&self) -> Identity<'_> {
        Identity {
            issuer: self.claims().issuer(),
            subject: self.claims().subject(),
        }
    }
}
