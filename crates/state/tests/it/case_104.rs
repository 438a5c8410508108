//! Case 104 of `docs/past-failures.md` for the embedded store: its disk is refused, hangs, is read-only or full, an entry in it
//! is of another kind or changed, an entry that somebody counts on was pushed out. Each ends as a refusal.

use std::future::Future as _;
use std::io::ErrorKind;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use portcullis_guard::clock::SECOND;
use portcullis_guard::store::{Answer, Ask, Durability, Store as _, StoreError};
use portcullis_state::store::embedded::seal;
use portcullis_state::{MemoryOptions, StateError};

use crate::embedded_faults::{open_on, recovered};
use crate::support::sim_disk::{SimDisk, Trouble};
use crate::support::{DURABLE, at, get, key, one, open, put, put_ask, ring_ask, take};

#[test]
fn case_104_a_disk_that_refuses_is_told_at_the_start_with_its_file() {
    for error in [
        ErrorKind::PermissionDenied,
        ErrorKind::ReadOnlyFilesystem,
        ErrorKind::StorageFull,
    ] {
        let disk = SimDisk::new();
        disk.fails_with(error);
        disk.make(Trouble::From(0));
        let refused = open_on(&disk, at(0)).unwrap_err();
        assert!(matches!(refused, StateError::File { .. }), "{refused:?}");
        let text = refused.to_string();
        assert!(
            text.contains("state.redb") && text.contains("check that"),
            "{text}"
        );
        // It was begun before: also then nothing is begun anew.
        let disk = SimDisk::new();
        let store = open_on(&disk, at(0)).unwrap();
        assert_eq!(put(&store, "one", DURABLE, at(0)), Ok(Answer::Put(true)));
        drop(store);
        disk.fails_with(error);
        disk.make(Trouble::From(0));
        assert!(open_on(&disk, at(1)).is_err());
        disk.make(Trouble::None);
        assert!(get(&open_on(&disk, at(1)).unwrap(), "one", at(1)).is_some());
    }
}

#[test]
fn case_104_a_folder_in_which_nothing_can_be_made_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "no folder").unwrap();
    let refused = open(&file, at(0)).unwrap_err();
    assert!(matches!(refused, StateError::File { .. }), "{refused:?}");
    let refused = open(&file.join("below"), at(0)).unwrap_err();
    assert!(matches!(refused, StateError::File { .. }), "{refused:?}");
}

#[test]
fn case_104_a_disk_that_is_read_only_or_full_refuses_and_comes_back() {
    for error in [
        ErrorKind::ReadOnlyFilesystem,
        ErrorKind::StorageFull,
        ErrorKind::Other,
    ] {
        let disk = SimDisk::new();
        let store = open_on(&disk, at(0)).unwrap();
        disk.fails_with(error);
        disk.make(Trouble::From(0));
        for number in 0..3 {
            let name = format!("refused{number}");
            let refused = put(&store, &name, DURABLE, at(1));
            assert!(
                matches!(refused, Err(StoreError::Unwritable(_))),
                "{refused:?}"
            );
        }
        assert!(matches!(store.sweep(at(1)), Err(StoreError::Unwritable(_))));
        disk.make(Trouble::None);
        recovered(&store, at(2));
        assert_eq!(put(&store, "later", DURABLE, at(2)), Ok(Answer::Put(true)));
    }
}

/// A disk that does not answer: whoever waits is not answered, and his budget ends that; whoever needs no disk is answered; and
/// after a while whoever comes is refused at once.
#[test]
fn case_104_a_disk_that_hangs_acknowledges_nothing() {
    let disk = SimDisk::new();
    let store = open_on(&disk, at(0)).unwrap();
    disk.make(Trouble::Hangs(0));
    let batch = [put_ask("one", "x", 100 * SECOND, DURABLE)];
    assert!(!store.answers_at_once(&batch));
    let mut pending = pin!(store.ask(&batch, at(1)).wait());
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..50 {
        assert!(pending.as_mut().poll(&mut context).is_pending());
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    assert!(
        get(&store, "one", at(1)).is_some(),
        "memory answers, and is the stricter one"
    );
    assert_eq!(
        put(&store, "volatile", Durability::Volatile, at(1)),
        Ok(Answer::Put(true))
    );
    assert!(store.fault(at(2)).is_none());
    assert!(matches!(
        store.fault(at(10)),
        Some(StoreError::Unwritable(_))
    ));
    let refused = put(&store, "two", DURABLE, at(10));
    assert!(
        matches!(refused, Err(StoreError::Unwritable(_))),
        "{refused:?}"
    );
    assert_eq!(get(&store, "two", at(10)), None, "nothing was done");
    assert!(store.sweep(at(10)).is_err(), "health tells it");
    disk.make(Trouble::None);
    store.flush().unwrap();
    assert!(matches!(
        pending.as_mut().poll(&mut context),
        Poll::Ready(Ok(_))
    ));
    assert!(store.fault(at(11)).is_none());
    assert_eq!(put(&store, "three", DURABLE, at(11)), Ok(Answer::Put(true)));
}

/// Whoever gave up before the disk answered was refused; that is done all the same, and stays done.
#[test]
fn case_104_what_nobody_waits_for_any_more_is_not_undone() {
    let disk = SimDisk::new();
    let store = open_on(&disk, at(0)).unwrap();
    assert_eq!(put(&store, "code", DURABLE, at(0)), Ok(Answer::Put(true)));
    disk.make(Trouble::Hangs(0));
    let batch = [Ask::Take {
        key: key("code"),
        durability: DURABLE,
    }];
    drop(store.ask(&batch, at(1)));
    assert_eq!(get(&store, "code", at(1)), None);
    disk.make(Trouble::None);
    store.flush().unwrap();
    let store = open_on(&disk.after_power_loss(3), at(2)).unwrap();
    assert_eq!(get(&store, "code", at(2)), None);
}

#[test]
fn case_104_an_entry_of_another_kind_or_changed_is_refused_at_the_start() {
    let good = b"e\x05nonceone".as_slice();
    let life = [[255; 8], [0; 8]].concat();
    let unsealed = [life.clone(), b"valuechecksum".to_vec()].concat();
    let records: [(&[u8], Vec<u8>); 6] = [
        (good, Vec::new()),
        (good, unsealed),
        (good, seal(b"another name", life.clone())),
        (b"x\x05nonceone", seal(b"x\x05nonceone", life.clone())),
        (b"e\x05othersone", seal(b"e\x05othersone", life.clone())),
        (
            b"r\x05nonceone",
            seal(b"r\x05nonceone", [life, b"no key".to_vec()].concat()),
        ),
    ];
    for (name, value) in records {
        let folder = tempfile::tempdir().unwrap();
        drop(open(folder.path(), at(0)).unwrap());
        let db = redb::Database::open(folder.path().join("state.redb")).unwrap();
        let table: redb::TableDefinition<'_, &[u8], &[u8]> = redb::TableDefinition::new("records");
        let writing = db.begin_write().unwrap();
        writing
            .open_table(table)
            .unwrap()
            .insert(name, value.as_slice())
            .unwrap();
        writing.commit().unwrap();
        drop(db);
        let refused = open(folder.path(), at(0)).unwrap_err();
        assert!(matches!(refused, StateError::Damaged { .. }), "{refused:?}");
    }
}

/// A CSRF token is taken before a request passes. One that was pushed out of its ring, is over, or did not outlive a restart
/// cannot be taken; one that has no room is not made, and pushes none out.
#[test]
fn case_104_a_csrf_token_that_was_pushed_out_is_a_refusal() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), at(0)).unwrap();
    let volatile = Durability::Volatile;
    for number in 0..33 {
        let ask = ring_ask("session", &format!("token {number}"), 32, volatile);
        assert_eq!(one(&store, ask, at(0)), Ok(Answer::Done));
    }
    assert_eq!(
        take(&store, "token 0", volatile, at(1)),
        Ok(Answer::Found(None))
    );
    assert!(matches!(
        take(&store, "token 1", volatile, at(1)),
        Ok(Answer::Found(Some(_)))
    ));
    assert_eq!(
        take(&store, "token 1", volatile, at(1)),
        Ok(Answer::Found(None))
    );
    assert_eq!(
        take(&store, "token 2", volatile, at(1_000)),
        Ok(Answer::Found(None))
    );
    drop(store);
    let store = open(folder.path(), at(2)).unwrap();
    assert_eq!(
        take(&store, "token 3", volatile, at(2)),
        Ok(Answer::Found(None))
    );
    // Full: the new one is refused, and no other pays for it.
    let options = MemoryOptions {
        entry_bytes: 20_000,
        shards: 1,
        ..MemoryOptions::default()
    };
    let store = portcullis_state::MemoryStore::new(options).unwrap();
    let mut made = Vec::new();
    for session in 0..1_000 {
        let ask = ring_ask(
            &format!("session {session}"),
            &format!("token {session}"),
            32,
            volatile,
        );
        match one(&store, ask, at(0)) {
            Ok(_) => made.push(session),
            Err(error) => assert_eq!(error, StoreError::Full),
        }
    }
    assert!(made.len() < 1_000);
    for session in made {
        let taken = take(&store, &format!("token {session}"), volatile, at(1));
        assert!(matches!(taken, Ok(Answer::Found(Some(_)))));
    }
}
