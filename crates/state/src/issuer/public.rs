//! `PublicJwk`: the public half of a signing key, as a key set has it.

use std::collections::BTreeMap;

use portcullis_guard::base64url;
use portcullis_guard::digest::sha256;
use portcullis_policy::SigningAlgorithm;
use serde_json::{Value, json};

/// The members of a key that make it this key (RFC 7638 §3.2), and no other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicJwk {
    algorithm: SigningAlgorithm,
    /// In the order of their names, which is that of the thumbprint.
    members: BTreeMap<String, String>,
}

impl PublicJwk {
    /// A point of Ed25519 (RFC 8037 §2).
    pub(super) fn ed25519(point: &[u8]) -> Self {
        Self::of(
            SigningAlgorithm::EdDsa,
            [
                ("kty", "OKP".to_owned()),
                ("crv", "Ed25519".to_owned()),
                ("x", base64url::text(point)),
            ],
        )
    }

    /// An uncompressed point of P-256 (SEC 1 §2.3.3).
    pub(super) fn p256(point: &[u8]) -> Option<Self> {
        let coordinates: &[u8; 64] = point.strip_prefix(&[4])?.try_into().ok()?;
        let (x, y) = coordinates.split_at(32);
        Some(Self::of(
            SigningAlgorithm::Es256,
            [
                ("kty", "EC".to_owned()),
                ("crv", "P-256".to_owned()),
                ("x", base64url::text(x)),
                ("y", base64url::text(y)),
            ],
        ))
    }

    /// A modulus and an exponent, big-endian without leading zeros.
    pub(super) fn rsa(modulus: &[u8], exponent: &[u8]) -> Self {
        Self::of(
            SigningAlgorithm::Rs256,
            [
                ("kty", "RSA".to_owned()),
                ("n", base64url::text(modulus)),
                ("e", base64url::text(exponent)),
            ],
        )
    }

    fn of<const COUNT: usize>(
        algorithm: SigningAlgorithm,
        members: [(&str, String); COUNT],
    ) -> Self {
        let members = members.map(|(name, value)| (name.to_owned(), value));
        Self {
            algorithm,
            members: members.into(),
        }
    }

    /// The members as they were written, if they are those of a key for this algorithm. Whether the key is a good one, a
    /// [`KeySet`](portcullis_guard::token::KeySet) says.
    pub(super) fn read(
        algorithm: SigningAlgorithm,
        members: BTreeMap<String, String>,
    ) -> Option<Self> {
        let (fixed, names): (&[(&str, &str)], &[&str]) = match algorithm {
            SigningAlgorithm::EdDsa => {
                (&[("crv", "Ed25519"), ("kty", "OKP")], &["crv", "kty", "x"])
            }
            SigningAlgorithm::Es256 => (
                &[("crv", "P-256"), ("kty", "EC")],
                &["crv", "kty", "x", "y"],
            ),
            SigningAlgorithm::Rs256 => (&[("kty", "RSA")], &["e", "kty", "n"]),
        };
        let is_written =
            |(name, value): &(&str, &str)| members.get(*name).map(String::as_str) == Some(*value);
        let is_one = fixed.iter().all(is_written)
            && members.keys().map(String::as_str).eq(names.iter().copied());
        is_one.then_some(Self { algorithm, members })
    }

    /// What it is for.
    #[must_use]
    pub const fn algorithm(&self) -> SigningAlgorithm {
        self.algorithm
    }

    pub(super) const fn members(&self) -> &BTreeMap<String, String> {
        &self.members
    }

    /// Its thumbprint (RFC 7638 §3, with SHA-256), in base64url: its `kid`.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        let text = json!(self.members).to_string();
        base64url::text(&sha256(text.as_bytes()))
    }

    /// As a set has it (RFC 7517 §4).
    #[must_use]
    pub fn in_set(&self) -> Value {
        let mut key = json!(self.members);
        if let Value::Object(members) = &mut key {
            members.insert("kid".to_owned(), self.thumbprint().into());
            members.insert("alg".to_owned(), self.algorithm.as_str().into());
            members.insert("use".to_owned(), "sig".into());
        }
        key
    }

    /// How many bits its modulus has, where it has one.
    #[must_use]
    pub fn rsa_bits(&self) -> Option<usize> {
        let modulus = base64url::read(self.members.get("n")?.as_bytes())?;
        let first = modulus.first()?;
        Some(modulus.len() * 8 - usize::try_from(first.leading_zeros()).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 7638 §3.1 and RFC 8037 A.3.
    #[test]
    fn thumbprints_are_those_of_the_standards() {
        let rsa = PublicJwk::read(
            SigningAlgorithm::Rs256,
            [
                ("kty", "RSA"),
                ("n", "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"),
                ("e", "AQAB"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        )
        .unwrap();
        assert_eq!(
            rsa.thumbprint(),
            "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
        );
        assert_eq!(rsa.rsa_bits(), Some(2_048));
        let x = base64url::read(b"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").unwrap();
        assert_eq!(
            PublicJwk::ed25519(&x).thumbprint(),
            "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
        );
    }

    #[test]
    fn a_key_has_its_members_and_no_other() {
        let members = |list: &[(&str, &str)]| -> BTreeMap<String, String> {
            let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            list.iter().map(owned).collect()
        };
        let good = [("kty", "OKP"), ("crv", "Ed25519"), ("x", "AA")];
        let read = |list: &[(&str, &str)], algorithm| PublicJwk::read(algorithm, members(list));
        assert!(read(&good, SigningAlgorithm::EdDsa).is_some());
        assert!(read(&good, SigningAlgorithm::Es256).is_none());
        assert!(read(&good[1..], SigningAlgorithm::EdDsa).is_none());
        let more = [good.as_slice(), &[("d", "AA")]].concat();
        assert!(read(&more, SigningAlgorithm::EdDsa).is_none());
        let other = [("kty", "OKP"), ("crv", "X25519"), ("x", "AA")];
        assert!(read(&other, SigningAlgorithm::EdDsa).is_none());
    }
}
