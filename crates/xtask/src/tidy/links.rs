//! Every path, relative link and anchor named in Markdown exists.

use std::collections::{BTreeMap, BTreeSet};

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use crate::{problem::Problem, tree::Tree};

/// Folders of the house; a path into one of them is meant to exist even when the whole folder is gone.
const ROOMS: &[&str] = &["crates", "docs", "fixtures", ".ci", ".cargo"];

/// Pages of rules speak of their readers' files, so only their links are followed.
const ABOUT_OTHERS: &[&str] = &["crates/audit/src/rules/", "docs/rules/"];

/// Dead paths and dead links of every Markdown file outside the fixtures.
pub(super) fn problems(tree: &Tree) -> Vec<Problem> {
    let pages: BTreeMap<&str, Page> = tree
        .texts()
        .filter(|(path, _)| path.ends_with(".md") && !path.starts_with("fixtures/"))
        .map(|(path, text)| (path, Page::read(text)))
        .collect();
    let mut tops: BTreeSet<&str> = tree.top_folders().collect();
    tops.extend(ROOMS);
    let mut problems = Vec::new();
    for (path, page) in &pages {
        let about_others = ABOUT_OTHERS.iter().any(|folder| path.starts_with(folder));
        for (line, code) in page.code.iter().filter(|_| !about_others) {
            for named in code
                .split_whitespace()
                .filter_map(|word| named_path(word, &tops))
            {
                if !exists(tree, named) {
                    problems.push(Problem::at(
                        path,
                        *line,
                        format!("`{named}` does not exist"),
                    ));
                }
            }
        }
        for (line, link) in &page.links {
            if let Some(message) = judge_link(tree, &pages, path, link) {
                problems.push(Problem::at(path, *line, message));
            }
        }
    }
    problems
}

/// What a Markdown file names, with the lines where it does.
#[derive(Default)]
struct Page {
    code: Vec<(usize, String)>,
    links: Vec<(usize, String)>,
    anchors: BTreeSet<String>,
}

impl Page {
    fn read(text: &str) -> Self {
        let mut page = Self::default();
        let mut heading: Option<String> = None;
        let mut in_commands = false;
        for (event, range) in Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter() {
            let line = 1 + text
                .bytes()
                .take(range.start)
                .filter(|byte| *byte == b'\n')
                .count();
            match event {
                Event::Code(code) => {
                    if let Some(heading) = &mut heading {
                        heading.push_str(&code);
                    }
                    page.code.push((line, code.into_string()));
                }
                Event::Text(words) if in_commands => page.code.push((line, words.into_string())),
                Event::Text(words) => {
                    if let Some(heading) = &mut heading {
                        heading.push_str(&words);
                    }
                }
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                    in_commands = matches!(info.as_ref(), "sh" | "bash" | "console");
                }
                Event::End(TagEnd::CodeBlock) => in_commands = false,
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::End(TagEnd::Heading(_)) => {
                    page.add_anchor(&heading.take().unwrap_or_default())
                }
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    page.links.push((line, dest_url.into_string()));
                }
                _ => {}
            }
        }
        page
    }

    /// As GitHub makes them: lower case, spaces to hyphens, punctuation gone, a number where one repeats.
    fn add_anchor(&mut self, heading: &str) {
        let anchor: String = heading
            .trim()
            .to_lowercase()
            .chars()
            .filter_map(|character| match character {
                ' ' => Some('-'),
                '-' | '_' => Some(character),
                _ => character.is_alphanumeric().then_some(character),
            })
            .collect();
        let mut unique = anchor.clone();
        let mut count = 0_usize;
        while !self.anchors.insert(unique) {
            count += 1;
            unique = format!("{anchor}-{count}");
        }
    }
}

/// The path in a word of code, if the word begins with a folder of the house: without quotes around it, without a
/// line number or an item's name behind it.
fn named_path<'w>(word: &'w str, tops: &BTreeSet<&str>) -> Option<&'w str> {
    let word = word.trim_matches(|character: char| "\"'(),;:`".contains(character));
    let word = word.strip_prefix("./").unwrap_or(word);
    let word = word.split_once(':').map_or(word, |(path, _)| path);
    let (top, _) = word.split_once('/')?;
    tops.contains(top).then_some(word)
}

/// A pattern (`*`, `<id>`, `{a,b}`) names the folder above it.
fn exists(tree: &Tree, path: &str) -> bool {
    match path.split_once(['*', '<', '{', '…']) {
        Some((before, _)) => tree.has(before.rsplit_once('/').map_or("", |(folder, _)| folder)),
        None => tree.has(path.split_once('#').map_or(path, |(file, _)| file)),
    }
}

fn judge_link(tree: &Tree, pages: &BTreeMap<&str, Page>, from: &str, link: &str) -> Option<String> {
    let outside = link.split_once(':').is_some_and(|(scheme, _)| {
        !scheme.is_empty()
            && scheme
                .chars()
                .all(|character| character.is_ascii_alphanumeric() || "+.-".contains(character))
    });
    if outside {
        return None;
    }
    let (target, anchor) = link.split_once('#').unwrap_or((link, ""));
    let path = if target.is_empty() {
        from.to_owned()
    } else {
        let Some(path) = resolved(from, target) else {
            return Some(format!("link `{link}` leaves the repository"));
        };
        path
    };
    if !tree.has(&path) {
        return Some(format!("link `{link}`: `{path}` does not exist"));
    }
    let page = pages.get(path.as_str()).filter(|_| !anchor.is_empty())?;
    (!page.anchors.contains(anchor))
        .then(|| format!("link `{link}`: `{path}` has no heading `#{anchor}`"))
}

/// The path from the root, of a link in the file `from`; none above the root or from it.
fn resolved(from: &str, target: &str) -> Option<String> {
    if target.starts_with('/') {
        return None;
    }
    let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::problems;
    use crate::tree::made;

    fn shown(path: &str, text: &str) -> Vec<String> {
        let tree = made::tree(&[
            ("crates/policy/src/matrix.rs", ""),
            (
                "GLOSSARY.md",
                "# Words\n\n## The `route` type, said twice\n\n## Again\n\n## Again\n",
            ),
            ("docs/decisions/one-form.md", "# One form\n"),
            (path, text),
        ]);
        problems(&tree).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_exists_is_quiet() {
        for text in [
            "`crates/policy/src/matrix.rs` `crates/policy/` `./docs/decisions` `crates/policy/src/matrix.rs:12`",
            "`crates/*/src` `docs/decisions/<choice>.md` `crates/policy/src/matrix.rs::need`",
            "`app/api/route.ts` `serde` `a/b` `https://example.com/docs/x`",
            "[a](GLOSSARY.md) [b](docs/decisions/) [c](https://example.com/x.md) [d](mailto:a@example.com)",
            "[a](GLOSSARY.md#again-1) [b](GLOSSARY.md#the-route-type-said-twice) [c](#here)\n\n# Here\n",
            "[a][x]\n\n[x]: docs/decisions/one-form.md#one-form\n",
            "```ts\nimport 'crates/none/x.rs'; // [a](none.md)\n```\n",
            "```sh\nls crates/policy\n```\n",
        ] {
            assert_eq!(shown("README.md", text), [""; 0], "{text}");
        }
    }

    #[test]
    fn a_dead_path_is_found_at_its_line() {
        assert_eq!(
            shown("README.md", "# A\n\nsee `crates/policy/src/gone.rs`\n"),
            ["README.md:3: `crates/policy/src/gone.rs` does not exist"]
        );
        for text in [
            "`fixtures/apps/shop`",
            "`crates/gone/*.rs`",
            "`cargo run -- audit crates/gone`",
            "| `crates/gone` |\n|---|\n",
            "```sh\ncargo run -- audit fixtures/apps/shop/before\n```\n",
        ] {
            assert_eq!(shown("README.md", text).len(), 1, "{text}");
        }
    }

    #[test]
    fn a_dead_link_is_found() {
        for (text, why) in [
            ("[a](docs/gone.md)", "`docs/gone.md` does not exist"),
            ("![a](logo.png)", "`logo.png` does not exist"),
            ("[a](GLOSSARY.md#gone)", "has no heading `#gone`"),
            ("[a](#gone)", "has no heading `#gone`"),
            ("[a](../other/x.md)", "leaves the repository"),
            ("[a](/GLOSSARY.md)", "leaves the repository"),
            ("[a][x]\n\n[x]: gone.md\n", "`gone.md` does not exist"),
        ] {
            let says = shown("README.md", text);
            assert!(says.len() == 1 && says[0].contains(why), "{text}: {says:?}");
        }
    }

    #[test]
    fn a_link_starts_where_its_file_is() {
        assert_eq!(
            shown(
                "docs/guide.md",
                "[a](decisions/one-form.md) [b](../GLOSSARY.md)"
            ),
            [""; 0]
        );
        assert_eq!(
            shown("docs/guide.md", "[a](docs/decisions/one-form.md)").len(),
            1
        );
    }

    #[test]
    fn pages_of_rules_name_files_of_others_but_link_to_ours() {
        let page = "crates/audit/src/rules/image_unpinned.md";
        assert_eq!(shown(page, "`docs/openapi.yaml`"), [""; 0]);
        assert_eq!(shown(page, "[a](gone.md)").len(), 1);
    }
}
