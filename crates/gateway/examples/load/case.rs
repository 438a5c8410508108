//! `Case`: what is asked of the guard, and the policy that says so.

use std::net::SocketAddr;
use std::path::Path;

use crate::Fault;

/// The cookie that names a session where the application keeps them.
pub(crate) const FOREIGN_COOKIE: &str = "app_sid";

/// One way of being asked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Case {
    /// What it is called.
    pub(crate) name: &'static str,
    /// Whether the sessions are the guard's own: they are in the embedded store. Else they are the application's, nothing is signed,
    /// and the store is one in memory.
    pub(crate) is_own: bool,
    /// Whether the application is told who is calling by a signature for each request.
    pub(crate) is_told: bool,
    /// Whether a token is asked for: then each request uses one up and its answer brings another.
    pub(crate) has_token: bool,
}

/// All there are.
pub(crate) const CASES: &[Case] = &[
    Case {
        name: "own-token",
        is_own: true,
        is_told: true,
        has_token: true,
    },
    Case {
        name: "own-session",
        is_own: true,
        is_told: true,
        has_token: false,
    },
    Case {
        name: "own-token-untold",
        is_own: true,
        is_told: false,
        has_token: true,
    },
    Case {
        name: "own-session-untold",
        is_own: true,
        is_told: false,
        has_token: false,
    },
    Case {
        name: "cookie-token",
        is_own: false,
        is_told: false,
        has_token: true,
    },
    Case {
        name: "cookie-session",
        is_own: false,
        is_told: false,
        has_token: false,
    },
];

/// Those that are named, with commas between.
pub(crate) fn named(names: &str) -> Result<Vec<&'static Case>, Fault> {
    names
        .split(',')
        .map(|name| {
            let found = CASES.iter().find(|case| case.name == name);
            found.ok_or_else(|| format!("there is no case `{name}`").into())
        })
        .collect()
}

impl Case {
    /// The policy.
    pub(crate) fn policy(&self, listen: SocketAddr, upstream: SocketAddr, events: &Path) -> String {
        let source = if self.is_own {
            "own".to_owned()
        } else {
            format!("cookie:{FOREIGN_COOKIE}")
        };
        let application = if self.is_own {
            let told = self.is_told;
            format!(
                "[identity.application]\nsecret = \"env:APPLICATION_SECRET\"\nidentity = {told}\n"
            )
        } else {
            String::new()
        };
        let mut lacks = vec!["rate_limit"];
        if !self.has_token {
            lacks.push("csrf");
        }
        if !self.is_own {
            lacks.push("authentication");
        }
        let excepts: String = lacks
            .iter()
            .map(|control| {
                format!("\n[[except]]\nroute = \"POST /items\"\nlacks = \"{control}\"\nbecause = \"the other side has none\"\nowner = \"load\"\nuntil = 2099-12-31\n")
            })
            .collect();
        format!(
            r#"version = 1
name = "shop"
public_url = "https://shop.example.com"
upstream = "http://{upstream}"

[proxy]
listen = "{listen}"
workers = 2

[events]
to = "{}"

[identity.session]
secret = "env:SESSION_SECRET"
source = "{source}"

[identity.csrf]
secret = "env:CSRF_SECRET"

{application}
[limits.logins]
rate = "1000 per 1m"
algorithm = "exact"

[[route]]
path = "/login"
methods = ["POST"]
type = "auth_op"
limits = ["logins"]

[[route]]
path = "/items"
methods = ["POST"]
type = "protected_mutation"
{excepts}"#,
            events.display()
        )
    }
}

#[cfg(test)]
mod tests {
    use portcullis_policy::Policy;

    use super::*;

    #[test]
    fn every_case_is_a_policy() {
        let address = SocketAddr::from(([127, 0, 0, 1], 80));
        for case in CASES {
            let text = case.policy(address, address, Path::new("/events"));
            let policy = Policy::parse(&text).map_err(|errors| errors.to_string());
            let policy = policy.unwrap();
            let identity = policy.identity().unwrap();
            assert_eq!(identity.application.is_some(), case.is_own, "{}", case.name);
        }
    }

    #[test]
    fn cases_are_found_by_their_names() {
        let found = named("cookie-token,own-token").unwrap();
        assert_eq!((found[0].is_own, found[1].is_own), (false, true));
        assert!(named("own").is_err() && named("").is_err());
    }
}
