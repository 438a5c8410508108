//! A `guard dev` that runs, and a client who trusts its authority.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};

use crate::folder::Folder;
use crate::guard_command::running::PATIENCE;
use crate::portcullis;

/// A guard that runs; killed with the test, if it did not end by itself.
pub(crate) struct DevGuard {
    child: Child,
    said: Receiver<String>,
    log: Receiver<String>,
    pub(crate) port: u16,
    /// All that it said until it served.
    pub(crate) opening: Vec<String>,
}

impl DevGuard {
    pub(crate) fn start(folder: &Folder, more: &[&str]) -> Self {
        let mut child = portcullis()
            .current_dir(folder.path())
            .args(["guard", "dev"])
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let said = lines(child.stderr.take().unwrap());
        let log = lines(child.stdout.take().unwrap());
        let mut guard = Self {
            child,
            said,
            log,
            port: 0,
            opening: Vec::new(),
        };
        let first = guard.says("guards");
        let port = first.split("https://localhost:").nth(1).unwrap();
        guard.port = port.split(' ').next().unwrap().parse().unwrap();
        guard.opening.push(first);
        guard
    }

    /// Waits for a line to the operator that holds these words.
    pub(crate) fn says(&self, words: &str) -> String {
        heard(&self.said, words)
    }

    /// The next lines to the operator, as many as are asked for.
    pub(crate) fn says_next(&self, count: usize) -> Vec<String> {
        (0..count)
            .map(|_| self.said.recv_timeout(PATIENCE).unwrap())
            .collect()
    }

    /// Waits for a line of the log that holds these words.
    pub(crate) fn logs(&self, words: &str) -> String {
        heard(&self.log, words)
    }

    /// The next line of the log.
    pub(crate) fn logs_next(&self) -> String {
        self.log.recv_timeout(PATIENCE).unwrap()
    }

    /// The answer to a request by who trusts the authority of a folder, whole.
    pub(crate) fn ask(&self, trusted: &Folder, request: &str) -> String {
        self.try_ask(&trust(trusted), request).unwrap()
    }

    /// The same by any client.
    pub(crate) fn try_ask(
        &self,
        config: &Arc<ClientConfig>,
        request: &str,
    ) -> std::io::Result<String> {
        let mut socket = TcpStream::connect(("127.0.0.1", self.port))?;
        socket.set_read_timeout(Some(PATIENCE))?;
        let name = ServerName::try_from("localhost").unwrap();
        let mut tls = ClientConnection::new(Arc::clone(config), name).unwrap();
        let mut stream = rustls::Stream::new(&mut tls, &mut socket);
        stream.write_all(request.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }

    pub(crate) fn get(&self, trusted: &Folder, path: &str) -> String {
        let host = format!("localhost:{}", self.port);
        self.ask(
            trusted,
            &format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"),
        )
    }

    pub(crate) fn end(mut self) -> ExitStatus {
        let killed = Command::new("kill")
            .args(["-INT", &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(killed.success());
        self.says("ending");
        self.child.wait().unwrap()
    }
}

impl Drop for DevGuard {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A client who trusts what the folder of a policy has, and nothing else.
pub(crate) fn trust(folder: &Folder) -> Arc<ClientConfig> {
    let pem = std::fs::read(folder.join(".portcullis/dev/ca.pem")).unwrap();
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(&pem).unwrap())
        .unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}

fn lines(from: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

fn heard(lines: &Receiver<String>, words: &str) -> String {
    loop {
        let line = lines.recv_timeout(PATIENCE);
        let line = line.unwrap_or_else(|_| panic!("it never said `{words}`"));
        if line.contains(words) {
            return line;
        }
    }
}
