//! `Texts`: the texts of one token in one piece of memory: thousands of tokens are remembered, each with half a dozen of them.

use smallvec::SmallVec;

/// Where a text stands among others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Text {
    start: u16,
    end: u16,
}

/// Texts behind one another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Texts(Box<str>);

/// The same while they are collected: on the stack, as those of most tokens fit there, and what is kept is then just as large as
/// they are.
#[derive(Debug, Default)]
pub(super) struct Collected(SmallVec<[u8; 512]>);

impl Collected {
    /// Takes one more; nothing where all of them would have over 64 KiB, which no token has.
    pub(super) fn keep(&mut self, text: &str) -> Option<Text> {
        let start = u16::try_from(self.0.len()).ok()?;
        let end = u16::try_from(self.0.len() + text.len()).ok()?;
        self.0.extend_from_slice(text.as_bytes());
        Some(Text { start, end })
    }

    /// Those that were taken.
    pub(super) fn texts(self) -> Texts {
        // They were texts when they came.
        Texts(str::from_utf8(&self.0).unwrap_or_default().into())
    }
}

impl Texts {
    /// One of them; nothing where it stands among others than these.
    pub(super) fn at(&self, text: Text) -> &str {
        let range = usize::from(text.start)..usize::from(text.end);
        self.0.get(range).unwrap_or_default()
    }

    /// Bytes of all.
    pub(super) fn bytes(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_is_found_again() {
        let mut collected = Collected::default();
        let parts: Vec<Text> = ["one", "", "zwölf"]
            .iter()
            .map(|part| collected.keep(part).unwrap())
            .collect();
        let long = "x".repeat(usize::from(u16::MAX));
        assert_eq!(collected.keep(&long), None);
        let texts = collected.texts();
        let found: Vec<&str> = parts.iter().map(|part| texts.at(*part)).collect();
        assert_eq!(found, ["one", "", "zwölf"]);
        assert_eq!(texts.bytes(), 9);
        assert_eq!(Texts::default().at(parts[0]), "");
    }
}
