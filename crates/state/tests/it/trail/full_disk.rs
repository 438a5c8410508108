//! Case 113: no room is left for the trail. Intents are refused, nothing that was acknowledged is lost, and when there is
//! room again it goes on by itself.
//!
//! The limit of a file's size is the system's own (`ulimit -f`): a write beyond it fails as one on a full disk does. Where
//! the test may mount a file system it is also done on one that is really full.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use portcullis_state::SystemClock;
use portcullis_state::trail::{Trail, TrailKind, TrailNews, TrailOptions, TrailRecord};

use super::bench::{Bench, News, block_on, delete, filled, records, verify_at};

fn open(folder: &Path, news: &News) -> Trail {
    let news = Arc::clone(news);
    Trail::open(TrailOptions {
        folder: folder.to_owned(),
        signing_key: None,
        checkpoints: None,
        clock: SystemClock::start(),
        told: Arc::new(move |one| news.lock().unwrap().push(one)),
    })
    .unwrap()
}

/// Writes until an intent is refused; says which were taken.
async fn fill(trail: &Trail) -> Vec<String> {
    let mut taken = Vec::new();
    for number in 0..100_000 {
        let request = format!("f-{number}");
        match trail.intent(delete(trail, &request)).await {
            Ok(intent) => intent.outcome(200),
            Err(_) => return taken,
        }
        taken.push(request);
    }
    panic!("the disk was never full");
}

#[test]
fn a_file_that_may_not_grow_refuses_intents() {
    let bench = Bench::new();
    let ran = Command::new("sh")
        // The signal that goes with the limit is ignored, so that the write fails and the process does not end.
        .args(["-c", "trap '' XFSZ; ulimit -f 8000; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "trail::full_disk::child", "--nocapture"])
        .arg(format!("in {}", bench.state().display()))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(
        ran.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    let taken: Vec<&str> = said
        .lines()
        .filter_map(|line| line.strip_prefix("ack "))
        .collect();
    assert!(taken.len() > 50, "{said}");
    // Without the limit it goes on, and all that was acknowledged is there.
    drop(open(&bench.state(), &News::default()));
    verify_at(&bench.database(), None).unwrap();
    let seen = records(&bench.database());
    for request in taken {
        let is_there = seen.iter().any(|one| {
            one.kind == TrailKind::Intent
                && one
                    .request
                    .as_ref()
                    .is_some_and(|id| id.as_str() == request)
        });
        assert!(is_there, "{request}");
    }
}

/// Run by the test above, under a limit, and by itself it does nothing.
#[test]
fn child() {
    let Some(folder) = super::kills::told() else {
        return;
    };
    let trail = open(Path::new(&folder), &News::default());
    block_on(async {
        for request in fill(&trail).await {
            writeln!(std::io::stdout(), "ack {request}").unwrap();
        }
        assert!(trail.health().error.is_some());
        for _ in 0..100 {
            assert!(trail.intent(delete(&trail, "refused")).await.is_err());
        }
    });
}

/// A file system of one megabyte in memory, unmounted at the end.
struct Small(PathBuf);

impl Small {
    fn mount(path: PathBuf) -> Option<Self> {
        fs::create_dir_all(&path).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=1m,mode=0700", "portcullis-test"])
            .arg(&path)
            .stderr(Stdio::null())
            .status();
        mounted
            .is_ok_and(|status| status.success())
            .then(|| Self(path))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg(&self.0).status();
        assert!(unmounted.is_ok_and(|status| status.success()));
    }
}

#[test]
fn a_disk_that_is_full_refuses_intents_and_recovers() {
    let bench = Bench::new();
    let Some(small) = Small::mount(bench.folder.path().join("small")) else {
        writeln!(
            std::io::stderr(),
            "skipped: a_disk_that_is_full_refuses_intents_and_recovers: it may not mount a file system"
        )
        .unwrap();
        return;
    };
    let state = small.0.join("state");
    let database = state.join("trail.sqlite");
    let trail = open(&state, &bench.news);
    let ballast = small.0.join("ballast");
    let taken = block_on(async {
        trail
            .intent(delete(&trail, "before"))
            .await
            .unwrap()
            .outcome(200);
        trail.flush().await;
        take_all_room(&ballast);
        let mut taken = fill(&trail).await;
        assert!(trail.health().error.unwrap().contains("no room is left"));
        // What was done already is kept until there is room.
        trail.note(filled(TrailRecord::note(), &trail, "kept"));
        // Each attempt may give some room back, as the log of the database is folded into it: until there is no more.
        let mut refused = 0;
        for number in 0..2_000 {
            if refused == 30 {
                break;
            }
            take_all_room(&ballast);
            let request = format!("g-{number}");
            match trail.intent(delete(&trail, &request)).await {
                Ok(intent) => {
                    intent.outcome(200);
                    taken.push(request);
                    refused = 0;
                }
                Err(_) => refused += 1,
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(refused, 30, "for longer than two attempts of the writer");
        fs::remove_file(&ballast).unwrap();
        // Nobody has to do anything for it.
        for _ in 0..200 {
            if trail.health().error.is_none() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(trail.health().error, None);
        trail
            .intent(delete(&trail, "after"))
            .await
            .unwrap()
            .outcome(200);
        taken.push("after".to_owned());
        taken
    });
    assert_eq!(trail.close().lost, 0);
    verify_at(&database, None).unwrap();
    let seen = records(&database);
    let requests = |kind| {
        seen.iter()
            .filter(move |one| one.kind == kind)
            .filter_map(|one| one.request.as_ref().map(|id| id.as_str().to_owned()))
            .collect::<Vec<_>>()
    };
    let (intents, outcomes) = (requests(TrailKind::Intent), requests(TrailKind::Outcome));
    for request in &taken {
        assert!(
            intents.contains(request) && outcomes.contains(request),
            "{request}"
        );
    }
    assert_eq!(requests(TrailKind::Note), ["kept"]);
    assert!(
        !intents.contains(&"refused".to_owned()),
        "what was refused is no intent"
    );
    let gap = seen.iter().find(|one| one.kind == TrailKind::Gap).unwrap();
    let words = gap.detail.as_ref().unwrap().as_str();
    assert!(words.contains("intents were refused"), "{words}");
    let news = bench.news.lock().unwrap();
    let unwritable = news
        .iter()
        .filter(|one| matches!(one, TrailNews::Unwritable(_)))
        .count();
    let recovered = news
        .iter()
        .filter(|one| **one == TrailNews::Recovered)
        .count();
    assert!(unwritable >= 1 && recovered >= 1, "{news:?}");
}

/// The trail itself has room, and what it has signed cannot be kept elsewhere: that is told once, and once that it is over.
#[test]
fn a_second_place_that_is_full_is_told_and_so_is_its_end() {
    let bench = Bench::new();
    let Some(small) = Small::mount(bench.folder.path().join("small")) else {
        writeln!(
            std::io::stderr(),
            "skipped: a_second_place_that_is_full_is_told_and_so_is_its_end: it may not mount a file system"
        )
        .unwrap();
        return;
    };
    let mut options = bench.options();
    options.checkpoints = Some(small.0.join("checkpoints.jsonl"));
    let trail = Trail::open(options).unwrap();
    let ballast = small.0.join("ballast");
    take_all_room(&ballast);
    let told = |wanted: fn(&TrailNews) -> bool| {
        let news = bench.news.lock().unwrap();
        news.iter().filter(|one| wanted(one)).count()
    };
    let unwritable: fn(&TrailNews) -> bool = |one| matches!(one, TrailNews::Unwritable(_));
    let recovered: fn(&TrailNews) -> bool = |one| *one == TrailNews::Recovered;
    block_on(async {
        // What a line has room for in the last page is written still.
        for round in 0..200 {
            for _ in 0..1_000 {
                trail.note(filled(TrailRecord::note(), &trail, "n"));
            }
            trail.flush().await;
            if told(unwritable) > 0 {
                break;
            }
            take_all_room(&ballast);
            assert!(round < 199, "the second place was never full");
        }
        let why = trail.health().error.unwrap();
        assert!(why.contains("checkpoints.jsonl"), "{why}");
        assert!(trail.intent(delete(&trail, "refused")).await.is_err());
        trail.flush().await;
        assert_eq!((told(unwritable), told(recovered)), (1, 0));
        fs::remove_file(&ballast).unwrap();
        for _ in 0..200 {
            if trail.health().error.is_none() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        trail
            .intent(delete(&trail, "after"))
            .await
            .unwrap()
            .outcome(200);
    });
    assert_eq!((told(unwritable), told(recovered)), (1, 1));
    assert_eq!(trail.close().lost, 0);
    verify_at(&bench.database(), Some(&small.0.join("checkpoints.jsonl"))).unwrap();
}

/// Opening says so as well, and leaves nothing that would be in the way of the next start.
#[test]
fn a_disk_that_is_full_cannot_begin_a_trail() {
    let bench = Bench::new();
    let Some(small) = Small::mount(bench.folder.path().join("small")) else {
        writeln!(
            std::io::stderr(),
            "skipped: a_disk_that_is_full_cannot_begin_a_trail: it may not mount a file system"
        )
        .unwrap();
        return;
    };
    let ballast = small.0.join("ballast");
    take_all_room(&ballast);
    let mut options = bench.options();
    options.folder = small.0.join("state");
    options.checkpoints = None;
    let error = Trail::open(options).unwrap_err().to_string();
    assert!(error.contains("no room is left"), "{error}");
    fs::remove_file(&ballast).unwrap();
    assert!(open(&small.0.join("state"), &bench.news).started().begun);
}

fn take_all_room(ballast: &Path) {
    let mut options = fs::OpenOptions::new();
    let mut file = options.append(true).create(true).open(ballast).unwrap();
    let mut bytes = 64 * 1024;
    while bytes > 0 {
        match file.write(&vec![7; bytes]) {
            Ok(written) if written > 0 => {}
            _ => bytes /= 2,
        }
    }
}
