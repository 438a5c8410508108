//! A guard that runs, of which every byte that it writes is kept, and whose disk can be full.

use std::cell::Cell;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};

use super::values::VARIABLES;
use crate::folder::Folder;
use crate::guard_command::running::PATIENCE;
use crate::guard_dev::running::trust;

type Kept = Arc<Mutex<Vec<u8>>>;

pub(super) struct Guard {
    child: Child,
    out: Kept,
    err: Kept,
    said: Cell<usize>,
    readers: Vec<JoinHandle<()>>,
    address: SocketAddr,
    pub(super) admin: Option<SocketAddr>,
    tls: Option<Arc<ClientConfig>>,
    /// How a client calls it.
    pub(super) host: String,
    pub(super) origin: String,
}

impl Guard {
    /// As in front of an application, for `https://shop.test` behind a proxy that speaks TLS.
    pub(super) fn plain(folder: &Folder) -> Self {
        let listen = ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"];
        let mut guard = Self::start(
            folder,
            &[&["guard"], &listen[..], &["--workers", "1"]].concat(),
        );
        let said = guard.says("guarding ");
        let mut ports = said.split("http://127.0.0.1:").skip(2).map(|rest| {
            let digits = rest.split(|one: char| !one.is_ascii_digit()).next();
            digits.unwrap().parse().unwrap()
        });
        guard.address.set_port(ports.next().unwrap());
        guard.admin = Some(SocketAddr::from(([127, 0, 0, 1], ports.next().unwrap())));
        guard.host = "shop.test".to_owned();
        guard.origin = "https://shop.test".to_owned();
        guard
    }

    /// On the machine of who writes the application.
    pub(super) fn dev(folder: &Folder) -> Self {
        let mut guard = Self::start(folder, &["guard", "dev", "--listen", "127.0.0.1:0"]);
        let said = guard.says(" guards ");
        let port = said.split("https://localhost:").nth(1).unwrap();
        let port: u16 = port.split(' ').next().unwrap().parse().unwrap();
        guard.address.set_port(port);
        guard.tls = Some(trust(folder));
        guard.host = format!("localhost:{port}");
        guard.origin = format!("https://localhost:{port}");
        guard
    }

    fn start(folder: &Folder, args: &[&str]) -> Self {
        // The signal that goes with a full disk is ignored, so that a write fails and the process does not end.
        let mut child = Command::new("sh")
            .args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""])
            .arg(env!("CARGO_BIN_EXE_portcullis"))
            .args(args)
            .current_dir(folder.path())
            .env_clear()
            .env("PORTCULLIS_TODAY", "2026-06-01")
            .envs(VARIABLES)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (out, reads_out) = kept(child.stdout.take().unwrap());
        let (err, reads_err) = kept(child.stderr.take().unwrap());
        Self {
            child,
            out,
            err,
            said: Cell::new(0),
            readers: vec![reads_out, reads_err],
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            admin: None,
            tls: None,
            host: String::new(),
            origin: String::new(),
        }
    }

    /// Waits for a whole line to the operator with these words.
    pub(super) fn says(&self, words: &str) -> String {
        let line = |text: String| {
            let whole = text.rsplit_once('\n')?.0.to_owned();
            whole
                .lines()
                .find(|one| one.contains(words))
                .map(str::to_owned)
        };
        waited(|| line(text_of(&self.err)))
            .unwrap_or_else(|| panic!("it never said `{words}`: {}", text_of(&self.err)))
    }

    /// Waits until it has said so once more often than when it was waited for last.
    pub(super) fn says_once_more(&self, words: &str) {
        let count = self.said.get() + 1;
        self.said.set(count);
        let often = |text: String| (text.matches(words).count() >= count).then_some(());
        waited(|| often(text_of(&self.err)))
            .unwrap_or_else(|| panic!("not {count} times `{words}`: {}", text_of(&self.err)));
    }

    /// The answer to a request, as far as there is one.
    pub(super) fn ask(&self, request: &str) -> Vec<u8> {
        let socket = TcpStream::connect(self.address).unwrap();
        match &self.tls {
            None => exchange(socket, request),
            Some(config) => {
                let name = ServerName::try_from("localhost").unwrap();
                let tls = ClientConnection::new(Arc::clone(config), name).unwrap();
                exchange(rustls::StreamOwned::new(tls, socket), request)
            }
        }
    }

    /// The answer of its admin listener.
    pub(super) fn ask_admin(&self, line: &str, field: &str) -> Vec<u8> {
        self.ask_admin_with(line, field, "")
    }

    /// The same, with a body.
    pub(super) fn ask_admin_with(&self, line: &str, fields: &str, body: &str) -> Vec<u8> {
        let host = self.admin.unwrap();
        let request = format!("{line} HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n{body}");
        exchange(TcpStream::connect(host).unwrap(), &request)
    }

    /// From now on no file can be written, or all can again.
    pub(super) fn disk_is_full(&self, is_full: bool) {
        let limit = if is_full { "0:unlimited" } else { "unlimited" };
        let set = Command::new("prlimit")
            .arg(format!("--fsize={limit}"))
            .arg(format!("--pid={}", self.child.id()))
            .status();
        assert!(set.unwrap().success());
    }

    /// Ends it: all that it wrote to standard output and to standard error.
    pub(super) fn end(mut self) -> (Vec<u8>, Vec<u8>) {
        let killed = Command::new("kill")
            .arg(self.child.id().to_string())
            .status();
        assert!(killed.unwrap().success());
        let ended = waited(|| self.child.try_wait().unwrap());
        assert!(ended.is_some(), "it did not end");
        for reader in self.readers.drain(..) {
            reader.join().unwrap();
        }
        let both = [&self.out, &self.err].map(|kept| kept.lock().unwrap().clone());
        both.into()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn text_of(kept: &Kept) -> String {
    String::from_utf8_lossy(&kept.lock().unwrap()).into_owned()
}

/// What there is before patience ends.
fn waited<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let step = Duration::from_millis(20);
    (0..PATIENCE.as_millis() / step.as_millis()).find_map(|_| {
        let seen = look();
        if seen.is_none() {
            std::thread::sleep(step);
        }
        seen
    })
}

fn exchange(mut stream: impl Read + Write, request: &str) -> Vec<u8> {
    let mut answer = Vec::new();
    // A guard that refuses a head closes while more is written: what it said is the answer all the same.
    drop(
        stream
            .write_all(request.as_bytes())
            .and_then(|()| stream.flush()),
    );
    drop(stream.read_to_end(&mut answer));
    answer
}

fn kept(mut from: impl Read + Send + 'static) -> (Kept, JoinHandle<()>) {
    let kept = Kept::default();
    let keeping = Arc::clone(&kept);
    let reader = std::thread::spawn(move || {
        let mut buffer = [0; 8192];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            keeping.lock().unwrap().extend_from_slice(&buffer[..count]);
        }
    });
    (kept, reader)
}
