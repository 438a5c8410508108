//! What must hold of entries under keys.

use portcullis_guard::clock::SECOND;
use portcullis_guard::store::{Condition, Effect, Key, Space};

use super::Rule;
use super::bench::{Bench, Held, LIVES, key, put_effect, same, value};

pub(super) const RULES: &[Rule] = &[
    ("an entry is written once", put),
    ("an entry ends to the nanosecond", expiry),
    ("an entry is taken once", take),
    ("no entry is taken for another", apart),
    ("an entry is set only as it was read", compare_and_set),
    ("a revocation is never shortened", revocation),
    ("a clock that jumps ends no revocation", jump),
    ("a commit does all or nothing", commit),
    ("a commit sees no entry that has ended", commit_expiry),
    ("keys and values may be long or empty", sizes),
];

fn put(bench: &Bench<'_>) -> Held {
    let name = key("put");
    same("nothing there", bench.get(&name)?, None)?;
    same("the first", bench.put(&name, "a", LIVES)?, true)?;
    same("the second", bench.put(&name, "b", LIVES)?, false)?;
    same("the value", bench.get(&name)?.as_deref(), Some("a"))
}

fn expiry(bench: &Bench<'_>) -> Held {
    let name = key("expiry");
    same("written", bench.put(&name, "a", 10 * SECOND)?, true)?;
    let before = bench.after(10 * SECOND - 1);
    same("just before", before.get(&name)?.as_deref(), Some("a"))?;
    same(
        "written again before",
        before.put(&name, "b", LIVES)?,
        false,
    )?;
    let at = bench.after(10 * SECOND);
    same("at its end", at.get(&name)?, None)?;
    same("taken at its end", at.take(&name)?, None)?;
    same("written again", at.put(&name, "c", SECOND)?, true)?;
    same("the new value", at.get(&name)?.as_deref(), Some("c"))?;
    same("an entry of no time", at.put(&key("none"), "a", 0)?, true)?;
    same("is not there", at.get(&key("none"))?, None)
}

fn take(bench: &Bench<'_>) -> Held {
    let name = key("take");
    same("nothing there", bench.take(&name)?, None)?;
    same("written", bench.put(&name, "a", LIVES)?, true)?;
    same("taken", bench.take(&name)?.as_deref(), Some("a"))?;
    same("taken again", bench.take(&name)?, None)?;
    same("read", bench.get(&name)?, None)?;
    same("written again", bench.put(&name, "b", LIVES)?, true)
}

fn apart(bench: &Bench<'_>) -> Held {
    for space in Space::ALL {
        for name in ["", "a", "ab", "a\0", ":a"] {
            let name = Key::new(*space, name.as_bytes());
            same(&format!("{name:?}"), bench.put(&name, "x", LIVES)?, true)?;
        }
    }
    Ok(())
}

fn compare_and_set(bench: &Bench<'_>) -> Held {
    let name = key("set");
    same(
        "something expected",
        bench.set(&name, Some("a"), "b", LIVES)?,
        false,
    )?;
    same(
        "nothing expected",
        bench.set(&name, None, "a", 10 * SECOND)?,
        true,
    )?;
    same(
        "nothing expected again",
        bench.set(&name, None, "b", LIVES)?,
        false,
    )?;
    same(
        "another expected",
        bench.set(&name, Some("b"), "c", LIVES)?,
        false,
    )?;
    same("unchanged", bench.get(&name)?.as_deref(), Some("a"))?;
    same(
        "as it is",
        bench.set(&name, Some("a"), "b", 20 * SECOND)?,
        true,
    )?;
    let later = bench.after(20 * SECOND - 1);
    same(
        "lives as it was set",
        later.get(&name)?.as_deref(),
        Some("b"),
    )?;
    let end = bench.after(20 * SECOND);
    same(
        "the old one expected",
        end.set(&name, Some("b"), "c", LIVES)?,
        false,
    )?;
    same(
        "nothing expected at the end",
        end.set(&name, None, "d", LIVES)?,
        true,
    )
}

fn revocation(bench: &Bench<'_>) -> Held {
    let name = Key::new(Space::Revocation, b"token");
    let start = bench.unix_millis();
    bench.revoke(&name, start + 20_000)?;
    bench.revoke(&name, start + 10_000)?;
    let revoked = |seconds| Ok::<_, String>(bench.after(seconds * SECOND).get(&name)?.is_some());
    same("at once", revoked(0)?, true)?;
    same("after the shorter end", revoked(15)?, true)?;
    bench.after(15 * SECOND).revoke(&name, start + 30_000)?;
    same("after the first end", revoked(25)?, true)?;
    same("after the last end", revoked(30)?, false)?;
    // One that has ended can be revoked again.
    bench.after(40 * SECOND).revoke(&name, start + 50_000)?;
    same("revoked again", revoked(45)?, true)
}

fn jump(bench: &Bench<'_>) -> Held {
    let name = Key::new(Space::Revocation, b"token");
    let start = bench.unix_millis();
    bench.revoke(&name, start + 20_000)?;
    let year = 365 * 86_400_000;
    let forward = bench.after(SECOND).at_unix_millis(start + year);
    same(
        "a year ahead for a moment",
        forward.get(&name)?.is_some(),
        true,
    )?;
    // Something else is written there, and what has ended may be swept.
    same("written", forward.put(&key("other"), "x", LIVES)?, true)?;
    same(
        "and back",
        bench.after(2 * SECOND).get(&name)?.is_some(),
        true,
    )?;
    let back = bench.after(25 * SECOND).at_unix_millis(start - year);
    same("a year behind", back.get(&name)?.is_some(), true)
}

fn commit(bench: &Bench<'_>) -> Held {
    let (token, code, done) = (key("token"), key("code"), key("done"));
    same("token", bench.put(&token, "t", LIVES)?, true)?;
    same("code", bench.put(&code, "123", LIVES)?, true)?;
    let conditions = |guess: &str| {
        vec![
            Condition::Exists(token.clone()),
            Condition::Equals(code.clone(), value(guess)),
            Condition::Absent(done.clone()),
        ]
    };
    let effects = || {
        vec![
            Effect::Delete(token.clone()),
            Effect::Delete(code.clone()),
            Effect::Delete(key("not there")),
            put_effect(&done, "yes"),
        ]
    };
    same(
        "the wrong code",
        bench.commit(conditions("124"), effects())?,
        Err(1),
    )?;
    same(
        "the token is there",
        bench.get(&token)?.as_deref(),
        Some("t"),
    )?;
    same("nothing is done", bench.get(&done)?, None)?;
    same(
        "the right code",
        bench.commit(conditions("123"), effects())?,
        Ok(()),
    )?;
    same("the token is gone", bench.get(&token)?, None)?;
    same("the code is gone", bench.get(&code)?, None)?;
    same("it is done", bench.get(&done)?.as_deref(), Some("yes"))?;
    same("again", bench.commit(conditions("123"), effects())?, Err(0))?;
    let absent = vec![Condition::Absent(done.clone())];
    same("what is there", bench.commit(absent, Vec::new())?, Err(0))?;
    same("nothing", bench.commit(Vec::new(), Vec::new())?, Ok(()))?;
    // Effects are done in their order.
    let both = vec![put_effect(&done, "new"), Effect::Delete(done.clone())];
    same("put, then deleted", bench.commit(Vec::new(), both)?, Ok(()))?;
    same("is gone", bench.get(&done)?, None)
}

fn commit_expiry(bench: &Bench<'_>) -> Held {
    let name = key("short");
    same("written", bench.put(&name, "a", SECOND)?, true)?;
    let end = bench.after(SECOND);
    for condition in [
        Condition::Exists(name.clone()),
        Condition::Equals(name.clone(), value("a")),
    ] {
        same(
            "what has ended",
            end.commit(vec![condition], Vec::new())?,
            Err(0),
        )?;
    }
    let absent = vec![Condition::Absent(name.clone())];
    let done = end.commit(absent, vec![put_effect(&name, "b")])?;
    same("is absent", done, Ok(()))?;
    let lived = end.after(SECOND + LIVES - 1).get(&name)?;
    same("lives from the commit on", lived.as_deref(), Some("b"))?;
    same("and ends", end.after(SECOND + LIVES).get(&name)?, None)
}

fn sizes(bench: &Bench<'_>) -> Held {
    for length in [0, 1, 47, 48, 49, 500, 4_000] {
        let name = key(&"k".repeat(length));
        let text = "v".repeat(length);
        same("written", bench.put(&name, &text, LIVES)?, true)?;
        same("read", bench.get(&name)?, Some(text.clone()))?;
        same("set", bench.set(&name, Some(&text), "short", LIVES)?, true)?;
        same("taken", bench.take(&name)?.as_deref(), Some("short"))?;
    }
    Ok(())
}
