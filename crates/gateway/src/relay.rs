//! Relay: the answer of an upstream on its way to the client.

use std::io;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::time::{Instant, sleep};

use portcullis_guard::answer::Caching;
use portcullis_guard::decision::Permit;
use portcullis_guard::http1::{ChunkDecoder, ResponseFraming, ResponseHead};
use portcullis_guard::reason::Reason;

use crate::client_stream::ClientStream;
use crate::connection::{After, Connection};
use crate::exchange::Basics;
use crate::forward::{Answer, Done, Failure, READ_BYTES};
use crate::live::Live;
use crate::pool::Upstream;
use crate::refusal::write_limits;
use crate::sessions;
use crate::wire::{Outward, Told, write_piece, write_response_head};

/// Writes the answer to the client, and keeps the upstream's connection if it is as good as new.
pub(crate) async fn relay(
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
    let lines = if sessions::are_known(live) {
        let worker = connection.worker;
        let of_answer = sessions::of_answer(worker, live, basics, permit, &head, &upstream.input);
        // On the heap, so that a connection without sessions has no room for it.
        let lines = Box::pin(of_answer).await;
        lines.map_err(|(reason, why)| Failure::Refused(reason, why))?
    } else {
        Vec::new()
    };
    connection.scratch.out.clear();
    let told = Told {
        plan: &live.plan.answer,
        audience: basics.audience,
        // What is for one browser alone is in no cache, whatever the application says.
        caching: if lines.is_empty() {
            permit.route().caching
        } else {
            Caching::Private
        },
        framing: outward,
        id: basics.id,
        closes,
    };
    let out = &mut connection.scratch.out;
    if let Err(fault) = write_response_head(out, &head, &upstream.input, told) {
        connection.worker.upstream_malformed(fault);
        return Err(Failure::Unanswered(Reason::UPSTREAM_MALFORMED));
    }
    write_limits(&mut connection.scratch.out, permit.limits());
    connection.scratch.out.extend_from_slice(&lines);
    connection.scratch.out.extend_from_slice(b"\r\n");
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
    if is_delimited(head.framing())
        && head.keep_alive()
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

/// How long an upstream may still be silent after the client has closed its side. Whether it listens cannot be told from
/// that: most have gone, a few have sent their last request and wait for the answer.
const HALF_CLOSED: Duration = Duration::from_secs(5);

/// Whether the answer itself says where it ends. One to HEAD, and a 204 or 304, ends by a rule that some applications do
/// not keep: what they write after it would be the answer to somebody's next request, so their connection is not used again.
const fn is_delimited(framing: ResponseFraming) -> bool {
    matches!(
        framing,
        ResponseFraming::Length(_) | ResponseFraming::Chunked
    )
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
            .take(&upstream.input, &mut connection.scratch.out, outward)
            .map_err(|reason| match has_begun {
                true => Failure::Broken(reason),
                false => Failure::Unanswered(reason),
            })?;
        upstream.input.drain(..consumed);
        if inward.has_ended() && outward == Outward::Chunked {
            connection.scratch.out.extend_from_slice(b"0\r\n\r\n");
        }
        connection
            .write_out(basics.deadline, write_timeout)
            .await
            .map_err(|_gone| Failure::Broken(Reason::CLIENT_GONE))?;
        has_begun = true;
        if inward.has_ended() {
            return Ok(());
        }
        connection.scratch.out.clear();
        let read = match hear(connection, upstream, basics.deadline).await {
            Ok(Next::ClientGone) => return Err(Failure::Broken(Reason::CLIENT_GONE)),
            Ok(Next::Read(read)) => read,
            Err(late) => Err(late),
        };
        match read {
            Ok(0) if inward.ends_with_connection() => inward = Inward::Ended,
            Ok(0) => return Err(Failure::Broken(Reason::UPSTREAM_CLOSED)),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                return Err(Failure::Broken(Reason::UPSTREAM_TIMED_OUT));
            }
            Err(_closed) => return Err(Failure::Broken(Reason::UPSTREAM_CLOSED)),
        }
    }
}

/// What came next.
enum Next {
    /// So many bytes of the answer; none at its end.
    Read(io::Result<usize>),
    /// The client has gone.
    ClientGone,
}

/// Reads what the upstream says next, as long as the client is there to hear it: a stream that is silent would hold the
/// client's place, and the application's work, for nobody. Before an answer has begun nobody looks: a client that asks and
/// goes, again and again, would have more work done at once than it may have connections.
async fn hear(
    connection: &mut Connection<'_>,
    upstream: &mut Upstream,
    deadline: Instant,
) -> io::Result<Next> {
    upstream.input.reserve(READ_BYTES);
    let (client, input) = (&mut connection.client, &mut connection.scratch.input);
    let heard = async {
        tokio::select! {
            biased;
            read = upstream.stream.read_buf(&mut upstream.input) => Ok(Next::Read(read)),
            () = leaves(client, input) => Ok(Next::ClientGone),
        }
    };
    connection.timer.until(deadline, heard).await
}

/// Ends when the client has closed its side for a while, or broken the connection. What it sends meanwhile is its next
/// request, and is kept up to a bound.
async fn leaves(client: &mut ClientStream, input: &mut Vec<u8>) {
    while input.len() < READ_BYTES {
        match client.read_buf(input).await {
            // It may have said all that it has to say, and still listen.
            Ok(0) => return sleep(HALF_CLOSED).await,
            Ok(_) => {}
            Err(_closed) => return,
        }
    }
    std::future::pending().await
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
