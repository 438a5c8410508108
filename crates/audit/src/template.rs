//! The path of a route as discovery writes it, as a template of the policy.

use portcullis_policy::{Malformed, PathTemplate};

/// The template of a route's path.
///
/// Names of parameters that a policy cannot have (`{*}`, `{user.id}`, one name twice) are exchanged: what they are called
/// decides nothing. What else a template cannot say is not widened.
///
/// # Errors
/// What of the path no template says.
pub fn template_of(path: &str) -> Result<PathTemplate, Malformed> {
    let fault = match PathTemplate::parse(path) {
        Ok(template) => return Ok(template),
        Err(fault) => fault,
    };
    let mut names: Vec<String> = Vec::new();
    let renamed: Vec<String> = path
        .split('/')
        .map(|segment| renamed(segment, &mut names))
        .collect();
    PathTemplate::parse(&renamed.join("/")).map_err(|_second| fault)
}

/// Whether a part of a path is not constant in the code, so that discovery wrote a word in its place.
#[must_use]
pub fn is_partly_unknown(path: &str) -> bool {
    path.contains("{unknown}")
}

/// A segment with names that a template can have, and its fixed text in the spelling of templates.
fn renamed(segment: &str, names: &mut Vec<String>) -> String {
    let Some((prefix, rest)) = segment.split_once('{') else {
        return spelled(segment, true);
    };
    let Some((name, suffix)) = rest.split_once('}') else {
        return segment.to_owned();
    };
    let (star, name) = match name.strip_prefix('*') {
        Some(name) => ("*", name),
        None => ("", name),
    };
    let mut plain: String = name
        .chars()
        .map(|one| {
            if one.is_ascii_alphanumeric() || one == '-' {
                one
            } else {
                '_'
            }
        })
        .take(64)
        .collect();
    if plain.is_empty() {
        "rest".clone_into(&mut plain);
    }
    if !plain.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_') {
        plain.insert(0, '_');
    }
    let base = plain.clone();
    let mut count = 2_usize;
    while names.contains(&plain) {
        plain = format!("{base}{count}");
        count += 1;
    }
    names.push(plain.clone());
    let (prefix, suffix) = (spelled(prefix, true), spelled(suffix, false));
    format!("{prefix}{{{star}{plain}}}{suffix}")
}

/// Fixed text as templates spell it. Escapes stay, and what has no spelling is left for the parser to refuse.
pub(crate) fn spelled(text: &str, begins_segment: bool) -> String {
    let mut spelled = String::with_capacity(text.len());
    for (offset, byte) in text.bytes().enumerate() {
        let raw = byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b'-' | b'.' | b'_' | b'~' | b'!' | b'&' | b'\'' | b',' | b'=' | b'@' | b'%'
            )
            || matches!(byte, b'{' | b'}')
            || (byte == b':' && !(begins_segment && offset == 0));
        if raw {
            spelled.push(char::from(byte));
        } else {
            spelled.push_str(&format!("%{byte:02X}"));
        }
    }
    spelled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_exchanged_and_nothing_is_widened() {
        for (path, template) in [
            ("/api/items/{id}", Some("/api/items/{id}")),
            ("/{*}", Some("/{*rest}")),
            ("/a/{user.id}/{user.id}", Some("/a/{user_id}/{user_id2}")),
            ("/a/{id}/b/{id}", Some("/a/{id}/b/{id2}")),
            ("/a/{0}", Some("/a/{_0}")),
            ("/a b/{id}.json", Some("/a%20b/{id}.json")),
            ("/caf\u{e9}", Some("/caf%C3%A9")),
            ("/Users(1)", Some("/Users%281%29")),
            ("/flights/{from}-{to}", None),
            ("/a/{*rest}/b", None),
            ("/a//b", None),
            ("/a/../b", None),
            ("/a;b", None),
            ("/.portcullis/live", None),
            ("action:app/a.ts#save", None),
        ] {
            let made = template_of(path).ok().map(|it| it.to_string());
            assert_eq!(made.as_deref(), template, "{path}");
        }
    }
}
