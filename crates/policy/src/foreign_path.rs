//! Paths as frameworks write them, turned into templates for the "did you mean" of a message.

/// The same path with `:id`, `<int:id>`, `[id]`, `$id`, `{id:int}`, `*` and their like written as parameters.
/// `None` where nothing changes.
pub(crate) fn translated(path: &str) -> Option<String> {
    let mut written = String::with_capacity(path.len() + 1);
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    for part in &parts {
        written.push('/');
        written.push_str(&segment(part));
    }
    if path.ends_with('/') || parts.is_empty() {
        written.push('/');
    }
    (written != path).then_some(written)
}

/// One segment. What is not known to be a parameter stays as it is.
fn segment(part: &str) -> String {
    if part == "*" || part == "**" {
        return "{*rest}".to_owned();
    }
    if let Some(inner) = enclosed(part, "[[...", "]]").or_else(|| enclosed(part, "[...", "]")) {
        return format!("{{*{inner}}}");
    }
    if let Some(name) = part
        .strip_prefix('*')
        .or_else(|| enclosed(part, "{", "...}"))
        .or_else(|| enclosed(part, "{", ":path}"))
        .or_else(|| enclosed(part, "<path:", ">"))
    {
        return format!("{{*{name}}}");
    }
    if let Some(inner) = enclosed(part, "<", ">") {
        // Django and Flask: a converter before the name.
        return format!("{{{}}}", inner.rsplit(':').next().unwrap_or(inner));
    }
    if let Some(inner) = enclosed(part, "[", "]") {
        return format!("{{{inner}}}");
    }
    if let Some(inner) = enclosed(part, "{", "}") {
        // FastAPI, chi: a type or an expression after the name.
        let name = inner.split(':').next().unwrap_or(inner);
        return format!("{{{}}}", name.trim_end_matches('?'));
    }
    if let Some(inner) = part.strip_prefix(':').or_else(|| part.strip_prefix('$')) {
        // Express: an expression or a mark of optionality after the name.
        let name = inner.split('(').next().unwrap_or(inner);
        return format!("{{{}}}", name.trim_end_matches(['?', '*', '+']));
    }
    part.to_owned()
}

fn enclosed<'p>(part: &'p str, open: &str, close: &str) -> Option<&'p str> {
    part.strip_prefix(open)?.strip_suffix(close)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_frameworks_ways_of_writing_a_parameter() {
        for (written, meant) in [
            ("/users/:id", "/users/{id}"),
            ("/users/:id?", "/users/{id}"),
            ("/users/:id(\\d+)", "/users/{id}"),
            ("/users/<int:pk>/", "/users/{pk}/"),
            ("/users/[id]", "/users/{id}"),
            ("/docs/[...slug]", "/docs/{*slug}"),
            ("/docs/[[...slug]]", "/docs/{*slug}"),
            ("/docs/*", "/docs/{*rest}"),
            ("/docs/*splat", "/docs/{*splat}"),
            ("/docs/{rest...}", "/docs/{*rest}"),
            ("/docs/{rest:path}", "/docs/{*rest}"),
            ("/items/{id:int}", "/items/{id}"),
            ("/users/$id", "/users/{id}"),
            ("api//items", "/api/items"),
        ] {
            assert_eq!(translated(written).as_deref(), Some(meant), "{written}");
        }
        assert_eq!(translated("/users/{id}"), None);
    }
}
