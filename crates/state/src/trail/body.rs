//! `Body`: a record as it is kept, and its canonical bytes, over which the chain is built.
//!
//! 1. Each field is a length of four bytes, most significant first, and so many bytes; a field that is not there has the
//!    length 0xFFFF_FFFF. The order is fixed, so one record has one spelling and no two records share one.
//! 2. The hash of a record is SHA-256 of a label and these bytes. They hold the hash of the record before.

mod decode;
mod encode;

use aws_lc_rs::digest::{Context, SHA256};
use portcullis_guard::clock::Now;
use portcullis_policy::Method;
use portcullis_policy::event::{
    EventText, EventTime, EventVerdict, HexBytes, LineHash, Pseudonym, WriterId,
};

pub use decode::BodyFault;

use super::kind::TrailKind;

/// The most bytes of a record.
pub const BODY_BYTES_MAX: usize = 8 * 1024;

/// The most parameters of a path that a record names.
pub const TARGETS_MAX: usize = 8;

/// What each hash begins with, so that it is a hash of nothing else.
const HASH_LABEL: &[u8] = b"portcullis trail record 1\0";

/// Names an actor, a tenant or the value of a parameter, masked where it is about a person.
pub type Masked = EventText<160>;

/// A record in its place. Nothing in it is secret, and what comes from a client is masked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// Its place, from 1, without gaps.
    pub seq: u64,
    /// The hash of the record before it; of the first, zeros.
    pub prev_hash: LineHash,
    /// What it is about.
    pub kind: TrailKind,
    /// When, by the system's clock: milliseconds since 1970 in UTC.
    pub unix_millis: u64,
    /// When, by the clock that never goes back, in nanoseconds; of one writer alone.
    pub monotonic_nanos: u64,
    /// Which process wrote it: chosen at random when it started.
    pub writer: WriterId,
    /// Of an outcome: which intent it belongs to.
    pub intent: Option<u64>,
    /// The id that the guard gave the request.
    pub request: Option<EventText<64>>,
    /// Who did it.
    pub user: Option<Masked>,
    /// For which tenant.
    pub tenant: Option<Masked>,
    /// In which session, as a keyed hash.
    pub session: Option<Pseudonym>,
    /// From which address, as a keyed hash.
    pub client: Option<Pseudonym>,
    /// The method.
    pub method: Option<Method>,
    /// The template of the route as the policy has it.
    pub route: Option<EventText<512>>,
    /// The parameters of the path that the policy calls the object, with their values.
    pub target: Vec<(EventText<64>, Masked)>,
    /// What the guard did.
    pub verdict: Option<EventVerdict>,
    /// Why, as a stable code.
    pub reason: Option<EventText<64>>,
    /// The control or rule that decided.
    pub rule: Option<EventText<64>>,
    /// The line of the policy.
    pub line: Option<u32>,
    /// SHA-256 of the policy that was in force.
    pub policy: Option<LineHash>,
    /// The status that was answered; none where it is unknown.
    pub status: Option<u16>,
    /// More words, none of which come from a request.
    pub detail: Option<EventText<512>>,
    /// Of a checkpoint: who signed, and the signature.
    pub seal: Option<Seal>,
}

/// A signature over all that is before a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seal {
    /// The public key, Ed25519 (RFC 8032).
    pub key: HexBytes<32>,
    /// The signature.
    pub signature: HexBytes<64>,
}

impl Body {
    /// A record about nothing yet.
    pub(super) const fn new(kind: TrailKind) -> Self {
        Self {
            seq: 0,
            prev_hash: HexBytes([0; 32]),
            kind,
            unix_millis: 0,
            monotonic_nanos: 0,
            writer: HexBytes([0; 16]),
            intent: None,
            request: None,
            user: None,
            tenant: None,
            session: None,
            client: None,
            method: None,
            route: None,
            target: Vec::new(),
            verdict: None,
            reason: None,
            rule: None,
            line: None,
            policy: None,
            status: None,
            detail: None,
            seal: None,
        }
    }

    /// Says when.
    pub(super) fn is_at(&mut self, now: Now) {
        // No later moment can be written, and a checkpoint signs this one.
        self.unix_millis = EventTime::of_unix_millis(now.unix_millis).unix_millis();
        self.monotonic_nanos = now.monotonic;
    }
}

/// The hash of a record's canonical bytes.
#[must_use]
pub fn hash_of(bytes: &[u8]) -> LineHash {
    let mut context = Context::new(&SHA256);
    context.update(HASH_LABEL);
    context.update(bytes);
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    HexBytes(hash)
}

#[cfg(test)]
mod tests;
