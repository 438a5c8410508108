//! `Suppressions`: the `portcullis-ignore` comments of the code, read, applied and themselves judged.
//!
//! `portcullis-ignore[rule-id, other]: reason (until YYYY-MM-DD)`, in a comment at the end of the line on which a
//! finding begins, or on the lines directly above it. A comment that gives no reason, has expired, names no rule or
//! hides nothing becomes a notice: what nobody needs any more must not stay to hide the next fault.

use std::collections::{BTreeMap, BTreeSet};

use portcullis_policy::Date;

use crate::ignore_comment::{self, IgnoreComment, MARK};
use crate::{Finding, Location, Notice, Report};

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

/// What a comment of ours begins with.
pub const IGNORE_MARK: &str = MARK;

/// The comments that another revision has: only they count, where a change must not hide its own faults.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BaseComments {
    /// What the revision is called.
    pub revision: String,
    comments: BTreeSet<(String, String)>,
}

impl BaseComments {
    /// Those of the revision of this name; none yet.
    #[must_use]
    pub fn of(revision: impl Into<String>) -> Self {
        Self {
            revision: revision.into(),
            comments: BTreeSet::new(),
        }
    }

    /// Reads a line of a file of that revision.
    pub fn read(&mut self, file: &str, line: &str) {
        for comment in ignore_comment::read(file, line).into_iter().flatten() {
            self.comments.insert(key(&comment));
        }
    }

    fn has(&self, comment: &IgnoreComment) -> bool {
        self.comments.contains(&key(comment))
    }
}

/// What makes a comment itself when lines move: its file and its words.
fn key(comment: &IgnoreComment) -> (String, String) {
    let IgnoreComment {
        rules,
        reason,
        until,
        location,
        ..
    } = comment;
    (
        location.file.clone(),
        format!("{rules:?} {until:?} {reason}"),
    )
}

/// The comments of every file that was read.
#[derive(Clone, Debug, Default)]
pub struct Suppressions {
    comments: Vec<IgnoreComment>,
    /// IgnoreComments that mean to be one and are not.
    invalid: Vec<Notice>,
}

impl Suppressions {
    /// Reads the comments of one file.
    pub fn read(&mut self, file: &str, text: &str) {
        for read in ignore_comment::read(file, text) {
            match read {
                Ok(comment) => self.comments.push(comment),
                Err(notice) => self.invalid.push(notice),
            }
        }
    }

    /// Takes out what another revision does not have, and tells of it.
    pub fn keep_those_of(&mut self, base: &BaseComments) {
        let (kept, added): (Vec<_>, Vec<_>) = std::mem::take(&mut self.comments)
            .into_iter()
            .partition(|comment| base.has(comment));
        self.comments = kept;
        self.invalid.extend(added.into_iter().map(|comment| {
            let revision = &base.revision;
            comment.notice(format!(
                "this `{MARK}` is not in `{revision}` and hides nothing"
            ))
        }));
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
        let cover = Cover::of(&valid);
        for finding in findings {
            split(finding, &cover, &mut used, &mut report.findings);
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
}

/// The comments by the line they speak of, with their numbers.
struct Cover<'c>(BTreeMap<(&'c str, u32), Vec<(usize, &'c IgnoreComment)>>);

impl<'c> Cover<'c> {
    fn of(comments: &[&'c IgnoreComment]) -> Self {
        let mut cover = BTreeMap::<_, Vec<_>>::new();
        for (index, comment) in comments.iter().enumerate() {
            let spot = (comment.location.file.as_str(), comment.line);
            cover.entry(spot).or_default().push((index, *comment));
        }
        Self(cover)
    }

    fn at(&self, rule: &str, location: &Location) -> Option<(usize, &'c IgnoreComment)> {
        let here = self.0.get(&(location.file.as_str(), location.line))?;
        here.iter()
            .find(|(_, comment)| comment.rules.iter().any(|named| named == rule))
            .copied()
    }
}

/// Which comment was needed for which rule.
type Used = BTreeSet<(usize, &'static str)>;

/// Puts the finding into `out`: as it is, suppressed, or as one finding for the places that are covered by a comment
/// and one for those that are not, so that a comment at one place never hides another.
fn split(mut finding: Finding, cover: &Cover<'_>, used: &mut Used, out: &mut Vec<Finding>) {
    let rule = finding.rule;
    // Where the places are elsewhere, the finding's own position speaks for all of them (one router, many routes).
    let spread = finding
        .places
        .iter()
        .any(|place| place.location != finding.location)
        && finding
            .places
            .iter()
            .any(|place| place.location == finding.location);
    if let Some((index, comment)) = cover
        .at(finding.rule, &finding.location)
        .filter(|_| !spread)
    {
        used.insert((index, finding.rule));
        finding.suppressed = finding.suppressed.or_else(|| Some(comment.suppression()));
        out.push(finding);
        return;
    }
    let mut comments: BTreeMap<usize, &IgnoreComment> = BTreeMap::new();
    let (covered, open) = finding.parted(|place| {
        let (index, comment) = cover.at(rule, &place.location)?;
        used.insert((index, rule));
        comments.insert(index, comment);
        Some(index)
    });
    for (index, mut part) in covered {
        let comment = comments.get(&index);
        part.suppressed = part
            .suppressed
            .or_else(|| comment.map(|comment| comment.suppression()));
        out.push(part);
    }
    out.extend(open);
}

#[cfg(test)]
mod tests;
