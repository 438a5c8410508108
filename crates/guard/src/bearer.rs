//! `BearerSecret`: a credential that somebody shows as it is, known by its digest.

use std::fmt;

use crate::clock::Now;
use crate::digest::sha256;
use crate::keys::is_equal;

/// A credential. Nothing is kept of it but its SHA-256, from which nobody comes back to 32 drawn bytes.
pub struct BearerSecret {
    digest: [u8; 32],
    last_day: Option<u64>,
}

impl BearerSecret {
    /// A credential of its bytes, accepted until the end of a day counted from 1970-01-01 in UTC.
    #[must_use]
    pub fn new(bytes: &[u8], last_day: Option<u64>) -> Self {
        Self {
            digest: sha256(bytes),
            last_day,
        }
    }

    /// Whether these bytes are the credential, and it is accepted at a moment. Digests are compared, in constant time
    /// (ASVS v5.0.0-11.2.4).
    #[must_use]
    pub fn accepts(&self, shown: &[u8], now: Now) -> bool {
        let is_it = is_equal(&self.digest, &sha256(shown));
        is_it && self.last_day.is_none_or(|last| now.unix_day() <= last)
    }
}

/// The digest is none of a log's business either.
impl fmt::Debug for BearerSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BearerSecret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_credential_on_its_days_is_accepted() {
        let at_day = |day: u64| Now {
            monotonic: 0,
            unix_millis: day * 86_400_000 + 86_399_999,
        };
        let key = [7; 32];
        let secret = BearerSecret::new(&key, Some(20_000));
        for (shown, day, accepted) in [
            (&key[..], 20_000, true),
            (&key[..], 20_001, false),
            (&key[..31], 20_000, false),
            (&[7; 33][..], 20_000, false),
            (&[8; 32][..], 20_000, false),
            (&[][..], 20_000, false),
        ] {
            assert_eq!(secret.accepts(shown, at_day(day)), accepted);
        }
        assert_eq!(format!("{secret:?}"), "BearerSecret(..)");
    }
}
