//! `Failure`: why a command could not do what it was asked.

use std::error::Error;
use std::io::Write as _;

use portcullis_report::{harmless, harmless_line};

use crate::exit::Exit;

/// What is told on standard error, and the exit code that goes with it.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    message: String,
}

impl Failure {
    /// The caller can put it right.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self {
            exit: Exit::Usage,
            message: message.into(),
        }
    }

    /// The caller can put it right, and the reason is another error.
    pub(crate) fn caused(message: &str, error: &dyn Error) -> Self {
        let mut text = message.to_owned();
        let mut cause = Some(error);
        while let Some(error) = cause {
            let separator = if text.is_empty() { "" } else { ": " };
            text.push_str(separator);
            text.push_str(&error.to_string());
            cause = error.source();
        }
        Self::usage(text)
    }

    /// Only we can put it right.
    pub(crate) fn internal(what: &str) -> Self {
        let what = harmless_line(what);
        Self {
            exit: Exit::Internal,
            message: format!(
                "internal error: {what}\nthis is a fault of portcullis, and nothing can be said about the code; \
                 please report it with the command that led here"
            ),
        }
    }

    /// What is told.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// Tells it, and answers with the exit code.
    pub(crate) fn tell(&self) -> Exit {
        let told = writeln!(std::io::stderr(), "error: {}", harmless(&self.message));
        // With standard error closed the exit code is all that is left to tell.
        match told {
            Ok(()) | Err(_) => self.exit,
        }
    }
}
