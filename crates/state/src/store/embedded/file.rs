//! `StateFile`: what is kept, as tables of redb. One thread writes it.
//!
//! 1. A file is read as a whole and checked as a whole before anything in it is believed.
//! 2. A group of changes is one transaction, committed in two phases: what was acknowledged can then not be taken for torn, and
//!    rolled back, after a crash.
//! 3. After an error nobody knows what the system still has of the file (fsync tells a failure once), so it is not gone on
//!    with: a new one is written from memory, and takes its place when it is whole.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use portcullis_guard::clock::Now;
use redb::{
    Database, DatabaseError, Durability, ReadableDatabase as _, ReadableTable as _, StorageBackend,
    StorageError, TableDefinition, WriteTransaction,
};

use super::backend::Backend;
use super::disk::Disk;
use super::record::{decode, encode};
use super::timeline::{Mark, Timeline};
use crate::StateError;
use crate::store::journal::{Group, Journal};
use crate::store::memory::{Change, MemoryStore};

/// The version of what is in the tables.
const FORMAT: u64 = 1;
/// What redb may keep of the file in memory. What is live is in memory anyway.
const CACHE_BYTES: usize = 4 << 20;

const RECORDS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("records");
const FACTS: TableDefinition<'_, &str, u64> = TableDefinition::new("facts");
const FACT_FORMAT: &str = "format";
const FACT_TIME: &str = "time";
const FACT_UNIX_MILLIS: &str = "unix_millis";

/// The file of a store.
#[derive(Debug)]
pub(super) struct StateFile {
    disk: Arc<dyn Disk>,
    db: Option<Database>,
    bytes: Arc<AtomicU64>,
    timeline: Timeline,
}

/// A file that was read.
pub(super) struct Opened {
    pub(super) file: StateFile,
    /// All that is in it, also what is over.
    pub(super) records: Vec<Change>,
}

impl StateFile {
    /// Opens the file, and reads all of it. Where there is none it is made.
    ///
    /// # Errors
    ///
    /// When it cannot be used, is not ours, is of another version or damaged. It is never begun anew.
    pub(super) fn open(disk: Arc<dyn Disk>, now: Now) -> Result<Opened, StateError> {
        let path = disk.path().to_owned();
        let failed = |doing, error| StateError::file(doing, &path, error);
        // What did not become whole when somebody wrote all anew.
        disk.discard()
            .map_err(|error| failed("tidy up beside", error))?;
        let bytes = Arc::new(AtomicU64::new(0));
        let found = disk.open().map_err(|error| failed("open", error))?;
        let Some(found) = found else {
            let mut file = Self {
                timeline: Timeline::after(Mark::default(), now),
                disk,
                db: None,
                bytes,
            };
            let made = file.anew(now, |_| Ok(Vec::new()));
            made.map_err(|error| failed("make", std::io::Error::other(error)))?;
            return Ok(Opened {
                file,
                records: Vec::new(),
            });
        };
        let length = found.len().map_err(|error| failed("read", error))?;
        if length == 0 {
            return Err(StateError::damaged(&path, "it is empty"));
        }
        let read = catch_unwind(AssertUnwindSafe(|| read(found, &bytes, now)));
        let (db, timeline, records) = read
            .unwrap_or_else(|_panic| Err(Unread::Damaged("its reader panicked".to_owned())))
            .map_err(|unread| match unread {
                Unread::Damaged(why) => StateError::damaged(&path, why),
                Unread::Io(error) => failed("read", error),
                Unread::InUse => StateError::InUse(path.clone()),
                Unread::Version(found) => StateError::OtherVersion {
                    path: path.clone(),
                    found,
                    known: FORMAT,
                },
            })?;
        let file = Self {
            disk,
            db: Some(db),
            bytes,
            timeline,
        };
        Ok(Opened { file, records })
    }

    /// How long the file is at the moment; shared with whoever looks at it.
    pub(super) fn bytes(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.bytes)
    }

    /// Writes a group of changes; when this comes back without an error they are on the disk.
    pub(super) fn write(&self, group: &Group) -> Result<(), String> {
        let Some(db) = &self.db else {
            return Err("it is not open".to_owned());
        };
        let mut writing = Writing::begin(db, self.timeline)?;
        writing.changes(&group.changes)?;
        writing.commit(group.moment)
    }

    /// Writes all that is kept into a new file, which takes the place of this one; gives up to which change.
    pub(super) fn write_anew(
        &mut self,
        memory: &MemoryStore,
        journal: &Journal,
    ) -> Result<u64, String> {
        let mut up_to = 0;
        self.anew_with(|writing| {
            journal.begin_anew();
            for place in 0..memory.entry_shards() {
                let kept = memory.kept_in(place).map_err(|error| error.to_string())?;
                writing.changes(&kept)?;
            }
            let rest = journal.rest();
            let rest = rest.ok_or("more is to be kept than can be written in that time")?;
            // Over what was copied: what changed in between is as this says.
            writing.changes(&rest.changes)?;
            up_to = rest.up_to;
            Ok(rest.moment)
        })?;
        Ok(up_to)
    }

    fn anew(
        &mut self,
        now: Now,
        records: impl FnOnce(()) -> Result<Vec<Change>, String>,
    ) -> Result<(), String> {
        self.anew_with(|writing| {
            writing.changes(&records(())?)?;
            Ok(now)
        })
    }

    fn anew_with(
        &mut self,
        fill: impl FnOnce(&mut Writing) -> Result<Now, String>,
    ) -> Result<(), String> {
        self.close();
        let made = self.made(fill);
        if made.is_err() {
            // It takes room that somebody may need. What is left of it is deleted before the next try, too.
            drop(self.disk.discard());
        }
        self.db = Some(made?);
        Ok(())
    }

    fn made(
        &self,
        fill: impl FnOnce(&mut Writing) -> Result<Now, String>,
    ) -> Result<Database, String> {
        let file = self.disk.create().map_err(|error| error.to_string())?;
        let file =
            Backend::new(file, Arc::clone(&self.bytes)).map_err(|error| error.to_string())?;
        let db = redb::Builder::new()
            .set_cache_size(CACHE_BYTES)
            .create_with_backend(file)
            .map_err(told)?;
        let mut writing = Writing::begin(&db, self.timeline)?;
        let moment = fill(&mut writing)?;
        writing.commit(moment)?;
        self.disk.replace().map_err(|error| error.to_string())?;
        Ok(db)
    }

    /// Lets go of the file.
    pub(super) fn close(&mut self) {
        drop(self.db.take());
    }
}

/// Why a file was not read.
enum Unread {
    Damaged(String),
    Io(std::io::Error),
    InUse,
    Version(u64),
}

fn read(
    file: Box<dyn StorageBackend>,
    bytes: &Arc<AtomicU64>,
    now: Now,
) -> Result<(Database, Timeline, Vec<Change>), Unread> {
    let file = Backend::new(file, Arc::clone(bytes)).map_err(Unread::Io)?;
    let db = redb::Builder::new()
        .set_cache_size(CACHE_BYTES)
        .set_check_integrity_on_open(true)
        .create_with_backend(file)
        .map_err(|error| match error {
            DatabaseError::DatabaseAlreadyOpen => Unread::InUse,
            DatabaseError::UpgradeRequired(found) => Unread::Version(found.into()),
            DatabaseError::Storage(StorageError::Io(error))
                if error.kind() != std::io::ErrorKind::InvalidData
                    && error.kind() != std::io::ErrorKind::UnexpectedEof =>
            {
                Unread::Io(error)
            }
            error => Unread::Damaged(error.to_string()),
        })?;
    let damaged = |error: redb::Error| match error {
        redb::Error::Io(error) => Unread::Io(error),
        error => Unread::Damaged(error.to_string()),
    };
    let reading = db.begin_read().map_err(|error| damaged(error.into()))?;
    let facts = reading
        .open_table(FACTS)
        .map_err(|error| damaged(error.into()))?;
    let fact = |name| {
        let found = facts.get(name).map_err(|error| damaged(error.into()))?;
        let found = found.map(|found| found.value());
        found.ok_or_else(|| Unread::Damaged(format!("it has no `{name}`")))
    };
    let format = fact(FACT_FORMAT)?;
    if format != FORMAT {
        return Err(Unread::Version(format));
    }
    let mark = Mark {
        time: fact(FACT_TIME)?,
        unix_millis: fact(FACT_UNIX_MILLIS)?,
    };
    let timeline = Timeline::after(mark, now);
    let table = reading
        .open_table(RECORDS)
        .map_err(|error| damaged(error.into()))?;
    let mut records = Vec::new();
    for record in table.iter().map_err(|error| damaged(error.into()))? {
        let (name, value) = record.map_err(|error| damaged(error.into()))?;
        let record = decode(name.value(), value.value(), timeline).map_err(Unread::Damaged)?;
        records.push(record);
    }
    drop((facts, table, reading));
    Ok((db, timeline, records))
}

/// A transaction.
struct Writing {
    transaction: WriteTransaction,
    timeline: Timeline,
}

impl Writing {
    fn begin(db: &Database, timeline: Timeline) -> Result<Self, String> {
        let mut transaction = db.begin_write().map_err(told)?;
        transaction
            .set_durability(Durability::Immediate)
            .map_err(told)?;
        transaction.set_two_phase_commit(true);
        Ok(Self {
            transaction,
            timeline,
        })
    }

    fn changes(&mut self, changes: &[Change]) -> Result<(), String> {
        let mut table = self.transaction.open_table(RECORDS).map_err(told)?;
        for change in changes {
            let record = encode(change, self.timeline);
            let name = record.name.as_slice();
            match record.value {
                Some(value) => drop(table.insert(name, value.as_slice()).map_err(told)?),
                None => drop(table.remove(name).map_err(told)?),
            }
        }
        Ok(())
    }

    /// With the moment, so that the next start knows how much time has passed.
    fn commit(self, moment: Now) -> Result<(), String> {
        let mark = self.timeline.mark(moment);
        let mut facts = self.transaction.open_table(FACTS).map_err(told)?;
        for (name, number) in [
            (FACT_FORMAT, FORMAT),
            (FACT_TIME, mark.time),
            (FACT_UNIX_MILLIS, mark.unix_millis),
        ] {
            drop(facts.insert(name, number).map_err(told)?);
        }
        drop(facts);
        self.transaction.commit().map_err(told)
    }
}

/// An error of redb in words. It names no key and no value.
fn told(error: impl Into<redb::Error>) -> String {
    error.into().to_string()
}

/// How long a file is that somebody writes.
pub(super) fn length(bytes: &AtomicU64) -> u64 {
    bytes.load(Ordering::Relaxed)
}
