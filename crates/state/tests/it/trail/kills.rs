//! A process that is killed while it writes: what it acknowledged is there, and the trail is whole.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use portcullis_state::trail::{Trail, TrailKind, TrailOptions};

use super::bench::{Bench, block_on, delete, records};

/// How often it is killed.
const KILLS: u64 = 12;

#[test]
fn nothing_acknowledged_is_lost_by_kills() {
    let bench = Bench::new();
    let mut acknowledged = Vec::new();
    for round in 0..KILLS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "trail::kills::child", "--nocapture"])
            .arg(format!("{CHILD}{} {round}", bench.folder.path().display()))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let wanted = 40 + usize::try_from(round).unwrap() * 7;
        let mut lines = lines
            .map_while(Result::ok)
            .filter(|line| line.starts_with("ack "));
        acknowledged.extend(lines.by_ref().take(wanted));
        // SIGKILL, in the middle of whatever it does.
        std::thread::sleep(Duration::from_millis(round % 4));
        child.kill().unwrap();
        child.wait().unwrap();
        // What it said before it was killed counts as well.
        acknowledged.extend(lines);
    }
    let trail = bench.open().unwrap();
    drop(trail);
    let verified = bench.verify().unwrap();
    let seen = records(&bench.database());
    let is_there = |request: &str| {
        seen.iter().any(|one| {
            one.kind == TrailKind::Intent
                && one
                    .request
                    .as_ref()
                    .is_some_and(|id| id.as_str() == request)
        })
    };
    for line in &acknowledged {
        let request = line.strip_prefix("ack ").unwrap();
        assert!(
            is_there(request),
            "{request} was acknowledged and is not there"
        );
    }
    assert!(acknowledged.len() > 40 * usize::try_from(KILLS).unwrap());
    let open = |one: &&portcullis_state::trail::Body| {
        one.kind == TrailKind::Intent && !seen.iter().any(|other| other.intent == Some(one.seq))
    };
    assert_eq!(
        seen.iter().filter(open).count(),
        0,
        "each intent has an outcome"
    );
    assert_eq!(verified.records, u64::try_from(seen.len()).unwrap());
}

/// Where a test that is run by another one writes: told to it as a name of a test that there is not.
const CHILD: &str = "in ";

/// What the test that started this process told it; nothing where somebody runs all tests.
pub(crate) fn told() -> Option<String> {
    let told = |word: String| word.strip_prefix(CHILD).map(str::to_owned);
    std::env::args().find_map(told)
}

/// Run by the test above, and by itself it does nothing. Writes from four loops at once until it is killed, and says what was acknowledged.
#[test]
fn child() {
    let Some(told) = told() else {
        return;
    };
    let (folder, round) = told.rsplit_once(' ').unwrap();
    let trail = Arc::new(open(Path::new(folder)));
    let workers: Vec<_> = (0..4)
        .map(|worker| {
            let (trail, round) = (Arc::clone(&trail), round.to_owned());
            std::thread::spawn(move || {
                block_on(async {
                    for number in 0..1_000_000 {
                        let request = format!("k-{round}-{worker}-{number}");
                        let intent = trail.intent(delete(&trail, &request)).await.unwrap();
                        let mut out = std::io::stdout().lock();
                        writeln!(out, "ack {request}").unwrap();
                        out.flush().unwrap();
                        drop(out);
                        intent.outcome(200);
                    }
                });
            })
        })
        .collect();
    for worker in workers {
        worker.join().unwrap();
    }
}

fn open(folder: &Path) -> Trail {
    Trail::open(TrailOptions {
        folder: folder.join("state"),
        signing_key: None,
        checkpoints: Some(folder.join("checkpoints.jsonl")),
        clock: portcullis_state::SystemClock::start(),
        told: Arc::new(|_| {}),
    })
    .unwrap()
}
