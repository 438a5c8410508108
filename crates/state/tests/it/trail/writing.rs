//! What is handed over is written: intents before they are acknowledged, outcomes whatever becomes of their owner.

use std::sync::Arc;

use portcullis_policy::event::EventVerdict;
use portcullis_state::trail::{TrailKind, TrailNews, TrailRecord};

use super::bench::{Bench, block_on, delete, filled, records};

#[test]
fn an_intent_and_its_outcome_are_whole() {
    let bench = Bench::new();
    let trail = bench.open().unwrap();
    assert!(trail.started().begun);
    block_on(async {
        let intent = trail.intent(delete(&trail, "r-1")).await.unwrap();
        // Before anything else happens a reader sees it.
        let seen = records(&bench.database());
        let last = seen.last().unwrap();
        assert_eq!((last.kind, last.seq), (TrailKind::Intent, intent.seq()));
        assert_eq!(last.user.as_ref().unwrap().as_str(), "user_1");
        assert_eq!(last.target[0].1.as_str(), "17");
        intent.outcome(204);
        trail.note(filled(TrailRecord::note(), &trail, "r-2"));
        trail.flush().await;
    });
    let health = trail.close();
    assert_eq!((health.lost, health.error), (0, None));
    let seen = records(&bench.database());
    let kinds: Vec<_> = seen.iter().map(|one| one.kind).collect();
    assert_eq!(
        kinds,
        [
            TrailKind::Start,
            TrailKind::Start,
            TrailKind::Intent,
            TrailKind::Outcome,
            TrailKind::Note,
            TrailKind::Checkpoint,
        ]
    );
    assert_eq!(seen[3].intent, Some(3));
    assert_eq!(seen[3].status, Some(204));
    assert_eq!(seen[3].request, seen[2].request);
    let verified = bench.verify().unwrap();
    assert_eq!(
        (
            verified.records,
            verified.checkpoints,
            verified.second_place,
            verified.unsigned
        ),
        (6, 1, 1, 0)
    );
    let news = bench.news.lock().unwrap();
    assert!(
        matches!(news.as_slice(), [TrailNews::Checkpoint(_)]),
        "{news:?}"
    );
}

#[test]
fn what_becomes_of_an_intent_is_always_told() {
    let bench = Bench::new();
    let trail = bench.open().unwrap();
    block_on(async {
        trail
            .intent(delete(&trail, "dropped"))
            .await
            .map(drop)
            .unwrap();
        trail
            .intent(delete(&trail, "unknown"))
            .await
            .unwrap()
            .unknown();
        let refused = trail.intent(delete(&trail, "refused")).await.unwrap();
        refused.refused("csrf_used");
        // Who asked goes away while it is being written.
        for _ in 0..50 {
            let record = delete(&trail, "gone");
            let asked = trail.intent(record);
            drop(tokio::time::timeout(std::time::Duration::from_micros(50), asked).await);
        }
        trail.flush().await;
    });
    drop(trail);
    let seen = records(&bench.database());
    let outcome = |request: &str| {
        let of = |kind| move |one: &&portcullis_state::trail::Body| one.kind == kind;
        let named = |one: &&portcullis_state::trail::Body| {
            one.request
                .as_ref()
                .is_some_and(|id| id.as_str() == request)
        };
        let intents = seen
            .iter()
            .filter(named)
            .filter(of(TrailKind::Intent))
            .count();
        let outcomes: Vec<_> = seen
            .iter()
            .filter(named)
            .filter(of(TrailKind::Outcome))
            .map(|one| {
                (
                    one.verdict,
                    one.reason.as_ref().unwrap().as_str().to_owned(),
                )
            })
            .collect();
        assert_eq!(intents, outcomes.len(), "{request}");
        outcomes
    };
    let allowed = Some(EventVerdict::Allowed);
    assert_eq!(outcome("dropped"), [(allowed, "unknown".to_owned())]);
    assert_eq!(outcome("unknown"), [(allowed, "unknown".to_owned())]);
    let refused = Some(EventVerdict::Refused);
    assert_eq!(outcome("refused"), [(refused, "csrf_used".to_owned())]);
    for (verdict, reason) in outcome("gone") {
        // One that was there in time and was dropped with its future is of somebody who had it.
        let is_told = (verdict == Some(EventVerdict::Unavailable) && reason == "not_forwarded")
            || (verdict == allowed && reason == "unknown");
        assert!(is_told, "{verdict:?} {reason}");
    }
    bench.verify().unwrap();
}

/// Several workers, each with a loop of its own, as the gateway has.
#[test]
fn many_write_at_once_and_each_record_has_its_place() {
    let bench = Bench::new();
    let trail = Arc::new(bench.open().unwrap());
    let workers: Vec<_> = (0..4)
        .map(|worker| {
            let trail = Arc::clone(&trail);
            std::thread::spawn(move || {
                block_on(async {
                    for number in 0..100 {
                        let record = delete(&trail, &format!("r-{worker}-{number}"));
                        trail.intent(record).await.unwrap().outcome(200);
                    }
                });
            })
        })
        .collect();
    for worker in workers {
        worker.join().unwrap();
    }
    let health = trail.close();
    assert_eq!((health.lost, health.failures), (0, 0));
    let verified = bench.verify().unwrap();
    let seen = records(&bench.database());
    let count = |kind| seen.iter().filter(|one| one.kind == kind).count();
    assert_eq!(count(TrailKind::Intent), 400);
    assert_eq!(count(TrailKind::Outcome), 400);
    assert_eq!(verified.records, u64::try_from(seen.len()).unwrap());
}

#[test]
fn a_thousand_records_are_signed() {
    let bench = Bench::new();
    let trail = bench.open().unwrap();
    block_on(async {
        for part in 0..5 {
            for number in 0..500 {
                trail.note(filled(
                    TrailRecord::note(),
                    &trail,
                    &format!("r-{part}-{number}"),
                ));
            }
            trail.flush().await;
        }
    });
    // Before the end, which signs once more.
    let verified = bench.verify().unwrap();
    assert!(verified.checkpoints >= 2, "{verified:?}");
    assert!(verified.unsigned < 1_000);
    assert_eq!(verified.checkpoints, verified.second_place);
    drop(trail);
    assert_eq!(bench.verify().unwrap().unsigned, 0);
}

#[test]
fn after_the_end_nothing_is_taken() {
    let bench = Bench::new();
    let trail = bench.open().unwrap();
    trail.close();
    let refused = block_on(trail.intent(delete(&trail, "late")));
    assert!(refused.is_err());
    trail.note(filled(TrailRecord::note(), &trail, "late"));
    assert_eq!(trail.health().lost, 1);
}

/// What is lost is told by a record, and until then nothing sensitive passes.
#[test]
fn a_queue_that_is_full_is_told_and_refuses() {
    let bench = Bench::new();
    let trail = bench.open().unwrap();
    block_on(async {
        let mut was_unwell = false;
        for number in 0..200_000 {
            trail.note(filled(TrailRecord::note(), &trail, &format!("r-{number}")));
            if trail.health().lost > 0 {
                was_unwell = trail.health().error.is_some()
                    && trail.intent(delete(&trail, "refused")).await.is_err();
                break;
            }
        }
        assert!(was_unwell, "{:?}", trail.health());
        // The writer takes everything else, and tells.
        while trail.health().error.is_some() {
            trail.flush().await;
        }
        trail
            .intent(delete(&trail, "again"))
            .await
            .unwrap()
            .outcome(200);
    });
    let lost = trail.close().lost;
    let seen = records(&bench.database());
    let gap = seen.iter().find(|one| one.kind == TrailKind::Gap).unwrap();
    let words = gap.detail.as_ref().unwrap().as_str();
    assert!(lost > 0 && words.contains("are lost"), "{words}");
    bench.verify().unwrap();
}
