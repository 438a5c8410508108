//! The side that is measured: `portcullis guard`, with somebody logged in on each connection.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use portcullis_guard::base64url;
use portcullis_state::random_bytes;

use crate::Fault;
use crate::answer;
use crate::application::Application;
use crate::case::{Case, FOREIGN_COOKIE};
use crate::chain::{Chain, Expected, Request, TOKEN_COOKIE, connect, tokens};
use crate::processes::Processes;
use crate::run::Side;
use crate::upstream::{content, free, wait};

/// What is sent, to both sides.
pub(crate) const BODY: &str =
    r#"{"name":"item","price":1299,"note":"xxxxxxxxxxxxxxxxxxxxxxxxxxx"}"#;

/// The fields that all requests have: what a browser says of where they come from.
const FIELDS: &str =
    "Host: shop.example.com\r\nOrigin: https://shop.example.com\r\nSec-Fetch-Site: same-origin\r\n";

/// How the cookie of a session is called.
const SESSION_COOKIE: &str = "__Host-pc-sid=";

/// How the guard is started.
struct Start<'p> {
    program: &'p Path,
    case: &'p Case,
    folder: &'p Path,
    listen: SocketAddr,
    upstream: SocketAddr,
    secrets: [(&'static str, String); 3],
}

/// Starts it, and logs somebody in on each connection.
pub(crate) fn start(
    program: &Path,
    case: &'static Case,
    folder: &Path,
    (upstream, application): (SocketAddr, &Application),
    connections: usize,
) -> Result<Side, Fault> {
    let folder = folder.join(case.name);
    fs::create_dir_all(&folder)?;
    let drawn = || random_bytes::<32>().map(|bytes| base64url::text(&bytes));
    let start = Start {
        program,
        case,
        folder: &folder,
        listen: free()?,
        upstream,
        secrets: [
            ("SESSION_SECRET", drawn()?),
            ("CSRF_SECRET", drawn()?),
            ("APPLICATION_SECRET", base64url::text(&application.secret)),
        ],
    };
    let server = start.guard()?;
    let mut people = Vec::new();
    for number in 0..connections {
        people.push(if case.is_own {
            logged_in(start.listen)?
        } else {
            let cookie = format!("{FOREIGN_COOKIE}=session-{number}-{}", drawn()?);
            (cookie, None)
        });
    }
    let mut chains = Vec::new();
    for (cookies, token) in people {
        chains.push(start.chain(cookies, token)?);
    }
    if case.has_token
        && let Some(chain) = chains.first_mut()
    {
        chain.refuses_what_is_spent()?;
    }
    Ok(Side {
        name: case.name,
        server,
        chains,
    })
}

impl Start<'_> {
    fn guard(&self) -> Result<Processes, Fault> {
        let policy = self.folder.join("portcullis.toml");
        let events = self.folder.join("events.jsonl");
        let text = self.case.policy(self.listen, self.upstream, &events);
        fs::write(&policy, text)?;
        let said = self.folder.join("said");
        let mut command = Command::new(self.program);
        command.args(["guard", "--policy"]).arg(&policy);
        if self.case.is_own {
            command.arg("--state-dir").arg(self.folder.join("state"));
        }
        for (name, secret) in &self.secrets {
            command.env(name, secret);
        }
        let mut server = Processes::start(&mut command, fs::File::create(&said)?)?;
        wait(&mut server, self.listen, &said)?;
        Ok(server)
    }

    /// A connection of somebody with these cookies, and a token if there is one already.
    fn chain(&self, cookies: String, first: Option<String>) -> Result<Chain, Fault> {
        let token = match first {
            _ if !self.case.has_token => None,
            None => Some(token(self.listen, &cookies)?.0),
            Some(first) => Some(first),
        };
        let request = Request {
            head: format!("POST /items HTTP/1.1\r\n{FIELDS}Content-Type: application/json\r\n"),
            cookies,
            token,
            body: BODY,
        };
        let expected = Expected {
            content: content(self.case.is_told),
            brings_token: self.case.has_token,
        };
        Ok(Chain::open(self.listen, request, expected)?)
    }
}

/// A token for who has these cookies, with the cookies that came besides.
fn token(address: SocketAddr, cookies: &str) -> Result<(String, String), Fault> {
    let mut request = format!("POST /.portcullis/csrf HTTP/1.1\r\n{FIELDS}Content-Length: 0\r\n");
    if !cookies.is_empty() {
        write!(request, "Cookie: {cookies}\r\n")?;
    }
    request.push_str("\r\n");
    let mut stream = connect(address)?;
    stream.write_all(request.as_bytes())?;
    let given = answer::read(&mut stream, &mut Vec::new(), |answer| {
        let pairs = answer
            .all("set-cookie")
            .filter_map(|set| set.split(';').next());
        let others = pairs.filter(|pair| !pair.starts_with(TOKEN_COOKIE));
        let others = others.collect::<Vec<&str>>().join("; ");
        let token = tokens(answer).0.pop();
        token.map(|token| (token, others)).ok_or(answer.status)
    })?;
    given.map_err(|status| format!("the guard gives no token: {status}").into())
}

/// Logs somebody in; the cookie of the session, and the first token of it.
fn logged_in(address: SocketAddr) -> Result<(String, Option<String>), Fault> {
    let (token, pre) = token(address, "")?;
    let request = Request {
        head: format!("POST /login HTTP/1.1\r\n{FIELDS}Content-Type: application/json\r\n"),
        cookies: pre,
        token: Some(token),
        body: "{}",
    };
    let mut stream = connect(address)?;
    stream.write_all(request.text().as_bytes())?;
    let session = answer::read(&mut stream, &mut Vec::new(), |answer| {
        let mut pairs = answer
            .all("set-cookie")
            .filter_map(|set| set.split(';').next());
        let session = pairs.find(|pair| pair.starts_with(SESSION_COOKIE));
        let session = session.map(|session| (session.to_owned(), tokens(answer).0.pop()));
        session.ok_or(answer.status)
    })?;
    session.map_err(|status| format!("nobody is logged in: {status}").into())
}
