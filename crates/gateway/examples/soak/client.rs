//! A client: sends the mix, one request after the other, and judges every answer.

use std::io::{self, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::answer::{Answer, more};
use crate::mix::{Kind, MIX};
use crate::now;
use crate::tally::Tally;

/// An answer that takes longer is none.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connection to the guard.
struct Connection {
    stream: TcpStream,
    input: Vec<u8>,
}

/// Sends one request in each `pause`, until it is over.
pub(crate) fn run(
    client: u64,
    address: SocketAddr,
    pause: Duration,
    tally: &Tally,
    over: &AtomicBool,
) {
    let begun = now();
    let mut connection = None;
    // Each client begins at another place of the mix.
    let places = MIX
        .iter()
        .cycle()
        .skip(usize::try_from(client).unwrap_or(0));
    for (number, kind) in (1_u64..).zip(places) {
        if over.load(Ordering::SeqCst) {
            return;
        }
        let mark = format!("{client}-{number}");
        match ask(&mut connection, address, *kind, &mark, number) {
            Ok(status) => tally.answered(kind.name(), status),
            Err(error) => {
                tally.unexpected(format!("{} ({mark}): {error}", kind.name()));
                connection = None;
            }
        }
        let next = pause.saturating_mul(u32::try_from(number).unwrap_or(u32::MAX));
        thread::sleep(next.saturating_sub(begun.elapsed()));
    }
}

/// Sends one request and judges its answer; its status.
fn ask(
    kept: &mut Option<Connection>,
    address: SocketAddr,
    kind: Kind,
    mark: &str,
    number: u64,
) -> io::Result<u16> {
    let expected = kind.expected();
    // What the guard must close has a connection of its own, so that no other request is lost with it.
    let mut one = match kept.take().filter(|_| !expected.must_close) {
        Some(one) => one,
        None => Connection::open(address)?,
    };
    // A refusal may come before everything is sent, so a failure here is judged by what can be read.
    let sent = one.stream.write_all(&kind.bytes(mark, number));
    let answer = Answer::read(&mut one.stream, &mut one.input, expected.without_content)
        .map_err(|error| with(&error, &format!("no answer (sending: {sent:?})")))?;
    let odd = |what: String| Err(io::Error::new(io::ErrorKind::InvalidData, what));
    if answer.status != expected.status {
        return odd(format!("{answer:?} instead of {expected:?}"));
    }
    let own = expected.by_application.then_some(mark);
    if answer.mark.as_deref() != own {
        return odd(format!("the answer to another request: {answer:?}"));
    }
    if expected.by_application && !expected.without_content && answer.content == 0 {
        return odd(format!("an answer without content: {answer:?}"));
    }
    if !one.input.is_empty() {
        return odd(format!(
            "more than one answer: {}",
            one.input.escape_ascii()
        ));
    }
    if answer.closes {
        one.has_ended()?;
    } else if expected.must_close {
        return odd(format!("the connection stays open: {answer:?}"));
    } else {
        *kept = Some(one);
    }
    Ok(answer.status)
}

impl Connection {
    fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self {
            stream,
            input: Vec::new(),
        })
    }

    /// Waits for the end, before which nothing more may come.
    fn has_ended(mut self) -> io::Result<()> {
        match more(&mut self.stream, &mut self.input) {
            Ok(()) => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("bytes after the last answer: {}", self.input.escape_ascii()),
            )),
            Err(error) => match error.kind() {
                io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => Ok(()),
                _ => Err(with(&error, "the connection is not closed")),
            },
        }
    }
}

fn with(error: &io::Error, what: &str) -> io::Error {
    io::Error::new(error.kind(), format!("{what}: {error}"))
}
