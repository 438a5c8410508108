//! `Writing`: the thread that writes events: it numbers, joins and formats them, and goes on trying when it cannot.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use portcullis_guard::clock::{Nanos, SECOND};
use portcullis_policy::event::{SecurityEvent, WriterId};

use super::Shared;
use super::aggregate::Aggregate;
use super::chain::Chain;
use super::line_sink::LineSink;
use super::spent::Boxes;
use crate::SystemClock;

/// How long the thread sleeps when there is nothing to do. It is not woken by an offer: waking costs the one who offers
/// more than the offer.
const SLEEP: Duration = Duration::from_millis(50);
/// Bytes of lines that are written at once.
const CHUNK_BYTES: usize = 64 * 1024;
/// How long it waits after a failure.
const RETRY_AFTER: Nanos = SECOND / 4;

pub(super) struct Writing {
    sink: LineSink,
    chain: Chain,
    id: WriterId,
    clock: SystemClock,
    shared: Arc<Shared>,
    aggregate: Aggregate,
    /// Lines that are not written yet; they have their place in the chain.
    buffer: Vec<u8>,
    /// How many events are in it.
    buffered: u64,
    /// What has its line, until it is given back.
    spent: Boxes,
    retry_at: Nanos,
}

impl Writing {
    pub(super) fn new(
        sink: LineSink,
        chain: Chain,
        id: WriterId,
        clock: SystemClock,
        shared: Arc<Shared>,
    ) -> Self {
        Self {
            sink,
            chain,
            id,
            clock,
            shared,
            aggregate: Aggregate::default(),
            buffer: Vec::with_capacity(CHUNK_BYTES * 2),
            buffered: 0,
            spent: Boxes::new(),
            retry_at: 0,
        }
    }

    /// Writes until it is told to end and nothing is left.
    pub(super) fn run(mut self, queue: &Receiver<Box<SecurityEvent>>) {
        loop {
            // Read before the queue is emptied: what was offered before the end was told is in the queue.
            let closing = self.shared.closing.load(Ordering::Acquire);
            let emptied = self.empty(queue);
            let now = self.clock.monotonic();
            for mut event in self.aggregate.ended(now) {
                self.line(&mut event);
            }
            if self.write(now) && emptied {
                if closing {
                    return self.end(queue);
                }
                std::thread::park_timeout(SLEEP);
            } else if closing && !self.buffer.is_empty() {
                return self.end(queue);
            } else if !self.buffer.is_empty() {
                std::thread::park_timeout(SLEEP);
            }
        }
    }

    /// Takes events until there are none, or until what is not written is large enough. Says whether there are none:
    /// when nothing can be written the queue fills up, and then offers are dropped and counted.
    fn empty(&mut self, queue: &Receiver<Box<SecurityEvent>>) -> bool {
        let now = self.clock.monotonic();
        let mut emptied = false;
        while self.buffer.len() < CHUNK_BYTES && !emptied {
            let Ok(event) = queue.try_recv() else {
                emptied = true;
                continue;
            };
            if let Some(mut event) = self.aggregate.take(event, now) {
                self.line(&mut event);
                self.spent.push(event);
            }
        }
        self.shared.spent.take(&mut self.spent);
        emptied
    }

    /// Formats an event as the next line of the chain.
    fn line(&mut self, event: &mut SecurityEvent) {
        let untold = self.shared.untold.swap(0, Ordering::Relaxed);
        event.seq = self.chain.seq;
        event.prev_hash = self.chain.prev_hash;
        event.writer = self.id;
        event.dropped = untold;
        let begin = self.buffer.len();
        match event.write_line(&mut self.buffer) {
            Ok(()) => {
                let line = self.buffer.get(begin..).unwrap_or_default();
                self.chain = Chain::after(event.seq, line);
                self.buffer.push(b'\n');
                self.buffered += 1;
            }
            Err(error) => {
                self.buffer.truncate(begin);
                self.shared.untold.fetch_add(untold, Ordering::Relaxed);
                self.shared.lost.fetch_add(1, Ordering::Relaxed);
                self.failed(&error.to_string());
            }
        }
    }

    /// Writes the buffer. Says whether all of it is written.
    fn write(&mut self, now: Nanos) -> bool {
        if self.buffer.is_empty() {
            return true;
        }
        if now < self.retry_at {
            return false;
        }
        let written = self.sink.write(&mut self.buffer);
        if self.buffer.is_empty() {
            self.shared
                .written
                .fetch_add(self.buffered, Ordering::Relaxed);
            self.buffered = 0;
        }
        match written {
            Ok(()) => self.shared.worked(),
            Err(error) => {
                self.retry_at = now.saturating_add(RETRY_AFTER);
                self.failed(&error.to_string());
            }
        }
        self.buffer.is_empty()
    }

    /// Says it once on the standard error, until it works again.
    fn failed(&self, why: &str) {
        if self.shared.failed(why) {
            let told = writeln!(
                std::io::stderr(),
                "portcullis: events cannot be written: {why}"
            );
            // Where that cannot be written either, the health says it.
            drop(told);
        }
    }

    /// Writes what still waits for the end of its second, and puts all on the disk.
    fn end(mut self, queue: &Receiver<Box<SecurityEvent>>) {
        loop {
            let emptied = self.empty(queue);
            if emptied {
                for mut event in self.aggregate.ended(Nanos::MAX) {
                    self.line(&mut event);
                }
            }
            self.retry_at = 0;
            let written = self.write(self.clock.monotonic());
            if !written || emptied {
                break;
            }
        }
        let unread = queue
            .try_iter()
            .fold(0_u64, |sum, event| sum.saturating_add(event.count));
        let unended = self
            .aggregate
            .ended(Nanos::MAX)
            .iter()
            .fold(0, |sum: u64, event| sum.saturating_add(event.count));
        let lost = self.buffered.saturating_add(unread).saturating_add(unended);
        self.shared.lost.fetch_add(lost, Ordering::Relaxed);
        if let Err(error) = self.sink.sync() {
            self.failed(&error.to_string());
        }
    }
}
