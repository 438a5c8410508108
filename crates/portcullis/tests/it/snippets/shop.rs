//! One of the small applications behind a guard with the policy of the examples.

use std::io::{BufRead as _, BufReader, Read};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};

use super::client::Client;
use super::tap::Tap;
use crate::folder::Folder;
use crate::portcullis;

/// Drawn for this test, and known to nobody else.
const SECRETS: [(&str, &str); 3] = [
    (
        "PORTCULLIS_SESSION_SECRET",
        "b1946ac92492d2347c6235b4d2611184d3a1f0957be2c8460d5ffa617f3c92e0",
    ),
    (
        "PORTCULLIS_CSRF_SECRET",
        "5d41402abc4b2a76b9719d911017c592e6c0b7a84f93d1528ea03bd4f7651c39",
    ),
    (
        "PORTCULLIS_APPLICATION_SECRET",
        "7d793037a0760186574b0282f2f435e7f9b61de52a04cb738e1540f6d8a3972c",
    ),
];

/// A process that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended by itself cannot be killed.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

pub(super) struct Shop {
    pub(super) guard: SocketAddr,
    pub(super) application: SocketAddr,
    pub(super) tap: Tap,
    _running: [Running; 2],
    _folder: Folder,
}

impl Shop {
    /// Starts the application by a command, then the guard before it.
    pub(super) fn open(command: &mut Command) -> Self {
        let guard = free_address();
        command
            .env("PORT", "0")
            .env("PORTCULLIS_GUARD", format!("http://{guard}"))
            .env("PORTCULLIS_ISSUER", "https://shop.example.com")
            .env("PORTCULLIS_AUDIENCE", "shop")
            .envs(SECRETS.into_iter().skip(2))
            .stdout(Stdio::piped());
        let (application, said) = start(command, |child| Box::new(child.stdout.take().unwrap()));
        let address: SocketAddr = said.rsplit(' ').next().unwrap().parse().unwrap();
        let tap = Tap::before(address);

        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/applications");
        let policy = std::fs::read_to_string(format!("{folder}/portcullis.toml")).unwrap();
        let policy = policy
            .replace("127.0.0.1:8080", &guard.to_string())
            .replace("127.0.0.1:3000", &tap.address.to_string());
        let folder = Folder::with(&[("portcullis.toml", &policy)]);
        let mut command = portcullis();
        command
            .current_dir(folder.path())
            .args(["guard", "--workers", "2"])
            .envs(SECRETS)
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let (running, said) = start(&mut command, |child| Box::new(child.stderr.take().unwrap()));
        assert!(said.contains("guarding "), "{said}");
        Self {
            guard,
            application: address,
            tap,
            _running: [application, running],
            _folder: folder,
        }
    }

    pub(super) fn client(&self) -> Client {
        Client::of(self.guard)
    }
}

/// Starts a program, and waits for the first line that it says.
fn start(
    command: &mut Command,
    voice: impl Fn(&mut Child) -> Box<dyn Read + Send>,
) -> (Running, String) {
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(voice(&mut child)).lines();
    let running = Running(child);
    let said = lines.next().unwrap().unwrap();
    // Somebody has to read what it says, or it would wait for room.
    std::thread::spawn(move || lines.for_each(drop));
    (running, said)
}

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}
