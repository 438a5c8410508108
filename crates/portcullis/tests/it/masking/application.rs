//! An application that begins sessions, and answers what a guard must refuse, with values in it that nobody may read.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};

use aws_lc_rs::hmac;
use portcullis_guard::base64url;
use portcullis_state::SystemClock;

use super::needles::bytes_of_hex;
use super::values::{APPLICATION_SECRET, BAD_FIELD, BAD_WORD, USER};
use crate::guard_command::running::value;

/// Where it listens. It ends with the test's process.
pub(super) fn start() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            // A guard that has gone away needs no answer.
            drop(serve(client));
        }
    });
    address
}

fn serve(client: TcpStream) -> std::io::Result<()> {
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
    let more = match path {
        "/login" => format!("Portcullis-Session: {}\r\n", word(&head, method, path)),
        "/says-too-much" => format!("Portcullis-Session: {BAD_WORD}\r\n"),
        "/malformed" => format!("{BAD_FIELD} : x\r\n"),
        "/cut" => return Ok(()),
        _ => String::new(),
    };
    let answer =
        format!("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n{more}\r\nok");
    client.get_mut().write_all(answer.as_bytes())
}

/// That somebody has logged in, as the application signs it.
fn word(head: &str, method: &str, path: &str) -> String {
    let now = SystemClock::start().now().unix_seconds();
    let id = value(head, "x-request-id").unwrap();
    let claims = format!(
        r#"{{"aud":"portcullis","jti":"{id}","htm":"{method}","htu":"{path}","iat":{now},"exp":{},"op":"create","sub":"{USER}"}}"#,
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
