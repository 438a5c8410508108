//! Whether a browser says that a request comes from the service's own pages: `Sec-Fetch-Site` (Fetch Metadata §2.2) and `Origin`
//! (RFC 6454 §7, Fetch §3.1).

use crate::canon::{HeaderSet, HostName, Scheme};

/// Why a request is not from the service's own pages, or nobody can say that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OriginFault {
    /// The browser says that another site began it.
    #[error("`Sec-Fetch-Site` says that another site began it")]
    CrossSite,
    /// The browser says that another host of the same site began it, and the policy does not list that host.
    #[error("another host of the same site began it, and `same_site` does not list its origin")]
    SameSite,
    /// The origin is another: another host, another port, or without TLS.
    #[error("`Origin` is another than the service's own")]
    Other,
    /// The origin is `null`: a sandbox, a file, a redirect over other sites.
    #[error("`Origin` is `null`")]
    Null,
    /// There is neither of the two fields.
    #[error("neither `Sec-Fetch-Site` nor `Origin` is there")]
    Unsaid,
    /// A field stands twice, or says what no browser says.
    #[error("`Sec-Fetch-Site` or `Origin` cannot be read")]
    Unreadable,
}

/// Makes sure that a request comes from a page of the host that it asks, over the scheme that the service has, or from an origin
/// that is listed.
///
/// # Errors
///
/// Why not. What is not said is a no.
pub fn check_origin(
    fields: &HeaderSet<'_>,
    scheme: Scheme,
    host: &HostName<'_>,
    listed: &[String],
) -> Result<(), OriginFault> {
    let one = |name: &str| {
        fields
            .one(name)
            .map_err(|_repeated| OriginFault::Unreadable)
    };
    let (site, origin) = (one("sec-fetch-site")?, one("origin")?);
    let is_listed = |origin: &[u8]| listed.iter().any(|one| one.as_bytes() == origin);
    match (site, origin) {
        (Some(b"cross-site"), _) => return Err(OriginFault::CrossSite),
        (Some(b"same-origin" | b"none" | b"same-site") | None, _) => {}
        (Some(_), _) => return Err(OriginFault::Unreadable),
    }
    match origin {
        Some(b"null") => Err(OriginFault::Null),
        Some(origin) if is_listed(origin) => Ok(()),
        Some(origin) if is_own(origin, scheme, host) && site != Some(b"same-site") => Ok(()),
        Some(_) if site == Some(b"same-site") => Err(OriginFault::SameSite),
        Some(_) => Err(OriginFault::Other),
        None if site == Some(b"same-origin") => Ok(()),
        None if site == Some(b"same-site") => Err(OriginFault::SameSite),
        None => Err(OriginFault::Unsaid),
    }
}

/// Whether an origin, as a browser writes it, is that of a host.
fn is_own(origin: &[u8], scheme: Scheme, host: &HostName<'_>) -> bool {
    let (begin, default) = match scheme {
        Scheme::Http => (&b"http://"[..], 80),
        Scheme::Https => (&b"https://"[..], 443),
    };
    let rest = origin
        .strip_prefix(begin)
        .and_then(|rest| rest.strip_prefix(host.name().as_bytes()));
    match (rest, host.port().filter(|port| *port != default)) {
        (Some(rest), None) => rest.is_empty(),
        (Some([b':', digits @ ..]), Some(port)) => port.to_string().as_bytes() == digits,
        _ => false,
    }
}
