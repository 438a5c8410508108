//! The writer with a sink that fails when it is told to.

use std::io;
use std::sync::atomic::AtomicUsize;

use portcullis_policy::event::{EventKind, EventLevel, EventTime, EventVerdict};

use super::chain::Chain;
use super::line_sink::TestSink;
use super::*;

/// What a sink does, seen from both sides.
#[derive(Debug, Default)]
struct Plan {
    fails: AtomicBool,
    /// Bytes that are taken at once; 0 for all.
    takes: AtomicUsize,
    written: Mutex<Vec<u8>>,
}

#[derive(Debug)]
struct Planned(Arc<Plan>);

impl io::Write for Planned {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.fails.load(Ordering::SeqCst) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let takes = match self.0.takes.load(Ordering::SeqCst) {
            0 => bytes.len(),
            // The next one fails: the disk became full in the middle of a line.
            takes => {
                self.0.fails.store(true, Ordering::SeqCst);
                takes.min(bytes.len())
            }
        };
        self.0
            .written
            .lock()
            .unwrap()
            .extend_from_slice(&bytes[..takes]);
        Ok(takes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl TestSink for Planned {}

fn start(plan: &Arc<Plan>) -> EventWriter {
    let sink = LineSink::Test(Box::new(Planned(Arc::clone(plan))));
    let start = EventStart::default();
    EventWriter::run(
        sink,
        Chain::NEW,
        start,
        HexBytes([7; 16]),
        SystemClock::start(),
    )
    .unwrap()
}

fn event() -> SecurityEvent {
    SecurityEvent::new(
        EventTime::of_unix_millis(0),
        EventKind::GuardAllowed,
        EventLevel::Info,
        EventVerdict::Allowed,
        "allowed",
    )
}

fn until(what: impl Fn() -> bool) {
    let clock = SystemClock::start();
    let start = clock.monotonic();
    while !what() {
        assert!(
            clock.monotonic() - start < 20_000_000_000,
            "it never happened"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn lines(plan: &Plan) -> Vec<SecurityEvent> {
    let text = String::from_utf8(plan.written.lock().unwrap().clone()).unwrap();
    text.lines()
        .map(|line| SecurityEvent::parse(line).unwrap())
        .collect()
}

#[test]
fn a_disk_that_fills_up_in_a_line_loses_nothing_when_it_has_room_again() {
    let plan = Arc::new(Plan::default());
    plan.takes.store(20, Ordering::SeqCst);
    let writer = start(&plan);
    for _ in 0..3 {
        writer.offer(event());
    }
    until(|| writer.health().error.is_some());
    assert_eq!(plan.written.lock().unwrap().len(), 20);
    plan.takes.store(0, Ordering::SeqCst);
    plan.fails.store(false, Ordering::SeqCst);
    until(|| writer.health().error.is_none());
    let health = writer.close();
    assert_eq!((health.written, health.lost, health.dropped), (3, 0, 0));
    assert!(health.failures >= 1);
    let written = plan.written.lock().unwrap().clone();
    assert_eq!(verify(written.as_slice()).unwrap().lines, 3);
}

#[test]
fn what_found_no_room_in_the_queue_is_told_by_the_next_line() {
    let plan = Arc::new(Plan::default());
    plan.fails.store(true, Ordering::SeqCst);
    let writer = start(&plan);
    writer.offer(event());
    until(|| writer.health().error.is_some());
    // The thread buffers some, then the queue fills up, and then nothing is taken.
    let offered = 3 * QUEUE_MAX;
    for _ in 0..offered {
        writer.offer(event());
    }
    let dropped = writer.health().dropped;
    assert!(dropped > 0);
    plan.fails.store(false, Ordering::SeqCst);
    until(|| writer.health().error.is_none());
    writer.offer(event());
    let health = writer.close();
    let lines = lines(&plan);
    let told: u64 = lines.iter().map(|line| line.dropped).sum();
    assert_eq!(told, health.dropped);
    let written = u64::try_from(lines.len()).unwrap();
    assert_eq!(written, health.written);
    assert_eq!(
        written + health.dropped,
        u64::try_from(offered).unwrap() + 2
    );
    let bytes = plan.written.lock().unwrap().clone();
    assert!(verify(bytes.as_slice()).is_ok());
}

#[test]
fn what_can_never_be_written_is_counted_as_lost() {
    let plan = Arc::new(Plan::default());
    plan.fails.store(true, Ordering::SeqCst);
    let writer = start(&plan);
    for _ in 0..1_000 {
        writer.offer(event());
    }
    let health = writer.close();
    assert_eq!((health.written, health.lost), (0, 1_000));
    assert!(health.error.is_some());
}

#[test]
fn refusals_that_wait_for_their_second_are_written_at_the_end() {
    let plan = Arc::new(Plan::default());
    let writer = start(&plan);
    for _ in 0..100 {
        let mut refused = event();
        refused.verdict = EventVerdict::Refused;
        writer.offer(refused);
    }
    let health = writer.close();
    assert_eq!((health.lost, health.dropped), (0, 0));
    let counts: u64 = lines(&plan).iter().map(|line| line.count).sum();
    assert_eq!(counts, 100);
    assert!(lines(&plan).len() <= 3);
}
