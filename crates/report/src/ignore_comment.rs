//! `IgnoreComment`: one `portcullis-ignore` comment, read from the text of any language.

use portcullis_policy::Date;

use crate::{Location, Notice, Suppression, SuppressionKind};

/// What such a comment begins with.
pub(crate) const MARK: &str = "portcullis-ignore";

/// One comment that can be applied, if its day has not passed.
#[derive(Clone, Debug)]
pub(crate) struct IgnoreComment {
    pub(crate) rules: Vec<String>,
    pub(crate) reason: String,
    pub(crate) until: Option<Date>,
    /// Where the comment is.
    pub(crate) location: Location,
    /// The line it speaks of.
    pub(crate) line: u32,
}

impl IgnoreComment {
    pub(crate) fn suppression(&self) -> Suppression {
        Suppression {
            reason: self.reason.clone(),
            until: self.until.map(|day| day.to_string()),
            location: self.location.clone(),
            kind: SuppressionKind::Inline,
        }
    }

    pub(crate) fn notice(&self, text: String) -> Notice {
        Notice {
            file: self.location.file.clone(),
            line: self.location.line,
            text,
        }
    }
}

/// The comments of one file; where one means to be such a comment and is not, what is wrong with it.
pub(crate) fn read(file: &str, text: &str) -> Vec<Result<IgnoreComment, Notice>> {
    if !text.contains(MARK) {
        return Vec::new();
    }
    let below = lines_below(text);
    let mut comments = Vec::new();
    let mut offset = 0;
    for ((whole, line), below) in text.split_inclusive('\n').zip(1_u32..).zip(below) {
        if let Some(found) = comment_in(whole) {
            let location = found.location(file, whole, line, offset);
            comments.push(found.read(location, if found.alone { below } else { line }));
        }
        offset += whole.len();
    }
    comments
}

/// The mark as it stands in a line.
struct Found<'a> {
    /// From the mark to the end of the comment.
    comment: &'a str,
    /// Where the mark begins, in bytes of the line.
    start: usize,
    /// Whether nothing but the comment is on the line.
    alone: bool,
}

impl Found<'_> {
    fn read(&self, location: Location, line: u32) -> Result<IgnoreComment, Notice> {
        match parse(self.comment) {
            Ok((rules, reason, until)) => Ok(IgnoreComment {
                rules,
                reason,
                until,
                location,
                line,
            }),
            Err(text) => Err(Notice {
                file: location.file,
                line: location.line,
                text,
            }),
        }
    }

    /// Where the comment is, when its line begins at `offset`.
    fn location(&self, file: &str, whole: &str, line: u32, offset: usize) -> Location {
        let comment = self.comment.trim_end();
        let columns = |text: &str| u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
        let column = columns(whole.get(..self.start).unwrap_or_default()).saturating_add(1);
        Location {
            file: file.to_owned(),
            line,
            column,
            end_line: line,
            end_column: column.saturating_add(columns(comment)),
            bytes: offset + self.start..offset + self.start + comment.len(),
        }
    }
}

/// Finds the mark where it directly follows the beginning of a comment: code that only speaks of it does not count.
fn comment_in(line: &str) -> Option<Found<'_>> {
    let start = line.find(MARK)?;
    let (before, comment) = line.split_at_checked(start)?;
    let opened = before.trim_end();
    let opening = ["//", "/*", "#", "<!--", "--", "*"]
        .into_iter()
        .find(|opening| opened.ends_with(opening))?;
    let code = opened
        .strip_suffix(opening)?
        .trim_end_matches(['/', '*', '{', '!', '-', '#'])
        .trim();
    let comment = ["-->", "*/}", "*/"]
        .into_iter()
        .filter_map(|end| comment.find(end))
        .min()
        .and_then(|end| comment.get(..end))
        .unwrap_or(comment);
    Some(Found {
        comment,
        start,
        alone: code.is_empty(),
    })
}

type Parsed = (Vec<String>, String, Option<Date>);

fn parse(comment: &str) -> Result<Parsed, String> {
    let form = || format!("write `{MARK}[rule-id]: reason`, with a reason");
    let rest = comment.strip_prefix(MARK).ok_or_else(form)?;
    let (rules, rest) = rest
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
        .ok_or_else(form)?;
    let rules: Vec<String> = rules
        .split(',')
        .map(|rule| rule.trim().to_owned())
        .filter(|rule| !rule.is_empty())
        .collect();
    let reason = rest.trim_start().strip_prefix(':').ok_or_else(form)?.trim();
    let (reason, until) = match reason.rsplit_once("(until ") {
        Some((reason, tail)) => {
            let day = tail.trim_end().strip_suffix(')').unwrap_or(tail).trim();
            let day = day
                .parse::<Date>()
                .map_err(|error| format!("the end of this `{MARK}` is wrong: {error}"))?;
            (reason.trim(), Some(day))
        }
        None => (reason, None),
    };
    if rules.is_empty() || !reason.chars().any(char::is_alphanumeric) {
        return Err(form());
    }
    Ok((rules, reason.to_owned(), until))
}

/// For each line, the line that a comment alone on it speaks of: the first below it that is not a comment. At the end of
/// the file there is none, and the comment speaks of itself.
fn lines_below(text: &str) -> Vec<u32> {
    let lines: Vec<(u32, &str)> = (1_u32..).zip(text.lines()).collect();
    let mut below = Vec::with_capacity(lines.len());
    let mut code = None;
    for (number, line) in lines.into_iter().rev() {
        below.push(code.unwrap_or(number));
        if !is_comment_only(line) {
            code = Some(number);
        }
    }
    below.reverse();
    below
}

fn is_comment_only(line: &str) -> bool {
    let line = line.trim_start();
    ["//", "/*", "*", "#", "--", "<!--", "{/*"]
        .into_iter()
        .any(|opening| line.starts_with(opening))
}
