//! `Cookies`: what the `Cookie` fields of a request say (RFC 6265 §5.4), read in the one way that leaves no doubt.

use std::fmt;

use super::HeaderSet;

/// How a cookie is named that is the guard's own. The prefix makes browsers refuse what a sibling domain or an insecure page would
/// set under it (RFC 6265bis §4.1.3.2).
pub const OWN_PREFIX: &[u8] = b"__Host-pc-";

/// A cookie that has to stand once stands more than once: which of them is meant nobody can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CookieRepeated;

impl fmt::Display for CookieRepeated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cookie_repeated")
    }
}

impl std::error::Error for CookieRepeated {}

/// The cookies of a request. Nothing is copied, and what is no pair is passed over, as applications do.
#[derive(Clone, Copy, Debug)]
pub struct Cookies<'b> {
    fields: HeaderSet<'b>,
}

impl<'b> Cookies<'b> {
    /// Those of a head. Several `Cookie` fields are one list: HTTP/2 splits it (RFC 9113 §8.2.3), and applications join it again.
    #[must_use]
    pub const fn of(fields: HeaderSet<'b>) -> Self {
        Self { fields }
    }

    /// Names and values in their order: of a pair without `=` the name is empty, as browsers store it.
    pub fn pairs(self) -> impl Iterator<Item = (&'b [u8], &'b [u8])> {
        self.fields.all("cookie").flat_map(pairs_of)
    }

    /// The value of a cookie that has to stand once, if it is there. Names are compared with their case.
    ///
    /// # Errors
    ///
    /// [`CookieRepeated`] where it stands more than once, with equal values too: a sibling domain may have set one of them.
    pub fn one(self, name: &[u8]) -> Result<Option<&'b [u8]>, CookieRepeated> {
        let mut values = self.pairs().filter(|(written, _)| *written == name);
        let first = values.next();
        match values.next() {
            Some(_) => Err(CookieRepeated),
            None => Ok(first.map(|(_, value)| value)),
        }
    }
}

/// The pairs of one field.
pub fn pairs_of(field: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = Some(field);
    let parts = std::iter::from_fn(move || {
        let (part, after) = match memchr::memchr(b';', rest?) {
            Some(at) => rest?.split_at(at),
            None => return rest.take(),
        };
        rest = after.get(1..);
        Some(part)
    });
    let parts = parts.map(<[u8]>::trim_ascii);
    parts
        .filter(|part| !part.is_empty())
        .map(|part| match memchr::memchr(b'=', part) {
            Some(at) => {
                let (name, value) = part.split_at(at);
                let value = value.get(1..).unwrap_or_default();
                (name.trim_ascii_end(), value.trim_ascii_start())
            }
            None => (&b""[..], part),
        })
}

/// Whether a pair is, or could be taken for, a cookie of the guard's own: by its name without letter case, or without a name by how
/// its value begins, which a browser sends as if that were the name.
#[must_use]
pub fn is_own(name: &[u8], value: &[u8]) -> bool {
    let starts = |text: &[u8]| {
        text.get(..OWN_PREFIX.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(OWN_PREFIX))
    };
    starts(name) || (name.is_empty() && starts(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(field: &str) -> Vec<(String, String)> {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        pairs_of(field.as_bytes())
            .map(|(name, value)| (text(name), text(value)))
            .collect()
    }

    #[test]
    fn pairs_at_the_edges() {
        for (field, expected) in [
            ("", &[][..]),
            ("a=b", &[("a", "b")][..]),
            ("a=b; c=d", &[("a", "b"), ("c", "d")]),
            ("a=b;c=d ;  e = f", &[("a", "b"), ("c", "d"), ("e", "f")]),
            ("a=b=c", &[("a", "b=c")]),
            ("a=", &[("a", "")]),
            ("=a", &[("", "a")]),
            ("a", &[("", "a")]),
            (";;a=b;", &[("a", "b")]),
            ("a=\"b c\"", &[("a", "\"b c\"")]),
            ("a=b; a=c", &[("a", "b"), ("a", "c")]),
        ] {
            let expected: Vec<_> = expected
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect();
            assert_eq!(read(field), expected, "{field}");
        }
    }

    #[test]
    fn own_cookies_are_told_in_every_way_that_a_browser_sends_them() {
        for (name, value, own) in [
            ("__Host-pc-sid", "x", true),
            ("__host-PC-sid", "x", true),
            ("", "__Host-pc-sid=x", true),
            ("", "__host-pc-csrf-00", true),
            ("__Host-p", "x", false),
            ("__Host-sid", "x", false),
            ("x", "__Host-pc-sid", false),
            ("", "", false),
        ] {
            assert_eq!(
                is_own(name.as_bytes(), value.as_bytes()),
                own,
                "{name}={value}"
            );
        }
    }
}
