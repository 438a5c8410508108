//! `Issuer`: one `[[identity.issuer]]`, whose tokens are accepted.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::KeySetPlace;
use super::session::cookie_name;
use crate::bounds::LIST_MAX;
use crate::faults::Faults;
use crate::form::{Form, Kind, may, need};
use crate::node::{Node, Table};
use crate::policy_file::{is_empty_list, tables};
use crate::table_reader::TableReader;
use crate::word::words;
use crate::{HttpsUrl, Malformed, Name, Place, PublicUrl, public_url};

/// What is known of an issuer by the name of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Preset {
    /// Session tokens of Clerk: `azp` is one of a list, `sid` names the session, `aud` counts only where it is
    /// configured.
    Clerk,
    /// Tokens of the service's own issuer, as seed 004 has them: `jti`, `iat`, `token_type`, `user_id`, `network` and
    /// `rate_limit` are required, and of a child `parent_jti`.
    Own,
}

words!(Preset, "preset", { Clerk => "clerk", Own => "own" });

/// An algorithm of a signature. None by a shared secret is among them, and none that is no signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names of RFC 7518 §3.1 and RFC 8037 §3.1")]
pub enum JwtAlgorithm {
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
    Es256,
    Es384,
    Es512,
    EdDsa,
}

words!(JwtAlgorithm, "algorithm", {
    Rs256 => "RS256",
    Rs384 => "RS384",
    Rs512 => "RS512",
    Ps256 => "PS256",
    Ps384 => "PS384",
    Ps512 => "PS512",
    Es256 => "ES256",
    Es384 => "ES384",
    Es512 => "ES512",
    EdDsa => "EdDSA",
});

/// The algorithms of an issuer, read with a message of their own for those that must not be.
#[derive(Debug, PartialEq)]
struct Accepted(JwtAlgorithm);

impl std::str::FromStr for Accepted {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // RFC 8725 §2.1, §3.1: a shared secret lets whoever verifies a token also make one, and `none` is no signature.
        let word = text.to_ascii_lowercase();
        if word == "none" || word.starts_with("hs") {
            let message =
                "an issuer signs with a key of its own: `HS..` and `none` are never accepted";
            return Err(Malformed::whole(text, message));
        }
        text.parse().map(Self)
    }
}

/// Whose tokens are accepted, and which of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    /// What is known of it by its name.
    pub preset: Option<Preset>,
    /// The `iss` of its tokens.
    pub issuer: HttpsUrl,
    /// The `aud` of which a token must have one; empty only with `clerk`.
    pub audience: Vec<Name>,
    /// The `azp` of which a token must have one; empty where it is not looked at.
    pub authorized_parties: Vec<PublicUrl>,
    /// The algorithms that its signatures may have; never empty. What a token says of itself decides nothing.
    pub algorithms: Vec<JwtAlgorithm>,
    /// Where its keys are; `.well-known/jwks.json` below the issuer unless stated.
    pub jwks: KeySetPlace,
    /// The cookie in which a browser sends its tokens; `__session` with `clerk`, else none unless stated.
    pub cookie: Option<Name>,
    /// How long its keys are used after they could not be fetched again; 1 h.
    pub max_stale: Duration,
    /// By how much its clock and ours may differ; 30 s.
    pub leeway: Duration,
    /// Where it is written.
    pub place: Place,
}

/// How an address that is fetched or believed is written.
const URL: Kind = Kind::Pattern("^https://[^/?#@\\\\]+(/[^?#%]*)?$");

/// How the name of a cookie is written.
const COOKIE: Kind = Kind::Pattern("^[A-Za-z0-9_.-]+$");

/// The cookie of Clerk's session tokens.
const CLERK_COOKIE: &str = "__session";

/// The name of a cookie, read as one.
struct Cookie(Name);

impl std::str::FromStr for Cookie {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        cookie_name(text).map(Self)
    }
}

/// How the place of its keys is written.
const KEYS: Kind = Kind::Pattern("^(https://[^/?#@\\\\]+(/[^?#%]*)?|file:.+)$");

pub(crate) const FORM: Form = Form::new(
    "Whose tokens are accepted, and which of them.",
    &[
        may(
            "preset",
            Kind::Words(Preset::WORDS),
            "A service whose tokens are known.",
        ),
        need("issuer", URL, "The `iss` of its tokens, compared byte by byte."),
        may(
            "audience",
            Kind::OneOrSome(&Kind::Name),
            "The `aud` of which a token must have one; required but for `clerk`.",
        ),
        may(
            "authorized_parties",
            Kind::Some(&public_url::ORIGIN),
            "The `azp` of which a token must have one; required for `clerk`.",
        ),
        need(
            "algorithms",
            Kind::Some(&Kind::Words(JwtAlgorithm::WORDS)),
            "What its signatures may have. What a token says of itself decides nothing.",
        ),
        may(
            "jwks",
            KEYS,
            "Where its keys are, `https://..` or `file:PATH`; else `.well-known/jwks.json` below the issuer.",
        ),
        may(
            "cookie",
            COOKIE,
            "The cookie in which a browser sends its tokens; `__session` for `clerk`. Without one they come in `Authorization` alone.",
        ),
        may(
            "max_stale",
            Kind::Duration,
            "How long its keys are used that could not be fetched again, `1m` to `24h`.",
        )
        .or("\"1h\""),
        may(
            "leeway",
            Kind::Duration,
            "By how much its clock and ours may differ, `1s` to `1m`.",
        )
        .or("\"30s\""),
    ],
)
.with_rules(&[
    r#"{ "if": { "properties": { "preset": { "const": "clerk" } }, "required": ["preset"] }, "then": { "required": ["authorized_parties"] }, "else": { "required": ["audience"] } }"#,
]);

/// How long keys are used that could not be fetched again, where the policy does not say.
pub(crate) const STALE: Duration = Duration::from_secs(60 * 60);
pub(crate) const STALE_WITHIN: RangeInclusive<Duration> =
    Duration::from_secs(60)..=Duration::from_secs(24 * 60 * 60);

/// By how much clocks may differ, where the policy does not say. Not at all would refuse good tokens; over a minute would
/// lengthen the life of those that live for one.
pub(crate) const LEEWAY: Duration = Duration::from_secs(30);
pub(crate) const LEEWAY_WITHIN: RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_secs(60);

/// The place of a key set where nothing else is said.
pub(crate) const JWKS_PATH: &str = ".well-known/jwks.json";

/// The most issuers of one policy.
pub(crate) const ISSUERS_MAX: usize = LIST_MAX;

pub(super) fn read(node: &Node, faults: &mut Faults<'_>) -> Vec<Issuer> {
    let mut issuers: Vec<Issuer> = Vec::new();
    for table in tables(node, "identity.issuer", ISSUERS_MAX, faults) {
        let Some(issuer) = read_one(table, faults) else {
            continue;
        };
        // Two entries of one name would be two answers to which algorithms and keys it has.
        if let Some(twin) = issuers.iter().find(|one| one.issuer == issuer.issuer) {
            let line = twin.place.line;
            let message = format!("`{}` is already described at line {line}", issuer.issuer);
            faults.add(&issuer.place.span, message);
        }
        issuers.push(issuer);
    }
    issuers
}

fn read_one(table: &Table, faults: &mut Faults<'_>) -> Option<Issuer> {
    let place = faults.place(&table.span);
    let mut reader = TableReader::new(table, "an issuer", faults);
    let preset_node = reader.optional("preset");
    let preset = reader.parsed::<Preset>(preset_node);
    let issuer = reader.required("issuer");
    let issuer = reader.parsed::<HttpsUrl>(issuer);
    let audience_node = reader.optional("audience");
    let audience = reader.list::<Name>(audience_node, true);
    let parties_node = reader.optional("authorized_parties");
    let parties = reader.list::<PublicUrl>(parties_node, false);
    let algorithms_node = reader.required("algorithms");
    let algorithms = reader.list::<Accepted>(algorithms_node, false);
    let jwks = reader.optional("jwks");
    let jwks = reader.parsed::<KeySetPlace>(jwks);
    let cookie = reader.optional("cookie");
    let cookie = reader.parsed::<Cookie>(cookie);
    let max_stale = reader.optional("max_stale");
    let max_stale = reader.duration(max_stale, STALE_WITHIN);
    let leeway = reader.optional("leeway");
    let leeway = reader.duration(leeway, LEEWAY_WITHIN);
    let lists = [audience_node, parties_node, algorithms_node];
    for node in lists
        .into_iter()
        .flatten()
        .filter(|node| is_empty_list(node))
    {
        let message = "an empty list would accept nothing: name one at least";
        reader.faults().add(&node.span, message);
    }
    let span = reader.span().clone();
    let is_stated = preset.is_some() || preset_node.is_none();
    match preset {
        Some(Preset::Clerk) if parties_node.is_none() => {
            let message = "tokens of Clerk are told apart by the page that asked for them: add `authorized_parties = [\"https://shop.example.com\"]`";
            reader.faults().add(&span, message);
        }
        // RFC 8725 §3.9: a token for somebody else must not open this service. A preset that is none is a fault already.
        None | Some(Preset::Own) if is_stated && audience_node.is_none() => {
            let message = "an issuer makes tokens for others too: add `audience`";
            reader.faults().add(&span, message);
        }
        _ => {}
    }
    reader.finish();
    let issuer = issuer?;
    let of_clerk = || {
        CLERK_COOKIE
            .parse()
            .ok()
            .filter(|_| preset == Some(Preset::Clerk))
    };
    Some(Issuer {
        preset,
        audience: audience.unwrap_or_default(),
        authorized_parties: parties.unwrap_or_default(),
        algorithms: algorithms?.into_iter().map(|one| one.0).collect(),
        jwks: jwks.unwrap_or_else(|| KeySetPlace::Url(issuer.joined(JWKS_PATH))),
        cookie: cookie.map(|Cookie(name)| name).or_else(of_clerk),
        max_stale: max_stale.unwrap_or(STALE),
        leeway: leeway.unwrap_or(LEEWAY),
        issuer,
        place,
    })
}
