//! Case 62: no more connections can be accepted, because the process has as many files open as it may.
//!
//! That takes the files of all other tests too, so it is shown in a process of its own.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::process::Command;
use std::time::Duration;

use crate::support::{Client, Setup, Upstream, eventually, get};

/// How many files the process has in which it is shown.
const FILES: usize = 48;

/// Clock ticks that this process has used, from its file in `/proc`; there are 100 in a second.
fn ticks(stat: &File) -> u64 {
    let mut text = [0; 1024];
    let count = stat.read_at(&mut text, 0).unwrap();
    let text = String::from_utf8_lossy(&text[..count]);
    let fields: Vec<&str> = text.rsplit(')').next().unwrap().split(' ').collect();
    fields[12].parse::<u64>().unwrap() + fields[13].parse::<u64>().unwrap()
}

/// How many files this process may have open.
fn files_max() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let soft = line.unwrap().split_whitespace().nth(3).unwrap();
    soft.parse().unwrap_or(usize::MAX)
}

#[test]
fn case_62_accepting_fails() {
    if !std::path::Path::new("/proc/self/limits").exists() {
        writeln!(std::io::stderr(), "skipped: there is no /proc here").unwrap();
    } else if files_max() == FILES {
        within_few_files();
    } else {
        // Itself once more, with few files.
        let again = "ulimit -n 48 && exec \"$0\" --exact cases_accept::case_62_accepting_fails";
        let this = std::env::current_exe().unwrap();
        let output = Command::new("sh")
            .args(["-c", again])
            .arg(this)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && text.contains("1 passed"),
            "{text}"
        );
    }
}

fn within_few_files() {
    let stat = File::open("/proc/self/stat").unwrap();
    let upstream = Upstream::ok();
    let gate = Setup::simple(&upstream).start();
    assert_eq!(gate.client().ask(get("/read/a")).status, 200);
    let mut clients = Vec::new();
    while let Ok(client) = Client::try_connect(gate.address()) {
        clients.push(client);
    }
    assert!(clients.len() > 5, "{}", clients.len());
    let told = || {
        gate.said()
            .iter()
            .any(|words| words.starts_with("cannot accept connections"))
    };
    assert!(eventually(told));
    // It neither ends nor runs in circles.
    let before = ticks(&stat);
    std::thread::sleep(Duration::from_millis(500));
    assert!(
        ticks(&stat) - before < 20,
        "{} of 50",
        ticks(&stat) - before
    );
    clients.truncate(3);
    assert!(eventually(|| {
        Client::try_connect(gate.address()).is_ok_and(|mut client| {
            client.try_send(get("/read/b"));
            client
                .next(false)
                .is_some_and(|answer| answer.status == 200)
        })
    }));
}
