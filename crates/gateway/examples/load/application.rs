//! `Application`: a small application that begins a session for whoever asks, by the protocol between it and the guard.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use aws_lc_rs::hmac;
use portcullis_guard::base64url;
use portcullis_state::{SystemClock, random_bytes};

use crate::Fault;

/// No head of the guard's is larger.
const HEAD_BYTES_MAX: u64 = 16 * 1024;

/// How long a connection may say nothing.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running one; until the program ends.
pub(crate) struct Application {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// What it signs with.
    pub(crate) secret: [u8; 32],
}

/// Listens on loopback.
pub(crate) fn start() -> Result<Application, Fault> {
    let secret = random_bytes()?;
    let key = Arc::new(hmac::Key::new(hmac::HMAC_SHA256, &secret));
    let clock = SystemClock::start();
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for (number, stream) in listener.incoming().map_while(Result::ok).enumerate() {
            // Whoever has asked sees that there is no answer.
            drop(answer(stream, number, &key, clock));
        }
    });
    Ok(Application { address, secret })
}

/// Answers one request, and closes.
fn answer(
    mut stream: TcpStream,
    number: usize,
    key: &hmac::Key,
    clock: SystemClock,
) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut lines = BufReader::new(stream.try_clone()?.take(HEAD_BYTES_MAX)).lines();
    let first = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    let mut id = String::new();
    for line in lines {
        let line = line?;
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("x-request-id")
        {
            value.trim().clone_into(&mut id);
        }
    }
    let word = word(&first, &id, number, key, clock.now().unix_seconds());
    let word = word.ok_or(io::ErrorKind::InvalidData)?;
    write!(
        stream,
        "HTTP/1.0 200 OK\r\nPortcullis-Session: {word}\r\nContent-Length: 2\r\nContent-Type: text/plain\r\n\r\nok"
    )
}

/// The word that begins a session of a user of this number, as an answer to a request of this first line and id.
fn word(first: &str, id: &str, number: usize, key: &hmac::Key, now: u64) -> Option<String> {
    let mut words = first.split(' ');
    let (method, target) = (words.next()?, words.next()?);
    let path = target.split('?').next()?;
    if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let end = now + 30;
    let claims = format!(
        r#"{{"aud":"portcullis","jti":"{id}","htm":"{method}","htu":"{path}","iat":{now},"exp":{end},"op":"create","sub":"user_{number}","roles":["user"]}}"#
    );
    let header = r#"{"alg":"HS256","typ":"portcullis-session+jwt"}"#;
    let signed = [header, &claims].map(|part| base64url::text(part.as_bytes()));
    let signed = signed.join(".");
    let tag = hmac::sign(key, signed.as_bytes());
    Some(format!("{signed}.{}", base64url::text(tag.as_ref())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_of_its_request() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]);
        let said = word("POST /login?a=b HTTP/1.1", "00ff", 3, &key, 100).unwrap();
        let parts: Vec<&str> = said.split('.').collect();
        let claims = base64url::read(parts[1].as_bytes()).unwrap();
        let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
        assert_eq!(
            (&claims["htu"], &claims["jti"]),
            (&"/login".into(), &"00ff".into())
        );
        assert_eq!(
            (&claims["sub"], &claims["exp"]),
            (&"user_3".into(), &130.into())
        );
        let tag = base64url::read(parts[2].as_bytes()).unwrap();
        let signed = format!("{}.{}", parts[0], parts[1]);
        assert!(hmac::verify(&key, signed.as_bytes(), &tag).is_ok());
        for (first, id) in [
            ("", "00"),
            ("POST", "00"),
            ("POST / HTTP/1.1", ""),
            ("POST / HTTP/1.1", "\""),
        ] {
            assert_eq!(word(first, id, 3, &key, 100), None, "{first} {id}");
        }
    }
}
