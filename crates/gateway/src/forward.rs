//! Forwarding: the one way from a permit to an upstream, and from its answer to the client.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::Instant;

use portcullis_guard::decision::Permit;
use portcullis_guard::http1::{
    ChunkDecoder, Framing, HeadBounds, Parsed, RequestHead, ResponseFraming, ResponseHead,
    parse_response_head,
};
use portcullis_guard::reason::Reason;
use portcullis_policy::Method;

use crate::connection::{After, Connection};
use crate::exchange::Basics;
use crate::live::Live;
use crate::pool::Upstream;
use crate::refusal::write_limits;
use crate::request_body::{BodyReader, reason_of, say_continue};
use crate::wire::{Outward, write_chunk_size, write_response_head};

/// How much is read at once of an answer.
const READ_BYTES: usize = 16 * 1024;

/// What of the request is still to be sent after what is in `out`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outgoing {
    /// Whether the request may be sent again: its method changes nothing (RFC 9110 §9.2.1).
    pub(crate) is_safe: bool,
    /// The body that is still to be read and sent.
    pub(crate) body: Framing,
}

/// How an exchange with an upstream ended well.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Done {
    /// The status that the client got.
    pub(crate) status: u16,
    /// What becomes of the client's connection.
    pub(crate) after: After,
}

/// How it ended otherwise.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Failure {
    /// The client has got nothing yet and can be told.
    Unanswered(Reason),
    /// The answer had begun, or the client is gone: the connection is closed in the middle, so that nobody takes a part
    /// for the whole.
    Broken(Reason),
}

impl From<Reason> for Failure {
    fn from(reason: Reason) -> Self {
        Self::Unanswered(reason)
    }
}

/// Sends what is in `out` and the rest of the body, and relays the answer.
pub(crate) async fn run(
    connection: &mut Connection<'_>,
    live: &Live,
    head: &RequestHead,
    basics: Basics,
    permit: &Permit<'_>,
    mut outgoing: Outgoing,
) -> Result<Done, Failure> {
    append_small_body(connection, &mut outgoing);
    let bodyless = matches!(outgoing.body, Framing::None | Framing::Length(0));
    let may_repeat = outgoing.is_safe && bodyless;
    let mut reuse = true;
    loop {
        let (number, mut upstream) = connect(connection, live, basics, reuse).await?;
        let asked = ask(
            connection,
            live,
            head,
            basics,
            permit,
            outgoing,
            &mut upstream,
        )
        .await;
        match asked {
            Ok(answer) => {
                return relay(connection, live, basics, permit, number, upstream, answer).await;
            }
            // An idle connection may have been closed while the request was on its way: then the upstream has seen
            // nothing of it, and one that changes nothing is sent again on a new connection. Once, and no other.
            Err(Failed {
                failure: Failure::Unanswered(Reason::UPSTREAM_CLOSED),
                silent: true,
            }) if may_repeat && upstream.used => reuse = false,
            Err(failed) => return Err(failed.failure),
        }
    }
}

/// A body that has already arrived whole goes out with the head, in one write.
fn append_small_body(connection: &mut Connection<'_>, outgoing: &mut Outgoing) {
    if let Framing::Length(length) = outgoing.body
        && let Ok(length) = usize::try_from(length)
        && let Some(body) = connection.input.get(..length)
    {
        connection.out.extend_from_slice(body);
        connection.input.drain(..length);
        connection.body_taken = true;
        outgoing.body = Framing::None;
    }
}

/// A connection to an instance whose turn it is: an idle one, or a new one.
async fn connect(
    connection: &mut Connection<'_>,
    live: &Live,
    basics: Basics,
    reuse: bool,
) -> Result<(usize, Upstream), Failure> {
    for (number, instance) in live.upstreams.candidates() {
        if reuse
            && let Some(pool) = connection.worker.pool(live)
            && let Some(idle) = pool.take(number)
        {
            return Ok((number, idle));
        }
        let deadline = Instant::now() + live.settings.connect_timeout;
        let opened = instance.open();
        let opened = connection
            .timer
            .until(deadline.min(basics.deadline), opened)
            .await;
        match opened {
            Ok(stream) => {
                return Ok((
                    number,
                    Upstream {
                        stream,
                        input: Vec::new(),
                        used: false,
                    },
                ));
            }
            Err(error) => connection.worker.connect_failed(live, instance, &error),
        }
    }
    Err(Reason::UPSTREAM_UNREACHABLE.into())
}

/// A failure, and whether the upstream had said nothing.
struct Failed {
    failure: Failure,
    silent: bool,
}

impl From<Failure> for Failed {
    fn from(failure: Failure) -> Self {
        Self {
            failure,
            silent: false,
        }
    }
}

/// The answer's head, where its body begins in the input, and whether the whole request was sent before it came.
struct Answer {
    head: ResponseHead,
    len: usize,
    request_sent: bool,
}

/// Sends the request and reads the head of the answer.
async fn ask(
    connection: &mut Connection<'_>,
    live: &Live,
    head: &RequestHead,
    basics: Basics,
    permit: &Permit<'_>,
    outgoing: Outgoing,
    upstream: &mut Upstream,
) -> Result<Answer, Failed> {
    let write_by = basics
        .deadline
        .min(Instant::now() + live.settings.write_timeout);
    let written = upstream.stream.write_all(&connection.out);
    if let Err(error) = connection.timer.until(write_by, written).await {
        return Err(gone(&error, upstream.input.is_empty()));
    }
    let request_sent = match outgoing.body {
        Framing::None | Framing::Length(0) => true,
        framing => {
            let reader = BodyReader::new(framing, permit.body_max());
            send_body(connection, live, head, basics, upstream, reader).await?
        }
    };
    let wait = permit
        .route()
        .response_timeout
        .unwrap_or(live.settings.response_timeout);
    let deadline = basics.deadline.min(Instant::now() + wait);
    let (head, len) = read_head(connection, &live.plan.head, basics, upstream, deadline).await?;
    Ok(Answer {
        head,
        len,
        request_sent,
    })
}

/// Why an upstream is gone. Silent is one that has said nothing of an answer.
fn gone(error: &io::Error, silent: bool) -> Failed {
    let reason = if error.kind() == io::ErrorKind::TimedOut {
        Reason::UPSTREAM_TIMED_OUT
    } else {
        Reason::UPSTREAM_CLOSED
    };
    Failed {
        failure: reason.into(),
        silent,
    }
}

/// Reads the head of the answer, past the interim ones (RFC 9110 §15.2), which are for nobody behind the guard.
async fn read_head(
    connection: &mut Connection<'_>,
    bounds: &HeadBounds,
    basics: Basics,
    upstream: &mut Upstream,
    deadline: Instant,
) -> Result<(ResponseHead, usize), Failed> {
    loop {
        if !upstream.input.is_empty() {
            match parse_response_head(&upstream.input, bounds, basics.method) {
                Ok(Parsed::Complete { head, len }) if head.is_interim() => {
                    upstream.input.drain(..len);
                    continue;
                }
                Ok(Parsed::Complete { head, len }) => return Ok((head, len)),
                Ok(Parsed::Incomplete) => {}
                Err(fault) => {
                    connection.worker.upstream_malformed(fault);
                    return Err(Failure::from(Reason::UPSTREAM_MALFORMED).into());
                }
            }
        }
        let silent = upstream.input.is_empty();
        upstream.input.reserve(READ_BYTES);
        let read = upstream.stream.read_buf(&mut upstream.input);
        match connection.timer.until(deadline, read).await {
            Ok(0) => return Err(gone(&io::ErrorKind::UnexpectedEof.into(), silent)),
            Ok(_) => {}
            Err(error) => return Err(gone(&error, silent)),
        }
    }
}

/// Sends the body as it arrives. Whether all of it was sent: an upstream that answers before has heard enough.
async fn send_body(
    connection: &mut Connection<'_>,
    live: &Live,
    head: &RequestHead,
    basics: Basics,
    upstream: &mut Upstream,
    mut reader: BodyReader,
) -> Result<bool, Failure> {
    let deadline = basics
        .deadline
        .min(Instant::now() + live.settings.body_timeout);
    say_continue(connection, head, deadline)
        .await
        .map_err(Failure::Broken)?;
    let chunked = matches!(reader, BodyReader::Chunked(_));
    let expected = Expected {
        bounds: &live.plan.head,
        method: basics.method,
    };
    connection.body_begun = true;
    loop {
        connection.out.clear();
        let mut consumed = 0;
        while !reader.has_ended() {
            let rest = connection.input.get(consumed..).unwrap_or_default();
            let piece = reader.take(rest).map_err(reason_of)?;
            let data = rest.get(piece.data).unwrap_or_default();
            write_piece(&mut connection.out, data, chunked);
            consumed += piece.consumed;
            if piece.consumed == 0 {
                break;
            }
        }
        connection.input.drain(..consumed);
        let ended = reader.has_ended();
        if ended {
            connection.body_taken = true;
            if chunked {
                connection.out.extend_from_slice(b"0\r\n\r\n");
            }
        }
        if !connection.out.is_empty()
            && answers_while_written(connection, upstream, expected, deadline).await?
        {
            return Ok(false);
        }
        if ended {
            return Ok(true);
        }
        if answers_while_read(connection, upstream, expected, deadline).await? {
            return Ok(false);
        }
    }
}

/// Data of a body, as a chunk where chunks are spoken.
fn write_piece(out: &mut Vec<u8>, data: &[u8], chunked: bool) {
    if data.is_empty() {
        return;
    }
    if chunked {
        write_chunk_size(out, data.len());
        out.extend_from_slice(data);
        out.extend_from_slice(b"\r\n");
    } else {
        out.extend_from_slice(data);
    }
}

/// Writes `out` to the upstream, unless it answers before.
async fn answers_while_written(
    connection: &mut Connection<'_>,
    upstream: &mut Upstream,
    expected: Expected<'_>,
    deadline: Instant,
) -> Result<bool, Failure> {
    let mut at = 0;
    while at < connection.out.len() {
        if hears(upstream, expected) {
            return Ok(true);
        }
        let rest = connection.out.get(at..).unwrap_or_default();
        let ready = upstream
            .stream
            .ready(tokio::io::Interest::READABLE | tokio::io::Interest::WRITABLE);
        connection
            .timer
            .until(deadline, ready)
            .await
            .map_err(|error| gone(&error, true).failure)?;
        match upstream.stream.try_write(rest) {
            Ok(count) => at += count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            // It may have answered and closed: then the answer is in the socket, and who reads it will see.
            Err(_closed) => return Ok(true),
        }
    }
    Ok(false)
}

/// Reads more of the body, unless the upstream answers before.
async fn answers_while_read(
    connection: &mut Connection<'_>,
    upstream: &mut Upstream,
    expected: Expected<'_>,
    deadline: Instant,
) -> Result<bool, Failure> {
    loop {
        connection.input.reserve(READ_BYTES);
        let (client, input) = (&mut connection.client, &mut connection.input);
        let either = async {
            tokio::select! {
                biased;
                heard = upstream.stream.readable() => heard.map(|()| None),
                read = client.read_buf(input) => read.map(Some),
            }
        };
        match connection.timer.until(deadline, either).await {
            Ok(None) => {
                if hears(upstream, expected) {
                    return Ok(true);
                }
            }
            Ok(Some(0)) => return Err(Failure::Broken(Reason::BODY_INCOMPLETE)),
            Ok(Some(_)) => return Ok(false),
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                return Err(Reason::BODY_INCOMPLETE.into());
            }
            Err(_gone) => return Err(Failure::Broken(Reason::BODY_INCOMPLETE)),
        }
    }
}

/// What an answer is read by.
#[derive(Clone, Copy)]
struct Expected<'l> {
    bounds: &'l HeadBounds,
    method: Method,
}

/// Whether the upstream answers, says goodbye or is no more understood, without waiting for it. Interim answers are none:
/// whoever sends one still wants the body.
fn hears(upstream: &mut Upstream, expected: Expected<'_>) -> bool {
    upstream.input.reserve(READ_BYTES);
    match upstream.stream.try_read_buf(&mut upstream.input) {
        Ok(0) => return true,
        Ok(_) => {}
        Err(error) => return error.kind() != io::ErrorKind::WouldBlock,
    }
    loop {
        match parse_response_head(&upstream.input, expected.bounds, expected.method) {
            Ok(Parsed::Complete { head, len }) if head.is_interim() => {
                upstream.input.drain(..len);
            }
            Ok(Parsed::Incomplete) => return false,
            Ok(Parsed::Complete { .. }) | Err(_) => return true,
        }
    }
}

/// Writes the answer to the client, and keeps the upstream's connection if it is as good as new.
async fn relay(
    connection: &mut Connection<'_>,
    live: &Live,
    basics: Basics,
    permit: &Permit<'_>,
    number: usize,
    mut upstream: Upstream,
    answer: Answer,
) -> Result<Done, Failure> {
    let Answer {
        head,
        len,
        request_sent,
    } = answer;
    let outward = Outward::of(head.framing(), basics.knows_chunks);
    let closes = !basics.keep_alive
        || !request_sent
        || outward == Outward::UntilClose
        || connection.worker.is_draining();
    connection.out.clear();
    write_response_head(
        &mut connection.out,
        &head,
        &upstream.input,
        outward,
        basics.id,
        closes,
    );
    write_limits(&mut connection.out, permit.limits());
    connection.out.extend_from_slice(b"\r\n");
    upstream.input.drain(..len);
    let write_timeout = live.settings.write_timeout;
    relay_body(
        connection,
        &mut upstream,
        &head,
        outward,
        basics,
        write_timeout,
    )
    .await?;
    if head.keep_alive()
        && request_sent
        && let Some(pool) = connection.worker.pool(live)
    {
        pool.keep(number, upstream, Instant::now());
    }
    let after = match (closes, request_sent) {
        (false, _) => After::Next,
        (true, true) => After::Close,
        (true, false) => After::Linger,
    };
    Ok(Done {
        status: head.status(),
        after,
    })
}

/// Writes what is in `out` and the body.
async fn relay_body(
    connection: &mut Connection<'_>,
    upstream: &mut Upstream,
    head: &ResponseHead,
    outward: Outward,
    basics: Basics,
    write_timeout: Duration,
) -> Result<(), Failure> {
    let mut inward = Inward::of(head.framing());
    let mut has_begun = false;
    loop {
        let consumed = inward
            .take(&upstream.input, &mut connection.out, outward)
            .map_err(|reason| match has_begun {
                true => Failure::Broken(reason),
                false => Failure::Unanswered(reason),
            })?;
        upstream.input.drain(..consumed);
        if inward.has_ended() && outward == Outward::Chunked {
            connection.out.extend_from_slice(b"0\r\n\r\n");
        }
        let deadline = basics.deadline.min(Instant::now() + write_timeout);
        connection
            .write_out(deadline)
            .await
            .map_err(|_gone| Failure::Broken(Reason::CLIENT_GONE))?;
        has_begun = true;
        if inward.has_ended() {
            return Ok(());
        }
        connection.out.clear();
        upstream.input.reserve(READ_BYTES);
        let read = upstream.stream.read_buf(&mut upstream.input);
        match connection.timer.until(basics.deadline, read).await {
            Ok(0) if inward.ends_with_connection() => inward = Inward::Ended,
            Ok(0) => return Err(Failure::Broken(Reason::UPSTREAM_CLOSED)),
            Ok(_) => {}
            Err(error) => {
                let Failed { failure, .. } = gone(&error, false);
                let (Failure::Unanswered(reason) | Failure::Broken(reason)) = failure;
                return Err(Failure::Broken(reason));
            }
        }
    }
}

/// Where in the body of an answer the reader is.
#[derive(Debug)]
enum Inward {
    Ended,
    Length(u64),
    Chunked(ChunkDecoder),
    UntilClose,
}

impl Inward {
    const fn of(framing: ResponseFraming) -> Self {
        match framing {
            ResponseFraming::None | ResponseFraming::Length(0) => Self::Ended,
            ResponseFraming::Length(length) => Self::Length(length),
            ResponseFraming::Chunked => Self::Chunked(ChunkDecoder::new(u64::MAX)),
            ResponseFraming::UntilClose => Self::UntilClose,
        }
    }

    const fn has_ended(&self) -> bool {
        matches!(self, Self::Ended)
    }

    const fn ends_with_connection(&self) -> bool {
        matches!(self, Self::UntilClose)
    }

    /// Writes what the input has of the body, and says how much of the input that was.
    fn take(&mut self, input: &[u8], out: &mut Vec<u8>, outward: Outward) -> Result<usize, Reason> {
        let chunked = outward == Outward::Chunked;
        match self {
            Self::Ended => Ok(0),
            Self::UntilClose => {
                write_piece(out, input, chunked);
                Ok(input.len())
            }
            Self::Length(left) => {
                let here = u64::try_from(input.len()).unwrap_or(u64::MAX).min(*left);
                let count = usize::try_from(here).unwrap_or_default();
                write_piece(out, input.get(..count).unwrap_or_default(), chunked);
                *left -= here;
                if *left == 0 {
                    *self = Self::Ended;
                }
                Ok(count)
            }
            Self::Chunked(decoder) => {
                let mut consumed = 0;
                loop {
                    let rest = input.get(consumed..).unwrap_or_default();
                    let step = decoder
                        .feed(rest)
                        .map_err(|_fault| Reason::UPSTREAM_MALFORMED)?;
                    write_piece(out, rest.get(step.data).unwrap_or_default(), chunked);
                    consumed += step.consumed;
                    if step.done {
                        *self = Self::Ended;
                        return Ok(consumed);
                    }
                    if step.consumed == 0 {
                        return Ok(consumed);
                    }
                }
            }
        }
    }
}
