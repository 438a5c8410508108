//! Reads a JavaScript regular expression and writes the same language for a Rust engine.
//!
//! Only whether it matches is asked, never what was captured, so every group is written without a capture and a
//! back-reference makes the expression unparsable. Characters are written as sets of numbers: what `.`, `\s`, `\w` and
//! the flag `i` mean is decided here, by ECMA-262, and not by the engine.

use super::js_reader::Reader;
use super::{Match, PATH_BYTES_MAX, Unparsable};

/// Longest source that is read, in bytes; generated sources are longer than the patterns they come from.
const SOURCE_BYTES_MAX: usize = 32 * 1024;
/// Steps back after which a search is given up.
const BACKTRACK_MAX: usize = 200_000;
/// Memory that one compiled part may take, in bytes.
const PROGRAM_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The flags of a regular expression literal that are modelled.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Flags {
    pub(super) ignore_case: bool,
    pub(super) multiline: bool,
    pub(super) dot_all: bool,
}

impl Flags {
    pub(super) fn ignore_case() -> Self {
        Self {
            ignore_case: true,
            ..Self::default()
        }
    }

    pub(super) fn parse(flags: &str) -> Result<Self, Unparsable> {
        let mut parsed = Self::default();
        let mut seen = Vec::new();
        for flag in flags.chars() {
            if seen.contains(&flag) {
                return Err(Unparsable::new(format!(
                    "the flag `{flag}` stands there twice"
                )));
            }
            seen.push(flag);
            match flag {
                'i' => parsed.ignore_case = true,
                'm' => parsed.multiline = true,
                's' => parsed.dot_all = true,
                'd' => {}
                'g' | 'y' => {
                    return Err(Unparsable::new(format!(
                        "the flag `{flag}` keeps state between two tests"
                    )));
                }
                _ => {
                    return Err(Unparsable::new(format!(
                        "the flag `{flag}` is not modelled"
                    )));
                }
            }
        }
        Ok(parsed)
    }
}

/// A compiled expression.
#[derive(Debug, Clone)]
pub(super) struct JsRegExp {
    regex: fancy_regex::Regex,
}

impl JsRegExp {
    pub(super) fn compile(source: &str, flags: Flags) -> Result<Self, Unparsable> {
        if source.len() > SOURCE_BYTES_MAX {
            return Err(Unparsable::new(format!(
                "its expression is longer than {SOURCE_BYTES_MAX} bytes"
            )));
        }
        let written = Reader::new(source, flags).whole()?;
        let regex = fancy_regex::RegexBuilder::new(&written)
            .backtrack_limit(BACKTRACK_MAX)
            .delegate_size_limit(PROGRAM_BYTES_MAX)
            .max_prog_size(PROGRAM_BYTES_MAX)
            .build()
            .map_err(|error| Unparsable::new(format!("the engine refuses it: {error}")))?;
        Ok(Self { regex })
    }

    pub(super) fn is_match(&self, text: &str) -> Match {
        // Outside the basic plane JavaScript sees two units where Rust sees one character.
        if text.len() > PATH_BYTES_MAX || text.chars().any(|c| u32::from(c) > 0xFFFF) {
            return Match::Unknown;
        }
        match self.regex.is_match(text) {
            Ok(true) => Match::Yes,
            Ok(false) => Match::No,
            Err(_) => Match::Unknown,
        }
    }
}
