//! `Application`: answers every request with its mark, and remembers which marks it has seen.

use std::collections::HashMap;
use std::io::{self, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crate::answer::more;
use crate::tally::Tally;

/// After so many answers a connection is closed, as applications do.
const ANSWERS_EACH: usize = 200;

/// The other side of the guard.
pub(crate) struct Application {
    address: SocketAddr,
}

/// The last number that came from each client.
type Seen = Arc<Mutex<HashMap<u64, u64>>>;

/// What is read of a request.
struct Request {
    method: String,
    mark: String,
    body: usize,
}

impl Application {
    /// Listens on loopback, until the program ends.
    pub(crate) fn start(tally: Arc<Tally>) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let seen = Seen::default();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (tally, seen) = (Arc::clone(&tally), Arc::clone(&seen));
                // A connection that breaks is the guard's to notice; what it does then is what is tried.
                thread::spawn(move || drop(serve(stream, &tally, &seen)));
            }
        });
        Ok(Self { address })
    }

    /// Where.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

fn serve(mut stream: TcpStream, tally: &Tally, seen: &Seen) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut input = Vec::new();
    for number in 1..=ANSWERS_EACH {
        let Some(request) = Request::read(&mut stream, &mut input, tally)? else {
            return Ok(());
        };
        tally.forwarded();
        note(&request, tally, seen);
        let closes = if number == ANSWERS_EACH {
            "Connection: close\r\n"
        } else {
            ""
        };
        let content = "a".repeat(16 + request.body % 8_000);
        let (length, mark) = (content.len(), &request.mark);
        let mut answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\nX-Soak: {mark}\r\n{closes}\r\n"
        );
        if request.method != "HEAD" {
            answer.push_str(&content);
        }
        stream.write_all(answer.as_bytes())?;
    }
    Ok(())
}

/// Each client counts upwards, so a number that is not higher than the last was sent before.
fn note(request: &Request, tally: &Tally, seen: &Seen) {
    let mark = &request.mark;
    let numbers = mark
        .split_once('-')
        .and_then(|(client, number)| Some((client.parse().ok()?, number.parse().ok()?)));
    let Some((client, number)) = numbers else {
        tally.unexpected(format!("the application got a request marked {mark:?}"));
        return;
    };
    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    let last = seen.entry(client).or_insert(0);
    if number > *last {
        *last = number;
    } else if matches!(request.method.as_str(), "GET" | "HEAD") {
        tally.repeated();
    } else {
        tally.unexpected(format!("the application got {mark} twice"));
    }
}

impl Request {
    /// Reads the next; nothing where the guard has closed between two.
    fn read(
        stream: &mut TcpStream,
        input: &mut Vec<u8>,
        tally: &Tally,
    ) -> io::Result<Option<Self>> {
        let head = loop {
            if let Some(end) = input.windows(4).position(|four| four == b"\r\n\r\n") {
                break input.drain(..end + 4).collect::<Vec<u8>>();
            }
            match more(stream, input) {
                Ok(()) => {}
                Err(_) if input.is_empty() => return Ok(None),
                Err(error) => {
                    tally.unexpected("the application got half a head".to_owned());
                    return Err(error);
                }
            }
        };
        let head = String::from_utf8_lossy(&head).into_owned();
        let field = |name: &str| {
            head.split("\r\n").skip(1).find_map(|line| {
                let (written, value) = line.split_once(':')?;
                written
                    .eq_ignore_ascii_case(name)
                    .then(|| value.trim().to_owned())
            })
        };
        let body = if field("transfer-encoding").is_some() {
            chunks(stream, input)?
        } else {
            let length = field("content-length").and_then(|length| length.parse().ok());
            let length: usize = length.unwrap_or(0);
            while input.len() < length {
                more(stream, input)?;
            }
            input.drain(..length);
            length
        };
        Ok(Some(Self {
            method: head.split(' ').next().unwrap_or_default().to_owned(),
            mark: field("x-soak").unwrap_or_default(),
            body,
        }))
    }
}

/// Takes a body in chunks off the input; its length.
fn chunks(stream: &mut TcpStream, input: &mut Vec<u8>) -> io::Result<usize> {
    let odd = || io::Error::from(io::ErrorKind::InvalidData);
    let mut all = 0;
    loop {
        let end = loop {
            match input.windows(2).position(|two| two == b"\r\n") {
                Some(end) => break end,
                None => more(stream, input)?,
            }
        };
        let line: Vec<u8> = input.drain(..end + 2).collect();
        let line = String::from_utf8_lossy(&line).into_owned();
        let length = usize::from_str_radix(line.trim(), 16).map_err(|_no_number| odd())?;
        while input.len() < length + 2 {
            more(stream, input)?;
        }
        input.drain(..length + 2);
        if length == 0 {
            return Ok(all);
        }
        all += length;
    }
}
