//! `IssuerRules`: what a token of one issuer must claim.

use std::sync::Arc;

use portcullis_policy::{Issuer, JwtAlgorithm, Preset};

use super::claim_fault::{ClaimFault, Wrong};
use super::claims::{Claims, TokenType};
use super::fault::TokenFault;
use super::jws::Header;
use crate::clock::Now;

/// What a token is presented for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenUse {
    /// A route. A parent token opens none.
    Route,
    /// The exchange of a parent token into others.
    Exchange,
}

/// One issuer of the policy, ready to judge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerRules {
    name: Arc<str>,
    preset: Option<Preset>,
    audience: Vec<Box<str>>,
    authorized_parties: Vec<Box<str>>,
    algorithms: Vec<JwtAlgorithm>,
    leeway_seconds: u64,
}

impl IssuerRules {
    /// The rules of one issuer of the policy.
    #[must_use]
    pub fn new(issuer: &Issuer) -> Self {
        Self {
            name: issuer.issuer.as_str().into(),
            preset: issuer.preset,
            audience: issuer
                .audience
                .iter()
                .map(|one| one.as_str().into())
                .collect(),
            authorized_parties: issuer
                .authorized_parties
                .iter()
                .map(|one| one.to_string().into())
                .collect(),
            algorithms: issuer.algorithms.clone(),
            leeway_seconds: issuer.leeway.as_secs(),
        }
    }

    /// The `iss` of its tokens.
    #[must_use]
    pub const fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Whether its tokens are session tokens of Clerk.
    pub(super) fn is_of_clerk(&self) -> bool {
        self.preset == Some(Preset::Clerk)
    }

    /// The algorithms that its signatures may have.
    #[must_use]
    pub fn algorithms(&self) -> &[JwtAlgorithm] {
        &self.algorithms
    }

    /// `typ` (RFC 8725 §3.11): a JWT, or an access token by that name (RFC 9068 §2.1). Media types ignore letter case, and leave
    /// out `application/` (RFC 7515 §4.1.9).
    pub(super) fn judge_header(header: &Header) -> Result<(), TokenFault> {
        let word = header.media_type().ok_or(TokenFault::TypeRefused)?;
        let accepted = ["jwt", "at+jwt", "application/jwt", "application/at+jwt"];
        let is_accepted = accepted.iter().any(|one| one.eq_ignore_ascii_case(word));
        is_accepted.then_some(()).ok_or(TokenFault::TypeRefused)
    }

    /// Judges what a token claims at a moment. What comes out of a cache is judged by this again.
    ///
    /// # Errors
    ///
    /// The first claim that does not hold.
    pub(super) fn judge(
        &self,
        claims: &Claims,
        now: Now,
        used: TokenUse,
    ) -> Result<(), ClaimFault> {
        if *claims.issuer() != *self.name {
            return Err(ClaimFault::new("iss", Wrong::Refused));
        }
        if claims.subject.is_none() {
            return Err(ClaimFault::new("sub", Wrong::Missing));
        }
        self.judge_dates(claims, now.unix_seconds())?;
        one_of("aud", claims.audience(), &self.audience)?;
        one_of(
            "azp",
            claims.authorized_party().into_iter(),
            &self.authorized_parties,
        )?;
        judge_family(claims, used)?;
        match self.preset {
            Some(Preset::Clerk) => judge_clerk(claims),
            Some(Preset::Own) => judge_own(claims),
            None => Ok(()),
        }
    }

    /// The last second in which a token is accepted: that of its `exp`, and the leeway for clocks that differ.
    pub(super) fn accepts_until(&self, claims: &Claims) -> u64 {
        claims.expires_at().saturating_add(self.leeway_seconds)
    }

    /// `exp`, `nbf` and `iat` (RFC 7519 §4.1.4 to §4.1.6), each with the leeway for clocks that differ; the second in which it
    /// ends belongs to it. The life of a token is told by its own dates, or by how long it is still to live.
    fn judge_dates(&self, claims: &Claims, now: u64) -> Result<(), ClaimFault> {
        let leeway = self.leeway_seconds;
        let expires = claims
            .expires
            .ok_or(ClaimFault::new("exp", Wrong::Missing))?;
        if now > self.accepts_until(claims) {
            return Err(ClaimFault::new("exp", Wrong::Expired));
        }
        for (name, date) in [("nbf", claims.not_before), ("iat", claims.issued)] {
            if date.is_some_and(|date| date > now.saturating_add(leeway)) {
                return Err(ClaimFault::new(name, Wrong::NotYet));
            }
        }
        let life_max = claims.token_type().lifetime_seconds_max();
        let begins = claims.issued.unwrap_or(now.saturating_add(leeway));
        if expires.saturating_sub(begins) > life_max {
            return Err(ClaimFault::new("exp", Wrong::LivesTooLong));
        }
        Ok(())
    }
}

/// At least one of what a token has is on the list; where there is a list, it must have one.
fn one_of<'c>(
    name: &'static str,
    mut has: impl ExactSizeIterator<Item = &'c str>,
    list: &[Box<str>],
) -> Result<(), ClaimFault> {
    let is_empty = has.len() == 0;
    if list.is_empty() || has.any(|one| list.iter().any(|other| **other == *one)) {
        return Ok(());
    }
    let wrong = if is_empty {
        Wrong::Missing
    } else {
        Wrong::Refused
    };
    Err(ClaimFault::new(name, wrong))
}

/// Parents and children (seed 004): a parent opens nothing but the exchange, which takes nothing else; a child names its parent.
fn judge_family(claims: &Claims, used: TokenUse) -> Result<(), ClaimFault> {
    match (claims.token_type(), used) {
        (TokenType::Parent, TokenUse::Route) => Err(ClaimFault::new("token_type", Wrong::Parent)),
        (TokenType::Access | TokenType::Child, TokenUse::Exchange) => {
            Err(ClaimFault::new("token_type", Wrong::Refused))
        }
        (TokenType::Parent, _) if claims.parent_id.is_some() => {
            Err(ClaimFault::new("parent_jti", Wrong::Refused))
        }
        // Without an id it could not be revoked, for a month.
        (TokenType::Parent, _) if claims.token_id.is_none() => {
            Err(ClaimFault::new("jti", Wrong::Missing))
        }
        (TokenType::Child, _) if claims.parent_id.is_none() => {
            Err(ClaimFault::new("parent_jti", Wrong::Missing))
        }
        _ => Ok(()),
    }
}

/// Session tokens of Clerk: the session is named, and is not one that still has something to do before it counts.
fn judge_clerk(claims: &Claims) -> Result<(), ClaimFault> {
    if claims.session_id.is_none() {
        return Err(ClaimFault::new("sid", Wrong::Missing));
    }
    if claims
        .session_status()
        .is_some_and(|status| status != "active")
    {
        return Err(ClaimFault::new("sts", Wrong::Refused));
    }
    Ok(())
}

/// Tokens of the service's own issuer say all that seed 004 asks for, and can be revoked.
fn judge_own(claims: &Claims) -> Result<(), ClaimFault> {
    for (name, is_there) in [
        ("jti", claims.token_id.is_some()),
        ("token_type", claims.token_type.is_some()),
        ("user_id", claims.user_id.is_some()),
        ("network", claims.network.is_some()),
        ("rate_limit", claims.rate_limit.is_some()),
        ("iat", claims.issued.is_some()),
    ] {
        if !is_there {
            return Err(ClaimFault::new(name, Wrong::Missing));
        }
    }
    Ok(())
}
