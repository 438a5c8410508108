//! `MacKeys`: signs by the first key that is accepted on the day, and verifies by all of them.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use smallvec::SmallVec;

use crate::clock::Now;

/// What is signed has most often at most so many bytes, with the lengths.
const TOGETHER: usize = 128;

/// The keys of one secret for one purpose. What is signed is a list of parts, of which each stands with its length before it, so
/// that no two lists are signed alike.
#[derive(Clone, Debug)]
pub struct MacKeys(Vec<MacKey>);

/// One key. The library overwrites it when it is dropped, and prints nothing of it.
#[derive(Clone, Debug)]
pub struct MacKey {
    id: KeyId,
    key: Key,
    last_day: Option<u64>,
}

/// Which key signed. It is derived of the key itself and the purpose: it stays the same when the policy calls the key
/// something else, and says nothing that a tag does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyId([u8; Self::BYTES]);

/// HMAC-SHA-256, whole. It is not compared by `==` but by [`MacKeys::verify`], in constant time.
#[derive(Clone, Copy)]
pub struct Tag([u8; 32]);

/// What was signed with.
#[derive(Clone, Copy, Debug)]
pub struct Signed {
    /// By which key.
    pub key: KeyId,
    /// The tag.
    pub tag: Tag,
}

/// Why nothing was signed, or why a tag does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MacFault {
    /// No key is accepted any more: nothing can be signed.
    #[error("no key is accepted any more: add a new one as the first and load the policy again")]
    NoKey,
    /// There is no such key, or none any more.
    #[error("it was signed by a key that is not in use")]
    UnknownKey,
    /// The key is past its `not_after`.
    #[error("it was signed by a key that is past its `not_after`")]
    Expired,
    /// The key did not sign this.
    #[error("the signature does not hold")]
    Mismatch,
}

/// It is not the id of a key as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the id of a key is 16 digits of lower-case hex")]
pub struct NoKeyId;

impl MacKeys {
    /// Of keys in the order of the policy.
    #[must_use]
    pub fn new(keys: Vec<MacKey>) -> Self {
        Self(keys)
    }

    /// Signs by the first key that is accepted.
    ///
    /// # Errors
    ///
    /// [`MacFault::NoKey`] when there is none. The caller refuses what it wanted to sign for.
    pub fn sign(&self, now: Now, parts: &[&[u8]]) -> Result<Signed, MacFault> {
        let key = self.accepted(now).next().ok_or(MacFault::NoKey)?;
        Ok(Signed {
            key: key.id,
            tag: key.tag(parts),
        })
    }

    /// Makes sure that the key signed these parts. The lengths are compared first, then all bytes in constant time
    /// (ASVS v5.0.0-11.2.4).
    ///
    /// # Errors
    ///
    /// When it did not, is not known or not accepted any more.
    pub fn verify(
        &self,
        now: Now,
        key: KeyId,
        parts: &[&[u8]],
        tag: &[u8],
    ) -> Result<(), MacFault> {
        let known = self.0.iter().find(|known| known.id == key);
        let known = known.ok_or(MacFault::UnknownKey)?;
        if !known.is_accepted(now) {
            return Err(MacFault::Expired);
        }
        if is_equal(&known.tag(parts).0, tag) {
            Ok(())
        } else {
            Err(MacFault::Mismatch)
        }
    }

    /// The tag of each key that is accepted, first that of the one that signs: for what is looked up by its tag and does not say
    /// who signed it, as a CSRF token. None where no key is accepted, so nothing is found.
    pub fn tags(&self, now: Now, parts: &[&[u8]]) -> impl Iterator<Item = Tag> {
        self.accepted(now).map(|key| key.tag(parts))
    }

    fn accepted(&self, now: Now) -> impl Iterator<Item = &MacKey> {
        self.0.iter().filter(move |key| key.is_accepted(now))
    }
}

impl MacKey {
    /// A key of its bytes, which is accepted until the end of a day counted from 1970-01-01 in UTC.
    #[must_use]
    pub fn new(id: KeyId, key: &[u8], last_day: Option<u64>) -> Self {
        let key = Key::new(HMAC_SHA256, key);
        Self { id, key, last_day }
    }

    /// The day of `not_after` is the last, in UTC.
    fn is_accepted(&self, now: Now) -> bool {
        self.last_day.is_none_or(|last| now.unix_day() <= last)
    }

    fn tag(&self, parts: &[&[u8]]) -> Tag {
        // Together, as each piece that is handed over costs as much as the hash of a short one.
        let mut together = SmallVec::<[u8; TOGETHER]>::new();
        for part in parts {
            let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
            together.extend_from_slice(&length.to_be_bytes());
            together.extend_from_slice(part);
        }
        tag(&self.key, &together)
    }
}

fn tag(key: &Key, bytes: &[u8]) -> Tag {
    let mut tag = [0; 32];
    tag.copy_from_slice(sign(key, bytes).as_ref());
    Tag(tag)
}

/// Whether two secrets are equal, in a time that tells at most whether their lengths are.
#[must_use]
pub fn is_equal(one: &[u8], other: &[u8]) -> bool {
    verify_slices_are_equal(one, other).is_ok()
}

impl Tag {
    /// All 32 bytes of it.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Whoever reads a tag in a log can use it.
impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tag(..)")
    }
}

impl KeyId {
    /// How many bytes it has.
    pub const BYTES: usize = 8;

    /// Of its bytes.
    #[must_use]
    pub const fn new(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for KeyId {
    type Err = NoKeyId;

    /// One spelling for each, as [`fmt::Display`] writes it.
    fn from_str(text: &str) -> Result<Self, NoKeyId> {
        let (pairs, []) = text.as_bytes().as_chunks::<2>() else {
            return Err(NoKeyId);
        };
        let pairs: &[[u8; 2]; Self::BYTES] = pairs.try_into().map_err(|_wrong_length| NoKeyId)?;
        let mut bytes = [0; Self::BYTES];
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            let digit = |one: u8| match one {
                b'0'..=b'9' => Some(one - b'0'),
                b'a'..=b'f' => Some(one - b'a' + 10),
                _ => None,
            };
            *byte = digit(*high).ok_or(NoKeyId)? << 4 | digit(*low).ok_or(NoKeyId)?;
        }
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        let (pairs, []) = hex.as_bytes().as_chunks::<2>() else {
            panic!("half a byte")
        };
        let byte = |pair: &[u8; 2]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
        pairs.iter().map(byte).collect()
    }

    /// RFC 4231 §4, all cases but the one that is about cutting off.
    #[test]
    fn signs_as_the_rfc_does() {
        let cases: [(&[u8], &[u8], &str); 6] = [
            (
                &[0x0b; 20],
                b"Hi There",
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            ),
            (
                b"Jefe",
                b"what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                &[0xaa; 20],
                &[0xdd; 50],
                "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
            ),
            (
                &bytes("0102030405060708090a0b0c0d0e0f10111213141516171819"),
                &[0xcd; 50],
                "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
            ),
            (
                &[0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
            (
                &[0xaa; 131],
                b"This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm.",
                "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
            ),
        ];
        for (key, data, expected) in cases {
            let signed = tag(&Key::new(HMAC_SHA256, key), data);
            assert_eq!(signed.as_bytes().as_slice(), bytes(expected));
        }
    }

    #[test]
    fn an_id_has_one_spelling() {
        let id: KeyId = "2a48437fc1d076cf".parse().unwrap();
        assert_eq!(id.to_string(), "2a48437fc1d076cf");
        for text in [
            "",
            "2a48437fc1d076c",
            "2a48437fc1d076cf0",
            "2a48437fc1d076cf00",
            "2A48437FC1D076CF",
            "2a48437fc1d076cg",
            " 2a48437fc1d076c",
            "2a48437fc1d07\u{e9}c",
        ] {
            assert_eq!(text.parse::<KeyId>(), Err(NoKeyId), "{text}");
        }
    }

    #[test]
    fn equal_is_equal_in_all_bytes() {
        for (one, other, equal) in [
            (&b""[..], &b""[..], true),
            (b"a", b"", false),
            (b"abc", b"abc", true),
            (b"abc", b"abd", false),
            (b"abc", b"abcd", false),
        ] {
            assert_eq!(is_equal(one, other), equal);
        }
    }
}
