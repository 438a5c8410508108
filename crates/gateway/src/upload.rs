//! Upload: the body of a request on its way to an upstream, which may answer before it has all of it.

use std::io;

use tokio::io::AsyncReadExt as _;
use tokio::time::Instant;

use portcullis_guard::decision::Permit;
use portcullis_guard::http1::{HeadBounds, Parsed, RequestHead, parse_response_head};
use portcullis_guard::reason::Reason;
use portcullis_policy::Method;

use crate::connection::Connection;
use crate::deadline::Timer;
use crate::exchange::Basics;
use crate::forward::{Failure, READ_BYTES, gone};
use crate::live::Live;
use crate::pool::Upstream;
use crate::request_body::{BodyReader, reason_of, say_continue};
use crate::wire::write_piece;

/// Sends the body as it arrives. Whether all of it was sent: an upstream that answers before has heard enough.
pub(crate) async fn send_body(
    connection: &mut Connection<'_>,
    live: &Live,
    head: &RequestHead,
    basics: Basics,
    permit: &Permit<'_>,
    upstream: &mut Upstream,
    mut reader: BodyReader,
) -> Result<bool, Failure> {
    let mut size = Size::new(permit, &reader);
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
        connection.scratch.out.clear();
        let mut consumed = 0;
        while !reader.has_ended() {
            let rest = connection.scratch.input.get(consumed..).unwrap_or_default();
            let piece = reader.take(rest).map_err(reason_of)?;
            let data = rest.get(piece.data).unwrap_or_default();
            if size.is_passed_by(data.len()) {
                let worker = connection.worker;
                worker.watched(Reason::BODY_TOO_LARGE, permit, basics, worker.now());
            }
            write_piece(&mut connection.scratch.out, data, chunked);
            consumed += piece.consumed;
            if piece.consumed == 0 {
                break;
            }
        }
        connection.scratch.input.drain(..consumed);
        let ended = reader.has_ended();
        if ended {
            connection.body_taken = true;
            if chunked {
                connection.scratch.out.extend_from_slice(b"0\r\n\r\n");
            }
        }
        let out = std::mem::take(&mut connection.scratch.out);
        let answers =
            answers_while_written(&mut connection.timer, &out, upstream, expected, deadline).await;
        connection.scratch.out = out;
        if answers? {
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

/// How much has come of chunks whose bound is only watched: nobody can know before whether they will be over it. Of a length the
/// decision has already said so.
struct Size {
    left: Option<u64>,
}

impl Size {
    fn new(permit: &Permit<'_>, reader: &BodyReader) -> Self {
        let bound = permit.route().body_max;
        let is_watched = matches!(reader, BodyReader::Chunked(_)) && permit.body_max() > bound;
        Self {
            left: is_watched.then_some(bound),
        }
    }

    /// Whether it is with these bytes that the bound is passed; once of a body.
    fn is_passed_by(&mut self, bytes: usize) -> bool {
        let Some(left) = self.left else {
            return false;
        };
        self.left = left.checked_sub(u64::try_from(bytes).unwrap_or(u64::MAX));
        self.left.is_none()
    }
}

/// Sends a body that was read for the decision. Whether all of it was sent.
pub(crate) async fn send_held(
    connection: &mut Connection<'_>,
    live: &Live,
    basics: Basics,
    upstream: &mut Upstream,
    body: &[u8],
) -> Result<bool, Failure> {
    let deadline = basics
        .deadline
        .min(Instant::now() + live.settings.write_timeout);
    let expected = Expected {
        bounds: &live.plan.head,
        method: basics.method,
    };
    let timer = &mut connection.timer;
    let answers = answers_while_written(timer, body, upstream, expected, deadline).await?;
    Ok(!answers)
}

/// Writes bytes to the upstream, unless it answers before.
async fn answers_while_written(
    timer: &mut Timer,
    bytes: &[u8],
    upstream: &mut Upstream,
    expected: Expected<'_>,
    deadline: Instant,
) -> Result<bool, Failure> {
    let mut at = 0;
    while at < bytes.len() {
        if hears(upstream, expected) {
            return Ok(true);
        }
        let rest = bytes.get(at..).unwrap_or_default();
        let ready = upstream
            .stream
            .ready(tokio::io::Interest::READABLE | tokio::io::Interest::WRITABLE);
        timer
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
        connection.scratch.input.reserve(READ_BYTES);
        let (client, input) = (&mut connection.client, &mut connection.scratch.input);
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
