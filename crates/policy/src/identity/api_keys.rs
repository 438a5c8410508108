//! `ApiKeys`: the `[identity.api_keys]` table: keys that programs call with.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use crate::faults::Faults;
use crate::form::{Form, Kind, may};
use crate::malformed::quoted;
use crate::node::Table;
use crate::policy_file::Draft;
use crate::table_reader::TableReader;
use crate::{FieldName, Malformed, Place, Profile};

/// The longest life of a key where the policy does not say, and the longest that it may say: no key lives for ever.
const LIFETIME: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The same in the strict profile.
const LIFETIME_STRICT: Duration = Duration::from_secs(90 * 24 * 60 * 60);

const LIFETIME_MIN: Duration = Duration::from_secs(60 * 60);

/// The shortest and the longest prefix, in bytes.
const PREFIX_BYTES: RangeInclusive<usize> = 2..=16;

/// How a key begins, so that a person and a scanner of code know one when they see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPrefix(String);

impl KeyPrefix {
    /// The prefix, without the `_` behind it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for KeyPrefix {
    fn default() -> Self {
        Self("pck".to_owned())
    }
}

impl FromStr for KeyPrefix {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_of_it = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        if PREFIX_BYTES.contains(&text.len()) && text.bytes().all(is_of_it) {
            return Ok(Self(text.to_owned()));
        }
        let message = format!(
            "{} is no prefix of keys: use 2 to 16 small letters and digits",
            quoted(text)
        );
        Err(Malformed::whole(text, message))
    }
}

impl fmt::Display for KeyPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Keys that programs call with: `PREFIX_ID_SECRET`. The guard gives them out at the admin listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKeys {
    /// How they begin; `pck`.
    pub prefix: KeyPrefix,
    /// The field in which they may come besides `Authorization: Bearer`.
    pub header: Option<FieldName>,
    /// How long one lives at most; 365 days, in the strict profile 90.
    pub lifetime_max: Duration,
    /// Where it is written.
    pub place: Place,
}

pub(crate) const FORM: Form = Form::new(
    "Keys that programs call with.",
    &[
        may(
            "prefix",
            Kind::Pattern("^[a-z0-9]{2,16}$"),
            "How a key begins.",
        )
        .or("\"pck\""),
        may(
            "header",
            Kind::Pattern("^[a-z0-9-]+$"),
            "The field in which a key may come besides `Authorization: Bearer`, in lower case: `x-api-key`. It is never forwarded.",
        ),
        may(
            "lifetime_max",
            Kind::Duration,
            "How long a key lives at most, `1h` to `365d`, in the strict profile to `90d`; else as long as that.",
        ),
    ],
);

/// How long a key lives at most where the policy does not say.
pub(crate) const fn lifetime_default(profile: Profile) -> Duration {
    match profile {
        Profile::Standard => LIFETIME,
        Profile::Strict => LIFETIME_STRICT,
    }
}

/// Reads `[identity.api_keys]`.
pub(super) fn read(table: &Table, draft: &Draft, faults: &mut Faults<'_>) -> Option<ApiKeys> {
    let place = faults.place(&table.span);
    let longest = lifetime_default(draft.policy.profile);
    let mut reader = TableReader::new(table, "`[identity.api_keys]`", faults);
    let prefix_node = reader.optional("prefix");
    let prefix = reader.parsed::<KeyPrefix>(prefix_node);
    let header_node = reader.optional("header");
    let header = reader.parsed::<FieldName>(header_node);
    let lifetime = reader.optional("lifetime_max");
    let lifetime_max = reader.duration(lifetime, LIFETIME_MIN..=longest);
    reader.finish();
    if (prefix_node.is_some() && prefix.is_none()) || (header_node.is_some() && header.is_none()) {
        return None;
    }
    Some(ApiKeys {
        prefix: prefix.unwrap_or_default(),
        header,
        lifetime_max: lifetime_max.unwrap_or(longest),
        place,
    })
}
