//! What is kept over a restart, and what is refused.

use std::fs;
use std::path::Path;

use portcullis_guard::clock::{Nanos, Now, SECOND};
use portcullis_guard::limit::LimitRule;
use portcullis_guard::store::{Durability, LimitAsk, Scope};
use portcullis_state::{MemoryOptions, MemoryStore, StateDir, StateError};
use proptest::prelude::*;

use crate::memory::{ask, at, count};

const DAY: Nanos = 86_400 * SECOND;
const EXACT: LimitRule = LimitRule::Exact {
    lockout: 0,
    count: 3,
    window: DAY,
};
const SMOOTH: LimitRule = LimitRule::Smooth {
    period: DAY / 3,
    burst: 3,
};

fn open(path: &Path, now: Now) -> Result<MemoryStore, StateError> {
    MemoryStore::open(MemoryOptions::default(), StateDir::open(path)?, now)
}

fn kept(scope: &Scope, rule: LimitRule) -> LimitAsk<'_> {
    ask(scope, b"client", rule, Durability::Snapshot)
}

/// A directory with a snapshot in which both limits are used up at `at(DAY)`.
fn used_up() -> (tempfile::TempDir, Scope) {
    let (directory, scope) = (tempfile::tempdir().unwrap(), Scope::new("daily"));
    let store = open(directory.path(), at(DAY)).unwrap();
    for rule in [EXACT, SMOOTH] {
        let name = Scope::new(&format!("{rule:?}"));
        for _ in 0..3 {
            assert!(count(&store, &kept(&name, rule), at(DAY)).admitted);
        }
    }
    let volatile = ask(&scope, b"client", EXACT, Durability::Volatile);
    assert!(count(&store, &volatile, at(DAY)).admitted);
    assert_eq!(store.snapshot(at(DAY + SECOND)).unwrap(), 2);
    (directory, scope)
}

/// Whether both limits admit one more.
fn admits(store: &MemoryStore, now: Now) -> [bool; 2] {
    [EXACT, SMOOTH].map(|rule| {
        let name = Scope::new(&format!("{rule:?}"));
        count(store, &kept(&name, rule), now).admitted
    })
}

#[test]
fn a_limit_holds_over_a_restart_to_the_millisecond() {
    let (directory, scope) = used_up();
    // The new process counts monotonic time from elsewhere.
    let shifted = |now: Now| Now {
        monotonic: now.monotonic + 1_000 * DAY,
        ..now
    };
    let now = shifted(at(DAY + 3_600 * SECOND));
    let store = open(directory.path(), now).unwrap();
    assert_eq!(admits(&store, now), [false, false]);
    let volatile = ask(&scope, b"client", EXACT, Durability::Volatile);
    assert_eq!(count(&store, &volatile, now).remaining, 2, "was not kept");
    for (rule, free) in [(EXACT, 2 * DAY), (SMOOTH, DAY + DAY / 3)] {
        let name = Scope::new(&format!("{rule:?}"));
        let early = shifted(at(free - SECOND / 1_000));
        assert!(
            !count(&store, &kept(&name, rule), early).admitted,
            "{rule:?}"
        );
        assert!(
            count(&store, &kept(&name, rule), shifted(at(free))).admitted,
            "{rule:?}"
        );
    }
}

#[test]
fn a_monotonic_clock_that_begins_at_zero_gives_nothing_away() {
    let (directory, _) = used_up();
    let now = Now {
        monotonic: 0,
        ..at(DAY + 3_600 * SECOND)
    };
    let store = open(directory.path(), now).unwrap();
    assert_eq!(admits(&store, now), [false, false]);
}

#[test]
fn a_clock_that_went_back_gives_nothing_away() {
    let (directory, _) = used_up();
    let now = Now {
        monotonic: 5_000 * DAY,
        unix_millis: 1_000,
    };
    let store = open(directory.path(), now).unwrap();
    assert_eq!(admits(&store, now), [false, false]);
    let later = Now {
        monotonic: now.monotonic + DAY - 2 * SECOND,
        ..now
    };
    // As if no time had passed since the snapshot, which was a second after the requests.
    assert!(!admits(&store, later)[0]);
}

#[test]
fn what_is_over_is_not_read() {
    let (directory, _) = used_up();
    let now = at(3 * DAY);
    let store = open(directory.path(), now).unwrap();
    assert_eq!(store.used().unwrap().buckets, 0);
    assert_eq!(admits(&store, now), [true, true]);
}

#[test]
fn a_directory_is_used_by_one_process() {
    let directory = tempfile::tempdir().unwrap();
    let first = StateDir::open(directory.path()).unwrap();
    let error = StateDir::open(directory.path()).unwrap_err();
    assert!(matches!(error, StateError::InUse(_)), "{error}");
    assert!(error.to_string().contains("another process"), "{error}");
    drop(first);
    StateDir::open(directory.path()).unwrap();
}

#[test]
fn a_file_that_was_cut_or_changed_anywhere_is_refused() {
    let (directory, _) = used_up();
    let path = directory.path().join("limits.snapshot");
    let whole = fs::read(&path).unwrap();
    let refused = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        let error = open(directory.path(), at(DAY)).unwrap_err();
        matches!(error, StateError::Damaged { .. })
    };
    for length in 0..whole.len() {
        assert!(refused(&whole[..length]), "cut off at {length}");
    }
    for place in 0..whole.len() {
        let mut changed = whole.clone();
        changed[place] ^= 0x10;
        assert!(refused(&changed), "changed at {place}");
    }
    let mut longer = whole.clone();
    longer.push(0);
    assert!(refused(&longer));
    assert!(refused(b"something else altogether"));
    fs::write(&path, &whole).unwrap();
    assert!(open(directory.path(), at(DAY)).is_ok());
}

#[test]
fn the_refusal_names_the_file_and_the_next_step() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("limits.snapshot"), b"PCLIMITS").unwrap();
    let error = open(directory.path(), at(DAY)).unwrap_err().to_string();
    assert!(error.contains("limits.snapshot"), "{error}");
    assert!(error.contains("backup"), "{error}");
}

#[test]
fn a_file_larger_than_the_store_is_refused_unread() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("limits.snapshot");
    fs::File::create(&path).unwrap().set_len(100 << 30).unwrap();
    let error = open(directory.path(), at(DAY)).unwrap_err();
    assert!(matches!(error, StateError::Damaged { .. }), "{error}");
}

#[test]
fn a_write_that_fails_leaves_the_old_snapshot() {
    let (directory, _) = used_up();
    let store = open(directory.path(), at(DAY + SECOND)).unwrap();
    let in_the_way = directory.path().join("limits.snapshot.new");
    fs::create_dir(&in_the_way).unwrap();
    let before = fs::read(directory.path().join("limits.snapshot")).unwrap();
    let error = store.snapshot(at(DAY + 2 * SECOND)).unwrap_err();
    assert!(matches!(error, StateError::File { .. }), "{error}");
    assert_eq!(
        fs::read(directory.path().join("limits.snapshot")).unwrap(),
        before
    );
    fs::remove_dir(&in_the_way).unwrap();
    assert_eq!(store.snapshot(at(DAY + 3 * SECOND)).unwrap(), 2);
}

#[cfg(unix)]
#[test]
fn nobody_else_may_read_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let (directory, _) = used_up();
    for file in ["limits.snapshot", "portcullis.lock"] {
        let mode = fs::metadata(directory.path().join(file))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

#[test]
fn what_was_counted_coarsely_is_not_forgiven_by_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let options = MemoryOptions {
        bucket_bytes: 20_000,
        entry_bytes: 20_000,
        shards: 1,
    };
    let scope = Scope::new("full");
    let snapshots = StateDir::open(directory.path()).unwrap();
    let store = MemoryStore::open(options, snapshots, at(DAY)).unwrap();
    let client = |number: u32| ask(&scope, &number.to_be_bytes(), EXACT, Durability::Snapshot);
    let full = (0..10_000)
        .find(|number| count(&store, &client(*number), at(DAY)).coarse)
        .unwrap();
    while count(&store, &client(full), at(DAY)).admitted {}
    store.snapshot(at(DAY)).unwrap();
    drop(store);
    // A larger store has room at once.
    let now = at(DAY + SECOND);
    let store = open(directory.path(), now).unwrap();
    assert!(!count(&store, &client(full), now).admitted);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn restarts_change_no_decision(
        schedule in prop::collection::vec((0..40_u64, any::<bool>()), 1..30),
        limit in 1..5_u32, exact: bool, lockout in 0..3_u64,
    ) {
        // Whole milliseconds, as the system's clock counts no finer.
        const MILLI: Nanos = 1_000_000;
        let rule = if exact {
            LimitRule::exact(limit, 50 * MILLI).locking(lockout * 70 * MILLI)
        } else {
            LimitRule::Smooth { period: 10 * MILLI, burst: limit }
        };
        let scope = Scope::new("s");
        let directory = tempfile::tempdir().unwrap();
        let steady = MemoryStore::new(MemoryOptions::default()).unwrap();
        let mut restarted = open(directory.path(), at(DAY)).unwrap();
        let mut now = DAY;
        let mut shift = 0;
        for (gap, restart) in schedule {
            now += gap * MILLI;
            let seen = |shift| Now { monotonic: now + shift, ..at(now) };
            if restart {
                restarted.snapshot(seen(shift)).unwrap();
                drop(restarted);
                shift += 7 * DAY;
                restarted = open(directory.path(), seen(shift)).unwrap();
            }
            let volatile = ask(&scope, b"client", rule, Durability::Volatile);
            let expected = count(&steady, &volatile, at(now));
            prop_assert_eq!(count(&restarted, &kept(&scope, rule), seen(shift)), expected);
        }
    }
}
