//! `Excerpt`: the few lines of a file that a finding is about, safe to print.

use crate::Location;
use crate::harmless::push_harmless;

/// A longer span shows its first line only: a handler of a hundred lines is not printed to say that it lacks a check.
const SPAN_LINES_MAX: usize = 6;
/// A longer line is cut around what is marked; generated code has lines of a megabyte.
const LINE_CHARS_MAX: usize = 160;
/// How much of a cut line stands before what is marked.
const CHARS_BEFORE: usize = 40;

/// Lines of a file with the span to mark in them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Excerpt {
    pub(super) text: String,
    /// The number of the first line.
    pub(super) first_line: usize,
    /// What to mark, in bytes of `text`.
    pub(super) marked: std::ops::Range<usize>,
}

impl Excerpt {
    /// Cuts the lines of `location` out of the file's text. `None` when the file is shorter than the location says.
    pub(super) fn of(source: &str, location: &Location) -> Option<Self> {
        let (start, end) = span(source, location)?;
        let from = line_start(source, start);
        let mut excerpt = Self {
            text: String::new(),
            first_line: usize::try_from(location.line).ok()?,
            marked: 0..0,
        };
        let mut mark: Option<usize> = None;
        let mut offset = from;
        for line in source.get(from..)?.split_inclusive('\n') {
            if offset > from && offset >= end {
                break;
            }
            let (cut_before, line_end) = window(line, start.saturating_sub(offset));
            if cut_before > 0 {
                excerpt.text.push('…');
            }
            let shown = line.get(cut_before..line_end).unwrap_or_default();
            for (at, character) in shown.char_indices() {
                if matches!(character, '\n' | '\r') {
                    continue;
                }
                let inside = (start..end).contains(&(offset + cut_before + at));
                if inside {
                    mark.get_or_insert(excerpt.text.len());
                }
                match character {
                    '\t' => excerpt.text.push_str("    "),
                    other => push_harmless(&mut excerpt.text, other),
                }
                if inside {
                    excerpt.marked.end = excerpt.text.len();
                }
            }
            if line_end < line.trim_end_matches(['\n', '\r']).len() {
                excerpt.text.push('…');
            }
            excerpt.text.push('\n');
            offset += line.len();
        }
        excerpt.marked.start = mark.unwrap_or(0);
        excerpt.marked.end = excerpt.marked.end.max(excerpt.marked.start);
        (!excerpt.text.trim().is_empty()).then_some(excerpt)
    }
}

/// The bytes to mark: the location's own, or its whole line where it names only a line, or its first line where it is
/// long.
fn span(source: &str, location: &Location) -> Option<(usize, usize)> {
    let mut start = source.floor_char_boundary(location.bytes.start);
    let mut end = source.floor_char_boundary(location.bytes.end);
    if location.bytes.is_empty() && location.line > 1 && start == 0 {
        let above = usize::try_from(location.line).ok()?.checked_sub(1)?;
        start = source
            .match_indices('\n')
            .nth(above.checked_sub(1)?)
            .map(|(at, _)| at + 1)?;
        end = start;
    }
    if start >= source.len() {
        return None;
    }
    let marked = source.get(start..end).unwrap_or_default();
    if end <= start || marked.lines().count() > SPAN_LINES_MAX {
        let rest = source.get(start..)?;
        let line = rest.lines().next().unwrap_or_default();
        let indent = if end <= start {
            line.len() - line.trim_start().len()
        } else {
            0
        };
        end = start + line.trim_end().len();
        start = (start + indent).min(end);
    }
    Some((start, end))
}

fn line_start(source: &str, at: usize) -> usize {
    source
        .get(..at)
        .and_then(|before| before.rfind('\n'))
        .map_or(0, |newline| newline + 1)
}

/// The part of a line to show, in bytes, when something at `marked` must be seen.
fn window(line: &str, marked: usize) -> (usize, usize) {
    let marked = line.floor_char_boundary(marked);
    let fits = line.chars().nth(LINE_CHARS_MAX).is_none();
    let before = line.get(..marked).unwrap_or_default();
    let start = match before.char_indices().rev().nth(CHARS_BEFORE) {
        Some((at, _)) if !fits => at,
        _ => 0,
    };
    let end = line
        .get(start..)
        .and_then(|rest| rest.char_indices().nth(LINE_CHARS_MAX))
        .map_or(line.len(), |(at, _)| start + at);
    (start, end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn excerpt(source: &str, marked: &str) -> Excerpt {
        let at = source.find(marked).unwrap();
        let location = Location::in_text("a.ts", source, at..at + marked.len());
        Excerpt::of(source, &location).unwrap()
    }

    fn shown(excerpt: &Excerpt) -> &str {
        excerpt.text.get(excerpt.marked.clone()).unwrap()
    }

    #[test]
    fn the_mark_stays_on_what_it_marked() {
        let excerpt = excerpt("a\n\tfoo(\u{202e}x, \"ö\")\nb\n", "x, \"ö\"");
        assert_eq!(excerpt.text, "    foo(\\u{202e}x, \"ö\")\n");
        assert_eq!(shown(&excerpt), "x, \"ö\"");
        assert_eq!(excerpt.first_line, 2);
    }

    #[test]
    fn a_long_span_shows_its_first_line() {
        let body = format!("fn a() {{\n{}}}\n", "  x();\n".repeat(20));
        let excerpt = excerpt(&body, &body.clone());
        assert_eq!(shown(&excerpt), "fn a() {");
        assert_eq!(excerpt.text.lines().count(), 1);
    }

    #[test]
    fn a_megabyte_of_one_line_is_cut_around_the_mark() {
        let source = format!("{}EVIL{}", "ö".repeat(500_000), "y".repeat(500_000));
        let excerpt = excerpt(&source, "EVIL");
        assert_eq!(shown(&excerpt), "EVIL");
        assert!(excerpt.text.chars().count() < LINE_CHARS_MAX + 4);
    }

    #[test]
    fn a_location_of_only_a_line_marks_the_line() {
        let location = Location {
            line: 2,
            ..Location::of_file("Dockerfile")
        };
        let excerpt = Excerpt::of("FROM x\n  USER root\n", &location).unwrap();
        assert_eq!(shown(&excerpt), "USER root");
        let beyond = Location {
            line: 9,
            ..location
        };
        assert_eq!(Excerpt::of("FROM x\n", &beyond), None);
    }
}
