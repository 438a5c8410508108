//! What is said of callers: identity, roles, facts, services; and where the guard keeps what it knows.

use portcullis_policy::{
    Control, JwtAlgorithm, Need, Policy, Preset, Protocol, ServiceScheme, SessionSource,
};

use crate::errors::check_one;

const SHOP: &str = include_str!("shop.toml");

fn policy(text: &str) -> Policy {
    Policy::parse(&format!(
        "version = 1\npublic_url = \"https://a.example.com\"\n{text}"
    ))
    .unwrap_or_else(|errors| panic!("{text}\n{errors}"))
}

/// One fault, of a file that begins with `version` and `public_url`.
fn fault(text: &str, at: &str, words: &[&str]) {
    let text = format!("version = 1\npublic_url = \"https://a.example.com\"\n{text}");
    check_one(&text, at, words);
}

#[test]
fn identity_is_read() {
    let policy = policy(
        r#"[identity]
tokens_remembered = 0
[identity.session]
secret = [{ kid = "b", key = "env:B" }, { kid = "a", key = "file:/a", not_after = 2027-01-31 }]
source = "cookie:__Host-sid"
[identity.csrf]
secret = "env:C"
lifetime = "10m"
same_site = ["https://b.example.com"]
[[identity.issuer]]
issuer = "https://login.example.com/tenant/"
audience = "https://api.example.com"
algorithms = ["ES256", "EdDSA"]
[[identity.issuer]]
preset = "clerk"
issuer = "https://clerk.example.com"
authorized_parties = ["https://a.example.com"]
algorithms = ["RS256"]
jwks = "https://keys.example.com/set"
max_stale = "2h"
leeway = "1m"
[identity.siwe]
chains = [1, 8453]
"#,
    );
    let identity = policy.identity().expect("an identity");
    assert_eq!(identity.tokens_remembered, 0);
    let session = identity.session.as_ref().expect("sessions");
    let keys = session.secret.as_slice();
    assert_eq!(keys.len(), 2);
    assert_eq!(keys[0].key.to_string(), "env:B");
    assert_eq!(
        keys[1].not_after.map(|day| day.to_string()).as_deref(),
        Some("2027-01-31")
    );
    let cookie = "__Host-sid".parse().expect("a name");
    assert_eq!(session.source, SessionSource::Cookie(cookie));
    let csrf = identity.csrf.as_ref().expect("tokens");
    assert_eq!((csrf.lifetime.as_secs(), csrf.same_site.len()), (600, 1));
    let [other, clerk] = identity.issuers.as_slice() else {
        panic!("two issuers")
    };
    assert_eq!(other.algorithms, [JwtAlgorithm::Es256, JwtAlgorithm::EdDsa]);
    assert_eq!(
        other.jwks.to_string(),
        "https://login.example.com/tenant/.well-known/jwks.json"
    );
    assert_eq!(other.max_stale.as_secs(), 3_600);
    assert_eq!((other.leeway.as_secs(), clerk.leeway.as_secs()), (30, 60));
    assert_eq!(clerk.preset, Some(Preset::Clerk));
    assert_eq!(clerk.jwks.to_string(), "https://keys.example.com/set");
    assert_eq!(identity.siwe.as_ref().expect("chains").chains, [1, 8453]);
}

#[test]
fn faults_of_identity() {
    let issuer = "[[identity.issuer]]\nissuer = \"https://i\"\n";
    let cases: &[(&str, &str, &[&str])] = &[
        (
            "[identity]\ntokens_remembered = 65537",
            "4:21",
            &["0 to 65536"],
        ),
        (
            "[identity.session]\nsecret = \"hunter2hunter2\"",
            "4:10",
            &["never written here"],
        ),
        ("[identity.session]", "3:1", &["needs `secret`"]),
        (
            "[identity.session]\nsecret = []",
            "4:10",
            &["one key at least"],
        ),
        (
            "[identity.session]\nsecret = 1",
            "4:10",
            &["a list of keys"],
        ),
        (
            "[identity.session]\nsecret = [{ kid = \"a\", key = \"x\" }]",
            "4:30",
            &["never written here"],
        ),
        (
            "[identity.session]\nsecret = [{ key = \"env:A\" }]",
            "4:11",
            &["a key needs `kid`"],
        ),
        (
            "[identity.session]\nsecret = [{ kid = \"a\", key = \"env:A\" }, { kid = \"a\", key = \"env:B\" }]",
            "4:41",
            &["the same `kid`"],
        ),
        (
            "[identity.session]\nsecret = \"env:A\"\nsource = \"cookie:__Host-pc-sid\"",
            "5:18",
            &["the guard's own"],
        ),
        (
            "[identity.session]\nsecret = \"env:A\"\nsource = \"cookies\"",
            "5:10",
            &["source of sessions"],
        ),
        (
            "[[identity.issuer]]\nissuer = \"https://i\"\naudience = \"a\"\nalgorithms = [\"RS256\"]\ncookie = \"__host-PC-sid\"",
            "7:10",
            &["the guard's own"],
        ),
        (
            "[identity.csrf]\nsecret = \"env:A\"\nlifetime = \"2h\"",
            "5:12",
            &["`1m` to `1h`"],
        ),
        (
            "[identity.csrf]\nsecret = \"env:A\"\nsame_site = [\"a.example.com\"]",
            "5:14",
            &["begins with"],
        ),
        ("[identity]\nsessions = {}", "4:1", &["mean `session`"]),
        (
            "[identity.issuer]\nissuer = \"https://i\"",
            "3:1",
            &["mean `[[identity.issuer]]`"],
        ),
        (
            "[[identity.issuer]]\naudience = \"a\"\nalgorithms = [\"RS256\"]",
            "3:1",
            &["needs `issuer`"],
        ),
    ];
    for (text, at, words) in cases {
        fault(text, at, words);
    }
    for (rest, at, words) in [
        (
            "audience = \"a\"\nalgorithms = [\"HS256\"]",
            "6:15",
            "never accepted",
        ),
        (
            "audience = \"a\"\nalgorithms = [\"none\"]",
            "6:15",
            "never accepted",
        ),
        (
            "audience = \"a\"\nalgorithms = [\"RS265\"]",
            "6:15",
            "mean `RS256`",
        ),
        (
            "audience = \"a\"\nalgorithms = []",
            "6:14",
            "name one at least",
        ),
        ("algorithms = [\"RS256\"]", "3:1", "add `audience`"),
        (
            "preset = \"clerk\"\nalgorithms = [\"RS256\"]",
            "3:1",
            "authorized_parties",
        ),
        (
            "preset = \"clerck\"\nalgorithms = [\"RS256\"]",
            "5:10",
            "mean `clerk`",
        ),
        (
            "preset = \"own\"\nalgorithms = [\"RS256\"]",
            "3:1",
            "add `audience`",
        ),
        (
            "audience = \"a\"\nalgorithms = [\"RS256\"]\nleeway = \"61s\"",
            "7:10",
            "out of bounds",
        ),
        (
            "audience = \"a\"\nalgorithms = [\"RS256\"]\njwks = \"file:\"",
            "7:8",
            "stands a path",
        ),
        (
            "audience = \"a\"\nalgorithms = [\"RS256\"]\njwks = \"http://i/k\"",
            "7:8",
            "mean `https://i/k`",
        ),
    ] {
        fault(&format!("{issuer}{rest}"), at, &[words]);
    }
    let whole = format!("{issuer}audience = \"a\"\nalgorithms = [\"RS256\"]\n");
    fault(
        &format!("{whole}{whole}"),
        "7:1",
        &["already described at line 3"],
    );
    check_one(
        "version = 1\n[identity.siwe]\nchains = [1]",
        "2:1",
        &["add `public_url`"],
    );
    fault("[identity.siwe]\nchains = [0]", "4:11", &["out of bounds"]);
    fault(
        "[identity.siwe]\nchains = []",
        "4:10",
        &["one chain at least"],
    );
}

#[test]
fn a_role_has_what_those_before_it_have() {
    let policy = policy(
        "[roles]\norder = [\"user\", \"moderator\", \"admin\"]\n[roles.grants]\nuser = [\"read\"]\nadmin = [\"write\"]\n",
    );
    let roles = policy.roles().expect("roles");
    let may = |role, permission: &str| roles.has(role, &permission.parse().expect("a name"));
    assert!(may("user", "read") && may("moderator", "read") && may("admin", "read"));
    assert!(may("admin", "write") && !may("moderator", "write"));
    assert!(!may("nobody", "read") && !may("admin", "erase"));
}

#[test]
fn faults_of_roles_and_facts() {
    let cases: &[(&str, &str, &[&str])] = &[
        ("[roles]\norder = []", "4:9", &["one role at least"]),
        (
            "[roles]\norder = [\"user\"]\ngrants = { usr = [] }",
            "5:12",
            &["no role `usr`", "mean `user`"],
        ),
        (
            "[roles]\norder = [\"user\"]\ngrants = { user = \"read\" }",
            "5:19",
            &["mean `[\"read\"]`"],
        ),
        (
            "[roles]\nadmin = []\norder = [\"admin\"]",
            "4:1",
            &["of `[roles]`"],
        ),
        ("[facts]\nitem = 1", "4:8", &["a table with `sql`"]),
        (
            "[facts.item]\nsql = \"drop table items\"",
            "4:7",
            &["begins with `select`"],
        ),
        ("[facts.item]\nsql = \"select 1\"", "4:7", &["needs `$1`"]),
        (
            "[facts.item]\nsql = \"select a from b where c = $1\"\nshared_by = \"select a from b where c = $1\"",
            "5:13",
            &["`$2`"],
        ),
        (
            "[store]\nurl = \"redis://:secret@cache.example.com\"",
            "4:7",
            &["never written here"],
        ),
        (
            "[trail]\nsigning_key = \"0f0f\"",
            "4:15",
            &["never written here"],
        ),
        (
            "[trail]\ncheckpoints = \"stdout\"",
            "4:15",
            &["checkpoints go to a file"],
        ),
        ("[store]", "3:1", &["needs `url`"]),
    ];
    for (text, at, words) in cases {
        fault(text, at, words);
    }
}

/// What a route refers to has to be there, once the table is there at all.
#[test]
fn what_a_route_names_is_known() {
    let route = "[[route]]\npath = \"/a/{id}\"\nmethods = [\"PUT\"]\ntype = \"protected_mutation\"\npermission = \"write:items\"\nobject = \"item\"\n";
    let roles = "[roles]\norder = [\"user\"]\ngrants = { user = [\"write:itmes\"] }\n";
    let facts = "[facts.itme]\nsql = \"select owner_id from items where id = $1\"\n";
    assert_eq!(policy(route).routes().len(), 1);
    fault(
        &format!("{route}{roles}"),
        "7:14",
        &["no role is granted `write:items`", "mean `write:itmes`"],
    );
    fault(
        &format!("{route}{facts}"),
        "8:10",
        &["no facts of `item`", "mean `itme`"],
    );
    let function =
        "[[function]]\nname = \"a:b\"\ntype = \"protected_read\"\npermission = \"read\"\n";
    fault(
        &format!("{function}{roles}"),
        "6:14",
        &["no role is granted `read`"],
    );
    // A table that could not be read is told once, and not again at each route.
    fault(
        &format!("{route}[roles]\norder = 1\ngrants = {{ user = [] }}\n"),
        "10:9",
        &["a list"],
    );
    fault(&format!("{route}[facts.item]\n"), "9:1", &["needs `sql`"]);
}

#[test]
fn a_service_opens_an_internal_route() {
    let route = |rest: &str| {
        format!("[[route]]\npath = \"/a\"\nmethods = [\"POST\"]\ntype = \"internal\"\n{rest}\n")
    };
    let open = policy(&route(
        "service = { scheme = \"mtls\", subject = \"CN=reindex\" }\nprotocol = \"grpc\"",
    ));
    let service = open.routes()[0].service.as_ref().expect("a service");
    assert_eq!(service.scheme, ServiceScheme::Mtls);
    assert_eq!(open.routes()[0].protocol, Protocol::Grpc);
    assert_eq!(
        open.routes()[0].need(Control::Authentication),
        Need::Required
    );
    for (rest, at, words) in [
        ("service = { scheme = \"hmac\" }", "7:11", "needs `secret`"),
        ("service = { scheme = \"mtls\" }", "7:11", "needs `subject`"),
        (
            "service = { scheme = \"mtls\", subject = \"a\", secret = \"env:A\" }",
            "7:54",
            "has no `secret`",
        ),
        (
            "service = { scheme = \"basic\", secret = \"env:A\" }",
            "7:22",
            "`bearer`",
        ),
        ("service = \"billing\"", "7:11", "a table"),
    ] {
        fault(&route(rest), at, &[words]);
    }
}

#[test]
fn faults_of_answers() {
    let cases: &[(&str, &str, &[&str])] = &[
        ("[cors]\norigins = [\"*\"]", "4:12", &["begins with"]),
        ("[cors]\norigins = []", "4:11", &["one origin at least"]),
        (
            "[cors]\norigins = [\"https://b\"]\nmax_age = \"2d\"",
            "5:11",
            &["`1s` to `1d`"],
        ),
        (
            "[cors]\norigins = [\"https://b\"]\nheaders = [\"Cookie\"]",
            "5:12",
            &[],
        ),
        (
            "[headers]\nserver = \"remove\"",
            "4:10",
            &["a header's rule is"],
        ),
        (
            "[headers]\nserver = { set = \"a\", append = \"b\" }",
            "4:10",
            &["either"],
        ),
        (
            "[headers]\nserver = { set = \"a\\r\\nb\" }",
            "4:18",
            &["printable"],
        ),
        (
            "[headers]\ncontent-security-policy = { set = \"a\" }",
            "4:1",
            &["`[csp]`"],
        ),
        (
            "[headers]\nset-cookie = \"keep\"",
            "4:1",
            &["cannot be named here"],
        ),
        (
            "[cors]\norigins = [\"https://b\"]\nexpose = [\"set-cookie\"]",
            "5:11",
            &["cannot be named here"],
        ),
        (
            "[headers]\naccess-control-allow-origin = { set = \"*\" }",
            "4:1",
            &["`[cors]`"],
        ),
        (
            "[headers]\nlocation = { set = \"/a\" }",
            "4:1",
            &["of each answer alone"],
        ),
        (
            "[headers]\nx-frame-options = { append = \"DENY\" }",
            "4:19",
            &["stands once"],
        ),
        (
            "[csp]\npolicy = \"script-src 'self'\"\nnonce = true",
            "3:1",
            &["`script-src 'nonce-{nonce}'`"],
        ),
        (
            "[csp]\npolicy = \"script-src 'nonce-{nonce}' {nonce}\"\nnonce = true",
            "3:1",
            &["is written `'nonce-{nonce}'`"],
        ),
        (
            "[csp]\npolicy = \"script-src 'nonce-{nonce}' 'nonce-a'\"\nnonce = true",
            "3:1",
            &["made anew"],
        ),
        (
            "[csp]\npolicy = \"script-src 'nonce-abc'\"",
            "3:1",
            &["add `nonce = true`"],
        ),
        ("[csp]\nreport_only = false", "3:1", &["needs `policy`"]),
        (
            "[csp]\npolicy = \"default-src 'self'\"\nnonce = 1",
            "5:9",
            &["`true` or `false`"],
        ),
    ];
    for (text, at, words) in cases {
        fault(text, at, words);
    }
}

/// A guard that cannot do what a table says does not start as if it did.
#[test]
fn a_guard_says_what_it_would_not_follow() {
    let today = "2027-01-01".parse().expect("a day");
    let base = "upstream = \"http://127.0.0.1:3000\"\nstatic = [\"/a\"]\n";
    assert_eq!(policy(base).for_guard(today, &[]), Ok(()));
    for table in [
        "[store]\nurl = \"env:S\"",
        "[trail]\nurl = \"env:S\"",
        "[identity.siwe]\nchains = [1]",
        "[[route]]\npath = \"/b\"\nmethods = [\"POST\"]\ntype = \"internal\"\nprotocol = \"grpc\"",
        "[[route]]\npath = \"/b\"\nmethods = [\"POST\"]\ntype = \"internal\"\nservice = { scheme = \"hmac\", secret = \"env:S\" }",
    ] {
        // An internal route has the limit of its type, which is not what is asked here.
        let enforced = [Control::RateLimit];
        let lacks = policy(&format!("{base}{table}\n"))
            .for_guard(today, &enforced)
            .expect_err(table);
        assert_eq!(lacks.len(), 1, "{table}\n{lacks:?}");
        assert_eq!(lacks[0].place.line, 5, "{table}");
    }
    for table in [
        "[[identity.issuer]]\nissuer = \"https://i.example\"\naudience = \"a\"\nalgorithms = [\"ES256\"]",
        "[cors]\norigins = [\"https://b.example.com\"]",
        "[headers]\nserver = \"keep\"",
        "[csp]\npolicy = \"default-src 'self'\"",
        "[trail]\ncheckpoints = \"/mnt/worm/checkpoints.jsonl\"",
    ] {
        let read = policy(&format!("{base}{table}\n"));
        assert_eq!(read.for_guard(today, &[]), Ok(()), "{table}");
        assert_eq!(read.notices(), [], "{table}");
    }
    let session = "[identity.session]\nsecret = \"env:A\"";
    let csrf = "[identity.csrf]\nsecret = \"env:B\"";
    let application = "[identity.application]\nsecret = \"env:C\"";
    let http = "[identity.csrf]\nsecret = \"env:B\"\n# http";
    for (tables, expected) in [
        (
            vec![session],
            &["[identity.csrf]", "[identity.application]"][..],
        ),
        (vec![session, csrf], &["[identity.application]"]),
        (vec![session, csrf, application], &[]),
        (vec![csrf], &[]),
        (vec![http], &["https"]),
        (
            vec![
                "[identity.session]\nsecret = \"env:A\"\nsource = \"cookie:sid\"",
                csrf,
            ],
            &[],
        ),
        (
            vec![
                "[identity.session]\nsecret = \"env:A\"\nsource = \"claim:sid\"",
                csrf,
            ],
            &["[[identity.issuer]]"],
        ),
    ] {
        let text = format!("{base}{}\n", tables.join("\n"));
        let read = if tables == [http] {
            let text = text.replace("# http", "");
            Policy::parse(&format!("version = 1\nhosts = [\"a\"]\n{text}")).expect("valid")
        } else {
            policy(&text)
        };
        let lacks = read.for_guard(today, &[]).err().unwrap_or_default();
        assert_eq!(lacks.len(), expected.len(), "{text}\n{lacks:?}");
        for (lack, words) in lacks.iter().zip(expected) {
            assert!(lack.message.contains(words), "{lack}");
        }
    }
    for table in ["[roles]\norder = [\"user\"]", "[facts]"] {
        let read = policy(&format!("{base}{table}\n"));
        assert_eq!(read.for_guard(today, &[]), Ok(()), "{table}");
        let told = read.notices();
        assert!(
            told[0]
                .message
                .contains("no command of this version uses it"),
            "{table}"
        );
    }
}

#[test]
fn the_example_has_them_all() {
    let policy = Policy::parse(SHOP).unwrap_or_else(|errors| panic!("{errors}"));
    assert!(policy.store().is_some() && policy.trail().is_some());
    assert_eq!(policy.facts().len(), 1);
}

/// The page to which browsers are led is one path of the service, and one that answers whoever comes.
#[test]
fn the_login_is_a_path_that_is_open() {
    let of = |login: &str| format!("[identity.session]\nsecret = \"env:S\"\nlogin = \"{login}\"\n");
    let read = policy(&of("/account/login"));
    let session = read.identity().unwrap().session.as_ref().unwrap();
    assert_eq!(session.login.as_deref(), Some("/account/login"));
    for login in [
        "https://evil.example/login",
        "//evil.example",
        "/\\\\evil.example",
        "login",
        "/login?a=b",
        "/login#a",
        "/a/../login",
        "/{page}",
        "",
    ] {
        let text = format!(
            "version = 1\npublic_url = \"https://a.example.com\"\n{}",
            of(login)
        );
        assert!(Policy::parse(&text).is_err(), "{login}");
    }
    let today = "2026-06-01".parse().unwrap();
    let lacks = |route: &str| {
        let text = format!("upstream = \"http://127.0.0.1:1\"\n{}{route}", of("/login"));
        let lacks = policy(&text).for_guard(today, &[]).unwrap_err();
        lacks
            .iter()
            .any(|lack| lack.to_string().contains("login = \"/login\""))
    };
    let route = |path: &str, method: &str, kind: &str| {
        format!("[[route]]\npath = \"{path}\"\nmethods = [\"{method}\"]\ntype = \"{kind}\"\n")
    };
    assert!(lacks(""));
    assert!(lacks(&route("/login", "GET", "protected_read")));
    assert!(lacks(&route("/login", "POST", "public_form")));
    assert!(lacks(&route("/other", "GET", "public_read")));
    assert!(!lacks(&route("/login", "GET", "public_read")));
}

/// A cookie that a browser sends by itself says who is calling: then there must be something against other sites' pages. And what
/// nobody who calls has, nothing can be counted by.
#[test]
fn a_guard_wants_csrf_for_tokens_in_cookies_and_no_tenants_of_them() {
    let today = "2027-01-01".parse().expect("a day");
    let base = "upstream = \"http://127.0.0.1:3000\"\nstatic = [\"/s\"]\n";
    let clerk = "[[identity.issuer]]\npreset = \"clerk\"\nissuer = \"https://clerk.example.com\"\nauthorized_parties = [\"https://shop.example.com\"]\nalgorithms = [\"RS256\"]\n";
    let plain = "[[identity.issuer]]\nissuer = \"https://i.example\"\naudience = \"a\"\nalgorithms = [\"ES256\"]\n";
    let csrf = "[identity.csrf]\nsecret = \"env:C\"\n";
    let by = |key: &str| {
        format!(
            "[limits.l]\nrate = \"1 per 1m\"\nby = [\"{key}\"]\n[[route]]\npath = \"/a\"\nmethods = [\"GET\"]\ntype = \"protected_read\"\nlimits = [\"l\"]\n"
        )
    };
    let enforced = [Control::RateLimit, Control::Authentication, Control::Csrf];
    for (text, lacks) in [
        (clerk.to_owned(), Some("in a cookie")),
        (format!("{csrf}{clerk}"), None),
        (plain.to_owned(), None),
        (format!("{plain}cookie = \"auth\"\n"), Some("in a cookie")),
        (format!("{plain}{}", by("user")), None),
        (
            format!("{plain}{}", by("tenant")),
            Some("counted by `tenant`"),
        ),
        // Clerk names an organisation, and a key has the tenant that it was made for.
        (format!("{csrf}{clerk}{}", by("tenant")), None),
        (format!("{csrf}{plain}{clerk}{}", by("tenant")), None),
        (
            format!(
                "[proxy]\nadmin = \"127.0.0.1:9090\"\nadmin_secret = \"env:A\"\n[identity.api_keys]\n{plain}{}",
                by("tenant")
            ),
            None,
        ),
    ] {
        let found = policy(&format!("{base}{text}")).for_guard(today, &enforced);
        match (found, lacks) {
            (Ok(()), None) => {}
            (Err(found), Some(says)) => {
                assert!(
                    found.len() == 1 && found[0].message.contains(says),
                    "{found:?}"
                );
            }
            (found, _) => panic!("{text}\n{found:?}"),
        }
    }
}
