//! The resolved policy reads back as the same policy, and marks what nobody wrote.

use std::fs;
use std::path::Path;

use portcullis_policy::{Control, Policy};

use crate::schema::each_table;

const SHOP: &str = include_str!("shop.toml");
const GUIDE: &str = include_str!("../../../../docs/guide/policy.md");

fn policy(text: &str) -> Policy {
    Policy::parse(text).unwrap_or_else(|errors| panic!("{text}\n{errors}"))
}

/// A text without the marks of defaults, and without the keys that are left out.
fn unmarked(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| line.trim_end_matches(" # default"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// All that a policy says of each route, whether it is written or a default.
fn meaning(policy: &Policy) -> String {
    let mut text = format!(
        "{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n",
        policy.name(),
        policy.public_url(),
        policy.upstreams(),
        policy.hosts(),
        policy.trusted_proxies(),
        (policy.profile(), policy.max_nodes()),
        (policy.proxy(), policy.events()),
    );
    for route in policy.all_routes() {
        let limits: Vec<String> = policy
            .limits_of(route)
            .into_iter()
            .map(|limit| {
                format!(
                    "{} {} {} {:?} {} {} {}",
                    limit.name,
                    limit.rate,
                    limit.algorithm,
                    limit.by,
                    limit.counts,
                    limit.burst_or_default(),
                    limit.is_shown(route.kind)
                )
            })
            .collect();
        // A size that is stated is demanded by that, and the guard holds bodies to it either way.
        let needs: Vec<String> = Control::ALL
            .iter()
            .filter(|control| **control != Control::BodyLimit)
            .map(|control| format!("{control} {:?}", route.need(*control)))
            .collect();
        let hosts = if route.hosts.is_empty() {
            policy.hosts()
        } else {
            route.hosts.clone()
        };
        text.push_str(&format!(
            "{} {} {:?} {hosts:?} {limits:?} {needs:?} {:?} {:?} {} {:?} {:?} {:?} {:?} {:?}\n",
            route.title(),
            route.kind,
            (&route.permission, &route.object),
            route.body.as_ref().and_then(|body| body.schema.as_ref()),
            route.content_types(),
            route.body_max(),
            route.timeout.unwrap_or(policy.proxy().response_timeout),
            route.protocol,
            route.service,
            route.confirm,
            (route.is_buffered(), route.is_static),
        ));
    }
    text
}

fn check(text: &str) {
    let stated = policy(text);
    let resolved = stated.resolved();
    let again = policy(&resolved);
    assert_eq!(meaning(&again), meaning(&stated), "{resolved}");
    // All that is written is written again, also what has no meaning for a route.
    assert_eq!(unmarked(&again.resolved()), unmarked(&resolved));
}

#[test]
fn a_resolved_policy_is_the_same_policy() {
    check(SHOP);
    check("version = 1");
    for example in GUIDE.split("```toml\n").skip(1) {
        check(example.split("```").next().expect("an example"));
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut count = 0;
    for folder in fs::read_dir(root.join("examples")).expect("examples") {
        let path = folder.expect("a folder").path().join("portcullis.toml");
        // Some folders are parts of applications, without a policy.
        if path.is_file() {
            check(&fs::read_to_string(path).expect("a policy"));
            count += 1;
        }
    }
    assert!(count > 0);
}

/// The fuzzer has kept policies that nobody would write.
#[test]
fn so_is_that_of_any_policy() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/policy_file");
    for entry in fs::read_dir(corpus).expect("a corpus") {
        let text = fs::read_to_string(entry.expect("an entry").path()).unwrap_or_default();
        if Policy::parse(&text).is_ok() {
            check(&text);
        }
    }
}

/// A key that the writer forgets would be a key that a resolved policy loses.
#[test]
fn every_key_is_written() {
    let mut texts = vec![policy(SHOP).resolved()];
    let examples = GUIDE.split("```toml\n").skip(1);
    texts.extend(
        examples.map(|one| policy(one.split("```").next().expect("an example")).resolved()),
    );
    let all = texts.join("\n");
    let root = portcullis_policy::schema();
    each_table(&root, &root, &[], &mut |way, table| {
        for key in table["properties"].as_object().expect("properties").keys() {
            let written = [
                format!("\n{key} = "),
                format!("\n{key}."),
                format!(".{key} = "),
                format!(" {key} = "),
                format!("\n# {key}: "),
                format!("[{key}"),
                format!(".{key}]"),
                format!(".{key}."),
            ];
            let is_written = written.iter().any(|one| all.contains(one))
                || all.starts_with(&format!("{key} = "));
            // A rule of a header has one of two.
            assert!(is_written || key == "append", "{way:?} {key}");
        }
    });
}

/// Nothing is stated that the file did not state.
#[test]
fn what_nobody_wrote_is_marked() {
    let resolved = policy("version = 1").resolved();
    for line in resolved
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('['))
    {
        assert!(
            line.ends_with(" # default") || line == "version = 1",
            "{line}"
        );
    }
    let shop = policy(SHOP).resolved();
    for line in [
        "listen = \"0.0.0.0:8443\"",
        "connections_max = 4096 # default",
        "# workers: one for each core # default",
        "[limits.\"default.protected_mutation\"] # default",
        "burst = 10 # default",
        "show = false # default",
        "limits = [\"default.webhook\"] # default",
        "body.max = \"16 KiB\"",
        "body.max = \"1 MiB\" # default",
        "verify.tolerance = \"5m\"",
        "jwks = \"https://clerk.shop.example.com/.well-known/jwks.json\" # default",
        "fail_on = \"medium\"",
        "shadow = false # default",
    ] {
        assert!(
            shop.lines().any(|one| one == line),
            "{line} is not in\n{shop}"
        );
    }
}
