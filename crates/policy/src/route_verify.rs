//! `Verify`: how the sender of a message proves who it is.

use std::time::Duration;

use crate::faults::Faults;
use crate::form::{Form, Kind, may, need};
use crate::node::{Node, Table};
use crate::rate::parse_duration;
use crate::secret_keys::{SecretKeys, read_secret};
use crate::table_reader::TableReader;
use crate::word::words;

/// The longest time that a signature may be old: what is accepted longer must be remembered longer.
pub const TOLERANCE_MAX: Duration = Duration::from_secs(600);

/// What holds where the policy does not say.
pub const TOLERANCE_DEFAULT: Duration = Duration::from_secs(300);

/// Whose way of signing it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VerifyScheme {
    /// Svix, and Clerk by it.
    Svix,
    /// Stripe.
    Stripe,
    /// GitHub.
    Github,
    /// Standard Webhooks.
    Standard,
}

words!(VerifyScheme, "scheme of signing", {
    Svix => "svix",
    Stripe => "stripe",
    Github => "github",
    Standard => "standard",
});

/// The `verify` of a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verify {
    /// Whose way of signing it is.
    pub scheme: VerifyScheme,
    /// The keys, any of which may have signed.
    pub secret: SecretKeys,
    /// How far the time of the signature may be from now; [`TOLERANCE_DEFAULT`] unless stated.
    pub tolerance: Option<Duration>,
}

pub(crate) const FORM: Form = Form::new(
    "How the sender of a message is known.",
    &[
        need(
            "scheme",
            Kind::Words(VerifyScheme::WORDS),
            "Whose way of signing it is.",
        ),
        need("secret", Kind::Secrets, "Where the secret is kept."),
        may(
            "tolerance",
            Kind::Duration,
            "How far the time of the signature may be from now, `1s` to `10m`.",
        )
        .or("\"5m\""),
    ],
);

pub(crate) fn read_verify(table: &Table, faults: &mut Faults<'_>) -> Option<Verify> {
    let mut reader = TableReader::new(table, "`verify`", faults);
    let scheme = reader.required("scheme");
    let scheme = reader.parsed::<VerifyScheme>(scheme);
    let secret = reader.required("secret");
    let secret = secret.and_then(|node| read_secret(node, reader.faults()));
    let tolerance = reader.optional("tolerance");
    let tolerance = read_tolerance(&mut reader, tolerance);
    reader.finish();
    Some(Verify {
        scheme: scheme?,
        secret: secret?,
        tolerance,
    })
}

fn read_tolerance<'r>(
    reader: &mut TableReader<'r, '_>,
    node: Option<&'r Node>,
) -> Option<Duration> {
    let text = reader.text(node)?;
    let span = &node?.span;
    match parse_duration(text) {
        Ok(length) if length <= TOLERANCE_MAX => Some(length),
        Ok(_) => {
            reader
                .faults()
                .add(span, "a signature is at most `10m` old");
            None
        }
        Err(fault) => {
            reader.faults().add_malformed(span, fault);
            None
        }
    }
}
