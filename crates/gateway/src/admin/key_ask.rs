//! `KeyAsk`: what somebody asks of API keys, as the method, the target and the content have it.

use std::time::Duration;

use serde::Deserialize;

use portcullis_guard::api_key::ApiKeyId;
use portcullis_policy::Method;
use portcullis_state::api_keys::KeyWish;

use super::ask::path_and_user;
use super::reply::Reply;

/// How long a key lives where nothing is said, unless the policy lets it live less.
const LIFETIME: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// How long the secret before is accepted where nothing is said.
const OVERLAP: Duration = Duration::from_secs(24 * 60 * 60);

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum KeyAsk {
    /// Make one.
    Create(KeyWish),
    /// Those of a user.
    List(String),
    /// Give one another secret.
    Rotate {
        id: ApiKeyId,
        overlap: Duration,
        lifetime: Option<Duration>,
    },
    /// Revoke one.
    Revoke(ApiKeyId),
    /// Revoke all of a user.
    RevokeAll(String),
}

/// The content of `POST /keys`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Create {
    user: String,
    #[serde(default)]
    tenant: Option<String>,
    name: String,
    #[serde(default)]
    scopes: Vec<String>,
    #[serde(default)]
    lifetime_seconds: Option<u64>,
}

/// The content of `POST /keys/ID/rotate`, which may be left out.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rotate {
    #[serde(default)]
    overlap_seconds: Option<u64>,
    #[serde(default)]
    lifetime_seconds: Option<u64>,
}

/// Whether a target is about keys at all. What is near it is not: `/keysx`.
pub(super) fn is_of_keys(target: &[u8]) -> bool {
    let rest = target.strip_prefix(b"/keys".as_slice());
    rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'/' | b'?')))
}

impl KeyAsk {
    /// Reads it. `lifetime_max` is how long the policy lets a key live.
    ///
    /// # Errors
    ///
    /// The answer that says what is wrong, without a word of what was sent.
    pub(super) fn read(
        method: Method,
        target: &[u8],
        content: &[u8],
        lifetime_max: Duration,
    ) -> Result<Self, Reply> {
        let ask = match target.strip_prefix(b"/keys".as_slice()) {
            Some(b"") if method == Method::Post => {
                return create(content, lifetime_max).map(Self::Create);
            }
            Some(b"") if method == Method::Get || method == Method::Delete => {
                return Err(malformed("say whose: `?user=ID`, and nothing beside it"));
            }
            Some([b'?', ..]) if method == Method::Get => {
                Self::List(path_and_user(target).map_err(malformed)?.1)
            }
            Some([b'?', ..]) if method == Method::Delete => {
                Self::RevokeAll(path_and_user(target).map_err(malformed)?.1)
            }
            Some([b'/', rest @ ..]) => return of_one(method, rest, content),
            _ => {
                let reply = Reply::text(405, "GET, POST and DELETE are here\n");
                return Err(reply.with("Allow: GET, POST, DELETE\r\n"));
            }
        };
        without(content).map(|()| ask)
    }
}

/// `ID` and `ID/rotate`.
fn of_one(method: Method, rest: &[u8], content: &[u8]) -> Result<KeyAsk, Reply> {
    let (id, is_rotate) = match rest.strip_suffix(b"/rotate".as_slice()) {
        Some(id) => (id, true),
        None => (rest, false),
    };
    let id = ApiKeyId::read(id);
    let id =
        id.map_err(|_fault| malformed("a key is called by the 16 digits behind its prefix"))?;
    match (is_rotate, method) {
        (false, Method::Delete) => without(content).map(|()| KeyAsk::Revoke(id)),
        (false, _) => Err(Reply::text(405, "DELETE is here\n").with("Allow: DELETE\r\n")),
        (true, Method::Post) => {
            let stated = if content.is_empty() {
                Rotate::default()
            } else {
                json(content)?
            };
            Ok(KeyAsk::Rotate {
                id,
                overlap: stated.overlap_seconds.map_or(OVERLAP, Duration::from_secs),
                lifetime: stated.lifetime_seconds.map(Duration::from_secs),
            })
        }
        (true, _) => Err(Reply::text(405, "POST is here\n").with("Allow: POST\r\n")),
    }
}

fn create(content: &[u8], lifetime_max: Duration) -> Result<KeyWish, Reply> {
    let stated: Create = json(content)?;
    let lifetime = stated.lifetime_seconds.map(Duration::from_secs);
    Ok(KeyWish {
        user: stated.user,
        tenant: stated.tenant,
        name: stated.name,
        scopes: stated.scopes,
        lifetime: lifetime.unwrap_or(LIFETIME.min(lifetime_max)),
    })
}

/// Strict: a name that is not known, or stands twice, is a fault (RFC 8259 §4). What is wrong is not quoted.
fn json<'c, T: Deserialize<'c>>(content: &'c [u8]) -> Result<T, Reply> {
    const WANTED: &str = "one JSON object is wanted, with the names of the guide and no others";
    // A list of the values without their names would be read too.
    if !content.trim_ascii_start().starts_with(b"{") {
        return Err(malformed(WANTED));
    }
    serde_json::from_slice(content).map_err(|_fault| malformed(WANTED))
}

fn without(content: &[u8]) -> Result<(), Reply> {
    if content.is_empty() {
        return Ok(());
    }
    Err(malformed("nothing here takes content"))
}

fn malformed(why: &'static str) -> Reply {
    Reply::text(400, format!("{why}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: Duration = Duration::from_secs(30 * 24 * 60 * 60);

    fn read(method: Method, target: &str, content: &str) -> Result<KeyAsk, u16> {
        let read = KeyAsk::read(method, target.as_bytes(), content.as_bytes(), MAX);
        read.map_err(|reply| reply.status)
    }

    #[test]
    fn what_is_asked_is_read_strictly() {
        let id = ApiKeyId::new([0xab; 8]);
        let one = "/keys/abababababababab";
        let rotate = "/keys/abababababababab/rotate";
        let rotated = |overlap: u64, lifetime: Option<u64>| {
            Ok(KeyAsk::Rotate {
                id,
                overlap: Duration::from_secs(overlap),
                lifetime: lifetime.map(Duration::from_secs),
            })
        };
        let user = || "u1".to_owned();
        for (method, target, content, expected) in [
            (Method::Get, "/keys?user=u1", "", Ok(KeyAsk::List(user()))),
            (
                Method::Delete,
                "/keys?user=u1",
                "",
                Ok(KeyAsk::RevokeAll(user())),
            ),
            (Method::Delete, one, "", Ok(KeyAsk::Revoke(id))),
            (Method::Post, rotate, "", rotated(86_400, None)),
            (Method::Post, rotate, "{}", rotated(86_400, None)),
            (
                Method::Post,
                rotate,
                r#"{"overlap_seconds":0,"lifetime_seconds":60}"#,
                rotated(0, Some(60)),
            ),
            (Method::Post, rotate, r#"{"overlap":0}"#, Err(400)),
            (
                Method::Post,
                rotate,
                r#"{"overlap_seconds":0,"overlap_seconds":1}"#,
                Err(400),
            ),
            (Method::Post, rotate, r#"{"overlap_seconds":-1}"#, Err(400)),
            (Method::Post, rotate, "[]", Err(400)),
            (Method::Post, rotate, "{} {}", Err(400)),
            (Method::Get, rotate, "", Err(405)),
            (Method::Get, one, "", Err(405)),
            (Method::Delete, one, "{}", Err(400)),
            (Method::Delete, "/keys/ABABABABABABABAB", "", Err(400)),
            (Method::Delete, "/keys/abababababababa", "", Err(400)),
            (Method::Delete, "/keys/", "", Err(400)),
            (
                Method::Delete,
                "/keys/abababababababab?user=u1",
                "",
                Err(400),
            ),
            (Method::Delete, "/keys", "", Err(400)),
            (Method::Get, "/keys", "", Err(400)),
            (Method::Get, "/keys?user=", "", Err(400)),
            (Method::Get, "/keys?user=a&user=b", "", Err(400)),
            (Method::Get, "/keys?user=u1", "{}", Err(400)),
            (Method::Put, "/keys", "", Err(405)),
            (Method::Post, "/keys?user=u1", "", Err(405)),
        ] {
            assert_eq!(
                read(method, target, content),
                expected,
                "{method} {target} {content}"
            );
        }
    }

    #[test]
    fn a_wish_is_whole_and_has_nothing_besides() {
        let wish = |seconds: u64| KeyWish {
            user: "u1".to_owned(),
            tenant: None,
            name: "n".to_owned(),
            scopes: Vec::new(),
            lifetime: Duration::from_secs(seconds),
        };
        for (content, expected) in [
            (
                r#"{"user":"u1","name":"n"}"#,
                Ok(KeyAsk::Create(wish(MAX.as_secs()))),
            ),
            (
                r#"{"user":"u1","name":"n","tenant":"t","scopes":["a"],"lifetime_seconds":9}"#,
                Ok(KeyAsk::Create(KeyWish {
                    tenant: Some("t".to_owned()),
                    scopes: vec!["a".to_owned()],
                    ..wish(9)
                })),
            ),
            (r#"{"user":"u1"}"#, Err(400)),
            (r#"{"name":"n"}"#, Err(400)),
            (r#"{"user":"u1","name":"n","role":"admin"}"#, Err(400)),
            (r#"{"user":"u1","user":"u2","name":"n"}"#, Err(400)),
            (r#"{"user":1,"name":"n"}"#, Err(400)),
            (
                r#"{"user":"u1","name":"n","lifetime_seconds":1.5}"#,
                Err(400),
            ),
            ("", Err(400)),
            ("null", Err(400)),
            (r#"["u1",null,"n",[],9]"#, Err(400)),
        ] {
            assert_eq!(read(Method::Post, "/keys", content), expected, "{content}");
        }
    }

    #[test]
    fn what_is_near_is_not_about_keys() {
        for (target, is) in [
            ("/keys", true),
            ("/keys?user=a", true),
            ("/keys/a", true),
            ("/keysx", false),
            ("/key", false),
            ("//keys", false),
            ("/Keys", false),
        ] {
            assert_eq!(is_of_keys(target.as_bytes()), is, "{target}");
        }
    }
}
