//! `Segment`: one piece of a path template between two slashes, with the rules for what may be written there.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use crate::Malformed;
use crate::bounds::{NAME_BYTES_MAX, SEGMENTS_MAX, STRING_BYTES_MAX};
use crate::foreign_path::translated;
use crate::malformed::quoted;
use crate::path_spelling::{canonical, stands_raw, without_end};

/// What the guard keeps for itself; no route of the application can be there.
const RESERVED: &str = ".portcullis";

/// One segment of a template.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Segment {
    /// Exactly this text. Empty only as the last segment: a trailing slash.
    Literal(String),
    /// A parameter between a fixed beginning and a fixed end, one of which may be empty: `{name}.json`.
    Affixed {
        /// What the segment begins with.
        prefix: String,
        /// The parameter.
        name: String,
        /// What the segment ends with.
        suffix: String,
    },
    /// Any text but none: `{id}`.
    Parameter(String),
    /// This segment, which is not empty, and all that follow: `{*rest}`, also written `{rest...}`.
    CatchAll(String),
}

impl Segment {
    /// The name of the parameter, if there is one.
    #[must_use]
    pub fn parameter(&self) -> Option<&str> {
        match self {
            Self::Literal(_) => None,
            Self::Affixed { name, .. } | Self::Parameter(name) | Self::CatchAll(name) => Some(name),
        }
    }

    /// The same segment with its parameter called otherwise.
    pub(crate) fn renamed(self, name: String) -> Self {
        match self {
            Self::Literal(text) => Self::Literal(text),
            Self::Affixed { prefix, suffix, .. } => Self::Affixed {
                prefix,
                name,
                suffix,
            },
            Self::Parameter(_) => Self::Parameter(name),
            Self::CatchAll(_) => Self::CatchAll(name),
        }
    }

    /// Whether one segment of a request path fits. It comes in the spelling of templates: what they may write raw is
    /// raw, all else is an escape in capitals.
    #[must_use]
    pub fn matches(&self, written: &str) -> bool {
        match self {
            Self::Literal(text) => text == written,
            Self::Affixed { prefix, suffix, .. } => {
                between(written, prefix, suffix).is_some_and(|middle| !middle.is_empty())
            }
            Self::Parameter(_) | Self::CatchAll(_) => !written.is_empty(),
        }
    }

    /// Whether the segment can stand for some text that is not empty.
    pub(crate) fn can_be_filled(&self) -> bool {
        !matches!(self, Self::Literal(text) if text.is_empty())
    }

    /// Whether all that `other` stands for fits here. Neither is a catch-all.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (_, Self::Literal(text)) => self.matches(text),
            (Self::Parameter(_), _) => true,
            (
                Self::Affixed { prefix, suffix, .. },
                Self::Affixed {
                    prefix: p,
                    suffix: s,
                    ..
                },
            ) => p.starts_with(prefix.as_str()) && without_end(s, suffix).is_some(),
            _ => false,
        }
    }

    /// Whether some text fits both. Neither is a catch-all.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Literal(text), one) | (one, Self::Literal(text)) => one.matches(text),
            (
                Self::Affixed { prefix, suffix, .. },
                Self::Affixed {
                    prefix: p,
                    suffix: s,
                    ..
                },
            ) => {
                (p.starts_with(prefix.as_str()) || prefix.starts_with(p.as_str()))
                    && (without_end(s, suffix).is_some() || without_end(suffix, s).is_some())
            }
            _ => true,
        }
    }

    /// How much the segment leaves open: the kind first, then (for a partly fixed one) how little is fixed.
    pub(crate) fn openness(&self) -> (u8, usize) {
        match self {
            Self::Literal(_) => (0, 0),
            Self::Affixed { prefix, suffix, .. } => {
                (1, usize::MAX - prefix.len().saturating_add(suffix.len()))
            }
            Self::Parameter(_) => (2, 0),
            Self::CatchAll(_) => (3, 0),
        }
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(text) => f.write_str(text),
            Self::Affixed {
                prefix,
                name,
                suffix,
            } => write!(f, "{prefix}{{{name}}}{suffix}"),
            Self::Parameter(name) => write!(f, "{{{name}}}"),
            Self::CatchAll(name) => write!(f, "{{*{name}}}"),
        }
    }
}

/// The text between a beginning and an end that do not overlap.
fn between<'t>(text: &'t str, prefix: &str, suffix: &str) -> Option<&'t str> {
    without_end(text.strip_prefix(prefix)?, suffix)
}

/// Takes a request path apart. `None` where two readers could read it differently (OWASP API8; path confusion).
pub(crate) fn path_segments(path: &str) -> Option<Vec<Cow<'_, str>>> {
    let rest = path.strip_prefix('/')?;
    let last = rest.bytes().filter(|byte| *byte == b'/').count();
    rest.split('/')
        .enumerate()
        .map(|(position, segment)| {
            if segment.is_empty() && position != last {
                return None;
            }
            let plain = canonical(segment, true).ok()?;
            (plain != "." && plain != "..").then_some(plain)
        })
        .collect()
}

/// Takes a template apart, or says what is wrong with it and where.
pub(crate) fn template_segments(text: &str) -> Result<Vec<Segment>, Malformed> {
    read_template(text).map_err(|fault| {
        let instead = translated(text).filter(|path| read_template(path).is_ok());
        match (&fault.suggestion, instead) {
            (None, Some(path)) => fault.instead(path),
            _ => fault,
        }
    })
}

fn read_template(text: &str) -> Result<Vec<Segment>, Malformed> {
    if text.len() > STRING_BYTES_MAX {
        let message = format!("a path has at most {STRING_BYTES_MAX} bytes");
        return Err(Malformed::whole(text, message));
    }
    let Some(rest) = text.strip_prefix('/') else {
        return Err(Malformed::whole(text, "a path begins with `/`"));
    };
    let count = rest.bytes().filter(|byte| *byte == b'/').count() + 1;
    if count > SEGMENTS_MAX {
        let message = format!("a path has at most {SEGMENTS_MAX} segments");
        return Err(Malformed::whole(text, message));
    }
    let mut segments: Vec<Segment> = Vec::with_capacity(count);
    let mut start = 1;
    for (position, written) in rest.split('/').enumerate() {
        let last = position + 1 == count;
        let at = start..start + written.len();
        let segment = read_segment(written, at.clone(), last)?;
        if let Some(name) = segment.parameter()
            && segments.iter().any(|one| one.parameter() == Some(name))
        {
            let message = format!("the parameter {} is named twice", quoted(name));
            return Err(Malformed::at(at, message));
        }
        if position == 0 && matches!(&segment, Segment::Literal(text) if text == RESERVED) {
            let message = format!("paths under `/{RESERVED}` belong to the guard");
            return Err(Malformed::at(at, message));
        }
        start += written.len() + 1;
        segments.push(segment);
    }
    Ok(segments)
}

fn read_segment(written: &str, at: Range<usize>, last: bool) -> Result<Segment, Malformed> {
    if written.is_empty() {
        return if last {
            Ok(Segment::Literal(String::new()))
        } else {
            Err(Malformed::at(
                at.start - 1..at.start + 1,
                "an empty segment (`//`) is read differently by different servers",
            ))
        };
    }
    let Some((prefix, opened)) = written.split_once('{') else {
        let text = read_literal(written, at.start, true)?;
        if text == "." || text == ".." {
            let message = format!(
                "{} as a segment is read differently by different servers",
                quoted(&text)
            );
            return Err(Malformed::at(at, message));
        }
        return Ok(Segment::Literal(text));
    };
    let Some((inner, suffix)) = opened.split_once('}') else {
        return Err(Malformed::at(at, "`{` without `}`"));
    };
    let inner_start = at.start + prefix.len() + 1;
    let (name, name_start) = match inner.strip_prefix('*') {
        Some(name) => (name, inner_start + 1),
        None => (inner.strip_suffix("...").unwrap_or(inner), inner_start),
    };
    let is_catch_all = name.len() < inner.len();
    let name = read_name(name, name_start)?;
    if is_catch_all {
        return if last && prefix.is_empty() && suffix.is_empty() {
            Ok(Segment::CatchAll(name))
        } else {
            let message = "a catch-all is a whole segment, and the last one";
            Err(Malformed::at(at, message))
        };
    }
    if suffix.contains('{') {
        let message = "a segment has at most one parameter";
        return Err(Malformed::at(at, message));
    }
    if prefix.is_empty() && suffix.is_empty() {
        return Ok(Segment::Parameter(name));
    }
    let suffix_start = inner_start + inner.len() + 1;
    Ok(Segment::Affixed {
        prefix: read_literal(prefix, at.start, true)?,
        name,
        suffix: read_literal(suffix, suffix_start, false)?,
    })
}

fn read_name(name: &str, start: usize) -> Result<String, Malformed> {
    let at = start..start + name.len();
    if name.is_empty() {
        return Err(Malformed::at(
            start - 1..start + 1,
            "a parameter has a name",
        ));
    }
    if name.len() > NAME_BYTES_MAX {
        let message = format!("a parameter's name has at most {NAME_BYTES_MAX} bytes");
        return Err(Malformed::at(at, message));
    }
    let begins = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    let goes_on = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    if begins && goes_on {
        return Ok(name.to_owned());
    }
    let message = format!(
        "{} is no parameter name: use letters, digits, `_` and `-`",
        quoted(name)
    );
    Err(Malformed::at(at, message))
}

/// Fixed text: what RFC 3986 §3.3 allows in a segment, less what a regular expression or a router gives a meaning to.
fn read_literal(written: &str, start: usize, begins_segment: bool) -> Result<String, Malformed> {
    for (offset, character) in written.char_indices() {
        let at = start + offset..start + offset + character.len_utf8();
        let plain = u8::try_from(character)
            .is_ok_and(|byte| byte == b'%' || stands_raw(byte, begins_segment && offset == 0));
        if plain {
            continue;
        }
        let escaped: String = character
            .encode_utf8(&mut [0; 4])
            .bytes()
            .map(|byte| format!("%{byte:02X}"))
            .collect();
        let message = match character {
            '*' | '+' | '?' | '(' | ')' | '[' | ']' | '|' | '^' | '$' => format!(
                "`{character}` has no meaning here (a path has no regular expressions): use `{{name}}`, `{{*rest}}` or the escape `{escaped}`"
            ),
            '\\' => "`\\` is read as `/` by some servers".to_owned(),
            ';' => "`;` begins a path parameter on some servers, which others ignore".to_owned(),
            '#' => "`#` begins a fragment, which no server sees".to_owned(),
            ':' => "a parameter is written `{name}`".to_owned(),
            '}' => "`}` without `{`".to_owned(),
            other => format!("write {} as `{escaped}`", quoted(&other.to_string())),
        };
        return Err(Malformed::at(at, message));
    }
    canonical(written, begins_segment)
        .map(Cow::into_owned)
        .map_err(|(offset, length)| {
            let at = start + offset..start + offset + length;
            let escape = written.get(offset..offset + length).unwrap_or(written);
            let message = if length == 3 {
                format!(
                    "the escape {} is read differently by different servers",
                    quoted(escape)
                )
            } else {
                "`%` is followed by two hexadecimal digits".to_owned()
            };
            Malformed::at(at, message)
        })
}
