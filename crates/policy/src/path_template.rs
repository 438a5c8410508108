//! `PathTemplate`: the paths one route answers, and which of two templates is the more specific.
//!
//! One documented rule for spelling: a path is compared segment by segment, letter case and a trailing slash count
//! (`/items` and `/items/` are two paths), and only escapes of harmless characters are undone before comparing.
//! A path that two readers could read in two ways matches nothing.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::Malformed;
use crate::path_segment::{Segment, path_segments, template_segments};

/// A path with parameters: `/api/items/{id}`, `/files/{name}.json`, `/docs/{*rest}`.
///
/// A parameter `{name}` stands for a whole segment or for the part of a segment between a fixed beginning and a
/// fixed end; a catch-all `{*name}` stands last and for one segment or more. There are no regular expressions.
/// Ordered with the most specific first, then by text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PathTemplate {
    text: String,
    segments: Vec<Segment>,
}

impl PathTemplate {
    /// Reads a template. Its text is kept in canonical form: escapes in capitals, needless escapes undone.
    ///
    /// # Errors
    ///
    /// The first place that is no path, is ambiguous between two readers (`..`, `//`, `%2f`), or is the parameter
    /// syntax of a framework or a regular expression; the suggestion is the same path as it is written here.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let segments = template_segments(text)?;
        let mut canonical = String::with_capacity(text.len());
        for segment in &segments {
            canonical.push('/');
            canonical.push_str(&segment.to_string());
        }
        Ok(Self {
            text: canonical,
            segments,
        })
    }

    /// The canonical text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The segments after the first slash; `/` has one, which is empty.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The names of the parameters, the catch-all's included, from left to right.
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(Segment::parameter)
    }

    /// Whether a request path belongs to this template.
    ///
    /// The path comes without its query. One that is ambiguous (`..`, `//`, `\`, `;`, `%2f`, a broken escape) belongs
    /// to no template, not even to a catch-all.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        let Some(path) = path_segments(path) else {
            return false;
        };
        let mut rest = path.iter();
        for segment in &self.segments {
            let Some(written) = rest.next() else {
                return false;
            };
            match segment {
                Segment::CatchAll(_) => return !written.is_empty(),
                one => {
                    if !one.matches(written) {
                        return false;
                    }
                }
            }
        }
        rest.next().is_none()
    }

    /// Whether every path of `other` belongs to this template too.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let mut others = other.segments.iter();
        for mine in &self.segments {
            let Some(theirs) = others.next() else {
                return false;
            };
            match (mine, theirs) {
                (Segment::CatchAll(_), first) => return first.can_be_filled(),
                (_, Segment::CatchAll(_)) => return false,
                (one, another) => {
                    if !one.covers(another) {
                        return false;
                    }
                }
            }
        }
        others.next().is_none()
    }

    /// Whether some path belongs to both templates.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        let mut others = other.segments.iter();
        for mine in &self.segments {
            let Some(theirs) = others.next() else {
                return false;
            };
            match (mine, theirs) {
                (Segment::CatchAll(_), first) | (first, Segment::CatchAll(_)) => {
                    return first.can_be_filled();
                }
                (one, another) => {
                    if !one.overlaps(another) {
                        return false;
                    }
                }
            }
        }
        others.next().is_none()
    }

    /// Whether both templates have the same paths: they differ in parameter names at most.
    #[must_use]
    pub fn same_paths(&self, other: &Self) -> bool {
        self.covers(other) && other.covers(self)
    }

    /// Whether the templates overlap and neither is a part of the other, so that neither is the more specific
    /// (`/{org}/settings` and `/users/{id}`).
    #[must_use]
    pub fn crosses(&self, other: &Self) -> bool {
        self.overlaps(other) && !self.covers(other) && !other.covers(self)
    }

    /// The template of the paths that belong to both, where one template can say it. A route of its own for it
    /// settles two templates that cross.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Option<Self> {
        if !self.overlaps(other) {
            return None;
        }
        let mut parts = Vec::new();
        let (mut ours, mut theirs) = (self.segments.iter(), other.segments.iter());
        loop {
            match (ours.next(), theirs.next()) {
                (Some(Segment::CatchAll(_)), Some(first)) => {
                    parts.push(first);
                    parts.extend(theirs);
                    break;
                }
                (Some(first), Some(Segment::CatchAll(_))) => {
                    parts.push(first);
                    parts.extend(ours);
                    break;
                }
                (Some(one), Some(another)) if one.covers(another) => parts.push(another),
                (Some(one), Some(another)) if another.covers(one) => parts.push(one),
                (None, None) => break,
                _ => return None,
            }
        }
        Some(Self::of_distinct_names(&parts))
    }

    /// A template of segments that come from two templates, and so may name two parameters alike.
    fn of_distinct_names(parts: &[&Segment]) -> Self {
        let mut taken: Vec<String> = Vec::new();
        let mut segments = Vec::new();
        let mut text = String::new();
        for part in parts {
            let mut segment = (*part).clone();
            if let Some(name) = segment.parameter() {
                let mut free = name.to_owned();
                let mut count = 2_usize;
                while taken.contains(&free) {
                    free = format!("{name}{count}");
                    count += 1;
                }
                taken.push(free.clone());
                segment = segment.renamed(free);
            }
            text.push('/');
            text.push_str(&segment.to_string());
            segments.push(segment);
        }
        Self { text, segments }
    }

    /// Which of two templates wins where both match: `Less` is the more specific one.
    ///
    /// From left to right, a fixed segment comes before a partly fixed one, that before a parameter, and a catch-all
    /// comes last. A template that is a part of another is always the more specific of the two.
    #[must_use]
    pub fn specificity(&self, other: &Self) -> Ordering {
        for (mine, theirs) in self.segments.iter().zip(&other.segments) {
            let order = mine.openness().cmp(&theirs.openness());
            if order != Ordering::Equal {
                return order;
            }
        }
        other.segments.len().cmp(&self.segments.len())
    }
}

impl Ord for PathTemplate {
    fn cmp(&self, other: &Self) -> Ordering {
        self.specificity(other)
            .then_with(|| self.text.cmp(&other.text))
    }
}

impl PartialOrd for PathTemplate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for PathTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for PathTemplate {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl Serialize for PathTemplate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}
