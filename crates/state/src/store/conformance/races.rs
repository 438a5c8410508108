//! What must hold when several threads ask at once.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};

use portcullis_guard::clock::SECOND;
use portcullis_guard::limit::LimitRule;
use portcullis_guard::store::{Condition, Effect, Scope};

use super::Rule;
use super::bench::{Bench, Held, LIVES, ask, key, put_effect, same, value};

pub(super) const RULES: &[Rule] = &[
    ("many threads get no more than one would", exact),
    ("many threads count two buckets alike", two_buckets),
    ("of two takers one has it", takers),
    ("of two writers one wrote it", writers),
    ("no set is lost", sets),
    ("of two commits one is done", commits),
    ("no commit is seen half done", half),
    ("no more live in a ring than may", ring),
    ("the newest of each writer stay in a ring", ring_order),
    ("a ring that is taken from has room", ring_taken),
];

const THREADS: usize = 4;

/// Runs it in several threads at once; gives the first that went wrong.
fn together<R: Send>(
    threads: usize,
    work: impl Fn(usize) -> Result<R, String> + Sync,
) -> Result<Vec<R>, String> {
    std::thread::scope(|scope| {
        let work = &work;
        let running: Vec<_> = (0..threads)
            .map(|number| scope.spawn(move || work(number)))
            .collect();
        running
            .into_iter()
            .map(|thread| thread.join().map_err(|_panic| "it panicked".to_owned())?)
            .collect()
    })
}

fn exact(bench: &Bench<'_>) -> Held {
    let scope = Scope::new("race");
    for (value, rule) in [
        ("exact", LimitRule::exact(100, SECOND)),
        ("smooth", LimitRule::smooth(100, 100 * SECOND, 100)),
    ] {
        let one = ask(&scope, value, rule);
        let admitted = together(THREADS, |_| {
            let mut admitted = 0;
            for _ in 0..bench.rounds() {
                admitted += usize::from(bench.limit(&one)?.admitted);
            }
            Ok(admitted)
        })?;
        same(value, admitted.iter().sum::<usize>(), 100)?;
    }
    Ok(())
}

fn two_buckets(bench: &Bench<'_>) -> Held {
    let scope = Scope::new("race");
    let rule = LimitRule::exact(500, SECOND);
    let names: Vec<String> = (0..8).map(|number| format!("b{number}")).collect();
    let admitted = together(THREADS, |thread| {
        let mut admitted = vec![0_u32; names.len()];
        for round in 0..bench.rounds() {
            // Two buckets in either order: who locks them as they come locks himself out.
            let (first, second) = (round % 8, (round + 1 + thread) % 8);
            let pair = [first, second].map(|at| names.get(at).map(String::as_str));
            let [Some(first_name), Some(second_name)] = pair else {
                continue;
            };
            let asks = [
                ask(&scope, first_name, rule),
                ask(&scope, second_name, rule),
            ];
            if bench.limits(&asks)?.iter().all(|state| state.admitted) {
                for (at, count) in admitted.iter_mut().enumerate() {
                    *count += u32::from(at == first) + u32::from(at == second);
                }
            }
        }
        Ok(admitted)
    })?;
    for (at, name) in names.iter().enumerate() {
        let counted = admitted
            .iter()
            .filter_map(|counts| counts.get(at))
            .sum::<u32>();
        let mut look = ask(&scope, name, rule);
        look.cost = 0;
        same(name, bench.limit(&look)?.remaining, 500 - counted)?;
    }
    Ok(())
}

/// Two threads at the same key at the same time, many times: exactly one may win.
fn one_winner(
    bench: &Bench<'_>,
    prepare: impl Fn(usize) -> Held + Sync,
    wins: impl Fn(usize) -> Result<bool, String> + Sync,
) -> Held {
    let (ready, decided) = (Barrier::new(2), Barrier::new(2));
    let winners: Vec<AtomicUsize> = (0..bench.rounds()).map(|_| AtomicUsize::new(0)).collect();
    let failed = together(2, |thread| {
        // Both threads pass every barrier, whatever happens: else the other one would wait for ever.
        let mut failed = None;
        for (round, winner) in winners.iter().enumerate() {
            if thread == 0 {
                failed = failed.or(prepare(round).err());
            }
            ready.wait();
            match wins(round) {
                Ok(won) => drop(winner.fetch_add(usize::from(won), Ordering::AcqRel)),
                Err(error) => failed = failed.or(Some(error)),
            }
            decided.wait();
        }
        Ok(failed)
    })?;
    if let Some(error) = failed.into_iter().flatten().next() {
        return Err(error);
    }
    let wrong = winners
        .iter()
        .map(|winner| winner.load(Ordering::Acquire))
        .find(|winners| *winners != 1);
    same("winners", wrong, None)
}

fn takers(bench: &Bench<'_>) -> Held {
    let name = |round: usize| key(&format!("take {round}"));
    one_winner(
        bench,
        |round| same("written", bench.put(&name(round), "x", LIVES)?, true),
        |round| Ok(bench.take(&name(round))?.is_some()),
    )
}

fn writers(bench: &Bench<'_>) -> Held {
    one_winner(
        bench,
        |_| Ok(()),
        |round| bench.put(&key(&format!("put {round}")), "x", LIVES),
    )
}

fn commits(bench: &Bench<'_>) -> Held {
    let name = |what: &str, round: usize| key(&format!("{what} {round}"));
    one_winner(
        bench,
        |round| {
            same(
                "written",
                bench.put(&name("token", round), "x", LIVES)?,
                true,
            )
        },
        |round| {
            let (token, done) = (name("token", round), name("done", round));
            let effects = vec![Effect::Delete(token.clone()), put_effect(&done, "x")];
            Ok(bench
                .commit(vec![Condition::Exists(token)], effects)?
                .is_ok())
        },
    )
}

fn sets(bench: &Bench<'_>) -> Held {
    let name = key("counter");
    same("written", bench.put(&name, "0", LIVES)?, true)?;
    together(THREADS, |_| {
        for _ in 0..bench.rounds() / THREADS {
            loop {
                let text = bench.get(&name)?.ok_or("the counter is gone")?;
                let number: usize = text.parse().map_err(|_not| "the counter is no number")?;
                let next = (number + 1).to_string();
                if bench.set(&name, Some(&text), &next, LIVES)? {
                    break;
                }
            }
        }
        Ok(())
    })?;
    same(
        "the counter",
        bench.get(&name)?,
        Some(bench.rounds().to_string()),
    )
}

fn half(bench: &Bench<'_>) -> Held {
    let (first, second) = (key("first"), key("second"));
    together(2, |thread| {
        for round in 0..bench.rounds() {
            let text = round.to_string();
            if thread == 0 {
                let effects = vec![put_effect(&first, &text), put_effect(&second, &text)];
                same("written", bench.commit(Vec::new(), effects)?, Ok(()))?;
                continue;
            }
            // If the first is as it is expected, the second is too: else it was seen between the two.
            let current = bench.get(&first)?.unwrap_or_default();
            let conditions = [&first, &second]
                .map(|name| Condition::Equals(name.clone(), value(&current)))
                .to_vec();
            if bench.commit(conditions, Vec::new())? == Err(1) {
                return Err("one of two entries was written".to_owned());
            }
        }
        Ok(())
    })?;
    Ok(())
}

fn ring(bench: &Bench<'_>) -> Held {
    const AT_MOST: usize = 8;
    let name = key("ring");
    // One more than may live: somebody who finds all of them in one moment found too many.
    let keys: Vec<_> = (0..=AT_MOST)
        .map(|number| key(&format!("r{number}")))
        .collect();
    let all = || keys.iter().cloned().map(Condition::Exists).collect();
    together(THREADS, |thread| {
        for round in 0..bench.rounds() {
            if thread == 0 {
                if bench.commit(all(), Vec::new())?.is_ok() {
                    return Err(format!("{} live in a ring of {AT_MOST}", keys.len()));
                }
                continue;
            }
            let one = keys.get((round * thread + thread) % keys.len());
            bench.ring(&name, one.unwrap_or(&name), "x", AT_MOST)?;
        }
        Ok(())
    })?;
    let living = bench.living(&keys)?.len();
    same("living", living, AT_MOST)
}

fn ring_order(bench: &Bench<'_>) -> Held {
    const AT_MOST: usize = 32;
    let name = key("ring");
    let of = |thread: usize| -> Vec<_> {
        let numbers = 0..bench.rounds() / THREADS;
        numbers
            .map(|number| key(&format!("{thread} {number}")))
            .collect()
    };
    together(THREADS, |thread| {
        of(thread)
            .iter()
            .try_for_each(|one| bench.ring(&name, one, "x", AT_MOST))
    })?;
    let mut living = 0;
    for thread in 0..THREADS {
        let keys = of(thread);
        let mine = bench.living(&keys)?;
        let newest: Vec<usize> = (keys.len() - mine.len()..keys.len()).collect();
        living += mine.len();
        same("the newest of one writer", mine, newest)?;
    }
    same("living", living, AT_MOST)
}

fn ring_taken(bench: &Bench<'_>) -> Held {
    let name = key("ring");
    // Each has at most one in it: with room for all of them, none ever has to go.
    together(THREADS, |thread| {
        for round in 0..bench.rounds() / THREADS {
            let mine = key(&format!("{thread} {round}"));
            bench.ring(&name, &mine, "x", THREADS)?;
            same("still there", bench.take(&mine)?.is_some(), true)?;
        }
        Ok(())
    })?;
    Ok(())
}
