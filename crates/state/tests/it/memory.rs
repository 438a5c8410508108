//! The store in memory stays within its bytes, and gives them back.

use portcullis_guard::clock::{Nanos, Now, SECOND};
use portcullis_guard::limit::{LimitRule, LimitState};
use portcullis_guard::store::{Answer, Ask, Durability, LimitAsk, Reply, Scope, Store as _};
use portcullis_state::{MemoryOptions, MemoryStore};
use smallvec::smallvec;

pub(crate) fn at(monotonic: Nanos) -> Now {
    Now {
        monotonic,
        unix_millis: 1_800_000_000_000 + monotonic / 1_000_000,
    }
}

pub(crate) fn ask<'s>(
    scope: &'s Scope,
    value: &[u8],
    rule: LimitRule,
    durability: Durability,
) -> LimitAsk<'s> {
    LimitAsk {
        scope,
        value: value.into(),
        coarser: smallvec![],
        rule,
        cost: 1,
        durability,
    }
}

pub(crate) fn count(store: &MemoryStore, ask: &LimitAsk<'_>, now: Now) -> LimitState {
    let batch = [Ask::Limits(smallvec![ask.clone()])];
    let Reply::Ready(Ok(answers)) = store.ask(&batch, now) else {
        panic!("no answer at once");
    };
    let Some(Answer::Limits(states)) = answers.first() else {
        panic!("another answer");
    };
    states[0]
}

#[test]
fn a_flood_takes_no_more_bytes_than_it_may_and_they_come_back() {
    let options = MemoryOptions {
        bucket_bytes: 1 << 20,
        entry_bytes: 1 << 20,
        shards: 8,
    };
    let store = MemoryStore::new(options).unwrap();
    let scope = Scope::new("flood");
    for rule in [
        LimitRule::smooth(10, 60 * SECOND, 10),
        LimitRule::exact(10, 60 * SECOND),
        LimitRule::exact(1_000, 60 * SECOND),
    ] {
        let name = Scope::new(&format!("{} {rule:?}", scope.as_str()));
        for number in 0..50_000_u32 {
            let one = ask(&name, &number.to_be_bytes(), rule, Durability::Volatile);
            let _ = count(&store, &one, at(SECOND));
        }
        let used = store.used().unwrap();
        assert!(used.bucket_bytes <= options.bucket_bytes, "{used:?}");
        assert!(used.buckets > 0);
    }
    assert!(store.sweep(at(62 * SECOND)).unwrap() > 0);
    let used = store.used().unwrap();
    assert_eq!((used.buckets, used.bucket_bytes), (0, 0));
}

#[test]
fn what_is_over_goes_away_while_others_come() {
    // Nobody calls `sweep`: each new bucket takes some of the old ones with it.
    let store = MemoryStore::new(MemoryOptions::default()).unwrap();
    let scope = Scope::new("steady");
    let rule = LimitRule::exact(5, SECOND);
    for number in 0..100_000_u32 {
        let now = at(u64::from(number) * SECOND / 1_000);
        let one = ask(&scope, &number.to_be_bytes(), rule, Durability::Volatile);
        assert!(count(&store, &one, now).admitted);
    }
    let used = store.used().unwrap();
    // A thousand live at a time; a slow sweep may leave some times that.
    assert!(used.buckets < 10_000, "{used:?}");
}
