//! `Upstream`: an application that writes down every byte it gets, and answers as a test tells it.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use super::{PATIENCE, Request, split};

/// An application.
pub(crate) struct Upstream {
    address: SocketAddr,
    record: Arc<Record>,
    listening: Option<JoinHandle<()>>,
}

/// What all its connections got.
#[derive(Default)]
struct Record {
    connections: Mutex<Vec<Vec<u8>>>,
    grown: Condvar,
    open: Mutex<Vec<TcpStream>>,
    is_over: AtomicBool,
}

/// One of its connections.
pub(crate) struct Talk {
    /// Which, from 0.
    pub(crate) number: usize,
    stream: TcpStream,
    record: Arc<Record>,
    /// What was read and not taken yet.
    input: Vec<u8>,
    /// It ends with a reset.
    resets: bool,
}

impl Upstream {
    /// One that answers every request with 200 and `ok`.
    pub(crate) fn ok() -> Self {
        Self::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    }

    /// One that gives every request the same answer.
    pub(crate) fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::by_request(move |_| answer.clone())
    }

    /// One that answers each request with bytes.
    pub(crate) fn by_request(answer: impl Fn(&Request) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::talking(move |talk| {
            while let Some(request) = talk.request() {
                talk.send(answer(&request));
            }
        })
    }

    /// One that does as it is told with each connection; the connection ends with it.
    pub(crate) fn talking(talk: impl Fn(&mut Talk) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let record = Arc::new(Record::default());
        let (shared, talk) = (Arc::clone(&record), Arc::new(talk));
        let listening = std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                if shared.is_over.load(Ordering::SeqCst) {
                    return;
                }
                stream.set_nodelay(true).unwrap();
                stream.set_read_timeout(Some(PATIENCE * 2)).unwrap();
                shared
                    .open
                    .lock()
                    .unwrap()
                    .push(stream.try_clone().unwrap());
                let number = {
                    let mut connections = shared.connections.lock().unwrap();
                    connections.push(Vec::new());
                    shared.grown.notify_all();
                    connections.len() - 1
                };
                let mut one = Talk {
                    number,
                    stream,
                    record: Arc::clone(&shared),
                    input: Vec::new(),
                    resets: false,
                };
                let talk = Arc::clone(&talk);
                std::thread::spawn(move || {
                    talk(&mut one);
                    // The clone above keeps the socket open, so its end is said here.
                    if !one.resets {
                        drop(one.stream.shutdown(std::net::Shutdown::Both));
                    }
                });
            }
        });
        Self {
            address,
            record,
            listening: Some(listening),
        }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The bytes of each of its connections.
    pub(crate) fn bytes(&self) -> Vec<Vec<u8>> {
        self.record.connections.lock().unwrap().clone()
    }

    /// The whole requests of all connections; panics where a connection has bytes that are no whole request.
    pub(crate) fn requests(&self) -> Vec<Request> {
        let mut all = Vec::new();
        for bytes in self.bytes() {
            let (requests, rest) = split(&bytes);
            assert!(rest.is_empty(), "no whole request: {}", rest.escape_ascii());
            all.extend(requests);
        }
        all
    }

    /// Waits until what it got is as it should be.
    pub(crate) fn wait(&self, is_so: impl Fn(&[Vec<u8>]) -> bool) {
        let connections = self.record.connections.lock().unwrap();
        let waited = self
            .record
            .grown
            .wait_timeout_while(connections, PATIENCE, |all| !is_so(all));
        let (connections, waited) = waited.unwrap();
        assert!(!waited.timed_out(), "still {connections:?}");
    }

    /// Waits until so many heads of requests are there.
    pub(crate) fn wait_for_heads(&self, count: usize) {
        let ends = |bytes: &Vec<u8>| bytes.windows(4).filter(|four| four == b"\r\n\r\n").count();
        self.wait(|all| all.iter().map(ends).sum::<usize>() >= count);
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.record.is_over.store(true, Ordering::SeqCst);
        for stream in self.record.open.lock().unwrap().iter() {
            drop(stream.shutdown(std::net::Shutdown::Both));
        }
        // Wakes the thread that accepts.
        drop(TcpStream::connect(self.address));
        drop(self.listening.take().unwrap().join());
    }
}

impl Talk {
    /// The next whole request; nothing where the connection ends before one.
    pub(crate) fn request(&mut self) -> Option<Request> {
        loop {
            let (mut requests, rest) = split(&self.input);
            if !requests.is_empty() {
                // Requests are not pipelined to an application: what is there more than one is left for the test to see.
                let first = requests.remove(0);
                self.input = rest;
                return Some(first);
            }
            if !self.more() {
                return None;
            }
        }
    }

    /// What was read and not taken yet.
    pub(crate) fn seen(&self) -> &[u8] {
        &self.input
    }

    /// Reads until the head of a request is there; whether it is.
    pub(crate) fn head(&mut self) -> bool {
        while !self.input.windows(4).any(|four| four == b"\r\n\r\n") {
            if !self.more() {
                return false;
            }
        }
        true
    }

    /// Reads on; whether something came.
    pub(crate) fn more(&mut self) -> bool {
        let mut part = vec![0; 64 * 1024];
        match self.stream.read(&mut part) {
            Ok(0) | Err(_) => false,
            Ok(count) => {
                self.input.extend_from_slice(&part[..count]);
                let mut connections = self.record.connections.lock().unwrap();
                connections[self.number].extend_from_slice(&part[..count]);
                self.record.grown.notify_all();
                true
            }
        }
    }

    /// Sends bytes, as far as the other side takes them.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        drop(self.stream.write_all(bytes.as_ref()));
    }

    /// Ends the connection here and now.
    pub(crate) fn close(&self) {
        drop(self.stream.shutdown(std::net::Shutdown::Both));
    }

    /// Ends the connection by a reset.
    pub(crate) fn reset(&mut self) {
        self.resets = true;
        let socket = socket2::SockRef::from(&self.stream);
        socket.set_linger(Some(Duration::ZERO)).unwrap();
        let mut open = self.record.open.lock().unwrap();
        // Only the last handle that is closed resets.
        open.retain(|stream| stream.peer_addr().ok() != self.stream.peer_addr().ok());
    }
}
