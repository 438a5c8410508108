//! Measures what it costs to keep an entry durably on the disk of a folder, alone and with 64 that wait at a time:
//! `cargo run --release -p portcullis-state --example durable_commits -- FOLDER`.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a measurement for people: it prints, and ends where something fails"
)]

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use portcullis_guard::clock::SECOND;
use portcullis_guard::store::{Ask, Durability, Key, Space, Store as _, Value};
use portcullis_state::store::embedded::{Disk, FileDisk};
use portcullis_state::store::wait::wait;
use portcullis_state::{EmbeddedStore, MemoryOptions, MemoryStore, StateDir, SystemClock};
use redb::StorageBackend;

const ALONE: u64 = 300;
const EACH: u64 = 100;
const THREADS: u64 = 64;

/// A disk that counts how often it is told to write all out.
#[derive(Debug)]
struct Counting(FileDisk, Arc<AtomicU64>);

#[derive(Debug)]
struct CountingFile(Box<dyn StorageBackend>, Arc<AtomicU64>);

impl Counting {
    fn file(&self, file: Box<dyn StorageBackend>) -> Box<dyn StorageBackend> {
        Box::new(CountingFile(file, Arc::clone(&self.1)))
    }
}

impl Disk for Counting {
    fn path(&self) -> &Path {
        self.0.path()
    }

    fn open(&self) -> io::Result<Option<Box<dyn StorageBackend>>> {
        Ok(self.0.open()?.map(|file| self.file(file)))
    }

    fn create(&self) -> io::Result<Box<dyn StorageBackend>> {
        Ok(self.file(self.0.create()?))
    }

    fn replace(&self) -> io::Result<()> {
        self.0.replace()
    }

    fn discard(&self) -> io::Result<()> {
        self.0.discard()
    }
}

impl StorageBackend for CountingFile {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write(offset, data)
    }
}

fn put(store: &EmbeddedStore, clock: SystemClock, name: u64) {
    let ask = Ask::PutIfAbsent {
        key: Key::new(Space::Nonce, &name.to_be_bytes()),
        value: Value::from_slice(&[7; 40]),
        lives: 600 * SECOND,
        durability: Durability::Durable,
    };
    wait(store.ask(&[ask], clock.now())).unwrap();
}

/// Runs it in so many threads; gives each one's times, sorted, and the seconds that all took.
fn timed(threads: u64, each: u64, work: impl Fn(u64) + Sync) -> (Vec<u64>, f64) {
    let clock = SystemClock::start();
    let start = clock.monotonic();
    let mut times: Vec<u64> = thread::scope(|scope| {
        let running: Vec<_> = (0..threads)
            .map(|thread| {
                let work = &work;
                scope.spawn(move || {
                    let one = |number| {
                        let before = clock.monotonic();
                        work(thread * each + number);
                        clock.monotonic() - before
                    };
                    (0..each).map(one).collect::<Vec<u64>>()
                })
            })
            .collect();
        running
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    #[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
    let seconds = (clock.monotonic() - start) as f64 / 1e9;
    times.sort_unstable();
    (times, seconds)
}

#[expect(clippy::cast_precision_loss, reason = "shown with few digits")]
fn tell(what: &str, (times, seconds): &(Vec<u64>, f64), syncs: u64) {
    let count = times.len() as f64;
    let percent = |share: usize| times[(times.len() - 1) * share / 100] as f64 / 1e6;
    println!(
        "{what}: {:.0}/s, p50 {:.2} ms, p99 {:.2} ms, max {:.2} ms, {syncs} syncs, {:.0} syncs/s, {:.2} kept for each sync",
        count / seconds,
        percent(50),
        percent(99),
        percent(100),
        syncs as f64 / seconds,
        count / syncs as f64,
    );
}

fn main() {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap());
    let clock = SystemClock::start();
    let directory = StateDir::open(&folder).unwrap();
    let syncs = Arc::new(AtomicU64::new(0));
    let disk = Counting(FileDisk::new(&directory), Arc::clone(&syncs));
    let memory = MemoryStore::open(MemoryOptions::default(), directory, clock.now()).unwrap();
    let store = EmbeddedStore::open_on(disk, memory, clock.now()).unwrap();

    let base = clock.now().unix_millis << 20;
    let before = syncs.load(Ordering::Relaxed);
    let times = timed(1, ALONE, |number| put(&store, clock, base + number));
    tell("alone", &times, syncs.load(Ordering::Relaxed) - before);

    let before = syncs.load(Ordering::Relaxed);
    let times = timed(THREADS, EACH, |number| {
        put(&store, clock, base + (1 << 18) + number)
    });
    tell(
        "64 at a time",
        &times,
        syncs.load(Ordering::Relaxed) - before,
    );
    println!(
        "{} bytes of file, {:?}",
        store.file_bytes(),
        store.used().unwrap()
    );
}
