//! `RoutePath`: the path under which something is registered, as far as the source tells it.

use portcullis_code::{
    body::Const,
    value::{Entry, Value, ValueId, Values},
};
use ustr::Ustr;

use crate::matcher::{Dialect, canonical_express};

/// What stands for a segment that is not constant: a parameter of this name.
const UNKNOWN_SEGMENT: &str = ":unknown";
/// Marks a part that is not constant while a path is put together.
const HOLE: char = '\u{0}';
/// Most paths that one argument is read as.
const PATHS_MAX: usize = 16;
/// Deepest nesting of lists of paths, and of what a path may be.
const NESTING_MAX: u32 = 8;

/// One path, mounts and all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct RoutePath {
    /// In the words of Express.
    pub(super) text: String,
    /// A regular expression that is tried on what comes behind the text: source and flags.
    pub(super) regexp: Option<(Ustr, Ustr)>,
    /// Whether a part of it is not constant.
    pub(super) has_hole: bool,
}

/// The paths that one argument names.
#[derive(Clone, Debug, Default)]
pub(super) struct Paths {
    /// Each of them.
    pub(super) paths: Vec<RoutePath>,
    /// What could not be known about them.
    pub(super) unknown: Option<String>,
}

impl Paths {
    /// The path of a registration that names none.
    pub(super) fn root() -> Self {
        Self {
            paths: vec![RoutePath::default()],
            unknown: None,
        }
    }

    /// Reads an argument.
    pub(super) fn read(values: &Values, value: ValueId) -> Self {
        let mut paths = Self::default();
        paths.add(values, value, 0);
        paths.paths.truncate(PATHS_MAX);
        if paths.paths.is_empty() {
            paths.push(HOLE.to_string());
        }
        paths
    }

    fn add(&mut self, values: &Values, value: ValueId, depth: u32) {
        if depth > NESTING_MAX {
            self.push(HOLE.to_string());
            return;
        }
        match values.value(value) {
            Value::Const(Const::Regex(source, flags)) => {
                self.unknown = Some(format!(
                    "the path is the regular expression `/{source}/{flags}`"
                ));
                self.paths.push(RoutePath {
                    regexp: Some((*source, *flags)),
                    ..RoutePath::default()
                });
            }
            Value::Array(object) => {
                for entry in &values.object(*object).entries {
                    match *entry {
                        Entry::Item(item) | Entry::Spread(item) | Entry::Each(item) => {
                            self.add(values, item, depth + 1);
                        }
                        Entry::Named(..) | Entry::Computed(..) => {}
                    }
                }
            }
            _ => {
                for text in texts(values, value, NESTING_MAX) {
                    self.push(text);
                }
            }
        }
        // A setting with a constant default: the default is what a reader expects, the rest is not known.
        if self.paths.len() > 1 && self.paths.iter().any(|path| !path.has_hole) {
            let holes = self.paths.iter().any(|path| path.has_hole);
            self.paths.retain(|path| !path.has_hole);
            if holes {
                self.unknown = Some("a part of the path may also come from elsewhere".to_owned());
            }
        }
    }

    fn push(&mut self, text: String) {
        let has_hole = text.contains(HOLE);
        let text = if has_hole {
            self.unknown = Some("a part of the path is not constant".to_owned());
            let segment = |segment: &str| {
                if segment.contains(HOLE) {
                    UNKNOWN_SEGMENT.to_owned()
                } else {
                    segment.to_owned()
                }
            };
            text.split('/').map(segment).collect::<Vec<_>>().join("/")
        } else {
            text
        };
        self.paths.push(RoutePath {
            text,
            regexp: None,
            has_hole,
        });
    }
}

/// The texts that a value may be, a hole for each part that is not constant.
fn texts(values: &Values, value: ValueId, depth: u32) -> Vec<String> {
    let Some(depth) = depth.checked_sub(1) else {
        return vec![HOLE.to_string()];
    };
    match values.value(value) {
        Value::Const(Const::Str(text)) => vec![text.to_string()],
        Value::Const(Const::Num(bits)) => vec![f64::from_bits(*bits).to_string()],
        Value::Template(parts) => {
            let mut found = vec![String::new()];
            for &part in parts.iter() {
                let alternatives = texts(values, part, depth);
                if found.len() * alternatives.len() > PATHS_MAX {
                    return vec![HOLE.to_string()];
                }
                found = found
                    .iter()
                    .flat_map(|before| {
                        alternatives
                            .iter()
                            .map(move |part| format!("{before}{part}"))
                    })
                    .collect();
            }
            found
        }
        Value::Choice(alternatives) => {
            let mut found: Vec<String> = Vec::new();
            for alternative in alternatives.iter() {
                for text in texts(values, alternative.value, depth) {
                    if !found.contains(&text) {
                        found.push(text);
                    }
                }
            }
            found.truncate(PATHS_MAX);
            found
        }
        _ => vec![HOLE.to_string()],
    }
}

/// Whether the first argument of `use` is a path: Express takes everything that is no function for one.
pub(super) fn is_path(values: &Values, value: ValueId) -> bool {
    is_path_within(values, value, NESTING_MAX)
}

fn is_path_within(values: &Values, value: ValueId, depth: u32) -> bool {
    let Some(depth) = depth.checked_sub(1) else {
        return false;
    };
    match values.value(value) {
        Value::Const(Const::Str(_) | Const::Regex(..)) | Value::Template(_) => true,
        Value::Array(object) => values.object(*object).entries.first().is_some_and(|entry| {
            matches!(*entry, Entry::Item(item) | Entry::Spread(item) if is_path_within(values, item, depth))
        }),
        Value::Choice(alternatives) => alternatives
            .iter()
            .any(|alternative| is_path_within(values, alternative.value, depth)),
        Value::Member(base, name) => {
            is_environment(values, *base) || names_a_path(name) && !is_call(values, *base)
        }
        // `config.get("api.prefix")`
        Value::Call(call) => {
            let call = values.call(*call);
            call.args
                .first()
                .and_then(|arg| values.as_text(arg.0))
                .is_some_and(|text| names_a_path(&text))
        }
        _ => false,
    }
}

fn is_environment(values: &Values, value: ValueId) -> bool {
    matches!(values.value(value), Value::Member(base, name)
        if name == "env" && matches!(values.value(*base), Value::Global(global) if global == "process"))
}

fn is_call(values: &Values, value: ValueId) -> bool {
    matches!(values.value(value), Value::Call(_))
}

fn names_a_path(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["prefix", "path", "base_url", "baseurl", "endpoint"]
        .iter()
        .any(|ending| name.ends_with(ending))
}

impl RoutePath {
    /// This path below another.
    pub(super) fn below(&self, base: &Self) -> Self {
        Self {
            text: join(&base.text, &self.text),
            regexp: self.regexp,
            has_hole: base.has_hole || self.has_hole || base.regexp.is_some(),
        }
    }

    /// Its canonical templates, each way of taking its optional parts one.
    pub(super) fn canonical(&self, dialect: Dialect) -> Vec<String> {
        let mut templates = canonical_express(&self.text, dialect);
        if templates.is_empty() {
            // A path of the other major version: Express would refuse it, or read it in another way.
            let other = match dialect {
                Dialect::Express4 => Dialect::Express5,
                _ => Dialect::Express4,
            };
            templates = canonical_express(&self.text, other);
        }
        if templates.is_empty() {
            templates = vec!["/{unknown}".to_owned()];
        }
        // `/files{/*path}`: the catch-all that may be left out says it all.
        let catch_alls: Vec<String> = templates
            .iter()
            .filter_map(|template| Some(template.rsplit_once("/{*")?.0.to_owned()))
            .collect();
        templates.retain(|template| {
            !catch_alls
                .iter()
                .any(|start| start == template.trim_end_matches('/'))
        });
        if self.regexp.is_some() {
            for template in &mut templates {
                *template = format!("{}/{{unknown}}", template.trim_end_matches('/'));
            }
        }
        templates
    }

    /// Whether one of its parts matches any number of segments.
    pub(super) fn has_wildcard(&self) -> bool {
        self.text.contains('*')
    }
}

fn join(base: &str, path: &str) -> String {
    let base = base.trim_end_matches('/');
    if path.is_empty() || path.starts_with('/') || path.starts_with("{/") || path.starts_with("(/")
    {
        format!("{base}{path}")
    } else {
        format!("{base}/{path}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_joined_by_one_slash() {
        for (base, path, joined) in [
            ("", "", ""),
            ("/", "/a", "/a"),
            ("/api/", "/a", "/api/a"),
            ("/api", "a", "/api/a"),
            ("/api", "*", "/api/*"),
            ("/api", "{/:id}", "/api{/:id}"),
            ("/api", "", "/api"),
        ] {
            assert_eq!(join(base, path), joined, "{base} and {path}");
        }
    }
}
