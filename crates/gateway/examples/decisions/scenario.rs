//! `Scenario`: a policy, a request, and what is decided about it.

use std::path::Path;

use crate::caller;

/// One row of the table.
pub(crate) struct Scenario {
    /// What it is called in `benches/instructions.toml`.
    pub(crate) name: &'static str,
    /// What is done over and over.
    pub(crate) work: Work,
    /// How many routes of other paths the policy has beside the one that is asked for.
    routes: usize,
    /// The keys of the route that is asked for.
    route: &'static str,
    /// The limits that it names.
    limits: &'static str,
    /// Request line and fields, without `Host` and the empty line.
    head: &'static [&'static str],
    body: &'static str,
    pub(crate) who: Who,
    /// How often it is done in the two measured runs.
    pub(crate) counts: [u64; 2],
    /// So many first decisions come out otherwise: until a limit is reached.
    pub(crate) exempt: u64,
}

/// Who asks.
#[derive(Clone, Copy)]
pub(crate) enum Who {
    /// Anybody.
    Anybody,
    /// Somebody who has a session, and a token that is used up.
    Visitor,
    /// Somebody with a token of an issuer, where so many tokens are remembered.
    Caller {
        /// How many.
        remembered: u32,
    },
}

/// What is done over and over.
#[derive(Clone, Copy)]
pub(crate) enum Work {
    /// A request is decided.
    Decide {
        /// To this status; 200 is a permit.
        expected: u16,
    },
    /// The policy is read and made ready.
    Load,
}

const fn decide(expected: u16) -> Work {
    Work::Decide { expected }
}

const READ: &str = "methods = [\"GET\"]\ntype = \"public_read\"";
const PROTECTED: &str = "methods = [\"GET\"]\ntype = \"protected_read\"";
const SIMPLE: &[&str] = &["GET /api/items/42 HTTP/1.1", "User-Agent: bench/1"];
const BROWSER: &[&str] = &[
    "GET /api/items/42?page=2&sort=price HTTP/1.1",
    "Connection: keep-alive",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8",
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Accept-Language: en-GB,en;q=0.7,de;q=0.3",
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Referer: https://shop.example.com/items",
    "Cookie: theme=dark; consent=1; visit=5f0c1a0e9b7d4c55a1c2",
    "Sec-Fetch-Dest: empty",
    "X-Api-Key: 0f3b2c7d8e9a4b5c",
];

const PLAIN: Scenario = Scenario {
    name: "plain",
    work: decide(200),
    routes: 10,
    route: READ,
    limits: "",
    head: SIMPLE,
    body: "",
    who: Who::Anybody,
    counts: [500, 2_500],
    exempt: 0,
};

/// Every row: what a request costs, then what a large policy costs.
pub(crate) const SCENARIOS: &[Scenario] = &[
    PLAIN,
    // A smooth limit by address that admits.
    Scenario {
        name: "limit",
        limits: "\"wide\"",
        ..PLAIN
    },
    // An exact limit by address that is reached.
    Scenario {
        name: "limited",
        work: decide(429),
        limits: "\"narrow\"",
        exempt: 100,
        ..PLAIN
    },
    // Two framings of one body.
    Scenario {
        name: "head-refused",
        work: decide(400),
        head: &[
            "POST /api/items/42 HTTP/1.1",
            "Content-Length: 5",
            "Transfer-Encoding: chunked",
        ],
        ..PLAIN
    },
    // What a browser sends, counted by address, by route and by a header.
    Scenario {
        name: "browser-3-limits",
        limits: "\"wide\", \"route\", \"key\"",
        head: BROWSER,
        ..PLAIN
    },
    // A body that is read, and counted by one of its fields.
    Scenario {
        name: "json-body",
        route: "methods = [\"POST\"]\ntype = \"public_form\"\nbody = { max = \"16 KiB\" }",
        limits: "\"mail\"",
        head: &[
            "POST /api/items/42 HTTP/1.1",
            "Content-Type: application/json",
            "Content-Length: 99",
        ],
        body: r#"{"name":"A. Person","email":"a.person@mail.example.com","text":"one or two words","tags":["a","b"]}"#,
        ..PLAIN
    },
    // What changes something, sent by somebody with a session: the token is looked up and used, and another one made.
    Scenario {
        name: "session-token",
        route: "methods = [\"POST\"]\ntype = \"protected_mutation\"",
        limits: "\"wide\"",
        head: &[
            "POST /api/items/42 HTTP/1.1",
            "User-Agent: bench/1",
            "Origin: https://shop.example.com",
            "Sec-Fetch-Site: same-origin",
            "Content-Length: 0",
        ],
        who: Who::Visitor,
        ..PLAIN
    },
    // A token of an issuer whose signature was verified before.
    Scenario {
        name: "token-remembered",
        route: PROTECTED,
        who: Who::Caller { remembered: 64 },
        ..PLAIN
    },
    // The same, and the signature is verified each time.
    Scenario {
        name: "token-verified",
        route: PROTECTED,
        who: Who::Caller { remembered: 0 },
        counts: [50, 250],
        ..PLAIN
    },
    // The same as `plain`, among many more routes.
    Scenario {
        name: "plain-among-1000-routes",
        routes: 1_000,
        ..PLAIN
    },
    Scenario {
        name: "plain-among-5000-routes",
        routes: 5_000,
        ..PLAIN
    },
    // A policy is read and made ready.
    Scenario {
        name: "load-10-routes",
        work: Work::Load,
        counts: [2, 12],
        ..PLAIN
    },
    Scenario {
        name: "load-1000-routes",
        work: Work::Load,
        counts: [0, 1],
        routes: 1_000,
        ..PLAIN
    },
    Scenario {
        name: "load-5000-routes",
        work: Work::Load,
        counts: [0, 1],
        routes: 5_000,
        ..PLAIN
    },
];

impl Scenario {
    /// The text of the policy.
    pub(crate) fn policy(&self, folder: &Path) -> String {
        let identity = match self.who {
            Who::Anybody => String::new(),
            Who::Visitor => IDENTITY.to_owned(),
            Who::Caller { remembered } => caller::identity(folder, remembered),
        };
        let mut text = format!("{TOP}{identity}{LIMITS}");
        for number in 0..self.routes {
            let (group, number) = (number % 50, number / 50);
            text.push_str(&format!(
                "[[route]]\npath = \"/api/group-{group}/kind-{number}/{{id}}\"\n{READ}\n\n"
            ));
        }
        let (route, limits) = (self.route, self.limits);
        text.push_str("[[route]]\npath = \"/api/items/{id}\"\n");
        text.push_str(route);
        if !limits.is_empty() {
            text.push_str(&format!("\nlimits = [{limits}]"));
        }
        text.push('\n');
        text
    }

    /// The head without its empty line, and the body.
    pub(crate) fn request(&self) -> (String, &'static str) {
        let mut head = String::new();
        for (number, line) in self.head.iter().enumerate() {
            head.push_str(line);
            head.push_str("\r\n");
            if number == 0 {
                head.push_str("Host: shop.example.com\r\n");
            }
        }
        (head, self.body)
    }
}

const TOP: &str = r#"version = 1
hosts = ["shop.example.com"]
upstream = "http://127.0.0.1:3000"
"#;

const IDENTITY: &str = r#"name = "shop"
public_url = "https://shop.example.com"

[identity.session]
secret = "env:SESSION"

[identity.csrf]
secret = "env:CSRF"

[identity.application]
secret = "env:APPLICATION"
"#;

const LIMITS: &str = r#"
[limits.wide]
rate = "1000000000 per 1m"

[limits.narrow]
rate = "100 per 1m"
algorithm = "exact"

[limits.route]
rate = "1000000000 per 1m"
by = ["route"]

[limits.key]
rate = "1000000000 per 1m"
by = ["header.x-api-key"]

[limits.mail]
rate = "1000000000 per 1m"
by = ["ip", "body.email"]

"#;
