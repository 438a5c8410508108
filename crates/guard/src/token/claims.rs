//! `Claims`: what a token says, each claim of its own type.

use std::borrow::Cow;
use std::fmt;

use smallvec::SmallVec;

use super::claim_fault::{ClaimFault, Wrong};
use super::organisation::Organisation;
use super::strict_json::{Json, JsonFault, Object};
use super::texts::{Collected, Text, Texts};
use crate::canon::near;
use crate::clock::Now;

/// The longest text of a claim that is read. An issuer's own name for a user has at most 255 bytes (OpenID Connect Core §2).
const TEXT_BYTES_MAX: usize = 512;

/// The longest `scope` that is read.
const SCOPE_BYTES_MAX: usize = 2_048;

/// The most audiences of one token.
const AUDIENCES_MAX: usize = 64;

/// The last second that a date may be: the end of the year 9999.
const DATE_MAX: u64 = 253_402_300_799;

/// What sort of token it is, and how long one of its sort may live (seed 004).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TokenType {
    /// For routes. At most 1 h. What says nothing of its sort is one.
    #[default]
    Access,
    /// For routes, made from a parent for less. At most 15 min.
    Child,
    /// For the exchange into others, and for no route. At most 30 days.
    Parent,
}

impl TokenType {
    /// The word for it in a token.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Child => "child",
            Self::Parent => "parent",
        }
    }

    /// The longest life, in seconds.
    #[must_use]
    pub const fn lifetime_seconds_max(self) -> u64 {
        match self {
            Self::Access => 60 * 60,
            Self::Child => 15 * 60,
            Self::Parent => 30 * 24 * 60 * 60,
        }
    }
}

/// What a token says. It is read before the signature is looked at, and nobody but the verifier sees it until that holds.
#[derive(Clone, PartialEq, Eq)]
pub struct Claims {
    texts: Texts,
    issuer: Text,
    pub(super) subject: Option<Text>,
    audience: SmallVec<[Text; 2]>,
    pub(super) expires: Option<u64>,
    pub(super) not_before: Option<u64>,
    pub(super) issued: Option<u64>,
    pub(super) token_id: Option<Text>,
    pub(super) authorized_party: Option<Text>,
    pub(super) session_id: Option<Text>,
    pub(super) session_status: Option<Text>,
    pub(super) network: Option<Text>,
    pub(super) rate_limit: Option<u64>,
    pub(super) user_id: Option<Text>,
    pub(super) token_type: Option<TokenType>,
    pub(super) parent_id: Option<Text>,
    /// What it is good for, with blanks between (RFC 8693 §4.2).
    scope: Option<Text>,
    /// The organisation that its user acts for.
    tenant: Option<Text>,
    /// As what they act for it: one role, or none.
    roles: Vec<String>,
    /// What the policy calls a session: `sid`, or the claim of another name.
    session: Option<Text>,
}

/// The claims that are read, in the words of RFC 7519 §4.1, OpenID Connect and seed 004.
const KNOWN: [&str; 17] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "azp",
    "sid",
    "sts",
    "network",
    "rate_limit",
    "user_id",
    "token_type",
    "parent_jti",
    "typ",
    "scope",
];

impl Claims {
    /// Reads a payload. `session_claim` is the name of the claim that the policy calls a session; `is_of_clerk` tells of an issuer
    /// whether its tokens say as those of Clerk do for which organisation somebody acts.
    pub(super) fn read(
        payload: &[u8],
        session_claim: &str,
        is_of_clerk: impl Fn(&str) -> bool,
    ) -> Result<Self, ClaimFault> {
        let object = Object::read(payload).map_err(|fault| {
            ClaimFault::new(
                "payload",
                match fault {
                    JsonFault::Malformed => Wrong::Malformed,
                    JsonFault::NameRepeated => Wrong::Repeated,
                },
            )
        })?;
        // As in the header: what another reader takes for the same name must not be there besides.
        if let Some(known) = object.names().find_map(|name| near(&KNOWN, name)) {
            return Err(ClaimFault::new(known, Wrong::Repeated));
        }
        refuse_other_sorts(&object)?;
        let organisation = match text(&object, "iss")? {
            Some(issuer) if is_of_clerk(issuer) => Organisation::read(&object)?,
            Some(_) | None => None,
        };
        let organisation = organisation.as_ref();
        let mut texts = Collected::default();
        let mut keep = |text: Option<&str>, name| match text {
            None => Ok(None),
            Some(text) => {
                let kept = texts.keep(text);
                kept.map(Some).ok_or(ClaimFault::new(name, Wrong::Type))
            }
        };
        let mut take = |name| keep(text(&object, name)?, name);
        let session_id = take("sid")?;
        let said = Self {
            issuer: take("iss")?.ok_or(ClaimFault::new("iss", Wrong::Missing))?,
            subject: take("sub")?,
            expires: date(&object, "exp")?,
            not_before: date(&object, "nbf")?,
            issued: date(&object, "iat")?,
            token_id: take("jti")?,
            authorized_party: take("azp")?,
            session_id,
            session_status: take("sts")?,
            network: take("network")?,
            rate_limit: whole(&object, "rate_limit")?,
            user_id: take("user_id")?,
            token_type: token_type(&object)?,
            parent_id: take("parent_jti")?,
            scope: keep(good_for(scope(&object), organisation).as_deref(), "scope")?,
            tenant: keep(organisation.map(|one| one.id), "o")?,
            roles: organisation
                .and_then(|one| one.role.as_deref())
                .map(str::to_owned)
                .into_iter()
                .collect(),
            session: match session_claim {
                "sid" => session_id,
                name => keep(
                    text_of(object.find(name), "session claim")?,
                    "session claim",
                )?,
            },
            audience: audience(&object, &mut keep)?,
            texts: Texts::default(),
        };
        Ok(Self {
            texts: texts.texts(),
            ..said
        })
    }

    /// What a token of a rehearsal says.
    pub(super) fn rehearsed(issuer: &str, subject: &str, scope: &str, now: Now) -> Option<Self> {
        let mut texts = Collected::default();
        let session = texts.keep("rehearsal");
        Some(Self {
            issuer: texts.keep(issuer)?,
            subject: Some(texts.keep(subject)?),
            audience: SmallVec::new(),
            expires: Some(now.unix_seconds().saturating_add(60)),
            not_before: None,
            issued: Some(now.unix_seconds()),
            token_id: None,
            authorized_party: None,
            session_id: session,
            session_status: None,
            network: None,
            rate_limit: None,
            user_id: None,
            token_type: None,
            parent_id: None,
            scope: Some(texts.keep(scope)?),
            tenant: None,
            roles: Vec::new(),
            session,
            texts: texts.texts(),
        })
    }

    fn text(&self, text: Option<Text>) -> Option<&str> {
        text.map(|text| self.texts.at(text))
    }

    /// `iss`.
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.texts.at(self.issuer)
    }

    /// `sub`. One that was verified has it; to all others it is nobody.
    #[must_use]
    pub fn subject(&self) -> &str {
        self.text(self.subject).unwrap_or_default()
    }

    /// `exp`, in seconds since 1970-01-01T00:00:00Z. One that was verified has it; to all others it is long over.
    #[must_use]
    pub fn expires_at(&self) -> u64 {
        self.expires.unwrap_or_default()
    }

    /// `iat`, in seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn issued_at(&self) -> Option<u64> {
        self.issued
    }

    /// `jti`: by this a token is revoked.
    #[must_use]
    pub fn token_id(&self) -> Option<&str> {
        self.text(self.token_id)
    }

    /// `parent_jti`: the token it was made from. Revoking that one revokes this one.
    #[must_use]
    pub fn parent_id(&self) -> Option<&str> {
        self.text(self.parent_id)
    }

    /// `azp`: for whom it was made.
    #[must_use]
    pub fn authorized_party(&self) -> Option<&str> {
        self.text(self.authorized_party)
    }

    /// What the policy calls a session: `sid`, or the claim of another name.
    #[must_use]
    pub fn session(&self) -> Option<&str> {
        self.text(self.session)
    }

    /// `user_id`. Who the caller is to the guard are `iss` and `sub`; this is for the application.
    #[must_use]
    pub fn user_id(&self) -> Option<&str> {
        self.text(self.user_id)
    }

    /// `network`.
    #[must_use]
    pub fn network(&self) -> Option<&str> {
        self.text(self.network)
    }

    /// `rate_limit`, as its issuer counts it.
    #[must_use]
    pub const fn rate_limit(&self) -> Option<u64> {
        self.rate_limit
    }

    /// Whether `scope` names this one (RFC 8693 §4.2).
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scopes().any(|one| one == scope)
    }

    /// What it is good for.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        let words = self.text(self.scope).unwrap_or_default().split(' ');
        words.filter(|word| !word.is_empty())
    }

    /// The organisation that the user acts for, of issuers of which it is known how they say so.
    #[must_use]
    pub fn tenant(&self) -> Option<&str> {
        self.text(self.tenant)
    }

    /// As what they act for it.
    #[must_use]
    pub fn roles(&self) -> &[String] {
        &self.roles
    }

    /// `token_type`; an access token where it says nothing.
    #[must_use]
    pub fn token_type(&self) -> TokenType {
        self.token_type.unwrap_or_default()
    }

    /// `aud`: for whom it is.
    pub(super) fn audience(&self) -> impl ExactSizeIterator<Item = &str> {
        self.audience.iter().map(|one| self.texts.at(*one))
    }

    /// `sts`.
    pub(super) fn session_status(&self) -> Option<&str> {
        self.text(self.session_status)
    }

    /// How many bytes it holds besides its own, for a bound on many of them.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let roles = self.roles.iter();
        let roles = roles.map(|role| size_of::<String>() + role.capacity());
        self.texts.bytes() + roles.sum::<usize>()
    }
}

/// Nothing of a person.
impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claims")
            .field("issuer", &self.issuer())
            .field("token_type", &self.token_type())
            .finish_non_exhaustive()
    }
}

/// What an issuer signs besides tokens for access, with the same key (RFC 8725 §3.11): ID tokens by the hashes that only they
/// have (OpenID Connect Core §3.1.3.6), and what says so itself, as Cognito (`token_use`) and Keycloak (`typ`) do.
fn refuse_other_sorts(object: &Object<'_>) -> Result<(), ClaimFault> {
    for name in ["at_hash", "c_hash", "events"] {
        if object.find(name).is_some() {
            return Err(ClaimFault::new(name, Wrong::Refused));
        }
    }
    if text(object, "token_use")?.is_some_and(|word| word != "access") {
        return Err(ClaimFault::new("token_use", Wrong::Refused));
    }
    let is_access =
        |word: &str| word.eq_ignore_ascii_case("bearer") || word.eq_ignore_ascii_case("jwt");
    if text(object, "typ")?.is_some_and(|word| !is_access(word)) {
        return Err(ClaimFault::new("typ", Wrong::Refused));
    }
    Ok(())
}

/// A text: never empty, at most 512 bytes, without control characters.
fn text<'o>(object: &'o Object<'_>, name: &'static str) -> Result<Option<&'o str>, ClaimFault> {
    text_of(object.find(name), name)
}

pub(super) fn text_of<'o>(
    value: Option<&'o Json<'_>>,
    name: &'static str,
) -> Result<Option<&'o str>, ClaimFault> {
    match value {
        None => Ok(None),
        Some(Json::Text(text)) if is_plain(text) => Ok(Some(text.as_ref())),
        Some(_) => Err(ClaimFault::new(name, Wrong::Type)),
    }
}

fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.len() <= TEXT_BYTES_MAX && !text.chars().any(char::is_control)
}

/// `scope`. What is no text, or a long one, names nothing: some issuers write a list, and their tokens are good for all that asks
/// for no scope.
fn scope<'o>(object: &'o Object<'_>) -> Option<&'o str> {
    match object.find("scope") {
        Some(Json::Text(text)) if text.len() <= SCOPE_BYTES_MAX => Some(text.as_ref()),
        Some(_) | None => None,
    }
}

/// What a token is good for by `scope`, and by what its user may do in an organisation.
fn good_for<'o>(
    scope: Option<&'o str>,
    organisation: Option<&'o Organisation<'_>>,
) -> Option<Cow<'o, str>> {
    let permissions = organisation.map(|one| one.permissions.as_str());
    match (scope, permissions.filter(|text| !text.is_empty())) {
        (Some(scope), Some(permissions)) => Some(Cow::Owned([scope, permissions].join(" "))),
        (one, other) => one.or(other).map(Cow::Borrowed),
    }
}

fn whole(object: &Object<'_>, name: &'static str) -> Result<Option<u64>, ClaimFault> {
    match object.find(name) {
        None => Ok(None),
        Some(Json::Whole(number)) => Ok(Some(*number)),
        Some(_) => Err(ClaimFault::new(name, Wrong::Type)),
    }
}

/// Whole seconds since 1970 (RFC 7519 §2). A fraction is allowed there; no issuer needs one, and readers round it differently.
fn date(object: &Object<'_>, name: &'static str) -> Result<Option<u64>, ClaimFault> {
    match whole(object, name)? {
        Some(seconds) if seconds > DATE_MAX => Err(ClaimFault::new(name, Wrong::Type)),
        seconds => Ok(seconds),
    }
}

/// One text or a list of some (RFC 7519 §4.1.3).
fn audience(
    object: &Object<'_>,
    keep: &mut impl FnMut(Option<&str>, &'static str) -> Result<Option<Text>, ClaimFault>,
) -> Result<SmallVec<[Text; 2]>, ClaimFault> {
    const WRONG: ClaimFault = ClaimFault::new("aud", Wrong::Type);
    let mut take = |one| keep(text_of(Some(one), "aud")?, "aud")?.ok_or(WRONG);
    match object.find("aud") {
        None => Ok(SmallVec::new()),
        Some(Json::List(list)) if !list.is_empty() && list.len() <= AUDIENCES_MAX => {
            list.iter().map(take).collect()
        }
        Some(one @ Json::Text(_)) => Ok(SmallVec::from_iter([take(one)?])),
        Some(_) => Err(WRONG),
    }
}

fn token_type(object: &Object<'_>) -> Result<Option<TokenType>, ClaimFault> {
    match object.find("token_type") {
        None => Ok(None),
        Some(Json::Text(word)) => match word.as_ref() {
            "access" => Ok(Some(TokenType::Access)),
            "child" => Ok(Some(TokenType::Child)),
            "parent" => Ok(Some(TokenType::Parent)),
            _ => Err(ClaimFault::new("token_type", Wrong::Type)),
        },
        Some(_) => Err(ClaimFault::new("token_type", Wrong::Type)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{jws, organisation};
    use super::KNOWN;
    use crate::canon::is_in_small_letters;

    /// What is near to them is looked for as if they were.
    #[test]
    fn what_is_known_is_in_small_letters() {
        for known in KNOWN.iter().chain(&jws::KNOWN).chain(&organisation::KNOWN) {
            assert!(is_in_small_letters(known), "{known}");
        }
    }
}
