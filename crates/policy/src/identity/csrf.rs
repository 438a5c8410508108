//! `Csrf`: the `[identity.csrf]` table.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::faults::Faults;
use crate::form::{Form, Kind, may, need};
use crate::node::Table;
use crate::secret_keys::{SecretKeys, read_secret};
use crate::table_reader::TableReader;
use crate::{PublicUrl, public_url};

/// The longest time that a token can be used in.
pub const CSRF_LIFETIME_MAX: Duration = Duration::from_secs(60 * 60);

pub(crate) const LIFETIME: RangeInclusive<Duration> = Duration::from_secs(60)..=CSRF_LIFETIME_MAX;

/// Tokens against requests from other sites.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Csrf {
    /// The keys that tokens are bound to their session with.
    pub secret: SecretKeys,
    /// How long a token can be used; 1 h, which is also the most.
    pub lifetime: Duration,
    /// Origins of the same site, beside that of `public_url`, whose pages may send. Else what `Sec-Fetch-Site` calls
    /// `same-site` is refused.
    pub same_site: Vec<PublicUrl>,
}

pub(crate) const FORM: Form = Form::new(
    "Tokens against requests from other sites.",
    &[
        need(
            "secret",
            Kind::Secrets,
            "The keys that tokens are bound to their session with.",
        ),
        may(
            "lifetime",
            Kind::Duration,
            "How long a token can be used, `1m` to `1h`.",
        )
        .or("\"1h\""),
        may(
            "same_site",
            Kind::List(&public_url::ORIGIN),
            "Origins of the same site, beside that of `public_url`, whose pages may send.",
        )
        .or("[]"),
    ],
);

pub(super) fn read(table: &Table, faults: &mut Faults<'_>) -> Option<Csrf> {
    let mut reader = TableReader::new(table, "`[identity.csrf]`", faults);
    let secret = reader.required("secret");
    let secret = secret.and_then(|node| read_secret(node, reader.faults()));
    let lifetime = reader.optional("lifetime");
    let lifetime = reader.duration(lifetime, LIFETIME);
    let same_site = reader.optional("same_site");
    let same_site = reader.list(same_site, false).unwrap_or_default();
    reader.finish();
    Some(Csrf {
        secret: secret?,
        lifetime: lifetime.unwrap_or(CSRF_LIFETIME_MAX),
        same_site,
    })
}
