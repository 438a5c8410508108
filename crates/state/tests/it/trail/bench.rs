//! What the tests of the trail share: a folder, a runtime, records, and a look from outside.

use std::collections::BTreeSet;
use std::fs::File;
use std::future::Future;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use portcullis_policy::Method;
use portcullis_policy::event::EventVerdict;
use portcullis_state::SystemClock;
use portcullis_state::trail::{
    Body, Trail, TrailError, TrailFilter, TrailNews, TrailOptions, TrailReader, TrailRecord,
    Verified, VerifyError, VerifyOptions, verify,
};
use sqlx::ConnectOptions as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

pub(crate) type News = Arc<Mutex<Vec<TrailNews>>>;

pub(crate) struct Bench {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) news: News,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            news: News::default(),
        }
    }

    /// The state folder.
    pub(crate) fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.state().join("trail.sqlite")
    }

    /// The second place, on the same disk: what it is for does not depend on that here.
    pub(crate) fn checkpoints(&self) -> PathBuf {
        self.folder.path().join("checkpoints.jsonl")
    }

    pub(crate) fn options(&self) -> TrailOptions {
        let news = Arc::clone(&self.news);
        TrailOptions {
            folder: self.state(),
            signing_key: None,
            checkpoints: Some(self.checkpoints()),
            clock: SystemClock::start(),
            told: Arc::new(move |one| news.lock().unwrap().push(one)),
        }
    }

    pub(crate) fn open(&self) -> Result<Trail, TrailError> {
        Trail::open(self.options())
    }

    pub(crate) fn verify(&self) -> Result<Verified, VerifyError> {
        verify_at(&self.database(), Some(&self.checkpoints()))
    }

    /// All that the records say, and the bytes of every file of the folder.
    pub(crate) fn all_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for entry in std::fs::read_dir(self.state()).unwrap() {
            bytes.extend(std::fs::read(entry.unwrap().path()).unwrap());
        }
        bytes
    }
}

pub(crate) fn verify_at(
    database: &Path,
    checkpoints: Option<&Path>,
) -> Result<Verified, VerifyError> {
    let mut reader = TrailReader::open(database)?;
    let checkpoints = checkpoints.map(|path| BufReader::new(File::open(path).unwrap()));
    let keys = BTreeSet::new();
    verify(&mut reader, VerifyOptions { keys, checkpoints })
}

/// All records; on a thread of its own, as a loop cannot run inside another.
pub(crate) fn records(database: &Path) -> Vec<Body> {
    let read = || {
        let mut reader = TrailReader::open(database).unwrap();
        let found = reader.after(0, &TrailFilter::default(), 1_000_000);
        found.unwrap().into_iter().map(|(body, _)| body).collect()
    };
    std::thread::scope(|scope| scope.spawn(read).join().unwrap())
}

/// The loop of one worker of the gateway.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap()
        .block_on(future)
}

pub(crate) fn delete(trail: &Trail, request: &str) -> TrailRecord {
    filled(TrailRecord::intent(), trail, request)
}

pub(crate) fn filled(record: TrailRecord, trail: &Trail, request: &str) -> TrailRecord {
    record
        .request(request)
        .user("user_1", trail.names())
        .tenant("org_1", trail.names())
        .session(b"a session", trail.names())
        .client("203.0.113.7".parse().unwrap(), trail.names())
        .action(Some(Method::Delete), "/items/{id}")
        .target("id", "17", trail.names())
        .verdict(EventVerdict::Allowed, "forwarded")
        .rule("audit_trail", Some(12))
}

/// A connection of somebody who can write the file.
pub(crate) async fn stranger(database: &Path) -> SqliteConnection {
    SqliteConnectOptions::new()
        .filename(database)
        .connect()
        .await
        .unwrap()
}
