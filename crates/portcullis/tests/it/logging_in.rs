//! An application that begins sessions, and a browser that logs in by it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};

use aws_lc_rs::hmac;
use portcullis_guard::base64url;
use portcullis_state::SystemClock;
use serde_json::Value;

use crate::guard_command::running::value;

/// The secret that it signs with.
pub(crate) const APPLICATION_SECRET: &str =
    "91d4e7b3508c2af65b1e9073cd42f8a60e7d35b9c8141f2a6b53e0879fcd24b1";

/// What it does besides logging in a user at `/login`.
#[derive(Clone, Copy)]
pub(crate) struct Ways {
    pub(crate) user: &'static str,
    /// More lines of the answer to a path; nothing where it closes without an answer.
    pub(crate) lines: fn(&str) -> Option<String>,
}

/// One of a user `u1` that does nothing else; where it listens.
pub(crate) fn application() -> SocketAddr {
    start(Ways {
        user: "u1",
        lines: |_| Some(String::new()),
    })
}

/// Where it listens. It ends with the test's process.
pub(crate) fn start(ways: Ways) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            // A guard that has gone away needs no answer.
            drop(serve(client, ways));
        }
    });
    address
}

fn serve(client: TcpStream, ways: Ways) -> std::io::Result<()> {
    let mut client = BufReader::new(client);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if client.read_line(&mut head)? == 0 {
            return Ok(());
        }
    }
    let length = value(&head, "content-length").unwrap_or("0");
    let mut body = vec![0; length.parse().unwrap()];
    client.read_exact(&mut body)?;
    let mut line = head.split(' ');
    let (method, target) = (line.next().unwrap(), line.next().unwrap());
    let path = target.split('?').next().unwrap();
    let Some(mut more) = (ways.lines)(path) else {
        return Ok(());
    };
    if path == "/login" {
        more += &format!(
            "Portcullis-Session: {}\r\n",
            word(&head, method, path, ways.user)
        );
    }
    let answer =
        format!("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n{more}\r\nok");
    client.get_mut().write_all(answer.as_bytes())
}

/// That somebody has logged in, as the application signs it.
fn word(head: &str, method: &str, path: &str, user: &str) -> String {
    let now = SystemClock::start().now().unix_seconds();
    let id = value(head, "x-request-id").unwrap();
    let claims = format!(
        r#"{{"aud":"portcullis","jti":"{id}","htm":"{method}","htu":"{path}","iat":{now},"exp":{},"op":"create","sub":"{user}"}}"#,
        now + 30
    );
    let header = r#"{"alg":"HS256","typ":"portcullis-session+jwt"}"#;
    let signed = [header, &claims]
        .map(|part| base64url::text(part.as_bytes()))
        .join(".");
    let secret = bytes_of_hex(APPLICATION_SECRET).unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
    let tag = hmac::sign(&key, signed.as_bytes());
    format!("{signed}.{}", base64url::text(tag.as_ref()))
}

/// The 32 bytes that a text of hex stands for.
pub(crate) fn bytes_of_hex(text: &str) -> Option<Vec<u8>> {
    let is_hex = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex.then(|| {
        let pairs = text.as_bytes().chunks(2);
        pairs
            .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect()
    })
}

/// A browser that is logged in at `https://shop.test`.
pub(crate) struct Browser<'s> {
    send: &'s (dyn Fn(&str) -> String + Sync),
    cookies: Vec<(String, String)>,
    token: String,
}

impl<'s> Browser<'s> {
    pub(crate) fn log_in(send: &'s (dyn Fn(&str) -> String + Sync)) -> Self {
        let mut browser = Self {
            send,
            cookies: Vec::new(),
            token: String::new(),
        };
        let given = browser.ask("POST", "/.portcullis/csrf");
        let (_, body) = given.split_once("\r\n\r\n").unwrap();
        let body: Value = serde_json::from_str(body).unwrap();
        body["token"]
            .as_str()
            .unwrap()
            .clone_into(&mut browser.token);
        let answer = browser.ask("POST", "/login");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        browser
    }

    /// One request with the cookies and a token; those of the answer are kept.
    pub(crate) fn ask(&mut self, method: &str, path: &str) -> String {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\nOrigin: https://shop.test\r\nSec-Fetch-Site: same-origin\r\n"
        );
        if !cookies.is_empty() {
            request += &format!("Cookie: {}\r\n", cookies.join("; "));
        }
        if method == "POST" {
            request += &format!("Content-Length: 0\r\nX-CSRF-Token: {}\r\n", self.token);
        }
        let answer = (self.send)(&(request + "\r\n"));
        for line in answer
            .lines()
            .filter_map(|line| line.strip_prefix("Set-Cookie: "))
        {
            let pair = line.split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.retain(|(one, _)| one != name);
            if line.contains("Max-Age=0") {
                continue;
            }
            self.cookies.push((name.to_owned(), value.to_owned()));
            if name.starts_with("__Host-pc-csrf-") {
                value.clone_into(&mut self.token);
            }
        }
        answer
    }
}
