//! Which files are passed over, told from their paths and their first lines.

/// Why files are passed over. They are counted, and are not clean: nobody looked at them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SkipKind {
    /// Tests and what serves them.
    Tests,
    /// Component stories.
    Stories,
    /// Scripts squeezed for delivery.
    Minified,
    /// Written by a tool.
    Generated,
    /// Other people's code kept in the tree; whole folders count as one.
    Vendored,
    /// Named by a `.gitignore` or by the policy; whole folders count as one.
    Ignored,
    /// Declarations without code (`.d.ts`).
    Declarations,
}

impl SkipKind {
    /// The word reports use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tests => "tests",
            Self::Stories => "stories",
            Self::Minified => "minified",
            Self::Generated => "generated",
            Self::Vendored => "vendored",
            Self::Ignored => "ignored",
            Self::Declarations => "declarations",
        }
    }
}

/// The endings of the source files that are read.
pub(super) const SOURCE_EXTENSIONS: [&str; 8] =
    ["ts", "tsx", "mts", "cts", "js", "jsx", "mjs", "cjs"];

/// Languages in which services are written and which are not read: their files are listed, never counted as clean.
const OTHER_LANGUAGES: [(&str, &str); 17] = [
    ("astro", "Astro"),
    ("cs", "C#"),
    ("ex", "Elixir"),
    ("exs", "Elixir"),
    ("fs", "F#"),
    ("go", "Go"),
    ("java", "Java"),
    ("kt", "Kotlin"),
    ("php", "PHP"),
    ("pl", "Perl"),
    ("py", "Python"),
    ("rb", "Ruby"),
    ("rs", "Rust"),
    ("scala", "Scala"),
    ("svelte", "Svelte"),
    ("swift", "Swift"),
    ("vue", "Vue"),
];

/// The language of a file that is not read for it.
pub(super) fn other_language(path: &str) -> Option<&'static str> {
    let (_, extension) = path.rsplit_once('.')?;
    OTHER_LANGUAGES
        .iter()
        .find_map(|(known, language)| (*known == extension).then_some(*language))
}

/// A line longer than this makes a script look squeezed.
const LINE_BYTES_MAX: usize = 5_000;
/// And so does an average above this.
const LINE_BYTES_AVERAGE_MAX: usize = 200;
/// How far into a file the comment that calls it generated may stand.
const HEADER_BYTES: usize = 1_024;

/// Folders that hold tests wherever they stand.
const TEST_FOLDERS_ALWAYS: [&str; 3] = ["__tests__", "__mocks__", "__snapshots__"];
/// Folders that hold tests, except below a router tree, where each of them is a part of a URL.
const TEST_FOLDERS: [&str; 5] = ["test", "tests", "e2e", "cypress", "playwright"];
/// The trees in which a folder's name is a part of a URL.
const ROUTER_FOLDERS: [&str; 2] = ["app", "pages"];
/// Files that answer a URL by their name alone.
const ROUTER_FILES: [&str; 4] = ["route", "page", "layout", "middleware"];

/// Whether a folder is passed over as a whole, wherever it stands.
pub(super) fn folder_always(name: &str) -> Option<SkipKind> {
    match name {
        "node_modules" | "bower_components" | "jspm_packages" | ".yarn" | ".pnpm-store" => {
            Some(SkipKind::Vendored)
        }
        ".next" | ".nuxt" | ".svelte-kit" | ".turbo" | ".vercel" | ".output" | ".cache"
        | "storybook-static" => Some(SkipKind::Generated),
        _ => None,
    }
}

/// Whether a folder is passed over as a whole when it stands at the top of a package or among public files.
/// Elsewhere these names are ordinary words: `app/vendor/page.tsx` is a page for vendors.
pub(super) fn folder_of_package(name: &str) -> Option<SkipKind> {
    match name {
        "dist" | "build" | "out" | "coverage" => Some(SkipKind::Generated),
        "vendor" => Some(SkipKind::Vendored),
        _ => None,
    }
}

/// Folders of version control: not part of the project, and not counted.
pub(super) fn is_version_control(name: &str) -> bool {
    matches!(name, ".git" | ".hg" | ".svn" | ".jj")
}

/// Folders of files that are delivered as they are.
pub(super) fn is_public(name: &str) -> bool {
    matches!(name, "public" | "static" | "assets" | "wwwroot")
}

/// Whether a source file is passed over for its path.
pub(super) fn by_path(path: &str, include_tests: bool) -> Option<SkipKind> {
    let mut parts: Vec<&str> = path.split('/').collect();
    let name = parts.pop().unwrap_or(path);
    if name.ends_with(".d.ts") || name.ends_with(".d.mts") || name.ends_with(".d.cts") {
        return Some(SkipKind::Declarations);
    }
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    if stem.ends_with(".min") {
        return Some(SkipKind::Minified);
    }
    if stem.ends_with(".gen") || stem.ends_with(".generated") {
        return Some(SkipKind::Generated);
    }
    if include_tests {
        return None;
    }
    if stem.ends_with(".stories") || stem.ends_with(".story") || parts.contains(&".storybook") {
        return Some(SkipKind::Stories);
    }
    let is_test = [".test", ".spec", ".cy", ".e2e"]
        .iter()
        .any(|end| stem.ends_with(end))
        || in_test_folder(&parts, stem);
    is_test.then_some(SkipKind::Tests)
}

fn in_test_folder(folders: &[&str], stem: &str) -> bool {
    if folders
        .iter()
        .any(|folder| TEST_FOLDERS_ALWAYS.contains(folder))
    {
        return true;
    }
    let router = folders
        .iter()
        .position(|folder| ROUTER_FOLDERS.contains(folder));
    // An application below a test folder is still an application: what answers a URL there is read.
    if router.is_some() && ROUTER_FILES.contains(&stem) {
        return false;
    }
    folders
        .iter()
        .take(router.unwrap_or(folders.len()))
        .any(|folder| TEST_FOLDERS.contains(folder))
}

/// Whether a source file is passed over for its text.
///
/// A router file is never: one comment or one long line would otherwise hide a route from the audit.
pub(super) fn by_text(path: &str, text: &str) -> Option<SkipKind> {
    let in_router = path.split('/').any(|part| ROUTER_FOLDERS.contains(&part));
    if in_router {
        return None;
    }
    if header_says_generated(text) {
        return Some(SkipKind::Generated);
    }
    // Nobody squeezes a script and calls it TypeScript.
    let is_script = path.ends_with("js") || path.ends_with(".jsx");
    (is_script && is_squeezed(text)).then_some(SkipKind::Minified)
}

fn is_squeezed(text: &str) -> bool {
    let (mut lines, mut longest) = (0_usize, 0_usize);
    for line in text.lines() {
        lines += 1;
        longest = longest.max(line.len());
    }
    longest > LINE_BYTES_MAX && text.len() / lines.max(1) > LINE_BYTES_AVERAGE_MAX
}

fn header_says_generated(text: &str) -> bool {
    let mut left = HEADER_BYTES;
    let mut in_block = false;
    let mut header = String::new();
    for line in text.lines() {
        let line = line.trim();
        let opens = line.starts_with("/*");
        let is_comment = in_block || opens || line.starts_with("//") || line.starts_with("#!");
        let is_directive = line.starts_with("'use ") || line.starts_with("\"use ");
        if !is_comment && !line.is_empty() && !is_directive || line.len() > left {
            break;
        }
        left -= line.len();
        if is_comment {
            header.push_str(&line.to_ascii_lowercase());
            header.push('\n');
        }
        in_block = (in_block || opens) && !line.ends_with("*/");
    }
    header.contains("@generated")
        || header.contains("do not edit") && header.contains("generated")
        || header.contains("do not modify") && header.contains("generated")
        || header.contains("automatically generated")
            && header.contains("should not make any changes")
}

#[cfg(test)]
mod tests {
    use super::{SkipKind, by_path, by_text, other_language};

    #[test]
    fn tests_are_told_from_routes_by_their_paths() {
        for path in [
            "server/test/x.js",
            "src/a.test.ts",
            "src/a.spec.tsx",
            "app/api/users/route.test.ts",
            "src/__tests__/a.ts",
            "app/__mocks__/db.ts",
            "e2e/pages/login.ts",
            "apps/web/playwright/login.ts",
            "tests/e2e/page.ts",
            "server/test/route.js",
        ] {
            assert_eq!(by_path(path, false), Some(SkipKind::Tests), "{path}");
            assert_eq!(by_path(path, true), None, "{path}");
        }
        for path in [
            "app/api/test/route.ts",
            "app/api/test/query.ts",
            "src/app/tests/page.tsx",
            "pages/api/e2e/index.ts",
            "tests/shop/app/api/items/route.ts",
            "examples/shop/server.js",
            "fixtures/apps/shop/before/index.ts",
            "src/contest.ts",
            "src/latest/index.ts",
        ] {
            assert_eq!(by_path(path, false), None, "{path}");
        }
        assert_eq!(
            by_path("src/button.stories.tsx", false),
            Some(SkipKind::Stories)
        );
        assert_eq!(by_path("src/env.d.ts", true), Some(SkipKind::Declarations));
        assert_eq!(
            by_path("public/jquery.min.js", true),
            Some(SkipKind::Minified)
        );
    }

    #[test]
    fn languages_that_are_not_read_are_named() {
        assert_eq!(other_language("api/main.py"), Some("Python"));
        assert_eq!(other_language("cmd/server/main.go"), Some("Go"));
        for path in ["app/page.tsx", "README.md", "Makefile", "py", "a.json"] {
            assert_eq!(other_language(path), None, "{path}");
        }
    }

    #[test]
    fn generated_files_say_so_in_their_header() {
        for text in [
            "// @generated by protoc\nexport const a = 1",
            "#!/usr/bin/env node\n/* eslint-disable */\n/* !!! This is code generated by Prisma. Do not edit directly. !!! */\nexport {}",
            "\"use strict\"\n\n/*\n * Code generated by tool. DO NOT EDIT.\n */\n",
        ] {
            assert_eq!(
                by_text("src/a.ts", text),
                Some(SkipKind::Generated),
                "{text}"
            );
            assert_eq!(
                by_text("app/api/a/route.ts", text),
                None,
                "a comment hides no route: {text}"
            );
        }
        for text in [
            "export const a = '@generated'",
            "// the slug is generated\nexport {}",
            "code()\n// @generated\n",
        ] {
            assert_eq!(by_text("src/a.ts", text), None, "{text}");
        }
    }

    #[test]
    fn squeezed_scripts_are_told_by_their_lines() {
        let squeezed = "a();".repeat(3_000);
        assert_eq!(by_text("public/x.js", &squeezed), Some(SkipKind::Minified));
        assert_eq!(by_text("src/x.ts", &squeezed), None);
        assert_eq!(by_text("app/x.js", &squeezed), None);
        let one_long_line = format!(
            "const icon = '{}'\n{}",
            "x".repeat(6_000),
            "line()\n".repeat(200)
        );
        assert_eq!(by_text("src/x.js", &one_long_line), None);
    }
}
