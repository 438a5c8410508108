//! A table of what somebody with the file can do to it, each found by `verify` at the right record.

use std::fs;

use portcullis_state::trail::{TrailFault, TrailRecord, VerifyError, hash_of};
use sqlx::Row as _;
use sqlx::sqlite::SqliteConnection;

use super::bench::{Bench, block_on, filled, stranger, verify_at};

/// 60 records in three runs of a guard, each signed at its end.
fn signed_trail() -> Bench {
    let bench = Bench::new();
    for run in 0..3 {
        let trail = bench.open().unwrap();
        for number in 0..18 {
            trail.note(filled(
                TrailRecord::note(),
                &trail,
                &format!("r-{run}-{number}"),
            ));
        }
        assert_eq!(trail.close().error, None);
    }
    let verified = bench.verify().unwrap();
    assert_eq!((verified.checkpoints, verified.second_place), (3, 3));
    bench
}

/// Does something to the database with its triggers out of the way, and puts them back.
fn tamper(bench: &Bench, statements: &[&'static str]) {
    block_on(async {
        let mut other = stranger(&bench.database()).await;
        let triggers = sqlx::query("SELECT sql FROM sqlite_schema WHERE type = 'trigger'")
            .fetch_all(&mut other)
            .await
            .unwrap();
        run(&mut other, "DROP TRIGGER record_no_update").await;
        run(&mut other, "DROP TRIGGER record_no_delete").await;
        for statement in statements {
            run(&mut other, statement).await;
        }
        for trigger in triggers {
            let text: String = trigger.get(0);
            let text = sqlx::AssertSqlSafe(text);
            sqlx::query(text).execute(&mut other).await.unwrap();
        }
    });
}

async fn run(connection: &mut SqliteConnection, statement: &'static str) {
    sqlx::query(statement).execute(connection).await.unwrap();
}

fn broken(bench: &Bench) -> (u64, TrailFault) {
    match bench.verify().unwrap_err() {
        VerifyError::Broken { seq, fault } => (seq, fault),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_database_refuses_an_honest_mistake() {
    let bench = signed_trail();
    block_on(async {
        let mut other = stranger(&bench.database()).await;
        for statement in ["UPDATE record SET user = 'x'", "DELETE FROM record"] {
            let error = sqlx::query(statement)
                .execute(&mut other)
                .await
                .unwrap_err();
            assert!(error.to_string().contains("append-only"), "{error}");
        }
    });
    bench.verify().unwrap();
}

#[test]
fn each_tampering_is_found_where_it_is() {
    use TrailFault::{Columns, CutOff, Edited, Missing, NotNext};
    let table: [(&str, &[&'static str], u64, TrailFault); 17] = [
        (
            "a byte of a record",
            &[
                "UPDATE record SET body = CAST(substr(body, 1, 80) || x'00' || substr(body, 82) AS BLOB) WHERE seq = 20",
            ],
            20,
            Edited,
        ),
        (
            "a hash",
            &["UPDATE record SET hash = zeroblob(32) WHERE seq = 20"],
            20,
            Edited,
        ),
        (
            "a hash of another length",
            &["UPDATE record SET hash = x'00' WHERE seq = 20"],
            20,
            Edited,
        ),
        (
            "a user",
            &["UPDATE record SET user = 'somebody_else' WHERE seq = 20"],
            20,
            Columns,
        ),
        (
            "a tenant",
            &["UPDATE record SET tenant = NULL WHERE seq = 20"],
            20,
            Columns,
        ),
        (
            "a moment",
            &["UPDATE record SET time = time + 1 WHERE seq = 20"],
            20,
            Columns,
        ),
        (
            "a route",
            &["UPDATE record SET route = '/other' WHERE seq = 20"],
            20,
            Columns,
        ),
        (
            "a verdict",
            &["UPDATE record SET verdict = 'refused' WHERE seq = 20"],
            20,
            Columns,
        ),
        (
            "a request",
            &["UPDATE record SET request = 'r' WHERE seq = 20"],
            20,
            Columns,
        ),
        (
            "a kind",
            &["UPDATE record SET kind = 2 WHERE seq = 20"],
            20,
            Columns,
        ),
        (
            "one dropped",
            &["DELETE FROM record WHERE seq = 20"],
            20,
            Missing { found: 21 },
        ),
        (
            "the first dropped",
            &["DELETE FROM record WHERE seq = 1"],
            1,
            Missing { found: 2 },
        ),
        (
            "one dropped and the rest moved up",
            &[
                "DELETE FROM record WHERE seq = 20",
                "UPDATE record SET seq = -seq WHERE seq > 20",
                "UPDATE record SET seq = -seq - 1 WHERE seq < 0",
            ],
            20,
            NotNext,
        ),
        (
            "two exchanged",
            &[
                "UPDATE record SET seq = -1 WHERE seq = 20",
                "UPDATE record SET seq = 20 WHERE seq = 21",
                "UPDATE record SET seq = 21 WHERE seq = -1",
            ],
            20,
            NotNext,
        ),
        (
            "one copied in",
            &[
                "UPDATE record SET seq = -seq WHERE seq > 20",
                "UPDATE record SET seq = -seq + 1 WHERE seq < 0",
                "INSERT INTO record SELECT 21, hash, kind, time, intent, request, user, tenant, method, route, verdict, body FROM record WHERE seq = 20",
            ],
            21,
            NotNext,
        ),
        (
            "one before the first",
            &[
                "INSERT INTO record SELECT -5, hash, kind, time, intent, request, user, tenant, method, route, verdict, body FROM record WHERE seq = 20",
            ],
            1,
            Missing { found: -5 },
        ),
        (
            "cut off",
            &["DELETE FROM record WHERE seq > 20"],
            21,
            CutOff { signed: 20 },
        ),
    ];
    for (what, statements, seq, fault) in table {
        let bench = signed_trail();
        tamper(&bench, statements);
        let found = broken(&bench);
        let is_cut = matches!((fault, found.1), (CutOff { .. }, CutOff { .. }));
        assert!(
            found.0 == seq && (found.1 == fault || is_cut),
            "{what}: {found:?}"
        );
        if !is_cut {
            // All but the cut show without the second place.
            let alone = verify_at(&bench.database(), None).unwrap_err();
            assert!(
                matches!(alone, VerifyError::Broken { seq: at, .. } if at == seq),
                "{what}"
            );
        }
    }
}

#[test]
fn a_trail_without_records_is_cut_off() {
    let bench = signed_trail();
    tamper(&bench, &["DELETE FROM record"]);
    assert!(matches!(broken(&bench), (1, TrailFault::CutOff { .. })));
}

/// Somebody changes a record and computes the chain anew from there on, without the key.
#[test]
fn a_chain_that_was_computed_anew_is_found_by_its_signature() {
    let bench = signed_trail();
    rewrite(&bench, 30);
    // The checkpoint after it signs another hash.
    match verify_at(&bench.database(), None).unwrap_err() {
        VerifyError::Broken { seq, fault } => assert_eq!((seq, fault), (41, TrailFault::Forged)),
        other => panic!("{other:?}"),
    }
    assert_eq!(broken(&bench), (40, TrailFault::Rewritten));
}

/// Somebody with the key as well: then only the second place knows.
#[test]
fn a_trail_that_was_written_anew_is_found_by_the_second_place() {
    let bench = signed_trail();
    let other = Bench::new();
    let key = bench.state().join("trail.key");
    fs::create_dir_all(other.state()).unwrap();
    for run in 0..3 {
        let trail = other.open().unwrap();
        trail.note(TrailRecord::note().request("another story"));
        for number in 0..30 {
            trail.note(filled(
                TrailRecord::note(),
                &trail,
                &format!("s-{run}-{number}"),
            ));
        }
        drop(trail);
    }
    assert!(key.exists());
    fs::copy(other.database(), bench.database()).unwrap();
    verify_at(&bench.database(), None).unwrap();
    let (_, fault) = broken(&bench);
    assert_eq!(fault, TrailFault::Rewritten);
}

#[test]
fn a_key_that_was_not_named_is_found() {
    let bench = signed_trail();
    let mut reader = portcullis_state::trail::TrailReader::open(&bench.database()).unwrap();
    let options = |key: String| portcullis_state::trail::VerifyOptions {
        keys: [key.trim().parse().unwrap()].into(),
        checkpoints: None::<&[u8]>,
    };
    let public = fs::read_to_string(bench.state().join("trail.pub")).unwrap();
    portcullis_state::trail::verify(&mut reader, options(public)).unwrap();
    let error = portcullis_state::trail::verify(&mut reader, options("00".repeat(32)));
    assert!(matches!(
        error,
        Err(VerifyError::Broken {
            fault: TrailFault::OtherKey,
            ..
        })
    ));
}

#[test]
fn a_second_place_that_was_touched_is_found_or_told() {
    let bench = signed_trail();
    let text = fs::read_to_string(bench.checkpoints()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let write = |lines: &[&str]| fs::write(bench.checkpoints(), lines.join("\n") + "\n").unwrap();
    write(&[lines[1], lines[0], lines[2]]);
    assert!(matches!(broken(&bench).1, TrailFault::Unordered));
    let later = lines[2].replace("\"time\":\"20", "\"time\":\"21");
    write(&[lines[0], lines[1], &later]);
    assert!(matches!(broken(&bench).1, TrailFault::ForgedOutside));
    write(&["half a li", lines[0], lines[1], lines[2]]);
    assert_eq!(bench.verify().unwrap().unreadable_lines, 1);
}

/// Every byte of the file: whatever a flipped bit hits, the trail is not called whole with another content.
#[test]
fn no_flipped_bit_changes_what_is_read() {
    let bench = signed_trail();
    let before = super::bench::records(&bench.database());
    let whole = fs::read(bench.database()).unwrap();
    let (mut found, mut harmless) = (0, 0);
    for at in (0..whole.len()).step_by(97) {
        let mut changed = whole.clone();
        changed[at] ^= 0x10;
        fs::write(bench.database(), &changed).unwrap();
        match bench.verify() {
            Err(_) => found += 1,
            // An index, a free page or a byte that says nothing.
            Ok(_) => {
                harmless += 1;
                assert_eq!(
                    super::bench::records(&bench.database()),
                    before,
                    "byte {at}"
                );
            }
        }
    }
    assert!(
        found > 100 && harmless > 0,
        "{found} found, {harmless} harmless"
    );
}

/// Changes a record and all that follow it, as a whole chain, with the signatures as they were.
fn rewrite(bench: &Bench, from: u64) {
    let mut bodies = super::bench::records(&bench.database());
    let mut prev = portcullis_policy::event::HexBytes([0; 32]);
    block_on(async {
        let mut other = stranger(&bench.database()).await;
        run(&mut other, "DROP TRIGGER record_no_update").await;
        for body in &mut bodies {
            if body.seq >= from {
                body.prev_hash = prev;
                body.detail = (body.seq == from)
                    .then(|| portcullis_policy::event::EventText::new("nothing to see here"));
                let bytes = body.to_bytes();
                sqlx::query("UPDATE record SET body = ?, hash = ? WHERE seq = ?")
                    .bind(bytes.clone())
                    .bind(hash_of(&bytes).0.to_vec())
                    .bind(i64::try_from(body.seq).unwrap())
                    .execute(&mut other)
                    .await
                    .unwrap();
            }
            prev = hash_of(&body.to_bytes());
        }
        run(&mut other, "CREATE TRIGGER record_no_update BEFORE UPDATE ON record BEGIN SELECT RAISE(ABORT, 'the trail is append-only'); END").await;
    });
}
