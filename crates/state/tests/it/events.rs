//! Events become a chain of lines that goes on over rotations and restarts, and that tells when it was touched.

use std::fs;
use std::path::{Path, PathBuf};

use portcullis_policy::event::{
    EventKind, EventLevel, EventText, EventTime, EventVerdict, SecurityEvent,
};
use portcullis_state::events::{ChainFault, Verified, Verifier, verify};
use portcullis_state::{EventSink, EventWriter, StateError, SystemClock};

fn event(number: u64) -> SecurityEvent {
    let mut event = SecurityEvent::new(
        EventTime::of_unix_millis(1_800_000_000_000 + number),
        EventKind::GuardAllowed,
        EventLevel::Info,
        EventVerdict::Allowed,
        "allowed",
    );
    event.request_id = Some(EventText::new(format!("request {number}")));
    event
}

fn sink(path: &Path, rotate_bytes: u64) -> EventSink {
    EventSink::File {
        path: path.to_owned(),
        rotate_bytes,
        keep: 3,
    }
}

fn start(path: &Path) -> Result<EventWriter, StateError> {
    EventWriter::start(sink(path, 1 << 30), SystemClock::start())
}

fn write(path: &Path, events: std::ops::Range<u64>) {
    let writer = start(path).unwrap();
    let count = events.end - events.start;
    events.for_each(|number| writer.offer(event(number)));
    let health = writer.close();
    assert_eq!(health.written, count);
    assert_eq!((health.dropped, health.lost, health.error), (0, 0, None));
}

fn file() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("events.jsonl");
    (directory, path)
}

fn check(path: &Path) -> Verified {
    verify(fs::read(path).unwrap().as_slice()).unwrap()
}

fn verified(lines: u64, first_seq: u64) -> Verified {
    Verified {
        lines,
        first_seq: Some(first_seq),
        last_seq: Some(first_seq + lines - 1),
    }
}

#[test]
fn what_is_offered_is_written_in_order() {
    let (_directory, path) = file();
    write(&path, 0..1_000);
    assert_eq!(check(&path), verified(1_000, 0));
    let text = fs::read_to_string(&path).unwrap();
    for (number, line) in (0..).zip(text.lines()) {
        let read = SecurityEvent::parse(line).unwrap();
        assert_eq!(read.request_id, event(number).request_id);
    }
}

#[test]
fn the_chain_goes_on_after_a_restart() {
    let (_directory, path) = file();
    write(&path, 0..10);
    write(&path, 10..15);
    assert_eq!(check(&path), verified(15, 0));
    let writers: std::collections::BTreeSet<_> = fs::read_to_string(&path)
        .unwrap()
        .lines()
        .map(|line| SecurityEvent::parse(line).unwrap().writer)
        .collect();
    assert_eq!(writers.len(), 2);
}

#[test]
fn half_a_line_is_kept_apart() {
    let (_directory, path) = file();
    write(&path, 0..3);
    let whole = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{whole}{{\"schema\":\"portcu")).unwrap();
    let writer = start(&path).unwrap();
    let started = writer.started().clone();
    assert_eq!(started.first_seq, 3);
    let torn = started.torn.unwrap();
    assert_eq!(fs::read_to_string(torn).unwrap(), "{\"schema\":\"portcu");
    writer.offer(event(3));
    drop(writer);
    assert_eq!(check(&path), verified(4, 0));
}

#[test]
fn a_file_that_is_not_ours_is_refused() {
    for foreign in [
        "hello\n",
        "{}\n",
        "\n",
        "{\"schema\":\"portcullis.event/2\"}\n",
    ] {
        let (_directory, path) = file();
        fs::write(&path, foreign).unwrap();
        let error = start(&path).unwrap_err();
        assert!(
            matches!(error, StateError::Damaged { .. }),
            "{foreign}: {error}"
        );
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            foreign,
            "it is untouched"
        );
    }
    let (_directory, path) = file();
    fs::write(&path, "x".repeat(200_000)).unwrap();
    assert!(matches!(start(&path), Err(StateError::Damaged { .. })));
}

#[test]
fn a_file_is_written_by_one_process() {
    let (_directory, path) = file();
    let first = start(&path).unwrap();
    let error = start(&path).unwrap_err();
    assert!(matches!(error, StateError::InUse(_)), "{error}");
    drop(first);
    drop(start(&path).unwrap());
}

#[test]
fn a_large_file_is_put_aside_and_the_chain_goes_on() {
    let (directory, path) = file();
    let mut number = 0;
    for _ in 0..4 {
        let writer = EventWriter::start(sink(&path, 10_000), SystemClock::start()).unwrap();
        for _ in 0..50 {
            writer.offer(event(number));
            number += 1;
        }
        assert_eq!(writer.close().error, None);
    }
    let mut verifier = Verifier::default();
    for file in [
        "events.jsonl.3",
        "events.jsonl.2",
        "events.jsonl.1",
        "events.jsonl",
    ] {
        let text = fs::read_to_string(directory.path().join(file)).unwrap();
        text.lines().for_each(|line| {
            verifier.line(line).unwrap();
        });
    }
    assert_eq!(verifier.verified().last_seq, Some(199));
    // The same, and more restarts than files are kept.
    for _ in 0..4 {
        let writer = EventWriter::start(sink(&path, 10_000), SystemClock::start()).unwrap();
        assert_eq!(writer.started().first_seq, number);
        for _ in 0..50 {
            writer.offer(event(number));
            number += 1;
        }
    }
    assert!(!directory.path().join("events.jsonl.4").exists());
    assert!(check(&directory.path().join("events.jsonl.3")).first_seq > Some(0));
}

#[test]
fn an_end_between_two_files_loses_no_place() {
    let (directory, path) = file();
    write(&path, 0..5);
    fs::rename(&path, directory.path().join("events.jsonl.1")).unwrap();
    write(&path, 5..8);
    assert_eq!(check(&path), verified(3, 5));
}

#[test]
fn every_way_of_touching_it_is_found_but_the_end() {
    let (_directory, path) = file();
    write(&path, 0..20);
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let fault = |lines: &[&str]| {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        verify(text.as_bytes())
            .err()
            .map(|error| (error.line, error.fault))
    };
    assert!(fault(&lines).is_none());
    // Changed: the line after it tells.
    let changed = lines[4].replace("request 4", "request 5");
    let mut edited = lines.clone();
    edited[4] = &changed;
    assert!(matches!(
        fault(&edited),
        Some((6, ChainFault::ChangedBefore))
    ));
    // Dropped.
    let mut dropped = lines.clone();
    dropped.remove(7);
    assert!(matches!(
        fault(&dropped),
        Some((
            8,
            ChainFault::OutOfOrder {
                expected: 7,
                found: 8
            }
        ))
    ));
    // Moved, and put in twice.
    let mut moved = lines.clone();
    moved.swap(2, 3);
    assert!(matches!(
        fault(&moved),
        Some((3, ChainFault::OutOfOrder { .. }))
    ));
    let mut twice = lines.clone();
    twice.insert(2, lines[2]);
    assert!(matches!(
        fault(&twice),
        Some((4, ChainFault::OutOfOrder { .. }))
    ));
    // Cut off within a line; and the beginning, which says so by its number.
    let cut = &text.as_bytes()[..text.len() - 5];
    let error = verify(cut).unwrap_err();
    assert!(matches!(error.fault, ChainFault::CutOff), "{error}");
    let rest = verify(&text.as_bytes()[lines[0].len() + 1..]).unwrap();
    assert_eq!(rest.first_seq, Some(1));
    // Whole lines cut off at the end: nothing in the file can tell, and nothing is claimed.
    assert_eq!(fault(&lines[..15]).map(|(line, _)| line), None);
    // A line without an end is not read into memory.
    let endless = verify("x".repeat(10 << 20).as_bytes()).unwrap_err();
    assert!(
        matches!(endless.fault, ChainFault::Unreadable(_)),
        "{endless}"
    );
}

#[test]
fn a_line_stays_a_line_whatever_is_in_it() {
    let (_directory, path) = file();
    let writer = start(&path).unwrap();
    let mut hostile = event(0);
    hostile.detail = Some(EventText::new("a\r\n{\"forged\":1}\n\u{2028}\0\u{1b}[2J"));
    hostile.route = Some(EventText::new("/x\nHTTP/1.1"));
    writer.offer(hostile.clone());
    writer.offer(event(1));
    drop(writer);
    assert_eq!(check(&path), verified(2, 0));
    let text = fs::read_to_string(&path).unwrap();
    assert!(!text.contains(['\r', '\0', '\u{1b}']));
    let read = SecurityEvent::parse(text.lines().next().unwrap()).unwrap();
    assert_eq!((read.detail, read.route), (hostile.detail, hostile.route));
}
