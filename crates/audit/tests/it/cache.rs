//! A report is the same bytes with results of earlier runs and without, whatever was edited in between.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use portcullis_audit::{Audited, CacheFolder, Options, audit};
use portcullis_policy::Policy;
use portcullis_report::render::json;
use proptest::prelude::*;
use proptest::sample::Index;

static MADE: AtomicUsize = AtomicUsize::new(0);

/// A project on the disk with a cache of its own, gone afterwards.
struct Project {
    dir: PathBuf,
    files: BTreeMap<String, String>,
    policy: Policy,
}

impl Project {
    fn new(files: BTreeMap<String, String>) -> Self {
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let name = format!("cache-{}-{number}", std::process::id());
        let project = Self {
            dir: Path::new(env!("CARGO_TARGET_TMPDIR")).join(name),
            files,
            policy: Policy::default(),
        };
        for (file, text) in &project.files {
            project.write(file, text);
        }
        project
    }

    fn of(files: &[(&str, &str)]) -> Self {
        let owned = |(file, text): &(&str, &str)| ((*file).to_owned(), (*text).to_owned());
        Self::new(files.iter().map(owned).collect())
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.dir.join("app").join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn set(&mut self, file: &str, text: String) {
        self.write(file, &text);
        self.files.insert(file.to_owned(), text);
    }

    fn remove(&mut self, file: &str) -> String {
        fs::remove_file(self.dir.join("app").join(file)).unwrap();
        self.files.remove(file).unwrap()
    }

    fn cache(&self) -> PathBuf {
        self.dir.join("cache")
    }

    fn audit(&self, with_cache: bool) -> Audited {
        let mut options = Options::on("2026-06-01".parse().unwrap());
        options.policy = self.policy.clone();
        options.cache = with_cache.then(|| CacheFolder {
            folder: self.cache(),
            root: self.dir.join("app"),
        });
        audit(&self.dir.join("app"), &options, &|_| ()).unwrap()
    }

    /// Audits with the cache and without; gives how many routes there are and how many were not looked at again.
    fn compare(&self) -> (usize, usize) {
        let (warm, cold) = (self.audit(true), self.audit(false));
        assert_eq!(warm.cache_fault, None);
        assert_eq!(
            json::audit(&warm.report).unwrap(),
            json::audit(&cold.report).unwrap()
        );
        assert_eq!(warm.report, cold.report);
        assert_eq!(warm.traces, cold.traces);
        assert_eq!(format!("{:?}", warm.served), format!("{:?}", cold.served));
        (warm.report.routes.len(), warm.reused)
    }

    /// The one file in the cache.
    fn kept(&self) -> PathBuf {
        let mut files = fs::read_dir(self.cache()).unwrap();
        files.next().unwrap().unwrap().path()
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.dir).unwrap();
    }
}

/// The text files below a folder of the repository.
fn fixture(name: &str) -> BTreeMap<String, String> {
    fn add(root: &Path, dir: &Path, files: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                add(root, &path, files);
            } else if let Ok(text) = fs::read_to_string(&path) {
                let file = path.strip_prefix(root).unwrap();
                files.insert(file.to_str().unwrap().to_owned(), text);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures/apps")
        .join(name);
    let mut files = BTreeMap::new();
    add(&root, &root, &mut files);
    assert!(!files.is_empty());
    files
}

const GUARD: &str = "export async function guard(request: Request) {\n  const session = await getSession(request);\n  if (!session) throw new Response(\"no\", { status: 401 });\n  return session;\n}\ndeclare function getSession(request: Request): Promise<unknown>;\n";
const SETTINGS: &str = "export const settings = { verbose: true };\n";
const SHARED: &str = "import { settings } from \"./settings\";\nexport const shared = { log: settings.verbose, list: [] as unknown[] };\n";

fn route(method: &str, also: &str) -> String {
    format!(
        "import {{ guard }} from \"../../../lib/guard\";\nimport {{ shared }} from \"../../../lib/shared\";\n{also}\n\
         export async function {method}(request: Request) {{\n  await guard(request);\n  shared.list.push(request);\n  try {{\n    \
         return Response.json(await request.json());\n  }} catch (error) {{\n    if (shared.log) return Response.json({{ error: error.message }});\n    \
         return new Response(\"sorry\");\n  }}\n}}\n"
    )
}

fn small() -> Project {
    Project::of(&[
        ("app/api/a/route.ts", &route("POST", "")),
        ("app/api/b/route.ts", &route("PUT", "")),
        (
            "app/api/c/route.ts",
            "export const GET = () => new Response(\"c\");\n",
        ),
        ("lib/guard.ts", GUARD),
        ("lib/shared.ts", SHARED),
        ("lib/settings.ts", SETTINGS),
        ("lib/unused.ts", "export const unused = 1;\n"),
    ])
}

#[test]
fn what_did_not_change_is_not_looked_at_again() {
    let mut project = small();
    assert_eq!(project.compare(), (3, 0));
    assert_eq!(project.compare(), (3, 3));
    // A file that no route reads.
    project.set("lib/unused.ts", "export const unused = 2;\n".to_owned());
    assert_eq!(project.compare(), (3, 3));
    // A route's own file.
    project.set(
        "app/api/c/route.ts",
        "export const GET = () => new Response(\"d\");\n".to_owned(),
    );
    assert_eq!(project.compare(), (3, 2));
    // What two routes call.
    project.set("lib/guard.ts", GUARD.replace("401", "403"));
    assert_eq!(project.compare(), (3, 1));
    // What is read while a module loads of which they use what it made.
    project.set("lib/settings.ts", SETTINGS.replace("true", "false"));
    assert_eq!(project.compare(), (3, 1));
    // Back again: one run is remembered, not all.
    project.set("lib/settings.ts", SETTINGS.to_owned());
    assert_eq!(project.compare(), (3, 1));
    assert_eq!(project.compare(), (3, 3));
}

#[test]
fn another_module_that_changes_what_a_route_reads_is_noticed() {
    let mut project = small();
    project.compare();
    project.set(
        "lib/zz.ts",
        "import { shared } from \"./shared\";\nshared.log = false;\n".to_owned(),
    );
    assert_eq!(project.compare(), (3, 1));
    assert_eq!(project.compare(), (3, 3));
    project.remove("lib/zz.ts");
    assert_eq!(project.compare(), (3, 1));
    // A name that is nobody's.
    let globals = "export const POST = async (request: Request) => {\n  try { return Response.json(await request.json()); } catch (error) {\n    \
                   return process.env.LOG === \"yes\" ? Response.json({ error: error.message }) : new Response(\"sorry\");\n  }\n};\n";
    project.set("app/api/d/route.ts", globals.to_owned());
    project.compare();
    assert_eq!(project.compare(), (4, 4));
    project.set(
        "lib/zz.ts",
        "process.env.LOG = \"no\";\nexport {};\n".to_owned(),
    );
    assert_eq!(project.compare(), (4, 3));
}

#[test]
fn modules_that_load_in_another_order_are_noticed() {
    let mut project = small();
    // In a circle, whoever comes first does not see what the other makes.
    project.set(
        "lib/x.ts",
        "import { y } from \"./y\";\nexport const x = { log: y };\n".to_owned(),
    );
    project.set(
        "lib/y.ts",
        "import { x } from \"./x\";\nexport const y = true;\nexport const z = { log: x.log };\n"
            .to_owned(),
    );
    let also = "import { z } from \"../../../lib/y\";";
    project.set(
        "app/api/e/route.ts",
        route("PATCH", also).replace("shared.log", "z.log"),
    );
    project.compare();
    assert_eq!(project.compare(), (4, 4));
    project.set("0first.ts", "import \"./lib/y\";\n".to_owned());
    project.compare();
    project.remove("0first.ts");
    project.set("0first.ts", "import \"./lib/x\";\n".to_owned());
    project.compare();
    // The same of two that store in one place.
    let writer =
        |truth: bool| format!("import {{ shared }} from \"./shared\";\nshared.log = {truth};\n");
    project.set("lib/w1.ts", writer(true));
    project.set("lib/w2.ts", writer(false));
    project.compare();
    project.set(
        "0first.ts",
        "import \"./lib/w2\";\nimport \"./lib/w1\";\n".to_owned(),
    );
    project.compare();
    project.set("0first.ts", "import \"./lib/w2\";\n".to_owned());
    project.compare();
}

#[test]
fn an_import_that_leads_elsewhere_is_noticed() {
    let mut project = small();
    project.compare();
    // The same text of every file, and `./settings` is another one.
    let text = project.remove("lib/settings.ts");
    project.set("lib/settings/index.ts", text.replace("true", "false"));
    let (_, reused) = project.compare();
    assert!(reused <= 1, "{reused}");
    project.compare();
    project.set("lib/settings.ts", SETTINGS.to_owned());
    let (_, reused) = project.compare();
    assert!(reused <= 1, "{reused}");
}

/// What rules ask of a whole project: files that no route reads change the answer, and with it what is found.
#[test]
fn another_answer_to_what_a_rule_asks_of_the_whole_is_noticed() {
    const CRON: &str = "import { PrismaClient } from \"@prisma/client\";\nconst db = new PrismaClient();\n\
        export async function GET(request: Request) {\n  \
        if (request.headers.get(\"authorization\") !== `Bearer ${process.env.CRON_SECRET}`) return new Response(null, { status: 401 });\n  \
        await db.session.deleteMany({});\n  return new Response(null, { status: 204 });\n}\n";
    const COUNTS: &str = "const counts = new Map<string, number>();\n\
        export async function POST(request: Request) {\n  const key = request.headers.get(\"x-vercel-forwarded-for\") ?? \"\";\n  \
        const count = counts.get(key) ?? 0;\n  if (count > 5) return Response.json({}, { status: 429 });\n  \
        counts.set(key, count + 1);\n  return Response.json({ ok: true });\n}\n";
    const UPLOAD: &str = "import { mutation } from \"./_generated/server\";\nimport { v } from \"convex/values\";\n\
        export const generateUploadUrl = mutation({\n  args: {},\n  handler: async (ctx) => {\n    \
        const identity = await ctx.auth.getUserIdentity();\n    if (!identity) throw new Error(\"no\");\n    \
        return await ctx.storage.generateUploadUrl();\n  },\n});\n\
        export const keep = mutation({\n  args: { id: v.id(\"_storage\") },\n  handler: async (ctx, args) => {\n    \
        await ctx.db.insert(\"files\", { id: args.id });\n  },\n});\n";
    const COOKIES: &str = "const express = require(\"express\");\nconst cookies = require(\"cookie-parser\");\nconst app = express();\n\
        app.use(cookies(\"chocolate-chip\"));\napp.get(\"/theme\", (req, res) => res.json({ theme: req.cookies.theme }));\napp.listen(3000);\n";
    for (rule, file, text, other, answer) in [
        (
            "cron-secret-unset",
            "app/api/cron/route.ts",
            CRON,
            "lib/env.ts",
            "if (!process.env.CRON_SECRET) throw new Error(\"CRON_SECRET is not set\");\nexport {};\n",
        ),
        (
            "ratelimit-in-memory-on-serverless",
            "app/api/contact/route.ts",
            COUNTS,
            "Dockerfile",
            "FROM node:22\n",
        ),
        (
            "upload-limit",
            "convex/files.ts",
            UPLOAD,
            "convex/sizes.ts",
            "import { internalQuery } from \"./_generated/server\";\nexport const size = internalQuery({\n  args: {},\n  \
             handler: async (ctx) => (await ctx.storage.getMetadata(\"a\"))?.size ?? null,\n});\n",
        ),
        (
            "jwt-default-secret",
            "server.js",
            COOKIES,
            "lib/theme.js",
            "exports.theme = (req) => req.signedCookies.theme;\n",
        ),
    ] {
        let mut project = Project::of(&[(file, text), ("lib/unused.ts", "export const a = 1;\n")]);
        let found = |project: &Project| {
            let findings = project.audit(true).report.findings;
            findings.iter().filter(|it| it.rule == rule).count()
        };
        let (routes, _) = project.compare();
        assert_eq!(project.compare(), (routes, routes), "{rule}");
        let before = found(&project);
        project.set(other, answer.to_owned());
        project.compare();
        let with = found(&project);
        assert_ne!(before, with, "{rule}");
        // Another text, and the same answer: the routes of before do not ask again.
        project.set("lib/unused.ts", "export const a = 2;\n".to_owned());
        let (_, reused) = project.compare();
        assert!(reused >= routes, "{rule}");
        project.remove(other);
        project.compare();
        assert_eq!(found(&project), before, "{rule}");
    }
}

#[test]
fn another_policy_or_other_tables_are_another_run() {
    let mut project = small();
    project.compare();
    project.policy = Policy::parse(
        "version = 1\n[[route]]\npath = \"/api/a\"\nmethods = [\"POST\"]\ntype = \"webhook\"\n",
    )
    .unwrap();
    assert_eq!(project.compare(), (3, 0));
    assert_eq!(project.compare(), (3, 3));
    project.set(
        "prisma/schema.prisma",
        "model User {\n  id Int @id\n  email String\n}\n".to_owned(),
    );
    assert_eq!(project.compare(), (3, 0));
    project.set(
        "package.json",
        "{ \"name\": \"x\", \"dependencies\": { \"next\": \"15.0.0\" } }".to_owned(),
    );
    assert_eq!(project.compare(), (3, 0));
}

#[test]
fn a_guard_of_the_policy_that_moves_is_noticed() {
    let mut project = small();
    project.policy = Policy::parse(
        "version = 1\n[[guard]]\nsymbol = \"lib/guard#guard\"\nmeans = [\"authentication\"]\npasses = \"returns\"\n",
    )
    .unwrap();
    project.compare();
    assert_eq!(project.compare(), (3, 3));
    project.set("lib/guard.ts", format!("// moved\n{GUARD}"));
    project.compare();
    assert_eq!(project.compare(), (3, 3));
}

#[test]
fn a_damaged_cache_is_none() {
    let project = small();
    project.compare();
    let file = project.kept();
    let whole = fs::read(&file).unwrap();
    for cut in [0, 1, 24, 25, 60, whole.len() / 2, whole.len() - 1] {
        fs::write(&file, &whole[..cut]).unwrap();
        assert_eq!(project.compare(), (3, 0), "{cut}");
    }
    for at in [0, 30, 80, whole.len() / 2, whole.len() - 1] {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(&file, &bytes).unwrap();
        assert_eq!(project.compare(), (3, 0), "{at}");
    }
    fs::write(&file, &whole).unwrap();
    assert_eq!(project.compare(), (3, 3));
    // A folder in its place.
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    let audited = project.audit(true);
    assert_eq!(audited.reused, 0);
    assert!(audited.cache_fault.is_some());
    fs::remove_dir(&file).unwrap();
}

#[cfg(unix)]
#[test]
fn a_cache_that_others_can_write_is_not_used() {
    use std::os::unix::fs::PermissionsExt as _;
    let project = small();
    project.compare();
    fs::set_permissions(project.cache(), fs::Permissions::from_mode(0o777)).unwrap();
    let audited = project.audit(true);
    assert_eq!(audited.reused, 0);
    assert!(
        audited
            .cache_fault
            .unwrap()
            .contains("others can write to it")
    );
}

const FIXTURES: [&str; 52] = [
    "shop/before",
    "edges/convex-builders",
    "edges/convex-component",
    "edges/convex-elsewhere",
    "edges/convex-functions",
    "edges/convex-http",
    "edges/express-app-functions",
    "edges/express-constant-prefixes",
    "edges/express-controllers",
    "edges/express-directory-loop",
    "edges/express-esm",
    "edges/express-handler-lists",
    "edges/express-list-loop",
    "edges/express-methods",
    "edges/express-mounted-twice",
    "edges/express-nested-routers",
    "edges/express-not-routes",
    "edges/express-order-before-and-after-use",
    "edges/express-order-guard-leaks",
    "edges/express-order-late-guard",
    "edges/express-order-prefix-match",
    "edges/express-order-public-first",
    "edges/express-order-shadowed",
    "edges/express-order-shared-prefix",
    "edges/express-paths",
    "edges/express-pattern-paths",
    "edges/express-route-chain",
    "edges/express-router-factories",
    "edges/express-ternary-guard",
    "edges/express-wildcard-v4",
    "edges/express-wildcard-v5",
    "edges/nextjs-actions-file",
    "edges/nextjs-actions-inline",
    "edges/nextjs-alias-exports",
    "edges/nextjs-authjs",
    "edges/nextjs-base-path",
    "edges/nextjs-better-auth",
    "edges/nextjs-destructured",
    "edges/nextjs-folders",
    "edges/nextjs-hono",
    "edges/nextjs-methods",
    "edges/nextjs-middleware-is-no-route",
    "edges/nextjs-pages-any",
    "edges/nextjs-pages-are-no-routes",
    "edges/nextjs-pages-methods",
    "edges/nextjs-pages-next-connect",
    "edges/nextjs-proxy",
    "edges/nextjs-reexports",
    "edges/nextjs-rewrites",
    "edges/nextjs-src-dir",
    "edges/nextjs-uploadthing",
    "edges/nextjs-wrapped",
];

/// One edit of a project, by numbers that are taken for whatever there is.
#[derive(Clone, Debug)]
enum Edit {
    /// Something is added at the end of a file.
    Append(Index, usize),
    /// A line is taken out.
    Cut(Index, Index),
    /// A file is removed.
    Remove(Index),
    /// A file gets another name in its folder.
    Rename(Index, bool),
    /// A file is written anew as another one is.
    Copy(Index, Index),
    /// A file is added that changes what others made.
    Add(usize),
}

const TAILS: [&str; 5] = [
    "\n// nothing\n",
    "\nexport const added = { a: 1 };\n",
    "\nglobalThis.added = 1;\n",
    "\nexport async function DELETE(request) { return Response.json(await request.json()); }\n",
    "\n;[].push(1);\n",
];

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        4 => (any::<Index>(), 0..TAILS.len()).prop_map(|(file, tail)| Edit::Append(file, tail)),
        4 => (any::<Index>(), any::<Index>()).prop_map(|(file, line)| Edit::Cut(file, line)),
        1 => any::<Index>().prop_map(Edit::Remove),
        1 => (any::<Index>(), any::<bool>()).prop_map(|(file, first)| Edit::Rename(file, first)),
        1 => (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Edit::Copy(from, to)),
        1 => (0..TAILS.len()).prop_map(Edit::Add),
    ]
}

impl Edit {
    fn apply(&self, project: &mut Project) {
        let names: Vec<String> = project.files.keys().cloned().collect();
        if names.len() < 3 {
            return;
        }
        let text = |file: &String| project.files[file].clone();
        match self {
            Self::Append(file, tail) => {
                let file = file.get(&names);
                let text = text(file) + TAILS[*tail];
                project.set(file, text);
            }
            Self::Cut(file, line) => {
                let file = file.get(&names);
                let text = text(file);
                let mut lines: Vec<&str> = text.lines().collect();
                if !lines.is_empty() {
                    lines.remove(line.index(lines.len()));
                    project.set(file, lines.join("\n"));
                }
            }
            Self::Remove(file) => drop(project.remove(&names[file.index(names.len())])),
            Self::Rename(file, first) => {
                let file = file.get(&names);
                let text = project.remove(file);
                let (folder, name) = file.rsplit_once('/').unwrap_or((".", file));
                let before = if *first { "0" } else { "zz" };
                project.set(&format!("{folder}/{before}{name}"), text);
            }
            Self::Copy(from, to) => {
                let text = text(from.get(&names));
                project.set(&names[to.index(names.len())], text);
            }
            Self::Add(number) => {
                let text = format!(
                    "import * as all from \"./lib/shared\";\nall.shared && (all.shared.log = 1);\n{}",
                    TAILS[*number]
                );
                project.set(&format!("0added{number}.ts"), text);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn any_edits_give_the_same_bytes(
        which in 0..FIXTURES.len(),
        edits in prop::collection::vec(edit(), 1..8),
    ) {
        let mut project = Project::new(fixture(FIXTURES[which]));
        project.compare();
        for edit in edits {
            edit.apply(&mut project);
            project.compare();
        }
    }

    #[test]
    fn any_edits_of_a_small_project_give_the_same_bytes(edits in prop::collection::vec(edit(), 1..20)) {
        let mut project = small();
        project.compare();
        for edit in edits {
            edit.apply(&mut project);
            project.compare();
        }
    }
}
