//! `Pool`: one worker's idle connections to the upstreams.
//!
//! Each worker has its own, so that a connection never crosses from one thread to another: the events of its socket
//! arrive where it is used.

use std::io;
use std::sync::{Mutex, PoisonError};

use tokio::net::TcpStream;
use tokio::time::Instant;

/// Idle connections that are kept for one upstream. More than there are busy clients is of no use.
const IDLE_MAX: usize = 512;

/// What an idle connection's buffer may take.
pub(crate) const IDLE_BYTES: usize = 32 * 1024;

/// A connection to an upstream, with the bytes that were read and not used yet.
#[derive(Debug)]
pub(crate) struct Upstream {
    /// The socket.
    pub(crate) stream: TcpStream,
    /// Bytes of the answer.
    pub(crate) input: Vec<u8>,
    /// Whether it carried an answer before: only then may it have been closed while it was idle.
    pub(crate) used: bool,
}

/// The idle connections, by the number of the upstream.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    idle: Mutex<Vec<Vec<Idle>>>,
}

#[derive(Debug)]
struct Idle {
    upstream: Upstream,
    since: Instant,
}

impl Pool {
    /// The connection that became idle last, if one is still good: silent and open.
    pub(crate) fn take(&self, number: usize) -> Option<Upstream> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = idle.get_mut(number)?;
        while let Some(one) = idle.pop() {
            if is_silent(&one.upstream.stream) {
                return Some(one.upstream);
            }
        }
        None
    }

    /// Keeps a connection whose answer was read whole. One with bytes left over is not kept: they belong to no request
    /// (response splitting).
    pub(crate) fn keep(&self, number: usize, mut upstream: Upstream, now: Instant) {
        if !upstream.input.is_empty() {
            return;
        }
        upstream.used = true;
        upstream.input.shrink_to(IDLE_BYTES);
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        while idle.len() <= number {
            idle.push(Vec::new());
        }
        if let Some(idle) = idle.get_mut(number)
            && idle.len() < IDLE_MAX
        {
            idle.push(Idle {
                upstream,
                since: now,
            });
        }
    }

    /// Closes what was idle since before a moment. The connections that were idle longest are at the front.
    pub(crate) fn close_idle_since(&self, before: Instant) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        for idle in idle.iter_mut() {
            let old = idle.partition_point(|one| one.since < before);
            idle.drain(..old);
        }
    }

    /// Closes all, because the upstreams are others now.
    pub(crate) fn clear(&self) {
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}

/// Whether an idle connection has said nothing. No system call is made unless the socket has an event waiting.
fn is_silent(stream: &TcpStream) -> bool {
    let mut byte = [0; 1];
    matches!(stream.try_read(&mut byte), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
}
