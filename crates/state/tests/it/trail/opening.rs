//! What a trail is opened with, and what it is not: each fault has one clear error with the next step.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use portcullis_state::trail::{TrailError, TrailKind, TrailReader, TrailRecord};

use super::bench::{Bench, block_on, delete, filled, records, stranger};

/// A folder with a trail of some records that was closed.
fn with_trail() -> Bench {
    let bench = Bench::new();
    let trail = bench.open().unwrap();
    for number in 0..20 {
        trail.note(filled(TrailRecord::note(), &trail, &format!("r-{number}")));
    }
    assert_eq!(trail.close().error, None);
    bench
}

fn refused(bench: &Bench, expected: &[&str]) {
    let error = bench.open().unwrap_err().to_string();
    for words in expected {
        assert!(error.contains(words), "{words}: {error}");
    }
    assert!(!error.contains('\n'), "{error}");
}

#[test]
fn it_goes_on_where_it_was() {
    let bench = with_trail();
    let before = records(&bench.database());
    let trail = bench.open().unwrap();
    assert!(!trail.started().begun);
    assert_eq!(trail.started().unknown, 0);
    drop(trail);
    let after = records(&bench.database());
    assert!(after.len() > before.len());
    assert_eq!(&after[..before.len()], before.as_slice());
    bench.verify().unwrap();
}

#[test]
fn nobody_else_can_read_it() {
    let bench = Bench::new();
    let trail = bench.open().unwrap();
    block_on(trail.intent(delete(&trail, "r")))
        .unwrap()
        .outcome(200);
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&bench.state()), 0o700);
    for entry in fs::read_dir(bench.state()).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
    assert!(bench.state().join("trail.sqlite-wal").exists());
    assert_eq!(mode(&bench.checkpoints()), 0o600);
    drop(trail);
    fs::set_permissions(bench.database(), fs::Permissions::from_mode(0o644)).unwrap();
    refused(&bench, &["chmod 600"]);
}

#[test]
fn two_writers_are_refused_and_the_first_goes_on() {
    let bench = Bench::new();
    let first = bench.open().unwrap();
    refused(
        &bench,
        &["written by another process", "state folder of its own"],
    );
    block_on(first.intent(delete(&first, "r")))
        .unwrap()
        .outcome(200);
    drop(first);
    bench.open().unwrap();
    bench.verify().unwrap();
}

#[test]
fn a_trail_that_is_gone_is_not_begun_anew() {
    let bench = with_trail();
    fs::remove_file(bench.database()).unwrap();
    refused(&bench, &["it is gone", "restore a backup"]);
    // With its key gone as well there are still its checkpoints.
    fs::remove_file(bench.state().join("trail.key")).unwrap();
    refused(&bench, &["it is gone", "checkpoints"]);
    assert!(!bench.database().exists());
    fs::remove_file(bench.checkpoints()).unwrap();
    assert!(bench.open().unwrap().started().begun);
}

#[test]
fn a_key_that_is_gone_is_not_made_anew() {
    let bench = with_trail();
    fs::remove_file(bench.state().join("trail.key")).unwrap();
    refused(&bench, &["trail.key` is gone"]);
}

#[test]
fn a_trail_that_was_cut_off_or_restored_is_refused() {
    let bench = with_trail();
    let backup = fs::read(bench.database()).unwrap();
    let trail = bench.open().unwrap();
    block_on(trail.intent(delete(&trail, "after the backup")))
        .unwrap()
        .outcome(200);
    drop(trail);
    fs::write(bench.database(), backup).unwrap();
    refused(&bench, &["it ends with record", "a checkpoint says"]);
}

#[test]
fn what_is_no_trail_of_this_version_is_refused() {
    for (change, expected) in [
        ("PRAGMA application_id = 7", "it is no trail of portcullis"),
        (
            "PRAGMA user_version = 2",
            "use the version of portcullis that wrote it",
        ),
        ("DROP TRIGGER record_no_update", "its tables or triggers"),
        (
            "CREATE TRIGGER more AFTER INSERT ON record BEGIN SELECT 1; END",
            "its tables or triggers",
        ),
        ("CREATE VIEW more AS SELECT 1", "its tables or triggers"),
    ] {
        let bench = with_trail();
        block_on(async {
            let mut other = stranger(&bench.database()).await;
            sqlx::raw_sql(change).execute(&mut other).await.unwrap();
        });
        refused(&bench, &[expected]);
        let error = TrailReader::open(&bench.database())
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn a_file_that_is_corrupt_is_refused() {
    let bench = with_trail();
    let whole = fs::read(bench.database()).unwrap();
    fs::write(bench.database(), b"this is no database at all, and longer than a header is: more than a hundred bytes of text, so that it is read").unwrap();
    refused(&bench, &["it is no database", "portcullis trail verify"]);
    fs::write(bench.database(), &whole[..whole.len() / 2]).unwrap();
    refused(&bench, &["cannot be trusted", "portcullis trail verify"]);
    fs::write(bench.database(), b"").unwrap();
    refused(&bench, &["it is no trail of portcullis"]);
}

#[test]
fn a_place_that_cannot_be_used_is_told() {
    let bench = Bench::new();
    fs::write(bench.state(), b"a file stands where the folder belongs").unwrap();
    refused(
        &bench,
        &["cannot make", "belongs to the user that runs the guard"],
    );
}

/// An earlier process ended before it could say what became of its intents.
#[test]
fn intents_without_an_outcome_are_closed_and_told() {
    let bench = Bench::new();
    let trail = bench.open().unwrap();
    block_on(async {
        let intent = trail.intent(delete(&trail, "left open")).await.unwrap();
        trail
            .intent(delete(&trail, "closed"))
            .await
            .unwrap()
            .outcome(200);
        // As if the process ended here: nothing is said, not even by what is dropped.
        std::mem::forget(intent);
    });
    drop(trail);
    let trail = bench.open().unwrap();
    let start = trail.started().clone();
    assert_eq!(start.unknown, 1);
    assert_eq!(start.first_unknown, [(3, Some("left open".to_owned()))]);
    drop(trail);
    let seen = records(&bench.database());
    let outcome = seen.iter().find(|one| one.intent == Some(3)).unwrap();
    assert_eq!(outcome.kind, TrailKind::Outcome);
    assert_eq!(outcome.reason.as_ref().unwrap().as_str(), "unknown");
    assert_eq!(bench.open().unwrap().started().unknown, 0);
    bench.verify().unwrap();
}

#[test]
fn a_start_that_ended_halfway_is_begun_anew() {
    let bench = Bench::new();
    fs::create_dir_all(bench.state()).unwrap();
    for name in ["trail.key.new", "trail.sqlite.new"] {
        fs::write(bench.state().join(name), b"half").unwrap();
    }
    assert!(bench.open().unwrap().started().begun);
    // It ended after the trail had its name, and before the key had.
    let key = bench.state().join("trail.key");
    fs::rename(&key, bench.state().join("trail.key.new")).unwrap();
    assert!(!bench.open().unwrap().started().begun);
    assert!(key.exists());
}

#[test]
fn the_errors_say_what_they_are() {
    let bench = Bench::new();
    let first = bench.open().unwrap();
    assert!(matches!(bench.open(), Err(TrailError::InUse(_))));
    drop(first);
    let missing = TrailReader::open(&bench.folder.path().join("none.sqlite"));
    assert!(matches!(missing, Err(TrailError::Missing(_))));
}
