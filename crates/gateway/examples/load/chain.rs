//! `Chain`: one connection with the cookies of its browser: the request that it sends next, and what an answer must be like.

use std::io::{self, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::answer::{self, Answer};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How the cookies with tokens are called.
pub(crate) const TOKEN_COOKIE: &str = "__Host-pc-csrf-";

/// A connection, and what is sent on it.
pub(crate) struct Chain {
    stream: TcpStream,
    input: Vec<u8>,
    request: Request,
    expected: Expected,
}

/// The request of a connection: the same each time, but for a token that is good once.
pub(crate) struct Request {
    /// Up to the cookies.
    pub(crate) head: String,
    /// The cookies that stay.
    pub(crate) cookies: String,
    /// The token that has to be used next, if one is asked for.
    pub(crate) token: Option<String>,
    /// What is sent.
    pub(crate) body: &'static str,
}

/// What an answer must be like.
#[derive(Clone, Copy)]
pub(crate) struct Expected {
    /// Its content.
    pub(crate) content: &'static str,
    /// Whether it takes the token back and brings another.
    pub(crate) brings_token: bool,
}

impl Chain {
    /// A connection.
    pub(crate) fn open(
        address: SocketAddr,
        request: Request,
        expected: Expected,
    ) -> io::Result<Self> {
        Ok(Self {
            stream: connect(address)?,
            input: Vec::new(),
            request,
            expected,
        })
    }

    /// Sends the next request.
    pub(crate) fn send(&mut self) -> io::Result<()> {
        self.stream.write_all(self.request.text().as_bytes())
    }

    /// Waits for the answer. What is wrong with it is told, and the connection is of no use any more.
    pub(crate) fn receive(&mut self) -> Result<(), String> {
        let Self {
            stream,
            input,
            request,
            expected,
        } = self;
        let taken = answer::read(stream, input, |answer| request.take(*expected, answer));
        taken.map_err(|error| error.to_string())?
    }

    /// Uses a token twice: if that is not refused, it is something else that is measured.
    pub(crate) fn refuses_what_is_spent(&mut self) -> Result<(), String> {
        let spent = self.request.token.clone();
        self.exchange()?;
        let live = std::mem::replace(&mut self.request.token, spent);
        if self.exchange() != Err("status 403".to_owned()) {
            return Err("a token that was used is not refused".to_owned());
        }
        self.request.token = live;
        Ok(())
    }

    /// Sends the next request and waits for its answer.
    pub(crate) fn exchange(&mut self) -> Result<(), String> {
        self.send().map_err(|error| error.to_string())?;
        self.receive()
    }
}

/// A connection to loopback on which nobody waits for ever.
pub(crate) fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

impl Request {
    /// Its bytes.
    pub(crate) fn text(&self) -> String {
        let Self {
            head,
            cookies,
            token,
            body,
        } = self;
        let length = body.len();
        match token {
            Some(token) => {
                let named = token.get(..8).unwrap_or_default();
                format!(
                    "{head}Cookie: {cookies}; {TOKEN_COOKIE}{named}={token}\r\nX-CSRF-Token: {token}\r\nContent-Length: {length}\r\n\r\n{body}"
                )
            }
            None => {
                format!("{head}Cookie: {cookies}\r\nContent-Length: {length}\r\n\r\n{body}")
            }
        }
    }

    /// Holds an answer against what is expected, and keeps the token that it brings.
    fn take(&mut self, expected: Expected, answer: Answer<'_>) -> Result<(), String> {
        if answer.status != 200 {
            return Err(format!("status {}", answer.status));
        }
        if answer.content != expected.content.as_bytes() {
            return Err("other content than the upstream's".to_owned());
        }
        let (brought, taken_back) = tokens(answer);
        match (expected.brings_token, brought.as_slice(), taken_back) {
            (false, [], 0) => Ok(()),
            (true, [next], 1) if self.token.as_deref() != Some(next) => {
                self.token = Some(next.clone());
                Ok(())
            }
            (_, brought, taken_back) => Err(format!(
                "{} tokens were brought and {taken_back} taken back",
                brought.len()
            )),
        }
    }
}

/// The tokens that an answer brings, and how many it takes back.
pub(crate) fn tokens(answer: Answer<'_>) -> (Vec<String>, usize) {
    let mut brought = Vec::new();
    let mut taken_back = 0;
    for set in answer.all("set-cookie") {
        let Some(named) = set.strip_prefix(TOKEN_COOKIE) else {
            continue;
        };
        let pair = named.split(';').next().unwrap_or_default();
        match pair.split_once('=') {
            Some((_, "")) | None => taken_back += 1,
            Some((_, token)) => brought.push(token.to_owned()),
        }
    }
    (brought, taken_back)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(token: Option<&str>) -> Request {
        Request {
            head: "POST /items HTTP/1.1\r\nHost: h\r\n".to_owned(),
            cookies: "sid=x".to_owned(),
            token: token.map(str::to_owned),
            body: "{}",
        }
    }

    #[test]
    fn a_request_has_its_token_in_both_places() {
        assert_eq!(
            request(Some("0123456789")).text(),
            "POST /items HTTP/1.1\r\nHost: h\r\nCookie: sid=x; __Host-pc-csrf-01234567=0123456789\r\nX-CSRF-Token: 0123456789\r\nContent-Length: 2\r\n\r\n{}"
        );
        assert_eq!(
            request(None).text(),
            "POST /items HTTP/1.1\r\nHost: h\r\nCookie: sid=x\r\nContent-Length: 2\r\n\r\n{}"
        );
    }

    #[test]
    fn what_is_not_expected_is_told_and_the_token_stays() {
        const BACK: &str = "Set-Cookie: __Host-pc-csrf-old=; Path=/; Max-Age=0\r\n";
        const NEXT: &str = "Set-Cookie: __Host-pc-csrf-newnewne=newnewnew; Path=/\r\n";
        const OLD: &str = "Set-Cookie: __Host-pc-csrf-old=old; Path=/\r\n";
        for (brings_token, status, lines, content, next) in [
            (true, 200, format!("{BACK}{NEXT}"), "ok", Some("newnewnew")),
            (true, 200, format!("{NEXT}{BACK}"), "ok", Some("newnewnew")),
            (true, 200, NEXT.to_owned(), "ok", None),
            (true, 200, BACK.to_owned(), "ok", None),
            (true, 200, format!("{BACK}{OLD}"), "ok", None),
            (true, 200, format!("{BACK}{NEXT}{NEXT}"), "ok", None),
            (true, 200, format!("{BACK}{NEXT}"), "no", None),
            (true, 403, format!("{BACK}{NEXT}"), "ok", None),
            (false, 200, String::new(), "ok", Some("old")),
            (
                false,
                200,
                "Set-Cookie: a=b\r\n".to_owned(),
                "ok",
                Some("old"),
            ),
            (false, 200, format!("{BACK}{NEXT}"), "ok", None),
        ] {
            let text = format!("HTTP/1.1 {status} X\r\n{lines}Content-Length: 2\r\n\r\n{content}");
            let (answer, _) = Answer::parse(text.as_bytes()).unwrap().unwrap();
            let mut request = request(Some("old"));
            let expected = Expected {
                content: "ok",
                brings_token,
            };
            let taken = request.take(expected, answer);
            assert_eq!(taken.is_ok(), next.is_some(), "{text}");
            assert_eq!(request.token.as_deref(), next.or(Some("old")), "{text}");
        }
    }
}
