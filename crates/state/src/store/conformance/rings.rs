//! What must hold of entries that are counted in a ring.

use portcullis_guard::clock::SECOND;
use portcullis_guard::store::{Condition, Effect, Key, Space};

use super::Rule;
use super::bench::{Bench, Held, LIVES, key, put_effect, same};

pub(super) const RULES: &[Rule] = &[
    ("a ring keeps the newest, and no more than it may", newest),
    ("what is taken or over has no place in a ring", places),
    ("an entry that is put again is the newest", again),
    (
        "a ring may become smaller, and one of none is one of one",
        smaller,
    ),
    ("no ring is taken for another, nor for an entry", apart),
    ("a ring that is over is forgotten", over),
    ("keys of a ring may be long or empty", sizes),
];

fn keys(name: &str, count: usize) -> Vec<Key> {
    let keys = (0..count).map(|number| key(&format!("{name} {number}")));
    keys.collect()
}

fn newest(bench: &Bench<'_>) -> Held {
    let (ring, keys) = (key("ring"), keys("newest", 40));
    for (number, name) in keys.iter().enumerate() {
        bench.ring(&ring, name, "x", 32)?;
        let oldest = (number + 1).saturating_sub(32);
        let expected: Vec<usize> = (oldest..=number).collect();
        same("living", bench.living(&keys)?, expected)?;
    }
    same(
        "the value",
        bench.get(&key("newest 39"))?.as_deref(),
        Some("x"),
    )
}

fn places(bench: &Bench<'_>) -> Held {
    let (ring, keys) = (key("ring"), keys("places", 9));
    let [zero, one, two, three, four, five, six, seven, eight] = keys.as_slice() else {
        return Err("nine keys".to_owned());
    };
    bench.ring(&ring, zero, "x", 3)?;
    bench.ring_for(&ring, one, "x", 3, SECOND)?;
    bench.ring(&ring, two, "x", 3)?;
    same("taken", bench.take(zero)?.as_deref(), Some("x"))?;
    bench.ring(&ring, three, "x", 3)?;
    same("one was taken", bench.living(&keys)?, vec![1, 2, 3])?;
    // The second is over by then.
    let later = bench.after(SECOND);
    later.ring(&ring, four, "x", 3)?;
    same("one is over", later.living(&keys)?, vec![2, 3, 4])?;
    later.ring(&ring, five, "x", 3)?;
    same("the oldest has to go", later.living(&keys)?, vec![3, 4, 5])?;
    let conditions = vec![Condition::Exists(four.clone())];
    let effects = vec![Effect::Delete(four.clone())];
    same("committed", later.commit(conditions, effects)?, Ok(()))?;
    later.ring(&ring, six, "x", 3)?;
    same("one was committed", later.living(&keys)?, vec![3, 5, 6])?;
    for name in [three, five, six] {
        same("taken", later.take(name)?.is_some(), true)?;
    }
    later.ring(&ring, seven, "x", 3)?;
    later.ring(&ring, eight, "x", 3)?;
    same("an empty ring", later.living(&keys)?, vec![7, 8])
}

fn again(bench: &Bench<'_>) -> Held {
    let (ring, keys) = (key("ring"), keys("again", 4));
    let [zero, one, two, three] = keys.as_slice() else {
        return Err("four keys".to_owned());
    };
    for name in [zero, one, two] {
        bench.ring(&ring, name, "x", 3)?;
    }
    bench.ring(&ring, zero, "y", 3)?;
    same("none has to go", bench.living(&keys)?, vec![0, 1, 2])?;
    same("the new value", bench.get(zero)?.as_deref(), Some("y"))?;
    bench.ring(&ring, three, "x", 3)?;
    same("it was the newest", bench.living(&keys)?, vec![0, 2, 3])?;
    // One that was there before it came into the ring.
    let before = key("before");
    same("written", bench.put(&before, "x", LIVES)?, true)?;
    bench.ring(&ring, &before, "y", 3)?;
    same(
        "is the ring's now",
        bench.get(&before)?.as_deref(),
        Some("y"),
    )?;
    same("and counted", bench.living(&keys)?, vec![0, 3])
}

fn smaller(bench: &Bench<'_>) -> Held {
    let (ring, keys) = (key("ring"), keys("smaller", 7));
    for (name, at_most) in keys.iter().zip([5, 5, 5, 5, 2, 0, 1]) {
        bench.ring(&ring, name, "x", at_most)?;
        let expected = match at_most {
            5 => continue,
            2 => vec![3, 4],
            0 => vec![5],
            _ => vec![6],
        };
        same(
            &format!("at most {at_most}"),
            bench.living(&keys)?,
            expected,
        )?;
    }
    Ok(())
}

fn apart(bench: &Bench<'_>) -> Held {
    let name = key("both");
    // A ring and an entry of the same name, in the ring itself and in another space.
    bench.ring(&name, &name, "x", 1)?;
    same("the entry", bench.get(&name)?.as_deref(), Some("x"))?;
    let (mine, other) = (key("mine"), key("other"));
    bench.ring(&name, &mine, "x", 1)?;
    same("gave way", bench.get(&name)?, None)?;
    let elsewhere = Key::new(Space::Csrf, b"both");
    bench.ring(&elsewhere, &other, "x", 1)?;
    same("mine", bench.get(&mine)?.is_some(), true)?;
    same("other", bench.get(&other)?.is_some(), true)?;
    // What is written under the ring's name is no ring, and changes none.
    let effects = vec![put_effect(&name, "not a ring")];
    same("written", bench.commit(Vec::new(), effects)?, Ok(()))?;
    bench.ring(&name, &key("next"), "x", 1)?;
    same("an entry", bench.get(&name)?.as_deref(), Some("not a ring"))?;
    same("mine gave way", bench.get(&mine)?, None)
}

fn over(bench: &Bench<'_>) -> Held {
    let (ring, keys) = (key("ring"), keys("over", 3));
    let [zero, one, two] = keys.as_slice() else {
        return Err("three keys".to_owned());
    };
    bench.ring_for(&ring, zero, "x", 2, 20 * SECOND)?;
    bench.ring_for(&ring, one, "x", 2, SECOND)?;
    // The ring lives as long as the longest of it, and not as long as the last.
    let later = bench.after(10 * SECOND);
    later.ring_for(&ring, two, "x", 1, 10 * SECOND)?;
    same("the first was counted", later.living(&keys)?, vec![2])?;
    let end = bench.after(20 * SECOND);
    same("all is over", end.living(&keys)?, Vec::new())?;
    end.ring(&ring, zero, "x", 2)?;
    end.ring(&ring, one, "x", 2)?;
    same("and begins anew", end.living(&keys)?, vec![0, 1])
}

fn sizes(bench: &Bench<'_>) -> Held {
    let lengths = [0, 1, 47, 48, 49, 500, 4_000];
    let names: Vec<Key> = lengths
        .iter()
        .map(|length| key(&"k".repeat(*length)))
        .collect();
    for ring in &names {
        for name in &names {
            bench.ring(ring, name, "x", 3)?;
        }
        same("the last three", bench.living(&names)?, vec![4, 5, 6])?;
        for name in &names {
            bench.take(name)?;
        }
    }
    Ok(())
}
