//! Keys and values of a file that is indented like YAML: as much of YAML as package managers write themselves.

/// Deepest nesting; deeper lines are left out.
const DEPTH_MAX: usize = 16;

/// A line: the keys above it and its own, then its value. An item of a list has the key `-`.
pub(super) type Line<'a> = (Vec<&'a str>, &'a str);

/// The lines of a text in order.
pub(super) fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    let mut above: Vec<(usize, &str)> = Vec::new();
    text.lines().filter_map(move |line| {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            return None;
        }
        let indent = line.len() - line.trim_start().len();
        // An item of a list may stand below its key without being indented.
        let is_item = trimmed.starts_with("- ");
        let is_above = |at: usize, key: &str| at < indent || is_item && at == indent && key != "-";
        above.truncate(
            above
                .iter()
                .take_while(|(at, key)| is_above(*at, key))
                .count(),
        );
        let (key, value) = match trimmed.strip_prefix("- ") {
            Some(item) => ("-", item),
            None => split(trimmed)?,
        };
        if above.len() >= DEPTH_MAX {
            return None;
        }
        above.push((indent, key));
        Some((above.iter().map(|(_, key)| *key).collect(), plain(value)))
    })
}

fn split(line: &str) -> Option<(&str, &str)> {
    let quote = line
        .chars()
        .next()
        .filter(|first| matches!(first, '\'' | '"'));
    match quote {
        Some(quote) => {
            let (key, rest) = line.get(1..)?.split_once(quote)?;
            Some((key, rest.trim_start().strip_prefix(':')?))
        }
        None => line
            .split_once(": ")
            .or_else(|| Some((line.strip_suffix(':')?, ""))),
    }
}

fn plain(value: &str) -> &str {
    let value = value.split(" #").next().unwrap_or(value).trim();
    ['\'', '"']
        .iter()
        .find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote))
        .unwrap_or(value)
}

#[cfg(test)]
mod tests {
    #[test]
    fn keys_stand_below_keys() {
        let text = "packages:\n  - \"apps/*\"\n- docs # ours\n\nimporters:\n  .:\n    dependencies:\n      '@a/b':\n        version: 1.2.3(x@1)\n";
        let lines: Vec<_> = super::lines(text).collect();
        assert!(lines.contains(&(vec!["packages", "-"], "apps/*")));
        assert!(lines.contains(&(vec!["packages", "-"], "docs")));
        assert_eq!(
            lines.last(),
            Some(&(
                vec!["importers", ".", "dependencies", "@a/b", "version"],
                "1.2.3(x@1)"
            ))
        );
    }
}
