//! A guard that runs, and a small application behind it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use crate::folder::Folder;
use crate::portcullis;

/// Longer than anything here takes on a slow machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// An application that answers every request alike, and hands over what it was sent.
pub(crate) struct Upstream {
    address: SocketAddr,
    pub(crate) seen: Receiver<String>,
}

impl Upstream {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, seen) = channel();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let mut client = BufReader::new(client);
                let Some(head) = head_of(&mut client) else {
                    continue;
                };
                let length = value(&head, "content-length").unwrap_or("0");
                let mut body = vec![0; length.parse().unwrap()];
                client.read_exact(&mut body).unwrap();
                let answer = "HTTP/1.1 200 OK\r\nServer: tiny\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello";
                client.get_mut().write_all(answer.as_bytes()).unwrap();
                if sender
                    .send(head + &String::from_utf8(body).unwrap())
                    .is_err()
                {
                    return;
                }
            }
        });
        Self { address, seen }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn policy(&self) -> String {
        let address = self.address;
        format!(
            "version = 1\nupstream = \"http://{address}\"\nhosts = [\"shop.test\"]\n\n\
             [limits.contact]\nrate = \"1 per 1m\"\n\n\
             [[route]]\npath = \"/api/items\"\nmethods = [\"GET\"]\ntype = \"public_read\"\n\n\
             [[route]]\npath = \"/api/contact\"\nmethods = [\"POST\"]\ntype = \"public_form\"\nlimits = [\"contact\"]\n"
        )
    }
}

fn head_of(client: &mut BufReader<TcpStream>) -> Option<String> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if client.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    Some(head)
}

/// The value of a field of a head.
pub(crate) fn value<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    head.lines().find_map(|line| {
        let (one, value) = line.split_once(':')?;
        one.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// A guard that runs; killed with the test, if it did not end by itself.
pub(crate) struct Guard {
    child: Child,
    lines: Receiver<String>,
    pub(crate) address: SocketAddr,
    pub(crate) admin: SocketAddr,
}

impl Guard {
    /// One that says this before it serves.
    pub(crate) fn start_saying(folder: &Folder, words: &str) -> Self {
        Self::started(folder, &[], Some(words))
    }

    pub(crate) fn start(folder: &Folder, more: &[&str]) -> Self {
        Self::started(folder, more, None)
    }

    fn started(folder: &Folder, more: &[&str], before: Option<&str>) -> Self {
        let mut child = portcullis()
            .current_dir(folder.path())
            .args([
                "guard",
                "--listen",
                "127.0.0.1:0",
                "--admin",
                "127.0.0.1:0",
                "--workers",
                "1",
            ])
            .args(more)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut guard = Self {
            child,
            lines,
            address: nowhere,
            admin: nowhere,
        };
        if let Some(words) = before {
            guard.says(words);
        }
        let started = guard.says("guarding ");
        let started = started.replace("https://", "http://");
        let mut addresses = started.split("http://127.0.0.1:").skip(2).map(|rest| {
            rest.split([',', ';'])
                .next()
                .unwrap()
                .trim()
                .parse::<u16>()
                .unwrap()
        });
        guard.address.set_port(addresses.next().unwrap());
        guard.admin.set_port(addresses.next().unwrap());
        guard
    }

    /// Where the admin listener is.
    pub(crate) const fn admin_address(&self) -> SocketAddr {
        self.admin
    }

    /// Waits for a line that holds these words.
    pub(crate) fn says(&self, words: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|_| panic!("it never said `{words}`"));
            if line.contains(words) {
                return line;
            }
        }
    }

    /// The answer to a request, whole.
    pub(crate) fn ask(&self, request: &str) -> String {
        ask(self.address, request)
    }

    pub(crate) fn get(&self, path: &str) -> String {
        self.ask(&format!(
            "GET {path} HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n"
        ))
    }

    pub(crate) fn admin(&self, path: &str) -> String {
        let host = self.admin;
        ask(
            host,
            &format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n"),
        )
    }

    pub(crate) fn signal(&self, name: &str) {
        let killed = Command::new("kill")
            .args([&format!("-{name}"), &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(killed.success());
    }

    pub(crate) fn end(mut self) -> ExitStatus {
        self.signal("TERM");
        self.says("ending: no new connections");
        for _ in 0..PATIENCE.as_millis() / 20 {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("it did not end");
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

pub(crate) fn ask(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
