//! Files of a folder that is served as it is: by name at its top, by folder below.

use std::collections::BTreeMap;

use portcullis_code::project::Project;
use portcullis_policy::PathTemplate;

use super::{StaticPath, Unsaid};
use crate::template::spelled;

/// Most entries that one folder gives; the list of a policy has 256.
const ENTRIES_MAX: usize = 128;

/// What a folder serves under a path.
///
/// A folder in it is one entry, unless a route or page answers some path below it: there the files are named one by one,
/// so that nothing of a route is open because a picture lies beside it.
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
        let rest = format!("{prefix}/{}/{{*rest}}", spelled(top, true));
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
        for file in files {
            add(prefix, folder, file, taken, &mut found);
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
        // A `%` or a brace of a file's name is itself, not an escape or a parameter.
        let name = segment.replace('%', "%25").replace('{', "%7B");
        path.push_str(&spelled(&name.replace('}', "%7D"), true));
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
