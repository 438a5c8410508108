//! What must hold when a store is full.

use portcullis_guard::clock::SECOND;
use portcullis_guard::limit::LimitRule;
use portcullis_guard::store::{LimitAsk, Scope};
use smallvec::smallvec;

use super::Rule;
use super::bench::{Bench, Held, ask, key, same};

pub(super) const RULES: &[Rule] = &[
    (
        "a full store counts coarser, and lets nobody pass free",
        coarser,
    ),
    (
        "a full store counts several buckets all or none",
        all_or_none,
    ),
    ("a full store gives up no bucket that counts", keeps_buckets),
    ("what was counted coarsely is not forgiven", not_forgiven),
    (
        "a store has room again when buckets are as good as new",
        room_again,
    ),
    ("a full store refuses entries, and gives up none", entries),
    (
        "a full store refuses entries of a ring, and gives up none",
        ring,
    ),
];

/// More than any store has room for that this suite is run on.
const MANY: u32 = 20_000;
const WINDOW: u64 = 100 * SECOND;

const RULES_TRIED: [LimitRule; 2] = [
    LimitRule::Exact {
        count: 3,
        window: WINDOW,
        lockout: 0,
    },
    LimitRule::Smooth {
        period: WINDOW / 3,
        burst: 3,
    },
];

fn name(rule: LimitRule) -> Scope {
    Scope::new(&format!("{rule:?}"))
}

/// One of many clients, all of which have the same coarser value.
fn client<'s>(scope: &'s Scope, number: u32, rule: LimitRule) -> LimitAsk<'s> {
    LimitAsk {
        coarser: smallvec![b"all".as_slice().into()],
        ..ask(scope, &format!("client {number}"), rule)
    }
}

/// Asks for one client after the other until one is counted coarsely; gives its number.
fn fill(bench: &Bench<'_>, scope: &Scope, rule: LimitRule) -> Result<u32, String> {
    for number in 0..MANY {
        let state = bench.limit(&client(scope, number, rule))?;
        if state.coarse {
            return Ok(number);
        }
        same("a client with room", state.remaining, 2)?;
    }
    Err(format!("{MANY} buckets, and it is not full"))
}

fn coarser(bench: &Bench<'_>) -> Held {
    let [rule, _] = RULES_TRIED;
    let scope = name(rule);
    let first = fill(bench, &scope, rule)?;
    let mut admitted = 0;
    for number in first..first + 1_000 {
        // A store that is divided may still have room for some.
        let state = bench.limit(&client(&scope, number, rule))?;
        admitted += u32::from(state.admitted && state.coarse);
    }
    // One was admitted by `fill`, two are left of the coarser bucket.
    same("admitted to a full store", admitted, 2)?;
    // Where there is no room for coarser values either, all of the scope is one bucket.
    let mut admitted = 0;
    for number in 0..MANY {
        let mut one = client(&scope, MANY + number, rule);
        one.coarser = smallvec![number.to_be_bytes().as_slice().into()];
        let state = bench.limit(&one)?;
        admitted += u32::from(state.admitted && state.coarse);
    }
    same("admitted to the last bucket", admitted < MANY / 2, true)?;
    let one = client(&scope, 3 * MANY, rule);
    let state = bench.limit(&LimitAsk {
        coarser: smallvec![],
        ..one
    })?;
    same("a last one", state.admitted && state.coarse, false)
}

fn all_or_none(bench: &Bench<'_>) -> Held {
    let [rule, _] = RULES_TRIED;
    let scope = name(rule);
    let number = fill(bench, &scope, rule)?;
    let other = Scope::new("other");
    let used_up = ask(&scope, "client 0", rule);
    for _ in 0..2 {
        same("admitted", bench.limit(&used_up)?.admitted, true)?;
    }
    for _ in 0..10 {
        let asks = [ask(&other, "new", rule), used_up.clone()];
        let states = bench.limits(&asks)?;
        same(
            "the second",
            states.last().map(|state| state.admitted),
            Some(false),
        )?;
    }
    let state = bench.limit(&ask(&other, "new", rule))?;
    same("left of the new one", state.remaining, 2)?;
    same(
        "one in two places",
        bench.limit(&client(&scope, number, rule))?.remaining,
        1,
    )
}

fn keeps_buckets(bench: &Bench<'_>) -> Held {
    for rule in RULES_TRIED {
        let scope = name(rule);
        let mine = ask(&scope, "mine", rule);
        for _ in 0..3 {
            if bench.limit(&mine)?.coarse {
                // The rule before it has filled the store.
                return Ok(());
            }
        }
        for number in 0..MANY {
            bench.limit(&client(&scope, number, rule))?;
        }
        let state = bench.limit(&mine)?;
        same("used up, whatever came since", state.admitted, false)?;
        same("in its own bucket", state.coarse, false)?;
    }
    Ok(())
}

fn not_forgiven(bench: &Bench<'_>) -> Held {
    let [rule, _] = RULES_TRIED;
    let scope = name(rule);
    let number = fill(bench, &scope, rule)?;
    // Half a window later it has used up the coarser bucket; then the others are over and there is room.
    let one = client(&scope, number, rule);
    let half = bench.after(WINDOW / 2);
    for _ in 0..2 {
        same("coarse", half.limit(&one)?.coarse, true)?;
    }
    let later = bench.after(WINDOW);
    let mut admitted = 0;
    for _ in 0..3 {
        admitted += u32::from(later.limit(&one)?.admitted);
    }
    same("admitted, of which two still count", admitted, 1)
}

fn room_again(bench: &Bench<'_>) -> Held {
    for (at, rule) in [0, 2].into_iter().zip(RULES_TRIED) {
        let scope = name(rule);
        let bench = &bench.after(at * 2 * WINDOW);
        fill(bench, &scope, rule)?;
        let later = bench.after((at * 2 + 2) * WINDOW);
        let state = later.limit(&client(&scope, MANY, rule))?;
        same("coarse", state.coarse, false)?;
        same("left", state.remaining, 2)?;
    }
    Ok(())
}

fn entries(bench: &Bench<'_>) -> Held {
    let mut written = 0;
    for number in 0..MANY {
        match bench.put(&key(&format!("key {number}")), "value", WINDOW) {
            Ok(true) => written += 1,
            Ok(false) => return Err("a new key was there".to_owned()),
            Err(_full) => break,
        }
    }
    same(
        "it is full at some point",
        written > 0 && written < MANY,
        true,
    )?;
    // Shards fill up one after the other: what was written is there, all of it.
    for number in 0..written {
        let found = bench.get(&key(&format!("key {number}")))?;
        same("an entry", found.as_deref(), Some("value"))?;
    }
    let later = bench.after(WINDOW);
    for number in 0..written {
        let put = later.put(&key(&format!("new {number}")), "value", WINDOW);
        if number == 0 {
            same("room again", put, Ok(true))?;
        }
    }
    Ok(())
}

fn ring(bench: &Bench<'_>) -> Held {
    let name = |number: u32| key(&format!("key {number}"));
    let of = |number: u32| key(&format!("ring {}", number / 4));
    let mut refused = Vec::new();
    let mut written = Vec::new();
    for number in 0..MANY {
        if bench
            .ring_for(&of(number), &name(number), "value", 4, WINDOW)
            .is_ok()
        {
            written.push(number);
        } else {
            refused.push(number);
        }
        if refused.len() > 100 {
            break;
        }
    }
    same("it is full at some point", refused.is_empty(), false)?;
    for number in written {
        let found = bench.get(&name(number))?;
        same("an entry", found.as_deref(), Some("value"))?;
    }
    for number in refused {
        same("what was refused", bench.get(&name(number))?, None)?;
    }
    let later = bench.after(WINDOW);
    same(
        "room again",
        later.ring(&of(0), &name(0), "value", 4),
        Ok(()),
    )
}
