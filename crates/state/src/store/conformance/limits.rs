//! What must hold of counting.

use portcullis_guard::clock::SECOND;
use portcullis_guard::limit::LimitRule;
use portcullis_guard::store::{Answer, Ask, Durability, Scope, StoreError};
use smallvec::smallvec;

use super::Rule;
use super::bench::{Bench, Held, LIVES, ask, key, put_ask, same};

const EXACT: LimitRule = LimitRule::Exact {
    count: 3,
    window: 10 * SECOND,
    lockout: 0,
};
const SMOOTH: LimitRule = LimitRule::Smooth {
    period: 2 * SECOND,
    burst: 3,
};

pub(super) const RULES: &[Rule] = &[
    ("an exact limit holds to the nanosecond", exact),
    ("a smooth limit holds to the nanosecond", smooth),
    ("several buckets count all or none", all_or_none),
    ("a bucket that is asked twice counts twice", twice),
    ("no bucket is taken for another", apart),
    (
        "a cost of zero counts nothing, one too large is never admitted",
        costs,
    ),
    ("what is released can be had again, and no more", release),
    ("answers come in the order of the asks", order),
    (
        "a limit that is used up is shut for as long as it says",
        lockout,
    ),
    (
        "what is given back opens a limit that it had shut",
        lockout_release,
    ),
    (
        "one bucket that is shut counts nothing in another",
        lockout_all_or_none,
    ),
    (
        "what cannot be kept is refused before anything is done",
        durability,
    ),
];

fn exact(bench: &Bench<'_>) -> Held {
    let scope = Scope::new("exact");
    let one = ask(&scope, "a", EXACT);
    for (at, left) in [(0, 2), (1, 1), (2, 0)] {
        let state = bench.after(at * SECOND).limit(&one)?;
        same("admitted", state.admitted, true)?;
        same("remaining", state.remaining, left)?;
        same("coarse", state.coarse, false)?;
    }
    let state = bench.after(3 * SECOND).limit(&one)?;
    same("admitted beyond the count", state.admitted, false)?;
    same("retry after", state.retry_after, 7 * SECOND)?;
    same("reset after", state.reset_after, 9 * SECOND)?;
    let state = bench.after(10 * SECOND - 1).limit(&one)?;
    same("admitted too early", state.admitted, false)?;
    same("retry after", state.retry_after, 1)?;
    let state = bench.after(10 * SECOND).limit(&one)?;
    same("admitted in time", state.admitted, true)?;
    let state = bench.after(10 * SECOND).limit(&one)?;
    same("admitted twice", state.admitted, false)
}

fn smooth(bench: &Bench<'_>) -> Held {
    let scope = Scope::new("smooth");
    let one = ask(&scope, "a", SMOOTH);
    for left in [2, 1, 0] {
        let state = bench.limit(&one)?;
        same("admitted", state.admitted, true)?;
        same("remaining", state.remaining, left)?;
    }
    let state = bench.limit(&one)?;
    same("admitted beyond the burst", state.admitted, false)?;
    same("retry after", state.retry_after, 2 * SECOND)?;
    let state = bench.after(2 * SECOND - 1).limit(&one)?;
    same("admitted too early", state.admitted, false)?;
    let state = bench.after(2 * SECOND).limit(&one)?;
    same("admitted in time", state.admitted, true)?;
    let state = bench.after(2 * SECOND).limit(&one)?;
    same("admitted twice", state.admitted, false)?;
    let state = bench.after(100 * SECOND).limit(&one)?;
    same("remaining after a rest", state.remaining, 2)
}

fn all_or_none(bench: &Bench<'_>) -> Held {
    let (wide, narrow) = (Scope::new("wide"), Scope::new("narrow"));
    for rule in [EXACT, SMOOTH] {
        let wide = ask(&wide, &format!("{rule:?}"), rule);
        let mut narrow = ask(&narrow, &format!("{rule:?}"), EXACT);
        narrow.rule = LimitRule::exact(1, 10 * SECOND);
        let states = bench.limits(&[wide.clone(), narrow.clone()])?;
        same(
            "both admit",
            states.iter().all(|state| state.admitted),
            true,
        )?;
        for both in [
            [wide.clone(), narrow.clone()],
            [narrow.clone(), wide.clone()],
        ] {
            let states = bench.limits(&both)?;
            let refused = states.iter().filter(|state| !state.admitted).count();
            same("buckets that refuse", refused, 1)?;
            let free = states.iter().find(|state| state.admitted);
            same(
                "what the other has left",
                free.map(|state| state.remaining),
                Some(2),
            )?;
        }
        let state = bench.limit(&wide)?;
        same("left after refusals", state.remaining, 1)?;
    }
    // A bucket that was only asked for is as good as new.
    let fresh = ask(&wide, "fresh", EXACT);
    let narrow = ask(
        &narrow,
        &format!("{EXACT:?}"),
        LimitRule::exact(1, 10 * SECOND),
    );
    let states = bench.limits(&[fresh.clone(), narrow])?;
    same(
        "the second refuses",
        states.last().map(|state| state.admitted),
        Some(false),
    )?;
    same("left of a new one", bench.limit(&fresh)?.remaining, 2)
}

fn twice(bench: &Bench<'_>) -> Held {
    let scope = Scope::new("twice");
    for (value, rule) in [("exact", EXACT), ("smooth", SMOOTH)] {
        let one = ask(&scope, value, rule);
        let states = bench.limits(&[one.clone(), one.clone()])?;
        same(
            "two of three",
            states.iter().all(|state| state.admitted),
            true,
        )?;
        let states = bench.limits(&[one.clone(), one.clone()])?;
        same(
            "four of three",
            states.iter().all(|state| state.admitted),
            false,
        )?;
        same("the third", bench.limit(&one)?.admitted, true)?;
        same("the fourth", bench.limit(&one)?.admitted, false)?;
    }
    Ok(())
}

fn apart(bench: &Bench<'_>) -> Held {
    let one_only = LimitRule::exact(1, 10 * SECOND);
    let scopes = ["a", "ab", "a\0", "", "c:1"].map(Scope::new);
    for scope in &scopes {
        for value in ["", "a", "b", "ba", "\0", "\0b", "1"] {
            let state = bench.limit(&ask(scope, value, one_only))?;
            same(
                &format!("the first of {:?} {value:?}", scope.as_str()),
                state.admitted,
                true,
            )?;
        }
    }
    // The last resort and coarser values are no one's own buckets.
    let scope = Scope::new("a");
    let mut other = ask(&scope, "z", one_only);
    other.coarser = smallvec![b"y".as_slice().into()];
    same("with a coarser value", bench.limit(&other)?.admitted, true)?;
    same(
        "the coarser value",
        bench.limit(&ask(&scope, "y", one_only))?.admitted,
        true,
    )
}

fn costs(bench: &Bench<'_>) -> Held {
    let scope = Scope::new("costs");
    for (value, rule) in [("exact", EXACT), ("smooth", SMOOTH)] {
        let mut one = ask(&scope, value, rule);
        one.cost = 4;
        let state = bench.limit(&one)?;
        same("more than it holds", state.admitted, false)?;
        same("retry after", state.retry_after, u64::MAX)?;
        same("remaining", state.remaining, 3)?;
        one.cost = 0;
        let state = bench.limit(&one)?;
        same("nothing", (state.admitted, state.remaining), (true, 3))?;
        one.cost = 2;
        same("two", bench.limit(&one)?.remaining, 1)?;
        same("two more", bench.limit(&one)?.admitted, false)?;
        one.cost = 1;
        same("one", bench.limit(&one)?.remaining, 0)?;
    }
    Ok(())
}

fn release(bench: &Bench<'_>) -> Held {
    let scope = Scope::new("release");
    for (value, rule) in [("exact", EXACT), ("smooth", SMOOTH)] {
        let one = ask(&scope, value, rule);
        for _ in 0..3 {
            same("admitted", bench.limit(&one)?.admitted, true)?;
        }
        bench.release(std::slice::from_ref(&one), bench.monotonic())?;
        same("after one release", bench.limit(&one)?.admitted, true)?;
        same("and then", bench.limit(&one)?.admitted, false)?;
        // Long after: what it counted has left by itself, and those that came since are not its own.
        let later = bench.after(100 * SECOND);
        for _ in 0..3 {
            same("admitted later", later.limit(&one)?.admitted, true)?;
        }
        later.release(std::slice::from_ref(&one), bench.monotonic())?;
        same("after a late release", later.limit(&one)?.admitted, false)?;
    }
    let unknown = ask(&scope, "never counted", EXACT);
    bench.release(&[unknown], bench.monotonic())
}

fn order(bench: &Bench<'_>) -> Held {
    let scope = Scope::new("order");
    let limits = Ask::Limits(smallvec![ask(&scope, "a", EXACT), ask(&scope, "b", SMOOTH)]);
    let name = key("order");
    let batch = [
        Ask::Get { key: name.clone() },
        put_ask(&name, "x", LIVES, Durability::Volatile),
        limits,
        Ask::Get { key: name.clone() },
        Ask::Take {
            key: name,
            durability: Durability::Volatile,
        },
    ];
    let answers = bench.raw(&batch).map_err(|error| error.to_string())?;
    match answers.as_slice() {
        [
            Answer::Found(None),
            Answer::Put(true),
            Answer::Limits(states),
            Answer::Found(Some(_)),
            Answer::Found(Some(_)),
        ] => same("states", states.len(), 2)?,
        other => return Err(format!("answers to other asks: {other:?}")),
    }
    same("answers to nothing", bench.raw(&[]), Ok(Vec::new()))
}

fn durability(bench: &Bench<'_>) -> Held {
    let classes = [
        Durability::Volatile,
        Durability::Snapshot,
        Durability::Durable,
    ];
    let scope = Scope::new("durability");
    for class in classes {
        let name = key(&format!("{class:?}"));
        let mut limit = ask(&scope, &format!("{class:?}"), EXACT);
        limit.durability = class;
        let batch = [
            put_ask(&name, "x", LIVES, Durability::Volatile),
            Ask::Limits(smallvec![limit.clone()]),
        ];
        let answered = bench.raw(&batch);
        // Limits need never be kept better than from time to time, whatever becomes of entries.
        let may_refuse = class > bench.keeps() || class == Durability::Durable;
        if answered.is_ok() || !may_refuse {
            same("what it keeps is answered", answered.is_ok(), true)?;
            same("and it keeps it", class <= bench.keeps(), true)?;
        } else {
            same(
                "what it does not keep",
                answered,
                Err(StoreError::NotKept(class)),
            )?;
            same("what came before it", bench.get(&name)?, None)?;
            limit.durability = Durability::Volatile;
            same("left of the limit", bench.limit(&limit)?.remaining, 2)?;
        }
        let put = put_ask(&key("entry"), "x", LIVES, class);
        if class > bench.keeps() {
            same(
                "an entry",
                bench.raw(&[put]),
                Err(StoreError::NotKept(class)),
            )?;
        } else if bench.keeps() == Durability::Durable {
            // A store that keeps limits alone is known by what it keeps at best.
            same("an entry", bench.raw(&[put]).is_ok(), true)?;
        }
    }
    Ok(())
}

/// Three in ten seconds; shut for a minute when they are used up.
const LOCKING: LimitRule = LimitRule::Exact {
    count: 3,
    window: 10 * SECOND,
    lockout: 60 * SECOND,
};

fn lockout(bench: &Bench<'_>) -> Held {
    let scope = Scope::new("lockout");
    let one = ask(&scope, "a", LOCKING);
    for (at, left) in [(0, 2), (4, 1), (8, 0)] {
        let state = bench.after(at * SECOND).limit(&one)?;
        same("admitted", (state.admitted, state.remaining), (true, left))?;
    }
    // The window has room for one at 10 and for all at 18; whoever tries makes it no longer.
    for at in [8, 10, 18, 40, 67] {
        let state = bench.after(at * SECOND).limit(&one)?;
        same("shut", (state.admitted, state.remaining), (false, 0))?;
        same("retry after", state.retry_after, (68 - at) * SECOND)?;
        same("reset after", state.reset_after, (68 - at) * SECOND)?;
    }
    let before = bench.after(68 * SECOND - 1).limit(&one)?;
    same("shut to the nanosecond", before.admitted, false)?;
    let open = bench.after(68 * SECOND);
    for left in [2, 1, 0] {
        let state = open.limit(&one)?;
        same(
            "open again",
            (state.admitted, state.remaining),
            (true, left),
        )?;
    }
    let state = open.limit(&one)?;
    same("and shut again", state.retry_after, 60 * SECOND)?;
    // A lockout that is shorter than the window opens nothing that the window keeps shut.
    let short = LimitRule::exact(1, 10 * SECOND).locking(2 * SECOND);
    let one = ask(&scope, "short", short);
    same("admitted", bench.limit(&one)?.admitted, true)?;
    let state = bench.after(3 * SECOND).limit(&one)?;
    same("by the window", state.retry_after, 7 * SECOND)?;
    let state = bench.after(10 * SECOND).limit(&one)?;
    same("both are over", state.admitted, true)
}

fn lockout_release(bench: &Bench<'_>) -> Held {
    let scope = Scope::new("lockout");
    let one = ask(&scope, "a", LOCKING);
    for at in [0, 1, 2] {
        same(
            "admitted",
            bench.after(at * SECOND).limit(&one)?.admitted,
            true,
        )?;
    }
    let later = bench.after(3 * SECOND);
    same("shut", later.limit(&one)?.admitted, false)?;
    // The second was no failure: two were, and the limit was not used up.
    later.release(std::slice::from_ref(&one), bench.after(SECOND).monotonic())?;
    let state = later.limit(&one)?;
    same("the third", (state.admitted, state.remaining), (true, 0))?;
    let state = later.limit(&one)?;
    same("shut from then on", state.retry_after, 60 * SECOND)?;
    // Of one that is under way for longer than the window it is told as late as this.
    let much_later = bench.after(40 * SECOND);
    same(
        "still shut",
        much_later.limit(&one)?.retry_after,
        23 * SECOND,
    )?;
    much_later.release(std::slice::from_ref(&one), bench.monotonic())?;
    same("open", much_later.limit(&one)?.admitted, true)?;
    // One that left the window before it shut gives nothing back, and opens nothing.
    let other = ask(&scope, "b", LOCKING);
    for at in [0, 11, 12, 13] {
        let state = bench.after(at * SECOND).limit(&other)?;
        same("admitted", state.admitted, true)?;
    }
    let release = bench.after(20 * SECOND);
    release.release(std::slice::from_ref(&other), bench.monotonic())?;
    let state = release.limit(&other)?;
    same("shut by others", state.retry_after, 53 * SECOND)
}

fn lockout_all_or_none(bench: &Bench<'_>) -> Held {
    let scope = Scope::new("lockout");
    let (shut, other) = (ask(&scope, "shut", LOCKING), ask(&scope, "other", LOCKING));
    for _ in 0..3 {
        same("admitted", bench.limit(&shut)?.admitted, true)?;
    }
    for _ in 0..5 {
        let states = bench.limits(&[other.clone(), shut.clone()])?;
        let admitted: Vec<bool> = states.iter().map(|state| state.admitted).collect();
        same("admitted", admitted, vec![true, false])?;
        same("left", states.first().map(|state| state.remaining), Some(3))?;
    }
    let mut look = shut;
    look.cost = 0;
    same("looked at", bench.limit(&look)?.remaining, 0)?;
    same("the other", bench.limit(&other)?.remaining, 2)
}
