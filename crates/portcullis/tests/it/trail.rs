//! `portcullis trail` from outside: what it finds, what it shows, and what it exits with.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use portcullis_policy::Method;
use portcullis_policy::event::EventVerdict;
use portcullis_state::SystemClock;
use portcullis_state::trail::{Trail, TrailOptions, TrailRecord};
use serde_json::Value;

use crate::folder::Folder;
use crate::{err, out, portcullis};

/// A folder with a trail of some records.
fn with_trail(records: usize) -> Folder {
    let folder = Folder::with(&[("portcullis.toml", "version = 1\n")]);
    let trail = Trail::open(TrailOptions {
        folder: folder.join(".portcullis"),
        signing_key: None,
        checkpoints: Some(folder.join("checkpoints.jsonl")),
        clock: SystemClock::start(),
        told: Arc::new(|_| {}),
    })
    .unwrap();
    let names = trail.names();
    for number in 0..records {
        trail.note(
            TrailRecord::note()
                .request(&format!("r-{number}"))
                .user("user_1", names)
                .action(Some(Method::Delete), "/items/{id}")
                .target("id", &number.to_string(), names)
                .verdict(EventVerdict::Allowed, "forwarded")
                .status(204),
        );
    }
    trail.note(
        TrailRecord::note()
            .request("=1+1")
            .user("alice@example.com", names)
            .tenant("org_2", names)
            .action(Some(Method::Post), "/transfers\r\nSet-Cookie: x\u{1b}[31m")
            .verdict(EventVerdict::Refused, "csrf_missing"),
    );
    assert_eq!(trail.close().lost, 0);
    folder
}

fn run(folder: &Folder, args: &[&str]) -> (i32, String, String) {
    let output = portcullis()
        .current_dir(folder.path())
        .arg("trail")
        .args(args)
        .output()
        .unwrap();
    (output.status.code().unwrap(), out(&output), err(&output))
}

fn database(folder: &Folder) -> PathBuf {
    folder.join(".portcullis/trail.sqlite")
}

#[test]
fn a_whole_trail_is_whole_and_says_what_is_not_known() {
    let folder = with_trail(20);
    let (code, text, _) = run(&folder, &["verify"]);
    assert_eq!(code, 0, "{text}");
    assert!(text.starts_with("the trail is whole: 24 records"), "{text}");
    assert!(text.contains("name a copy with `--public-key`"), "{text}");
    assert!(
        text.contains("name the second place with `--checkpoints`"),
        "{text}"
    );
    let public = fs::read_to_string(folder.join(".portcullis/trail.pub")).unwrap();
    for key in [public.trim(), ".portcullis/trail.pub"] {
        let args = [
            "verify",
            "--public-key",
            key,
            "--checkpoints",
            "checkpoints.jsonl",
        ];
        let (code, text, _) = run(&folder, &args);
        assert_eq!(code, 0, "{text}");
        assert!(!text.contains("note:"), "{text}");
        assert!(text.contains("1 checkpoints of the second place"), "{text}");
    }
    let (code, text, _) = run(&folder, &["verify", "--format", "json"]);
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (code, &value["whole"], &value["records"]),
        (0, &true.into(), &24.into())
    );
}

#[test]
fn a_broken_trail_exits_with_one_and_names_the_record() {
    let folder = with_trail(20);
    // As a file, past all triggers: a byte of the text of one record.
    let mut bytes = fs::read(database(&folder)).unwrap();
    let needle = b"/items/{id}";
    let at = bytes
        .windows(needle.len())
        .rposition(|window| window == needle)
        .unwrap();
    bytes[at + 1] = b'j';
    fs::write(database(&folder), bytes).unwrap();
    let (code, text, _) = run(&folder, &["verify"]);
    assert_eq!(code, 1, "{text}");
    assert!(text.starts_with("the trail is broken at record "), "{text}");
    let (code, text, _) = run(&folder, &["verify", "--format", "json"]);
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, &value["whole"]), (1, &false.into()));
    assert!(value["seq"].is_u64());
}

#[test]
fn a_trail_that_was_cut_off_is_broken_by_the_second_place() {
    let (folder, shorter) = (with_trail(20), with_trail(3));
    fs::copy(database(&shorter), database(&folder)).unwrap();
    let key = shorter.join(".portcullis/trail.pub");
    let key = key.to_str().unwrap();
    let (code, text, _) = run(&folder, &["verify", "--public-key", key]);
    assert_eq!(code, 0, "{text}");
    let args = [
        "verify",
        "--public-key",
        key,
        "--checkpoints",
        "checkpoints.jsonl",
    ];
    let (code, text, _) = run(&folder, &args);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("was cut off"), "{text}");
}

#[test]
fn what_cannot_be_used_is_usage_and_what_is_not_there_is_nothing() {
    let folder = Folder::with(&[("notes.txt", "milk\n")]);
    let (code, _, error) = run(&folder, &["verify"]);
    assert_eq!(code, 3, "{error}");
    assert!(
        error.contains("there is no trail") && error.contains("--trail"),
        "{error}"
    );
    for args in [["query"], ["export"]] {
        assert_eq!(run(&folder, &args).0, 3);
    }
    let folder = with_trail(1);
    for (args, words) in [
        (&["verify", "--public-key", "soon"][..], "neither a key"),
        (
            &["verify", "--public-key", "portcullis.toml"],
            "no file of public keys",
        ),
        (&["verify", "--checkpoints", "none.jsonl"], "cannot read"),
        (&["query", "--action", "DELTE"], "did you mean `DELETE`"),
        (&["query", "--since", "soon"], "2027-01-31"),
        (&["query", "--limit", "0"], "0"),
        (&["query", "--verdict", "maybe"], "maybe"),
        (&["export", "--output", "no/such/folder/x"], "cannot write"),
    ] {
        let (code, _, error) = run(&folder, args);
        assert_eq!(code, 2, "{args:?}: {error}");
        assert!(error.contains(words), "{args:?}: {error}");
    }
    // A file that is no database is a trail that is broken, not one that is missing.
    fs::write(database(&folder), "x".repeat(4096)).unwrap();
    let (code, text, _) = run(&folder, &["verify"]);
    assert_eq!(code, 1, "{text}");
}

#[test]
fn a_query_finds_what_was_asked_for() {
    let folder = with_trail(60);
    for (args, count) in [
        (&["--actor", "user_1", "--limit", "1000"][..], 60),
        (&["--actor", "user_1"], 50),
        (&["--actor", "alice@example.com"], 1),
        (&["--actor", "org_2"], 1),
        (&["--action", "post"], 1),
        (&["--action", "checkpoint"], 1),
        (&["--route", "/items/{id}", "--limit", "7"], 7),
        (&["--request-id", "r-17"], 1),
        (&["--verdict", "refused"], 1),
        (&["--since", "1970-01-02", "--limit", "1000"], 64),
    ] {
        let (code, text, error) = run(&folder, &[&["query"], args].concat());
        assert_eq!((code, text.lines().count()), (0, count), "{args:?} {error}");
        for line in text.lines() {
            serde_json::from_str::<Value>(line).unwrap();
        }
    }
    assert_eq!(run(&folder, &["query", "--until", "1970-01-02"]).0, 3);
    let (_, text, _) = run(&folder, &["query", "--format", "table", "--limit", "5"]);
    assert_eq!(text.lines().count(), 6);
    assert!(text.starts_with("seq"), "{text}");
    assert!(!text.contains('\u{1b}') && !text.contains('\r'), "{text}");
    assert!(text.contains("\\u{1b}[31m"), "{text}");
}

#[test]
fn an_export_is_whole_and_safe() {
    let folder = with_trail(1_500);
    let (code, json, _) = run(&folder, &["export"]);
    assert_eq!(code, 0);
    let seqs: Vec<u64> = json
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["seq"]
                .as_u64()
                .unwrap()
        })
        .collect();
    assert_eq!(
        seqs,
        (1..=u64::try_from(seqs.len()).unwrap()).collect::<Vec<_>>()
    );
    assert!(seqs.len() > 1_500);
    let (code, _, _) = run(
        &folder,
        &["export", "--format", "csv", "--output", "trail.csv"],
    );
    assert_eq!(code, 0);
    let csv = fs::read_to_string(folder.join("trail.csv")).unwrap();
    let lines: Vec<&str> = csv.split_terminator("\r\n").collect();
    assert_eq!(lines.len(), seqs.len() + 1, "each record is one line");
    assert!(lines[0].starts_with("\"seq\",\"time\",\"kind\",\"request_id\""));
    assert!(csv.contains("\"'=1+1\""), "no formula");
    assert!(!csv.contains('\u{1b}') && !csv.contains("alice@example.com"));
    let fields = |line: &str| line.matches("\",\"").count();
    assert!(
        lines.iter().all(|line| fields(line) == 22),
        "23 fields each"
    );
}

#[test]
fn each_command_teaches() {
    let folder = Folder::with(&[]);
    for verb in ["verify", "query", "export"] {
        let (code, text, _) = run(&folder, &[verb, "--help"]);
        assert_eq!(code, 0);
        assert!(
            text.contains("Examples:") && text.contains("Exit codes:"),
            "{verb}"
        );
    }
}
