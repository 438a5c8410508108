//! Folders as the audit meets them: kind, careless, and hostile.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use portcullis_code::body::ModuleId;
use portcullis_code::project::{FILE_BYTES_MAX, Options, Project, ProjectError, SkipKind};
use portcullis_code::resolve::Resolved;
use ustr::ustr;

fn project(files: &[(&str, &str)]) -> Project {
    Project::from_files(
        files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
            .collect(),
    )
}

/// A fresh folder with these files in it.
fn folder(name: &str, files: &[(&str, &[u8])]) -> PathBuf {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("project")
        .join(name);
    drop(fs::remove_dir_all(&root));
    fs::create_dir_all(&root).unwrap();
    for (path, text) in files {
        let file = root.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    root
}

fn open(root: &Path) -> Project {
    Project::open(root, &Options::default(), &|_, _| ()).unwrap()
}

/// Where a specifier leads: a file, or `package`, `asset`, `unresolved`.
fn leads(project: &Project, from: &str, specifier: &str) -> String {
    let from = project
        .module_at(from)
        .unwrap_or_else(|| panic!("`{from}` was read"));
    match project.resolve(from, ustr(specifier)) {
        Resolved::Module(id) => project.module(id).file.to_string(),
        Resolved::Package { specifier } => format!("package {specifier}"),
        Resolved::Asset => "asset".to_owned(),
        Resolved::Unresolved => "unresolved".to_owned(),
    }
}

fn check(files: &[(&str, &str)], from: &str, expected: &[(&str, &str)]) {
    let mut text = String::new();
    for (specifier, _) in expected {
        writeln!(
            text,
            "import '{specifier}'; import * as _{} from '{specifier}'",
            text.len()
        )
        .unwrap();
    }
    let mut all = files.to_vec();
    all.push((from, &text));
    let project = project(&all);
    for (specifier, to) in expected {
        assert_eq!(
            leads(&project, from, specifier),
            *to,
            "`{specifier}` in {from}"
        );
    }
}

fn files_of(project: &Project) -> Vec<&str> {
    project
        .modules()
        .iter()
        .map(|module| &*module.file)
        .collect()
}

fn unread(project: &Project) -> BTreeMap<&str, &str> {
    project
        .unread()
        .iter()
        .map(|it| (it.file.as_str(), it.reason.as_str()))
        .collect()
}

fn skipped(project: &Project) -> Vec<(SkipKind, usize)> {
    project
        .skipped()
        .iter()
        .map(|it| (it.kind, it.count))
        .collect()
}

#[test]
fn relative_imports_index_extensions_and_assets() {
    check(
        &[
            ("src/a.ts", ""),
            ("src/b.tsx", ""),
            ("src/both.js", ""),
            ("src/both.ts", ""),
            ("src/dir/index.ts", ""),
            ("src/m.mts", ""),
            ("src/db.server.ts", ""),
            ("src/old.cjs", ""),
            ("src/style.css", ""),
            ("src/data.json", "{}"),
            ("src/gone.test.ts", ""),
            ("root.ts", ""),
        ],
        "src/main.ts",
        &[
            ("./a", "src/a.ts"),
            ("./a.ts", "src/a.ts"),
            ("./a.js", "src/a.ts"),
            ("./b", "src/b.tsx"),
            ("./b.jsx", "src/b.tsx"),
            ("./both", "src/both.ts"),
            ("./dir", "src/dir/index.ts"),
            ("./dir/", "src/dir/index.ts"),
            ("./dir/index.js", "src/dir/index.ts"),
            ("./m.mjs", "src/m.mts"),
            ("./db.server", "src/db.server.ts"),
            ("./old", "src/old.cjs"),
            ("../root", "root.ts"),
            (".", "unresolved"),
            ("./style.css", "asset"),
            ("./data.json", "asset"),
            ("./made-by-the-build.css?inline", "asset"),
            ("./gone.test", "unresolved"),
            ("./nowhere", "unresolved"),
            ("../../../../etc/passwd", "unresolved"),
            ("/etc/passwd", "unresolved"),
            ("/root", "root.ts"),
            ("express", "package express"),
            ("node:fs", "package node:fs"),
            ("@clerk/nextjs/server", "package @clerk/nextjs/server"),
            ("@/nowhere", "unresolved"),
            ("~/nowhere", "unresolved"),
            ("#nowhere", "unresolved"),
        ],
    );
}

#[test]
fn every_way_to_import_is_looked_up() {
    let project = project(&[
        (
            "a.js",
            "import x from './b'; export * from './c'; export { y } from './d'; const e = require('./e');\n\
             function later() { if (x) { return [import('./f'), require(\"./g\").h(e)] } }\n\
             require(nothing); import(x + './b'); module.exports = { later }",
        ),
        ("b.js", ""),
        ("c.js", ""),
        ("d.js", ""),
        ("e.js", ""),
        ("f.js", ""),
        ("g.js", ""),
    ]);
    for name in ["b", "c", "d", "e", "f", "g"] {
        assert_eq!(
            leads(&project, "a.js", &format!("./{name}")),
            format!("{name}.js")
        );
    }
    assert_eq!(leads(&project, "a.js", "./never-written"), "unresolved");
}

#[test]
fn aliases_come_from_the_nearest_configuration_and_what_it_extends() {
    check(
        &[
            (
                "tsconfig.base.json",
                r#"{ "compilerOptions": { "paths": { "@base/*": ["./shared/*"] } } }"#,
            ),
            (
                "apps/web/tsconfig.json",
                "{ // comments, and trailing commas\n \"extends\": \"../../tsconfig.base\", \"compilerOptions\": { \"baseUrl\": \".\", \
                 \"paths\": { \"@/*\": [\"./missing/*\", \"./src/*\"], \"@/ui/*\": [\"./ui/*\"], \"exact\": [\"src/exact.ts\"], }, }, }",
            ),
            (
                "apps/api/tsconfig.json",
                r#"{ "extends": ["tsconfig/node.json", "../../tsconfig.base.json"] }"#,
            ),
            (
                "apps/vite/tsconfig.json",
                r#"{ "files": [], "references": [{ "path": "./tsconfig.app.json" }] }"#,
            ),
            (
                "apps/vite/tsconfig.app.json",
                r#"{ "compilerOptions": { "paths": { "~/*": ["${configDir}/src/*"] } } }"#,
            ),
            ("apps/vite/src/a.ts", ""),
            ("apps/vite/src/main.ts", "import '~/a'; import x from '~/a'"),
            (
                "apps/api/main.ts",
                "import x from '@base/a'; import y from '@/lib'",
            ),
            ("shared/a.ts", ""),
            ("apps/web/src/lib/index.ts", ""),
            ("apps/web/src/ui/button.ts", ""),
            ("apps/web/ui/button.ts", ""),
            ("apps/web/src/exact.ts", ""),
            ("apps/web/src/lib/react.ts", ""),
        ],
        "apps/web/src/deep/main.ts",
        &[
            ("@/lib", "apps/web/src/lib/index.ts"),
            ("@/ui/button", "apps/web/ui/button.ts"),
            ("exact", "apps/web/src/exact.ts"),
            ("src/lib", "apps/web/src/lib/index.ts"),
            ("react", "package react"),
            ("@/gone", "unresolved"),
        ],
    );
    let vite = project(&[
        (
            "tsconfig.json",
            r#"{ "references": [{ "path": "./tsconfig.app.json" }] }"#,
        ),
        (
            "tsconfig.app.json",
            r#"{ "compilerOptions": { "paths": { "~/*": ["${configDir}/src/*"] } } }"#,
        ),
        ("src/a.ts", ""),
        ("src/main.ts", "import x from '~/a'"),
        (
            "api/tsconfig.json",
            r#"{ "extends": ["not-installed/node.json", "../base/shared.json"] }"#,
        ),
        (
            "base/shared.json",
            r#"{ "compilerOptions": { "paths": { "@base/*": ["./*"] } } }"#,
        ),
        ("base/b.ts", ""),
        ("api/main.ts", "import x from '@base/b'"),
    ]);
    assert_eq!(leads(&vite, "src/main.ts", "~/a"), "src/a.ts");
    assert_eq!(leads(&vite, "api/main.ts", "@base/b"), "base/b.ts");
    assert!(
        vite.unread().is_empty(),
        "a package that is not installed is nothing to report: {:?}",
        vite.unread()
    );
}

#[test]
fn packages_of_a_workspace_are_modules_of_the_project() {
    check(
        &[
            (
                "package.json",
                r#"{ "name": "root", "workspaces": ["apps/*", "packages/*", "!packages/not"] }"#,
            ),
            (
                "apps/web/package.json",
                r##"{ "name": "web", "dependencies": { "@s/utils": "*", "@s/exports": "workspace:*" },
                "imports": { "#db": "./src/db.ts", "#lib/*": "./src/lib/*.ts" } }"##,
            ),
            ("apps/web/src/db.ts", ""),
            ("apps/web/src/lib/a.ts", ""),
            (
                "packages/utils/package.json",
                r#"{ "name": "@s/utils", "main": "./dist/index.mjs", "types": "./dist/index.d.ts" }"#,
            ),
            ("packages/utils/src/index.ts", ""),
            ("packages/utils/src/deep/thing.ts", ""),
            (
                "packages/exports/package.json",
                r#"{ "name": "@s/exports", "exports": {
                ".": { "types": "./dist/index.d.ts", "import": "./dist/index.js" }, "./client": "./dist/client.js",
                "./*": { "default": "./src/features/*.ts" } } }"#,
            ),
            ("packages/exports/src/index.ts", ""),
            ("packages/exports/src/client.tsx", ""),
            ("packages/exports/src/features/one.ts", ""),
            ("packages/bare/package.json", r#"{ "name": "bare" }"#),
            ("packages/bare/index.ts", ""),
            ("packages/not/package.json", r#"{ "name": "express" }"#),
            ("packages/not/index.ts", ""),
            ("examples/demo/package.json", r#"{ "name": "react" }"#),
            ("examples/demo/index.ts", ""),
            ("packages/broken/package.json", "{ not json"),
            ("packages/broken/a.ts", ""),
        ],
        "apps/web/src/main.ts",
        &[
            ("@s/utils", "packages/utils/src/index.ts"),
            (
                "@s/utils/dist/deep/thing",
                "packages/utils/src/deep/thing.ts",
            ),
            (
                "@s/utils/dist/deep/thing.js",
                "packages/utils/src/deep/thing.ts",
            ),
            (
                "@s/utils/src/deep/thing",
                "packages/utils/src/deep/thing.ts",
            ),
            ("@s/exports", "packages/exports/src/index.ts"),
            ("@s/exports/client", "packages/exports/src/client.tsx"),
            ("@s/exports/one", "packages/exports/src/features/one.ts"),
            ("@s/exports/none", "unresolved"),
            ("bare", "packages/bare/index.ts"),
            ("express", "package express"),
            ("react", "package react"),
            ("#db", "apps/web/src/db.ts"),
            ("#lib/a", "apps/web/src/lib/a.ts"),
            ("../../../packages/broken/a", "packages/broken/a.ts"),
        ],
    );
}

#[test]
fn without_a_workspace_a_name_is_a_folder_only_where_a_manifest_says_so() {
    let files = [
        (
            "api/package.json",
            r#"{ "name": "api", "dependencies": { "shared": "file:../shared", "express": "^5.1.0" } }"#,
        ),
        (
            "api/main.ts",
            "import a from 'shared'; import b from 'express'",
        ),
        (
            "shared/package.json",
            r#"{ "name": "shared", "main": "main.js" }"#,
        ),
        ("shared/main.ts", ""),
        (
            "demo/package.json",
            r#"{ "name": "express", "main": "fake.js" }"#,
        ),
        ("demo/fake.js", ""),
    ];
    let project = project(&files);
    assert_eq!(leads(&project, "api/main.ts", "express"), "package express");
    assert_eq!(leads(&project, "api/main.ts", "shared"), "shared/main.ts");
}

#[test]
fn the_nearest_manifest_that_names_a_package_gives_its_version() {
    let project = project(&[
        (
            "package.json",
            r#"{ "name": "root", "dependencies": { "zod": "^3.0.0", "next": "15.0.0" } }"#,
        ),
        (
            "apps/web/package.json",
            r#"{ "devDependencies": { "next": "canary" }, "dependencies": { "next": "^16.0.0" } }"#,
        ),
        ("apps/web/app/page.tsx", ""),
        (
            "apps/web/pnpm-lock.yaml",
            "importers:\n  .:\n    dependencies:\n      next:\n        version: 16.3.0(react@19)\n",
        ),
        (
            "apps/web-old/package.json",
            r#"{ "peerDependencies": { "next": "12" } }"#,
        ),
    ]);
    assert_eq!(
        project.requirement("apps/web/app/page.tsx", "next"),
        Some("16.3.0")
    );
    assert_eq!(
        project.requirement("apps/web/app/page.tsx", "zod"),
        Some("^3.0.0")
    );
    assert_eq!(project.requirement("apps/web-old/a.ts", "next"), Some("12"));
    assert_eq!(project.requirement("apps/x/a.ts", "next"), Some("15.0.0"));
    assert_eq!(project.requirement("apps/web/app/page.tsx", "hono"), None);
    assert_eq!(
        project.package_of("apps/web/app/page.tsx").unwrap().dir,
        "apps/web"
    );
    assert_eq!(
        project.package_of("scripts/a.ts").unwrap().name.as_deref(),
        Some("root")
    );
    assert_eq!(project.packages().len(), 3);
}

#[test]
fn modules_are_numbered_by_path_and_positions_count_characters() {
    let project = project(&[
        ("b.ts", "const a = '\u{e9}'; b()\n\nc()"),
        ("a/z.ts", ""),
        ("a-b.ts", ""),
    ]);
    assert_eq!(files_of(&project), ["a-b.ts", "a/z.ts", "b.ts"]);
    let id = project.module_at("b.ts").unwrap();
    assert_eq!(id, ModuleId(2));
    assert_eq!(project.position(id, 0), (1, 1));
    assert_eq!(project.position(id, 16), (1, 16));
    assert_eq!(project.position(id, 21), (3, 1));
    assert_eq!(project.module_at("c.ts"), None);
}

#[test]
fn a_folder_is_walked_and_what_is_passed_over_is_counted() {
    let root = folder(
        "walk",
        &[
            (".gitignore", b"secret/\n*.local.ts\n!keep.local.ts\n"),
            ("package.json", b"{}"),
            ("server.ts", b"import './lib/a'"),
            ("lib/a.ts", b""),
            ("lib/.gitignore", b"made.ts\n"),
            ("lib/made.ts", b""),
            ("x.local.ts", b""),
            ("keep.local.ts", b""),
            ("secret/a.ts", b""),
            ("secret/b.ts", b""),
            ("node_modules/express/index.js", b""),
            ("dist/server.js", b""),
            (".next/server.js", b""),
            (".git/hooks/a.ts", b""),
            ("app/vendor/page.tsx", b""),
            ("app/api/build/route.ts", b"// @generated: DO NOT EDIT\n"),
            ("app/api/test/route.ts", b""),
            ("src/client.ts", b"// @generated by a tool\n"),
            ("src/a.test.ts", b""),
            ("src/a.stories.tsx", b""),
            ("src/env.d.ts", b""),
            ("public/jquery.min.js", b""),
            ("prisma/schema.prisma", b"model A {}"),
            ("db/1.sql", b"select 1"),
            ("legacy/a.ts", b""),
            ("readme.md", b""),
        ],
    );
    let calls = AtomicUsize::new(0);
    let options = Options {
        ignore: vec!["legacy/".to_owned()],
        ..Options::default()
    };
    let progress = |done: usize, all: usize| {
        assert!(done >= 1 && done <= all);
        calls.fetch_add(1, Ordering::Relaxed);
    };
    let project = Project::open(&root, &options, &progress).unwrap();
    assert_eq!(
        files_of(&project),
        [
            "app/api/build/route.ts",
            "app/api/test/route.ts",
            "app/vendor/page.tsx",
            "keep.local.ts",
            "lib/a.ts",
            "server.ts"
        ]
    );
    assert_eq!(
        skipped(&project),
        [
            (SkipKind::Tests, 1),
            (SkipKind::Stories, 1),
            (SkipKind::Minified, 1),
            (SkipKind::Generated, 3),
            (SkipKind::Vendored, 1),
            (SkipKind::Ignored, 4),
            (SkipKind::Declarations, 1),
        ]
    );
    let texts: Vec<&str> = project.texts().map(|(path, _)| path).collect();
    assert_eq!(texts, ["db/1.sql", "package.json", "prisma/schema.prisma"]);
    assert!(project.unread().is_empty(), "{:?}", project.unread());
    // Every source and text that was opened, `src/client.ts` among them.
    assert_eq!(calls.into_inner(), 10);
    let with_tests = Options {
        include_tests: true,
        ..options
    };
    let project = Project::open(&root, &with_tests, &|_, _| ()).unwrap();
    assert!(
        project.module_at("src/a.test.ts").is_some()
            && project.module_at("src/a.stories.tsx").is_some()
    );
}

#[test]
fn a_folder_inside_an_ignored_folder_of_a_repository_can_be_audited() {
    let outer = folder(
        "nested",
        &[
            (".gitignore", b"*\n"),
            ("fixtures/shop/before/server.js", b""),
        ],
    );
    fs::create_dir_all(outer.join(".git")).unwrap();
    assert_eq!(
        files_of(&open(&outer.join("fixtures/shop/before"))),
        ["server.js"]
    );
}

#[test]
fn what_cannot_be_opened_says_why() {
    let root = folder("errors", &[("readme.md", b""), ("file.ts", b"")]);
    let refused =
        |root: &Path, options: &Options| Project::open(root, options, &|_, _| ()).unwrap_err();
    assert!(matches!(
        refused(&root.join("none"), &Options::default()),
        ProjectError::Missing { .. }
    ));
    assert!(matches!(
        refused(&root.join("file.ts"), &Options::default()),
        ProjectError::NotAFolder { .. }
    ));
    fs::remove_file(root.join("file.ts")).unwrap();
    let empty = refused(&root, &Options::default());
    assert!(
        empty.to_string().starts_with("nothing to read in `"),
        "{empty}"
    );
    let ignore = Options {
        ignore: vec!["a{b".to_owned()],
        ..Options::default()
    };
    assert!(matches!(
        refused(&root, &ignore),
        ProjectError::Ignore { .. }
    ));
}

#[cfg(unix)]
#[test]
fn no_link_is_followed() {
    use std::os::unix::fs::symlink;
    let outside = folder("links-outside", &[("secret.ts", b"export const key = 1")]);
    let root = folder(
        "links",
        &[(
            "a.ts",
            b"import './passwd'; import x from './passwd'; import y from './out/secret'",
        )],
    );
    symlink("/etc/passwd", root.join("passwd.ts")).unwrap();
    symlink(&outside, root.join("out")).unwrap();
    symlink(".", root.join("circle")).unwrap();
    symlink("a.ts", root.join("b.ts")).unwrap();
    symlink("nowhere", root.join("dangling.ts")).unwrap();
    symlink("/etc", root.join(".gitignore")).unwrap();
    symlink(outside.join("secret.ts"), root.join("package.json")).unwrap();
    let project = open(&root);
    assert_eq!(files_of(&project), ["a.ts"]);
    assert_eq!(leads(&project, "a.ts", "./passwd"), "unresolved");
    assert_eq!(leads(&project, "a.ts", "./out/secret"), "unresolved");
    let unread = unread(&project);
    assert_eq!(
        unread.keys().copied().collect::<Vec<_>>(),
        ["b.ts", "circle", "dangling.ts", "out", "passwd.ts"]
    );
    assert!(
        unread
            .values()
            .all(|reason| *reason == "a symbolic link, which is not followed")
    );
    assert!(project.packages().is_empty());
}

#[test]
fn configuration_does_not_lead_out_of_the_root() {
    let outer = folder(
        "extends",
        &[
            ("outside/tsconfig.json", br#"{ "compilerOptions": { "paths": { "@/*": ["./*"] } } }"#),
            ("outside/secret.ts", b""),
            ("in/tsconfig.json", br#"{ "extends": "../outside/tsconfig.json", "compilerOptions": { "baseUrl": "../outside" } }"#),
            ("in/sub/tsconfig.json", br#"{ "extends": "/etc/tsconfig.json", "compilerOptions": { "paths": { "x/*": ["../../../outside/*"], "y/*": ["/etc/*"] } } }"#),
            ("in/a.ts", b"import x from '@/secret'; import y from 'secret'; import z from '../outside/secret'"),
            ("in/sub/b.ts", b"import x from 'x/secret'; import y from 'y/passwd'"),
        ],
    );
    let project = open(&outer.join("in"));
    assert_eq!(leads(&project, "a.ts", "@/secret"), "unresolved");
    assert_eq!(leads(&project, "a.ts", "secret"), "package secret");
    assert_eq!(leads(&project, "a.ts", "../outside/secret"), "unresolved");
    assert_eq!(leads(&project, "sub/b.ts", "x/secret"), "package x/secret");
    assert_eq!(leads(&project, "sub/b.ts", "y/passwd"), "package y/passwd");
    let unread = unread(&project);
    assert_eq!(
        unread["tsconfig.json"],
        "extends `../outside/tsconfig.json`, which is outside the root and was not followed"
    );
    assert_eq!(
        unread["sub/tsconfig.json"],
        "extends `/etc/tsconfig.json`, which is outside the root and was not followed"
    );
}

#[test]
fn hostile_files_are_unread_or_read_and_never_fatal() {
    let brackets = "[".repeat(100_000);
    let chain = format!("export const a = {}1", "1+".repeat(29_000));
    let members = format!("a{}", ".b".repeat(29_000));
    let arrows = format!("export const f = {}1", "a=>".repeat(19_000));
    let nots = format!("export const n = {}1", "!".repeat(59_000));
    let elses = format!("if (a) {{}} {}", "else if (a) {} ".repeat(4_900));
    let templates = "`${".repeat(100_000);
    let line = format!("export const s = '{}'", "x".repeat(1_000_000));
    let deep_json = format!("{{\"compilerOptions\":{}", "{\"a\":".repeat(100_000));
    let huge = vec![b' '; usize::try_from(FILE_BYTES_MAX).unwrap() + 1];
    let root = folder(
        "hostile",
        &[
            ("good.ts", b"export const good = 1"),
            ("brackets.ts", brackets.as_bytes()),
            ("chain.ts", chain.as_bytes()),
            ("members.ts", members.as_bytes()),
            ("arrows.ts", arrows.as_bytes()),
            ("nots.ts", nots.as_bytes()),
            ("elses.ts", elses.as_bytes()),
            ("templates.ts", templates.as_bytes()),
            ("line.ts", line.as_bytes()),
            ("nul.ts", b"export const a = 1\0\0\0"),
            ("latin.ts", b"export const a = '\xE9'"),
            ("huge.ts", &huge),
            ("syntax.ts", b"export const = = ="),
            ("empty.ts", b""),
            ("deep/tsconfig.json", deep_json.as_bytes()),
            ("deep/package.json", deep_json.as_bytes()),
            ("deep/package-lock.json", deep_json.as_bytes()),
            ("deep/bun.lock", deep_json.as_bytes()),
            ("deep/pnpm-lock.yaml", brackets.as_bytes()),
            ("deep/a.ts", b"import x from './b'; import y from 'z'"),
            ("deep/b.ts", b""),
            ("loop/tsconfig.json", br#"{ "extends": ["./tsconfig.json", "./tsconfig.b.json", "./tsconfig.b.json"] }"#),
            ("loop/tsconfig.b.json", br#"{ "extends": ["./tsconfig.json", "./tsconfig.json"], "references": [{ "path": "." }] }"#),
            ("loop/a.ts", b"import './b'; export * from './b'"),
            ("loop/b.ts", b"import './a'; export * from './a'; export * from './b'"),
        ],
    );
    let project = open(&root);
    let unread = unread(&project);
    for (file, reason) in [
        ("brackets.ts", "brackets are nested"),
        ("templates.ts", "brackets are nested"),
        ("latin.ts", "not UTF-8"),
        ("huge.ts", "larger than"),
        ("syntax.ts", "syntax error"),
    ] {
        assert!(
            unread.get(file).is_some_and(|it| it.starts_with(reason)),
            "{file}: {unread:?}"
        );
        assert!(project.module_at(file).is_none());
    }
    for file in ["good.ts", "line.ts", "empty.ts", "deep/a.ts", "loop/a.ts"] {
        assert!(project.module_at(file).is_some(), "{file}: {unread:?}");
    }
    for file in ["deep/package.json", "deep/tsconfig.json"] {
        assert!(
            unread
                .get(file)
                .is_some_and(|it| it.starts_with("not JSON")),
            "{file}: {unread:?}"
        );
    }
    // Each file is a module or unread: nothing is lost.
    for file in [
        "chain.ts",
        "members.ts",
        "arrows.ts",
        "nots.ts",
        "elses.ts",
        "nul.ts",
    ] {
        assert!(
            project.module_at(file).is_some() != unread.contains_key(file),
            "{file}"
        );
    }
    assert_eq!(leads(&project, "deep/a.ts", "./b"), "deep/b.ts");
    assert_eq!(leads(&project, "loop/a.ts", "./b"), "loop/b.ts");
    assert_eq!(leads(&project, "loop/b.ts", "./a"), "loop/a.ts");
}

#[test]
fn the_same_folder_gives_the_same_project() {
    let files: Vec<(String, String)> = (0..300)
        .map(|at| {
            (
                format!("src/m{at:03}.ts"),
                format!(
                    "import x from './m{:03}'; import y from 'p{at}'",
                    (at * 7) % 300
                ),
            )
        })
        .collect();
    let print = |project: &Project| {
        let mut text = String::new();
        for module in project.modules() {
            let mut names: Vec<_> = module.body.imports.iter().map(|it| it.specifier).collect();
            names.sort();
            for name in names {
                writeln!(
                    text,
                    "{} {name} {:?}",
                    module.file,
                    project.resolve(module.id, name)
                )
                .unwrap();
            }
        }
        text
    };
    let once = print(&Project::from_files(files.clone()));
    assert_eq!(once.lines().count(), 600);
    assert_eq!(
        once,
        print(&Project::from_files(files.into_iter().rev().collect()))
    );
}
