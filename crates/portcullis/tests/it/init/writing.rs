//! Where the file goes, what is refused, and code at the edges.

use std::fs;

use super::Written;
use crate::folder::Folder;
use crate::{err, out, portcullis};

const ROUTE: (&str, &str) = (
    "app/api/items/route.ts",
    "export async function GET() {\n  return Response.json([])\n}\n",
);
const PAGE: &str = "export default function Home() {\n  return null\n}\n";

#[test]
fn a_file_that_is_there_is_never_touched() {
    let folder = Folder::with(&[ROUTE, ("portcullis.toml", "version = 1\n")]);
    let run = |more: &[&str]| {
        portcullis()
            .args(["init", folder.path()])
            .args(more)
            .output()
            .unwrap()
    };
    let refused = run(&[]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(
        err(&refused).contains("is there already"),
        "{}",
        err(&refused)
    );
    assert!(err(&refused).contains("--stdout"), "{}", err(&refused));
    let kept = fs::read_to_string(folder.join("portcullis.toml")).unwrap();
    assert_eq!(kept, "version = 1\n");
    let new = folder.join("new.toml");
    let written = run(&["--output", new.to_str().unwrap()]);
    assert_eq!(written.status.code(), Some(0), "{}", err(&written));
    assert!(out(&written).is_empty());
    assert!(fs::read_to_string(&new).unwrap().contains("/api/items"));
    let again = run(&["--output", new.to_str().unwrap()]);
    assert_eq!(again.status.code(), Some(2));
    assert_eq!(run(&["--stdout"]).status.code(), Some(0));
}

#[cfg(unix)]
#[test]
fn a_link_that_leads_nowhere_is_not_followed() {
    let folder = Folder::with(&[ROUTE]);
    let link = folder.join("portcullis.toml");
    std::os::unix::fs::symlink(folder.join("elsewhere.toml"), &link).unwrap();
    let refused = portcullis().args(["init", folder.path()]).output().unwrap();
    assert_eq!(refused.status.code(), Some(2), "{}", err(&refused));
    assert!(!folder.join("elsewhere.toml").exists());
}

#[test]
fn where_there_is_nothing_to_write_nothing_is_written() {
    for file in [
        ("README.md", "empty"),
        ("src/sum.ts", "export const sum = 1\n"),
    ] {
        let folder = Folder::with(&[file]);
        let output = portcullis().args(["init", folder.path()]).output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{}", err(&output));
        assert!(!folder.join("portcullis.toml").exists());
    }
    let nowhere = portcullis().args(["init", "/nowhere/at/all"]).output();
    assert_eq!(nowhere.unwrap().status.code(), Some(2));
}

#[test]
fn what_the_caller_knows_is_written() {
    let folder = Folder::with(&[ROUTE]);
    let run = |more: &[&str]| {
        portcullis()
            .args(["init", folder.path(), "--stdout"])
            .args(more)
            .output()
            .unwrap()
    };
    let known = [
        "--upstream",
        "http://10.0.0.7:4000",
        "--public-url",
        "https://shop.example.com",
    ];
    let text = out(&run(&known));
    assert!(
        text.contains("\nupstream = \"http://10.0.0.7:4000\"\n"),
        "{text}"
    );
    assert!(
        text.contains("\npublic_url = \"https://shop.example.com\"\n"),
        "{text}"
    );
    assert!(!text.contains("\nhosts = "));
    assert_eq!(run(&["--upstream", "ftp://x"]).status.code(), Some(2));
    assert_eq!(run(&["--public-url", "https://*/"]).status.code(), Some(2));
    assert_eq!(
        out(&run(&known)),
        text,
        "the same input gives the same bytes"
    );
}

#[test]
fn names_of_files_cannot_say_anything_in_the_policy() {
    let written = Written::of(&[
        (
            "app/api/a\"b'c/[[...rest]]/route.ts",
            "export async function GET() {\n  return Response.json([])\n}\n",
        ),
        (
            "app/my \"shop\"/actions.ts",
            "'use server'\nexport async function save(x: string) {\n  return x\n}\n",
        ),
        ("app/page.tsx", PAGE),
        ("public/50% off {x}.txt", "x"),
        ("public/a b.txt", "x"),
        ("public/\u{1b}[31m.txt", "x"),
    ]);
    let action = "action:app/my \"shop\"/actions.ts#save public_form";
    assert_eq!(written.functions(), [action]);
    let expected = [
        "GET /api/a%22b'c public_read",
        "GET /api/a%22b'c/{*rest} public_read",
        "GET / public_read",
        "POST / public_form",
    ];
    assert_eq!(written.routes(), expected, "{}", written.policy);
    assert!(written.has("\"/a%20b.txt\""), "{}", written.policy);
    assert!(
        written.has("# todo the file `public/50% off {x}.txt`"),
        "{}",
        written.policy
    );
    assert!(!written.has("\u{1b}"));
}

#[test]
fn methods_parameters_and_catch_alls() {
    let written = Written::of(&[
        ("package.json", r#"{"dependencies":{"express":"4.18.2"}}"#),
        (
            "server.js",
            r"const express = require('express')
const app = express()
app.all('/any', (req, res) => res.json({}))
app.get('/both', (req, res) => res.json({}))
app.all('/both', (req, res) => res.json(req.body))
app.get('/same/:id', (req, res) => res.json({}))
app.get('/same/:other', (req, res) => res.json({ other: 1 }))
app.get('/:org/settings', (req, res) => res.json({}))
app.get('/users/:id', (req, res) => res.json({}))
app.get('/flights/:from-:to', (req, res) => res.json({}))
app.get(/^\/regexp\/(\d+)$/, (req, res) => res.json({}))
app.get('*', (req, res) => res.json({}))
app.listen(3000)
",
        ),
    ]);
    let mut expected = [
        // Whatever is sent to it, it only says the same.
        "ANY /any public_read",
        "GET /both public_read",
        "POST PUT PATCH DELETE OPTIONS /both public_form",
        "GET /same/{id} public_read",
        // `/{org}/settings` meets both of these.
        "GET /same/settings public_read",
        "GET /users/settings public_read",
        "GET /users/{id} public_read",
        "GET /{org}/settings public_read",
        "GET /{*rest} public_read",
    ];
    let mut routes = written.routes();
    routes.sort();
    expected.sort_unstable();
    assert_eq!(routes, expected, "{}", written.policy);
    assert!(
        written.has("# todo GET /flights/{from}-{to} ("),
        "{}",
        written.policy
    );
    assert!(written.has("regular expression"), "{}", written.policy);
    assert!(
        written.has("server.js:6, server.js:7"),
        "{}",
        written.policy
    );
}

#[test]
fn what_the_framework_answers_is_there() {
    let written = Written::of(&[
        ("package.json", r#"{"dependencies":{"next":"15.1.0"}}"#),
        (
            "next.config.js",
            r"
module.exports = {
  basePath: '/shop',
  async redirects() {
    return [{ source: '/old/:id', destination: '/items/:id', permanent: true }]
  },
  async rewrites() {
    return [
      { source: '/things/:id', destination: '/api/items/:id' },
      { source: '/ingest/:path*', destination: 'https://stats.example.com/:path*' },
    ]
  },
}
",
        ),
        (
            "app/api/items/[id]/route.ts",
            "export async function GET() {\n  return Response.json([])\n}\n",
        ),
        (
            "app/(site)/docs/[[...slug]]/page.tsx",
            "import Image from 'next/image'\nexport default function Docs() {\n  return null\n}\n",
        ),
        ("app/favicon.ico", "x"),
        ("app/(site)/docs/opengraph-image.png", "x"),
        (
            "app/sitemap.ts",
            "export default function sitemap() {\n  return []\n}\n",
        ),
        ("pages/legacy.tsx", PAGE),
        ("public/images/a.png", "x"),
        ("public/docs/manual.pdf", "x"),
        ("public/.DS_Store", "x"),
    ]);
    let expected = [
        "GET /shop/api/items/{id} public_read",
        "GET /shop/things/{id} public_read",
        "GET /shop/docs public_read",
        "GET /shop/docs/{*slug} public_read",
        "GET /shop/legacy public_read",
        "GET /shop/_next/data/{build}/{*rest} public_read",
        "GET /shop/old/{id} public_read",
    ];
    assert_eq!(written.routes(), expected, "{}", written.policy);
    for path in [
        "/shop/_next/image",
        "/shop/_next/static/{*rest}",
        "/shop/docs/manual.pdf",
        "/shop/docs/opengraph-image-{hash}.png",
        "/shop/favicon.ico",
        "/shop/images/{*rest}",
        "/shop/sitemap.xml",
    ] {
        let entry = format!("    \"{path}\",");
        assert!(written.has(&entry), "{path}\n{}", written.policy);
    }
    assert!(!written.has("DS_Store"));
    assert!(written.has("# todo `/ingest/:path*`"), "{}", written.policy);
    let told = "1 thing the application answers";
    assert!(written.told.contains(told), "{}", written.told);
}

#[test]
fn a_call_on_a_page_passes_and_what_asks_who_calls_is_prepared() {
    let session = "import { auth } from '@clerk/nextjs/server'\n";
    let action = format!(
        "'use server'\n{session}export async function save(x: string) {{\n  const {{ userId }} = await auth()\n  if (!userId) throw new Error('no')\n  return x\n}}\n"
    );
    let route = format!(
        "{session}export async function GET() {{\n  const {{ userId }} = await auth()\n  if (!userId) return new Response('', {{ status: 401 }})\n  return Response.json([])\n}}\n"
    );
    let written = Written::of(&[
        ("app/actions.ts", &action),
        ("app/api/mine/route.ts", &route),
        ("app/page.tsx", PAGE),
    ]);
    let expected = [
        "GET /api/mine protected_read",
        "GET / public_read",
        "POST / protected_mutation",
    ];
    assert_eq!(written.routes(), expected, "{}", written.policy);
    let media = "content_types = [\"text/plain\", \"multipart/form-data\"]";
    assert!(written.has(media));
    let prepared = "# route = \"GET /api/mine\"\n# lacks = \"authentication\"";
    assert!(written.has(prepared), "{}", written.policy);
    assert!(!written.has("\n[[except]]"), "exceptions are for people");
    let file = written.folder.join("filled.toml");
    fs::write(&file, filled_in(&written.policy)).unwrap();
    let checked = portcullis()
        .args(["policy", "check", "--for", "guard", file.to_str().unwrap()])
        .output()
        .unwrap();
    assert_eq!(checked.status.code(), Some(0), "{}", out(&checked));
}

/// With the `#` of the prepared exceptions away and the blanks filled in, as a person would.
fn filled_in(policy: &str) -> String {
    let (before, after) = policy.split_once("# ---- Before a guard ----").unwrap();
    let keys = ["[[except]]", "route", "lacks", "because", "owner", "until"];
    let mut text = before.to_owned();
    for line in after.lines().filter_map(|line| line.strip_prefix("# ")) {
        match line.split(' ').next().unwrap_or_default() {
            "owner" => text.push_str("owner = \"web\"\n"),
            "until" => text.push_str("until = 2026-12-31\n"),
            key if keys.contains(&key) => text.push_str(&format!("{line}\n")),
            _ => {}
        }
    }
    text
}
