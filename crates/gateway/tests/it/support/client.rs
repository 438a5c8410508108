//! `Client`: sends bytes as they are, and reads answers.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};

use super::PATIENCE;
use super::message::{chunks, head, values};

/// A connection.
pub(crate) struct Client {
    stream: TcpStream,
    /// The client's side of TLS, where it is spoken.
    tls: Option<ClientConnection>,
    input: Vec<u8>,
    /// The other side has ended.
    ended: bool,
    /// It ended without saying so in TLS: somebody may have cut it off.
    cut: bool,
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: u16,
    /// Names and values.
    pub(crate) fields: Vec<(String, String)>,
    /// The content, chunks joined; of one that is not whole what there is of them.
    pub(crate) body: Vec<u8>,
    /// Whether the content is there to its end.
    pub(crate) is_whole: bool,
}

impl Answer {
    /// The values of a field.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        values(&self.fields, name)
    }

    /// The value of a field that is there once.
    pub(crate) fn one(&self, name: &str) -> &str {
        let all = self.all(name);
        assert_eq!(all.len(), 1, "{name} in {self:?}");
        all[0]
    }

    /// The content as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    /// Whether the connection ends with it.
    pub(crate) fn closes(&self) -> bool {
        self.all("connection") == ["close"]
    }
}

impl Client {
    /// Connects.
    pub(crate) fn connect(address: SocketAddr) -> Self {
        Self::try_connect(address).unwrap()
    }

    /// Connects, if somebody listens there.
    pub(crate) fn try_connect(address: SocketAddr) -> std::io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Ok(Self {
            stream,
            tls: None,
            input: Vec::new(),
            ended: false,
            cut: false,
        })
    }

    /// Connects in TLS, for a host, as far as the handshake comes.
    pub(crate) fn secure(
        address: SocketAddr,
        config: &Arc<ClientConfig>,
        host: &str,
    ) -> std::io::Result<Self> {
        let mut client = Self::try_connect(address)?;
        let host = ServerName::try_from(host.to_owned()).unwrap();
        let mut tls = ClientConnection::new(Arc::clone(config), host).unwrap();
        tls.complete_io(&mut client.stream)?;
        client.tls = Some(tls);
        Ok(client)
    }

    /// The client's side of TLS.
    pub(crate) fn tls(&self) -> &ClientConnection {
        self.tls.as_ref().unwrap()
    }

    /// Whether the other side ended without saying so in TLS.
    pub(crate) fn is_cut(&self) -> bool {
        self.cut
    }

    /// The socket.
    pub(crate) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Sends bytes.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        assert!(self.try_send(bytes));
        self
    }

    /// Sends bytes as far as the other side takes them; whether it took all.
    pub(crate) fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        match &mut self.tls {
            Some(tls) => rustls::Stream::new(tls, &mut self.stream).write_all(bytes.as_ref()),
            None => self.stream.write_all(bytes.as_ref()),
        }
        .is_ok()
    }

    /// Says that no more comes.
    pub(crate) fn finish(&mut self) -> &mut Self {
        if let Some(tls) = &mut self.tls {
            tls.send_close_notify();
            drop(tls.complete_io(&mut self.stream));
        }
        // Where the other side has reset the connection there is nothing left to say.
        drop(self.stream.shutdown(Shutdown::Write));
        self
    }

    /// The next answer to anything but HEAD.
    pub(crate) fn answer(&mut self) -> Answer {
        self.next(false).expect("an answer")
    }

    /// The next answer to HEAD.
    pub(crate) fn answer_to_head(&mut self) -> Answer {
        self.next(true).expect("an answer")
    }

    /// One request, one answer.
    pub(crate) fn ask(&mut self, request: impl AsRef<[u8]>) -> Answer {
        self.send(request).answer()
    }

    /// The next answer; nothing where the connection ends before one.
    pub(crate) fn next(&mut self, is_head: bool) -> Option<Answer> {
        let (first, fields, at) = loop {
            if let Some(found) = head(&self.input) {
                break found;
            }
            if !self.more() {
                assert!(self.input.is_empty(), "{}", self.input.escape_ascii());
                return None;
            }
        };
        self.input.drain(..at);
        let status = first.split(' ').nth(1).unwrap().parse().unwrap();
        let mut answer = Answer {
            status,
            fields,
            body: Vec::new(),
            is_whole: true,
        };
        if is_head || status < 200 || status == 204 || status == 304 {
            return Some(answer);
        }
        self.content(&mut answer);
        Some(answer)
    }

    fn content(&mut self, answer: &mut Answer) {
        if answer.all("transfer-encoding") == ["chunked"] {
            loop {
                if let Some((data, len)) = chunks(&self.input) {
                    answer.body = data;
                    self.input.drain(..len);
                    return;
                }
                if !self.more() {
                    answer.is_whole = false;
                    answer.body = std::mem::take(&mut self.input);
                    return;
                }
            }
        }
        let length = answer
            .all("content-length")
            .first()
            .map(|text| text.parse::<usize>().unwrap());
        while length.is_none_or(|length| self.input.len() < length) && self.more() {}
        let length = length.unwrap_or(self.input.len());
        answer.is_whole = self.input.len() >= length;
        answer.body = self.input.drain(..length.min(self.input.len())).collect();
    }

    /// Waits until these bytes are there.
    pub(crate) fn wait_for(&mut self, bytes: &[u8]) {
        while !self.input.windows(bytes.len()).any(|part| part == bytes) {
            assert!(self.more(), "{}", self.input.escape_ascii());
        }
    }

    /// All answers up to the end of the connection.
    pub(crate) fn answers(&mut self) -> Vec<Answer> {
        std::iter::from_fn(|| self.next(false)).collect()
    }

    /// Whether the other side ends the connection and says nothing more.
    pub(crate) fn is_ended(&mut self) -> bool {
        while self.input.is_empty() && self.more() {}
        self.ended && self.input.is_empty()
    }

    /// Whether the other side is silent and open for a while.
    pub(crate) fn is_silent_for(&mut self, time: Duration) -> bool {
        self.stream.set_read_timeout(Some(time)).unwrap();
        let mut byte = [0];
        let read = self.stream.peek(&mut byte);
        self.stream.set_read_timeout(Some(PATIENCE)).unwrap();
        matches!(read, Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut))
    }

    /// Reads on; whether something came.
    fn more(&mut self) -> bool {
        let mut part = vec![0; 64 * 1024];
        let read = match &mut self.tls {
            Some(tls) => rustls::Stream::new(tls, &mut self.stream).read(&mut part),
            None => self.stream.read(&mut part),
        };
        match read {
            Ok(0) => self.ended = true,
            Ok(count) => {
                self.input.extend_from_slice(&part[..count]);
                return true;
            }
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof
                ) =>
            {
                self.ended = true;
                self.cut = true;
            }
            Err(error) => panic!(
                "nothing came: {error}; so far {}",
                self.input.escape_ascii()
            ),
        }
        false
    }
}
