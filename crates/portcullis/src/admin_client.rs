//! `AdminClient`: speaks with the admin listener of a guard that runs, by the credential of the policy.

use std::fmt;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use portcullis_guard::http1::{HeadBounds, Parsed, parse_response_head};
use portcullis_policy::{Method, SecretKey, SecretRef};
use portcullis_state::SystemClock;
use portcullis_state::keys::SecretReader;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::args::AdminPlace;
use crate::environment::variable_os;
use crate::failure::Failure;
use crate::policy_source::read_policy;

/// How long each step of an exchange may take: the listener itself ends one after five seconds.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many bytes an answer has at most: 64 keys with 32 long scopes each are fewer.
const ANSWER_BYTES_MAX: u64 = 4 << 20;

/// The listener, and what opens it.
pub(crate) struct AdminClient {
    address: SocketAddr,
    credential: Zeroizing<String>,
}

/// The credential is none of a log's business.
impl fmt::Debug for AdminClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AdminClient({}, ..)", self.address)
    }
}

/// What the listener answered.
#[derive(Debug)]
pub(crate) struct AdminAnswer {
    status: u16,
    content: String,
}

impl AdminClient {
    /// The listener that the arguments or the policy name.
    ///
    /// # Errors
    ///
    /// Where nothing names it, or the credential is not there.
    pub(crate) fn of(place: &AdminPlace) -> Result<Self, Failure> {
        let policy = if place.admin.is_some() && place.admin_secret.is_some() {
            None
        } else {
            Some(read_policy(&place.policy)?.0)
        };
        let proxy = policy.as_ref().map(|policy| policy.proxy());
        let missing = |key: &str, option: &str| {
            let name = place.policy.display();
            Failure::usage(format!(
                "`{name}` does not say where its guard is asked: add `{key}` to `[proxy]`, or say `{option}`"
            ))
        };
        let stated = proxy.and_then(|proxy| proxy.admin);
        let address = place.admin.or(stated);
        let address = address.ok_or_else(|| missing("admin", "--admin ADDRESS"))?;
        let (name, keys) = match &place.admin_secret {
            Some(text) => {
                let key = text.parse::<SecretRef>().map_err(|_fault| {
                    Failure::usage("`--admin-secret` says where the credential is kept: `env:NAME` or `file:PATH`")
                })?;
                let alone = SecretKey {
                    kid: None,
                    key,
                    not_after: None,
                };
                ("--admin-secret", vec![alone])
            }
            None => {
                let stated = proxy.and_then(|proxy| proxy.admin_secret.as_ref());
                let stated =
                    stated.ok_or_else(|| missing("admin_secret", "--admin-secret env:NAME"))?;
                ("proxy.admin_secret", stated.as_slice().to_vec())
            }
        };
        // As the guard reads it: what it would refuse does not leave this program.
        let now = SystemClock::start().now();
        let read = SecretReader::new(&variable_os).read(name, &keys, now);
        let credential = read.and_then(|secret| secret.credential());
        let credential = credential.map_err(|error| Failure::caused("", &error))?;
        Ok(Self {
            address,
            credential,
        })
    }

    /// Asks, and reads the whole answer.
    ///
    /// # Errors
    ///
    /// Where no guard answers there, or what answers is none.
    pub(crate) fn ask(
        &self,
        method: Method,
        target: &str,
        content: Option<&Value>,
    ) -> Result<AdminAnswer, Failure> {
        let address = self.address;
        let failed = |error: &std::io::Error| {
            let what = match error.kind() {
                ErrorKind::ConnectionRefused => {
                    format!("no guard listens at {address}: start it, or say `--admin ADDRESS`")
                }
                _ => format!("the guard at {address} did not answer: {error}"),
            };
            Failure::usage(what)
        };
        let answer = self.exchange(method, target, content);
        let answer = answer.map_err(|error| failed(&error))?;
        read(&answer, method).ok_or_else(|| {
            Failure::usage(format!(
                "what answers at {address} is no admin listener of a guard"
            ))
        })
    }

    fn exchange(
        &self,
        method: Method,
        target: &str,
        content: Option<&Value>,
    ) -> std::io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect_timeout(&self.address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let content = content.map(Value::to_string).unwrap_or_default();
        let (address, credential, length) = (self.address, self.credential.as_str(), content.len());
        let head = Zeroizing::new(format!(
            "{method} {target} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {credential}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
        ));
        stream.write_all(head.as_bytes())?;
        stream.write_all(content.as_bytes())?;
        let mut answer = Vec::new();
        stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer)?;
        Ok(answer)
    }
}

fn read(answer: &[u8], method: Method) -> Option<AdminAnswer> {
    let parsed = parse_response_head(answer, &HeadBounds::STANDARD, method);
    let Ok(Parsed::Complete { head, len }) = parsed else {
        return None;
    };
    let content = answer.get(len..)?;
    // What was cut off is no answer.
    let length = u64::try_from(content.len()).ok()?;
    if head.content_length() != Some(length) {
        return None;
    }
    Some(AdminAnswer {
        status: head.status(),
        content: str::from_utf8(content).ok()?.to_owned(),
    })
}

impl AdminAnswer {
    /// Its JSON; nothing where what was asked about is not there.
    ///
    /// # Errors
    ///
    /// What the guard says against it.
    pub(crate) fn json(&self) -> Result<Option<Value>, Failure> {
        let said = self.content.trim();
        match self.status {
            200 | 201 => serde_json::from_str(said)
                .map(Some)
                .map_err(|_fault| Failure::usage("the answer of the guard is no JSON")),
            // Text that begins with a path lists what is there: the policy in force has nothing of the kind.
            404 if said.starts_with('/') => Err(Failure::usage(
                "the policy that is in force has nothing of this kind: look at its `[identity]` and `admin_secret`",
            )),
            404 => Ok(None),
            401 => Err(Failure::usage(
                "the guard does not take the credential: is it the one of the policy that is in force?",
            )),
            429 => Err(Failure::usage(
                "the guard does not take the credential, and was asked too often without one: wait a minute",
            )),
            503 => Err(Failure::usage(format!("the guard did not do it: {said}"))),
            _ => Err(Failure::usage(format!("the guard refuses it: {said}"))),
        }
    }
}

/// A text as a value of a query (RFC 3986 §2.1).
pub(crate) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~@:".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_a_query_has_one_meaning() {
        for (text, expected) in [
            ("u1", "u1"),
            ("a@b.example", "a@b.example"),
            ("a b+c&d=e%", "a%20b%2Bc%26d%3De%25"),
            ("\u{e9}", "%C3%A9"),
        ] {
            assert_eq!(encoded(text), expected);
        }
    }

    #[test]
    fn only_a_whole_answer_is_one() {
        let good = "HTTP/1.1 200 \r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}";
        let answer = read(good.as_bytes(), Method::Get).unwrap();
        assert_eq!((answer.status, answer.content.as_str()), (200, "{}"));
        for cut in 0..good.len() {
            assert!(
                read(&good.as_bytes()[..cut], Method::Get).is_none(),
                "{cut}"
            );
        }
        assert!(read(format!("{good}x").as_bytes(), Method::Get).is_none());
        assert!(read(b"SSH-2.0-x\r\n", Method::Get).is_none());
    }

    #[test]
    fn each_status_says_what_to_do() {
        let json = |status, content: &str| {
            let content = content.to_owned();
            AdminAnswer { status, content }.json()
        };
        assert_eq!(json(201, "{}\n").unwrap(), Some(serde_json::json!({})));
        assert_eq!(json(404, "there is no such key\n").unwrap(), None);
        for (status, content, words) in [
            (200, "nonsense", "no JSON"),
            (404, "/live, /ready\n", "nothing of this kind"),
            (401, "", "credential"),
            (429, "", "wait"),
            (409, "it is changing", "it is changing"),
            (503, "the store does not say", "did not do it"),
        ] {
            let failure = json(status, content).unwrap_err();
            assert!(failure.message().contains(words), "{status}");
        }
    }
}
