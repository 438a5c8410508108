//! The body of a request on its way in: taken off the connection piece by piece, and held where the decision needs it.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::Instant;

use portcullis_guard::http1::{ChunkDecoder, ChunkFault, Framing, RequestHead};
use portcullis_guard::reason::Reason;

use crate::connection::Connection;
use crate::exchange::Basics;
use crate::live::Live;

/// How much is read at once.
const READ_BYTES: usize = 16 * 1024;

/// How much of a length that a client claims is believed before it arrives.
const BELIEVED_BYTES: usize = 64 * 1024;

/// Where in a body the reader is.
#[derive(Debug)]
pub(crate) enum BodyReader {
    /// So many bytes are to come.
    Length(u64),
    /// Chunks are to come.
    Chunked(ChunkDecoder),
    /// It has ended.
    Ended,
}

/// What a look at the input found.
#[derive(Debug)]
pub(crate) struct Piece {
    /// Which bytes of the input are of the body; may be none.
    pub(crate) data: Range<usize>,
    /// How many bytes of the input are done with, once `data` is used.
    pub(crate) consumed: usize,
}

impl BodyReader {
    /// A reader at the beginning. Chunks of more than `bytes_max` in all are refused; a length was judged before.
    pub(crate) const fn new(framing: Framing, bytes_max: u64) -> Self {
        match framing {
            Framing::None | Framing::Length(0) => Self::Ended,
            Framing::Length(length) => Self::Length(length),
            Framing::Chunked => Self::Chunked(ChunkDecoder::new(bytes_max)),
        }
    }

    /// Whether the body has ended.
    pub(crate) const fn has_ended(&self) -> bool {
        matches!(self, Self::Ended)
    }

    /// Takes what the input begins with.
    pub(crate) fn take(&mut self, input: &[u8]) -> Result<Piece, ChunkFault> {
        match self {
            Self::Ended => Ok(Piece {
                data: 0..0,
                consumed: 0,
            }),
            Self::Length(left) => {
                let here = u64::try_from(input.len()).unwrap_or(u64::MAX).min(*left);
                *left -= here;
                if *left == 0 {
                    *self = Self::Ended;
                }
                let count = usize::try_from(here).unwrap_or_default();
                Ok(Piece {
                    data: 0..count,
                    consumed: count,
                })
            }
            Self::Chunked(decoder) => {
                let step = decoder.feed(input)?;
                if step.done {
                    *self = Self::Ended;
                }
                Ok(Piece {
                    data: step.data,
                    consumed: step.consumed,
                })
            }
        }
    }
}

/// The memory that held bodies take together, over all workers.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    bytes: AtomicU64,
}

/// A part of that memory, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    buffers: Arc<Buffers>,
    bytes: u64,
}

impl Held {
    /// Nothing yet.
    fn new(buffers: &Arc<Buffers>) -> Self {
        Self {
            buffers: Arc::clone(buffers),
            bytes: 0,
        }
    }

    /// Takes more, as long as all together stay within the bound.
    fn grow(&mut self, more: usize, bytes_max: u64) -> Result<(), Reason> {
        let more = u64::try_from(more).unwrap_or(u64::MAX);
        let before = self.buffers.bytes.fetch_add(more, Ordering::Relaxed);
        self.bytes = self.bytes.saturating_add(more);
        if before.saturating_add(more) > bytes_max {
            return Err(Reason::BUFFERS_FULL);
        }
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.buffers.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Reads a whole body into memory, for a decision that looks at it.
pub(crate) async fn hold(
    connection: &mut Connection<'_>,
    live: &Live,
    head: &RequestHead,
    basics: Basics,
    bytes_max: u64,
) -> Result<(Vec<u8>, Held), Reason> {
    let mut held = Held::new(connection.worker.buffers());
    let mut reader = BodyReader::new(head.framing(), bytes_max);
    let claimed = match head.framing() {
        Framing::Length(length) => usize::try_from(length).unwrap_or(usize::MAX),
        Framing::Chunked | Framing::None => 0,
    };
    let mut body = Vec::with_capacity(claimed.min(BELIEVED_BYTES));
    let deadline = basics
        .deadline
        .min(Instant::now() + live.settings.body_timeout);
    say_continue(connection, head, deadline).await?;
    connection.body_begun = true;
    loop {
        let piece = reader.take(&connection.input).map_err(reason_of)?;
        let data = connection.input.get(piece.data).unwrap_or_default();
        held.grow(data.len(), live.settings.buffer_max.bytes())?;
        body.extend_from_slice(data);
        connection.input.drain(..piece.consumed);
        if reader.has_ended() {
            connection.body_taken = true;
            return Ok((body, held));
        }
        if piece.consumed == 0 {
            read_more(connection, deadline).await?;
        }
    }
}

/// Reads what the client sends next.
async fn read_more(connection: &mut Connection<'_>, deadline: Instant) -> Result<(), Reason> {
    connection.input.reserve(READ_BYTES);
    let read = connection.client.read_buf(&mut connection.input);
    match connection.timer.until(deadline, read).await {
        Ok(count) if count > 0 => Ok(()),
        Ok(_) | Err(_) => Err(Reason::BODY_INCOMPLETE),
    }
}

/// Tells a client that waits for it to go on (RFC 9110 §10.1.1). Only asked for where the body is wanted, so it is never
/// said before a refusal.
pub(crate) async fn say_continue(
    connection: &mut Connection<'_>,
    head: &RequestHead,
    deadline: Instant,
) -> Result<(), Reason> {
    if !head.expects_continue() || !connection.input.is_empty() {
        return Ok(());
    }
    let said = connection
        .client
        .write_all(b"HTTP/1.1 100 Continue\r\n\r\n");
    let said = connection.timer.until(deadline, said).await;
    said.map_err(|_gone| Reason::BODY_INCOMPLETE)
}

/// Why a body that is none is refused.
pub(crate) fn reason_of(fault: ChunkFault) -> Reason {
    match fault {
        ChunkFault::TooLarge => Reason::BODY_TOO_LARGE,
        ChunkFault::Size | ChunkFault::LineEnd | ChunkFault::DataEnd | ChunkFault::Trailer => {
            Reason::of(fault.reason(), fault.status())
        }
    }
}
