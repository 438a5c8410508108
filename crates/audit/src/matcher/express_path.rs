//! The canonical templates of a path as it is written in an Express application.

use super::express5::{self, Token};
use super::{Dialect, PATTERN_BYTES_MAX};

/// Most templates that the optional parts of one path may expand to.
const TEMPLATES_MAX: usize = 64;

/// The templates of an Express path, each optional part taken and left (taken first): `/a/:id?` is `/a/{id}` and `/a`.
/// A parameter is `{name}`, one that runs over segments `{*name}`, one without a name `{0}` or `{*}`. Empty when the
/// path is none of Express, or is a regular expression that no template can stand for.
#[must_use]
pub fn canonical_express(path: &str, dialect: Dialect) -> Vec<String> {
    if path.len() > PATTERN_BYTES_MAX {
        return Vec::new();
    }
    let templates = match dialect {
        Dialect::Express4 => version4(path),
        Dialect::Express5 => version5(path),
        Dialect::NextConfig | Dialect::Clerk | Dialect::ConvexAuth => None,
    };
    let mut distinct = Vec::new();
    for template in templates.unwrap_or_default() {
        let template = tidy(&template);
        if !distinct.contains(&template) {
            distinct.push(template);
        }
    }
    distinct
}

/// One slash where an optional part left two, none at the end: the router is not strict.
fn tidy(template: &str) -> String {
    let mut tidy = String::with_capacity(template.len() + 1);
    tidy.push('/');
    for c in template.chars() {
        if c != '/' || !tidy.ends_with('/') {
            tidy.push(c);
        }
    }
    let length = tidy.trim_end_matches('/').len().max(1);
    tidy.truncate(length);
    tidy
}

fn version5(path: &str) -> Option<Vec<String>> {
    let paths = express5::flatten(&express5::parse(path).ok()?).ok()?;
    let write = |tokens: &Vec<Token>| {
        let mut template = String::new();
        for token in tokens {
            match token {
                Token::Text(text) => template.push_str(text),
                Token::Parameter(name) => template.push_str(&format!("{{{name}}}")),
                Token::Wildcard(name) => template.push_str(&format!("{{*{name}}}")),
                Token::Group(_) => {}
            }
        }
        template
    };
    (paths.len() <= TEMPLATES_MAX).then(|| paths.iter().map(write).collect())
}

/// A piece of an Express 4 path with the question mark that may follow it.
struct Piece {
    text: String,
    optional: bool,
}

fn version4(path: &str) -> Option<Vec<String>> {
    let mut templates = vec![String::new()];
    let mut rest = path;
    let mut unnamed = 0;
    while !rest.is_empty() {
        let (piece, after) = piece4(rest, &mut unnamed)?;
        rest = after;
        if !piece.optional {
            for template in &mut templates {
                template.push_str(&piece.text);
            }
            continue;
        }
        if templates.len() * 2 > TEMPLATES_MAX {
            return None;
        }
        templates = templates
            .into_iter()
            .flat_map(|template| [format!("{template}{}", piece.text), template])
            .collect();
    }
    Some(templates)
}

/// Reads one piece; `None` for what only a regular expression can say.
fn piece4<'p>(text: &'p str, unnamed: &mut usize) -> Option<(Piece, &'p str)> {
    if let Some((before, named)) = parameter_start(text) {
        let rest = named.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_');
        let name = named.get(..named.len() - rest.len())?;
        let (expression, rest) = balanced(rest)?;
        let many = expression
            .is_some_and(|expression| expression.contains(".*") || expression.contains(".+"));
        let (many, rest) = match rest.strip_prefix(['*', '+']) {
            Some(rest) => (true, rest),
            None => (many, rest),
        };
        let (optional, rest) = question_mark(rest);
        let star = if many { "*" } else { "" };
        return Some((
            Piece {
                text: format!("{before}{{{star}{name}}}"),
                optional,
            },
            rest,
        ));
    }
    let c = text.chars().next()?;
    let rest = text.get(c.len_utf8()..)?;
    match c {
        '*' => Some((
            Piece {
                text: "{*}".to_owned(),
                optional: false,
            },
            rest,
        )),
        '(' => {
            let (expression, rest) = balanced(text)?;
            let expression = expression?;
            let (optional, rest) = question_mark(rest);
            if expression.starts_with('?') || rest.starts_with(['*', '+']) {
                return None;
            }
            let text = if expression.contains(".*") || expression.contains(".+") {
                "{*}".to_owned()
            } else {
                let text = format!("{{{unnamed}}}");
                *unnamed += 1;
                text
            };
            Some((Piece { text, optional }, rest))
        }
        '\\' => {
            let escaped = rest.chars().next()?;
            // A letter behind a backslash is a class of characters.
            if escaped.is_ascii_alphanumeric() {
                return None;
            }
            let (optional, rest) = question_mark(rest.get(escaped.len_utf8()..)?);
            Some((
                Piece {
                    text: escaped.to_string(),
                    optional,
                },
                rest,
            ))
        }
        '?' | '+' | '[' | ']' | '{' | '}' | ')' | '|' | '^' | '$' => None,
        _ => {
            let (optional, rest) = question_mark(rest);
            (!rest.starts_with('+')).then(|| {
                (
                    Piece {
                        text: c.to_string(),
                        optional,
                    },
                    rest,
                )
            })
        }
    }
}

/// The slash or dot that belongs to a parameter, and what stands behind its colon.
fn parameter_start(text: &str) -> Option<(&str, &str)> {
    ["/.:", "/:", ".:", ":"].into_iter().find_map(|start| {
        let named = text.strip_prefix(start)?;
        let before = start.trim_end_matches(':');
        named
            .starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
            .then_some((before, named))
    })
}

/// What stands in the parentheses with which the text may begin; `None` when they are not closed.
fn balanced(text: &str) -> Option<(Option<&str>, &str)> {
    let Some(inside) = text.strip_prefix('(') else {
        return Some((None, text));
    };
    let mut open = 1;
    let mut escaped = false;
    for (at, c) in inside.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '(' => open += 1,
            ')' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Some((inside.get(..at), inside.get(at + 1..)?));
        }
    }
    None
}

fn question_mark(rest: &str) -> (bool, &str) {
    match rest.strip_prefix('?') {
        Some(rest) => (true, rest),
        None => (false, rest),
    }
}
