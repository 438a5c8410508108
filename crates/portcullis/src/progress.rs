//! Tells how far an audit has come, when it takes long and somebody looks.

use std::io::Write as _;
use std::sync::Mutex;
use std::time::Duration;

use portcullis_audit::Progress;

use crate::environment::Environment;

/// A run that is done before this shows nothing.
const QUIET: Duration = Duration::from_secs(1);
/// Redrawn no more often than this.
const PAUSE: Duration = Duration::from_millis(100);

/// The line on standard error that is written over and over.
pub(crate) struct ProgressLine<'e> {
    environment: &'e Environment,
    drawn: Mutex<Option<Duration>>,
}

impl<'e> ProgressLine<'e> {
    pub(crate) const fn new(environment: &'e Environment) -> Self {
        Self {
            environment,
            drawn: Mutex::new(None),
        }
    }

    /// Draws the line if it is time.
    pub(crate) fn show(&self, progress: Progress) {
        let elapsed = self.environment.elapsed();
        let Ok(mut drawn) = self.drawn.lock() else {
            return;
        };
        let due = match *drawn {
            None => elapsed >= QUIET,
            Some(last) => elapsed.saturating_sub(last) >= PAUSE,
        };
        if self.environment.stderr_is_terminal && due && draw(&format!("\r{progress}\u{1b}[K")) {
            *drawn = Some(elapsed);
        }
    }
}

/// The line is gone when the report comes.
impl Drop for ProgressLine<'_> {
    fn drop(&mut self) {
        if self.drawn.lock().is_ok_and(|drawn| drawn.is_some()) {
            draw("\r\u{1b}[K");
        }
    }
}

/// Whether it could be drawn. A progress line that cannot be shown is no reason to stop.
fn draw(text: &str) -> bool {
    let mut stderr = std::io::stderr();
    stderr
        .write_all(text.as_bytes())
        .and_then(|()| stderr.flush())
        .is_ok()
}
