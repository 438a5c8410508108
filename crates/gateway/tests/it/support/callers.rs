//! What callers by tokens and keys share: routes that need them, and requests that show something.

use super::{Answer, Client, Upstream};

/// A page of everybody, one of who is known, and one that each user may have three times a minute.
const ROUTES: &str = r#"
[limits.mine]
rate = "3 per 1m"
algorithm = "exact"
by = ["user"]
[[route]]
path = "/"
methods = ["GET"]
type = "public_read"
[[route]]
path = "/me"
methods = ["GET"]
type = "protected_read"
[[route]]
path = "/few"
methods = ["GET"]
type = "protected_read"
limits = ["mine"]
"#;

/// A policy of these routes before an application; more lines may follow.
pub(crate) fn policy(upstream: &Upstream) -> String {
    format!(
        "version = 1\npublic_url = \"https://shop.test\"\nupstream = \"http://{}\"\n{ROUTES}",
        upstream.address()
    )
}

/// `GET PATH` with these lines.
pub(crate) fn get<L: AsRef<str>>(client: &mut Client, path: &str, lines: &[L]) -> Answer {
    let mut bytes = format!("GET {path} HTTP/1.1\r\nHost: shop.test\r\n");
    for line in lines {
        bytes.push_str(line.as_ref());
        bytes.push_str("\r\n");
    }
    client.ask(bytes + "\r\n")
}

/// The line that shows a token or a key.
pub(crate) fn bearer(credential: &str) -> String {
    format!("Authorization: Bearer {credential}")
}
