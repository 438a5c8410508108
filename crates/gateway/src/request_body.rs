//! The body of a request on its way in: taken off the connection piece by piece, and held where the decision needs it.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::Instant;

use portcullis_guard::canon::ClientIp;
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

/// The memory that held bodies take together, over all workers, and of that what each client's take.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: u64,
    by_client: HashMap<[u8; 17], u64>,
}

/// One client's bodies take a quarter of all at most: who sends slowly must not keep the others out.
const CLIENT_SHARE: u64 = 4;

/// A part of that memory, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    buffers: Arc<Buffers>,
    client: [u8; 17],
    bytes: u64,
}

impl Held {
    /// Nothing yet.
    fn new(buffers: &Arc<Buffers>, client: ClientIp) -> Self {
        Self {
            buffers: Arc::clone(buffers),
            client: client.bucket().to_bytes(),
            bytes: 0,
        }
    }

    /// Takes so much in all, as long as all together stay within the bound, and each client within its share.
    fn cover(&mut self, bytes: usize, bytes_max: u64) -> Result<(), Reason> {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let more = bytes.saturating_sub(self.bytes);
        if more == 0 {
            return Ok(());
        }
        let taken = &self.buffers.taken;
        let mut taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
        let of_client = taken.by_client.get(&self.client).copied().unwrap_or(0);
        let (all, of_client) = (
            taken.all.saturating_add(more),
            of_client.saturating_add(more),
        );
        // A single body may take more than the share, as far as its route admits it.
        let is_alone = of_client == more.saturating_add(self.bytes);
        if all > bytes_max || (of_client > bytes_max / CLIENT_SHARE && !is_alone) {
            return Err(Reason::BUFFERS_FULL);
        }
        taken.all = all;
        taken.by_client.insert(self.client, of_client);
        self.bytes = bytes;
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let taken = &self.buffers.taken;
        let mut taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all = taken.all.saturating_sub(self.bytes);
        if let Some(of_client) = taken.by_client.get_mut(&self.client) {
            *of_client = of_client.saturating_sub(self.bytes);
            if *of_client == 0 {
                taken.by_client.remove(&self.client);
            }
        }
    }
}

/// Reads a whole body into memory, for a decision that looks at it.
pub(crate) async fn hold(
    connection: &mut Connection<'_>,
    live: &Live,
    head: &RequestHead,
    basics: Basics,
    client: ClientIp,
    bytes_max: u64,
) -> Result<(Vec<u8>, Held), Reason> {
    let mut held = Held::new(connection.worker.buffers(), client);
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
        let piece = reader.take(&connection.scratch.input).map_err(reason_of)?;
        let data = connection.scratch.input.get(piece.data).unwrap_or_default();
        body.extend_from_slice(data);
        // What it takes, and not only what is in it.
        held.cover(body.capacity(), live.settings.buffer_max.bytes())?;
        connection.scratch.input.drain(..piece.consumed);
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
    connection.scratch.input.reserve(READ_BYTES);
    let read = connection.client.read_buf(&mut connection.scratch.input);
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
    if !head.expects_continue() || !connection.scratch.input.is_empty() {
        return Ok(());
    }
    let client = &mut connection.client;
    let said = async {
        client.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        client.flush().await
    };
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
