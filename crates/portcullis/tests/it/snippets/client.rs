//! A client that keeps cookies and asks for tokens, as a browser with the documented script does.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// The origin that the policy of the examples names.
const HOST: &str = "shop.example.com";

pub(super) struct Client {
    address: SocketAddr,
    pub(super) cookies: BTreeMap<String, String>,
}

/// An answer.
pub(super) struct Answer {
    pub(super) status: u16,
    head: String,
    body: String,
}

impl Answer {
    /// The values of a field.
    pub(super) fn all(&self, name: &str) -> Vec<&str> {
        self.head
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(':'))
            .filter(|(one, _)| one.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
            .collect()
    }

    /// The object that is its body, with or without chunks around it.
    pub(super) fn json(&self) -> Value {
        let start = self.body.find('{').unwrap();
        let end = self.body.rfind('}').unwrap();
        serde_json::from_str(self.body.get(start..=end).unwrap()).unwrap()
    }
}

impl Client {
    pub(super) fn of(address: SocketAddr) -> Self {
        Self {
            address,
            cookies: BTreeMap::new(),
        }
    }

    pub(super) fn get(&mut self, path: &str) -> Answer {
        self.ask(&format!("GET {path}"), "", "")
    }

    /// Sends a form with a token of its own.
    pub(super) fn post(&mut self, path: &str, form: &str) -> Answer {
        let given = self.ask("POST /.portcullis/csrf", "", "");
        assert_eq!(given.status, 200, "{}{}", given.head, given.body);
        let given = given.json();
        let (field, token) = (&given["field"], &given["token"]);
        let token = format!("{}={}", field.as_str().unwrap(), token.as_str().unwrap());
        let form = if form.is_empty() {
            token
        } else {
            format!("{form}&{token}")
        };
        let kind = "Content-Type: application/x-www-form-urlencoded\r\n";
        self.ask(&format!("POST {path}"), kind, &form)
    }

    /// One request, with the cookies that are kept; those of the answer are kept in their place.
    pub(super) fn ask(&mut self, request: &str, fields: &str, body: &str) -> Answer {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let mut fields = format!("Host: {HOST}\r\n{fields}");
        if !cookies.is_empty() {
            fields += &format!("Cookie: {}\r\n", cookies.join("; "));
        }
        if request.starts_with("POST") {
            fields += &format!("Origin: https://{HOST}\r\nSec-Fetch-Site: same-origin\r\n");
        }
        let answer = ask(self.address, request, &fields, body);
        for line in answer.all("set-cookie") {
            let (pair, attributes) = line.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }
}

/// One request on a connection of its own, as it stands.
pub(super) fn ask(address: SocketAddr, request: &str, fields: &str, body: &str) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    let patience = Some(Duration::from_secs(20));
    stream.set_read_timeout(patience).unwrap();
    let content = if request.starts_with("POST") {
        format!("Content-Length: {}\r\n", body.len())
    } else {
        String::new()
    };
    let text = format!("{request} HTTP/1.1\r\n{fields}Connection: close\r\n{content}\r\n{body}");
    stream.write_all(text.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    Answer {
        status: head.split(' ').nth(1).unwrap().parse().unwrap(),
        head: head.to_owned(),
        body: body.to_owned(),
    }
}
