//! `Target`: what a request line asks for, with the path and the query apart.

use portcullis_policy::Method;

use super::fault::PathFault;
use super::host_name::HostName;
use super::path::CanonPath;

/// The query of a target, as it was written and without its `?`. It never takes part in matching a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Query<'b>(&'b str);

impl<'b> Query<'b> {
    /// Reads a query: printable ASCII without `#`.
    ///
    /// # Errors
    ///
    /// [`PathFault::Query`] for every other byte.
    pub fn parse(raw: &'b [u8]) -> Result<Self, PathFault> {
        let fits = raw
            .iter()
            .all(|byte| byte.is_ascii_graphic() && *byte != b'#');
        match std::str::from_utf8(raw) {
            Ok(text) if fits => Ok(Self(text)),
            Ok(_) | Err(_) => Err(PathFault::Query),
        }
    }

    /// The text after the `?`; it may be empty.
    #[must_use]
    pub fn as_str(self) -> &'b str {
        self.0
    }
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target<'b> {
    /// A path, perhaps with a query.
    Path {
        /// The canonical path.
        path: CanonPath<'b>,
        /// What stands after the first `?`.
        query: Option<Query<'b>>,
    },
    /// `*`: the server as a whole, of `OPTIONS`.
    Server,
}

impl<'b> Target<'b> {
    /// Reads the target of a request line (RFC 9112 §3.2).
    ///
    /// A whole address (`http://host/path`) is taken where its host is the one of the `Host` field, both in canonical
    /// form, and is forwarded as the path alone. The form of `CONNECT` is refused.
    ///
    /// # Errors
    ///
    /// Any other form, another host than that of the `Host` field, and all that [`CanonPath::parse`] and
    /// [`Query::parse`] refuse.
    pub fn parse(raw: &'b [u8], method: Method, host: &HostName<'_>) -> Result<Self, PathFault> {
        match raw {
            [b'/', ..] => Self::origin(raw),
            b"*" if matches!(method, Method::Options) => Ok(Self::Server),
            _ => Self::absolute(raw, host),
        }
    }

    fn origin(raw: &'b [u8]) -> Result<Self, PathFault> {
        let (path, query) = match memchr::memchr(b'?', raw).and_then(|at| raw.split_at_checked(at))
        {
            Some((path, rest)) => (path, rest.get(1..)),
            None => (raw, None),
        };
        Ok(Self::Path {
            path: CanonPath::parse(path)?,
            query: query.map(Query::parse).transpose()?,
        })
    }

    fn absolute(raw: &'b [u8], host: &HostName<'_>) -> Result<Self, PathFault> {
        let rest = without_scheme(raw).ok_or(PathFault::Form)?;
        // RFC 9110 §4.2.3 lets the path be empty; two spellings of `/` are one too many.
        let at = memchr::memchr3(b'/', b'?', b'#', rest).ok_or(PathFault::Form)?;
        let (authority, origin) = rest.split_at_checked(at).ok_or(PathFault::Form)?;
        if !origin.starts_with(b"/") {
            return Err(PathFault::Form);
        }
        match HostName::parse(authority) {
            Ok(named) if named == *host => Self::origin(origin),
            Ok(_) | Err(_) => Err(PathFault::Authority),
        }
    }

    /// The path, if one is asked for.
    #[must_use]
    pub fn path(&self) -> Option<&CanonPath<'b>> {
        match self {
            Self::Path { path, .. } => Some(path),
            Self::Server => None,
        }
    }

    /// The query, if there is one.
    #[must_use]
    pub fn query(&self) -> Option<Query<'b>> {
        match self {
            Self::Path { query, .. } => *query,
            Self::Server => None,
        }
    }

    /// Writes the target as it is forwarded: the bytes that were matched, and the query as it came.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        match self {
            Self::Path { path, query } => {
                out.extend_from_slice(path.as_str().as_bytes());
                if let Some(query) = query {
                    out.push(b'?');
                    out.extend_from_slice(query.as_str().as_bytes());
                }
            }
            Self::Server => out.push(b'*'),
        }
    }
}

/// What follows `http://` or `https://`, in any letter case.
fn without_scheme(raw: &[u8]) -> Option<&[u8]> {
    [&b"http://"[..], b"https://"]
        .into_iter()
        .find_map(|scheme| {
            let (start, rest) = raw.split_at_checked(scheme.len())?;
            start.eq_ignore_ascii_case(scheme).then_some(rest)
        })
}
