//! `Suppressions`: the `portcullis-ignore` comments of the code, read, applied and themselves judged.
//!
//! `portcullis-ignore[rule-id, other]: reason (until YYYY-MM-DD)`, in a comment at the end of the line on which a
//! finding begins, or on the lines directly above it. A comment that gives no reason, has expired, names no rule or
//! hides nothing becomes a notice: what nobody needs any more must not stay to hide the next fault.

use std::collections::{BTreeMap, BTreeSet};

use portcullis_policy::Date;

use crate::{Finding, Location, Notice, Report, Suppression, SuppressionKind};

const MARK: &str = "portcullis-ignore";

/// What is known of a rule that a comment names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It exists and was run.
    Ran,
    /// It exists and was not run, so that its comments could not be used.
    NotRun,
    /// There is no such rule.
    Unknown,
}

/// The comments of every file that was read.
#[derive(Clone, Debug, Default)]
pub struct Suppressions {
    comments: Vec<Comment>,
    /// Comments that mean to be one and are not.
    invalid: Vec<Notice>,
}

/// One comment that can be applied, if its day has not passed.
#[derive(Clone, Debug)]
struct Comment {
    rules: Vec<String>,
    reason: String,
    until: Option<Date>,
    /// Where the comment is.
    location: Location,
    /// The line it speaks of.
    line: u32,
}

impl Suppressions {
    /// Reads the comments of one file.
    pub fn read(&mut self, file: &str, text: &str) {
        if !text.contains(MARK) {
            return;
        }
        let lines: Vec<&str> = text.lines().collect();
        let mut offset = 0;
        for (index, whole) in text.split_inclusive('\n').enumerate() {
            if let Some(found) = comment_in(whole) {
                let start = offset + found.start;
                let location =
                    Location::in_text(file, text, start..start + found.comment.trim_end().len());
                self.take(&found, location, &lines, index);
            }
            offset += whole.len();
        }
    }

    /// Marks what the comments cover and adds a notice for every comment that is of no use.
    pub fn apply(&self, report: &mut Report, today: Date, standing: &dyn Fn(&str) -> Standing) {
        report.notices.extend(self.invalid.iter().cloned());
        let (valid, expired): (Vec<_>, Vec<_>) = self
            .comments
            .iter()
            .partition(|comment| comment.until.is_none_or(|until| today <= until));
        for comment in expired {
            let until = comment.until.map(|day| day.to_string()).unwrap_or_default();
            let text = format!("this `{MARK}` expired on {until}, and what it hid is shown again");
            report.notices.push(comment.notice(text));
        }
        let mut used = Used::new();
        let findings = std::mem::take(&mut report.findings);
        for finding in findings {
            split(finding, &valid, &mut used, &mut report.findings);
        }
        for (index, comment) in valid.iter().enumerate() {
            for rule in &comment.rules {
                let text = match standing(rule) {
                    Standing::NotRun => continue,
                    Standing::Unknown => {
                        format!("`{MARK}` names `{rule}`, and there is no such rule")
                    }
                    Standing::Ran if used.contains(&(index, rule.as_str())) => continue,
                    Standing::Ran => format!("`{MARK}[{rule}]` hides nothing here, remove it"),
                };
                report.notices.push(comment.notice(text));
            }
        }
    }

    fn take(&mut self, found: &Found<'_>, location: Location, lines: &[&str], index: usize) {
        match parse(found.comment) {
            Ok((rules, reason, until)) => {
                let line = if found.alone {
                    line_below(lines, index)
                } else {
                    location.line
                };
                self.comments.push(Comment {
                    rules,
                    reason,
                    until,
                    location,
                    line,
                });
            }
            Err(text) => self.invalid.push(Notice {
                file: location.file,
                line: location.line,
                text,
            }),
        }
    }
}

impl Comment {
    fn covers(&self, rule: &str, location: &Location) -> bool {
        self.location.file == location.file
            && self.line == location.line
            && self.rules.iter().any(|named| named == rule)
    }

    fn suppression(&self) -> Suppression {
        Suppression {
            reason: self.reason.clone(),
            until: self.until.map(|day| day.to_string()),
            location: self.location.clone(),
            kind: SuppressionKind::Inline,
        }
    }

    fn notice(&self, text: String) -> Notice {
        Notice {
            file: self.location.file.clone(),
            line: self.location.line,
            text,
        }
    }
}

/// Which comment was needed for which rule.
type Used = BTreeSet<(usize, &'static str)>;

/// Puts the finding into `out`: as it is, suppressed, or as one finding for the places that are covered by a comment
/// and one for those that are not, so that a comment at one place never hides another.
fn split(mut finding: Finding, comments: &[&Comment], used: &mut Used, out: &mut Vec<Finding>) {
    let covering = |location: &Location| {
        comments
            .iter()
            .enumerate()
            .find(|(_, comment)| comment.covers(finding.rule, location))
    };
    // Where the places are elsewhere, the finding's own position speaks for all of them (one router, many routes).
    let spread = finding
        .places
        .iter()
        .any(|place| place.location != finding.location)
        && finding
            .places
            .iter()
            .any(|place| place.location == finding.location);
    if let Some((index, comment)) = covering(&finding.location).filter(|_| !spread) {
        used.insert((index, finding.rule));
        finding.suppressed = finding.suppressed.or_else(|| Some(comment.suppression()));
        out.push(finding);
        return;
    }
    let mut covered: BTreeMap<usize, Finding> = BTreeMap::new();
    let mut open = Vec::new();
    for place in &finding.places {
        let Some((index, comment)) = covering(&place.location) else {
            open.push(place.clone());
            continue;
        };
        used.insert((index, finding.rule));
        let part = covered.entry(index).or_insert_with(|| Finding {
            location: place.location.clone(),
            route: place.route.clone(),
            places: Vec::new(),
            fingerprint: place.fingerprint.clone(),
            suppressed: Some(comment.suppression()),
            ..finding.clone()
        });
        part.places.push(place.clone());
    }
    if covered.is_empty() {
        out.push(finding);
        return;
    }
    out.extend(covered.into_values());
    if let Some(first) = open.first() {
        finding.location = first.location.clone();
        finding.places = open;
        out.push(finding);
    }
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

/// The line that a comment on a line of its own speaks of: the first below it that is not a comment, counted from one.
fn line_below(lines: &[&str], index: usize) -> u32 {
    let below = lines
        .iter()
        .enumerate()
        .skip(index.saturating_add(1))
        .find(|(_, line)| !is_comment_only(line))
        .map_or(index, |(below, _)| below);
    u32::try_from(below).map_or(u32::MAX, |below| below.saturating_add(1))
}

fn is_comment_only(line: &str) -> bool {
    let line = line.trim_start();
    ["//", "/*", "*", "#", "--", "<!--", "{/*"]
        .into_iter()
        .any(|opening| line.starts_with(opening))
}

#[cfg(test)]
mod tests;
