//! The token in a form: the field `_csrf` of `application/x-www-form-urlencoded` (WHATWG URL §5.1), or the first part of
//! `multipart/form-data` (RFC 7578).
//!
//! The form is read for this field alone. What is forwarded is the body as it came.

use super::{FIELD, Token};
use crate::canon::MediaType;

/// Why a form has no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldFault {
    /// There is no such field.
    #[error("the form has no field `_csrf`")]
    Missing,
    /// There is more than one.
    #[error("the form has the field `_csrf` more than once")]
    Repeated,
    /// It is no token.
    #[error("the field `_csrf` is no token")]
    Malformed,
    /// The media type has no fields, or no boundary.
    #[error("the body is no form whose first part is the token")]
    NoForm,
}

/// The token of a form, by the media type that its head says.
///
/// # Errors
///
/// Why there is none.
pub fn field_token(content_type: &[u8], body: &[u8]) -> Result<Token, FieldFault> {
    let kind = MediaType::of(content_type);
    let value = if kind.is("application/x-www-form-urlencoded") {
        of_urlencoded(body)?
    } else if kind.is("multipart/form-data") {
        of_multipart(kind.parameters(), body)?
    } else {
        return Err(FieldFault::NoForm);
    };
    Token::read(value).ok_or(FieldFault::Malformed)
}

/// A token is hex, which no form escapes; a name that is written with escapes is looked at all the same, as an application would
/// read it.
fn of_urlencoded(body: &[u8]) -> Result<&[u8], FieldFault> {
    let mut found = None;
    for pair in body.split(|byte| *byte == b'&') {
        let at = pair.iter().position(|byte| *byte == b'=');
        let (name, value) = pair.split_at(at.unwrap_or(pair.len()));
        if is_field(name) && found.replace(value.get(1..).unwrap_or_default()).is_some() {
            return Err(FieldFault::Repeated);
        }
    }
    found.ok_or(FieldFault::Missing)
}

/// Whether a name is the field's, with or without percent escapes.
fn is_field(name: &[u8]) -> bool {
    let mut rest = name;
    for expected in FIELD.bytes() {
        rest = match rest {
            [b'%', high, low, after @ ..] => {
                let digit = |byte: u8| char::from(byte).to_digit(16);
                let Some((high, low)) = digit(*high).zip(digit(*low)) else {
                    return false;
                };
                if high * 16 + low != u32::from(expected) {
                    return false;
                }
                after
            }
            [byte, after @ ..] if *byte == expected => after,
            _ => return false,
        };
    }
    rest.is_empty()
}

fn of_multipart<'b>(parameters: &[u8], body: &'b [u8]) -> Result<&'b [u8], FieldFault> {
    let boundary = boundary(parameters).ok_or(FieldFault::NoForm)?;
    let rest = body
        .strip_prefix(b"--")
        .and_then(|rest| rest.strip_prefix(boundary))
        .and_then(|rest| rest.strip_prefix(b"\r\n"));
    let rest = rest.ok_or(FieldFault::NoForm)?;
    let heads_end = memchr::memmem::find(rest, b"\r\n\r\n").ok_or(FieldFault::NoForm)?;
    let (heads, content) = rest.split_at(heads_end);
    let content = content.get(4..).unwrap_or_default();
    let mut lines = heads.split(|byte| *byte == b'\n');
    let first = lines.next().unwrap_or_default();
    // One line and no other: two readers must not find two names.
    let is_alone = lines.next().is_none();
    if !is_alone || !is_disposition(first.strip_suffix(b"\r").unwrap_or(first)) {
        return Err(FieldFault::Missing);
    }
    let (value, after) = content.split_at_checked(64).ok_or(FieldFault::Malformed)?;
    let ends = after
        .strip_prefix(b"\r\n--")
        .and_then(|after| after.strip_prefix(boundary))
        .is_some_and(|after| after.starts_with(b"\r\n") || after.starts_with(b"--"));
    ends.then_some(value).ok_or(FieldFault::Malformed)
}

fn is_disposition(line: &[u8]) -> bool {
    const NAME: &[u8] = b"content-disposition:";
    let Some((name, value)) = line.split_at_checked(NAME.len()) else {
        return false;
    };
    name.eq_ignore_ascii_case(NAME) && value.trim_ascii() == b"form-data; name=\"_csrf\""
}

/// The boundary that a media type names (RFC 2046 §5.1.1), with or without quotes.
fn boundary(parameters: &[u8]) -> Option<&[u8]> {
    const NAME: &[u8] = b"boundary=";
    let mut found = None;
    for parameter in parameters.split(|byte| *byte == b';') {
        let parameter = parameter.trim_ascii();
        let Some((name, value)) = parameter.split_at_checked(NAME.len()) else {
            continue;
        };
        if name.eq_ignore_ascii_case(NAME) && found.replace(value).is_some() {
            return None;
        }
    }
    let value = found?;
    let value = match value {
        [b'"', inner @ .., b'"'] => inner,
        other => other,
    };
    let is_of_boundary =
        |byte: &u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(byte);
    ((1..=70).contains(&value.len()) && value.iter().all(is_of_boundary)).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

    fn cut(text: &str) -> &str {
        text.get(1..).unwrap()
    }

    #[test]
    fn urlencoded_forms() {
        for (body, expected) in [
            (format!("_csrf={T}"), None),
            (format!("a=b&_csrf={T}&c=d"), None),
            (format!("%5fcsrf={T}"), None),
            (format!("_csrf={T}&_csrf={T}"), Some(FieldFault::Repeated)),
            (
                format!("_csrf={T}&%5Fcsr%66={T}"),
                Some(FieldFault::Repeated),
            ),
            ("a=b".to_owned(), Some(FieldFault::Missing)),
            (String::new(), Some(FieldFault::Missing)),
            ("_csrf".to_owned(), Some(FieldFault::Malformed)),
            ("_csrf=".to_owned(), Some(FieldFault::Malformed)),
            (format!("_csrf={}", cut(T)), Some(FieldFault::Malformed)),
            (format!("_csrf=%30{}", cut(T)), Some(FieldFault::Malformed)),
            (format!("x_csrf={T}"), Some(FieldFault::Missing)),
            (format!("_CSRF={T}"), Some(FieldFault::Missing)),
        ] {
            let read = field_token(
                b"application/x-www-form-urlencoded; charset=utf-8",
                body.as_bytes(),
            );
            match expected {
                None => assert!(read.unwrap().is(T.as_bytes()), "{body}"),
                Some(fault) => assert_eq!(read.err(), Some(fault), "{body}"),
            }
        }
    }

    #[test]
    fn multipart_forms_have_it_first() {
        let part = |name: &str, value: &str| {
            format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let whole = format!("{}{}--b--\r\n", part("_csrf", T), part("file", "x"));
        let alone = format!("{}--b--", part("_csrf", T));
        for body in [&whole, &alone] {
            for kind in [
                "multipart/form-data; boundary=b",
                "Multipart/Form-Data;BOUNDARY=\"b\"",
            ] {
                let read = field_token(kind.as_bytes(), body.as_bytes());
                assert!(read.unwrap().is(T.as_bytes()), "{kind}");
            }
        }
        let two_heads = whole.replacen("\r\n\r\n", "\r\nX: y\r\n\r\n", 1);
        for (kind, body, expected) in [
            (
                "multipart/form-data; boundary=b",
                format!("{}{}", part("file", "x"), part("_csrf", T)),
                FieldFault::Missing,
            ),
            (
                "multipart/form-data; boundary=b",
                two_heads,
                FieldFault::Missing,
            ),
            (
                "multipart/form-data; boundary=b",
                format!("\r\n{whole}"),
                FieldFault::NoForm,
            ),
            (
                "multipart/form-data; boundary=c",
                whole.clone(),
                FieldFault::NoForm,
            ),
            ("multipart/form-data", whole.clone(), FieldFault::NoForm),
            (
                "multipart/form-data; boundary=b; boundary=c",
                whole.clone(),
                FieldFault::NoForm,
            ),
            (
                "multipart/form-data; boundary=b",
                part("_csrf", cut(T)),
                FieldFault::Malformed,
            ),
            (
                "multipart/form-data; boundary=b",
                format!("{}x", part("_csrf", T)),
                FieldFault::Malformed,
            ),
            ("application/json", whole, FieldFault::NoForm),
        ] {
            let read = field_token(kind.as_bytes(), body.as_bytes());
            assert_eq!(read.err(), Some(expected), "{kind}\n{body}");
        }
    }
}
