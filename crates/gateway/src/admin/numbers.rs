//! `/metrics`: what happened, as numbers.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::door::Door;
use super::reply::Reply;
use crate::metrics::{Metrics, Numbers};
use crate::tokens;
use crate::worker::Shared;

/// The sum of all workers, in the text format of Prometheus.
pub(super) fn numbers(shared: &Shared, metrics: &[Arc<Metrics>], door: &Door) -> Reply {
    let mut sum = Numbers::default();
    for one in metrics {
        sum.add(&one.numbers());
    }
    let live = shared.live.load();
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let (issuers, with_keys) = tokens::counts(&live, shared.clock.now());
    let gauges = [
        (
            "connections",
            "Open connections of clients.",
            u64::from(shared.connections.count()),
        ),
        (
            "busy",
            "Requests that are being answered.",
            count(shared.busy.load(Ordering::Relaxed)),
        ),
        (
            "upstreams_well",
            "Instances of the application that are well.",
            count(live.upstreams.well()),
        ),
        (
            "upstreams",
            "Instances of the application.",
            count(live.upstreams.all().len()),
        ),
        (
            "issuers",
            "Issuers whose tokens are accepted.",
            count(issuers),
        ),
        (
            "issuers_with_keys",
            "Issuers of which there are keys.",
            count(with_keys),
        ),
        (
            "policy_generation",
            "How many policies have been in force.",
            live.generation,
        ),
        (
            "events_dropped",
            "Events that could not be written.",
            shared.observer.dropped(),
        ),
        (
            "admin_refused",
            "Requests to the admin listener without its credential.",
            door.refused(),
        ),
    ];
    Reply {
        status: 200,
        kind: "text/plain; version=0.0.4",
        line: "",
        content: sum.to_text(&gauges),
    }
}
