//! Tries literal route matchers on concrete paths, the way the framework that owns the matcher would.
//!
//! A matcher goes through three stations:
//! 1. the dialect turns its text into the JavaScript regular expression the framework's own library would build;
//! 2. that expression is read once more and written for a Rust engine, character sets spelled out;
//! 3. a request path is put into the form the framework tests (decoded or not), and tried.
//!
//! Nothing here guesses: what cannot be read is [`Unparsable`], what cannot be tried is [`Match::Unknown`], and neither
//! is ever a yes.

mod char_set;
mod express4;
mod express5;
mod express_path;
mod js_escape;
mod js_reader;
mod js_regexp;
mod next_matcher;
mod next_path;
mod path6;
mod request_path;
mod sample;

use std::fmt;

pub use express_path::canonical_express;
pub use next_matcher::{Coverage, MatcherEntry, NextMatcher, NextOptions};
pub use next_path::canonical_next;
pub use sample::{Sample, SampleKind, samples};

use js_regexp::{Flags, JsRegExp};

/// Longest pattern that is read, in bytes: the bound Next puts on a built matcher.
pub const PATTERN_BYTES_MAX: usize = 4096;

/// Longest path that is tried, in bytes.
pub const PATH_BYTES_MAX: usize = 8192;

/// Whose rules a pattern is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// `config.matcher` of a Next middleware or proxy: path-to-regexp 6, but case-sensitive, because Next keeps the
    /// text of the expression and drops its flags.
    NextConfig,
    /// `createRouteMatcher` of Clerk: path-to-regexp 6.3, defaults, on the decoded path.
    Clerk,
    /// `createRouteMatcher` of Convex Auth: as Clerk's, on the path as it was sent.
    ConvexAuth,
    /// Express 4: path-to-regexp 0.1.
    Express4,
    /// Express 5: path-to-regexp 8.
    Express5,
}

/// A pattern that could not be read, so that nothing can be said about what it matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unparsable {
    /// What stood in the way.
    pub reason: String,
}

impl Unparsable {
    fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
        }
    }
}

impl fmt::Display for Unparsable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the pattern cannot be read: {}", self.reason)
    }
}

impl std::error::Error for Unparsable {}

/// What came of trying a pattern on a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Match {
    /// The pattern matches.
    Yes,
    /// The pattern does not match.
    No,
    /// It could not be tried: the path is too long, outside the basic plane, or the search was cut short.
    Unknown,
}

impl Match {
    /// Yes when one of two is a yes; unknown when neither is and one is unknown.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Yes, _) | (_, Self::Yes) => Self::Yes,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::No, Self::No) => Self::No,
        }
    }
}

/// A compiled route pattern.
#[derive(Debug, Clone)]
pub struct PathPattern {
    dialect: Dialect,
    test: Test,
}

#[derive(Debug, Clone)]
enum Test {
    /// Every path: an Express mount at the root never looks at the path.
    Everything,
    RegExp(JsRegExp),
}

impl PathPattern {
    /// Compiles a pattern that has to match a path to its end.
    ///
    /// # Errors
    /// [`Unparsable`] when the framework would refuse the pattern, and when it uses what is not modelled here.
    pub fn compile(source: &str, dialect: Dialect) -> Result<Self, Unparsable> {
        let (regexp, flags) = match dialect {
            Dialect::NextConfig => (path6::next_source(check_length(source)?)?, Flags::default()),
            Dialect::Clerk | Dialect::ConvexAuth => {
                (path6::source(check_length(source)?)?, Flags::ignore_case())
            }
            Dialect::Express4 => (
                express4::source(check_length(source)?, true)?,
                Flags::ignore_case(),
            ),
            Dialect::Express5 => (
                express5::source(check_length(source)?, true)?,
                Flags::ignore_case(),
            ),
        };
        Ok(Self {
            dialect,
            test: Test::RegExp(JsRegExp::compile(&regexp, flags)?),
        })
    }

    /// Compiles a pattern under which something is mounted (`app.use`): in Express it has to match up to the end of a
    /// segment; the other dialects know no mounts and refuse.
    ///
    /// # Errors
    /// As [`PathPattern::compile`].
    pub fn compile_mount(source: &str, dialect: Dialect) -> Result<Self, Unparsable> {
        let source = check_length(source)?;
        let regexp = match dialect {
            Dialect::Express4 | Dialect::Express5 if source == "/" => {
                return Ok(Self {
                    dialect,
                    test: Test::Everything,
                });
            }
            Dialect::Express4 => express4::source(source, false)?,
            Dialect::Express5 => express5::source(source, false)?,
            Dialect::NextConfig | Dialect::Clerk | Dialect::ConvexAuth => {
                return Err(Unparsable::new("only Express mounts under a path"));
            }
        };
        Ok(Self {
            dialect,
            test: Test::RegExp(JsRegExp::compile(&regexp, Flags::ignore_case())?),
        })
    }

    /// Compiles a regular expression literal given in place of a path: `source` and `flags` as they stand between and
    /// behind the slashes. It is tried unanchored, as JavaScript does.
    ///
    /// # Errors
    /// [`Unparsable`] when the expression is wrong or not modelled here; the flag `g`, among others, because it makes
    /// every second answer depend on the first.
    pub fn compile_regexp(source: &str, flags: &str, dialect: Dialect) -> Result<Self, Unparsable> {
        if dialect == Dialect::NextConfig {
            return Err(Unparsable::new(
                "a matcher of Next is a string, never a regular expression",
            ));
        }
        let regexp = JsRegExp::compile(check_length(source)?, Flags::parse(flags)?)?;
        Ok(Self {
            dialect,
            test: Test::RegExp(regexp),
        })
    }

    /// Whether the compiled expression matches exactly this text.
    #[must_use]
    pub fn is_match(&self, text: &str) -> Match {
        match &self.test {
            Test::Everything => Match::Yes,
            Test::RegExp(regexp) => regexp.is_match(text),
        }
    }

    /// Whether a request for this path, as it stands in the request line without its query, is matched: the path is
    /// first put into the form the framework tests.
    #[must_use]
    pub fn matches_request(&self, path: &str) -> Match {
        match self.dialect {
            Dialect::Clerk => match request_path::clerk(path) {
                Some(text) => self.is_match(&text),
                // Clerk answers 400 before it asks any matcher.
                None => Match::Unknown,
            },
            // The path as it was sent. Newer releases of Next try the decoded path as well, which can only add
            // matches: nothing is called covered here that an older release would let through.
            Dialect::NextConfig | Dialect::ConvexAuth | Dialect::Express4 | Dialect::Express5 => {
                self.is_match(path)
            }
        }
    }
}

fn check_length(source: &str) -> Result<&str, Unparsable> {
    if source.len() > PATTERN_BYTES_MAX {
        return Err(Unparsable::new(format!(
            "it is longer than {PATTERN_BYTES_MAX} bytes"
        )));
    }
    Ok(source)
}
