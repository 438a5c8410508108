//! The URL paths that a file of a Next application answers.

/// Extensions of a file that can be a page or a route handler.
const EXTENSIONS: [&str; 6] = ["ts", "tsx", "js", "jsx", "md", "mdx"];

/// The paths of a file, named relative to the Next project (`app/...`, `pages/...`, either below `src/`), in
/// `{parameter}` form; an optional catch-all gives two, with it and without. `None` for a file that answers no path: no
/// `route` or `page`, in a private folder, or a route handler in an intercepting folder.
#[must_use]
pub fn canonical_next(file: &str) -> Option<Vec<String>> {
    let file = file.strip_prefix("./").unwrap_or(file);
    let file = file.strip_prefix("src/").unwrap_or(file);
    let (root, rest) = file.split_once('/')?;
    let (folders, name) = rest.rsplit_once('/').unwrap_or(("", rest));
    let (stem, extension) = name.rsplit_once('.')?;
    if !EXTENSIONS.contains(&extension) {
        return None;
    }
    let folders = folders.split('/').filter(|folder| !folder.is_empty());
    match root {
        "app" => expand(&app_segments(folders, stem)?),
        "pages" => expand(&pages_segments(folders, stem)?),
        _ => None,
    }
}

fn app_segments<'f>(folders: impl Iterator<Item = &'f str>, stem: &str) -> Option<Vec<String>> {
    if stem != "route" && stem != "page" {
        return None;
    }
    let mut segments: Vec<String> = Vec::new();
    for folder in folders {
        if folder.starts_with('_') {
            return None;
        }
        if folder.starts_with('@') {
            continue;
        }
        if let Some((levels, shown)) = intercepted(folder) {
            if stem != "page" {
                return None;
            }
            let kept = segments.len().saturating_sub(levels);
            segments.truncate(kept);
            segments.push(shown.replace("%5F", "_"));
            continue;
        }
        if folder.starts_with('(') && folder.ends_with(')') {
            continue;
        }
        segments.push(folder.replace("%5F", "_"));
    }
    Some(segments)
}

/// `(.)x`, `(..)x`, `(..)(..)x`, `(...)x`: how many segments the shown path steps back, and the segment it shows.
fn intercepted(folder: &str) -> Option<(usize, &str)> {
    let (levels, shown) = if let Some(shown) = folder.strip_prefix("(...)") {
        (usize::MAX, shown)
    } else if let Some(shown) = folder.strip_prefix("(.)") {
        (0, shown)
    } else {
        let mut levels = 0;
        let mut shown = folder;
        while let Some(rest) = shown.strip_prefix("(..)") {
            levels += 1;
            shown = rest;
        }
        if levels == 0 {
            return None;
        }
        (levels, shown)
    };
    (!shown.is_empty()).then_some((levels, shown))
}

fn pages_segments<'f>(folders: impl Iterator<Item = &'f str>, stem: &str) -> Option<Vec<String>> {
    let mut segments: Vec<String> = folders.map(str::to_owned).collect();
    // A declaration file is types only; the framework's own files are not pages.
    if stem.ends_with(".d")
        || segments.is_empty() && matches!(stem, "_app" | "_document" | "_error" | "404" | "500")
    {
        return None;
    }
    if stem != "index" {
        segments.push(stem.to_owned());
    }
    Some(segments)
}

fn expand(segments: &[String]) -> Option<Vec<String>> {
    let mut path = String::new();
    let mut without_rest = None;
    for segment in segments {
        if let Some(name) = between(segment, "[[...", "]]") {
            without_rest = Some(if path.is_empty() {
                "/".to_owned()
            } else {
                path.clone()
            });
            path.push_str(&format!("/{{*{name}}}"));
        } else if let Some(name) = between(segment, "[...", "]") {
            path.push_str(&format!("/{{*{name}}}"));
        } else if let Some(name) = between(segment, "[", "]") {
            path.push_str(&format!("/{{{name}}}"));
        } else {
            path.push('/');
            path.push_str(segment);
        }
    }
    if path.is_empty() {
        path.push('/');
    }
    Some(std::iter::once(path).chain(without_rest).collect())
}

fn between<'s>(segment: &'s str, open: &str, close: &str) -> Option<&'s str> {
    let name = segment.strip_prefix(open)?.strip_suffix(close)?;
    (!name.is_empty() && !name.contains(['[', ']', '{', '}'])).then_some(name)
}
