//! `Ask`: what somebody asks of sessions, as the target of the request has it.

use portcullis_guard::session::is_subject;

/// What of which sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ask {
    /// Whose.
    pub(super) user: String,
    /// Only this one, as [`SessionRef::shown`](portcullis_guard::session::SessionRef::shown) calls it.
    pub(super) session: Option<String>,
}

/// How many characters the reference of a session has: 16 bytes in base64url.
const REFERENCE_CHARS: usize = 22;

/// Whether a target is about sessions at all. What is near it is not: `/sessionsx`, `/sessions/a/b`.
pub(super) fn is_of_sessions(target: &[u8]) -> bool {
    let path = target.split(|byte| *byte == b'?').next();
    let rest = path.and_then(|path| path.strip_prefix(b"/sessions".as_slice()));
    match rest.and_then(<[u8]>::split_first) {
        None => rest.is_some(),
        Some((first, one)) => *first == b'/' && !one.contains(&b'/'),
    }
}

impl Ask {
    /// Reads `/sessions?user=ID` and `/sessions/REF?user=ID`.
    ///
    /// # Errors
    ///
    /// What is wrong, without a word of what was sent.
    pub(super) fn read(target: &[u8]) -> Result<Self, &'static str> {
        let (path, user) = path_and_user(target)?;
        let session = match path.strip_prefix(b"/sessions/".as_slice()) {
            None => None,
            Some(text) => Some(reference(text).ok_or("a session is called as the list calls it")?),
        };
        Ok(Self { user, session })
    }
}

/// Takes `PATH?user=ID` apart.
///
/// # Errors
///
/// What is wrong, without a word of what was sent.
pub(super) fn path_and_user(target: &[u8]) -> Result<(&[u8], String), &'static str> {
    const USER: &str = "say whose: `?user=ID`, and nothing beside it";
    let question = target.iter().position(|byte| *byte == b'?').ok_or(USER)?;
    let (path, query) = target.split_at(question);
    let value = query.strip_prefix(b"?user=".as_slice()).ok_or(USER)?;
    let user = decoded(value)
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .filter(|user| is_subject(user))
        .ok_or("a user is 1 to 255 bytes of UTF-8 without control characters, percent-encoded but for letters, digits and `-._~@:`")?;
    Ok((path, user))
}

fn reference(text: &[u8]) -> Option<String> {
    let is_one = text.len() == REFERENCE_CHARS
        && text
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    is_one.then(|| String::from_utf8(text.to_vec()).ok())?
}

/// RFC 3986 §2.1. What has two meanings in a query (`+`) or joins pairs (`&`, `=`, `;`) has to be encoded.
fn decoded(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => hex(*rest.next()?)? << 4 | hex(*rest.next()?)?,
            b'-' | b'.' | b'_' | b'~' | b'@' | b':' => *byte,
            _ if byte.is_ascii_alphanumeric() => *byte,
            _ => return None,
        });
    }
    Some(bytes)
}

const fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_read_strictly() {
        let longest = "a".repeat(255);
        let long = "a".repeat(256);
        for (query, user) in [
            ("user=u1", Some("u1")),
            ("user=a%40b.example%2Bc", Some("a@b.example+c")),
            ("user=a@b.example", Some("a@b.example")),
            ("user=auth0%7c123", Some("auth0|123")),
            ("user=%25%32%30", Some("%20")),
            ("user=%C3%A9%20%F0%9F%A6%80", Some("\u{e9} \u{1f980}")),
            ("user=a%26user%3Db", Some("a&user=b")),
            (&format!("user={longest}"), Some(longest.as_str())),
            (&format!("user={long}"), None),
            ("user=", None),
            ("user", None),
            ("", None),
            ("User=u1", None),
            ("user=a&user=b", None),
            ("user=a&x=1", None),
            ("x=1&user=a", None),
            ("user=a+b", None),
            ("user=a b", None),
            ("user=a%", None),
            ("user=a%4", None),
            ("user=a%g0", None),
            ("user=a%00", None),
            ("user=a%0d%0a", None),
            ("user=%FF", None),
            ("user=%C0%AF", None),
            ("user=a#b", None),
            ("user=a/b", None),
        ] {
            let read = Ask::read(format!("/sessions?{query}").as_bytes());
            assert_eq!(read.ok().map(|ask| ask.user).as_deref(), user, "{query}");
        }
        assert!(Ask::read(b"/sessions").is_err());
    }

    #[test]
    fn references_are_read_strictly() {
        let one = "AbCdEfGhIjKlMnOpQrSt-_";
        for (text, is_one) in [
            (one.to_owned(), true),
            (one.replace('A', ""), false),
            (format!("{one}A"), false),
            (one.replace('A', "%41"), false),
            (one.replace('A', "="), false),
            (String::new(), false),
        ] {
            let read = Ask::read(format!("/sessions/{text}?user=u").as_bytes());
            assert_eq!(
                read.is_ok_and(|ask| ask.session == Some(text.clone())),
                is_one
            );
        }
    }

    #[test]
    fn what_is_near_is_not_about_sessions() {
        for (target, is) in [
            ("/sessions", true),
            ("/sessions?user=a/b", true),
            ("/sessions/", true),
            ("/sessions/a?user=b", true),
            ("/sessionsx", false),
            ("/sessions/a/b", false),
            ("/Sessions", false),
            ("//sessions", false),
            ("/session", false),
            ("/", false),
        ] {
            assert_eq!(is_of_sessions(target.as_bytes()), is, "{target}");
        }
    }
}
