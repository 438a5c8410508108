//! path-to-regexp 8 (8.4), the router of Express 5: a pattern into the JavaScript expression it stands for.

use super::Unparsable;

/// Most paths that the optional groups of one pattern may stand for: the bound of the original.
const ALTERNATIVES_MAX: usize = 256;
/// Deepest nesting of optional groups that is read.
const DEPTH_MAX: usize = 32;

/// The expression for a route (`whole`), or for a mount, which ends at the border of a segment.
pub(super) fn source(pattern: &str, whole: bool) -> Result<String, Unparsable> {
    // The router takes trailing slashes off before it compiles, so `/x/` and `/x` are one route.
    let pattern = if pattern == "/" {
        pattern
    } else {
        pattern.trim_end_matches('/')
    };
    let mut alternatives = Vec::new();
    for tokens in flatten(&parse(pattern)?)? {
        alternatives.push(write(&tokens)?);
    }
    let end = if whole { "$" } else { "(?=\\/|$)" };
    Ok(format!("^(?:{})(?:\\/$)?{end}", alternatives.join("|")))
}

/// A pattern, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    Text(String),
    Parameter(String),
    Wildcard(String),
    Group(Vec<Self>),
}

pub(super) fn parse(pattern: &str) -> Result<Vec<Token>, Unparsable> {
    parse_until(&mut pattern.chars().peekable(), None, 0)
}

type Rest<'p> = std::iter::Peekable<std::str::Chars<'p>>;

fn parse_until(
    rest: &mut Rest<'_>,
    end: Option<char>,
    depth: usize,
) -> Result<Vec<Token>, Unparsable> {
    if depth > DEPTH_MAX {
        return Err(Unparsable::new(format!(
            "groups nest deeper than {DEPTH_MAX}"
        )));
    }
    let mut tokens = Vec::new();
    let mut text = String::new();
    while let Some(c) = rest.next() {
        match c {
            _ if Some(c) == end => {
                flush(&mut text, &mut tokens);
                return Ok(tokens);
            }
            '\\' => text.push(
                rest.next()
                    .ok_or_else(|| Unparsable::new("`\\` at the end"))?,
            ),
            ':' | '*' => {
                let name = name(rest)?;
                flush(&mut text, &mut tokens);
                tokens.push(if c == ':' {
                    Token::Parameter(name)
                } else {
                    Token::Wildcard(name)
                });
            }
            '{' => {
                flush(&mut text, &mut tokens);
                tokens.push(Token::Group(parse_until(rest, Some('}'), depth + 1)?));
            }
            '}' | '(' | ')' | '[' | ']' | '+' | '?' | '!' => {
                return Err(Unparsable::new(format!("unexpected `{c}`")));
            }
            _ => text.push(c),
        }
    }
    if end.is_some() {
        return Err(Unparsable::new("a `{` that is not closed"));
    }
    flush(&mut text, &mut tokens);
    Ok(tokens)
}

fn flush(text: &mut String, tokens: &mut Vec<Token>) {
    if !text.is_empty() {
        tokens.push(Token::Text(std::mem::take(text)));
    }
}

fn name(rest: &mut Rest<'_>) -> Result<String, Unparsable> {
    let mut name = String::new();
    if rest.next_if_eq(&'"').is_some() {
        loop {
            match rest.next() {
                Some('"') => break,
                Some('\\') => name.extend(rest.next()),
                Some(c) => name.push(c),
                None => return Err(Unparsable::new("a quoted name without an end")),
            }
        }
    } else {
        while let Some(c) = rest.next_if(|&c| {
            c == '$'
                || c == '_'
                || c.is_ascii_alphabetic()
                || (c.is_ascii_digit() && !name.is_empty())
        }) {
            name.push(c);
        }
        if rest.peek().is_some_and(|c| !c.is_ascii()) {
            return Err(Unparsable::new(
                "the name of a parameter is not plain ASCII",
            ));
        }
    }
    if name.is_empty() {
        return Err(Unparsable::new("a parameter without a name"));
    }
    Ok(name)
}

/// Every way to take or leave the optional groups; taken first.
pub(super) fn flatten(tokens: &[Token]) -> Result<Vec<Vec<Token>>, Unparsable> {
    let mut paths: Vec<Vec<Token>> = vec![Vec::new()];
    for token in tokens {
        match token {
            Token::Group(inside) => {
                let inside = flatten(inside)?;
                if paths.len().saturating_mul(inside.len() + 1) > ALTERNATIVES_MAX {
                    return Err(Unparsable::new(format!(
                        "it stands for more than {ALTERNATIVES_MAX} paths"
                    )));
                }
                let mut longer = Vec::with_capacity(paths.len() * (inside.len() + 1));
                for path in &paths {
                    longer.extend(
                        inside
                            .iter()
                            .map(|inside| [path.as_slice(), inside.as_slice()].concat()),
                    );
                    longer.push(path.clone());
                }
                paths = longer;
            }
            other => {
                for path in &mut paths {
                    path.push(other.clone());
                }
            }
        }
    }
    Ok(paths)
}

/// What was captured last, on the way through a path.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Captured {
    Nothing,
    Parameter,
    Wildcard,
}

fn write(tokens: &[Token]) -> Result<String, Unparsable> {
    let mut regexp = String::new();
    // Text since the last capture, and since the last wildcard.
    let mut barrier = String::new();
    let mut since_wildcard = String::new();
    let mut last = Captured::Nothing;
    let (mut parameter_in_segment, mut wildcard_in_segment) = (false, false);
    let mut rest = tokens;
    while let Some((token, tail)) = rest.split_first() {
        rest = tail;
        let is_wildcard = match token {
            Token::Text(text) => {
                regexp.push_str(&escape(text));
                barrier.push_str(text);
                if last == Captured::Wildcard {
                    since_wildcard.push_str(text);
                }
                if text.contains('/') {
                    (parameter_in_segment, wildcard_in_segment) = (false, false);
                }
                continue;
            }
            Token::Parameter(_) => false,
            Token::Wildcard(_) => true,
            Token::Group(_) => continue,
        };
        if last != Captured::Nothing && barrier.is_empty() {
            return Err(Unparsable::new("two parameters with no text between them"));
        }
        if is_wildcard {
            regexp.push_str(&if wildcard_in_segment {
                format!("({}+)", other_than(&barrier, ""))
            } else if since_wildcard.is_empty() {
                "([^]+)".to_owned()
            } else {
                format!(
                    "({}+|{}+)",
                    other_than(&since_wildcard, ""),
                    other_than("/", "")
                )
            });
            since_wildcard.clear();
            wildcard_in_segment = true;
            last = Captured::Wildcard;
        } else {
            regexp.push_str(&if wildcard_in_segment {
                format!("({}+)", other_than("/", &barrier))
            } else if wildcard_follows(rest) {
                format!("({}+)", other_than("/", &leading_text(rest)))
            } else if parameter_in_segment {
                format!("({}+|{})", other_than("/", &barrier), escape(&barrier))
            } else {
                format!("({}+)", other_than("/", ""))
            });
            parameter_in_segment = true;
            last = Captured::Parameter;
        }
        barrier.clear();
    }
    Ok(regexp)
}

/// Whether a wildcard stands later in the same segment.
fn wildcard_follows(rest: &[Token]) -> bool {
    for token in rest {
        match token {
            Token::Wildcard(_) => return true,
            Token::Text(text) if text.contains('/') => return false,
            _ => {}
        }
    }
    false
}

fn leading_text(rest: &[Token]) -> String {
    let texts = rest.iter().map_while(|token| match token {
        Token::Text(text) => Some(text.as_str()),
        _ => None,
    });
    texts.collect()
}

/// One character with which neither text begins.
fn other_than(first: &str, second: &str) -> String {
    let (long, short) = if second.encode_utf16().count() > first.encode_utf16().count() {
        (second, first)
    } else {
        (first, second)
    };
    let short = if long == short { "" } else { short };
    let is_long = |text: &str| text.encode_utf16().count() > 1;
    if is_long(short) {
        format!("(?:(?!{}|{})[^])", escape(long), escape(short))
    } else if is_long(long) {
        format!("(?:(?!{})[^{}])", escape(long), escape(short))
    } else {
        format!("[^{}{}]", escape(long), escape(short))
    }
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if ".+*?^${}()[]|/\\".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}
