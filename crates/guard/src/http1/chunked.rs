//! `ChunkDecoder`: a chunked body taken apart as it arrives, without copying, and without what two readers could read
//! differently: no extensions, no trailer fields, no bare line feeds.

use std::fmt;
use std::ops::Range;

use crate::codes::codes;

/// The most digits of a chunk's size; as many as 64 bits need.
const SIZE_DIGITS_MAX: u8 = 16;

/// Why a chunked body is refused. The connection is closed after each of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChunkFault {
    /// No size, a byte that is no hexadecimal digit (an extension begins with one), or over 16 digits.
    Size,
    /// A line that does not end with a carriage return and a line feed.
    LineEnd,
    /// Data that goes on where its chunk ends.
    DataEnd,
    /// A field after the last chunk.
    Trailer,
    /// More data than the bound.
    TooLarge,
}

codes!(ChunkFault, {
    Size => "chunk_size_malformed",
    LineEnd => "chunk_line_end_malformed",
    DataEnd => "chunk_data_end_malformed",
    Trailer => "chunk_trailer_refused",
    TooLarge => "body_too_large",
}, []);

impl ChunkFault {
    /// The status of the refusal of a request: 413 where it is too large, else 400. Of a response: 502.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::TooLarge => 413,
            Self::Size | Self::LineEnd | Self::DataEnd | Self::Trailer => 400,
        }
    }
}

impl fmt::Display for ChunkFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}

impl std::error::Error for ChunkFault {}

/// What one call of [`ChunkDecoder::feed`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChunkStep {
    /// How many bytes of the input are done with. The next call gets what comes after them.
    pub consumed: usize,
    /// Which of them are data of the body; may be empty.
    pub data: Range<usize>,
    /// Whether the body has ended. What comes after `consumed` belongs to the next message.
    pub done: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// In the size, with this many digits so far.
    Size(u8),
    /// The line feed after the size.
    SizeEnd,
    /// In the data.
    Data,
    /// The carriage return after the data.
    DataReturn,
    /// The line feed after the data.
    DataFeed,
    /// The carriage return of the empty line after the last chunk.
    LastReturn,
    /// The line feed of it.
    LastFeed,
    Done,
    Failed(ChunkFault),
}

/// Takes one chunked body apart.
#[derive(Clone, Debug)]
pub struct ChunkDecoder {
    state: State,
    /// Bytes of this chunk that are to come, or its size as far as it was read.
    remaining: u64,
    /// Data bytes that may still come.
    allowed: u64,
}

impl ChunkDecoder {
    /// A decoder for one body of at most `bytes_max` bytes of data.
    #[must_use]
    pub const fn new(bytes_max: u64) -> Self {
        Self {
            state: State::Size(0),
            remaining: 0,
            allowed: bytes_max,
        }
    }

    /// Whether the body has ended.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Reads on, up to the end of one piece of data, of the body or of the input.
    ///
    /// # Errors
    ///
    /// The first byte that does not belong there, or a chunk that would pass the bound, which is refused with its size
    /// and before its data. After an error every call gives the same error.
    pub fn feed(&mut self, input: &[u8]) -> Result<ChunkStep, ChunkFault> {
        let mut at = 0;
        loop {
            if self.state == State::Data {
                let data = at..at + self.take(input.len() - at);
                if self.remaining == 0 {
                    self.state = State::DataReturn;
                }
                if !data.is_empty() || data.end == input.len() {
                    return Ok(self.step(data));
                }
            }
            if self.state == State::Done {
                return Ok(self.step(at..at));
            }
            let Some(byte) = input.get(at) else {
                return Ok(self.step(at..at));
            };
            match self.next(*byte) {
                Ok(state) => self.state = state,
                Err(fault) => {
                    self.state = State::Failed(fault);
                    return Err(fault);
                }
            }
            at += 1;
        }
    }

    fn step(&self, data: Range<usize>) -> ChunkStep {
        ChunkStep {
            consumed: data.end,
            data,
            done: self.state == State::Done,
        }
    }

    /// Takes as much data as there is and as belongs to the chunk.
    fn take(&mut self, available: usize) -> usize {
        // What does not fit into the machine's word is more than is available.
        let wanted = usize::try_from(self.remaining).unwrap_or(usize::MAX);
        let taken = wanted.min(available);
        self.remaining = self
            .remaining
            .saturating_sub(u64::try_from(taken).unwrap_or(u64::MAX));
        taken
    }

    /// The state after a byte outside the data.
    fn next(&mut self, byte: u8) -> Result<State, ChunkFault> {
        match (self.state, byte) {
            (State::Size(1..), b'\r') => Ok(State::SizeEnd),
            (State::Size(0..SIZE_DIGITS_MAX), _) => self.digit(byte),
            (State::Size(_), _) => Err(ChunkFault::Size),
            (State::SizeEnd, b'\n') => self.size_known(),
            (State::DataReturn, b'\r') => Ok(State::DataFeed),
            (State::DataFeed, b'\n') => Ok(State::Size(0)),
            (State::LastReturn, b'\r') => Ok(State::LastFeed),
            (State::LastFeed, b'\n') => Ok(State::Done),
            (State::SizeEnd | State::DataFeed | State::LastFeed, _) => Err(ChunkFault::LineEnd),
            (State::LastReturn, b'\n') => Err(ChunkFault::LineEnd),
            (State::LastReturn, _) => Err(ChunkFault::Trailer),
            (State::DataReturn, _) => Err(ChunkFault::DataEnd),
            (State::Failed(fault), _) => Err(fault),
            (state @ (State::Data | State::Done), _) => Ok(state),
        }
    }

    fn digit(&mut self, byte: u8) -> Result<State, ChunkFault> {
        let State::Size(digits) = self.state else {
            return Err(ChunkFault::Size);
        };
        let value = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            b'A'..=b'F' => byte - b'A' + 10,
            b'\n' if digits > 0 => return Err(ChunkFault::LineEnd),
            _ => return Err(ChunkFault::Size),
        };
        // Sixteen digits fill 64 bits and no more.
        self.remaining = (self.remaining << 4) | u64::from(value);
        Ok(State::Size(digits + 1))
    }

    fn size_known(&mut self) -> Result<State, ChunkFault> {
        if self.remaining == 0 {
            return Ok(State::LastReturn);
        }
        self.allowed = self
            .allowed
            .checked_sub(self.remaining)
            .ok_or(ChunkFault::TooLarge)?;
        Ok(State::Data)
    }
}
