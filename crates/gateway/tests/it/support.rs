//! What the tests stand on: a gateway in this process, an application that writes everything down, a client of bytes.

pub(crate) mod browser;
pub(crate) mod callers;
mod client;
mod gate;
pub(crate) mod house;
pub(crate) mod issuer;
pub(crate) mod keys;
mod message;
mod stores;
mod trust;
mod upstream;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use portcullis_state::SystemClock;
use portcullis_state::trail::{Trail, TrailOptions};

pub(crate) use client::{Answer, Client};
pub(crate) use gate::{Gate, SEED, Setup, admin_credential, simple};
pub(crate) use message::{Request, assert_normal, split};
pub(crate) use stores::{AtOnce, PanickingStore, Panics, SECRET};
pub(crate) use trust::Made;
pub(crate) use upstream::{Talk, Upstream};

/// An audit trail in a folder, without a key that signs and without a second place.
pub(crate) fn open_trail(folder: &Path) -> Arc<Trail> {
    let trail = Trail::open(TrailOptions {
        folder: folder.to_owned(),
        signing_key: None,
        checkpoints: None,
        clock: SystemClock::start(),
        told: Arc::new(|_| {}),
    });
    Arc::new(trail.unwrap())
}

/// No wait of a test is longer: what takes longer has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// A folder of `fixtures/vectors`.
pub(crate) fn vectors(folder: &str) -> String {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/vectors/");
    format!("{root}{folder}/")
}

/// A GET of a path of the simple policy.
pub(crate) fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: victim.test\r\n\r\n")
}

/// A POST to a path of the simple policy, with a body of a length.
pub(crate) fn post(path: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: victim.test\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

/// How long something takes.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where the tests read a clock"
)]
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let begun = Instant::now();
    let done = work();
    (begun.elapsed(), done)
}

/// Asks again and again, until it is so or patience ends. Whether it is so.
pub(crate) fn eventually(mut is_so: impl FnMut() -> bool) -> bool {
    let pause = Duration::from_millis(5);
    for _ in 0..PATIENCE.as_millis() / pause.as_millis() {
        if is_so() {
            return true;
        }
        std::thread::sleep(pause);
    }
    is_so()
}
