//! The same patterns on the same paths, in the packages the frameworks use and here.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use portcullis_audit::matcher::{Dialect, Match, PathPattern, Unparsable};
use serde_json::{Value, json};

const SCRIPT: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/it/matcher_conformance.mjs"
);
/// Patterns made for each dialect; each is tried on every path.
const PATTERNS: usize = 400;

struct Case {
    dialect: &'static str,
    source: String,
    flags: &'static str,
    mount: bool,
}

impl Case {
    fn compile(&self) -> Result<PathPattern, Unparsable> {
        match (self.dialect, self.mount) {
            ("next", _) => PathPattern::compile(&self.source, Dialect::NextConfig),
            ("clerk", _) => PathPattern::compile(&self.source, Dialect::Clerk),
            ("express4", false) => PathPattern::compile(&self.source, Dialect::Express4),
            ("express4", true) => PathPattern::compile_mount(&self.source, Dialect::Express4),
            ("express5", false) => PathPattern::compile(&self.source, Dialect::Express5),
            ("express5", true) => PathPattern::compile_mount(&self.source, Dialect::Express5),
            _ => PathPattern::compile_regexp(&self.source, self.flags, Dialect::Clerk),
        }
    }
}

#[test]
fn the_answers_are_those_of_the_real_packages() {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test is told by its runner where the packages are"
    )]
    let (packages, ci) = (std::env::var("PORTCULLIS_TEST_NPM"), std::env::var("CI"));
    let Ok(packages) = packages else {
        assert!(
            ci.is_err(),
            "PORTCULLIS_TEST_NPM is not set, and in CI nothing may be skipped"
        );
        writeln!(
            std::io::stderr(),
            "skipped: matcher_conformance: PORTCULLIS_TEST_NPM is not set"
        )
        .unwrap();
        return;
    };
    let cases = cases();
    let answers = ask_node(&cases, Path::new(&packages));
    assert_eq!(answers.len(), cases.len());
    let mut tally = Tally::default();
    for (case, answer) in cases.iter().zip(&answers) {
        tally.compare(case, answer);
    }
    assert!(
        tally.wrong.is_empty(),
        "{} differ:\n{}",
        tally.wrong.len(),
        tally.wrong.join("\n")
    );
    assert!(
        tally.compared > 20_000 && tally.matched > 2_000,
        "the cases say too little: {tally:?}"
    );
    // What is not modelled has to stay the exception.
    let unread: usize = tally.unread.values().sum();
    assert!(
        unread * 20 < cases.len() && tally.unknown * 100 < tally.compared,
        "{tally:?}"
    );
    println!(
        "{} of {} answers are yes; not modelled: {:?}",
        tally.matched, tally.compared, tally.unread
    );
}

#[derive(Debug, Default)]
struct Tally {
    compared: usize,
    matched: usize,
    unknown: usize,
    unread: BTreeMap<String, usize>,
    wrong: Vec<String>,
}

impl Tally {
    fn compare(&mut self, case: &Case, answer: &Value) {
        let Case {
            dialect,
            source,
            flags,
            mount,
        } = case;
        let name = format!("{dialect} {source:?} {flags} mount={mount}");
        match (case.compile(), answer.as_array()) {
            (Ok(_), None) => self.wrong.push(format!("{name}: refused there, read here")),
            (Err(_), None) => self.compared += 1,
            (Err(Unparsable { reason }), Some(_)) => {
                let modelled = ![
                    "not modelled",
                    "not plain ASCII",
                    "engine refuses",
                    "at the end",
                ]
                .iter()
                .any(|limit| reason.contains(limit));
                if modelled {
                    self.wrong
                        .push(format!("{name}: read there, refused here: {reason}"));
                }
                *self.unread.entry(reason).or_default() += 1;
            }
            (Ok(pattern), Some(answers)) => {
                for (path, answer) in PATHS.iter().zip(answers) {
                    self.compared += 1;
                    match (pattern.is_match(path), answer.as_bool().unwrap()) {
                        (Match::Unknown, _) => self.unknown += 1,
                        (Match::Yes, true) => self.matched += 1,
                        (Match::No, false) => {}
                        (here, there) => self
                            .wrong
                            .push(format!("{name} on {path:?}: {there} there, {here:?} here")),
                    }
                }
            }
        }
    }
}

fn ask_node(cases: &[Case], packages: &Path) -> Vec<Value> {
    let questions: Vec<Value> = cases
        .iter()
        .map(|case| {
            json!({
                "dialect": case.dialect, "source": case.source, "flags": case.flags, "mount": case.mount,
                "paths": PATHS,
            })
        })
        .collect();
    let mut node = Command::new("node")
        .arg(SCRIPT)
        .arg(packages)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node starts");
    let questions = serde_json::to_vec(&questions).unwrap();
    node.stdin
        .take()
        .unwrap()
        .write_all(&questions)
        .expect("node reads its input");
    let output = node.wait_with_output().unwrap();
    assert!(output.status.success(), "node failed: {}", output.status);
    serde_json::from_slice(&output.stdout).expect("node answers in JSON")
}

const PATHS: [&str; 24] = [
    "/",
    "",
    "/api",
    "/api/",
    "/API/x",
    "/api/x",
    "/api/x/y",
    "/api/x.json",
    "/api/a\nb",
    "/users/5",
    "/users/5/",
    "/users/a-b",
    "/users/a.b.c",
    "/apiusers",
    "/x",
    "/x/x",
    "/a-b",
    "/ab",
    "/aab/api",
    "x",
    "//x",
    "/api//x",
    "/é/K\u{212A}\u{17F}",
    "/_next/x.js",
];

const SIX: &[&str] = &[
    "/",
    "/api",
    "/users",
    "/x",
    "x",
    ":id",
    "/:id",
    "/:id?",
    "/:path*",
    "/:path+",
    "(.*)",
    "(\\d+)",
    "/:id(\\d+)",
    "/((?!api|_next).*)",
    "/((?!.*\\..*|_next).*)",
    "{/:x}?",
    "{-:y}*",
    "{/x}+",
    ".",
    ".:ext",
    ".:ext?",
    "-",
    "-:b",
    "\\.",
    "\\:",
    "*",
    "?",
    "+",
    "(",
    ")",
    "[a-z]",
    "|",
    "{",
    "}",
    "(?:x)",
    "(a|b)",
    "é",
    "([^/.]{1,})",
    "(.*)*",
    "(?!x)",
];
const ZERO: &[&str] = &[
    "/",
    "/api",
    "/users",
    "/x",
    "x",
    "a",
    ":id",
    "/:id",
    "/:id?",
    "/:id(\\d+)",
    "/:id(*)",
    "*",
    "/*",
    "(\\d+)",
    "/(a|b)",
    "/(x)?",
    ".",
    ".:ext",
    ".:ext?",
    "-",
    "-:b",
    "\\.",
    "?",
    "+",
    "(",
    ")",
    "[ab]",
    "/:p*",
    "/:p*?",
    "|",
    "{2}",
    "/.:h",
    "(?!x)",
    "\\d",
];
const EIGHT: &[&str] = &[
    "/",
    "/api",
    "/users",
    "/x",
    "x",
    ":id",
    "/:id",
    "/*rest",
    "*rest",
    "{/:opt}",
    "{/*opt}",
    "{",
    "}",
    ".",
    ".:ext",
    "{.:ext}",
    "-",
    "-:b",
    "--:c",
    "--*d",
    "\\:",
    "\\*",
    "*\"q s\"",
    ":\"a\\\"b\"",
    "!",
    "é",
    "/api/*a/x/*b",
    "/:a-*b",
    "(",
];
const REGEXP: &[&str] = &[
    "^", "$", "\\/", "/", "api", "a", "x", ".", ".*", "[^/]", "[^/]+", "\\d+", "\\w", "\\w+",
    "\\s", "\\S", "\\W*", "(?:", ")", "(", "(?=", "(?!", "(?<=", "(?<!", "|", "{2}", "{1,2}",
    "{0}", "{", "}", "]", "?", "*", "+", "*?", "[a-z]", "[A-Z]", "[\\w-]", "[^]", "[]", "[^a-c]",
    "[\\d-x]", "\\b", "\\B", "(?<n>", "\\u0061", "\\x41", "\\cA", "é", "\u{212A}", "\u{17F}", "k",
    "S", "\\n", "\\-", "\\p", "[.]", "[/-9]", "{,2}", "\\0",
];

/// Real patterns, and many more put together out of pieces by a fixed rule.
fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let real = [
        "/((?!api|_next/static|_next/image|favicon.ico).*)",
        "/((?!_next|[^?]*\\.(?:html?|css|js(?!on)|jpe?g|png|csv|docx?|xlsx?|zip|webmanifest)).*)",
        "/(api|trpc)(.*)",
        "/dashboard(.*)",
        "/api/:path*",
    ];
    for source in real {
        for dialect in ["next", "clerk"] {
            cases.push(Case {
                dialect,
                source: source.to_owned(),
                flags: "",
                mount: false,
            });
        }
    }
    let mut chance = Chance(0x5EED);
    let families: [(&'static str, &[&str], bool); 5] = [
        ("next", SIX, false),
        ("clerk", SIX, false),
        ("express4", ZERO, true),
        ("express5", EIGHT, true),
        ("regexp", REGEXP, false),
    ];
    for (dialect, pieces, mounts) in families {
        for _ in 0..PATTERNS {
            let length = 1 + chance.below(6);
            let mut source = if dialect == "regexp" || chance.below(3) == 0 {
                ""
            } else {
                "/api"
            }
            .to_owned();
            for _ in 0..length {
                source.push_str(pieces[chance.below(pieces.len())]);
            }
            let flags = ["", "i", "m", "s", "im"][if dialect == "regexp" {
                chance.below(5)
            } else {
                0
            }];
            let mount = mounts && chance.below(3) == 0;
            cases.push(Case {
                dialect,
                source,
                flags,
                mount,
            });
        }
    }
    cases
}

/// A small linear congruential generator: the cases are the same in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}
