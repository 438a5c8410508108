//! What the embedded store keeps over a restart, what it does not, and when it refuses to start.

use std::fs;
use std::path::Path;

use portcullis_guard::clock::{Now, SECOND};
use portcullis_guard::limit::LimitRule;
use portcullis_guard::store::{Answer, Ask, Durability, Key, LimitAsk, Scope, Space, Store as _};
use portcullis_state::{EmbeddedStore, MemoryOptions, StateDir, StateError};
use redb::ReadableTable as _;
use smallvec::smallvec;

use crate::support::{
    DURABLE, LIVES, at, get, get_key, one, open, put, put_ask, revoke_ask, ring_ask, set_ask,
    swap_ask, take,
};

/// A start in which the monotonic clock begins anew, as after a boot of the machine.
fn after_boot(now: Now) -> Now {
    Now {
        monotonic: 300_000_000 * SECOND + 5,
        ..now
    }
}

#[test]
fn what_is_acknowledged_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), at(0)).unwrap();
    for name in ["stays", "taken", "swapped", "set"] {
        assert_eq!(put(&store, name, DURABLE, at(0)), Ok(Answer::Put(true)));
    }
    assert!(take(&store, "taken", DURABLE, at(1)).is_ok());
    let swapped = one(&store, swap_ask("swapped", "tombstone", DURABLE), at(1));
    assert_eq!(swapped, Ok(Answer::Committed(Ok(()))));
    let set = one(&store, set_ask("set", Some("x"), "y", DURABLE), at(1));
    assert_eq!(set, Ok(Answer::Set(true)));
    let until = at(500).unix_millis;
    assert_eq!(
        one(&store, revoke_ask("token", until), at(1)),
        Ok(Answer::Done)
    );
    drop(store);

    let now = after_boot(at(10));
    let store = open(folder.path(), now).unwrap();
    assert_eq!(get(&store, "stays", now).as_deref(), Some("x"));
    assert_eq!(get(&store, "taken", now), None);
    assert_eq!(get(&store, "swapped", now), None);
    assert_eq!(get(&store, "tombstone", now).as_deref(), Some("swapped"));
    assert_eq!(get(&store, "set", now).as_deref(), Some("y"));
    let token = Key::new(Space::Revocation, b"token");
    assert!(get_key(&store, &token, now).is_some());
    // What is there is there for every kind of ask.
    assert_eq!(put(&store, "stays", DURABLE, now), Ok(Answer::Put(false)));
    assert_eq!(put(&store, "taken", DURABLE, now), Ok(Answer::Put(true)));
}

#[test]
fn what_nobody_waits_for_is_kept_at_an_end_and_by_a_flush() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), at(0)).unwrap();
    let batch = [put_ask("one", "x", LIVES, Durability::Snapshot)];
    assert!(store.answers_at_once(&batch));
    assert_eq!(
        put(&store, "one", Durability::Snapshot, at(0)),
        Ok(Answer::Put(true))
    );
    drop(store);
    let store = open(folder.path(), at(1)).unwrap();
    assert_eq!(get(&store, "one", at(1)).as_deref(), Some("x"));
    assert!(take(&store, "one", Durability::Snapshot, at(1)).is_ok());
    store.flush().unwrap();
    // As if the process were killed: what is on the disk now is all there is.
    let copy = copied(folder.path());
    let store = open(copy.path(), at(2)).unwrap();
    assert_eq!(get(&store, "one", at(2)), None);
}

fn copied(folder: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    let file = "state.redb";
    fs::copy(folder.join(file), copy.path().join(file)).unwrap();
    copy
}

#[test]
fn what_is_volatile_never_touches_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), at(0)).unwrap();
    let batch = [put_ask(
        "volatile-name",
        "volatile-value",
        LIVES,
        Durability::Volatile,
    )];
    assert!(store.answers_at_once(&batch));
    assert!(one(&store, batch[0].clone(), at(0)).is_ok());
    assert!(
        one(
            &store,
            ring_ask("ring", "volatile-name-2", 3, Durability::Volatile),
            at(0)
        )
        .is_ok()
    );
    assert_eq!(
        put(&store, "durable-name", DURABLE, at(0)),
        Ok(Answer::Put(true))
    );
    drop(store);
    let bytes = fs::read(folder.path().join("state.redb")).unwrap();
    let has = |text: &[u8]| bytes.windows(text.len()).any(|window| window == text);
    assert!(has(b"durable-name"));
    assert!(!has(b"volatile"));
    let store = open(folder.path(), at(1)).unwrap();
    assert_eq!(get(&store, "volatile-name", at(1)), None);
}

#[test]
fn a_volatile_change_of_what_is_kept_does_not_bring_it_back() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), at(0)).unwrap();
    for name in ["taken", "set"] {
        assert_eq!(put(&store, name, DURABLE, at(0)), Ok(Answer::Put(true)));
    }
    assert!(take(&store, "taken", Durability::Volatile, at(1)).is_ok());
    let set = set_ask("set", Some("x"), "y", Durability::Volatile);
    assert_eq!(one(&store, set, at(1)), Ok(Answer::Set(true)));
    drop(store);
    let store = open(folder.path(), at(2)).unwrap();
    assert_eq!(get(&store, "taken", at(2)), None);
    assert_eq!(
        get(&store, "set", at(2)),
        None,
        "as it was set, it was not kept"
    );
}

#[test]
fn a_ring_goes_on_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), at(0)).unwrap();
    for name in ["a", "b", "c", "d"] {
        assert_eq!(
            one(&store, ring_ask("ring", name, 3, DURABLE), at(0)),
            Ok(Answer::Done)
        );
    }
    drop(store);
    let store = open(folder.path(), at(1)).unwrap();
    let living = |store: &EmbeddedStore| -> Vec<&str> {
        let names = ["a", "b", "c", "d", "e"].into_iter();
        names
            .filter(|name| get(store, name, at(1)).is_some())
            .collect()
    };
    assert_eq!(living(&store), ["b", "c", "d"]);
    assert_eq!(
        one(&store, ring_ask("ring", "e", 3, DURABLE), at(1)),
        Ok(Answer::Done)
    );
    assert_eq!(living(&store), ["c", "d", "e"]);
}

#[test]
fn time_goes_on_while_the_guard_does_not_run() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), at(0)).unwrap();
    let ask = put_ask("one", "x", 100 * SECOND, DURABLE);
    assert_eq!(one(&store, ask, at(20)), Ok(Answer::Put(true)));
    drop(store);
    // It ends at 120, of which 50 pass before the next start.
    let start = after_boot(at(70));
    let store = open(folder.path(), start).unwrap();
    let after = |seconds: u64| Now {
        monotonic: start.monotonic + seconds * SECOND,
        unix_millis: start.unix_millis + seconds * 1_000,
    };
    assert!(get(&store, "one", after(49)).is_some());
    assert!(get(&store, "one", after(50)).is_none());
    drop(store);
    let store = open(folder.path(), after_boot(at(119))).unwrap();
    assert!(get(&store, "one", after_boot(at(119))).is_some());
    drop(store);
    let store = open(folder.path(), after_boot(at(120))).unwrap();
    assert!(get(&store, "one", after_boot(at(120))).is_none());
}

#[test]
fn a_clock_that_went_back_revives_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), at(100)).unwrap();
    let ask = put_ask("session", "x", 10 * SECOND, DURABLE);
    assert_eq!(one(&store, ask, at(100)), Ok(Answer::Put(true)));
    assert_eq!(
        put(&store, "tombstone", DURABLE, at(100)),
        Ok(Answer::Put(true))
    );
    let until = at(2_000).unix_millis;
    assert_eq!(
        one(&store, revoke_ask("token", until), at(100)),
        Ok(Answer::Done)
    );
    // It is over, and somebody writes something else.
    assert_eq!(
        put(&store, "other", DURABLE, at(110)),
        Ok(Answer::Put(true))
    );
    drop(store);
    let token = Key::new(Space::Revocation, b"token");
    for back in [105, 50, 0] {
        let now = after_boot(at(back));
        let store = open(folder.path(), now).unwrap();
        assert_eq!(get(&store, "session", now), None, "at {back}");
        assert!(get(&store, "tombstone", now).is_some(), "at {back}");
        assert!(get_key(&store, &token, now).is_some(), "at {back}");
        assert!(take(&store, "other", DURABLE, now).is_ok());
        drop(store);
    }
    // A clock that was ahead when the store ended, and is right again, ends no revocation before its time.
    let ahead = Now {
        unix_millis: at(1_000_000).unix_millis,
        ..at(120)
    };
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), at(110)).unwrap();
    assert_eq!(
        put(&store, "tombstone", DURABLE, at(110)),
        Ok(Answer::Put(true))
    );
    assert_eq!(
        one(&store, revoke_ask("token", until), at(110)),
        Ok(Answer::Done)
    );
    assert_eq!(put(&store, "last", DURABLE, ahead), Ok(Answer::Put(true)));
    drop(store);
    let now = after_boot(at(130));
    let store = open(folder.path(), now).unwrap();
    assert!(get_key(&store, &token, now).is_some());
    assert!(get(&store, "tombstone", now).is_some());
}

#[test]
fn limits_and_entries_are_kept_in_one_folder() {
    let folder = tempfile::tempdir().unwrap();
    let scope = Scope::new("daily");
    let limit = || LimitAsk {
        scope: &scope,
        value: b"client".as_slice().into(),
        coarser: smallvec![],
        rule: LimitRule::exact(3, 86_400 * SECOND),
        cost: 1,
        durability: Durability::Snapshot,
    };
    let left = |store: &EmbeddedStore, now| match one(store, Ask::Limits(smallvec![limit()]), now) {
        Ok(Answer::Limits(states)) => states[0].remaining,
        other => panic!("another answer: {other:?}"),
    };
    let store = open(folder.path(), at(0)).unwrap();
    assert_eq!(left(&store, at(0)), 2);
    assert_eq!(put(&store, "one", DURABLE, at(0)), Ok(Answer::Put(true)));
    assert_eq!(store.snapshot(at(0)).unwrap(), 1);
    drop(store);
    let store = open(folder.path(), at(5)).unwrap();
    assert_eq!(left(&store, at(5)), 1);
    assert!(get(&store, "one", at(5)).is_some());
}

#[test]
fn what_was_kept_has_room_after_a_restart_however_it_lies() {
    let folder = tempfile::tempdir().unwrap();
    let options = MemoryOptions {
        entry_bytes: 200_000,
        shards: 8,
        ..MemoryOptions::default()
    };
    let open = || EmbeddedStore::open(options, StateDir::open(folder.path()).unwrap(), at(0));
    let store = open().unwrap();
    let mut written = Vec::new();
    for number in 0..1_000 {
        let name = number.to_string();
        if put(&store, &name, Durability::Snapshot, at(0)).is_ok() {
            written.push(name);
        }
    }
    assert!(written.len() < 1_000, "it was full");
    drop(store);
    // Each start has another hash, so other shards would be full.
    for _ in 0..5 {
        let store = open().unwrap();
        for name in &written {
            assert!(get(&store, name, at(0)).is_some(), "{name}");
        }
        drop(store);
    }
}

#[test]
fn a_file_that_became_too_large_is_written_anew() {
    let folder = tempfile::tempdir().unwrap();
    let options = MemoryOptions {
        entry_bytes: 256 << 20,
        ..MemoryOptions::default()
    };
    let directory = StateDir::open(folder.path()).unwrap();
    let store = EmbeddedStore::open(options, directory, at(0)).unwrap();
    let big = "v".repeat(100_000);
    for number in 0..300 {
        let ask = put_ask(&number.to_string(), &big, LIVES, Durability::Snapshot);
        assert_eq!(one(&store, ask, at(0)), Ok(Answer::Put(true)));
    }
    store.flush().unwrap();
    assert_eq!(put(&store, "stays", DURABLE, at(0)), Ok(Answer::Put(true)));
    let before = store.file_bytes();
    assert!(before > 30_000_000, "{before}");
    for number in 0..300 {
        assert!(take(&store, &number.to_string(), Durability::Snapshot, at(1)).is_ok());
    }
    store.flush().unwrap();
    store.sweep(at(2)).unwrap();
    assert_eq!(put(&store, "later", DURABLE, at(2)), Ok(Answer::Put(true)));
    let after = store.file_bytes();
    assert!(after < 4_000_000, "{after} of {before}");
    assert_eq!(
        fs::metadata(folder.path().join("state.redb"))
            .unwrap()
            .len(),
        after
    );
    drop(store);
    let store = open(folder.path(), at(3)).unwrap();
    for (name, found) in [("stays", true), ("later", true), ("7", false)] {
        assert_eq!(get(&store, name, at(3)).is_some(), found, "{name}");
    }
}

#[test]
fn what_is_over_is_deleted_on_the_disk_too() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), at(0)).unwrap();
    let ask = put_ask("short-lived", "x", SECOND, DURABLE);
    assert_eq!(one(&store, ask, at(0)), Ok(Answer::Put(true)));
    assert_eq!(store.sweep(at(2)).unwrap(), 1);
    store.flush().unwrap();
    drop(store);
    // By a clock that went back to before its end: it is not there to be revived.
    let store = open(folder.path(), at(0)).unwrap();
    assert_eq!(get(&store, "short-lived", at(0)), None);
}

#[test]
fn a_folder_that_is_in_use_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let _store = open(folder.path(), at(0)).unwrap();
    let error = open(folder.path(), at(0)).unwrap_err();
    assert!(matches!(error, StateError::InUse(_)), "{error}");
}

#[test]
fn a_file_that_is_not_ours_is_refused_and_left_as_it_is() {
    let other = tempfile::tempdir().unwrap();
    let other_file = other.path().join("other");
    let db = redb::Database::create(&other_file).unwrap();
    drop(db);
    let of_redb = fs::read(&other_file).unwrap();
    for bytes in [
        Vec::new(),
        vec![0; 8_192],
        b"redb".to_vec(),
        b"text\n".to_vec(),
        of_redb,
    ] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("state.redb");
        fs::write(&file, &bytes).unwrap();
        let error = open(folder.path(), at(0)).unwrap_err();
        assert!(matches!(error, StateError::Damaged { .. }), "{error:?}");
        let text = error.to_string();
        assert!(
            text.contains("state.redb") && text.contains("move it away"),
            "{text}"
        );
        // redb may note in its own file that it was opened; what is no file of redb's is not touched.
        if !bytes.starts_with(b"redb\x1a") {
            assert_eq!(fs::read(&file).unwrap(), bytes);
        }
    }
}

#[test]
fn a_file_of_another_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path(), at(0)).unwrap());
    let db = redb::Database::open(folder.path().join("state.redb")).unwrap();
    let facts: redb::TableDefinition<'_, &str, u64> = redb::TableDefinition::new("facts");
    let writing = db.begin_write().unwrap();
    writing
        .open_table(facts)
        .unwrap()
        .insert("format", 2)
        .unwrap();
    writing.commit().unwrap();
    drop(db);
    let error = open(folder.path(), at(0)).unwrap_err();
    assert!(
        matches!(
            error,
            StateError::OtherVersion {
                found: 2,
                known: 1,
                ..
            }
        ),
        "{error:?}"
    );
}

#[test]
fn a_file_that_was_changed_is_refused_or_says_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), at(0)).unwrap();
    let names: Vec<String> = (0..40).map(|number| format!("name {number}")).collect();
    for name in &names {
        assert_eq!(
            put(&store, name, Durability::Snapshot, at(0)),
            Ok(Answer::Put(true))
        );
    }
    drop(store);
    let whole = fs::read(folder.path().join("state.redb")).unwrap();
    let mut refused = 0;
    let mut tried = 0;
    let changes = (0..whole.len()).step_by(509).map(|at| (at, false));
    let cuts = (1..whole.len()).step_by(4_001).map(|at| (at, true));
    for (place, cuts) in changes.chain(cuts) {
        let mut bytes = whole.clone();
        if cuts {
            bytes.truncate(place);
        } else {
            bytes[place] ^= 0x11;
        }
        fs::write(folder.path().join("state.redb"), bytes).unwrap();
        tried += 1;
        match open(folder.path(), at(1)) {
            Err(error) => {
                assert!(
                    matches!(
                        error,
                        StateError::Damaged { .. } | StateError::OtherVersion { .. }
                    ),
                    "{place}: {error:?}"
                );
                refused += 1;
            }
            // What nobody reads may be changed.
            Ok(store) => {
                for name in &names {
                    assert_eq!(
                        get(&store, name, at(1)).as_deref(),
                        Some("x"),
                        "{place}: {name}"
                    );
                }
            }
        }
    }
    assert!(refused > 10, "{refused} of {tried}");
}

#[test]
fn a_record_that_was_changed_where_redb_does_not_see_it_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), at(0)).unwrap();
    assert_eq!(
        one(&store, revoke_ask("token", at(500).unix_millis), at(0)),
        Ok(Answer::Done)
    );
    drop(store);
    let db = redb::Database::open(folder.path().join("state.redb")).unwrap();
    let records: redb::TableDefinition<'_, &[u8], &[u8]> = redb::TableDefinition::new("records");
    let writing = db.begin_write().unwrap();
    {
        let mut table = writing.open_table(records).unwrap();
        let name = b"e\x0arevocationtoken".as_slice();
        let mut value = table.get(name).unwrap().unwrap().value().to_vec();
        value[8] ^= 1;
        table.insert(name, value.as_slice()).unwrap();
    }
    writing.commit().unwrap();
    drop(db);
    let error = open(folder.path(), at(0)).unwrap_err();
    assert!(error.to_string().contains("checksum"), "{error}");
}
