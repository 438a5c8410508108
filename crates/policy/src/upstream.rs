//! `Upstream`: where the application listens that the guard stands before.

use std::fmt;
use std::str::FromStr;

use crate::Malformed;
use crate::bounds::UPSTREAMS_MAX;
use crate::faults::Faults;
use crate::host::Host;
use crate::node::Node;
use crate::origin::{Scheme, parse_origin};
use crate::policy_file::{Draft, is_empty_list};
use crate::table_reader::list;

/// One instance of the application, spoken to in the open: `http://127.0.0.1:3000`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Upstream {
    /// A name, which is looked up when it is connected to, or an address.
    pub host: Host,
    /// The port; 80 where none is written.
    pub port: u16,
}

impl FromStr for Upstream {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // First of all, so that no other fault suggests an address that is refused next.
        if text.starts_with("https://") {
            let message = "TLS to the upstream is not spoken yet: use `http://` on the same machine or a private network";
            return Err(Malformed::at(0.."https".len(), message));
        }
        let origin = parse_origin(text)?;
        Ok(Self {
            host: origin.host,
            port: origin.port.unwrap_or(Scheme::Http.default_port()),
        })
    }
}

/// `http://127.0.0.1:3000`, always with the port.
impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}:{}", self.host, self.port)
    }
}

/// Reads `upstream`, one or a list.
pub(crate) fn read(node: &Node, draft: &mut Draft, faults: &mut Faults<'_>) {
    let upstreams: Vec<Upstream> = list(node, true, faults).unwrap_or_default();
    if is_empty_list(node) {
        faults.add(&node.span, "there is one upstream at least");
    }
    if upstreams.len() > UPSTREAMS_MAX {
        let message = format!("at most {UPSTREAMS_MAX} upstreams are allowed");
        faults.add(&node.span, message);
    }
    draft.policy.upstreams = upstreams;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upstreams_at_the_edges() {
        for (text, shown) in [
            ("http://127.0.0.1:3000", Some("http://127.0.0.1:3000")),
            ("http://App:3000/", Some("http://app:3000")),
            ("http://app", Some("http://app:80")),
            ("http://[::1]:3000", Some("http://[::1]:3000")),
            ("https://app", None),
            ("http://app/base", None),
            ("http://app?x", None),
            ("http://u@app", None),
            ("http://app:0", None),
            ("http://app:70000", None),
            ("app:3000", None),
            ("unix:/run/app.sock", None),
        ] {
            let read = text.parse::<Upstream>().ok().map(|one| one.to_string());
            assert_eq!(read.as_deref(), shown, "{text}");
        }
        let fault = "https://app".parse::<Upstream>().expect_err("TLS");
        assert!(fault.message.contains("not spoken yet"), "{fault}");
        let fault = "app:3000".parse::<Upstream>().expect_err("no scheme");
        assert_eq!(fault.suggestion.as_deref(), Some("http://app:3000"));
    }
}
