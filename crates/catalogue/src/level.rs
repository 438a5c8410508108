//! `Level`: how strongly a seed asks for something.

use crate::word::words;

/// How strongly a seed asks, by its own words and their weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Without it a service is not to be run.
    Must,
    /// To be had, unless there is a reason not to.
    Should,
    /// Good to know, or to look at from time to time.
    Advice,
}

words!(Level, "level", {
    Must => "must",
    Should => "should",
    Advice => "advice",
});
