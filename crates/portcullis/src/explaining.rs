//! Decides requests offline, by the same core that the guard decides by, and tells how it came to its answer.

pub(crate) mod answer;
pub(crate) mod asked;
pub(crate) mod check;
pub(crate) mod expectation;
pub(crate) mod explanation;
pub(crate) mod forwarding;
pub(crate) mod jsonl;
mod login;
pub(crate) mod moment;
pub(crate) mod paint;
pub(crate) mod rehearsal;
mod rehearsed_key;
pub(crate) mod render_json;
pub(crate) mod render_terminal;
pub(crate) mod text_file;
pub(crate) mod toml_table;

/// The most that one request is asked again.
pub(crate) const TIMES_MAX: u32 = 100_000;
