//! A process that acknowledges what it did is killed at random moments, again and again: nothing acknowledged is lost.
//!
//! The process is this program, run anew for the one test that is `child`. It says before each operation that it begins, and
//! after it what it was acknowledged. `PORTCULLIS_KILL_ROUNDS` says how often; the default is for every run of the tests.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use portcullis_guard::store::{Answer, Ask, Key, Space};
use portcullis_state::{EmbeddedStore, SystemClock};

use crate::support::sim_disk::Chance;
use crate::support::{DURABLE, get, get_key, one, open, put, revoke_ask, ring_ask, swap_ask, take};

const FOLDER: &str = "PORTCULLIS_KILL_FOLDER";
const ROUND: &str = "PORTCULLIS_KILL_ROUND";
const ROUNDS: &str = "PORTCULLIS_KILL_ROUNDS";
const ROUNDS_DEFAULT: u64 = 30;
const THREADS: usize = 4;

#[expect(
    clippy::disallowed_methods,
    reason = "a test that runs itself has no arguments of its own"
)]
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// What is known of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    There,
    Gone,
    /// An operation began and was not acknowledged.
    Either,
}

#[derive(Debug, Default)]
struct Model {
    entries: BTreeMap<String, Known>,
    /// Of a swap that was not acknowledged one of the two is there.
    one_of: Vec<(String, String)>,
    revoked: Vec<String>,
    /// What each ring of two was given last, and whether all of that was acknowledged.
    rings: BTreeMap<String, Vec<String>>,
    acknowledged: usize,
}

impl Model {
    fn line(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        let entries = &mut self.entries;
        let mut is = |name: &str, known| {
            entries.insert(name.to_owned(), known);
        };
        match words.as_slice() {
            ["?", "put" | "take", name] => is(name, Known::Either),
            ["?", "swap", from, to] => {
                is(from, Known::Either);
                is(to, Known::Either);
                self.one_of.push(((*from).to_owned(), (*to).to_owned()));
            }
            ["?", "revoke", _] => {}
            ["?", "ring", ring, name] => {
                is(name, Known::Either);
                let newest = self.rings.entry((*ring).to_owned()).or_default();
                // Until it is acknowledged nobody knows whether the oldest had to go.
                if let Some(oldest) = newest.len().checked_sub(2).map(|at| newest[at].clone()) {
                    is(&oldest, Known::Either);
                }
                newest.push((*name).to_owned());
            }
            ["!", "put", name] => is(name, Known::There),
            ["!", "take", name] => is(name, Known::Gone),
            ["!", "swap", from, to] => {
                is(from, Known::Gone);
                is(to, Known::There);
                self.one_of.retain(|(one, _)| one != from);
            }
            ["!", "revoke", name] => self.revoked.push((*name).to_owned()),
            ["!", "ring", ring, name] => {
                is(name, Known::There);
                let newest = self.rings.entry((*ring).to_owned()).or_default();
                if newest.len() > 2 {
                    is(&newest.remove(0), Known::Gone);
                }
            }
            // What the frame of the tests says.
            _ => return,
        }
        self.acknowledged += usize::from(words.first() == Some(&"!"));
    }

    /// Compares, and takes for known what is now seen of what was not acknowledged.
    fn check(&mut self, store: &EmbeddedStore, clock: SystemClock, round: u64) {
        let now = clock.now();
        for (from, to) in self.one_of.drain(..) {
            let (from, to) = (get(store, &from, now), get(store, &to, now));
            assert!(
                from.is_some() != to.is_some(),
                "round {round}: a swap is half done"
            );
        }
        for (name, known) in &mut self.entries {
            let seen = match get(store, name, now) {
                Some(_) => Known::There,
                None => Known::Gone,
            };
            assert!(
                *known == Known::Either || *known == seen,
                "round {round}: {name} was acknowledged as {known:?} and is {seen:?}"
            );
            *known = seen;
        }
        for name in &self.revoked {
            let key = Key::new(Space::Revocation, name.as_bytes());
            assert!(
                get_key(store, &key, now).is_some(),
                "round {round}: {name} is not revoked"
            );
        }
        // The rings of the next round have other names.
        self.rings.clear();
    }
}

fn rounds(count: u64) -> Model {
    let folder = tempfile::tempdir().unwrap();
    let clock = SystemClock::start();
    let mut model = Model::default();
    let mut chance = Chance(0x5eed);
    for round in 0..count {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "embedded_kill::child", "--nocapture"])
            .env(FOLDER, folder.path())
            .env(ROUND, round.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // From its first operation on, and sometimes while it starts.
        let mut is_waited_for = round % 10 != 9;
        while is_waited_for {
            let line = lines.next().expect("the child does something").unwrap();
            model.line(&line);
            is_waited_for = !line.starts_with('?');
        }
        let reading = thread::spawn(move || lines.map_while(Result::ok).collect::<Vec<String>>());
        thread::sleep(Duration::from_micros(chance.below(250_000)));
        // SIGKILL: nothing of the process runs after it.
        child.kill().unwrap();
        child.wait().unwrap();
        for line in reading.join().unwrap() {
            model.line(&line);
        }
        let store = open(folder.path(), clock.now()).unwrap();
        model.check(&store, clock, round);
    }
    model
}

#[test]
fn a_process_that_is_killed_has_lost_nothing_that_it_acknowledged() {
    let count = environment(ROUNDS).and_then(|count| count.parse().ok());
    let count = count.unwrap_or(ROUNDS_DEFAULT);
    let model = rounds(count);
    assert!(model.acknowledged > 100, "{}", model.acknowledged);
    println!(
        "{count} rounds, {} acknowledged operations, nothing lost",
        model.acknowledged
    );
}

/// What the other test runs and kills. Alone it has nothing to do.
#[test]
fn child() {
    let (Some(folder), Some(round)) = (environment(FOLDER), environment(ROUND)) else {
        return;
    };
    let clock = SystemClock::start();
    let store = open(Path::new(&folder), clock.now()).unwrap();
    thread::scope(|scope| {
        for number in 0..THREADS {
            let (store, round) = (&store, &round);
            scope.spawn(move || work(store, clock, &format!("{round}-{number}")));
        }
    });
}

/// One line at once, and out of this process before it goes on.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("{line}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

fn work(store: &EmbeddedStore, clock: SystemClock, prefix: &str) {
    // More than it can do before it is killed.
    for number in 0..100_000 {
        let name = format!("{prefix}-{number}");
        say(&format!("? put {name}"));
        assert_eq!(
            put(store, &name, DURABLE, clock.now()),
            Ok(Answer::Put(true))
        );
        say(&format!("! put {name}"));
        match number % 4 {
            0 => {
                say(&format!("? take {name}"));
                assert!(matches!(
                    take(store, &name, DURABLE, clock.now()),
                    Ok(Answer::Found(Some(_)))
                ));
                say(&format!("! take {name}"));
            }
            1 => {
                let to = format!("{name}-to");
                say(&format!("? swap {name} {to}"));
                done(store, swap_ask(&name, &to, DURABLE), clock);
                say(&format!("! swap {name} {to}"));
            }
            2 => {
                say(&format!("? revoke {name}"));
                let until = clock.now().unix_millis + 3_600_000;
                done(store, revoke_ask(&name, until), clock);
                say(&format!("! revoke {name}"));
            }
            _ => {
                let ring = format!("{prefix}-ring");
                let ringed = format!("{name}-in");
                say(&format!("? ring {ring} {ringed}"));
                done(store, ring_ask(&ring, &ringed, 2, DURABLE), clock);
                say(&format!("! ring {ring} {ringed}"));
            }
        }
    }
}

fn done(store: &EmbeddedStore, ask: Ask<'_>, clock: SystemClock) {
    let answer = one(store, ask, clock.now()).unwrap();
    assert!(
        matches!(answer, Answer::Done | Answer::Committed(Ok(()))),
        "{answer:?}"
    );
}
