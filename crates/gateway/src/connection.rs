//! One client's connection: heads are read one after the other, and each is an exchange.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::Instant;

use portcullis_guard::http1::{
    HeadFault, Parsed, RequestHead, head_may_be_complete, parse_request_head,
};
use portcullis_guard::reason::Reason;

use crate::deadline::Timer;
use crate::exchange;
use crate::live::{Live, LiveView};
use crate::pool::IDLE_BYTES;
use crate::refusal::{Context, write_reason};
use crate::worker::Worker;

/// How much is read at once where nothing is known of what comes.
const READ_BYTES: usize = 8 * 1024;

/// How long, and how much, of an unread body is taken off the wire so that a refusal reaches the client before the reset
/// that closing an unread socket causes (RFC 9112 §9.6).
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES: usize = 256 * 1024;

/// A client's connection and its buffers, which are used again for each request.
pub(crate) struct Connection<'w> {
    pub(crate) worker: &'w Arc<Worker>,
    pub(crate) client: TcpStream,
    pub(crate) peer: IpAddr,
    pub(crate) timer: Timer,
    /// What was read and not used yet.
    pub(crate) input: Vec<u8>,
    /// The bytes of the head that is being answered.
    pub(crate) head: Vec<u8>,
    /// What is being written.
    pub(crate) out: Vec<u8>,
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
    client: TcpStream,
    peer: IpAddr,
) {
    let mut connection = Connection {
        worker: &worker,
        client,
        peer,
        timer: Timer::new(),
        input: Vec::new(),
        head: Vec::new(),
        out: Vec::new(),
        body_begun: false,
        body_taken: false,
    };
    loop {
        let head = match connection.read_head(live.load()).await {
            Ok(Some(head)) => head,
            Ok(None) => return,
            Err(reason) => {
                connection.refuse(reason).await;
                return;
            }
        };
        // Looked at again: a policy that came while the connection was idle holds for this request.
        let after = exchange::run(&mut connection, live.load(), &head).await;
        match after {
            After::Next => connection.shrink(),
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
                let socket = socket2::SockRef::from(&connection.client);
                drop(socket.set_linger(Some(Duration::ZERO)));
                return;
            }
        }
    }
}

impl Connection<'_> {
    /// Reads the next head. Nothing where the client has closed, or sent nothing in the time that a connection may idle.
    async fn read_head(&mut self, live: &Live) -> Result<Option<RequestHead>, Reason> {
        let settings = &live.settings;
        let begun = Instant::now();
        let mut deadline = begun + settings.idle_timeout;
        let mut seen = 0;
        // Set once the first bytes are there; most heads come whole, and need no look at the clock for it.
        let mut has_deadline = false;
        if !self.input.is_empty() {
            deadline = begun + settings.head_timeout;
            has_deadline = true;
        }
        loop {
            if !self.input.is_empty()
                && (seen == 0
                    || head_may_be_complete(&self.input, seen)
                    || self.input.len() >= live.plan.head.head_bytes_max)
            {
                match parse_request_head(&self.input, &live.plan.head) {
                    Ok(Parsed::Complete { head, len }) => {
                        self.take_head(len);
                        return Ok(Some(head));
                    }
                    Ok(Parsed::Incomplete) => {}
                    Err(fault) => return Err(reason_of(fault)),
                }
            }
            seen = self.input.len();
            if seen > 0 && !has_deadline {
                deadline = Instant::now() + settings.head_timeout;
                has_deadline = true;
            }
            self.input.reserve(READ_BYTES);
            let read = self.client.read_buf(&mut self.input);
            match self.timer.until(deadline, read).await {
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
        std::mem::swap(&mut self.input, &mut self.head);
        self.input.clear();
        let rest = self.head.get(len..).unwrap_or_default();
        self.input.extend_from_slice(rest);
        self.head.truncate(len);
        self.body_begun = false;
        self.body_taken = false;
    }

    /// Gives back what a large request took, so that idle connections hold little.
    fn shrink(&mut self) {
        self.out.clear();
        self.head.clear();
        for buffer in [&mut self.input, &mut self.head, &mut self.out] {
            if buffer.capacity() > IDLE_BYTES {
                buffer.shrink_to(IDLE_BYTES);
            }
        }
    }

    /// Writes what is in `out`.
    ///
    /// # Errors
    ///
    /// The client is gone, or takes nothing in that time.
    pub(crate) async fn write_out(&mut self, by: Instant, timeout: Duration) -> io::Result<()> {
        write_by(&mut self.timer, &mut self.client, &self.out, by, timeout).await
    }

    /// Answers what is no request, and ends the connection: where a head cannot be read, nobody knows where the next one
    /// begins.
    async fn refuse(&mut self, reason: Reason) {
        let now = self.worker.now();
        let id = self.worker.next_id();
        self.worker
            .refused_before_routing(reason, Some(id), self.peer, now);
        self.out.clear();
        let context = Context {
            id: Some(id),
            is_head: false,
            closes: true,
            date: self.worker.date(now),
        };
        write_reason(&mut self.out, reason, context);
        let deadline = Instant::now() + LINGER;
        if self
            .timer
            .until(deadline, self.client.write_all(&self.out))
            .await
            .is_ok()
        {
            self.linger().await;
        }
    }

    /// Says that no more comes.
    async fn close(&mut self) {
        // What fails here is closed already.
        drop(self.client.shutdown().await);
    }

    /// Says that no more comes, and reads for a moment what the client was sending.
    async fn linger(&mut self) {
        self.close().await;
        let deadline = Instant::now() + LINGER;
        let mut left = LINGER_BYTES;
        while left > 0 {
            self.input.clear();
            self.input.reserve(READ_BYTES);
            let read = self.client.read_buf(&mut self.input);
            match self.timer.until(deadline, read).await {
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
    socket: &mut TcpStream,
    bytes: &[u8],
    by: Instant,
    timeout: Duration,
) -> io::Result<()> {
    let taken = match socket.try_write(bytes) {
        Ok(taken) => taken,
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
        Err(error) => return Err(error),
    };
    let rest = bytes.get(taken..).unwrap_or_default();
    if rest.is_empty() {
        return Ok(());
    }
    let deadline = by.min(Instant::now() + timeout);
    timer.until(deadline, socket.write_all(rest)).await
}

/// Why a head that is none is refused.
fn reason_of(fault: HeadFault) -> Reason {
    Reason::of(fault.reason(), fault.status())
}
