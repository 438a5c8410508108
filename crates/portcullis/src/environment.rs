//! `Environment`: everything a run takes from outside its arguments; the only reader of variables, clock and terminal.

use std::ffi::OsString;
use std::io::{IsTerminal as _, stderr, stdout};
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use portcullis_policy::Date;

use crate::failure::Failure;

const SECONDS_A_DAY: u64 = 86_400;

/// What was found at the start.
#[derive(Debug)]
pub(crate) struct Environment {
    /// Whether the user asked for no colours (no-color.org: set and not empty).
    pub(crate) no_color: bool,
    /// Whether somebody looks at standard output.
    pub(crate) stdout_is_terminal: bool,
    /// Whether somebody looks at standard error.
    pub(crate) stderr_is_terminal: bool,
    /// Where the user's programs keep what they can make again (XDG Base Directory Specification).
    pub(crate) cache_home: Option<PathBuf>,
    /// The day in UTC, or the one that `PORTCULLIS_TODAY` names.
    pub(crate) today: Date,
    started: Instant,
}

impl Environment {
    /// Reads it, once.
    pub(crate) fn read() -> Result<Self, Failure> {
        Ok(Self {
            no_color: variable("NO_COLOR").is_some_and(|value| !value.is_empty()),
            stdout_is_terminal: stdout().is_terminal(),
            stderr_is_terminal: stderr().is_terminal(),
            cache_home: cache_home(variable_os("XDG_CACHE_HOME"), variable_os("HOME")),
            today: today(variable("PORTCULLIS_TODAY").as_deref())?,
            started: now(),
        })
    }

    /// The day as it is by now, for a run that lasts for days.
    pub(crate) fn day(&self) -> Date {
        today(variable("PORTCULLIS_TODAY").as_deref()).unwrap_or(self.today)
    }

    /// How long this run has taken. It may decide what is shown as progress, and nothing that is found.
    pub(crate) fn elapsed(&self) -> Duration {
        now().saturating_duration_since(self.started)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the place that reads the environment"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// What a variable holds, text or not.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the place that reads the environment"
)]
pub(crate) fn variable_os(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// The specification has a path that is not absolute be taken for none.
fn cache_home(told: Option<OsString>, home: Option<OsString>) -> Option<PathBuf> {
    let absolute = |text: OsString| Some(PathBuf::from(text)).filter(|path| path.is_absolute());
    told.and_then(absolute)
        .or_else(|| Some(home.and_then(absolute)?.join(".cache")))
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the place that reads the clock"
)]
fn now() -> Instant {
    Instant::now()
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the place that reads the clock"
)]
fn today(told: Option<&str>) -> Result<Date, Failure> {
    if let Some(told) = told {
        return told
            .parse()
            .map_err(|error| Failure::caused(&format!("`PORTCULLIS_TODAY` is `{told}`"), &error));
    }
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .ok()
        .and_then(|since| Date::of_unix_day(since.as_secs() / SECONDS_A_DAY))
        .ok_or_else(|| Failure::usage("the clock of this machine is wrong, set `PORTCULLIS_TODAY`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caches_lie_where_the_user_has_them() {
        let path = |told: &str, home: &str| cache_home(Some(told.into()), Some(home.into()));
        assert_eq!(path("/c", "/h"), Some(PathBuf::from("/c")));
        assert_eq!(path("c", "/h"), Some(PathBuf::from("/h/.cache")));
        assert_eq!(path("", "h"), None);
    }

    #[test]
    fn a_day_that_is_told_wins_and_must_be_one() {
        assert_eq!(today(Some("2027-01-31")).unwrap().to_string(), "2027-01-31");
        assert!(today(Some("soon")).is_err());
    }
}
