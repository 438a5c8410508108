//! Files of a folder that is served as it is: by name at its top, by folder below.

use std::collections::BTreeMap;

use portcullis_code::project::Project;
use portcullis_policy::PathTemplate;

use super::{StaticPath, Unsaid};
use crate::template::spelled;

/// Most entries that one folder gives; the list of a policy has 256.
const ENTRIES_MAX: usize = 128;
/// From how many files of one folder on that end alike one entry stands for all of them.
const ALIKE_MIN: usize = 3;

/// What a folder serves under a path.
///
/// A folder in it is one entry, unless a route or page answers some path below it: there the files are named by how they
/// end or one by one, so that nothing of a route is open because a picture lies beside it.
pub(super) fn served(
    project: &Project,
    prefix: &str,
    folder: &str,
    taken: &[PathTemplate],
) -> (Vec<StaticPath>, Vec<Unsaid>) {
    let mut by_top: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for file in under(project, folder) {
        let (top, _) = file.split_once('/').unwrap_or((file, ""));
        by_top.entry(top).or_default().push(file);
    }
    let mut found = (Vec::new(), Vec::new());
    for (top, files) in by_top {
        let rest = format!("{prefix}/{}/{{*rest}}", name_in_path(top));
        let whole = PathTemplate::parse(&rest).ok();
        let is_folder = files.iter().any(|file| file.contains('/'));
        if let Some(whole) = whole
            && is_folder
            && !taken.iter().any(|route| route.overlaps(&whole))
        {
            found.0.push(StaticPath {
                path: whole.to_string(),
                why: format!("{folder}/{top}/"),
            });
            continue;
        }
        for (alike, files) in by_ending(&files) {
            match of_ending(prefix, folder, alike, files.len(), taken) {
                Some(entry) => found.0.push(entry),
                None => {
                    for file in files {
                        add(prefix, folder, file, taken, &mut found);
                    }
                }
            }
        }
    }
    if found.0.len() > ENTRIES_MAX {
        let more = found.0.len() - ENTRIES_MAX;
        found.0.truncate(ENTRIES_MAX);
        found.1.push(Unsaid {
            what: format!("{more} more files of `{folder}`"),
            reason: format!("only the first {ENTRIES_MAX} entries are listed: move files into folders, one entry each"),
            location: None,
        });
    }
    found
}

/// Files by the folder that they lie in and the end of their names.
fn by_ending<'f>(files: &[&'f str]) -> BTreeMap<(&'f str, &'f str), Vec<&'f str>> {
    let mut alike: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for file in files {
        let (folder, name) = file.rsplit_once('/').unwrap_or(("", file));
        let (_, end) = name.rsplit_once('.').unwrap_or((name, ""));
        alike.entry((folder, end)).or_default().push(file);
    }
    alike
}

/// One entry for all files of a folder that end alike, unless a route or page answers some path of it.
fn of_ending(
    prefix: &str,
    folder: &str,
    (inner, end): (&str, &str),
    count: usize,
    taken: &[PathTemplate],
) -> Option<StaticPath> {
    if inner.is_empty() || end.is_empty() || count < ALIKE_MIN {
        return None;
    }
    let mut path = prefix.to_owned();
    for segment in inner.split('/') {
        path.push('/');
        path.push_str(&name_in_path(segment));
    }
    path.push_str(&format!("/{{file}}.{}", name_in_path(end)));
    let path = PathTemplate::parse(&path).ok()?;
    let is_free = !taken.iter().any(|route| route.overlaps(&path));
    is_free.then(|| StaticPath {
        path: path.to_string(),
        why: format!("{count} files of {folder}/{inner}/"),
    })
}

/// The files below a folder, without it. What begins with a dot is for tools, not for clients.
pub(super) fn under<'p>(project: &'p Project, folder: &str) -> impl Iterator<Item = &'p str> {
    let start = if folder.is_empty() {
        String::new()
    } else {
        format!("{folder}/")
    };
    project.names().iter().filter_map(move |name| {
        let file = name.strip_prefix(&start)?;
        let hidden = |part: &str| part.starts_with('.') && part != ".well-known";
        (!start.is_empty() && !file.split('/').any(hidden)).then_some(file)
    })
}

/// The name of a file or folder as a segment. A `%` or a brace in it is itself, not an escape or a parameter.
fn name_in_path(name: &str) -> String {
    let name = name.replace('%', "%25").replace('{', "%7B");
    spelled(&name.replace('}', "%7D"), true)
}

fn add(
    prefix: &str,
    folder: &str,
    file: &str,
    taken: &[PathTemplate],
    found: &mut (Vec<StaticPath>, Vec<Unsaid>),
) {
    let mut path = prefix.to_owned();
    for segment in file.split('/') {
        path.push('/');
        path.push_str(&name_in_path(segment));
    }
    match PathTemplate::parse(&path) {
        // A route or page of the same path has the word.
        Ok(path) if taken.iter().any(|route| route.same_paths(&path)) => {}
        Ok(path) => found.0.push(StaticPath {
            path: path.to_string(),
            why: format!("{folder}/{file}"),
        }),
        Err(fault) => found.1.push(Unsaid {
            what: format!("the file `{folder}/{file}`"),
            reason: fault.message,
            location: None,
        }),
    }
}
