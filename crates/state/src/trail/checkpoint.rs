//! `Checkpoint`: a signature over the trail up to a record, and the line of it that is kept in a second place.
//!
//! A chain finds what was changed inside it, and not what was cut off at its end, nor a chain that was written anew. A
//! checkpoint in a place that the writer of the database cannot change finds both.

use std::fmt;

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use portcullis_policy::event::{EventTime, HexBytes, LineHash};
use serde::{Deserialize, Serialize};

use super::body::Seal;
use super::key::SigningKey;

/// The longest line that is read, in bytes without its end.
pub const CHECKPOINT_BYTES_MAX: usize = 1_024;

/// What each signed statement begins with, so that a signature is one of nothing else.
const LABEL: &[u8] = b"portcullis trail checkpoint 1\0";

/// The trail up to and with the record `seq`, signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// Which form this is.
    pub schema: CheckpointSchema,
    /// The last record that it covers.
    pub seq: u64,
    /// The hash of that record, and so of all before it.
    pub hash: LineHash,
    /// When it was signed.
    pub time: EventTime,
    /// The public key, Ed25519 (RFC 8032).
    pub key: HexBytes<32>,
    /// The signature.
    pub signature: HexBytes<64>,
}

impl Checkpoint {
    /// Signs.
    pub(super) fn sign(key: &SigningKey, seq: u64, hash: LineHash, time: EventTime) -> Self {
        Self {
            schema: CheckpointSchema,
            seq,
            hash,
            time,
            key: key.public(),
            signature: key.sign(&statement(seq, hash, time)),
        }
    }

    /// The checkpoint that a record of the trail holds; `seq` and `hash` are of the record before it.
    pub(super) const fn of_seal(seal: Seal, seq: u64, hash: LineHash, time: EventTime) -> Self {
        Self {
            schema: CheckpointSchema,
            seq,
            hash,
            time,
            key: seal.key,
            signature: seal.signature,
        }
    }

    /// What the record of it holds.
    pub(super) const fn seal(&self) -> Seal {
        Seal {
            key: self.key,
            signature: self.signature,
        }
    }

    /// Whether the key that it names made the signature.
    #[must_use]
    pub fn is_signed(&self) -> bool {
        let key = UnparsedPublicKey::new(&ED25519, self.key.0);
        let statement = statement(self.seq, self.hash, self.time);
        key.verify(&statement, &self.signature.0).is_ok()
    }

    /// Its line, without an end.
    ///
    /// # Errors
    ///
    /// None that is known: every field can be written.
    pub fn to_line(&self) -> Result<String, CheckpointError> {
        serde_json::to_string(self).map_err(|error| CheckpointError(error.to_string()))
    }

    /// Reads a line, given without its end.
    ///
    /// # Errors
    ///
    /// A line that is too long, is no JSON object, or has a field that is unknown, missing, doubled or malformed.
    pub fn parse(line: &str) -> Result<Self, CheckpointError> {
        if line.len() > CHECKPOINT_BYTES_MAX {
            let message =
                format!("a line of a checkpoint has at most {CHECKPOINT_BYTES_MAX} bytes");
            return Err(CheckpointError(message));
        }
        // The message of the reader of JSON may repeat what stands there, and its control characters with it.
        serde_json::from_str(line).map_err(|error| {
            CheckpointError(format!(
                "it is no checkpoint, see column {}",
                error.column()
            ))
        })
    }
}

/// Numbers have eight bytes, and the hash 32: no two statements share their bytes.
fn statement(seq: u64, hash: LineHash, time: EventTime) -> Vec<u8> {
    let mut bytes = LABEL.to_vec();
    bytes.extend_from_slice(&seq.to_be_bytes());
    bytes.extend_from_slice(&hash.0);
    bytes.extend_from_slice(&time.unix_millis().to_be_bytes());
    bytes
}

/// Why a line is no checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckpointError(String);

impl fmt::Display for CheckpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for CheckpointError {}

/// The version of the form, which is written in each line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CheckpointSchema;

const SCHEMA: &str = "portcullis.checkpoint/1";

impl Serialize for CheckpointSchema {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(SCHEMA)
    }
}

impl<'de> Deserialize<'de> for CheckpointSchema {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match String::deserialize(from)?.as_str() {
            SCHEMA => Ok(Self),
            _ => Err(serde::de::Error::custom("another form")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed() -> Checkpoint {
        let key = SigningKey::of_seed(&[9; 32]).unwrap();
        let time = EventTime::of_unix_millis(1_800_000_000_000);
        Checkpoint::sign(&key, 17, HexBytes([3; 32]), time)
    }

    #[test]
    fn a_line_is_read_as_it_was_written() {
        let line = signed().to_line().unwrap();
        assert_eq!(Checkpoint::parse(&line), Ok(signed()));
        assert!(signed().is_signed());
    }

    #[test]
    fn nothing_in_it_can_be_changed() {
        let key = SigningKey::of_seed(&[8; 32]).unwrap().public();
        let (mut seq, mut hash, mut time, mut other) = (signed(), signed(), signed(), signed());
        seq.seq += 1;
        hash.hash.0[0] ^= 1;
        time.time = EventTime::of_unix_millis(1_800_000_000_001);
        other.key = key;
        for changed in [seq, hash, time, other] {
            assert!(!changed.is_signed(), "{changed:?}");
        }
    }

    #[test]
    fn what_is_no_checkpoint_is_refused_in_one_harmless_line() {
        let line = signed().to_line().unwrap();
        for wrong in [
            String::new(),
            "{}".to_owned(),
            line.replace("/1", "/2"),
            line.replace("\"seq\":17", "\"seq\":-1"),
            line.replace("\"seq\":17", "\"seq\":17,\"seq\":17"),
            line.replace("\"seq\":17", "\"seq\":17,\"\\n\\u001b\":1"),
            format!("{line} x"),
            "x".repeat(CHECKPOINT_BYTES_MAX + 1),
        ] {
            let error = Checkpoint::parse(&wrong).unwrap_err().to_string();
            assert!(
                !error.is_empty() && !error.contains(char::is_control),
                "{error}"
            );
        }
    }
}
