//! `AdminClient`: speaks with the admin listener of a guard that runs, by the credential of the policy.

use std::fmt;
use std::net::SocketAddr;

use portcullis_policy::{Method, SecretKey, SecretRef};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::args::AdminPlace;
use crate::asking::{Asked, ask, credential};
use crate::failure::Failure;
use crate::policy_source::read_policy;

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
pub(crate) struct AdminAnswer {
    status: u16,
    content: String,
}

/// There may be a key in it.
impl fmt::Debug for AdminAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AdminAnswer({}, ..)", self.status)
    }
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
        Ok(Self {
            address,
            credential: credential(name, &keys)?,
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
        let told = ask(&Asked {
            address: self.address,
            host: &self.address.to_string(),
            method,
            path: target,
            credential: Some(self.credential.clone()),
            body: content,
        })?;
        let content = String::from_utf8(told.content);
        Ok(AdminAnswer {
            status: told.status,
            content: content.map_err(|_no_text| Failure::usage("the guard answers no text"))?,
        })
    }
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
