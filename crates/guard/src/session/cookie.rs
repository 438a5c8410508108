//! `SessionCookie`: the value of a cookie that names a session: `1.KEY.ID.MOMENT.TAG`.
//!
//! Every part has one spelling and its own length, and the tag is over their lengths too: nothing can be moved from one to
//! another, and a tag that is cut or longer is none.

use crate::base64url;
use crate::clock::Now;
use crate::keys::{KeyId, MacFault, MacKeys};

use super::SessionRef;

/// The only version there is.
const VERSION: &[u8] = b"1";

/// By how many seconds another guard's clock may be ahead.
const AHEAD_SECONDS: u64 = 60;

/// What a cookie that holds says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionCookie {
    /// The session that it names.
    pub session: SessionRef,
    /// When it was given out, in seconds since 1970-01-01.
    pub since: u64,
}

/// Why a cookie names no session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionFault {
    /// It is not written as the guard writes one.
    #[error("it is not written as the guard writes one")]
    Malformed,
    /// Its tag does not hold.
    #[error("{0}")]
    Mac(#[from] MacFault),
    /// It was given out longer ago than a session lives, or in time to come.
    #[error("it is from another time")]
    Moment,
}

impl SessionCookie {
    /// The value of a cookie for an id that was drawn at random.
    ///
    /// # Errors
    ///
    /// When no key is accepted any more.
    pub fn write(keys: &MacKeys, now: Now, id: &[u8; 32]) -> Result<String, MacFault> {
        let moment = now.unix_seconds().to_string();
        let signed = keys.sign(now, &[VERSION, id, moment.as_bytes()])?;
        Ok(format!(
            "1.{}.{}.{moment}.{}",
            signed.key,
            base64url::text(id),
            base64url::text(signed.tag.as_bytes())
        ))
    }

    /// Reads a value, of a cookie that is good for so many seconds.
    ///
    /// # Errors
    ///
    /// Why it names no session. To the client all of them are one.
    pub fn read(
        keys: &MacKeys,
        now: Now,
        value: &[u8],
        seconds_max: u64,
    ) -> Result<Self, SessionFault> {
        let mut parts = value.split(|byte| *byte == b'.');
        let mut next = || parts.next().ok_or(SessionFault::Malformed);
        let (version, key, id, moment, tag) = (next()?, next()?, next()?, next()?, next()?);
        if version != VERSION || parts.next().is_some() {
            return Err(SessionFault::Malformed);
        }
        let key: Option<KeyId> = str::from_utf8(key).ok().and_then(|key| key.parse().ok());
        let id = base64url::read_exactly::<32>(id);
        let tag = base64url::read_exactly::<32>(tag);
        let (Some(key), Some(id), Some(tag), Some(since)) = (key, id, tag, seconds(moment)) else {
            return Err(SessionFault::Malformed);
        };
        keys.verify(now, key, &[VERSION, &id, moment], &tag)?;
        let at = now.unix_seconds();
        if since > at.saturating_add(AHEAD_SECONDS) || at >= since.saturating_add(seconds_max) {
            return Err(SessionFault::Moment);
        }
        Ok(Self {
            session: SessionRef::of(&id),
            since,
        })
    }
}

/// Decimal digits, without a zero in front.
fn seconds(digits: &[u8]) -> Option<u64> {
    let is_one = matches!(digits, [b'1'..=b'9', rest @ ..] if rest.len() < 12 && rest.iter().all(u8::is_ascii_digit));
    let text = str::from_utf8(digits).ok().filter(|_| is_one)?;
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::keys::MacKey;

    const NOW: Now = Now {
        monotonic: 0,
        unix_millis: 1_800_000_000_000,
    };

    fn keys(bytes: &[u8]) -> MacKeys {
        let id = [bytes[0]; KeyId::BYTES];
        MacKeys::new(vec![MacKey::new(KeyId::new(id), bytes, None)])
    }

    fn at(seconds: u64) -> Now {
        Now {
            unix_millis: seconds * 1_000,
            ..NOW
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let keys = keys(&[7; 32]);
        let value = SessionCookie::write(&keys, NOW, &[9; 32]).unwrap();
        assert_eq!(value.len(), 1 + 1 + 16 + 1 + 43 + 1 + 10 + 1 + 43);
        let read = SessionCookie::read(&keys, NOW, value.as_bytes(), 60).unwrap();
        assert_eq!(read.session, SessionRef::of(&[9; 32]));
        assert_eq!(read.since, 1_800_000_000);
    }

    /// 92: a tag that is cut or longer, and parts that are moved over their borders.
    #[test]
    fn case_92_truncated_or_extended_tags_and_shifted_delimiters_are_refused() {
        let keys = keys(&[7; 32]);
        let value = SessionCookie::write(&keys, NOW, &[9; 32]).unwrap();
        let parts: Vec<&str> = value.split('.').collect();
        let joined = |parts: &[&str]| parts.join(".");
        let (id, tag) = (parts[2], parts[4]);
        let mut tried = vec![
            String::new(),
            ".".to_owned(),
            "....".to_owned(),
            joined(&parts[..4]),
            format!("{value}."),
            format!("{value}.x"),
            format!(" {value}"),
            format!("{value}A"),
            joined(&["2", parts[1], id, parts[3], tag]),
            joined(&["01", parts[1], id, parts[3], tag]),
            joined(&[
                "1",
                &parts[1].to_ascii_uppercase(),
                id,
                parts[3],
                tag.get(..42).unwrap(),
            ]),
            joined(&["1", parts[1], &format!("{id}="), parts[3], tag]),
            joined(&["1", parts[1], id, &format!("0{}", parts[3]), tag]),
            joined(&["1", parts[1], id, &format!("{}0", parts[3]), tag]),
            joined(&[
                "1",
                parts[1],
                &format!("{id}1"),
                parts[3].get(1..).unwrap(),
                tag,
            ]),
            joined(&["1", parts[1], id, parts[3], ""]),
            joined(&["1", parts[1], tag, parts[3], id]),
        ];
        for cut in 0..value.len() {
            tried.push(value.get(..cut).unwrap().to_owned());
        }
        for one in tried {
            let read = SessionCookie::read(&keys, NOW, one.as_bytes(), 60);
            assert!(read.is_err(), "{one}");
        }
    }

    #[test]
    fn the_moment_is_looked_at() {
        let keys = keys(&[7; 32]);
        let value = SessionCookie::write(&keys, NOW, &[9; 32]).unwrap();
        let read = |now| SessionCookie::read(&keys, now, value.as_bytes(), 600);
        for (seconds, holds) in [
            (1_800_000_000 - 61, false),
            (1_800_000_000 - 60, true),
            (1_800_000_000, true),
            (1_800_000_599, true),
            (1_800_000_600, false),
            (u64::MAX / 1_000, false),
        ] {
            assert_eq!(read(at(seconds)).is_ok(), holds, "{seconds}");
        }
    }

    #[test]
    fn another_key_and_another_purpose_read_nothing() {
        let value = SessionCookie::write(&keys(&[7; 32]), NOW, &[9; 32]).unwrap();
        let read = SessionCookie::read(&keys(&[8; 32]), NOW, value.as_bytes(), 60);
        assert_eq!(read, Err(SessionFault::Mac(MacFault::UnknownKey)));
        let same_name = MacKeys::new(vec![MacKey::new(KeyId::new([7; 8]), &[8; 32], None)]);
        let read = SessionCookie::read(&same_name, NOW, value.as_bytes(), 60);
        assert_eq!(read, Err(SessionFault::Mac(MacFault::Mismatch)));
    }

    proptest! {
        #[test]
        fn one_changed_byte_is_enough(at in 0_usize..115, with: u8) {
            let keys = keys(&[7; 32]);
            let mut value = SessionCookie::write(&keys, NOW, &[9; 32]).unwrap().into_bytes();
            let at = at % value.len();
            prop_assume!(value[at] != with);
            value[at] = with;
            prop_assert!(SessionCookie::read(&keys, NOW, &value, 60).is_err());
        }
    }
}
