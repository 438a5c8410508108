//! What no tracked file may hold: marks of unfinished work, paths of one machine, hosts of package registries.

use crate::{problem::Problem, tree::Tree};

/// Words that say that something is not done. Split, so that this file does not hold them.
const UNFINISHED_WORDS: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("TB", "D"),
];

/// The same in Rust.
const UNFINISHED_CODE: &[&str] = &[
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
    concat!("#[ig", "nore"),
];

/// What is `unsafe`, and the lint that lets it in. Also the code itself: the folder of the fuzz targets is a workspace of its own,
/// without the lint.
const UNSAFE: &[&str] = &[
    concat!("unsafe", "_code"),
    concat!("unsafe", " {"),
    concat!("unsafe", " fn"),
    concat!("unsafe", " impl"),
    concat!("unsafe", " trait"),
    concat!("unsafe", " extern"),
    concat!("#[unsafe", "("),
];

/// The one file that may have it.
const UNSAFE_PLACE: &str = "crates/rsa/src/ifma.rs";

/// Where people and build machines keep their files.
const MACHINE_FOLDERS: &[&str] = &[
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("/Us", "ers/"),
    concat!("/wo", "rk/"),
    concat!("C:\\Us", "ers\\"),
];

/// Names a lock file or a script must not bind a reader to.
const REGISTRY_HOSTS: &[&str] = &[
    concat!("registry.npm", "js.org"),
    concat!("registry.yarn", "pkg.com"),
    concat!("npm.pkg.git", "hub.com"),
    concat!("index.crates", ".io"),
    concat!("static.crates", ".io"),
    concat!("files.python", "hosted.org"),
    concat!("pypi", ".org"),
    concat!("proxy.go", "lang.org"),
    concat!("deb.deb", "ian.org"),
];

/// Every line of every text file that holds one of them.
pub(super) fn problems(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (path, text) in tree.texts() {
        for (number, line) in (1..).zip(text.lines()) {
            if let Some(message) = judge(path, line) {
                problems.push(Problem::at(path, number, message));
            }
        }
    }
    problems
}

fn judge(path: &str, line: &str) -> Option<String> {
    let unfinished = UNFINISHED_WORDS.iter().find(|word| has_word(line, word));
    let rust = path.ends_with(".rs");
    let unfinished = unfinished.or_else(|| {
        UNFINISHED_CODE
            .iter()
            .find(|code| rust && line.contains(**code))
    });
    if let Some(mark) = unfinished {
        return Some(format!("`{mark}`: what is not done is not committed"));
    }
    if rust && path != UNSAFE_PLACE && UNSAFE.iter().any(|code| line.contains(code)) {
        return Some(format!("`unsafe` is in `{UNSAFE_PLACE}` and nowhere else"));
    }
    if let Some(folder) = MACHINE_FOLDERS.iter().find(|folder| has_path(line, folder)) {
        return Some(format!("`{folder}` is a folder of one machine"));
    }
    if let Some(host) = REGISTRY_HOSTS.iter().find(|host| line.contains(**host)) {
        return Some(format!(
            "`{host}` is a registry, and which one is the reader's choice"
        ));
    }
    let lock_file = path.ends_with("package-lock.json") || path.ends_with("npm-shrinkwrap.json");
    (lock_file && line.contains("\"resolved\": \"http")).then(|| {
        "a registry's address is locked in: set `omit-lockfile-registry-resolved=true`".to_owned()
    })
}

fn has_word(line: &str, word: &str) -> bool {
    let in_word = |character: char| character.is_alphanumeric() || character == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        let after = line
            .get(at + word.len()..)
            .and_then(|text| text.chars().next());
        !before.is_some_and(in_word) && !after.is_some_and(in_word)
    })
}

/// A path begins here: what stands before it is no part of a longer path or address.
fn has_path(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line.get(..at).unwrap_or_default();
        before.ends_with("file://")
            || !before.chars().next_back().is_some_and(|character| {
                character.is_alphanumeric() || "._-/}~$".contains(character)
            })
    })
}

#[cfg(test)]
mod tests {
    use super::{
        MACHINE_FOLDERS, REGISTRY_HOSTS, UNFINISHED_CODE, UNFINISHED_WORDS, UNSAFE, UNSAFE_PLACE,
        problems,
    };
    use crate::tree::made;

    fn count(path: &str, line: &str) -> usize {
        problems(&made::tree(&[(path, &format!("first\n{line}\n"))])).len()
    }

    #[test]
    fn every_mark_is_found_at_its_line() {
        let marks = UNFINISHED_WORDS.iter().chain(UNFINISHED_CODE);
        for mark in marks.chain(MACHINE_FOLDERS).chain(REGISTRY_HOSTS) {
            let tree = made::tree(&[("src/a.rs", &format!("first\n// {mark} x\n"))]);
            let shown = problems(&tree)[0].to_string();
            assert!(
                shown.starts_with(&format!("src/a.rs:2: `{mark}`")),
                "{shown}"
            );
        }
    }

    #[test]
    fn unsafe_has_one_place() {
        for code in UNSAFE {
            let line = format!("    {code}");
            assert_eq!(count("crates/guard/src/a.rs", &line), 1, "{code}");
            assert_eq!(count("fuzz/checks/a.rs", &line), 1, "{code}");
            assert_eq!(count(UNSAFE_PLACE, &line), 0, "{code}");
            assert_eq!(count("Cargo.toml", &line), 0, "{code}");
        }
    }

    #[test]
    fn a_longer_word_is_another_word() {
        let word = UNFINISHED_WORDS[0];
        assert_eq!(count("a.md", &format!("{word}S {word}_LIST MY_{word}")), 0);
        assert_eq!(count("a.md", &format!("({word})")), 1);
    }

    #[test]
    fn a_part_of_an_address_or_of_a_longer_path_is_no_machine_folder() {
        for folder in MACHINE_FOLDERS
            .iter()
            .filter(|folder| folder.starts_with('/'))
        {
            assert_eq!(
                count(
                    "a.md",
                    &format!("https://shop.example.com{folder}x ./app{folder}x")
                ),
                0
            );
            assert_eq!(count("a.md", &format!("\"{folder}x\"")), 1);
            assert_eq!(count("a.md", &format!("file://{folder}x")), 1);
        }
    }

    #[test]
    fn a_lock_file_bound_to_any_registry_is_found() {
        let line = r#"  "resolved": "https://npm.example.com/a.tgz","#;
        assert_eq!(count("fixtures/apps/shop/package-lock.json", line), 1);
        assert_eq!(count("fixtures/apps/shop/other.json", line), 0);
    }
}
