//! `MediaType`: what sort of content a body is.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use crate::Malformed;
use crate::bounds::NAME_BYTES_MAX;
use crate::malformed::quoted;

/// A media type without parameters, in lower case: `application/json` (RFC 9110 §8.3.1).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MediaType(Cow<'static, str>);

impl MediaType {
    /// JSON, the only type that a schema and a limit by a field can read.
    pub const JSON: Self = Self(Cow::Borrowed("application/json"));
    /// A form as browsers send it.
    pub const FORM: Self = Self(Cow::Borrowed("application/x-www-form-urlencoded"));
    /// A form with files.
    pub const MULTIPART: Self = Self(Cow::Borrowed("multipart/form-data"));
    /// Bytes.
    pub const BYTES: Self = Self(Cow::Borrowed("application/octet-stream"));

    /// The type, in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for MediaType {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some((before, _)) = text.split_once(';') {
            let message = "a media type stands here without its parameters";
            let plain = before.trim().parse::<Self>().ok();
            let fault = Malformed::at(before.len()..text.len(), message);
            return Err(fault.perhaps(plain.map(|plain| plain.to_string())));
        }
        let lower = text.to_ascii_lowercase();
        let is_type = lower.len() <= NAME_BYTES_MAX
            && lower
                .split_once('/')
                .is_some_and(|(kind, subtype)| is_token(kind) && is_token(subtype));
        if !is_type {
            let message = format!("{} is no media type like `application/json`", quoted(text));
            return Err(Malformed::whole(text, message));
        }
        if lower != text {
            let message = "a media type is written in lower case";
            return Err(Malformed::whole(text, message).instead(lower));
        }
        Ok(Self(Cow::Owned(lower)))
    }
}

/// A restricted name (RFC 6838 §4.2): no `*`, so that every type is written out.
fn is_token(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.bytes().all(|byte| {
            byte.is_ascii_alphanumeric()
                || matches!(
                    byte,
                    b'!' | b'#' | b'$' | b'&' | b'-' | b'^' | b'_' | b'.' | b'+'
                )
        })
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_at_the_edges() {
        for (text, meant) in [
            ("application/json", Ok(())),
            ("application/vnd.api+json", Ok(())),
            ("image/svg+xml", Ok(())),
            ("text/plain", Ok(())),
            ("Application/JSON", Err(Some("application/json"))),
            ("text/plain; charset=utf-8", Err(Some("text/plain"))),
            ("image/*", Err(None)),
            ("*/*", Err(None)),
            ("json", Err(None)),
            ("a/b/c", Err(None)),
            ("/json", Err(None)),
            ("a/", Err(None)),
            ("a b/c", Err(None)),
            ("", Err(None)),
        ] {
            let read = text.parse::<MediaType>();
            let read = read.map(|_| ()).map_err(|fault| fault.suggestion);
            let meant = meant.map_err(|meant: Option<&str>| meant.map(str::to_owned));
            assert_eq!(read, meant, "{text}");
        }
        for known in [
            MediaType::JSON,
            MediaType::FORM,
            MediaType::MULTIPART,
            MediaType::BYTES,
        ] {
            assert_eq!(known.as_str().parse::<MediaType>(), Ok(known.clone()));
        }
    }
}
