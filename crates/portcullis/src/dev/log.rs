//! `Log`: writes lines to standard output from a thread of its own: nobody who serves waits for a terminal.

use std::io::{Write as _, stdout};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use crate::failure::Failure;

/// Lines that wait to be written. What comes when they are full is left out, and counted.
const WAITING_MAX: usize = 4096;

/// How long the end waits for the last lines: who reads nothing has read enough.
const PATIENCE: Duration = Duration::from_secs(1);

/// A log to standard output.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    way: Mutex<Option<SyncSender<String>>>,
    left_out: Arc<AtomicU64>,
    /// Ends with the thread.
    over: Mutex<Receiver<()>>,
}

impl Log {
    /// Starts its thread.
    pub(crate) fn start() -> Result<Self, Failure> {
        let (way, lines) = sync_channel::<String>(WAITING_MAX);
        let left_out = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&left_out);
        let (writing, over) = channel::<()>();
        std::thread::Builder::new()
            .name("portcullis-log".to_owned())
            .spawn(move || {
                for line in lines {
                    let missing = count.swap(0, Ordering::Relaxed);
                    if missing > 0 {
                        // With standard output closed nobody reads.
                        drop(writeln!(stdout(), "{missing} requests are not shown here"));
                    }
                    drop(stdout().write_all(line.as_bytes()));
                    drop(stdout().flush());
                }
                drop(writing);
            })
            .map_err(|error| Failure::caused("cannot start a thread", &error))?;
        let inner = Inner {
            way: Mutex::new(Some(way)),
            left_out,
            over: Mutex::new(over),
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Writes a line, and waits for nothing.
    pub(crate) fn write(&self, line: String) {
        let way = self
            .inner
            .way
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(way) = way.as_ref()
            && way.try_send(line).is_err()
        {
            self.inner.left_out.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Writes what waits, and ends.
    pub(crate) fn end(&self) {
        drop(
            self.inner
                .way
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        let over = self
            .inner
            .over
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        // Nothing is ever sent: it ends, or patience does.
        match over.recv_timeout(PATIENCE) {
            Ok(()) | Err(_) => {}
        }
    }
}
