//! A trail is read while it is written, and by what is asked for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use portcullis_policy::Method;
use portcullis_policy::event::EventVerdict;
use portcullis_state::trail::{TrailFilter, TrailReader, TrailRecord};

use super::bench::{Bench, block_on, delete, filled};

/// What a reader sees is whole at each moment, and the writer is not kept from writing.
#[test]
fn it_is_verified_while_it_is_written() {
    let bench = Bench::new();
    let trail = Arc::new(bench.open().unwrap());
    let is_over = Arc::new(AtomicBool::new(false));
    let writing = {
        let (trail, is_over) = (Arc::clone(&trail), Arc::clone(&is_over));
        std::thread::spawn(move || {
            block_on(async {
                let mut count = 0_u64;
                while !is_over.load(Ordering::Relaxed) {
                    let record = delete(&trail, &format!("r-{count}"));
                    trail.intent(record).await.unwrap().outcome(200);
                    count += 1;
                }
                count
            })
        })
    };
    let mut seen = 0;
    for _ in 0..20 {
        let records = bench.verify().unwrap().records;
        assert!(records >= seen);
        seen = records;
    }
    is_over.store(true, Ordering::Relaxed);
    let written = writing.join().unwrap();
    let health = trail.close();
    assert_eq!((health.failures, health.lost), (0, 0));
    assert!(bench.verify().unwrap().records >= 2 * written);
}

#[test]
fn what_is_asked_for_is_found() {
    let bench = Bench::new();
    let trail = bench.open().unwrap();
    let names = trail.names();
    for number in 0..50 {
        trail.note(filled(TrailRecord::note(), &trail, &format!("r-{number}")));
    }
    trail.note(
        TrailRecord::note()
            .request("special")
            .user("alice@example.com", names)
            .tenant("org_2", names)
            .action(Some(Method::Post), "/transfers")
            .verdict(EventVerdict::Refused, "csrf_missing"),
    );
    let masked = names.masked("alice@example.com").as_str().to_owned();
    drop(trail);
    let mut reader = TrailReader::open(&bench.database()).unwrap();
    let last = reader.last_seq().unwrap();
    let all = TrailFilter::default;
    let actor = |actor: &str| TrailFilter {
        actor: vec![actor.to_owned()],
        ..all()
    };
    for (filter, count) in [
        (actor("user_1"), 50),
        (actor("org_2"), 1),
        (actor(&masked), 1),
        (actor("' OR 1=1 --"), 0),
        (
            TrailFilter {
                request: Some("special".to_owned()),
                ..all()
            },
            1,
        ),
        (
            TrailFilter {
                method: Some(Method::Post),
                ..all()
            },
            1,
        ),
        (
            TrailFilter {
                route: Some("/items/{id}".to_owned()),
                ..all()
            },
            50,
        ),
        (
            TrailFilter {
                verdict: Some(EventVerdict::Refused),
                ..all()
            },
            1,
        ),
        (
            TrailFilter {
                since: Some(1),
                until: Some(2),
                ..all()
            },
            0,
        ),
        (
            TrailFilter {
                since: Some(u64::MAX),
                ..all()
            },
            0,
        ),
    ] {
        let found = reader.after(0, &filter, 1_000).unwrap();
        assert_eq!(found.len(), count, "{filter:?}");
    }
    // Page by page, each once and in order.
    let (mut after, mut seqs) = (0, Vec::new());
    loop {
        let page = reader.after(after, &all(), 7).unwrap();
        let Some((body, _)) = page.last() else { break };
        after = body.seq;
        seqs.extend(page.iter().map(|(body, _)| body.seq));
    }
    assert_eq!(seqs, (1..=last).collect::<Vec<_>>());
    let newest = reader.newest(&all(), 3).unwrap();
    let newest: Vec<_> = newest.iter().map(|(body, _)| body.seq).collect();
    assert_eq!(newest, [last - 2, last - 1, last]);
}
