//! Where a byte of a text stands: its line and column.

/// Where each line of a text begins.
#[derive(Debug)]
pub(super) struct Lines(Vec<u32>);

impl Lines {
    /// Finds the lines of a text. Only a line feed ends one, as editors and SARIF count.
    pub(super) fn of(text: &str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self(
            std::iter::once(0)
                .chain(ends.map(|(at, _)| u32::try_from(at + 1).unwrap_or(u32::MAX)))
                .collect(),
        )
    }

    /// Line and column of a byte, both from 1, the column in characters.
    pub(super) fn position(&self, text: &str, byte: u32) -> (u32, u32) {
        let line = self.0.partition_point(|start| *start <= byte).max(1);
        let start = self.0.get(line - 1).copied().unwrap_or(0) as usize;
        let before = text
            .as_bytes()
            .get(start..(byte as usize).min(text.len()))
            .unwrap_or_default();
        // Bytes that continue a character do not begin a column.
        let column = before.iter().filter(|byte| **byte & 0xC0 != 0x80).count() + 1;
        (
            u32::try_from(line).unwrap_or(u32::MAX),
            u32::try_from(column).unwrap_or(u32::MAX),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::Lines;

    #[test]
    fn columns_count_characters_and_bytes_past_the_end_are_its_end() {
        let text = "a\n\u{e9}\u{1f600}b\r\n\nlast";
        let lines = Lines::of(text);
        assert_eq!(lines.position(text, 0), (1, 1));
        assert_eq!(lines.position(text, 1), (1, 2));
        assert_eq!(lines.position(text, 2), (2, 1));
        assert_eq!(lines.position(text, 8), (2, 3));
        assert_eq!(lines.position(text, 11), (3, 1));
        assert_eq!(lines.position(text, 12), (4, 1));
        assert_eq!(lines.position(text, 9_999), (4, 5));
        assert_eq!(Lines::of("").position("", 0), (1, 1));
    }
}
