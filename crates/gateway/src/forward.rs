//! Forwarding: the one way from a permit to an upstream, and from its answer to the client.

use std::io;

use tokio::io::AsyncReadExt as _;
use tokio::time::Instant;

use portcullis_guard::decision::Permit;
use portcullis_guard::http1::{
    Framing, HeadBounds, Parsed, RequestHead, ResponseHead, parse_response_head,
};
use portcullis_guard::principal::Principal;
use portcullis_guard::reason::Reason;

use crate::connection::{After, Connection, write_by};
use crate::exchange::Basics;
use crate::live::Live;
use crate::pool::Upstream;
use crate::relay::relay;
use crate::request_body::BodyReader;
use crate::upload::{send_body, send_held};

/// How much is read at once of an answer.
pub(crate) const READ_BYTES: usize = 16 * 1024;

/// What of the request is still to be sent after what is in `out`.
#[derive(Debug)]
pub(crate) struct Outgoing {
    /// Whether the request may be sent again: its method changes nothing (RFC 9110 §9.2.1).
    pub(crate) is_safe: bool,
    /// The body that is still to be read and sent.
    pub(crate) body: Framing,
    /// The body that was read for the decision, where it is still to be sent.
    pub(crate) held: Option<Vec<u8>>,
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
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    /// The client has got nothing yet and can be told.
    Unanswered(Reason),
    /// The same, with what is said of it inside.
    Refused(Reason, String),
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
    if matches!(permit.principal(), Some(Principal::Token(_))) {
        // To decide took as long as to forward, and to wake the upstream costs more than either. So the other connections that have
        // something to read are decided first, and then all requests are sent one right after the other, with one waking for many.
        tokio::task::yield_now().await;
    }
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
            &outgoing,
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
        && let Some(body) = connection.scratch.input.get(..length)
    {
        connection.scratch.out.extend_from_slice(body);
        connection.scratch.input.drain(..length);
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
pub(crate) struct Failed {
    pub(crate) failure: Failure,
    pub(crate) silent: bool,
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
pub(crate) struct Answer {
    pub(crate) head: ResponseHead,
    pub(crate) len: usize,
    pub(crate) request_sent: bool,
}

/// Sends the request and reads the head of the answer.
async fn ask(
    connection: &mut Connection<'_>,
    live: &Live,
    head: &RequestHead,
    basics: Basics,
    permit: &Permit<'_>,
    outgoing: &Outgoing,
    upstream: &mut Upstream,
) -> Result<Answer, Failed> {
    let written = write_by(
        &mut connection.timer,
        &mut upstream.stream,
        &connection.scratch.out,
        basics.deadline,
        live.settings.write_timeout,
    );
    if let Err(error) = written.await {
        return Err(gone(&error, upstream.input.is_empty()));
    }
    let request_sent = match (&outgoing.held, outgoing.body) {
        (Some(body), _) => send_held(connection, live, basics, upstream, body).await?,
        (None, Framing::None | Framing::Length(0)) => true,
        (None, framing) => {
            let reader = BodyReader::new(framing, permit.body_max());
            send_body(connection, live, head, basics, permit, upstream, reader).await?
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
pub(crate) fn gone(error: &io::Error, silent: bool) -> Failed {
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
    // Whether it was silent so far: one that sent an interim answer has seen the request.
    let mut silent = upstream.input.is_empty();
    loop {
        if !upstream.input.is_empty() {
            silent = false;
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
        upstream.input.reserve(READ_BYTES);
        let read = upstream.stream.read_buf(&mut upstream.input);
        match connection.timer.until(deadline, read).await {
            Ok(0) => return Err(gone(&io::ErrorKind::UnexpectedEof.into(), silent)),
            Ok(_) => {}
            Err(error) => return Err(gone(&error, silent)),
        }
    }
}
