//! `Chain` and `verify`: what joins the lines of events, and how it is found out that somebody touched them.

use std::fmt;
use std::io::{self, BufRead, Read as _};

use portcullis_guard::digest::sha256;
use portcullis_policy::event::{EventError, HexBytes, LINE_BYTES_MAX, LineHash, SecurityEvent};

/// Where a chain stands: what the next line must say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chain {
    pub(crate) seq: u64,
    pub(crate) prev_hash: LineHash,
}

impl Chain {
    /// Before the first line.
    pub(crate) const NEW: Self = Self {
        seq: 0,
        prev_hash: HexBytes([0; 32]),
    };

    /// After a line.
    pub(crate) fn after(seq: u64, line: &[u8]) -> Self {
        Self {
            seq: seq.saturating_add(1),
            prev_hash: HexBytes(sha256(line)),
        }
    }
}

/// Reads lines of one chain in order.
#[derive(Clone, Debug, Default)]
pub struct Verifier {
    line: u64,
    first_seq: Option<u64>,
    chain: Option<Chain>,
}

/// What was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// How many lines.
    pub lines: u64,
    /// The number of the first, if there is one. Anything but 0: what was before it was not shown.
    pub first_seq: Option<u64>,
    /// The number of the last. Lines after it may have been cut off: nothing in the file can tell.
    pub last_seq: Option<u64>,
}

/// Where a chain is broken, and how.
#[derive(Debug)]
pub struct ChainError {
    /// The line, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub fault: ChainFault,
}

/// How a chain can be broken.
#[derive(Debug)]
pub enum ChainFault {
    /// The line is no event.
    Unreadable(EventError),
    /// The line is not the next: lines were dropped, added or moved.
    OutOfOrder {
        /// The number that it should have.
        expected: u64,
        /// The number that it has.
        found: u64,
    },
    /// The line before it is not the one that it was written after: that one was changed.
    ChangedBefore,
    /// It is the first of its chain and claims that there is one before it.
    NotFirst,
    /// The file ends within it.
    CutOff,
    /// The file cannot be read.
    Io(io::Error),
}

impl fmt::Display for ChainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: ", self.line)?;
        match &self.fault {
            ChainFault::Unreadable(error) => write!(f, "{error}"),
            ChainFault::OutOfOrder { expected, found } => write!(
                f,
                "event {found} stands where event {expected} belongs: lines were dropped, added or moved"
            ),
            ChainFault::ChangedBefore => {
                f.write_str("the line before it was changed after this one was written")
            }
            ChainFault::NotFirst => f.write_str("event 0 claims that there is one before it"),
            ChainFault::CutOff => f.write_str("the file ends within the line"),
            ChainFault::Io(error) => write!(f, "cannot be read: {error}"),
        }
    }
}

impl std::error::Error for ChainError {}

impl Verifier {
    /// Checks that a line, given without its end, follows those before it. A verifier may be fed several files of one
    /// chain, the oldest first.
    ///
    /// # Errors
    ///
    /// When the chain is broken here.
    pub fn line(&mut self, line: &str) -> Result<SecurityEvent, ChainError> {
        self.line += 1;
        self.check(line).map_err(|fault| ChainError {
            line: self.line,
            fault,
        })
    }

    /// What was read so far.
    #[must_use]
    pub fn verified(&self) -> Verified {
        Verified {
            lines: self.line,
            first_seq: self.first_seq,
            last_seq: self.chain.map(|chain| chain.seq - 1),
        }
    }

    fn check(&mut self, line: &str) -> Result<SecurityEvent, ChainFault> {
        let event = SecurityEvent::parse(line).map_err(ChainFault::Unreadable)?;
        match self.chain {
            None if event.seq == 0 && event.prev_hash != Chain::NEW.prev_hash => {
                return Err(ChainFault::NotFirst);
            }
            Some(chain) if event.seq != chain.seq => {
                return Err(ChainFault::OutOfOrder {
                    expected: chain.seq,
                    found: event.seq,
                });
            }
            Some(chain) if event.prev_hash != chain.prev_hash => {
                return Err(ChainFault::ChangedBefore);
            }
            None | Some(_) => {}
        }
        self.first_seq.get_or_insert(event.seq);
        self.chain = Some(Chain::after(event.seq, line.as_bytes()));
        Ok(event)
    }
}

/// Checks all lines of one chain. Of a line no more is read than an event may have.
///
/// # Errors
///
/// The first place at which the chain is broken.
pub fn verify(mut lines: impl BufRead) -> Result<Verified, ChainError> {
    let mut verifier = Verifier::default();
    let mut bytes = Vec::new();
    let max = u64::try_from(LINE_BYTES_MAX).unwrap_or(u64::MAX);
    loop {
        bytes.clear();
        let at = verifier.line + 1;
        let fail = |fault| ChainError { line: at, fault };
        let read = lines.by_ref().take(max + 2).read_until(b'\n', &mut bytes);
        if read.map_err(|error| fail(ChainFault::Io(error)))? == 0 {
            return Ok(verifier.verified());
        }
        if bytes.pop_if(|last| *last == b'\n').is_none() && bytes.len() <= LINE_BYTES_MAX {
            return Err(fail(ChainFault::CutOff));
        }
        let line = str::from_utf8(&bytes).map_err(|error| {
            fail(ChainFault::Unreadable(EventError {
                column: error.valid_up_to() + 1,
                message: "the line is not UTF-8".to_owned(),
            }))
        })?;
        verifier.line(line)?;
    }
}
