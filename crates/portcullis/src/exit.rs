//! `Exit`: what the exit code of every verb means.

use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};
use std::process::ExitCode;

use crate::failure::Failure;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Nothing at or above the severity that fails.
    Clean = 0,
    /// Findings at or above it.
    Findings = 1,
    /// The arguments or the policy cannot be used.
    Usage = 2,
    /// There was nothing to read.
    NothingToRead = 3,
    /// A fault of ours.
    Internal = 70,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Runs `command`; a panic in it is told and becomes an exit code, because an audit that dies must not look like one
/// that found nothing, nor like one that found something.
pub(crate) fn whatever_happens(command: impl FnOnce() -> Exit) -> Exit {
    catch_unwind(AssertUnwindSafe(command)).unwrap_or_else(|panic| {
        let what = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("no message");
        Failure::internal(what).tell()
    })
}

/// The message is told once, by [`whatever_happens`], with what to do about it.
pub(crate) fn quiet_about_panics() {
    set_hook(Box::new(|_| {}));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_internal_error() {
        assert_eq!(whatever_happens(|| Exit::Findings), Exit::Findings);
        assert_eq!(whatever_happens(|| panic!("a fault")), Exit::Internal);
        assert_eq!(
            ExitCode::from(Exit::Internal),
            ExitCode::from(70),
            "the code that scripts look for"
        );
    }
}
