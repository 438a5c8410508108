//! `Aggregate`: of the same refusals in one second the first is told at once, the others as one event with their number.

use std::collections::HashMap;

use portcullis_guard::clock::{Nanos, SECOND};
use portcullis_policy::event::{EventClient, EventKind, EventText, EventVerdict, SecurityEvent};

/// Refusals that are kept apart within a second. What comes beyond is told without its client, and beyond that without
/// its route: then as many are left as there are kinds and reasons.
const APART_MAX: usize = 4_096;
const CLIENTLESS_MAX: usize = 8_192;

/// What is the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Same {
    kind: EventKind,
    verdict: EventVerdict,
    reason: EventText<64>,
    route: Option<EventText<512>>,
    client: Option<EventClient>,
}

#[derive(Debug)]
struct Window {
    ends_at: Nanos,
    count: u64,
    last: Option<Box<SecurityEvent>>,
}

/// The refusals of the last second.
#[derive(Debug, Default)]
pub(super) struct Aggregate {
    windows: HashMap<Same, Window>,
}

impl Aggregate {
    /// Takes an event. Gives it back when it is to be told now.
    pub(super) fn take(
        &mut self,
        mut event: Box<SecurityEvent>,
        now: Nanos,
    ) -> Option<Box<SecurityEvent>> {
        match event.verdict {
            EventVerdict::Allowed | EventVerdict::None => return Some(event),
            EventVerdict::Refused | EventVerdict::Unavailable | EventVerdict::ShadowRefused => {}
        }
        let mut same = Same {
            kind: event.kind,
            verdict: event.verdict,
            reason: event.reason.clone(),
            route: event.route.clone(),
            client: event.client,
        };
        if self.is_new(&same) && self.windows.len() >= APART_MAX {
            same.client = same.client.map(|_| EventClient::Many);
            if self.is_new(&same) && self.windows.len() >= CLIENTLESS_MAX {
                same.route = None;
            }
            forget_who(&mut event, &same);
        }
        if let Some(window) = self.windows.get_mut(&same) {
            window.count = window.count.saturating_add(event.count);
            window.last = Some(event);
            return None;
        }
        let window = Window {
            ends_at: now.saturating_add(SECOND),
            count: 0,
            last: None,
        };
        self.windows.insert(same, window);
        Some(event)
    }

    fn is_new(&self, same: &Same) -> bool {
        !self.windows.contains_key(same)
    }

    /// What is to be told at the end of each second that is over.
    pub(super) fn ended(&mut self, now: Nanos) -> Vec<SecurityEvent> {
        let mut told = Vec::new();
        self.windows.retain(|_, window| {
            if window.ends_at > now {
                return true;
            }
            if let Some(mut event) = window.last.take() {
                event.count = window.count;
                if window.count > 1 {
                    // One of many ids would say that the others are not there.
                    event.request_id = None;
                }
                told.push(*event);
            }
            false
        });
        told
    }
}

/// Says in the event no more than what it is told with.
fn forget_who(event: &mut SecurityEvent, same: &Same) {
    event.client = same.client;
    event.user = None;
    event.request_id = None;
    event.route.clone_from(&same.route);
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_policy::event::{EventLevel, EventTime, HexBytes};

    fn refused(client: u128) -> Box<SecurityEvent> {
        let mut event = SecurityEvent::new(
            EventTime::of_unix_millis(0),
            EventKind::ExcessRateLimitExceeded,
            EventLevel::Warn,
            EventVerdict::Refused,
            "rate_limited",
        );
        event.client = Some(EventClient::One(HexBytes(client.to_be_bytes())));
        event.route = Some(EventText::new("/login"));
        event.request_id = Some(EventText::new("r"));
        Box::new(event)
    }

    #[test]
    fn the_first_is_told_at_once_and_the_rest_after_a_second() {
        let mut aggregate = Aggregate::default();
        assert!(aggregate.take(refused(1), 0).is_some());
        assert!(aggregate.take(refused(2), 0).is_some(), "another client");
        for _ in 0..9 {
            assert!(aggregate.take(refused(1), SECOND / 2).is_none());
        }
        assert!(aggregate.ended(SECOND - 1).is_empty());
        let told = aggregate.ended(SECOND);
        assert_eq!(told.len(), 1, "of the second client nothing more came");
        assert_eq!(told[0].count, 9);
        assert_eq!(told[0].request_id, None);
        assert!(aggregate.take(refused(1), SECOND).is_some(), "a new second");
    }

    #[test]
    fn one_repetition_keeps_its_request_id() {
        let mut aggregate = Aggregate::default();
        assert!(aggregate.take(refused(1), 0).is_some());
        assert!(aggregate.take(refused(1), 0).is_none());
        let told = aggregate.ended(SECOND);
        assert_eq!((told[0].count, told[0].request_id.is_some()), (1, true));
    }

    #[test]
    fn what_passed_is_never_put_together() {
        let mut aggregate = Aggregate::default();
        for _ in 0..3 {
            let mut event = refused(1);
            event.verdict = EventVerdict::Allowed;
            assert!(aggregate.take(event, 0).is_some());
        }
    }

    #[test]
    fn a_flood_of_clients_is_told_as_many_and_nothing_is_lost() {
        let mut aggregate = Aggregate::default();
        let (mut events, mut counted) = (0, 0);
        for client in 0..100_000 {
            if let Some(event) = aggregate.take(refused(client), 0) {
                events += 1;
                counted += event.count;
            }
        }
        let rest = aggregate.ended(SECOND);
        assert_eq!(rest.len(), 1);
        assert_eq!(rest[0].client, Some(EventClient::Many));
        assert_eq!(events, APART_MAX + 1);
        assert_eq!(counted + rest[0].count, 100_000);
    }

    #[test]
    fn the_table_is_bounded_whatever_comes() {
        let mut aggregate = Aggregate::default();
        for number in 0..50_000_u128 {
            let mut event = refused(number);
            event.route = Some(EventText::new(format!("/{number}")));
            drop(aggregate.take(event, 0));
        }
        assert!(aggregate.windows.len() <= CLIENTLESS_MAX + 1);
    }
}
