//! `Side`: a server with its connections; and one run of it.

use std::thread;
use std::time::Duration;

use crate::chain::Chain;
use crate::figures::Round;
use crate::processes::Processes;
use crate::{Fault, now};

/// How many threads send. On a machine of two processors the server must have one of them.
const THREADS: usize = 1;

/// A server with its connections.
pub(crate) struct Side {
    /// What it is called.
    pub(crate) name: &'static str,
    /// Its processes.
    pub(crate) server: Processes,
    /// Its connections, each with a request on its way in a run and none between two.
    pub(crate) chains: Vec<Chain>,
}

/// What a thread has counted.
#[derive(Default)]
struct Count {
    requests: u64,
    wrong: u64,
    first_wrong: String,
}

/// Sends on all connections for some time; each has one request on its way all the time.
pub(crate) fn measure(side: &mut Side, time: Duration) -> Result<Round, Fault> {
    let each = side.chains.len().div_ceil(THREADS).max(1);
    let before = side.server.nanoseconds()?;
    let begun = now();
    let counts: Vec<Count> = thread::scope(|scope| {
        let threads: Vec<_> = side
            .chains
            .chunks_mut(each)
            .map(|chains| scope.spawn(move || drive(chains, time)))
            .collect();
        let panicked = |_panic| Count {
            wrong: 1,
            first_wrong: "a thread panicked".to_owned(),
            ..Count::default()
        };
        let ended = threads.into_iter().map(|one| one.join());
        ended.map(|count| count.unwrap_or_else(panicked)).collect()
    });
    let wall = begun.elapsed();
    let after = side.server.nanoseconds()?;
    Ok(Round {
        side: side.name,
        requests: counts.iter().map(|count| count.requests).sum(),
        wrong: counts.iter().map(|count| count.wrong).sum(),
        first_wrong: counts
            .into_iter()
            .map(|count| count.first_wrong)
            .find(|wrong| !wrong.is_empty())
            .unwrap_or_default(),
        cpu_ns: after.saturating_sub(before),
        wall_ns: u64::try_from(wall.as_nanos())?,
    })
}

/// Goes round its connections: whoever is next has most likely been answered. The first wrong answer ends it.
fn drive(chains: &mut [Chain], time: Duration) -> Count {
    let mut count = Count::default();
    let begun = now();
    for chain in &mut *chains {
        if let Err(error) = chain.send() {
            count.wrong(error.to_string());
            return count;
        }
    }
    let mut is_over = false;
    while !is_over {
        is_over = begun.elapsed() >= time;
        for chain in &mut *chains {
            if let Err(wrong) = chain.receive() {
                count.wrong(wrong);
                return count;
            }
            count.requests += 1;
            if !is_over && let Err(error) = chain.send() {
                count.wrong(error.to_string());
                return count;
            }
        }
    }
    count
}

impl Count {
    fn wrong(&mut self, what: String) {
        self.wrong += 1;
        self.first_wrong = what;
    }
}
