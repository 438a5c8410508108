//! path-to-regexp 0.1 (0.1.13), the router of Express 4: a pattern into the JavaScript expression it stands for.
//!
//! This dialect rewrites a few marks (`:name`, `*`, `.`, `/(`) and hands everything else to the expression as it
//! stands, so a pattern may hold any regular expression; whether it is a sound one shows only when it is compiled.

use super::Unparsable;

/// The expression for a route (`whole`), or for a mount, which ends at the border of a segment.
pub(super) fn source(pattern: &str, whole: bool) -> Result<String, Unparsable> {
    if !pattern.is_ascii() {
        return Err(Unparsable::new(
            "a character outside ASCII is not modelled in Express 4 patterns",
        ));
    }
    let mut rewriter = Rewriter::default();
    let mut regexp = rewriter.rewrite(pattern);
    regexp.push_str(if regexp.ends_with('/') { "?" } else { "/?" });
    regexp.push_str(if whole { "$" } else { "(?=/|$)" });
    Ok(format!("^{regexp}"))
}

#[derive(Default)]
struct Rewriter {
    /// What a parameter may not run over: the text since the segment began, as the original gathers it.
    barrier: String,
    /// Up to where the original believes to have gathered; after an escape or a dot it counts from where it was, not
    /// from where it is, and the expressions depend on that.
    gathered: usize,
}

impl Rewriter {
    fn rewrite(&mut self, pattern: &str) -> String {
        let mut regexp = String::with_capacity(pattern.len() * 2);
        let mut offset = 0;
        while let Some(rest) = pattern.get(offset..).filter(|rest| !rest.is_empty()) {
            let length = self.mark(pattern, offset, rest, &mut regexp);
            if length == 0 {
                regexp.push_str(rest.get(..1).unwrap_or_default());
            }
            offset += length.max(1);
        }
        regexp
    }

    /// Rewrites the mark that stands at `offset`, if one does, and tells how long it was.
    fn mark(&mut self, pattern: &str, offset: usize, rest: &str, regexp: &mut String) -> usize {
        let mut chars = rest.chars();
        let first = chars.next();
        let second = chars.next();
        if first == Some('\\') {
            let Some(escaped) = second.filter(|&c| c != '\n' && c != '\r') else {
                return 0;
            };
            for text in [&mut self.barrier, regexp] {
                text.push('\\');
                text.push(escaped);
            }
            self.gathered += 2;
            return 2;
        }
        if let Some(parameter) = Parameter::read(rest) {
            if parameter.slash || parameter.dot {
                self.barrier.clear();
            } else {
                self.gather(pattern, offset);
            }
            self.gathered = offset + parameter.length;
            regexp.push_str(&parameter.write(&self.barrier));
            self.barrier.clear();
            return parameter.length;
        }
        match (first, second) {
            (Some('.'), _) => {
                self.barrier.push_str("\\.");
                self.gathered += 1;
                regexp.push_str("\\.");
                1
            }
            (Some('*'), _) => {
                self.gathered = offset + 1;
                self.barrier.clear();
                regexp.push_str("(.*)");
                1
            }
            (Some('/'), Some('(')) => {
                self.gather(pattern, offset);
                self.gathered = offset + 2;
                self.barrier.push('/');
                regexp.push_str("/(?:");
                2
            }
            _ => 0,
        }
    }

    fn gather(&mut self, pattern: &str, offset: usize) {
        self.barrier
            .push_str(pattern.get(self.gathered..offset).unwrap_or_default());
    }
}

/// `/.:name(expression)*?`, of which only the name has to be there.
struct Parameter<'p> {
    slash: bool,
    dot: bool,
    expression: Option<&'p str>,
    star: bool,
    optional: bool,
    length: usize,
}

impl<'p> Parameter<'p> {
    fn read(text: &'p str) -> Option<Self> {
        let (slash, rest) = eat(text, '/');
        let (dot, rest) = eat(rest, '.');
        let named = rest.strip_prefix(':')?;
        let rest = named.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_');
        if rest.len() == named.len() {
            return None;
        }
        // The expression ends at the first parenthesis, nested or not, and never spans lines.
        let expression = rest
            .starts_with('(')
            .then(|| rest.split_once(')').map(|(inside, _)| inside.len() + 1))
            .flatten()
            .and_then(|length| rest.get(..length))
            .filter(|inside| !inside.contains(['\n', '\r']));
        let rest = rest.get(expression.map_or(0, str::len)..)?;
        let (star, rest) = eat(rest, '*');
        let (optional, rest) = eat(rest, '?');
        Some(Self {
            slash,
            dot,
            expression,
            star,
            optional,
            length: text.len() - rest.len(),
        })
    }

    fn write(&self, barrier: &str) -> String {
        let dot = if self.dot { "\\." } else { "" };
        let slash = if self.slash { "/" } else { "" };
        let capture = match self.expression {
            Some(expression) => first_star(expression),
            None if barrier.is_empty() => format!("([^/{dot}]+?)"),
            None => format!("((?:(?!/|{barrier}).)+?)"),
        };
        let star = if self.star {
            format!("((?:[/{dot}].+?)?)")
        } else {
            String::new()
        };
        let optional = if self.optional { "?" } else { "" };
        format!("(?:{dot}{slash}{capture}{star}){optional}")
    }
}

/// The original reads a star in a parameter's expression as "anything", but only the first star or escape it meets.
fn first_star(expression: &str) -> String {
    match expression.find(['*', '\\']) {
        Some(at)
            if expression
                .get(at..)
                .is_some_and(|rest| rest.starts_with('*')) =>
        {
            expression.replacen('*', "(.*)", 1)
        }
        _ => expression.to_owned(),
    }
}

fn eat(text: &str, wanted: char) -> (bool, &str) {
    match text.strip_prefix(wanted) {
        Some(rest) => (true, rest),
        None => (false, text),
    }
}
