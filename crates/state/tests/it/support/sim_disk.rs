//! `SimDisk`: a disk in memory that fails at the n-th call as it is told to, and loses what was not synced when the power fails.

use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use portcullis_state::store::embedded::Disk;
use redb::StorageBackend;

const SECTOR: usize = 512;

/// What becomes of calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// All goes well.
    None,
    /// The n-th call fails, and none after it.
    Once(usize),
    /// The n-th call fails after half of it was done.
    Half(usize),
    /// The n-th call fails, and all after it.
    From(usize),
    /// From the n-th call on none comes back.
    Hangs(usize),
}

/// One disk with two files; copies of it are the same disk.
#[derive(Clone, Debug)]
pub(crate) struct SimDisk(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    sim: Mutex<Sim>,
    released: Condvar,
}

#[derive(Debug)]
struct Sim {
    files: HashMap<u32, SimFile>,
    made: u32,
    state: Option<u32>,
    new: Option<u32>,
    calls: usize,
    trouble: Trouble,
    error: ErrorKind,
}

#[derive(Clone, Debug, Default)]
struct SimFile {
    /// What the system shows.
    seen: Vec<u8>,
    /// What survives a loss of power.
    synced: Vec<u8>,
    /// What may survive it.
    unsynced: Vec<Step>,
}

#[derive(Clone, Debug)]
enum Step {
    Write(usize, Vec<u8>),
    Length(usize),
}

impl SimDisk {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Shared {
            sim: Mutex::new(Sim {
                files: HashMap::new(),
                made: 0,
                state: None,
                new: None,
                calls: 0,
                trouble: Trouble::None,
                error: ErrorKind::StorageFull,
            }),
            released: Condvar::new(),
        }))
    }

    /// Counts calls anew, and treats them so.
    pub(crate) fn make(&self, trouble: Trouble) {
        let mut sim = self.sim();
        sim.calls = 0;
        sim.trouble = trouble;
        self.0.released.notify_all();
    }

    /// What kind of error it gives from now on.
    pub(crate) fn fails_with(&self, error: ErrorKind) {
        self.sim().error = error;
    }

    /// How many calls there were since then.
    pub(crate) fn calls(&self) -> usize {
        self.sim().calls
    }

    /// The disk as it may be after the power failed now: of what was not synced any part may be there.
    pub(crate) fn after_power_loss(&self, seed: u64) -> Self {
        let mut chance = Chance(seed | 1);
        let sim = self.sim();
        let after = Self::new();
        let mut left = after.sim();
        left.made = sim.made;
        for (name, id) in [(true, sim.state), (false, sim.new)] {
            let Some(id) = id else { continue };
            let file = sim.files[&id].after_power_loss(&mut chance);
            left.files.insert(id, file);
            if name {
                left.state = Some(id);
            } else if chance.half() {
                left.new = Some(id);
            }
        }
        drop(left);
        after
    }

    fn sim(&self) -> MutexGuard<'_, Sim> {
        self.0.sim.lock().unwrap()
    }

    /// Does something on the disk, or a half of it, or not.
    fn call<R>(
        &self,
        whole: impl FnOnce(&mut Sim) -> io::Result<R>,
        half: impl FnOnce(&mut Sim),
    ) -> io::Result<R> {
        let mut sim = self.sim();
        let number = sim.calls;
        sim.calls += 1;
        loop {
            let failed = Err(io::Error::from(sim.error));
            match sim.trouble {
                Trouble::Once(at) if at == number => return failed,
                Trouble::Half(at) if at == number => {
                    half(&mut sim);
                    return failed;
                }
                Trouble::From(at) if number >= at => return failed,
                Trouble::Hangs(at) if number >= at => {
                    sim = self.0.released.wait(sim).unwrap();
                }
                _ => return whole(&mut sim),
            }
        }
    }
}

impl SimFile {
    fn after_power_loss(&self, chance: &mut Chance) -> Self {
        let mut bytes = self.synced.clone();
        for step in &self.unsynced {
            match step {
                Step::Length(length) if chance.half() => bytes.resize(*length, 0),
                Step::Length(_) => {}
                Step::Write(offset, data) => {
                    // Sectors are written whole, in any order, or not at all.
                    for (number, sector) in data.chunks(SECTOR).enumerate() {
                        if chance.half() {
                            write(&mut bytes, offset + number * SECTOR, sector);
                        }
                    }
                }
            }
        }
        Self {
            seen: bytes.clone(),
            synced: bytes,
            unsynced: Vec::new(),
        }
    }
}

fn write(bytes: &mut Vec<u8>, offset: usize, data: &[u8]) {
    let end = offset + data.len();
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    bytes[offset..end].copy_from_slice(data);
}

/// Numbers that look random, and are the same each time.
#[derive(Debug)]
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % end
    }

    pub(crate) fn half(&mut self) -> bool {
        self.below(2) == 0
    }
}

impl Disk for SimDisk {
    fn path(&self) -> &Path {
        Path::new("simulated/state.redb")
    }

    fn open(&self) -> io::Result<Option<Box<dyn StorageBackend>>> {
        self.call(|sim| Ok(sim.state), |_| {})
            .map(|found| found.map(|id| self.handle(id)))
    }

    fn create(&self) -> io::Result<Box<dyn StorageBackend>> {
        let made = |sim: &mut Sim| {
            sim.made += 1;
            sim.files.insert(sim.made, SimFile::default());
            sim.new = Some(sim.made);
            sim.made
        };
        let id = self.call(
            |sim| Ok(made(sim)),
            |sim| {
                made(sim);
            },
        )?;
        Ok(self.handle(id))
    }

    fn replace(&self) -> io::Result<()> {
        // Half of it: the new name is there, and nobody was told.
        self.call(
            |sim| {
                sim.state = sim.new.take();
                Ok(())
            },
            |sim| sim.state = sim.new.take(),
        )
    }

    fn discard(&self) -> io::Result<()> {
        self.call(
            |sim| {
                sim.new = None;
                Ok(())
            },
            |_| {},
        )
    }
}

impl SimDisk {
    fn handle(&self, id: u32) -> Box<dyn StorageBackend> {
        Box::new(Handle {
            disk: self.clone(),
            id,
        })
    }
}

#[derive(Debug)]
struct Handle {
    disk: SimDisk,
    id: u32,
}

impl Handle {
    fn file<R>(
        &self,
        whole: impl FnOnce(&mut SimFile) -> io::Result<R>,
        half: impl FnOnce(&mut SimFile),
    ) -> io::Result<R> {
        let id = self.id;
        self.disk.call(
            |sim| whole(sim.files.get_mut(&id).unwrap()),
            |sim| half(sim.files.get_mut(&id).unwrap()),
        )
    }
}

impl SimFile {
    fn step(&mut self, step: Step) {
        match &step {
            Step::Length(length) => self.seen.resize(*length, 0),
            Step::Write(offset, data) => write(&mut self.seen, *offset, data),
        }
        self.unsynced.push(step);
    }
}

impl StorageBackend for Handle {
    fn len(&self) -> io::Result<u64> {
        self.file(|file| Ok(file.seen.len() as u64), |_| {})
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let offset = usize::try_from(offset).unwrap();
        self.file(
            |file| {
                let found = file.seen.get(offset..offset + out.len());
                out.copy_from_slice(found.ok_or(ErrorKind::UnexpectedEof)?);
                Ok(())
            },
            |_| {},
        )
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let length = usize::try_from(len).unwrap();
        self.file(
            |file| {
                file.step(Step::Length(length));
                Ok(())
            },
            |file| {
                let half = usize::midpoint(file.seen.len(), length);
                file.step(Step::Length(half));
            },
        )
    }

    fn sync_data(&self) -> io::Result<()> {
        self.file(
            |file| {
                for step in std::mem::take(&mut file.unsynced) {
                    match step {
                        Step::Length(length) => file.synced.resize(length, 0),
                        Step::Write(offset, data) => write(&mut file.synced, offset, &data),
                    }
                }
                Ok(())
            },
            // As systems do it: the pages are shown as written from now on, and are not on the disk.
            |file| file.unsynced.clear(),
        )
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let offset = usize::try_from(offset).unwrap();
        self.file(
            |file| {
                file.step(Step::Write(offset, data.to_vec()));
                Ok(())
            },
            |file| file.step(Step::Write(offset, data[..data.len() / 2].to_vec())),
        )
    }
}
