//! `IssuePlan`: what the policy admits, and the claims of a token that it does.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use portcullis_policy::{ClaimKind, OwnIssuer};
use serde_json::{Map, Value};

use super::fault::{IssueFault, IssueWrong};
use super::request::{ClaimValue, ExchangeRequest, IssueRequest};
use crate::bearer::BearerSecret;
use crate::token::strict_json::Object;
use crate::token::{Claims, TokenType};

/// What the policy admits.
#[derive(Debug)]
pub struct IssuePlan {
    issuer: Box<str>,
    audience: Vec<Box<str>>,
    access: u64,
    child: u64,
    parent: u64,
    networks: Vec<Box<str>>,
    rate_limit_max: Option<u64>,
    claims: Vec<(Box<str>, ClaimKind)>,
    /// By which the services are known that may ask.
    pub services: Vec<Arc<BearerSecret>>,
}

/// A token that is to be signed.
#[derive(Clone, PartialEq, Eq)]
pub struct NewToken {
    /// What sort it is.
    pub token_type: TokenType,
    /// `jti`: by this it is revoked.
    pub token_id: Box<str>,
    /// Of whom it is.
    pub user_id: Box<str>,
    /// `iat`, in seconds since 1970-01-01T00:00:00Z.
    pub issued: u64,
    /// `exp`, likewise.
    pub expires: u64,
    /// All that it claims, as JSON.
    pub claims: String,
}

/// Nothing of a person.
impl fmt::Debug for NewToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewToken")
            .field("token_type", &self.token_type)
            .field("token_id", &self.token_id)
            .finish_non_exhaustive()
    }
}

/// What both ways of asking come to.
struct Said<'r> {
    token_type: TokenType,
    user_id: &'r str,
    network: &'r str,
    rate_limit: u64,
    audience: Vec<&'r str>,
    parent_id: Option<&'r str>,
    claims: Vec<(&'r str, ClaimValue)>,
}

impl IssuePlan {
    /// That of a policy, with the credentials of its services.
    #[must_use]
    pub fn of(own: &OwnIssuer, services: Vec<Arc<BearerSecret>>) -> Self {
        let texts = |names: &[portcullis_policy::Name]| {
            let text = |name: &portcullis_policy::Name| name.as_str().into();
            names.iter().map(text).collect()
        };
        let claims = own.claims.iter();
        Self {
            issuer: own.issuer.as_str().into(),
            audience: texts(&own.audience),
            access: seconds(own.access, TokenType::Access),
            child: seconds(own.child, TokenType::Child),
            parent: seconds(own.parent, TokenType::Parent),
            networks: texts(&own.networks),
            rate_limit_max: own.rate_limit_max,
            claims: claims
                .map(|(name, kind)| (name.as_str().into(), *kind))
                .collect(),
            services,
        }
    }

    /// The `iss` of its tokens.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The token that a service asks for, called `token_id` and begun at `issued`, in seconds since 1970.
    ///
    /// # Errors
    ///
    /// What of the request the policy does not admit.
    pub fn issue(
        &self,
        request: &IssueRequest,
        token_id: &str,
        issued: u64,
    ) -> Result<NewToken, IssueFault> {
        let refused = |member| Err(IssueFault::new(member, IssueWrong::Refused));
        let most = match request.token_type {
            TokenType::Access => self.access,
            TokenType::Parent => self.parent,
            TokenType::Child => return refused("token_type"),
        };
        if !self.networks.is_empty() && !self.networks.contains(&request.network) {
            return refused("network");
        }
        if self
            .rate_limit_max
            .is_some_and(|most| request.rate_limit > most)
        {
            return refused("rate_limit");
        }
        let audience = match request.token_type {
            // Who takes tokens for itself must take no parent, whether or not it knows of them (RFC 8725 §3.9).
            TokenType::Parent if request.audience.is_empty() => {
                vec![OwnIssuer::EXCHANGE_AUDIENCE]
            }
            TokenType::Parent => return refused("audience"),
            TokenType::Access | TokenType::Child => self.audience_of(&request.audience)?,
        };
        let mut claims = Vec::new();
        for (name, value) in &request.claims {
            if self.kind_of(name) != Some(value.kind()) {
                return refused("claims");
            }
            claims.push((&**name, value.clone()));
        }
        let said = Said {
            token_type: request.token_type,
            user_id: &request.user_id,
            network: &request.network,
            rate_limit: request.rate_limit,
            audience,
            parent_id: None,
            claims,
        };
        let expires = issued.saturating_add(life(request.expires_in, most)?);
        Ok(self.token(&said, token_id, issued, expires))
    }

    /// The child of a parent token, which was verified for the exchange: its claims and the bytes that were signed. The child has
    /// of the parent's claims those that the policy still knows.
    ///
    /// # Errors
    ///
    /// What the policy or the parent does not admit; where the parent ends before the child could begin.
    pub fn exchange(
        &self,
        request: &ExchangeRequest,
        (parent, payload): (&Claims, &[u8]),
        token_id: &str,
        issued: u64,
    ) -> Result<NewToken, IssueFault> {
        const PARENT: &str = "subject_token";
        let fault = |member, wrong| IssueFault::new(member, wrong);
        let missing = fault(PARENT, IssueWrong::Missing);
        if parent.token_type() != TokenType::Parent || parent.issuer() != self.issuer() {
            return Err(fault(PARENT, IssueWrong::Refused));
        }
        let most = parent.rate_limit().ok_or(missing)?;
        let rate_limit = request.rate_limit.unwrap_or(most);
        if rate_limit > most {
            return Err(fault("rate_limit", IssueWrong::Refused));
        }
        let network = parent.network().ok_or(missing)?;
        // A policy may have become stricter since the parent was given out.
        if !self.networks.is_empty() && !self.networks.iter().any(|one| **one == *network) {
            return Err(fault(PARENT, IssueWrong::Refused));
        }
        let object = Object::read(payload).map_err(|_json| fault(PARENT, IssueWrong::Malformed))?;
        let claims = self.claims.iter().filter_map(|(name, kind)| {
            let value = object.find(name).and_then(ClaimValue::of)?;
            (value.kind() == *kind).then_some((&**name, value))
        });
        let said = Said {
            token_type: TokenType::Child,
            user_id: parent.user_id().ok_or(missing)?,
            network,
            rate_limit: self
                .rate_limit_max
                .map_or(rate_limit, |max| rate_limit.min(max)),
            audience: self.audience_of(&request.audience)?,
            parent_id: Some(parent.token_id().ok_or(missing)?),
            claims: claims.collect(),
        };
        let ends = parent.expires_at();
        if ends <= issued {
            return Err(fault(PARENT, IssueWrong::Over));
        }
        // Seed 004: a child never outlives its parent.
        let expires = issued
            .saturating_add(life(request.expires_in, self.child)?)
            .min(ends);
        Ok(self.token(&said, token_id, issued, expires))
    }

    fn kind_of(&self, name: &str) -> Option<ClaimKind> {
        let found = self.claims.iter().find(|(one, _)| **one == *name);
        found.map(|(_, kind)| *kind)
    }

    fn audience_of<'a>(&'a self, asked: &'a [Box<str>]) -> Result<Vec<&'a str>, IssueFault> {
        if asked.is_empty() {
            return Ok(self.audience.iter().take(1).map(|one| &**one).collect());
        }
        if !asked.iter().all(|one| self.audience.contains(one)) {
            return Err(IssueFault::new("audience", IssueWrong::Refused));
        }
        Ok(asked.iter().map(|one| &**one).collect())
    }

    fn token(&self, said: &Said<'_>, token_id: &str, issued: u64, expires: u64) -> NewToken {
        let mut claims = Map::new();
        let mut put = |name: &str, value: Value| {
            claims.insert(name.to_owned(), value);
        };
        put("iss", (&*self.issuer).into());
        put("sub", said.user_id.into());
        put(
            "aud",
            match said.audience.as_slice() {
                [one] => (*one).into(),
                some => some.to_vec().into(),
            },
        );
        put("iat", issued.into());
        put("exp", expires.into());
        put("jti", token_id.into());
        put("token_type", said.token_type.as_str().into());
        put("user_id", said.user_id.into());
        put("network", said.network.into());
        put("rate_limit", said.rate_limit.into());
        if let Some(parent_id) = said.parent_id {
            put("parent_jti", parent_id.into());
        }
        for (name, value) in &said.claims {
            put(
                name,
                match value {
                    ClaimValue::Text(text) => (&**text).into(),
                    ClaimValue::Number(number) => (*number).into(),
                    ClaimValue::Boolean(truth) => (*truth).into(),
                },
            );
        }
        NewToken {
            token_type: said.token_type,
            token_id: token_id.into(),
            user_id: said.user_id.into(),
            issued,
            expires,
            claims: Value::Object(claims).to_string(),
        }
    }
}

impl ClaimValue {
    const fn kind(&self) -> ClaimKind {
        match self {
            Self::Text(_) => ClaimKind::Text,
            Self::Number(_) => ClaimKind::Number,
            Self::Boolean(_) => ClaimKind::Boolean,
        }
    }
}

/// A life of the policy's, which can be no longer than one of its sort may.
fn seconds(life: Duration, of: TokenType) -> u64 {
    life.as_secs().min(of.lifetime_seconds_max())
}

/// How long a token lives: as long as is asked for, or as it may.
fn life(asked: Option<u64>, most: u64) -> Result<u64, IssueFault> {
    match asked {
        Some(asked) if asked > most => Err(IssueFault::new("expires_in", IssueWrong::Refused)),
        Some(asked) => Ok(asked),
        None => Ok(most),
    }
}
