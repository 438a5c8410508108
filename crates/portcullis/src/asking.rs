//! `ask`: one request to a guard that runs, in the clear: to its own port or to its admin listener, on this machine or in its net.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use portcullis_guard::http1::{HeadBounds, Parsed, ResponseFraming, parse_response_head};
use portcullis_policy::{Method, SecretKey};
use portcullis_state::SystemClock;
use portcullis_state::keys::SecretReader;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::environment::variable_os;
use crate::failure::Failure;

/// How long the guard may take for each step.
const PATIENCE: Duration = Duration::from_secs(10);

/// The longest answer: a list of keys, each with all the scopes that it may have.
const ANSWER_BYTES_MAX: u64 = 4 << 20;

/// What is asked.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    /// Where the guard listens.
    pub(crate) address: SocketAddr,
    /// The host that it answers for.
    pub(crate) host: &'a str,
    /// How.
    pub(crate) method: Method,
    /// What for.
    pub(crate) path: &'a str,
    /// The credential that is shown, as it is written; none where the content has one.
    pub(crate) credential: Option<Zeroizing<String>>,
    /// The content, where there is any.
    pub(crate) body: Option<&'a Value>,
}

/// The answer: its status and its content.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) status: u16,
    pub(crate) content: Vec<u8>,
}

/// Asks once.
pub(crate) fn ask(asked: &Asked<'_>) -> Result<Told, Failure> {
    let address = asked.address;
    let failed = |error: std::io::Error| {
        Failure::caused(
            &format!("no guard answers at {address}: start it, or say where it is"),
            &error,
        )
    };
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).map_err(failed)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
    stream.set_write_timeout(Some(PATIENCE)).map_err(failed)?;
    let body = asked.body.map(Value::to_string).unwrap_or_default();
    let body = Zeroizing::new(body);
    let mut request = Zeroizing::new(format!(
        "{} {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n",
        asked.method,
        asked.path,
        asked.host,
        body.len()
    ));
    if let Some(credential) = &asked.credential {
        request.push_str("Authorization: Bearer ");
        request.push_str(credential);
        request.push_str("\r\n");
    }
    request.push_str("\r\n");
    request.push_str(&body);
    stream.write_all(request.as_bytes()).map_err(failed)?;
    let mut answer = Vec::new();
    let read = stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer);
    read.map_err(failed)?;
    told(&answer, asked.method).ok_or_else(|| {
        Failure::usage(format!(
            "what answers at {address} is no guard: say where it is"
        ))
    })
}

/// A whole answer of strict HTTP/1.1, with its length.
fn told(answer: &[u8], method: Method) -> Option<Told> {
    let read = parse_response_head(answer, &HeadBounds::STANDARD, method);
    let Ok(Parsed::Complete { head, len }) = read else {
        return None;
    };
    let ResponseFraming::Length(length) = head.framing() else {
        return None;
    };
    let content = answer.get(len..)?;
    (u64::try_from(content.len()) == Ok(length)).then(|| Told {
        status: head.status(),
        content: content.to_vec(),
    })
}

/// A credential of the policy as it is shown to a guard, read as the guard reads it: what it would refuse does not leave this program.
///
/// # Errors
///
/// What is wrong with it, of which nothing is repeated.
pub(crate) fn credential(name: &str, keys: &[SecretKey]) -> Result<Zeroizing<String>, Failure> {
    let now = SystemClock::start().now();
    let read = SecretReader::new(&variable_os).read(name, keys, now);
    let credential = read.and_then(|secret| secret.credential());
    credential.map_err(|error| Failure::caused("", &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_answer_is_one() {
        let good = "HTTP/1.1 200 \r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}";
        let answer = told(good.as_bytes(), Method::Get).unwrap();
        assert_eq!(
            (answer.status, answer.content.as_slice()),
            (200, &b"{}"[..])
        );
        for cut in 0..good.len() {
            assert!(
                told(&good.as_bytes()[..cut], Method::Get).is_none(),
                "{cut}"
            );
        }
        assert!(told(format!("{good}x").as_bytes(), Method::Get).is_none());
        assert!(told(b"SSH-2.0-x\r\n", Method::Get).is_none());
    }
}
