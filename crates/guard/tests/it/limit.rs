//! The arithmetic of limits: against published steps, and against what the rules say for any schedule.

use portcullis_guard::clock::{Nanos, SECOND};
use portcullis_guard::limit::{ExactCell, GcraCell, LimitRule, LogCell};
use proptest::prelude::*;
use serde_json::Value;

const MILLI: Nanos = SECOND / 1_000;

/// The steps of throttled and redis-cell: at most 5, one more each second.
const VECTORS: &str = include_str!("../../../../fixtures/vectors/rate-limit/gcra.json");

#[test]
fn gcra_agrees_with_throttled_and_redis_cell() {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let number = |case: &Value, field: &str| case[field].as_i64().unwrap();
    // Their `max_burst` is what may come beyond the first one.
    let burst = u32::try_from(number(&vectors, "max_burst") + 1).unwrap();
    let period = SECOND / u64::try_from(number(&vectors, "rate_per_s")).unwrap();
    let cases = vectors["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 16);
    let mut cell = GcraCell::default();
    for (at, case) in cases.iter().enumerate() {
        let now = u64::try_from(number(case, "at_ms")).unwrap() * MILLI;
        let cost = u32::try_from(number(case, "cost")).unwrap();
        let (state, after) = cell.check(period, burst, cost, now);
        cell = after;
        // Their -1 stands for "now" where it is admitted, and for "never" where it is not.
        let limited = case["limited"].as_bool().unwrap();
        let retry_after = match number(case, "retry_after_ms") {
            -1 if limited => Nanos::MAX,
            -1 => 0,
            millis => u64::try_from(millis).unwrap() * MILLI,
        };
        let reset_after = u64::try_from(number(case, "reset_after_ms")).unwrap() * MILLI;
        assert_eq!(state.admitted, !limited, "case {at}");
        assert_eq!(
            i64::from(state.remaining),
            number(case, "remaining"),
            "case {at}"
        );
        assert_eq!(state.retry_after, retry_after, "case {at}");
        assert_eq!(state.reset_after, reset_after, "case {at}");
    }
}

#[test]
fn a_rate_that_does_not_divide_is_rounded_to_fewer() {
    let rule = LimitRule::smooth(3, 10, 1);
    assert_eq!(
        rule,
        LimitRule::Smooth {
            period: 4,
            burst: 1
        }
    );
}

#[test]
fn what_left_the_window_takes_nothing_with_it_when_it_is_released() {
    let mut log = LogCell::default();
    assert!(log.check(2, 10, 1, 0).admitted);
    log.admit(1, 0);
    assert!(log.check(2, 10, 2, 10).admitted, "the first has left");
    log.admit(2, 10);
    log.release(10, 0, 10);
    assert!(!log.check(2, 10, 1, 10).admitted);
}

#[test]
fn what_was_admitted_by_a_clock_that_was_read_before_is_given_back_too() {
    let mut log = LogCell::default();
    log.admit(1, 101);
    log.admit(1, 100);
    log.release(10, 101, 102);
    log.release(10, 100, 102);
    assert_eq!(log, LogCell::default());
}

#[test]
fn asking_without_counting_moves_no_reset() {
    let mut log = LogCell::default();
    assert_eq!(log.check(2, 10, 0, 0).reset_after, 0);
    assert!(log.check(2, 10, 1, 0).admitted);
    log.admit(1, 0);
    assert_eq!(log.check(2, 10, 0, 4).reset_after, 6);
}

/// Requests: how long after the one before, and how much each counts.
fn schedule(cost_max: u32) -> impl Strategy<Value = Vec<(Nanos, u32)>> {
    // Short gaps and exact multiples meet the edges of a window more often than even chance would.
    let gap = prop_oneof![0..4_u64, 0..40_u64, Just(10_u64), Just(20_u64)];
    prop::collection::vec((gap, 0..=cost_max), 1..60)
}

/// The same with moments instead of gaps, far enough from zero that nothing saturates.
fn moments(schedule: &[(Nanos, u32)]) -> impl Iterator<Item = (Nanos, u32)> {
    schedule.iter().scan(1_000, |now, (gap, cost)| {
        *now += gap;
        Some((*now, *cost))
    })
}

proptest! {
    #[test]
    fn exact_admits_as_many_as_the_window_holds(
        schedule in schedule(3), count in 1..6_u32, window in 1..30_u64,
    ) {
        let mut log = LogCell::default();
        let mut admitted: Vec<(Nanos, u32)> = Vec::new();
        for (now, cost) in moments(&schedule) {
            let used: u32 = admitted.iter()
                .filter(|(at, _)| now - at < window).map(|(_, cost)| cost).sum();
            let state = log.check(count, window, cost, now);
            prop_assert_eq!(state.admitted, used + cost <= count);
            let counted = if state.admitted { cost } else { 0 };
            prop_assert_eq!(state.remaining, count - used - counted);
            if state.admitted {
                log.admit(cost, now);
                admitted.push((now, cost));
            }
            let last = admitted.iter().rfind(|(_, cost)| *cost > 0).map(|(at, _)| at + window);
            prop_assert_eq!(state.reset_after, last.map_or(0, |end| end.saturating_sub(now)));
        }
    }

    #[test]
    fn exact_tells_the_moment_at_which_it_admits(
        schedule in schedule(2), count in 1..6_u32, window in 1..30_u64, wanted in 1..4_u32,
    ) {
        let mut log = LogCell::default();
        let mut now = 0;
        for (at, cost) in moments(&schedule) {
            now = at;
            if log.check(count, window, cost, now).admitted {
                log.admit(cost, now);
            }
        }
        let wait = log.check(count, window, wanted, now).retry_after;
        if wanted > count {
            prop_assert_eq!(wait, Nanos::MAX);
        } else {
            prop_assert!(log.clone().check(count, window, wanted, now + wait).admitted);
            if wait > 0 {
                prop_assert!(!log.check(count, window, wanted, now + wait - 1).admitted);
            }
        }
    }

    #[test]
    fn exact_gives_back_what_was_taken(
        schedule in schedule(2), count in 2..6_u32, window in 1..30_u64, cost in 1..3_u32,
    ) {
        let mut log = LogCell::default();
        let mut now = 0;
        for (at, cost) in moments(&schedule) {
            now = at;
            if log.check(count, window, cost, now).admitted {
                log.admit(cost, now);
            }
        }
        if log.check(count, window, cost, now).admitted {
            let before = log.clone();
            log.admit(cost, now);
            for _ in 0..cost {
                log.release(window, now, now);
            }
            prop_assert_eq!(log, before);
        }
    }

    #[test]
    fn a_limit_that_is_used_up_is_shut_from_that_moment_on(
        schedule in schedule(3), count in 1..6_u32, window in 1..30_u64, lockout in 0..60_u64,
    ) {
        let mut cell = ExactCell::default();
        let mut admitted: Vec<(Nanos, u32)> = Vec::new();
        let mut shut_until = 0;
        for (now, cost) in moments(&schedule) {
            let used: u32 = admitted.iter()
                .filter(|(at, _)| now - at < window).map(|(_, cost)| cost).sum();
            let shut = now < shut_until;
            let state = cell.check(count, window, lockout, cost, now);
            prop_assert_eq!(state.admitted, cost == 0 || (!shut && used + cost <= count));
            let counted = if state.admitted { cost } else { 0 };
            let left = if shut { 0 } else { count - used - counted };
            prop_assert_eq!(state.remaining, left);
            if state.admitted {
                cell.admit(count, lockout, cost, now);
                if cost > 0 {
                    admitted.push((now, cost));
                    if used + cost == count {
                        shut_until = now + lockout;
                    }
                }
            } else if cost <= count {
                // Told to the nanosecond, and no try makes it longer.
                let wait = state.retry_after;
                prop_assert!(wait > 0);
                prop_assert!(cell.clone().check(count, window, lockout, cost, now + wait).admitted);
                prop_assert!(!cell.clone().check(count, window, lockout, cost, now + wait - 1).admitted);
            }
            let empty = admitted.last().map_or(0, |(at, _)| at + window);
            prop_assert_eq!(cell.until(window).max(now), empty.max(shut_until).max(now));
            prop_assert_eq!(state.reset_after, empty.max(shut_until).saturating_sub(now));
        }
    }

    #[test]
    fn what_is_given_back_leaves_a_lockout_as_if_it_had_never_come(
        schedule in schedule(2), count in 2..6_u32, window in 1..30_u64, lockout in 0..60_u64,
    ) {
        let mut cell = ExactCell::default();
        let mut now = 0;
        for (at, cost) in moments(&schedule) {
            now = at;
            if cell.check(count, window, lockout, cost, now).admitted {
                cell.admit(count, lockout, cost, now);
            }
        }
        let before = cell.clone();
        if cell.check(count, window, lockout, 1, now).admitted {
            cell.admit(count, lockout, 1, now);
            cell.release(count, window, now, now);
            // It is open, as it was: what it was shut by before is over.
            prop_assert_eq!(cell.log().entries().count(), before.log().entries().filter(|at| now - at < window).count());
            prop_assert!(cell.check(count, window, lockout, 1, now).admitted);
            prop_assert!(cell.shut_until() <= now);
        }
    }

    #[test]
    fn moments_out_of_order_admit_no_more(
        schedule in schedule(1), late in prop::collection::vec(0..5_u64, 60),
        count in 1..6_u32, window in 6..30_u64,
    ) {
        // Threads read the clock and then take the lock: what arrives last may have read first.
        let mut log = LogCell::default();
        let mut arrived: Vec<Nanos> = Vec::new();
        for ((now, _), late) in moments(&schedule).zip(late) {
            if log.check(count, window, 1, now - late).admitted {
                log.admit(1, now - late);
                arrived.push(now);
            }
        }
        let most = arrived.iter().map(|start| {
            arrived.iter().filter(|at| **at >= *start && **at < *start + window - 5).count()
        }).max();
        prop_assert!(most.unwrap_or(0) <= usize::try_from(count).unwrap());
    }

    #[test]
    fn smooth_admits_a_burst_and_one_for_each_period(
        schedule in schedule(3), period in 1..20_u64, burst in 1..6_u32,
    ) {
        let mut cell = GcraCell::default();
        let mut admitted: Vec<(Nanos, u64)> = Vec::new();
        for (now, cost) in moments(&schedule) {
            let (state, after) = cell.check(period, burst, cost, now);
            cell = after;
            if state.admitted {
                admitted.push((now, u64::from(cost)));
            }
        }
        for (from, (start, _)) in admitted.iter().enumerate() {
            let mut sum = 0;
            for (at, cost) in &admitted[from..] {
                sum += cost;
                prop_assert!(sum <= u64::from(burst) + (at - start) / period);
            }
        }
    }

    #[test]
    fn smooth_tells_the_moment_at_which_it_admits(
        schedule in schedule(2), period in 1..20_u64, burst in 1..6_u32, wanted in 1..8_u32,
    ) {
        let mut cell = GcraCell::default();
        let mut now = 0;
        for (at, cost) in moments(&schedule) {
            now = at;
            cell = cell.check(period, burst, cost, now).1;
        }
        let (state, after) = cell.check(period, burst, wanted, now);
        // What is left can be had at once, and no more.
        prop_assert!(after.check(period, burst, state.remaining, now).0.admitted);
        prop_assert!(!after.check(period, burst, state.remaining + 1, now).0.admitted);
        let admits = |at| cell.check(period, burst, wanted, at).0.admitted;
        if wanted > burst {
            prop_assert_eq!(state.retry_after, Nanos::MAX);
            prop_assert!(!admits(now + 1_000_000));
        } else {
            prop_assert!(admits(now + state.retry_after));
            prop_assert!(state.retry_after == 0 || !admits(now + state.retry_after - 1));
        }
    }

    #[test]
    fn smooth_gives_back_what_was_taken_and_never_more(
        schedule in schedule(2), released in 0..60_usize, late in 0..60_u64,
        period in 1..20_u64, burst in 1..6_u32,
    ) {
        // Beside it a bucket that the released request never came to.
        let (mut cell, mut without) = (GcraCell::default(), GcraCell::default());
        let mut taken = None;
        let mut now = 0;
        for (place, (at, cost)) in moments(&schedule).enumerate() {
            now = at;
            let (state, after) = cell.check(period, burst, cost, now);
            cell = after;
            if state.admitted && place == released {
                taken = Some((at, cost));
            } else if state.admitted {
                without = without.check(period, u32::MAX, cost, now).1;
            }
        }
        now += late;
        if let Some((at, cost)) = taken {
            let after = cell.released(period, cost, at, now);
            prop_assert!(after.full_at.max(now) >= without.full_at.max(now), "too much");
            prop_assert!(after.full_at <= cell.full_at);
            if at == now {
                prop_assert_eq!(after.full_at.max(now), without.full_at.max(now));
            }
        }
    }
}
