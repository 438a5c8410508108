//! `ShownKey`: a key as a request shows it, read in one way alone.

use std::fmt;

use crate::digest::sha256;

/// How many bytes of an id there are.
const ID_BYTES: usize = 8;

/// How many bytes of a secret there are: 256 bits (ASVS v5.0.0-11.5.1 asks for 128 at least).
const SECRET_BYTES: usize = 32;

/// What names a key: no secret.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApiKeyId([u8; ID_BYTES]);

/// Why a text is no key, or no id of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiKeyFault {
    /// It begins otherwise than the policy says.
    #[error("it does not begin as the keys of the policy do")]
    Prefix,
    /// It is shorter or longer.
    #[error("a key is its prefix, `_`, 16 digits, `_` and 64 digits")]
    Length,
    /// A byte is no small hexadecimal digit, or no `_` where one has to be.
    #[error("the digits of a key are 0 to 9 and a to f")]
    Digit,
}

impl ApiKeyId {
    /// An id of drawn bytes.
    #[must_use]
    pub const fn new(bytes: [u8; ID_BYTES]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn bytes(&self) -> [u8; ID_BYTES] {
        self.0
    }

    /// Reads 16 small hexadecimal digits.
    ///
    /// # Errors
    ///
    /// What is wrong with them.
    pub fn read(text: &[u8]) -> Result<Self, ApiKeyFault> {
        hex::<ID_BYTES>(text).map(Self)
    }
}

impl fmt::Display for ApiKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ApiKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKeyId({self})")
    }
}

/// A key that is shown: which, and the digest of its secret. Nothing else is kept of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ShownKey {
    id: ApiKeyId,
    digest: [u8; 32],
}

impl ShownKey {
    /// Reads `PREFIX_ID_SECRET`. Nothing stands before or behind it, and each digit has one spelling: a key that is written in two
    /// ways would be two in a list of leaked ones.
    ///
    /// # Errors
    ///
    /// What is wrong with it, without a word of it.
    pub fn read(prefix: &str, text: &[u8]) -> Result<Self, ApiKeyFault> {
        let rest = text
            .strip_prefix(prefix.as_bytes())
            .and_then(|rest| rest.strip_prefix(b"_"))
            .ok_or(ApiKeyFault::Prefix)?;
        let (id, rest) = rest
            .split_at_checked(2 * ID_BYTES)
            .ok_or(ApiKeyFault::Length)?;
        let (between, secret) = rest.split_at_checked(1).ok_or(ApiKeyFault::Length)?;
        let id = ApiKeyId::read(id)?;
        let secret = hex::<SECRET_BYTES>(secret)?;
        if between != b"_" {
            return Err(ApiKeyFault::Digit);
        }
        Ok(Self {
            id,
            digest: sha256(&secret),
        })
    }

    /// Which key.
    #[must_use]
    pub const fn id(&self) -> ApiKeyId {
        self.id
    }

    /// The SHA-256 of its secret.
    #[must_use]
    pub const fn digest(&self) -> &[u8; 32] {
        &self.digest
    }
}

/// The digest is none of a log's business either.
impl fmt::Debug for ShownKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ShownKey({}, ..)", self.id)
    }
}

/// Writes a key of an id and a drawn secret, for whoever it is given to and for nobody else.
#[must_use]
pub fn write_key(prefix: &str, id: ApiKeyId, secret: &[u8; SECRET_BYTES]) -> String {
    let mut text = format!("{prefix}_{id}_");
    for byte in secret {
        text.extend([byte >> 4, byte & 15].map(|half| {
            let digit = if half < 10 {
                b'0' + half
            } else {
                b'a' + half - 10
            };
            char::from(digit)
        }));
    }
    text
}

fn hex<const LENGTH: usize>(text: &[u8]) -> Result<[u8; LENGTH], ApiKeyFault> {
    let (pairs, []) = text.as_chunks::<2>() else {
        return Err(ApiKeyFault::Length);
    };
    if pairs.len() != LENGTH {
        return Err(ApiKeyFault::Length);
    }
    let mut bytes = [0; LENGTH];
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Ok(bytes)
}

const fn digit(byte: u8) -> Result<u8, ApiKeyFault> {
    match byte {
        b'0'..=b'9' => Ok(byte - b'0'),
        b'a'..=b'f' => Ok(byte - b'a' + 10),
        _ => Err(ApiKeyFault::Digit),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: ApiKeyId = ApiKeyId::new([0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef]);

    #[test]
    fn one_spelling_is_read_and_no_other() {
        let good = write_key("pck", ID, &[0xa5; 32]);
        assert_eq!(
            good,
            format!("pck_0123456789abcdef_{}", "a5".repeat(32)),
            "it is written as it is said"
        );
        let read = ShownKey::read("pck", good.as_bytes()).unwrap();
        assert_eq!((read.id(), read.digest()), (ID, &sha256(&[0xa5; 32])));
        let secret = "a5".repeat(32);
        for (text, fault) in [
            (good.replace("pck_", "pcx_"), ApiKeyFault::Prefix),
            (good.replace("pck_", "PCK_"), ApiKeyFault::Prefix),
            (good.replace("pck_", "pck"), ApiKeyFault::Prefix),
            (good.replace("pck_", ""), ApiKeyFault::Prefix),
            (format!(" {good}"), ApiKeyFault::Prefix),
            (String::new(), ApiKeyFault::Prefix),
            ("pck_".to_owned(), ApiKeyFault::Length),
            ("pck_0123456789abcdef".to_owned(), ApiKeyFault::Length),
            ("pck_0123456789abcdef_".to_owned(), ApiKeyFault::Length),
            (format!("{good}0"), ApiKeyFault::Length),
            (format!("{good}00"), ApiKeyFault::Length),
            (format!("{good} "), ApiKeyFault::Length),
            (format!("{good}="), ApiKeyFault::Length),
            (good.replace("0123", "012"), ApiKeyFault::Digit),
            (good.replace('f', "F"), ApiKeyFault::Digit),
            (good.replace("a5a5", "A5a5"), ApiKeyFault::Digit),
            (good.replace("0123", "012g"), ApiKeyFault::Digit),
            (good.replace("0123", "012\0"), ApiKeyFault::Digit),
            (format!("pck_0123456789abcdef-{secret}"), ApiKeyFault::Digit),
            (format!("pck_0123456789abcdef0{secret}"), ApiKeyFault::Digit),
        ] {
            assert_eq!(ShownKey::read("pck", text.as_bytes()), Err(fault), "{text}");
        }
    }

    #[test]
    fn nothing_of_a_secret_is_printed() {
        let good = write_key("pck", ID, &[0xa5; 32]);
        let read = ShownKey::read("pck", good.as_bytes()).unwrap();
        assert_eq!(format!("{read:?}"), "ShownKey(0123456789abcdef, ..)");
        let fault = ShownKey::read("pck", &good.as_bytes()[..80]).unwrap_err();
        assert!(!fault.to_string().contains("a5"), "{fault}");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(prefix in "[a-z0-9]{2,16}", id: [u8; 8], secret: [u8; 32]) {
            let text = write_key(&prefix, ApiKeyId::new(id), &secret);
            let read = ShownKey::read(&prefix, text.as_bytes()).unwrap();
            prop_assert_eq!(read.id().bytes(), id);
            prop_assert_eq!(read.digest(), &sha256(&secret));
        }

        #[test]
        fn no_two_texts_are_one_key(text in "pck_[0-9a-f]{16}_[0-9a-f]{64}", at in 4_usize..85, other: u8) {
            let mut changed = text.clone().into_bytes();
            changed[at] = other;
            let read = ShownKey::read("pck", text.as_bytes()).unwrap();
            prop_assert_eq!(
                ShownKey::read("pck", &changed) == Ok(read),
                changed == text.as_bytes()
            );
        }
    }
}
