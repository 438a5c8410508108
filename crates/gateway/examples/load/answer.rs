//! `Answer`: one response, read from what a client has received; a view into the bytes.

use std::io::{self, Read};

/// No answer of a measurement is larger.
const BYTES_MAX: usize = 1 << 16;

/// One response that is here as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answer<'b> {
    /// The status.
    pub(crate) status: u16,
    /// The status line and the fields.
    head: &'b str,
    /// The content.
    pub(crate) content: &'b [u8],
}

impl<'b> Answer<'b> {
    /// Reads one, and how many bytes it has; nothing where some are still to come.
    ///
    /// # Errors
    ///
    /// What is no answer of HTTP/1.1 with a length.
    pub(crate) fn parse(input: &'b [u8]) -> io::Result<Option<(Self, usize)>> {
        let Some(end) = input.windows(4).position(|four| four == b"\r\n\r\n") else {
            return Ok(None);
        };
        let (head, rest) = input.split_at(end + 4);
        let head = str::from_utf8(head).map_err(|_other| odd("the head is no text"))?;
        let status = head
            .strip_prefix("HTTP/1.1 ")
            .and_then(|rest| rest.get(..3));
        let status = status.and_then(|digits| digits.parse().ok());
        let status = status.ok_or_else(|| odd("no status line"))?;
        let length = fields(head, "content-length").next();
        let length: Option<usize> = length.and_then(|length| length.parse().ok());
        let length = length.ok_or_else(|| odd("no length"))?;
        let Some(content) = rest.get(..length) else {
            return Ok(None);
        };
        let answer = Self {
            status,
            head,
            content,
        };
        Ok(Some((answer, head.len() + length)))
    }

    /// The values of a field, in their order.
    pub(crate) fn all(&self, name: &'static str) -> impl Iterator<Item = &'b str> {
        fields(self.head, name)
    }
}

fn fields<'b>(head: &'b str, name: &'static str) -> impl Iterator<Item = &'b str> {
    let lines = head.split("\r\n").skip(1);
    lines.filter_map(move |line| {
        let (written, value) = line.split_once(':')?;
        written.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// Reads until a whole answer is at the beginning of `input`, and hands it over; then its bytes are taken away.
///
/// # Errors
///
/// Those of the connection, and what is no answer.
pub(crate) fn read<R>(
    stream: &mut impl Read,
    input: &mut Vec<u8>,
    take: impl FnOnce(Answer<'_>) -> R,
) -> io::Result<R> {
    loop {
        if let Some((answer, bytes)) = Answer::parse(input)? {
            let taken = take(answer);
            input.drain(..bytes);
            return Ok(taken);
        }
        let mut part = [0; 8 * 1024];
        let count = stream.read(&mut part)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        input.extend_from_slice(part.get(..count).unwrap_or_default());
        if input.len() > BYTES_MAX {
            return Err(odd("more than any answer has"));
        }
    }
}

fn odd(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_when_it_is_whole() {
        let whole = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 2\r\nset-cookie: c=d\r\n\r\nokHTTP";
        for cut in 0..whole.len() - 4 {
            assert_eq!(Answer::parse(&whole[..cut]).unwrap(), None, "{cut}");
        }
        let (answer, bytes) = Answer::parse(whole).unwrap().unwrap();
        assert_eq!((answer.status, answer.content), (200, &b"ok"[..]));
        assert_eq!(answer.all("set-cookie").collect::<Vec<_>>(), ["a=b", "c=d"]);
        assert_eq!(&whole[bytes..], b"HTTP");
    }

    #[test]
    fn what_is_no_answer_is_a_fault() {
        for text in [
            "HTTP/1.1 200 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
            "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 2\r\nContent-Length: 0\r\n\r\n",
            "\r\n\r\n",
        ] {
            assert!(Answer::parse(text.as_bytes()).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_connection_is_read_answer_by_answer() {
        let mut stream =
            &b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\naHTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"[..];
        let mut input = Vec::new();
        let mut next = || read(&mut stream, &mut input, |answer| answer.status);
        assert_eq!(next().unwrap(), 200);
        assert_eq!(next().unwrap(), 403);
        assert_eq!(next().unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
