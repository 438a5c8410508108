//! The thread that writes what is kept, group by group.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use super::file::StateFile;
use crate::StateError;
use crate::store::journal::{Journal, Work};
use crate::store::memory::MemoryStore;

/// Starts it.
pub(super) fn start(
    file: StateFile,
    memory: Arc<MemoryStore>,
    journal: Arc<Journal>,
) -> Result<JoinHandle<()>, StateError> {
    let writer = Writer {
        file,
        memory,
        journal,
    };
    thread::Builder::new()
        .name("portcullis-store".to_owned())
        .spawn(move || writer.run())
        .map_err(StateError::NoThread)
}

struct Writer {
    file: StateFile,
    memory: Arc<MemoryStore>,
    journal: Arc<Journal>,
}

impl Writer {
    fn run(mut self) {
        // Nobody waits for a thread that is gone, whatever became of it.
        let journal = Arc::clone(&self.journal);
        let _ended = Ended(&journal);
        loop {
            let work = self.journal.next();
            if matches!(work, Work::End) {
                break;
            }
            // redb has panicked over files that something else had changed.
            let done = catch_unwind(AssertUnwindSafe(|| self.work(work)));
            match done.unwrap_or_else(|_panic| Err("the writer of the file panicked".to_owned())) {
                Ok(up_to) => self.journal.wrote(up_to),
                Err(why) => {
                    self.journal.failed(why);
                    if self.journal.closes() {
                        break;
                    }
                }
            }
        }
        drop(catch_unwind(AssertUnwindSafe(|| self.file.close())));
    }

    /// Gives up to which change all is on the disk.
    fn work(&mut self, work: Work) -> Result<u64, String> {
        match work {
            Work::Write(group) => {
                self.file.write(&group)?;
                Ok(group.up_to)
            }
            Work::Anew | Work::End => self.file.write_anew(&self.memory, &self.journal),
        }
    }
}

struct Ended<'j>(&'j Journal);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}
