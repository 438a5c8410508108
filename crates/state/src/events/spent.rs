//! `Spent`: the memory of events that were written, for those that are offered next.

use std::sync::Mutex;

use portcullis_policy::event::SecurityEvent;

/// How many are kept: what comes in 50 ms at 40,000 events a second.
const KEPT_MAX: usize = 2 * 1024;

/// Events in their boxes.
pub(super) type Boxes = Vec<Box<SecurityEvent>>;

/// Events that were written. The thread that writes does not free what others allocated: the allocator has a lock for each of
/// them, and they would wait for one another at nearly every event.
#[derive(Debug, Default)]
pub(super) struct Spent {
    events: Mutex<Boxes>,
}

impl Spent {
    /// Boxes an event, in the place of one that was written where there is one, and nobody else is at it.
    pub(super) fn boxed(&self, event: SecurityEvent) -> Box<SecurityEvent> {
        let spent = self.events.try_lock().ok().and_then(|mut all| all.pop());
        match spent {
            Some(mut place) => {
                *place = event;
                place
            }
            None => Box::new(event),
        }
    }

    /// Takes what was written, and leaves nothing of it. What is too much is freed.
    pub(super) fn take(&self, written: &mut Boxes) {
        if let Ok(mut events) = self.events.lock() {
            let room = KEPT_MAX.saturating_sub(events.len());
            let surplus = written.len().saturating_sub(room);
            events.extend(written.drain(surplus..));
        }
        written.clear();
    }
}

#[cfg(test)]
mod tests {
    use portcullis_policy::event::{EventKind, EventLevel, EventTime, EventVerdict};

    use super::*;

    fn event(millis: u64) -> SecurityEvent {
        SecurityEvent::new(
            EventTime::of_unix_millis(millis),
            EventKind::SysRestart,
            EventLevel::Info,
            EventVerdict::None,
            "started",
        )
    }

    #[test]
    fn what_is_boxed_is_the_event_and_nothing_of_the_one_before() {
        let spent = Spent::default();
        let mut before = Box::new(event(1));
        before.status = Some(429);
        let place: *const SecurityEvent = &raw const *before;
        spent.take(&mut vec![before]);
        let boxed = spent.boxed(event(2));
        assert_eq!(*boxed, event(2));
        assert!(std::ptr::eq(&raw const *boxed, place));
        assert_eq!(*spent.boxed(event(3)), event(3));
    }

    #[test]
    fn no_more_are_kept_than_a_bound() {
        let spent = Spent::default();
        for _ in 0..2 {
            let mut written: Vec<_> = (0..1_500).map(|at| Box::new(event(at))).collect();
            spent.take(&mut written);
            assert!(written.is_empty());
        }
        assert_eq!(spent.events.lock().unwrap().len(), KEPT_MAX);
    }
}
