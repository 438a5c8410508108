//! `Browser`: keeps cookies and sends what browsers send, as far as the guard's own cookies go; and an application that begins and
//! ends sessions.

use std::fmt::Write as _;

use aws_lc_rs::hmac;
use portcullis_guard::base64url;
use portcullis_state::SystemClock;

use super::gate::SEED;
use super::{Answer, Client, Gate, Request, Upstream};

/// The page of a shop that has logins.
pub(crate) const POLICY: &str = r#"
[identity.session]
secret = "env:SESSION"
[identity.csrf]
secret = "env:CSRF"
[identity.application]
secret = "env:APPLICATION"
audience = "shop"

[limits.roomy]
rate = "1000000 per 1s"
[limits.logins]
rate = "1000 per 1m"
algorithm = "exact"

[[route]]
path = "/"
methods = ["GET"]
type = "public_read"

[[route]]
path = "/login"
methods = ["POST"]
type = "auth_op"
limits = ["logins"]

[[route]]
path = "/logout"
methods = ["POST"]
type = "protected_mutation"
limits = ["roomy"]

[[route]]
path = "/me"
methods = ["GET"]
type = "protected_read"

[[route]]
path = "/items"
methods = ["POST", "DELETE"]
type = "protected_mutation"
limits = ["roomy"]

[[route]]
path = "/contact"
methods = ["POST"]
type = "public_form"
limits = ["roomy"]
"#;

/// The whole policy before an application.
pub(crate) fn shop(upstream: &Upstream) -> String {
    format!(
        "version = 1\npublic_url = \"https://shop.test\"\nupstream = \"http://{}\"\n{POLICY}",
        upstream.address()
    )
}

/// What an application says of sessions on its answer to a request. What it is told to say comes in the request's `X-Say`.
pub(crate) fn application() -> Upstream {
    Upstream::by_request(|request| {
        let said = request.all("x-say").first().map(|say| word(request, say));
        let kind = match request.all("x-kind").first() {
            Some(kind) => (*kind).to_owned(),
            None => "application/json".to_owned(),
        };
        let mut answer =
            format!("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: {kind}\r\n");
        if let Some(said) = said {
            write!(answer, "Portcullis-Session: {said}\r\n").unwrap();
        }
        answer.push_str("\r\nok");
        answer.into_bytes()
    })
}

/// A word of the application's on a request, with these claims besides.
pub(crate) fn word(request: &Request, claims: &str) -> String {
    let mut line = request.line.split(' ');
    let (method, target) = (line.next().unwrap(), line.next().unwrap());
    let path = target.split('?').next().unwrap();
    let now = SystemClock::start().now().unix_seconds();
    let (id, end) = (request.one("x-request-id"), now + 30);
    signed(
        &format!(
            r#"{{"aud":"portcullis","jti":"{id}","htm":"{method}","htu":"{path}","iat":{now},"exp":{end},{claims}}}"#
        ),
        &SEED,
    )
}

/// Signed as an application does.
pub(crate) fn signed(claims: &str, secret: &[u8]) -> String {
    let header = r#"{"alg":"HS256","typ":"portcullis-session+jwt"}"#;
    let signed = [header, claims]
        .map(|part| base64url::text(part.as_bytes()))
        .join(".");
    let tag = hmac::sign(
        &hmac::Key::new(hmac::HMAC_SHA256, secret),
        signed.as_bytes(),
    );
    format!("{signed}.{}", base64url::text(tag.as_ref()))
}

/// A browser on a page of the shop.
#[derive(Clone, Debug, Default)]
pub(crate) struct Browser {
    /// The cookies it has, in the order in which it got them.
    pub(crate) cookies: Vec<(String, String)>,
}

/// A request of its page.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    line: String,
    lines: Vec<String>,
    body: String,
    is_from_page: bool,
}

/// A request that a script of the page sends.
pub(crate) fn send(line: &str) -> Sent {
    Sent {
        line: line.to_owned(),
        lines: Vec::new(),
        body: String::new(),
        is_from_page: true,
    }
}

impl Sent {
    /// With one more line.
    pub(crate) fn with(mut self, line: impl Into<String>) -> Self {
        self.lines.push(line.into());
        self
    }

    /// With a token in the header field.
    pub(crate) fn token(self, token: &str) -> Self {
        self.with(format!("X-CSRF-Token: {token}"))
    }

    /// With what the application is to say of sessions.
    pub(crate) fn says(self, claims: &str) -> Self {
        self.with(format!("X-Say: {claims}"))
    }

    /// With a body of a type.
    pub(crate) fn body(mut self, kind: &str, body: &str) -> Self {
        body.clone_into(&mut self.body);
        self.with(format!("Content-Type: {kind}"))
    }

    /// Without what a browser says of where it comes from.
    pub(crate) fn unsaid(mut self) -> Self {
        self.is_from_page = false;
        self
    }
}

impl Browser {
    /// The bytes of a request with the cookies.
    pub(crate) fn bytes(&self, sent: &Sent) -> String {
        let mut bytes = format!("{} HTTP/1.1\r\nHost: shop.test\r\n", sent.line);
        if sent.is_from_page {
            bytes.push_str("Sec-Fetch-Site: same-origin\r\nOrigin: https://shop.test\r\n");
        }
        for line in &sent.lines {
            write!(bytes, "{line}\r\n").unwrap();
        }
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        if !cookies.is_empty() {
            write!(bytes, "Cookie: {}\r\n", cookies.join("; ")).unwrap();
        }
        if !sent.line.starts_with("GET") || !sent.body.is_empty() {
            write!(bytes, "Content-Length: {}\r\n", sent.body.len()).unwrap();
        }
        bytes + "\r\n" + &sent.body
    }

    /// Sends a request and keeps what the answer says of cookies.
    pub(crate) fn ask(&mut self, client: &mut Client, sent: Sent) -> Answer {
        let answer = client.ask(self.bytes(&sent));
        self.keep(&answer);
        answer
    }

    /// Keeps what an answer says of cookies. Each of the guard's own is `__Host-`, or a browser would not take it.
    pub(crate) fn keep(&mut self, answer: &Answer) {
        for set in answer.all("set-cookie") {
            let (pair, attributes) = set.split_once("; ").unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            assert!(name.starts_with("__Host-pc-"), "{set}");
            assert!(attributes.contains("Path=/; Secure") && !attributes.contains("Domain"));
            self.cookies.retain(|(one, _)| one != name);
            if !attributes.contains("Max-Age=0") {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
    }

    /// The value of a cookie.
    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        let found = self.cookies.iter().find(|(one, _)| one == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The tokens it has, the first one first.
    pub(crate) fn tokens(&self) -> Vec<String> {
        let tokens = self.cookies.iter();
        tokens
            .filter(|(name, _)| name.starts_with("__Host-pc-csrf-"))
            .map(|(_, value)| value.clone())
            .collect()
    }

    /// Asks for a token.
    pub(crate) fn get_token(&mut self, client: &mut Client) -> String {
        let answer = self.ask(client, send("POST /.portcullis/csrf"));
        assert_eq!(answer.status, 200, "{answer:?}");
        let told: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        let token = told["token"].as_str().unwrap().to_owned();
        assert!(self.tokens().contains(&token));
        token
    }

    /// Logs somebody in; the token that the answer brings.
    pub(crate) fn log_in(&mut self, client: &mut Client, user: &str) -> String {
        let token = self.get_token(client);
        let says = format!(r#""op":"create","sub":"{user}""#);
        let answer = self.ask(client, send("POST /login").token(&token).says(&says));
        assert_eq!(answer.status, 200, "{answer:?}");
        assert!(self.cookie("__Host-pc-sid").is_some(), "{answer:?}");
        let tokens = self.tokens();
        assert_eq!(tokens.len(), 1, "{tokens:?}");
        tokens[0].clone()
    }
}

/// A browser that is logged in, with a token.
pub(crate) fn logged_in(gate: &Gate, user: &str) -> (Browser, Client, String) {
    let (mut browser, mut client) = (Browser::default(), gate.client());
    let token = browser.log_in(&mut client, user);
    (browser, client, token)
}

/// Sends what changes something with a token; the status.
pub(crate) fn put(browser: &mut Browser, client: &mut Client, token: &str) -> u16 {
    browser.ask(client, send("POST /items").token(token)).status
}

/// The name of the cookie of a token.
pub(crate) fn cookie_of(token: &str) -> String {
    format!("__Host-pc-csrf-{}", token.get(..8).unwrap())
}
