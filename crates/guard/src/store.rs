//! `Store`: the atomic operations that a phase may ask for. Every adapter passes the same conformance and fault suite.
//!
//! A phase asks for all it needs in one batch, and is answered in one reply. Each ask is atomic by itself; only
//! [`Ask::Limits`] and [`Ask::Commit`] hold several things together, all or nothing. There is no operation that reads
//! and leaves it to the caller to write: what must happen once is one ask.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use smallvec::SmallVec;

use crate::clock::{Nanos, Now};
use crate::limit::{LimitRule, LimitState};

/// What must be true of a write when it is acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Durability {
    /// It may be lost at a restart. For what then costs a refusal and nothing else (live CSRF tokens).
    Volatile,
    /// It is written out from time to time, and nobody waits for that: what came last may be lost (limits of long windows,
    /// when a session was used last).
    Snapshot,
    /// It is on the disk (fsync, in groups). For what must never come back or be used twice (revocations, tombstones
    /// of sessions, webhook ids, used codes).
    Durable,
}

/// What a key is of. Adapters write it before the key, so that two spaces never share an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Space {
    /// One-time CSRF tokens.
    Csrf,
    /// Sessions and their tombstones.
    Session,
    /// Token ids that are revoked.
    Revocation,
    /// Ids of webhooks that were seen.
    Webhook,
    /// Nonces and confirmation codes.
    Nonce,
    /// API keys, the lists of them, and when they were used.
    ApiKey,
}

impl Space {
    /// Every space.
    pub const ALL: &'static [Self] = &[
        Self::Csrf,
        Self::Session,
        Self::Revocation,
        Self::Webhook,
        Self::Nonce,
        Self::ApiKey,
    ];

    /// The word for it in an adapter's keys.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Csrf => "csrf",
            Self::Session => "session",
            Self::Revocation => "revocation",
            Self::Webhook => "webhook",
            Self::Nonce => "nonce",
            Self::ApiKey => "api_key",
        }
    }
}

/// The key of one entry. Secrets are hashed before they become one.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// What it is of.
    pub space: Space,
    /// Its bytes.
    pub bytes: SmallVec<[u8; 48]>,
}

/// All bytes at once: what is derived goes byte by byte, and each request clones several.
impl Clone for Key {
    fn clone(&self) -> Self {
        Self::new(self.space, &self.bytes)
    }
}

impl Key {
    /// A key of some bytes.
    #[must_use]
    pub fn new(space: Space, bytes: &[u8]) -> Self {
        Self {
            space,
            bytes: SmallVec::from_slice(bytes),
        }
    }
}

/// The value of an entry.
pub type Value = SmallVec<[u8; 48]>;

/// The bytes that a bucket counts for: an address, a user, a header's value, in the fewest bytes that tell them apart.
pub type BucketValue = SmallVec<[u8; 24]>;

/// What a bucket is one of: namespace, limit, its parameters, what it counts by. Made once, when a policy is loaded.
///
/// The name and the parameters are in it and the policy is not, so that a reload resets nothing and a changed limit
/// begins anew.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Scope {
    text: Box<str>,
    digest: [u8; 16],
}

impl Scope {
    /// A scope of its text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self {
            text: text.into(),
            digest: fnv1a(text.as_bytes()).to_be_bytes(),
        }
    }

    /// The text, which adapters write before a bucket's value.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The text in 16 bytes, for adapters that name a bucket by a hash: the same in every run. It tells the scopes of a policy
    /// apart, and is nothing to tell a client's bytes apart by.
    #[must_use]
    pub const fn digest(&self) -> &[u8; 16] {
        &self.digest
    }
}

/// FNV-1a of 128 bits (draft-eastlake-fnv). Its input is the policy's own text, which nobody chooses against it.
fn fnv1a(text: &[u8]) -> u128 {
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    text.iter().fold(OFFSET, |hash, byte| {
        (hash ^ u128::from(*byte)).wrapping_mul(PRIME)
    })
}

/// One bucket that a request counts in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitAsk<'s> {
    /// What it is one of.
    pub scope: &'s Scope,
    /// Whose it is.
    pub value: BucketValue,
    /// Where it is counted when the store holds as many buckets as it may: each coarser than the one before. The last
    /// resort of every store is one bucket for the whole scope, so that overflow is never a free pass.
    pub coarser: SmallVec<[BucketValue; 2]>,
    /// How it counts.
    pub rule: LimitRule,
    /// How much the request counts.
    pub cost: u32,
    /// How it is kept.
    pub durability: Durability,
}

/// The buckets of one ask. Most requests count in one; a batch is moved about, and must not be large for their sake.
pub type LimitAsks<'s> = SmallVec<[LimitAsk<'s>; 1]>;

/// What a store is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask<'s> {
    /// Counts a request in several buckets: in all, if all of them admit it, else in none.
    Limits(LimitAsks<'s>),
    /// Gives back what a request counted at `at` in buckets that count failures only, as it turned out to be none.
    Release {
        /// The buckets.
        limits: LimitAsks<'s>,
        /// The monotonic moment at which they were counted.
        at: Nanos,
    },
    /// Writes an entry if there is none.
    PutIfAbsent {
        /// Which.
        key: Key,
        /// What.
        value: Value,
        /// How long it lives.
        lives: Nanos,
        /// How it is kept.
        durability: Durability,
    },
    /// Reads an entry and deletes it: of two takers, one has it.
    Take {
        /// Which.
        key: Key,
        /// How the deletion is kept.
        durability: Durability,
    },
    /// Reads an entry.
    Get {
        /// Which.
        key: Key,
    },
    /// Writes an entry if it is as it was read.
    CompareAndSet {
        /// Which.
        key: Key,
        /// What it must be; nothing for "not there".
        expected: Option<Value>,
        /// What it becomes.
        value: Value,
        /// How long it lives from now.
        lives: Nanos,
        /// How it is kept.
        durability: Durability,
    },
    /// Puts an entry on a deny list. Of two ends the later one holds: a revocation is never shortened.
    RevokeUntil {
        /// Which.
        key: Key,
        /// Until when, in milliseconds since 1970-01-01T00:00:00Z.
        until_unix_millis: u64,
        /// How it is kept.
        durability: Durability,
    },
    /// Writes an entry, whatever was there, and counts it in a ring: so many entries of one owner live at most, and the
    /// newest of them. Where as many live, the oldest is deleted first; one that was taken or is over takes no place.
    ///
    /// A ring shares no name with an entry: it can only be written to. All entries of a ring are written through it.
    PutInRing {
        /// The ring.
        ring: Key,
        /// Which. One that is in the ring already becomes its newest.
        key: Key,
        /// What.
        value: Value,
        /// How long it lives.
        lives: Nanos,
        /// How many live at most. Zero is counted as one.
        at_most: usize,
        /// How it is kept, and the deletion of the oldest with it.
        durability: Durability,
    },
    /// Does all effects if all conditions hold, else none.
    Commit {
        /// What must hold.
        conditions: Vec<Condition>,
        /// What is done.
        effects: Vec<Effect>,
        /// How it is kept.
        durability: Durability,
    },
}

/// What must hold for a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// The entry is there.
    Exists(Key),
    /// The entry is not there.
    Absent(Key),
    /// The entry is there with this value.
    Equals(Key, Value),
}

/// What a commit does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Deletes an entry, if it is there.
    Delete(Key),
    /// Writes an entry, whatever was there.
    Put {
        /// Which.
        key: Key,
        /// What.
        value: Value,
        /// How long it lives.
        lives: Nanos,
    },
}

/// The states of the buckets of one ask.
pub type LimitStates = SmallVec<[LimitState; 2]>;

/// What a store answers to one ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// To [`Ask::Limits`]: the state of each bucket, in the order of the ask. Admitted are they all or none.
    Limits(LimitStates),
    /// To [`Ask::Release`], [`Ask::RevokeUntil`] and [`Ask::PutInRing`].
    Done,
    /// To [`Ask::PutIfAbsent`]: whether it was written.
    Put(bool),
    /// To [`Ask::Take`] and [`Ask::Get`].
    Found(Option<Value>),
    /// To [`Ask::CompareAndSet`]: whether it was written.
    Set(bool),
    /// To [`Ask::Commit`]: whether it was done, or the first condition that did not hold.
    Committed(Result<(), usize>),
}

/// Why a store gave no answer. It becomes a refusal, and nothing else.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// No connection, or it broke.
    #[error("the store cannot be reached: {0}")]
    Unreachable(String),
    /// No answer in the time a decision may take.
    #[error("the store did not answer in time")]
    TimedOut,
    /// It holds as much as it may, and what is asked cannot be counted coarser.
    #[error("the store is full")]
    Full,
    /// It cannot keep what it is asked to keep: the disk is full, read-only or broken.
    #[error("the store cannot write: {0}")]
    Unwritable(String),
    /// It answered what was not asked.
    #[error("the store answered something else than was asked: {0}")]
    Confused(String),
    /// It does not keep things this well.
    #[error("the store cannot keep anything as {0:?}")]
    NotKept(Durability),
}

impl StoreError {
    /// What is wrong, in fixed words for what is written down. What an adapter says besides may name an address or hold a
    /// credential (GO-2026-5465).
    #[must_use]
    pub const fn class(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "the store cannot be reached",
            Self::TimedOut => "the store did not answer in time",
            Self::Full => "the store is full",
            Self::Unwritable(_) => "the store cannot write",
            Self::Confused(_) => "the store answered something else than was asked",
            Self::NotKept(_) => "the store does not keep things as well as is asked",
        }
    }
}

/// The answers to one batch, in its order.
pub type Answers = SmallVec<[Answer; 1]>;

/// What a batch holds.
pub type Batch<'s> = SmallVec<[Ask<'s>; 1]>;

/// An answer that is there at once, or one to wait for. A store in memory costs no allocation.
pub enum Reply<'a> {
    /// It is there.
    Ready(Result<Answers, StoreError>),
    /// It comes.
    Pending(Pin<Box<dyn Future<Output = Result<Answers, StoreError>> + Send + 'a>>),
}

impl fmt::Debug for Reply<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready(answer) => f.debug_tuple("Ready").field(answer).finish(),
            Self::Pending(_) => f.write_str("Pending"),
        }
    }
}

impl Reply<'_> {
    /// The answer, when it has come.
    ///
    /// # Errors
    ///
    /// What the store says.
    pub async fn wait(self) -> Result<Answers, StoreError> {
        match self {
            Reply::Ready(answer) => answer,
            Reply::Pending(future) => future.await,
        }
    }
}

/// Shared state behind the controls. Not one of its operations can be made of two others.
pub trait Store: fmt::Debug + Send + Sync {
    /// Answers a batch: as many answers as asks, in their order, or an error for all of it. After an error nobody knows
    /// which asks were done; each is written so that this costs a refusal at most.
    fn ask<'a>(&'a self, batch: &'a [Ask<'_>], now: Now) -> Reply<'a>;

    /// Whether the reply to this batch will be [`Reply::Ready`], as of a store in memory: then nobody prepares for a wait. A
    /// store that says so and has one wait is refused like one that fails.
    fn answers_at_once(&self, _batch: &[Ask<'_>]) -> bool {
        false
    }

    /// The best class in which it can keep entries. What needs a better one is refused with [`StoreError::NotKept`], never
    /// kept worse; so is a limit of a better class than the store can keep limits in.
    fn keeps(&self) -> Durability;
}
