//! `Answer`: one response, read strictly from what a client has received.

use std::io::{self, Read};

/// No answer of the soak is larger.
const BYTES_MAX: usize = 1 << 20;

/// One response.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: u16,
    /// The number that the application gave back.
    pub(crate) mark: Option<String>,
    /// Whether the connection ends with it.
    pub(crate) closes: bool,
    /// The length of its content.
    pub(crate) content: usize,
}

impl Answer {
    /// Reads one from a connection. What follows it stays in `input`.
    pub(crate) fn read(
        stream: &mut impl Read,
        input: &mut Vec<u8>,
        without_content: bool,
    ) -> io::Result<Self> {
        let head = loop {
            if let Some(end) = input.windows(4).position(|four| four == b"\r\n\r\n") {
                break input.drain(..end + 4).collect::<Vec<u8>>();
            }
            more(stream, input)?;
        };
        let head = String::from_utf8_lossy(&head).into_owned();
        let mut lines = head.split("\r\n");
        let status = lines
            .next()
            .and_then(|line| line.strip_prefix("HTTP/1.1 "))
            .and_then(|rest| rest.get(..3)?.parse().ok())
            .ok_or_else(|| odd(format!("no status line in {head:?}")))?;
        let field = |name: &str| {
            head.split("\r\n").skip(1).find_map(|line| {
                let (written, value) = line.split_once(':')?;
                written
                    .eq_ignore_ascii_case(name)
                    .then(|| value.trim().to_owned())
            })
        };
        let length = match field("content-length") {
            _ if without_content || status == 204 => 0,
            Some(length) => length
                .parse::<usize>()
                .map_err(|_no_number| odd(format!("no length in {head:?}")))?,
            None => return Err(odd(format!("no length in {head:?}"))),
        };
        while input.len() < length {
            more(stream, input)?;
        }
        input.drain(..length);
        Ok(Self {
            status,
            mark: field("x-soak"),
            closes: field("connection").is_some_and(|value| value.eq_ignore_ascii_case("close")),
            content: length,
        })
    }
}

/// Reads what there is.
pub(crate) fn more(stream: &mut impl Read, input: &mut Vec<u8>) -> io::Result<()> {
    let mut part = [0; 16 * 1024];
    let count = stream.read(&mut part)?;
    if count == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    if input.len() + count > BYTES_MAX {
        return Err(odd("more than any answer has".to_owned()));
    }
    input.extend_from_slice(part.get(..count).unwrap_or_default());
    Ok(())
}

fn odd(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
