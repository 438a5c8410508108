//! `SecurityEvent`: what the guard writes and `watch` reads, one JSON object to a line.
//!
//! Nothing in an event is secret or chosen freely by a client: no header's value, no query, no raw path. Who the client
//! is and who the user is are keyed hashes, so that events of one can be joined without saying who it is.

mod field;
mod kind;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use field::{EventText, EventTime, HexBytes};
pub use kind::{EventKind, EventLevel, EventVerdict};

use crate::malformed::harmless_up_to;
use crate::{Malformed, Method};

/// The longest line that is read, in bytes without its end.
pub const LINE_BYTES_MAX: usize = 64 * 1024;

/// SHA-256 of a line's bytes without its end.
pub type LineHash = HexBytes<32>;

/// Which process wrote a line: chosen at random when it starts.
pub type WriterId = HexBytes<16>;

/// A client or a user, as a keyed hash.
pub type Pseudonym = HexBytes<16>;

/// One event, version 1. The fields are written in this order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecurityEvent {
    /// Which form this is.
    pub schema: EventSchema,
    /// When it happened.
    pub time: EventTime,
    /// Its place in the chain, from 0. The writer gives it.
    pub seq: u64,
    /// The hash of the line before it; of the first, zeros. The writer gives it.
    pub prev_hash: LineHash,
    /// Who wrote it. The writer gives it.
    pub writer: WriterId,
    /// What happened.
    pub kind: EventKind,
    /// How much it matters.
    pub level: EventLevel,
    /// What the guard did.
    pub verdict: EventVerdict,
    /// Why, as a stable code.
    pub reason: EventText<64>,
    /// The status that was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The method, where it is one we know.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "field::optional_word"
    )]
    pub method: Option<Method>,
    /// The template of the route that was matched, as the policy has it; never the path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<EventText<512>>,
    /// The id that the guard gave the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<EventText<128>>,
    /// Whose request it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<EventClient>,
    /// Who was signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<Pseudonym>,
    /// The host, as the policy has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<EventText<255>>,
    /// How many of the same this stands for.
    pub count: u64,
    /// How many events before this one could not be written, as the queue was full.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub dropped: u64,
    /// SHA-256 of the policy that was in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_digest: Option<LineHash>,
    /// More words, none of which come from a request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<EventText<512>>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl SecurityEvent {
    /// An event of what must be known of each; the other fields are set by name.
    #[must_use]
    pub fn new(
        time: EventTime,
        kind: EventKind,
        level: EventLevel,
        verdict: EventVerdict,
        reason: &'static str,
    ) -> Self {
        Self {
            schema: EventSchema,
            time,
            seq: 0,
            prev_hash: HexBytes([0; 32]),
            writer: HexBytes([0; 16]),
            kind,
            level,
            verdict,
            reason: EventText::new(reason),
            status: None,
            method: None,
            route: None,
            request_id: None,
            client: None,
            user: None,
            host: None,
            count: 1,
            dropped: 0,
            policy_digest: None,
            detail: None,
        }
    }

    /// Its line, without an end.
    ///
    /// # Errors
    ///
    /// None that is known: every field can be written. The caller counts it as a failed write.
    pub fn to_line(&self) -> Result<String, EventError> {
        serde_json::to_string(self).map_err(|error| unwritten(&error))
    }

    /// The same, at the end of what is given.
    ///
    /// # Errors
    ///
    /// As [`to_line`](Self::to_line); then a part of the line may stand there.
    pub fn write_line(&self, out: &mut Vec<u8>) -> Result<(), EventError> {
        serde_json::to_writer(out, self).map_err(|error| unwritten(&error))
    }

    /// Reads a line, given without its end.
    ///
    /// # Errors
    ///
    /// A line that is too long, is no JSON object, has a field that is unknown, missing, doubled or malformed, or is of
    /// another version.
    pub fn parse(line: &str) -> Result<Self, EventError> {
        if line.len() > LINE_BYTES_MAX {
            return Err(EventError {
                column: LINE_BYTES_MAX,
                message: format!("a line of an event has at most {LINE_BYTES_MAX} bytes"),
            });
        }
        if let Some(column) = line.find(['\n', '\r']) {
            return Err(EventError {
                column: column + 1,
                message: "an event is one line".to_owned(),
            });
        }
        serde_json::from_str(line).map_err(|error| EventError {
            column: error.column(),
            message: without_place(&error),
        })
    }
}

fn unwritten(error: &serde_json::Error) -> EventError {
    EventError {
        column: 0,
        message: error.to_string(),
    }
}

/// The longest message about a line, in characters.
const MESSAGE_CHARS_MAX: usize = 512;

/// What serde_json says, without the place that we say ourselves. It repeats what it does not know as it is meant, line
/// feeds and all (CVE-2024-45808).
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    harmless_up_to(
        text.strip_suffix(&place).unwrap_or(&text),
        MESSAGE_CHARS_MAX,
    )
}

/// Why a line is no event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventError {
    /// The byte in the line, from 1; 0 where it is the whole line.
    pub column: usize,
    /// What is wrong: lower case, no full stop.
    pub message: String,
}

impl fmt::Display for EventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column {}: {}", self.column, self.message)
    }
}

impl std::error::Error for EventError {}

/// The version of the form, which is written in each line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventSchema;

impl EventSchema {
    /// How it is written.
    pub const NAME: &'static str = "portcullis.event/1";
}

impl Serialize for EventSchema {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(Self::NAME)
    }
}

impl<'de> Deserialize<'de> for EventSchema {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match String::deserialize(from)?.as_str() {
            Self::NAME => Ok(Self),
            _ => Err(D::Error::custom(format!(
                "this is no event of version `{}`: read it with the version of portcullis that wrote it",
                Self::NAME
            ))),
        }
    }
}

/// Whose request it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventClient {
    /// Of this client.
    One(Pseudonym),
    /// Of more clients than events could be kept apart for.
    Many,
}

impl fmt::Display for EventClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(client) => client.fmt(f),
            Self::Many => f.write_str("many"),
        }
    }
}

impl FromStr for EventClient {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "many" => Ok(Self::Many),
            _ => text.parse().map(Self::One),
        }
    }
}

impl Serialize for EventClient {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EventClient {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        field::word(from)
    }
}
