//! `Record`: what the store keeps of a session, in bytes that every adapter keeps alike.

use crate::packed::{read_text, take, write_text};
use crate::store::Value;

/// The longest name of a user, a tenant or a role, in bytes.
pub const SUBJECT_BYTES_MAX: usize = 255;

/// How many roles a session has at most.
pub(super) const ROLES_MAX: usize = 32;

/// The version of the encoding, which is its first byte; a tombstone is this byte alone.
const LIVE: u8 = 1;
const ENDED: u8 = 0;

/// A session that is alive, if the clock agrees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Whose it is, as the application calls them.
    pub user: String,
    /// Their tenant, if the application has any.
    pub tenant: Option<String>,
    /// Their roles.
    pub roles: Vec<String>,
    /// When they logged in, in milliseconds since 1970-01-01.
    pub authenticated: u64,
    /// Counts its changes, from 1.
    pub version: u32,
    /// When it is over if nobody uses it, in milliseconds since 1970-01-01.
    pub idle_until: u64,
    /// When it is over in any case, in milliseconds since 1970-01-01.
    pub absolute_until: u64,
}

/// What the store has under the key of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stored {
    /// A session.
    Live(Record),
    /// The tombstone of one that was ended.
    Ended,
}

/// The bytes are no record: nobody can say what they were, so nobody calls by them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the record of a session cannot be read")]
pub struct Corrupt;

/// Whether a text can name a user, a tenant or a role: not empty, at most [`SUBJECT_BYTES_MAX`] bytes, no control
/// characters.
#[must_use]
pub fn is_subject(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= SUBJECT_BYTES_MAX
        && !text.chars().any(|character| character.is_control())
}

impl Record {
    /// Whether it is alive at a moment, in milliseconds since 1970-01-01.
    #[must_use]
    pub const fn is_alive(&self, unix_millis: u64) -> bool {
        unix_millis < self.idle_until && unix_millis < self.absolute_until
    }

    /// Whether its names and their number are within the bounds: one that is not cannot be kept.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        is_subject(&self.user)
            && self.tenant.as_deref().is_none_or(is_subject)
            && self.roles.len() <= ROLES_MAX
            && self.roles.iter().all(|role| is_subject(role))
    }

    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> Value {
        let mut out = Value::new();
        out.push(LIVE);
        out.extend_from_slice(&self.version.to_be_bytes());
        for moment in [self.authenticated, self.idle_until, self.absolute_until] {
            out.extend_from_slice(&moment.to_be_bytes());
        }
        write_text(&mut out, &self.user);
        // A tenant has a name, so none is the empty one.
        write_text(&mut out, self.tenant.as_deref().unwrap_or_default());
        for role in &self.roles {
            write_text(&mut out, role);
        }
        out
    }

    /// The bytes of a tombstone.
    #[must_use]
    pub fn tombstone() -> Value {
        Value::from_slice(&[ENDED])
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        let version = u32::from_be_bytes(*take(&mut rest)?);
        let mut moment = || Some(u64::from_be_bytes(*take(&mut rest)?));
        let (authenticated, idle_until, absolute_until) = (moment()?, moment()?, moment()?);
        let user = read_text(&mut rest)?;
        let tenant = Some(read_text(&mut rest)?).filter(|tenant| !tenant.is_empty());
        let mut roles = Vec::new();
        while !rest.is_empty() {
            roles.push(read_text(&mut rest)?);
        }
        let record = Self {
            user,
            tenant,
            roles,
            authenticated,
            version,
            idle_until,
            absolute_until,
        };
        record.is_valid().then_some(record)
    }
}

impl Stored {
    /// Reads what the store has.
    ///
    /// # Errors
    ///
    /// [`Corrupt`]: a byte too few, too many, or of another version.
    pub fn decode(bytes: &[u8]) -> Result<Self, Corrupt> {
        match bytes {
            [ENDED] => Ok(Self::Ended),
            [LIVE, rest @ ..] => Record::decode(rest).map(Self::Live).ok_or(Corrupt),
            _ => Err(Corrupt),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record() -> Record {
        Record {
            user: "user_2".to_owned(),
            tenant: Some("acme".to_owned()),
            roles: vec!["user".to_owned(), "admin".to_owned()],
            authenticated: 1,
            version: 3,
            idle_until: 100,
            absolute_until: 90,
        }
    }

    #[test]
    fn what_is_kept_is_read_and_nothing_else() {
        let record = record();
        let bytes = record.encode();
        assert_eq!(Stored::decode(&bytes), Ok(Stored::Live(record.clone())));
        for cut in 0..bytes.len() {
            let read = Stored::decode(&bytes[..cut]);
            // Between two roles a cut leaves a record of fewer roles, which no store makes of one write.
            assert_ne!(read, Ok(Stored::Live(record.clone())), "{cut}");
        }
        for bytes in [&b""[..], &[2], &[0, 0], &[9; 40]] {
            assert_eq!(Stored::decode(bytes), Err(Corrupt));
        }
        assert_eq!(Stored::decode(&Record::tombstone()), Ok(Stored::Ended));
    }

    #[test]
    fn it_is_alive_until_the_first_of_its_ends() {
        let record = record();
        assert!(record.is_alive(89));
        assert!(!record.is_alive(90));
        let idle = Record {
            idle_until: 50,
            ..record
        };
        assert!(idle.is_alive(49) && !idle.is_alive(50));
    }

    #[test]
    fn names_have_bounds() {
        for (text, holds) in [
            ("", false),
            ("a", true),
            ("a b@c", true),
            ("ü", true),
            ("a\nb", false),
            ("a\u{7f}", false),
            (&"x".repeat(255), true),
            (&"x".repeat(256), false),
        ] {
            assert_eq!(is_subject(text), holds, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn every_valid_record_is_read_back(
            user in "[^\\p{Cc}]{1,40}",
            tenant in proptest::option::of("[^\\p{Cc}]{1,40}"),
            roles in proptest::collection::vec("[a-z]{1,9}", 0..5),
            moments: [u64; 3],
            version: u32,
        ) {
            let [authenticated, idle_until, absolute_until] = moments;
            let record = Record { user, tenant, roles, authenticated, version, idle_until, absolute_until };
            prop_assert_eq!(Stored::decode(&record.encode()), Ok(Stored::Live(record)));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            drop(Stored::decode(&bytes));
        }
    }
}
