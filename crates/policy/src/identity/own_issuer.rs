//! `OwnIssuer`: the `[identity.tokens]` table: the tokens that the guard itself gives out.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::issuer::{LEEWAY, LEEWAY_WITHIN, STALE};
use super::{Issuer, JwtAlgorithm, KeySetPlace, Preset};
use crate::bounds::LIST_MAX;
use crate::faults::Faults;
use crate::form::{Form, Kind, may, need};
use crate::malformed::quoted;
use crate::node::{Node, NodeValue, Table};
use crate::policy_file::{Draft, is_empty_list};
use crate::secret_keys::{SecretKeys, read_secret};
use crate::suggestion::or_list;
use crate::table_reader::{TableReader, name_of, parsed, wrong_kind};
use crate::word::words;
use crate::{HttpsUrl, Malformed, Name, Place, Profile, Scheme};

/// What the guard signs its tokens with. None by a shared secret is among them (RFC 8725 §2.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SigningAlgorithm {
    /// Ed25519 (RFC 8037).
    #[default]
    EdDsa,
    /// ECDSA on P-256 with SHA-256 (RFC 7518 §3.4).
    Es256,
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 §3.3), as seed 004 names it.
    Rs256,
}

words!(SigningAlgorithm, "signing algorithm", {
    EdDsa => "EdDSA",
    Es256 => "ES256",
    Rs256 => "RS256",
});

impl SigningAlgorithm {
    /// The same among those that are verified.
    #[must_use]
    pub const fn verified_as(self) -> JwtAlgorithm {
        match self {
            Self::EdDsa => JwtAlgorithm::EdDsa,
            Self::Es256 => JwtAlgorithm::Es256,
            Self::Rs256 => JwtAlgorithm::Rs256,
        }
    }
}

/// Of which type a claim of the application's own is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClaimKind {
    /// A text of 1 to 512 bytes without control characters.
    Text,
    /// A whole number that is not negative.
    Number,
    /// `true` or `false`.
    Boolean,
}

words!(ClaimKind, "type of a claim", { Text => "text", Number => "number", Boolean => "boolean" });

/// A folder with the signing keys, as `file:FOLDER` writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFolder(String);

impl KeyFolder {
    /// The folder.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for KeyFolder {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_prefix("file:") {
            Some(path) if !path.is_empty() && !path.chars().any(char::is_control) => {
                Ok(Self(path.to_owned()))
            }
            _ => Err(Malformed::whole(
                text,
                "keys are in a folder: `file:FOLDER`",
            )),
        }
    }
}

impl std::fmt::Display for KeyFolder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "file:{}", self.0)
    }
}

/// The tokens that the guard itself gives out. With the table there is an [`Issuer`] of the preset `own`, by which it believes
/// them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnIssuer {
    /// The credentials of the services that may ask for tokens.
    pub secret: SecretKeys,
    /// The `iss` of its tokens; that of `public_url` unless stated.
    pub issuer: HttpsUrl,
    /// For whom tokens may be; never empty. The first is meant where a request says nothing.
    pub audience: Vec<Name>,
    /// What a new key signs with; Ed25519.
    pub algorithm: SigningAlgorithm,
    /// Where the keys are; in the state folder unless stated.
    pub keys: Option<KeyFolder>,
    /// How long an access token lives at most; 15 min.
    pub access: Duration,
    /// How long a child of a parent token lives at most; 5 min.
    pub child: Duration,
    /// How long a parent token lives at most; 7 days.
    pub parent: Duration,
    /// By how much the clocks of guards may differ; 30 s.
    pub leeway: Duration,
    /// What `network` may be; anything where the list is empty.
    pub networks: Vec<Name>,
    /// The most that `rate_limit` may be; any number where it is not said.
    pub rate_limit_max: Option<u64>,
    /// The claims that the application may add, each with its type.
    pub claims: BTreeMap<Name, ClaimKind>,
    /// Where it is written.
    pub place: Place,
}

impl OwnIssuer {
    /// The audience of parent tokens, which nobody else has: what takes tokens for itself takes no parent (RFC 8725 §3.9).
    pub const EXCHANGE_AUDIENCE: &'static str = "urn:portcullis:exchange";

    /// How the guard believes what it gave out. Each key has one algorithm of its own, so that a change of `algorithm` refuses
    /// no token of before.
    fn believed(&self) -> Issuer {
        let exchange = Self::EXCHANGE_AUDIENCE.parse().ok();
        Issuer {
            preset: Some(Preset::Own),
            issuer: self.issuer.clone(),
            audience: self.audience.iter().cloned().chain(exchange).collect(),
            authorized_parties: Vec::new(),
            algorithms: SigningAlgorithm::ALL
                .iter()
                .map(|one| one.verified_as())
                .collect(),
            jwks: KeySetPlace::Own,
            cookie: None,
            max_stale: STALE,
            leeway: self.leeway,
            place: self.place.clone(),
        }
    }
}

const MINUTE: Duration = Duration::from_secs(60);

/// How long tokens live where the policy does not say, and at most in the strict profile.
const ACCESS: Duration = Duration::from_secs(15 * 60);
const CHILD: Duration = Duration::from_secs(5 * 60);
const PARENT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How long they live at most: seed 004.
const ACCESS_MAX: Duration = Duration::from_secs(60 * 60);
const CHILD_MAX: Duration = Duration::from_secs(15 * 60);
const PARENT_MAX: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The most that a number in a claim may be: what every reader of JSON holds exactly (RFC 7493 §2.2).
pub const CLAIM_NUMBER_MAX: u64 = (1 << 53) - 1;

/// The claims that are the guard's to write, in the words of RFC 7519, RFC 8693, RFC 9068, OpenID Connect and seed 004.
const WRITTEN: [&str; 29] = [
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
    "typ",
    "network",
    "rate_limit",
    "user_id",
    "token_type",
    "token_use",
    "parent_jti",
    "client_id",
    "scope",
    "act",
    "may_act",
    "cnf",
    "at_hash",
    "c_hash",
    "events",
    "nonce",
    "auth_time",
    "acr",
    "amr",
];

/// The most claims of the application's own.
const CLAIMS_MAX: usize = 16;

pub(crate) const FORM: Form = Form::new(
    "The tokens that the guard itself gives out.",
    &[
        need(
            "secret",
            Kind::Secrets,
            "The credentials of the services that may ask for tokens.",
        ),
        need(
            "audience",
            Kind::OneOrSome(&Kind::Name),
            "For whom tokens may be; the first is meant where a request says nothing.",
        ),
        may(
            "issuer",
            Kind::Pattern("^https://[^/?#@\\\\]+(/[^?#%]*)?$"),
            "The `iss` of its tokens; else `public_url`.",
        ),
        may(
            "algorithm",
            Kind::Words(SigningAlgorithm::WORDS),
            "What a new key signs with.",
        )
        .or("\"EdDSA\""),
        may(
            "keys",
            Kind::Pattern("^file:.+$"),
            "Where the signing keys are, `file:FOLDER`; else `issuer` in the state folder.",
        ),
        may(
            "access",
            Kind::Duration,
            "How long an access token lives at most, `1m` to `1h`, in the strict profile to `15m`.",
        )
        .or("\"15m\""),
        may(
            "child",
            Kind::Duration,
            "How long a child of a parent token lives at most, `1m` to `15m`, in the strict profile to `5m`.",
        )
        .or("\"5m\""),
        may(
            "parent",
            Kind::Duration,
            "How long a parent token lives at most, `1m` to `30d`, in the strict profile to `7d`.",
        )
        .or("\"7d\""),
        may(
            "leeway",
            Kind::Duration,
            "By how much the clocks of guards may differ, `1s` to `1m`.",
        )
        .or("\"30s\""),
        may(
            "networks",
            Kind::List(&Kind::Name),
            "What `network` may be; anything where the list is empty.",
        )
        .or("[]"),
        may(
            "rate_limit_max",
            Kind::Count(0, COUNT_MAX),
            "The most that `rate_limit` may be.",
        ),
        may(
            "claims",
            Kind::Map(&Kind::Words(ClaimKind::WORDS)),
            "The claims that the application may add, each with its type.",
        ),
    ],
);

#[expect(
    clippy::cast_possible_wrap,
    reason = "2^53 is no more in 64 bits with a sign"
)]
const COUNT_MAX: i64 = CLAIM_NUMBER_MAX as i64;

/// Reads `[identity.tokens]`. `issuers` are those that the file describes besides.
pub(super) fn read(
    table: &Table,
    draft: &Draft,
    issuers: &mut Vec<Issuer>,
    faults: &mut Faults<'_>,
) -> Option<OwnIssuer> {
    let place = faults.place(&table.span);
    let is_strict = draft.policy.profile == Profile::Strict;
    let within = |strict: Duration, standard: Duration| -> RangeInclusive<Duration> {
        MINUTE..=if is_strict { strict } else { standard }
    };
    let mut reader = TableReader::new(table, "`[identity.tokens]`", faults);
    let secret = reader.required("secret");
    let secret = secret.and_then(|node| read_secret(node, reader.faults()));
    let audience_node = reader.required("audience");
    let audience = reader.list::<Name>(audience_node, true);
    if let Some(node) = audience_node.filter(|node| is_empty_list(node)) {
        let message = "a token is for somebody: name one at least";
        reader.faults().add(&node.span, message);
    }
    let is_exchange = |name: &Name| name.as_str() == OwnIssuer::EXCHANGE_AUDIENCE;
    if let Some(node) = audience_node
        && audience.iter().flatten().any(is_exchange)
    {
        let message = "this is the audience of parent tokens, which nobody else has: name another";
        reader.faults().add(&node.span, message);
    }
    let issuer_node = reader.optional("issuer");
    let issuer = reader.parsed::<HttpsUrl>(issuer_node);
    let algorithm = reader.optional("algorithm");
    let algorithm = reader.parsed(algorithm).unwrap_or_default();
    let keys = reader.optional("keys");
    let keys = reader.parsed(keys);
    let access = reader.optional("access");
    let access = reader.duration(access, within(ACCESS, ACCESS_MAX));
    let child = reader.optional("child");
    let child = reader.duration(child, within(CHILD, CHILD_MAX));
    let parent = reader.optional("parent");
    let parent = reader.duration(parent, within(PARENT, PARENT_MAX));
    let leeway = reader.optional("leeway");
    let leeway = reader.duration(leeway, LEEWAY_WITHIN);
    let networks = reader.optional("networks");
    let networks = reader.list(networks, false).unwrap_or_default();
    let most = reader.optional("rate_limit_max");
    let most = reader.integer(most, 0..COUNT_MAX + 1);
    let claims = reader.optional("claims");
    let claims = claims
        .map(|node| read_claims(node, reader.faults()))
        .unwrap_or_default();
    let span = reader.span().clone();
    let issuer = issuer.or_else(|| {
        let public = draft.policy.public_url.as_ref();
        let public = public.filter(|url| url.scheme == Scheme::Https);
        let stated = public.and_then(|url| url.to_string().parse().ok());
        if stated.is_none() && issuer_node.is_none() {
            let message =
                "tokens name who gave them out: add `public_url` with `https://`, or `issuer` here";
            reader.faults().add(&span, message);
        }
        stated
    });
    reader.finish();
    let own = OwnIssuer {
        secret: secret?,
        issuer: issuer?,
        audience: audience?,
        algorithm,
        keys,
        access: access.unwrap_or(ACCESS),
        child: child.unwrap_or(CHILD),
        parent: parent.unwrap_or(PARENT),
        leeway: leeway.unwrap_or(LEEWAY),
        networks,
        rate_limit_max: most.and_then(|most| u64::try_from(most).ok()),
        claims,
        place,
    };
    if let Some(twin) = issuers.iter().find(|one| one.issuer == own.issuer) {
        let message = format!(
            "the guard's own tokens are believed by this table alone: leave the `[[identity.issuer]]` at line {} out, or give one of the two another `issuer`",
            twin.place.line
        );
        faults.add(&span, message);
    }
    if issuers.len() >= LIST_MAX {
        let message = format!("there are at most {LIST_MAX} issuers, and this is one more");
        faults.add(&span, message);
    }
    issuers.push(own.believed());
    Some(own)
}

fn read_claims(node: &Node, faults: &mut Faults<'_>) -> BTreeMap<Name, ClaimKind> {
    let mut claims = BTreeMap::new();
    let NodeValue::Table(table) = &node.value else {
        wrong_kind(
            node,
            "a table of claims, as `{ tenant = \"text\" }`",
            faults,
        );
        return claims;
    };
    if table.entries.len() > CLAIMS_MAX {
        let message = format!("at most {CLAIMS_MAX} claims are allowed");
        faults.add(&node.span, message);
        return claims;
    }
    for entry in &table.entries {
        let name = name_of(entry, faults);
        let kind = parsed::<ClaimKind>(&entry.node, faults);
        // A reader that ignores letter case would take the application's word for ours.
        let is_ours = |ours: &&&str| ours.eq_ignore_ascii_case(&entry.key);
        if let Some(ours) = WRITTEN.iter().find(is_ours) {
            let message = format!(
                "{} is a claim that the guard writes or refuses itself{}",
                quoted(&entry.key),
                if **ours == *entry.key {
                    ""
                } else {
                    ", but for its letter case"
                }
            );
            faults.add(&entry.key_span, message);
            continue;
        }
        if let (Some(name), Some(kind)) = (name, kind) {
            claims.insert(name, kind);
        }
    }
    let mut names: Vec<String> = claims
        .keys()
        .map(|name: &Name| name.as_str().to_ascii_lowercase())
        .collect();
    names.sort_unstable();
    if let Some(pair) = names.windows(2).find(|pair| pair.first() == pair.last()) {
        let shown: Vec<&str> = pair.iter().map(String::as_str).take(1).collect();
        let message = format!(
            "two claims differ by letter case alone: {}",
            or_list(&shown)
        );
        faults.add(&node.span, message);
    }
    claims
}
