//! `Exit`: what the exit code of every verb means.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

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

/// Where the last panic was.
static PLACE: Mutex<String> = Mutex::new(String::new());

/// Runs `command`; a panic in it is told and becomes an exit code, because an audit that dies must not look like one
/// that found nothing, nor like one that found something.
pub(crate) fn whatever_happens(command: impl FnOnce() -> Exit) -> Exit {
    catch_unwind(AssertUnwindSafe(command)).unwrap_or_else(|panic| {
        let place = PLACE.lock().unwrap_or_else(PoisonError::into_inner);
        Failure::internal(&told(&*panic, &place)).tell()
    })
}

/// What is told of a panic: where it was, and its message if that stands in the code. One that was put together may quote what
/// was being read, and so a secret.
fn told(panic: &(dyn Any + Send), place: &str) -> String {
    match panic.downcast_ref::<&'static str>() {
        Some(message) => format!("{message}, {place}"),
        None => format!("a panic, {place}"),
    }
}

/// Nothing is told when a panic happens: of what a guard survives it tells itself, and of what ends a run
/// [`whatever_happens`] tells, with what to do about it.
pub(crate) fn quiet_about_panics() {
    set_hook(Box::new(|panic| {
        if let Some(at) = panic.location() {
            let mut place = PLACE.lock().unwrap_or_else(PoisonError::into_inner);
            *place = format!("{}:{}", at.file(), at.line());
        }
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_was_put_together_is_not_told() {
        let panic = |act: fn()| catch_unwind(act).unwrap_err();
        let literal = panic(|| panic!("a fault"));
        assert_eq!(told(&*literal, "a.rs:1"), "a fault, a.rs:1");
        let quoting = panic(|| panic!("quoting {}", std::hint::black_box("a secret")));
        assert_eq!(told(&*quoting, "a.rs:1"), "a panic, a.rs:1");
    }

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
