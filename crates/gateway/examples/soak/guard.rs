//! `Guard`: the program that is tried, as a process.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::{Fault, now};

/// How long it may take to say that it is there, and to end.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often its words are looked for.
const STEP: Duration = Duration::from_millis(10);

/// A running guard.
pub(crate) struct Guard {
    child: Child,
    said: Arc<Said>,
    reading: Option<JoinHandle<()>>,
}

/// What it has said on standard error.
#[derive(Default)]
struct Said {
    started: AtomicU64,
    taken: AtomicU64,
    refused: AtomicU64,
    last: std::sync::Mutex<String>,
}

impl Guard {
    /// Starts it, and waits until it says that it guards.
    pub(crate) fn start(program: &Path, folder: &Path, policy: &Path) -> Result<Self, Fault> {
        let mut child = Command::new(program)
            .args(["guard", "--workers", "2", "--policy"])
            .arg(policy)
            .arg("--state-dir")
            .arg(folder.join("state"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let said = Arc::new(Said::default());
        let reading = child.stderr.take().map(|errors| {
            let said = Arc::clone(&said);
            thread::spawn(move || {
                for line in BufReader::new(errors).lines().map_while(Result::ok) {
                    said.hear(line);
                }
            })
        });
        let mut guard = Self {
            child,
            said,
            reading,
        };
        let begun = now();
        while guard.said.started.load(Ordering::SeqCst) == 0 {
            if !guard.is_running()? || begun.elapsed() > PATIENCE {
                return Err(format!("the guard does not start: {}", guard.said.last()).into());
            }
            thread::sleep(STEP);
        }
        Ok(guard)
    }

    /// How many policies it has taken and refused since it started.
    pub(crate) fn heard(&self) -> [u64; 2] {
        [&self.said.taken, &self.said.refused].map(|count| count.load(Ordering::SeqCst))
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it is still there.
    pub(crate) fn is_running(&mut self) -> Result<bool, Fault> {
        Ok(self.child.try_wait()?.is_none())
    }

    /// Tells it to end, and waits until it has; an exit code other than 0 is a fault.
    pub(crate) fn end(mut self) -> Result<(), Fault> {
        let id = self.child.id().to_string();
        let told = Command::new("kill").args(["-TERM", &id]).status()?;
        if !told.success() {
            return Err("it was gone before".into());
        }
        let begun = now();
        let status = loop {
            if let Some(status) = self.child.try_wait()? {
                break status;
            }
            if begun.elapsed() > PATIENCE {
                return Err("it does not end".into());
            }
            thread::sleep(STEP);
        };
        if let Some(reading) = self.reading.take() {
            drop(reading.join());
        }
        if status.success() {
            Ok(())
        } else {
            Err(format!("{status}: {}", self.said.last()).into())
        }
    }
}

impl Drop for Guard {
    /// Nothing is left running, however the soak ends.
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            drop(self.child.kill());
            drop(self.child.wait());
        }
    }
}

impl Said {
    fn hear(&self, line: String) {
        let count = if line.starts_with("portcullis: guarding ") {
            Some(&self.started)
        } else if line.contains("another policy is in force") {
            Some(&self.taken)
        } else if line.contains("the changed policy is not taken") {
            Some(&self.refused)
        } else {
            None
        };
        if let Ok(mut last) = self.last.lock() {
            *last = line;
        }
        if let Some(count) = count {
            count.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn last(&self) -> String {
        self.last
            .lock()
            .map(|last| last.clone())
            .unwrap_or_default()
    }
}
