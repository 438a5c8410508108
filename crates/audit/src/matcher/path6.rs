//! path-to-regexp 6 (6.3): a path pattern into the JavaScript expression it stands for, with the default options that
//! Next, Clerk and Convex Auth leave in place.

use super::Unparsable;

/// The characters that end a segment, as they stand inside a class.
const DELIMITERS: &str = r"\/#\?";

/// The expression for a pattern of Clerk's or Convex Auth's `createRouteMatcher`.
pub(super) fn source(pattern: &str) -> Result<String, Unparsable> {
    write(&parse(pattern)?)
}

/// The expression for a `config.matcher` of Next: what repeats without anything around it gets a slash in front,
/// instead of being refused.
pub(super) fn next_source(pattern: &str) -> Result<String, Unparsable> {
    let mut parts = parse(pattern)?;
    for part in &mut parts {
        if let Part::Parameter(parameter) = part
            && parameter.repeats_bare()
        {
            parameter.prefix = "/".to_owned();
        }
    }
    write(&parts)
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Char(char),
    Escaped(char),
    Open,
    Close,
    Name,
    Pattern(String),
    Modifier(char),
}

impl Token {
    fn text(&self) -> Option<char> {
        match self {
            Self::Char(c) | Self::Escaped(c) => Some(*c),
            _ => None,
        }
    }
}

fn tokens(pattern: &str) -> Result<Vec<Token>, Unparsable> {
    let mut found = Vec::new();
    let mut rest = pattern.chars().peekable();
    while let Some(c) = rest.next() {
        found.push(match c {
            '*' | '+' | '?' => Token::Modifier(c),
            '{' => Token::Open,
            '}' => Token::Close,
            '\\' => Token::Escaped(
                rest.next()
                    .ok_or_else(|| Unparsable::new("`\\` at the end"))?,
            ),
            ':' => {
                let mut length = 0;
                while rest
                    .next_if(|&c| c.is_ascii_alphanumeric() || c == '_')
                    .is_some()
                {
                    length += 1;
                }
                if length == 0 {
                    return Err(Unparsable::new("a `:` without a name"));
                }
                Token::Name
            }
            '(' => Token::Pattern(group(&mut rest)?),
            _ => Token::Char(c),
        });
    }
    Ok(found)
}

/// What stands between a parenthesis and the one that closes it. Classes are not looked into, as in the original.
fn group(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<String, Unparsable> {
    if rest.peek() == Some(&'?') {
        return Err(Unparsable::new("a group begins with `?`"));
    }
    let mut text = String::new();
    let mut open = 1;
    while let Some(c) = rest.next() {
        match c {
            '\\' => {
                text.push(c);
                text.push(
                    rest.next()
                        .ok_or_else(|| Unparsable::new("`\\` at the end"))?,
                );
                continue;
            }
            ')' => {
                open -= 1;
                if open == 0 {
                    break;
                }
            }
            '(' => {
                open += 1;
                if rest.peek() != Some(&'?') {
                    return Err(Unparsable::new("a capturing group inside a group"));
                }
            }
            _ => {}
        }
        text.push(c);
    }
    match open {
        0 if text.is_empty() => Err(Unparsable::new("an empty group")),
        0 => Ok(text),
        _ => Err(Unparsable::new("unbalanced group")),
    }
}

#[derive(Debug, Clone)]
enum Part {
    Text(String),
    Parameter(Parameter),
}

#[derive(Debug, Clone)]
struct Parameter {
    prefix: String,
    suffix: String,
    /// Empty for a `{group}` of text only.
    pattern: String,
    modifier: Option<char>,
}

impl Parameter {
    fn repeats(&self) -> bool {
        matches!(self.modifier, Some('*' | '+'))
    }

    fn repeats_bare(&self) -> bool {
        self.repeats()
            && !self.pattern.is_empty()
            && self.prefix.is_empty()
            && self.suffix.is_empty()
    }
}

fn parse(pattern: &str) -> Result<Vec<Part>, Unparsable> {
    let mut rest = tokens(pattern)?.into_iter().peekable();
    let mut parts = Vec::new();
    let mut text = String::new();
    while let Some(token) = rest.next() {
        // A parameter takes the one character before it along, when that opens a segment or an extension.
        let (before, token) = match token {
            Token::Char(c) => {
                match rest.next_if(|next| matches!(next, Token::Name | Token::Pattern(_))) {
                    Some(next) => (Some(c), next),
                    None => (None, Token::Char(c)),
                }
            }
            other => (None, other),
        };
        match token {
            Token::Char(c) | Token::Escaped(c) => text.push(c),
            Token::Name | Token::Pattern(_) => {
                let prefix = match before {
                    Some(c @ ('/' | '.')) => c.to_string(),
                    Some(c) => {
                        text.push(c);
                        String::new()
                    }
                    None => String::new(),
                };
                flush(&mut text, &mut parts);
                let pattern = match token {
                    Token::Pattern(pattern) => Some(pattern),
                    _ => take_pattern(&mut rest),
                };
                let pattern = pattern.map_or_else(|| safe_pattern(&prefix, parts.last()), Ok)?;
                let modifier = take_modifier(&mut rest);
                parts.push(Part::Parameter(Parameter {
                    prefix,
                    suffix: String::new(),
                    pattern,
                    modifier,
                }));
            }
            Token::Open => {
                flush(&mut text, &mut parts);
                let prefix = take_text(&mut rest);
                let named = rest.next_if_eq(&Token::Name).is_some();
                let pattern = match take_pattern(&mut rest) {
                    Some(pattern) => pattern,
                    None if named => safe_pattern(&prefix, parts.last())?,
                    None => String::new(),
                };
                let suffix = take_text(&mut rest);
                if rest.next() != Some(Token::Close) {
                    return Err(Unparsable::new(
                        "a `{` that is not closed where it should be",
                    ));
                }
                let modifier = take_modifier(&mut rest);
                parts.push(Part::Parameter(Parameter {
                    prefix,
                    suffix,
                    pattern,
                    modifier,
                }));
            }
            Token::Close => return Err(Unparsable::new("unexpected `}`")),
            Token::Modifier(c) => return Err(Unparsable::new(format!("unexpected `{c}`"))),
        }
    }
    flush(&mut text, &mut parts);
    Ok(parts)
}

type Rest = std::iter::Peekable<std::vec::IntoIter<Token>>;

fn flush(text: &mut String, parts: &mut Vec<Part>) {
    if !text.is_empty() {
        parts.push(Part::Text(std::mem::take(text)));
    }
}

fn take_text(rest: &mut Rest) -> String {
    let mut text = String::new();
    while let Some(c) = rest
        .next_if(|token| token.text().is_some())
        .and_then(|token| token.text())
    {
        text.push(c);
    }
    text
}

fn take_pattern(rest: &mut Rest) -> Option<String> {
    match rest.next_if(|token| matches!(token, Token::Pattern(_))) {
        Some(Token::Pattern(pattern)) => Some(pattern),
        _ => None,
    }
}

fn take_modifier(rest: &mut Rest) -> Option<char> {
    match rest.next_if(|token| matches!(token, Token::Modifier(_))) {
        Some(Token::Modifier(c)) => Some(c),
        _ => None,
    }
}

/// The expression of a parameter that names none: up to the end of the segment, and not over the text before it, so
/// that two parameters in one segment cannot fight over the same characters.
fn safe_pattern(prefix: &str, before: Option<&Part>) -> Result<String, Unparsable> {
    let text = match before {
        _ if !prefix.is_empty() => prefix,
        Some(Part::Text(text)) => text,
        Some(Part::Parameter(_)) => {
            return Err(Unparsable::new("two parameters with no text between them"));
        }
        None => "",
    };
    if text.is_empty() || text.contains(['/', '#', '?']) {
        return Ok(format!("[^{DELIMITERS}]+?"));
    }
    Ok(format!("(?:(?!{})[^{DELIMITERS}])+?", escape(text)))
}

fn write(parts: &[Part]) -> Result<String, Unparsable> {
    let mut regexp = "^".to_owned();
    for part in parts {
        match part {
            Part::Text(text) => regexp.push_str(&escape(text)),
            Part::Parameter(parameter) => regexp.push_str(&write_parameter(parameter)?),
        }
    }
    Ok(format!("{regexp}[{DELIMITERS}]?$"))
}

fn write_parameter(parameter: &Parameter) -> Result<String, Unparsable> {
    if parameter.repeats_bare() {
        return Err(Unparsable::new(
            "a parameter repeats with nothing before or after it",
        ));
    }
    let (prefix, suffix) = (escape(&parameter.prefix), escape(&parameter.suffix));
    let pattern = &parameter.pattern;
    let modifier = parameter.modifier.map(String::from).unwrap_or_default();
    Ok(if pattern.is_empty() {
        format!("(?:{prefix}{suffix}){modifier}")
    } else if parameter.repeats() {
        let optional = if parameter.modifier == Some('*') {
            "?"
        } else {
            ""
        };
        format!("(?:{prefix}((?:{pattern})(?:{suffix}{prefix}(?:{pattern}))*){suffix}){optional}")
    } else if prefix.is_empty() && suffix.is_empty() {
        format!("({pattern}){modifier}")
    } else {
        format!("(?:{prefix}({pattern}){suffix}){modifier}")
    })
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if ".+*?=^!:${}()[]|/\\".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}
