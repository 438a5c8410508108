//! What the policy file changes in the answer of an audit, from outside.

use serde_json::Value;

use crate::folder::Folder;
use crate::{err, out, run};

/// The caller is asked for over the network, and requests are counted by a package that no row describes.
const AUTH: &str = "
const sessions = require('./sessions');
exports.requireUser = (req, res, next) => sessions.load(req, (user) => { req.user = user; next(); });
exports.userOf = async (req) => fetch('https://id.test', { headers: req.headers });
";

const APP: &str = "
const express = require('express');
const { PrismaClient } = require('@prisma/client');
const { slow } = require('@acme/traffic');
const { requireUser, userOf } = require('./lib/auth');
const db = new PrismaClient();
const app = express();
app.use(express.json());
app.post('/notes', requireUser, slow, async (req, res) => {
  await db.note.create({ data: { text: String(req.body.text), ownerId: req.user.id } });
  res.json({ ok: true });
});
app.post('/drafts', slow, async (req, res) => {
  const user = await userOf(req);
  if (!user) return res.sendStatus(401);
  await db.draft.create({ data: { text: String(req.body.text), ownerId: user.id } });
  res.json({ ok: true });
});
app.post('/contact', async (req, res) => {
  await db.message.create({ data: { text: String(req.body.text) } });
  res.json({ ok: true });
});
app.post('/signal', async (req, res) => {
  await db.signal.create({ data: { text: String(req.body.text) } });
  res.json({ ok: true });
});
";

const GUARDS: &str = "version = 1

[[guard]]
symbol = 'lib/auth.js#requireUser'
means = 'authentication'
as = 'middleware'

[[guard]]
symbol = 'lib/auth.js#userOf'
means = 'authentication'
passes = 'truthy'
result = 'caller'

[[guard]]
symbol = '@acme/traffic#slow'
means = 'rate_limit'
as = 'middleware'
";

/// Two of the exceptions hold on the day of these tests, the third does not any more.
const EXCEPTS: &str = "
[[except]]
route = 'POST /contact'
lacks = 'rate_limit'
because = 'counted at the edge'
owner = 'web'
until = 2026-06-01

[[except]]
route = 'POST /old'
lacks = 'rate_limit'
because = 'counted at the edge'
owner = 'web'
until = 2026-12-31

[[except]]
route = 'POST /signal'
lacks = 'rate_limit'
because = 'counted at the edge'
owner = 'web'
until = 2026-05-31
";

fn app(policy: &str) -> Folder {
    Folder::with(&[
        ("portcullis.toml", policy),
        ("package.json", r#"{"dependencies":{"express":"4.21.0"}}"#),
        ("server.js", APP),
        ("lib/auth.js", AUTH),
        (
            "lib/sessions.js",
            "exports.load = (req, done) => done(null);\n",
        ),
    ])
}

fn json(verb: &str, app: &Folder) -> Value {
    let text = out(&run(&[verb, app.path(), "--format", "json"]));
    serde_json::from_str(&text).unwrap()
}

/// Of each route: whether a caller has to be known, and whether requests are counted.
fn guarded(app: &Folder) -> Value {
    let document = json("routes", app);
    let routes = document["routes"].as_array().unwrap().iter();
    let rows = routes.map(|route| {
        Value::Array(vec![
            route["path"].clone(),
            route["auth"].clone(),
            route["rate_limit"].clone(),
        ])
    });
    rows.collect()
}

#[test]
fn guards_change_what_routes_have() {
    assert_eq!(
        guarded(&app("version = 1\n")),
        serde_json::json!([
            ["/notes", "none", false],
            ["/drafts", "none", false],
            ["/contact", "none", false],
            ["/signal", "none", false],
        ])
    );
    let told = app(GUARDS);
    assert_eq!(
        guarded(&told),
        serde_json::json!([
            ["/notes", "required", true],
            ["/drafts", "required", true],
            ["/contact", "none", false],
            ["/signal", "none", false],
        ])
    );
    let document = json("routes", &told);
    let guards = document["routes"][0]["guards"].as_array().unwrap();
    let sources: Vec<&str> = guards
        .iter()
        .map(|guard| guard["source"].as_str().unwrap())
        .collect();
    assert_eq!(sources, ["lib/auth.js#requireUser", "@acme/traffic#slow"]);
}

#[test]
fn an_exception_suppresses_its_own_place_of_a_finding() {
    let app = app(&format!("{GUARDS}{EXCEPTS}"));
    let document = json("audit", &app);
    let findings = document["findings"].as_array().unwrap();
    let of_limits: Vec<(Option<&str>, Option<&str>)> = findings
        .iter()
        .filter(|finding| finding["rule"] == "ratelimit-missing")
        .map(|finding| {
            assert_eq!(finding["places"].as_array().unwrap().len(), 1);
            (
                finding["places"][0]["route"].as_str(),
                finding["suppressed"]["kind"].as_str(),
            )
        })
        .collect();
    assert_eq!(
        of_limits,
        [
            (Some("POST /contact"), Some("policy")),
            (Some("POST /signal"), None),
        ]
    );
    let suppressed = findings
        .iter()
        .find(|finding| !finding["suppressed"].is_null())
        .unwrap();
    assert_eq!(
        suppressed["suppressed"],
        serde_json::json!({
            "kind": "policy",
            "reason": "counted at the edge (owner: web)",
            "until": "2026-06-01",
            "file": "portcullis.toml",
            "line": 19,
        })
    );
    let notices: Vec<(u64, &str)> = document["notices"]
        .as_array()
        .unwrap()
        .iter()
        .map(|notice| {
            (
                notice["line"].as_u64().unwrap(),
                notice["text"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        notices,
        [
            (
                26,
                "this exception is for `POST /old`, and no such route was found"
            ),
            (
                33,
                "this exception expired on 2026-05-31, and what it allowed is reported again"
            ),
        ]
    );
}

#[test]
fn what_is_excepted_does_not_fail_the_run() {
    let one = "const app = require('express')();
const { PrismaClient } = require('@prisma/client');
const db = new PrismaClient();
app.post('/login', async (req, res) => {
  const user = await db.user.findUnique({ where: { email: String(req.body.email) } });
  if (!user || user.password !== req.body.password) return res.sendStatus(401);
  res.json({ ok: true });
});
";
    let args = |app: &Folder| {
        let output = run(&[
            "audit",
            app.path(),
            "--rule",
            "ratelimit-missing",
            "--fail-on",
            "low",
        ]);
        assert_eq!(err(&output), "");
        output.status.code()
    };
    let open = Folder::with(&[("server.js", one)]);
    assert_eq!(args(&open), Some(1));
    let except = "version = 1\n[[except]]\nroute = 'POST /login'\nlacks = 'rate_limit'\nbecause = 'x'\nowner = 'web'\nuntil = 2026-06-01\n";
    let excepted = Folder::with(&[("server.js", one), ("portcullis.toml", except)]);
    assert_eq!(args(&excepted), Some(0));
}

#[test]
fn a_guard_that_leads_nowhere_is_told_where_the_policy_lies() {
    let wrong = "version = 1\n\n[[guard]]\nsymbol = 'lib/auth.js#requireUsr'\nmeans = 'authentication'\nas = 'middleware'\n";
    let said = "the guard `lib/auth.js#requireUsr` leads nowhere: `lib/auth.js` has no function `requireUsr`";
    let beside = app(wrong);
    let text = out(&run(&["audit", beside.path()]));
    assert!(
        text.contains(&format!("portcullis.toml:3: {said}")),
        "{text}"
    );
    let named = app("version = 1\n");
    std::fs::write(named.join("strict.toml"), wrong).unwrap();
    let file = named.join("strict.toml");
    let text = out(&run(&[
        "audit",
        named.path(),
        "--policy",
        file.to_str().unwrap(),
    ]));
    assert!(text.contains(&format!("strict.toml:3: {said}")), "{text}");
    assert!(!text.contains(named.path()), "{text}");
    let elsewhere = Folder::with(&[("shared.toml", wrong)]);
    let file = elsewhere.join("shared.toml");
    let text = out(&run(&[
        "audit",
        named.path(),
        "--policy",
        file.to_str().unwrap(),
    ]));
    assert!(text.contains(&format!("  shared.toml:3: {said}")), "{text}");
}

/// Without a word it would be no policy. A link out of the folder is not followed, as nothing outside is read: messages would
/// show what is written there.
#[cfg(unix)]
#[test]
fn what_is_called_so_and_is_no_file_of_the_folder_is_an_error() {
    use std::os::unix::fs::symlink;

    let elsewhere = Folder::with(&[("credentials.toml", "[hidden]\nword = 1\n")]);
    let folder = Folder::with(&[
        ("server.js", APP),
        ("lib/auth.js", AUTH),
        ("policies/web.toml", GUARDS),
    ]);
    let policy = folder.join("portcullis.toml");
    let refused = |words: &str| {
        for verb in ["audit", "routes"] {
            let output = run(&[verb, folder.path()]);
            assert_eq!(output.status.code(), Some(2), "{words}: {}", out(&output));
            let told = err(&output);
            assert!(told.contains(words) && !told.contains("hidden"), "{told}");
        }
    };
    symlink(elsewhere.join("credentials.toml"), &policy).unwrap();
    refused("leads out of the folder");
    std::fs::remove_file(&policy).unwrap();
    symlink(folder.join("nothing.toml"), &policy).unwrap();
    refused("cannot read the policy");
    std::fs::remove_file(&policy).unwrap();
    std::fs::create_dir(&policy).unwrap();
    refused("is no file");
    std::fs::remove_dir(&policy).unwrap();
    symlink("policies/web.toml", &policy).unwrap();
    let output = run(&["audit", folder.path(), "--format", "json"]);
    let report: Value = serde_json::from_str(&out(&output)).unwrap();
    assert!(report["policy_digest"].is_string(), "{}", err(&output));
}
