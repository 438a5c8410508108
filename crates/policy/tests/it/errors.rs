//! What is said of a wrong file, and where.

use portcullis_policy::{Policy, PolicyErrors};

fn errors(text: &str) -> PolicyErrors {
    Policy::parse(text).expect_err("the file is wrong")
}

/// Where a mark first stands in a text, as `line:column`.
fn place(text: &str, mark: &str) -> String {
    let (line, column) = text
        .lines()
        .enumerate()
        .find_map(|(line, written)| {
            let byte = written.find(mark)?;
            Some((line + 1, written.get(..byte)?.chars().count() + 1))
        })
        .unwrap_or_else(|| panic!("`{mark}` is not in the text"));
    format!("{line}:{column}")
}

const TEN_FAULTS: &str = r#"version = 1
colour = "blue"

[limits.message]
rate = "10/m"

[[route]]
path = "/api/contact"
method = ["POST"]
type = "public_form"
limits = ["mesage"]

[[route]]
path = "/api/users/:id"
methods = ["GET", "post"]
type = "protected_raed"

[[guard]]
symbol = "@/lib/auth"
means = "authentication"
passes = "returns"

[[except]]
route = "GET /api/export"
lacks = "rate_limit"
because = "behind a content network"
until = "2027-01-31"
"#;

#[test]
fn ten_faults_are_ten_messages_each_at_its_place() {
    let errors = errors(TEN_FAULTS);
    let expected = [
        "colour",
        "\"10/m\"",
        "method =",
        "\"mesage\"",
        ":id",
        "\"post\"",
        "\"protected_raed\"",
        "\"@/lib/auth\"",
        "[[except]]",
        "\"2027-01-31\"",
    ];
    let found: Vec<String> = errors
        .iter()
        .map(|error| format!("{}:{}", error.line, error.column))
        .collect();
    assert_eq!(found.len(), 10, "\n{errors}");
    let expected: Vec<String> = expected
        .iter()
        .map(|mark| place(TEN_FAULTS, mark))
        .collect();
    assert_eq!(found, expected, "\n{errors}");
    insta::assert_snapshot!(errors);
}

const TEN_MORE: &str = r#"version = 1
public_url = "https://a.example.com"

[store]
url = "redis://:hunter2@cache.example.com"

[identity.session]
secret = "env:SESSION_SECRET"
source = "cookies:sid"

[[identity.issuer]]
issuer = "https://login.example.com"
audience = "api"
algorithms = ["HS256"]

[roles]
order = ["user", "admin"]
grants = { user = ["read:items"], amdin = ["write:items"] }

[facts.item]
sql = "update items set owner_id = 1 where id = $1"

[cors]
origins = ["*"]

[[route]]
path = "/api/items/{id}"
methods = ["PATCH"]
type = "protected_mutation"
object = "itme"

[[route]]
path = "/api/reindex"
methods = ["POST"]
type = "internal"
service = { scheme = "hmca", secret = "env:REINDEX" }

[[function]]
name = "MUTATION items:update"
type = "protected_mutation"

[[except]]
route = "POST action:app/actions.ts#save"
lacks = "csfr"
because = "the framework compares Origin and Host"
owner = "platform"
until = 2027-01-31
"#;

/// The same of the tables that a caller and an answer are described in.
#[test]
fn ten_other_faults_are_ten_messages_each_at_its_place() {
    let errors = errors(TEN_MORE);
    let marks = [
        "\"redis:",
        "\"cookies:sid\"",
        "\"HS256\"",
        "amdin",
        "\"update items",
        "\"*\"",
        "\"itme\"",
        "\"hmca\"",
        "\"MUTATION",
        "\"csfr\"",
    ];
    let found: Vec<String> = errors
        .iter()
        .map(|error| format!("{}:{}", error.line, error.column))
        .collect();
    let expected: Vec<String> = marks.iter().map(|mark| place(TEN_MORE, mark)).collect();
    assert_eq!(found, expected, "\n{errors}");
    assert!(!errors.to_string().contains("hunter2"), "{errors}");
}

/// What a newer program's policy says is not guessed at.
#[test]
fn an_older_program_reads_no_further() {
    let newer = TEN_MORE.replacen("version = 1", "version = 2", 1);
    let errors = errors(&newer);
    assert_eq!(errors.as_slice().len(), 1, "{errors}");
    assert!(
        errors
            .to_string()
            .contains("too old for version 2: update it"),
        "{errors}"
    );
    // Not even what is no TOML that this program knows the meaning of.
    check_one("version = 9\nroute = \"all of them\"", "1:11", &["too old"]);
}

#[test]
fn spans_are_the_wrong_bytes() {
    let errors = errors(TEN_FAULTS);
    let spanned: Vec<&str> = errors
        .iter()
        .map(|error| TEN_FAULTS.get(error.span.clone()).expect("in the text"))
        .collect();
    assert_eq!(
        spanned,
        [
            "colour",
            "\"10/m\"",
            "method",
            "\"mesage\"",
            ":",
            "\"post\"",
            "\"protected_raed\"",
            "\"@/lib/auth\"",
            "[[except]]",
            "\"2027-01-31\"",
        ]
    );
    let first = &errors.as_slice()[0];
    assert_eq!((first.line, first.end), (2, (2, 7)));
}

/// One fault in an otherwise right file: where it is, and words that the message must have.
#[test]
fn one_fault_one_message() {
    let cases: &[(&str, &str, &[&str])] = &[
        ("", "1:1", &["needs `version = 1`"]),
        (
            "version = 2\nanything = true",
            "1:11",
            &["too old", "version 2"],
        ),
        ("version = 0", "1:11", &["no version 0", "mean `1`"]),
        ("version = \"1\"", "1:11", &["`version = 1`", "a string"]),
        ("verson = 1", "1:1", &["mean `version`"]),
        ("version = 1\nname = ", "2:8", &[]),
        ("version = 1\nversion = 1", "2:1", &["duplicate"]),
        (
            "version = 1\nroute = 1",
            "2:9",
            &["[[route]]", "an integer"],
        ),
        (
            "version = 1\n[route]",
            "2:1",
            &["list of tables", "mean `[[route]]`"],
        ),
        ("version = 1\n[[store]]", "2:1", &["a table", "a list"]),
        (
            "version = 1\nprofile = 3",
            "2:11",
            &["a string", "an integer"],
        ),
        (
            "version = 1\n[limits]\nlogin = 5",
            "3:9",
            &["a table with `rate`"],
        ),
        (
            "version = 1\n[limits.a]\n",
            "2:1",
            &["a limit needs `rate`"],
        ),
        (
            "version = 1\n[limits.\"a b\"]\nrate = \"1 per 1s\"",
            "2:9",
            &["cannot stand in a name"],
        ),
        (
            "version = 1\n[limits.a]\nrate = \"1025 per 1m\"\nalgorithm = \"exact\"",
            "3:8",
            &["at most 1024"],
        ),
        (
            "version = 1\n[limits.a]\nrate = \"5 per 1m\"\nalgorithm = \"exact\"\nburst = 2",
            "5:9",
            &["belongs to `smooth`"],
        ),
        (
            "version = 1\n[limits.a]\nrate = \"5 per 1m\"\nlockout = \"15m\"",
            "4:11",
            &["belongs to `exact`", "add `algorithm"],
        ),
        (
            "version = 1\n[limits.a]\nrate = \"5 per 1m\"\nalgorithm = \"smooth\"\nlockout = \"15m\"",
            "5:11",
            &["belongs to `exact`"],
        ),
        (
            "version = 1\n[limits.a]\nrate = \"5 per 1m\"\nalgorithm = \"exact\"\nlockout = \"32d\"",
            "5:11",
            &["out of bounds"],
        ),
        (
            "version = 1\n[limits.a]\nrate = \"5 per 1m\"\nalgorithm = \"exact\"\nlockout = \"0s\"",
            "5:11",
            &["`0s`"],
        ),
        (
            "version = 1\n[limits.a]\nrate = \"5 per 1m\"\nburst = 0",
            "4:9",
            &["out of bounds"],
        ),
        (
            "version = 1\n[limits.a]\nrate = \"5 per 1m\"\nby = []",
            "4:6",
            &["counted by something"],
        ),
        (
            "version = 1\n[limits.a]\nrate = \"5 per 1m\"\nby = [\"ip\", \"ip\"]",
            "4:13",
            &["twice"],
        ),
        (
            "version = 1\n[limits.a]\nrate = \"5 per 1m\"\nby = [\"body.e mail\"]",
            "4:14",
            &["cannot stand in a name"],
        ),
        (
            "version = 1\n[limits.a]\nrate = \"5 per 1m\"\nby = \"ip\"",
            "4:6",
            &["mean `[\"ip\"]`"],
        ),
        (
            "version = 1\n[audit]\nfail_on = \"hihg\"",
            "3:11",
            &["mean `high`"],
        ),
        (
            "version = 1\n[audit]\nignore = [\"../x\"]",
            "3:11",
            &["relative to the root"],
        ),
        (
            "version = 1\n[audit]\nsession_cookie = \"true\"",
            "3:18",
            &["without quotes"],
        ),
        ("version = 1\naudit = 1", "2:9", &["a table", "an integer"]),
    ];
    for (text, at, words) in cases {
        check_one(text, at, words);
    }
}

pub(crate) fn check_one(text: &str, at: &str, words: &[&str]) {
    let errors = errors(text);
    assert_eq!(errors.as_slice().len(), 1, "{text}\n{errors}");
    let shown = errors.to_string();
    assert!(shown.starts_with(&format!("{at}: ")), "{text}\n{shown}");
    for word in words {
        assert!(shown.contains(word), "{text}\n{shown}\nlacks {word}");
    }
}

#[test]
fn faults_of_a_route() {
    let cases: &[(&str, &str, &[&str])] = &[
        ("path = \"api\"", "3:8", &["begins with `/`", "mean `/api`"]),
        ("path = \"/a/%2e%2e/b\"", "3:12", &["`%2e`", "differently"]),
        ("path = \"/\\u0061//b\"", "3:8", &["empty segment"]),
        ("methods = []", "4:11", &["one method at least"]),
        ("methods = [\"GET\", \"GET\"]", "4:19", &["twice"]),
        ("methods = \"GET\"", "4:11", &["mean `[\"GET\"]`"]),
        ("methods = [1]", "4:12", &["a string", "an integer"]),
        (
            "type = \"graphql\"",
            "5:8",
            &["unknown route type", "`public_form`", "or `internal`"],
        ),
        ("expensive = 1", "6:13", &["`true` or `false`"]),
        ("requires = [\"crsf\"]", "6:13", &["mean `csrf`"]),
        ("permission = \"\"", "6:14", &["not empty"]),
        ("body = { max = \"16KB\" }", "6:16", &["mean `16 KiB`"]),
        (
            "body = { maxx = \"16 KiB\" }",
            "6:10",
            &["of `body`", "mean `max`"],
        ),
        ("body = \"16 KiB\"", "6:8", &["a table"]),
        (
            "verify = { scheme = \"svix\", secret = \"whsec_x\" }",
            "6:38",
            &["never written here"],
        ),
        (
            "verify = { scheme = \"svix\" }",
            "6:10",
            &["`verify` needs `secret`"],
        ),
        (
            "verify = { scheme = \"svix\", secret = \"env:S\", tolerance = \"0s\" }",
            "6:59",
            &["no length of time"],
        ),
        (
            "verify = { scheme = \"svix\", secret = \"env:S\", tolerance = \"11m\" }",
            "6:59",
            &["at most `10m`"],
        ),
        (
            "confirm = [\"DELETE\"]",
            "6:12",
            &["none of the route's methods"],
        ),
        (
            "limits = [\"nothing\"]",
            "6:11",
            &["no limit `nothing`", "[limits.nothing]"],
        ),
        ("methodes = 1", "6:1", &["of a route"]),
    ];
    for (line, at, words) in cases {
        let key = line.split(' ').next().expect("a key");
        let base = [
            "path = \"/a\"",
            "methods = [\"GET\"]",
            "type = \"protected_read\"",
        ];
        let mut lines: Vec<&str> = base
            .iter()
            .map(|one| {
                if one.starts_with(&format!("{key} ")) {
                    *line
                } else {
                    *one
                }
            })
            .collect();
        if !lines.contains(line) {
            lines.push(line);
        }
        check_one(
            &format!("version = 1\n[[route]]\n{}\n", lines.join("\n")),
            at,
            words,
        );
    }
}

#[test]
fn a_public_route_has_no_caller() {
    let text = "version = 1\n[[route]]\npath = \"/\"\nmethods = [\"GET\"]\ntype = \"public_read\"\nobject = \"item\"\n";
    check_one(text, "6:10", &["needs a caller", "`public_read`"]);
}

#[test]
fn an_auth_op_is_limited_exactly() {
    let text = |algorithm: &str| {
        format!(
            "version = 1\n[limits.login]\nrate = \"5 per 1m\"\nalgorithm = \"{algorithm}\"\n[[route]]\npath = \"/login\"\nmethods = [\"POST\"]\ntype = \"auth_op\"\nlimits = [\"login\"]\n"
        )
    };
    check_one(&text("smooth"), "9:10", &["algorithm = \"exact\""]);
    assert!(Policy::parse(&text("exact")).is_ok());
    // A limit that cannot be read is told once, not again at each route that uses it.
    check_one(&text("exactly"), "4:13", &["mean `exact`"]);
}

#[test]
fn faults_of_a_guard() {
    let cases: &[(&str, &str, &[&str])] = &[
        (
            "means = \"auth\"\npasses = \"returns\"",
            "4:9",
            &["mean `authentication`"],
        ),
        (
            "means = []\npasses = \"returns\"",
            "4:9",
            &["means something"],
        ),
        ("means = \"role\"", "2:1", &["how does its result tell"]),
        (
            "means = \"role\"\npasses = \"true\"",
            "5:10",
            &["`returns`", "`truthy`"],
        ),
        (
            "means = \"role\"\npasses = \"truthy\"\nfails_fields = [\"error\"]",
            "6:16",
            &["two ways"],
        ),
        (
            "means = \"role\"\nfails_fields = []",
            "5:16",
            &["one field"],
        ),
        (
            "means = \"role\"\npasses_fields = [\"a b\"]",
            "5:18",
            &["no field"],
        ),
        (
            "means = \"csrf\"\npasses = \"truthy\"\nhandler = 1",
            "6:11",
            &["`as = \"wrapper\"`"],
        ),
        (
            "means = \"csrf\"\nas = \"wrapper\"\nhandler = 16",
            "6:11",
            &["0 to 15"],
        ),
        (
            "means = \"csrf\"\nas = \"decorator\"",
            "5:6",
            &["`middleware`"],
        ),
    ];
    for (rest, at, words) in cases {
        let text = format!("version = 1\n[[guard]]\nsymbol = \"@/a#b\"\n{rest}\n");
        check_one(&text, at, words);
    }
    let twice = "version = 1\n[[guard]]\nsymbol = \"a#b\"\nmeans = \"csrf\"\npasses = \"truthy\"\n[[guard]]\nsymbol = \"./a#b\"\nmeans = \"role\"\npasses = \"truthy\"\n";
    check_one(twice, "6:1", &["already described", "line 2"]);
}

#[test]
fn faults_of_an_except() {
    let whole = [
        "route = \"GET /a\"",
        "lacks = \"csrf\"",
        "because = \"no cookie\"",
        "owner = \"platform\"",
        "until = 2027-01-31",
    ];
    for line in whole {
        let key = line.split(' ').next().expect("a key");
        let rest: Vec<&str> = whole.into_iter().filter(|one| *one != line).collect();
        let text = format!("version = 1\n[[except]]\n{}\n", rest.join("\n"));
        check_one(&text, "2:1", &[&format!("an except needs `{key}`")]);
    }
    for (line, at, words) in [
        ("route = \"GET /a/:id\"", "3:17", "mean `GET /a/{id}`"),
        ("lacks = \"rate-limit\"", "4:9", "mean `rate_limit`"),
        ("because = \"\"", "5:11", "cannot be empty"),
        ("owner = 3", "6:9", "a string"),
        ("until = 2027-01-31T00:00:00Z", "7:9", "mean `2027-01-31`"),
        ("until = \"soon\"", "7:9", "a date"),
        ("until = 07:32:00", "7:9", "a date"),
    ] {
        let key = line.split(' ').next().expect("a key");
        let lines: Vec<&str> = whole
            .into_iter()
            .map(|one| if one.starts_with(key) { line } else { one })
            .collect();
        let text = format!("version = 1\n[[except]]\n{}\n", lines.join("\n"));
        check_one(&text, at, &[words]);
    }
    let one = format!("[[except]]\n{}\n", whole.join("\n"));
    check_one(
        &format!("version = 1\n{one}{one}"),
        "8:1",
        &["already excepted at line 2"],
    );
}

fn routes(routes: &[(&str, &str)]) -> String {
    let mut text = "version = 1\n".to_owned();
    for (methods, path) in routes {
        text.push_str(&format!(
            "[[route]]\npath = \"{path}\"\nmethods = {methods}\ntype = \"protected_read\"\n"
        ));
    }
    text
}

#[test]
fn two_routes_for_one_request() {
    for (pair, words) in [
        (
            [(r#"["GET"]"#, "/a"), (r#"["GET"]"#, "/a")],
            "already described by the route at line 2",
        ),
        (
            [
                (r#"["GET"]"#, "/a/{id}"),
                (r#"["GET", "PUT"]"#, "/a/{slug}"),
            ],
            "already described",
        ),
        (
            [(r#"["ANY"]"#, "/a"), (r#"["GET"]"#, "/a")],
            "already described",
        ),
        (
            [
                (r#"["GET"]"#, "/{org}/settings"),
                (r#"["GET"]"#, "/users/{id}"),
            ],
            "`/users/settings`",
        ),
        (
            [(r#"["GET"]"#, "/{a}.json"), (r#"["GET"]"#, "/v{b}")],
            "neither is more specific",
        ),
    ] {
        check_one(&routes(&pair), "6:1", &[words]);
    }
    for fine in [
        vec![(r#"["GET"]"#, "/a"), (r#"["POST"]"#, "/a")],
        vec![(r#"["GET"]"#, "/a"), (r#"["HEAD"]"#, "/a")],
        vec![(r#"["GET"]"#, "/a"), (r#"["GET"]"#, "/a/")],
        vec![
            (r#"["GET"]"#, "/a/{id}"),
            (r#"["GET"]"#, "/a/me"),
            (r#"["GET"]"#, "/{*rest}"),
        ],
        vec![
            (r#"["GET"]"#, "/{org}/settings"),
            (r#"["GET"]"#, "/users/{id}"),
            (r#"["GET"]"#, "/users/settings"),
        ],
    ] {
        assert_eq!(
            Policy::parse(&routes(&fine))
                .map_err(|errors| errors.to_string())
                .err(),
            None
        );
    }
}

#[test]
fn columns_count_characters_and_no_byte_order_mark() {
    check_one(
        "version = 1\naudit = { ignore = [\"é\"] }\n\"é\" = 1",
        "3:1",
        &["unknown key `é`"],
    );
    check_one(
        "version = 1\naudit = { \"é\" = 1, ignore = [] }",
        "2:11",
        &["`é`"],
    );
    check_one("\u{feff}verzion = 1", "1:1", &["mean `version`"]);
    check_one(
        "version = 1\r\ncolor = 1\r\n",
        "2:1",
        &["unknown key `color`"],
    );
}

#[test]
fn what_is_too_large_is_refused_by_name() {
    check_one(
        &format!("#{}", "x".repeat(1 << 20)),
        "1:1",
        &["at most 1048576 bytes"],
    );
    check_one(
        &format!("version = 1\na{} = 1", ".a".repeat(100_000)),
        "2:34",
        &["nested deeper"],
    );
    check_one(
        &format!("version = 1\na = {}", "[".repeat(100_000)),
        "2:21",
        &["nested deeper"],
    );
    let long = format!("version = 1\n[audit]\nignore = [\"{}\"]", "x".repeat(2049));
    check_one(&long, "3:11", &["at most 2048 bytes"]);
    let many = format!("version = 1\n[audit]\nignore = [{}]", "\"x\",".repeat(257));
    check_one(&many, "3:10", &["at most 256 values"]);
    let routes = format!("version = 1\n{}", "[[route]]\n".repeat(8193));
    let errors = errors(&routes);
    assert_eq!(errors.as_slice().len(), 1);
    assert!(errors.to_string().contains("at most 8192 `[[route]]`"));
}

#[test]
fn a_thousand_errors_are_enough() {
    let errors = errors(&format!("version = 1\n{}", "[[route]]\n".repeat(500)));
    assert_eq!((errors.as_slice().len(), errors.left_out()), (1000, 500));
    assert!(errors.to_string().ends_with("and 500 more"));
}

#[test]
fn tables_of_too_many_keys_are_one_error() {
    let keys: String = (0..100_000)
        .map(|number| format!("z{number}=1\n"))
        .collect();
    check_one(
        &format!("version = 1\n{keys}"),
        "1:1",
        &["at most 1024 keys"],
    );
    check_one(
        &format!("version = 1\n[audit]\n{keys}"),
        "2:1",
        &["at most 1024 keys"],
    );
}

#[test]
fn what_is_echoed_cannot_steer_a_terminal() {
    let errors = errors("version = 1\n\"\\u001b[2J\" = 1\n");
    assert!(!errors.to_string().contains('\u{1b}'), "{errors}");
}
