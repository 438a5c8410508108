//! Where a browser is led that goes to a page for which somebody must be known, and nobody is.
//!
//! Only who navigates is led anywhere: a script that asks for data reads a 401, and not somebody's login page (oauth2-proxy #1522,
//! #1393). Only a page of the service itself is led to, and what it is told is the path alone: the query may have secrets in it.

use portcullis_policy::Method;

use super::Case;
use crate::canon::MediaType;

/// The longest target that is written; beyond it the page is led to without the way back.
const TARGET_BYTES_MAX: usize = 2_048;

/// The target of the redirection, of this origin; none where the policy names no page, or the request is none of a browser that
/// navigates to one.
pub(super) fn login_page(case: &Case<'_, '_>) -> Option<Box<str>> {
    let login = case.plan.identity.session.as_ref()?.login.as_deref()?;
    let path = case.view.path()?.as_str();
    // One that needs somebody itself would lead to itself for ever.
    if path == login || !is_navigation(case) {
        return None;
    }
    Some(target(login, path))
}

/// Fetch Metadata §2.3: what a page's script asks for has another mode. A browser that does not say so is not led.
fn is_navigation(case: &Case<'_, '_>) -> bool {
    let fields = case.view.fields();
    case.view.method() == Method::Get
        && fields.one("sec-fetch-mode") == Ok(Some(b"navigate".as_slice()))
        && fields.all("accept").any(takes_html)
}

fn takes_html(accept: &[u8]) -> bool {
    let mut ranges = accept.split(|byte| *byte == b',');
    ranges.any(|range| MediaType::of(range).is("text/html"))
}

fn target(login: &str, path: &str) -> Box<str> {
    // A path of ours is canonical, and begins with one slash; what another reader could take for a host is no way back
    // (CVE-2026-83589).
    let is_path = path.starts_with('/') && !path.contains("//") && !path.contains('\\');
    let mut target = format!("{login}?return_to=");
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            target.push(char::from(byte));
        } else {
            target.push_str(&format!("%{byte:02X}"));
        }
    }
    if is_path && target.len() <= TARGET_BYTES_MAX {
        target.into()
    } else {
        login.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_is_a_path_and_nothing_else() {
        let long = format!("/{}", "a".repeat(3_000));
        for (path, expected) in [
            ("/", "/login?return_to=/"),
            ("/me/orders", "/login?return_to=/me/orders"),
            ("/a%20b&c=d", "/login?return_to=/a%2520b%26c%3Dd"),
            ("/\u{e9}", "/login?return_to=/%C3%A9"),
            ("//evil.example", "/login"),
            ("/\\evil.example", "/login"),
            ("evil", "/login"),
            ("", "/login"),
            (&long, "/login"),
        ] {
            assert_eq!(&*target("/login", path), expected, "{path}");
        }
    }

    #[test]
    fn pages_are_what_is_wanted() {
        for (accept, takes) in [
            ("text/html,application/xhtml+xml,*/*;q=0.8", true),
            ("application/json, Text/HTML ;q=0.1", true),
            ("*/*", false),
            ("application/json", false),
            ("text/htmlx", false),
            ("", false),
        ] {
            assert_eq!(takes_html(accept.as_bytes()), takes, "{accept}");
        }
    }
}
