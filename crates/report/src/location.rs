//! `Location`: a span of text in a file under the audited root.

use std::cmp::Ordering;
use std::ops::Range;

/// A span in a file. Lines and columns count from one, columns in characters; bytes count from zero.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Location {
    /// Relative to the audited root, with forward slashes.
    pub file: String,
    /// The line of the first character.
    pub line: u32,
    /// The column of the first character.
    pub column: u32,
    /// The line of the last character.
    pub end_line: u32,
    /// The column after the last character.
    pub end_column: u32,
    /// The same span in bytes of the file.
    pub bytes: Range<usize>,
}

impl Location {
    /// The first line of a file, for what concerns the file as a whole.
    #[must_use]
    pub fn of_file(file: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            line: 1,
            column: 1,
            end_line: 1,
            end_column: 1,
            bytes: 0..0,
        }
    }

    /// The span `bytes` of `text`, with its lines and columns counted out. A range that does not fit is cut to the text.
    #[must_use]
    pub fn in_text(file: impl Into<String>, text: &str, bytes: Range<usize>) -> Self {
        let end = text.floor_char_boundary(bytes.end);
        let start = text.floor_char_boundary(bytes.start.min(end));
        let (line, column) = line_and_column(text, start);
        let (end_line, end_column) = line_and_column(text, end);
        Self {
            file: file.into(),
            line,
            column,
            end_line,
            end_column,
            bytes: start..end,
        }
    }

    fn key(&self) -> (&str, u32, u32, u32, u32, usize, usize) {
        (
            &self.file,
            self.line,
            self.column,
            self.end_line,
            self.end_column,
            self.bytes.start,
            self.bytes.end,
        )
    }
}

/// By file, then by place in it.
impl Ord for Location {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl PartialOrd for Location {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn line_and_column(text: &str, offset: usize) -> (u32, u32) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.bytes().filter(|byte| *byte == b'\n').count();
    let column = before
        .rsplit('\n')
        .next()
        .unwrap_or_default()
        .chars()
        .count();
    (one_based(line), one_based(column))
}

fn one_based(count: usize) -> u32 {
    u32::try_from(count).map_or(u32::MAX, |count| count.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_lines_and_characters() {
        let text = "eins\nzwölf drei\n";
        let at = text.find("drei").unwrap();
        let location = Location::in_text("a.ts", text, at..at + 4);
        assert_eq!((location.line, location.column), (2, 7));
        assert_eq!((location.end_line, location.end_column), (2, 11));
    }

    #[test]
    fn a_range_beyond_the_text_is_cut() {
        let location = Location::in_text("a.ts", "ab", 1..99);
        assert_eq!(location.bytes, 1..2);
        let inside_a_character = Location::in_text("a.ts", "ö", 1..1);
        assert_eq!(inside_a_character.bytes, 0..0);
    }
}
