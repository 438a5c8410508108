//! One client's connection: heads are read one after the other, and each is an exchange.

use std::future::{Future as _, poll_fn};
use std::io;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::ready;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::Instant;

use portcullis_guard::answer::{AnswerPlan, Audience};
use portcullis_guard::canon::Scheme;
use portcullis_guard::http1::{
    HeadFault, Parsed, RequestHead, head_may_be_complete, parse_request_head_into,
};
use portcullis_guard::reason::Reason;
use portcullis_guard::request::Peer;

use crate::client_stream::{ClientStream, Sink};
use crate::deadline::Timer;
use crate::exchange;
use crate::handshake::{Greeted, greet};
use crate::live::{Live, LiveView};
use crate::refusal::{Context, write_reason};
use crate::scratch::Scratch;
use crate::seen::Seen;
use crate::worker::Worker;

/// How much is read at once where nothing is known of what comes.
const READ_BYTES: usize = 8 * 1024;

/// How long, and how much, of an unread body is taken off the wire so that a refusal reaches the client before the reset
/// that closing an unread socket causes (RFC 9112 §9.6).
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES: usize = 256 * 1024;

/// A client's connection, with the buffers that it was lent for a request. While it is idle they are empty.
pub(crate) struct Connection<'w> {
    pub(crate) worker: &'w Arc<Worker>,
    pub(crate) client: ClientStream,
    pub(crate) peer: IpAddr,
    pub(crate) timer: Timer,
    pub(crate) scratch: Scratch,
    /// The exchange, where somebody watches.
    pub(crate) seen: Option<Box<Seen>>,
    /// Whether some of the body was taken off the input, so that its length says nothing of what is left.
    pub(crate) body_begun: bool,
    /// Whether the body of the request was taken off the input to its end.
    pub(crate) body_taken: bool,
}

/// What becomes of the connection after an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    /// The next request is read.
    Next,
    /// It is closed; the client has been told all.
    Close,
    /// It is closed, and something of the client's is unread.
    Linger,
    /// It is reset in the middle of an answer, as a part that ends like a whole would be taken for one.
    Reset,
}

/// Serves one connection to its end.
pub(crate) async fn serve(
    worker: Arc<Worker>,
    mut live: LiveView,
    socket: TcpStream,
    peer: IpAddr,
) {
    let mut timer = Timer::new();
    let greeted = match live.load().tls.clone() {
        None => Greeted::Client(ClientStream::Plain(socket)),
        Some(tls) => {
            let deadline = Instant::now() + live.load().settings.head_timeout;
            // Apart, so that the memory of a plain connection need not hold a handshake.
            match Box::pin(greet(socket, &tls, &mut timer, deadline)).await {
                Ok(greeted) => greeted,
                Err(_told) => {
                    worker.handshake_failed();
                    return;
                }
            }
        }
    };
    let (client, is_lost) = match greeted {
        Greeted::Client(client) => (client, false),
        Greeted::Plain(socket) => (ClientStream::Plain(socket), true),
    };
    let mut connection = Connection {
        worker: &worker,
        client,
        peer,
        timer,
        scratch: Scratch::default(),
        seen: None,
        body_begun: false,
        body_taken: false,
    };
    if is_lost {
        connection
            .refuse(Reason::TLS_EXPECTED, &live.load().plan.answer)
            .await;
        return;
    }
    loop {
        let head = match connection.read_head(live.load()).await {
            Ok(Some(head)) => head,
            Ok(None) => return,
            Err(reason) => {
                connection.refuse(reason, &live.load().plan.answer).await;
                return;
            }
        };
        // Looked at again: a policy that came while the connection was idle holds for this request.
        let after = exchange::run(&mut connection, live.load(), &head).await;
        match after {
            After::Next => {
                connection.scratch.fields = head.into_fields();
                connection.rest();
            }
            After::Close => {
                connection.close().await;
                return;
            }
            After::Linger => {
                connection.linger().await;
                return;
            }
            After::Reset => {
                // A linger of no time is a reset; where it cannot be set, the end is all that can be said.
                let socket = socket2::SockRef::from(connection.client.socket());
                drop(socket.set_linger(Some(Duration::ZERO)));
                return;
            }
        }
    }
}

impl Drop for Connection<'_> {
    fn drop(&mut self) {
        self.worker.shelf().keep(std::mem::take(&mut self.scratch));
    }
}

impl Connection<'_> {
    /// The other end, as the door sees it.
    pub(crate) const fn seen_as(&self) -> Peer {
        Peer {
            address: self.peer,
            scheme: if self.client.is_tls() {
                Scheme::Https
            } else {
                Scheme::Http
            },
        }
    }

    /// Reads the next head. Nothing where the client has closed, or sent nothing in the time that a connection may idle.
    async fn read_head(&mut self, live: &Live) -> Result<Option<RequestHead>, Reason> {
        let settings = &live.settings;
        let begun = Instant::now();
        let mut deadline = begun + settings.idle_timeout;
        let mut seen = 0;
        // Set once the first bytes are there; most heads come whole, and need no look at the clock for it.
        let mut has_deadline = false;
        if !self.scratch.input.is_empty() {
            deadline = begun + settings.head_timeout;
            has_deadline = true;
        }
        loop {
            if !self.scratch.input.is_empty()
                && (seen == 0
                    || head_may_be_complete(&self.scratch.input, seen)
                    || self.scratch.input.len() >= live.plan.head.head_bytes_max)
            {
                let fields = std::mem::take(&mut self.scratch.fields);
                match parse_request_head_into(&self.scratch.input, &live.plan.head, fields) {
                    Ok(Parsed::Complete { head, len }) => {
                        self.take_head(len);
                        return Ok(Some(head));
                    }
                    Ok(Parsed::Incomplete) => {}
                    Err(fault) => return Err(reason_of(fault)),
                }
            }
            seen = self.scratch.input.len();
            if seen > 0 && !has_deadline {
                deadline = Instant::now() + settings.head_timeout;
                has_deadline = true;
            }
            match self.read_some(deadline).await {
                Ok(0) => return Ok(None),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::TimedOut && seen > 0 => {
                    return Err(Reason::HEAD_TIMED_OUT);
                }
                Err(_gone) => return Ok(None),
            }
        }
    }

    /// Moves a head out of the input, so that what comes after it can be read while it is looked at.
    fn take_head(&mut self, len: usize) {
        std::mem::swap(&mut self.scratch.input, &mut self.scratch.head);
        self.scratch.input.clear();
        let rest = self.scratch.head.get(len..).unwrap_or_default();
        self.scratch.input.extend_from_slice(rest);
        self.scratch.head.truncate(len);
        self.body_begun = false;
        self.body_taken = false;
    }

    /// Gives the buffers back, unless something of the next request is in them.
    fn rest(&mut self) {
        if self.scratch.input.is_empty() {
            self.worker.shelf().keep(std::mem::take(&mut self.scratch));
        }
    }

    /// Reads what has arrived. Buffers are lent when there is something to read, and no sooner.
    async fn read_some(&mut self, deadline: Instant) -> io::Result<usize> {
        let Self {
            worker,
            client,
            scratch,
            timer,
            ..
        } = self;
        let read = poll_fn(|context| {
            ready!(client.poll_readable(context))?;
            if scratch.is_none() {
                *scratch = worker.shelf().lend();
            }
            scratch.input.reserve(READ_BYTES);
            pin!(client.read_buf(&mut scratch.input)).poll(context)
        });
        timer.until(deadline, read).await
    }

    /// Writes what is in `out`.
    ///
    /// # Errors
    ///
    /// The client is gone, or takes nothing in that time.
    pub(crate) async fn write_out(&mut self, by: Instant, timeout: Duration) -> io::Result<()> {
        write_by(
            &mut self.timer,
            &mut self.client,
            &self.scratch.out,
            by,
            timeout,
        )
        .await
    }

    /// Answers what is no request, and ends the connection: where a head cannot be read, nobody knows where the next one
    /// begins.
    async fn refuse(&mut self, reason: Reason, plan: &AnswerPlan) {
        let now = self.worker.now();
        let id = self.worker.next_id();
        self.worker
            .refused_before_routing(reason, Some(id), self.peer, now);
        self.scratch.out.clear();
        let context = Context {
            plan,
            audience: Audience::default(),
            id: Some(id),
            is_head: false,
            closes: true,
            date: self.worker.date(now),
        };
        write_reason(&mut self.scratch.out, reason, context);
        let deadline = Instant::now() + LINGER;
        if self.write_out(deadline, LINGER).await.is_ok() {
            self.linger().await;
        }
    }

    /// Says that no more comes. In TLS that is something to write, which a client may not take.
    async fn close(&mut self) {
        let deadline = Instant::now() + LINGER;
        // What fails here is closed already.
        drop(self.timer.until(deadline, self.client.shutdown()).await);
    }

    /// Says that no more comes, and reads for a moment what the client was sending.
    async fn linger(&mut self) {
        self.close().await;
        let deadline = Instant::now() + LINGER;
        let mut left = LINGER_BYTES;
        while left > 0 {
            self.scratch.input.clear();
            match self.read_some(deadline).await {
                Ok(0) | Err(_) => return,
                Ok(count) => left = left.saturating_sub(count),
            }
        }
    }
}

/// Writes bytes until a moment, or for so long, whichever is sooner. What the socket takes at once, as it nearly always does,
/// needs no look at the clock.
pub(crate) async fn write_by(
    timer: &mut Timer,
    sink: &mut impl Sink,
    bytes: &[u8],
    by: Instant,
    timeout: Duration,
) -> io::Result<()> {
    let taken = match sink.write_at_once(bytes) {
        Ok(taken) => taken,
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
        Err(error) => return Err(error),
    };
    let rest = bytes.get(taken..).unwrap_or_default();
    if rest.is_empty() {
        return Ok(());
    }
    let deadline = by.min(Instant::now() + timeout);
    let written = async {
        sink.write_all(rest).await?;
        // In TLS what was taken may be held back.
        sink.flush().await
    };
    timer.until(deadline, written).await
}

/// Why a head that is none is refused.
fn reason_of(fault: HeadFault) -> Reason {
    Reason::of(fault.reason(), fault.status())
}
