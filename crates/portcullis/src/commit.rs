//! The commit that a folder holds, read from its `.git` without running anything the folder brings along.

use std::fs;
use std::io::Read as _;
use std::path::Path;

/// `HEAD` and a loose reference are a line; packed references of a large repository are some megabytes.
const READ_MAX: u64 = 16 * 1024 * 1024;

/// The commit's id. `None` when the folder is not the top of a repository, or has a form that we do not read.
pub(crate) fn of(dir: &Path) -> Option<String> {
    let git = dir.join(".git");
    // A link could lead out of the folder.
    if !fs::symlink_metadata(&git).ok()?.is_dir() {
        return None;
    }
    let head = read(&git.join("HEAD"))?;
    let Some(reference) = head.trim().strip_prefix("ref: ") else {
        return id(&head);
    };
    let plain = reference.starts_with("refs/")
        && reference
            .split('/')
            .all(|part| !matches!(part, "" | "." | ".."));
    if !plain {
        return None;
    }
    read(&git.join(reference))
        .and_then(|line| id(&line))
        .or_else(|| packed(&read(&git.join("packed-refs"))?, reference))
}

fn packed(text: &str, reference: &str) -> Option<String> {
    text.lines()
        .filter_map(|line| line.split_once(' '))
        .find(|(_, name)| name.trim() == reference)
        .and_then(|(commit, _)| id(commit))
}

/// SHA-1 or SHA-256, so that nothing else a file contains can be printed as a commit.
fn id(text: &str) -> Option<String> {
    let text = text.trim();
    let hexadecimal = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    (matches!(text.len(), 40 | 64) && hexadecimal).then(|| text.to_ascii_lowercase())
}

fn read(path: &Path) -> Option<String> {
    if !fs::symlink_metadata(path).ok()?.is_file() {
        return None;
    }
    let mut text = String::new();
    fs::File::open(path)
        .ok()?
        .take(READ_MAX)
        .read_to_string(&mut text)
        .ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_id_is_a_commit() {
        let commit = "0123456789abcdef0123456789abcdef01234567";
        assert_eq!(id(&format!("{commit}\n")).as_deref(), Some(commit));
        assert_eq!(id("ref: elsewhere"), None);
        let text = format!("# pack-refs\n{commit} refs/heads/main\n^{commit}\n");
        assert_eq!(packed(&text, "refs/heads/main").as_deref(), Some(commit));
        assert_eq!(packed(&text, "refs/heads/mai"), None);
    }
}
