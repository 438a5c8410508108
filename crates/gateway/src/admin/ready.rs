//! `/ready`: whether the guard takes requests, and what is worse than it should be.

use std::sync::atomic::Ordering;

use super::reply::Reply;
use crate::tokens;
use crate::worker::Shared;

/// Ready is a guard that has a policy, the keys of its issuers, and takes requests. What is worse than it should be is said beside it.
pub(super) fn ready(shared: &Shared) -> Reply {
    let live = shared.live.load();
    if shared.is_draining.load(Ordering::Relaxed) {
        return Reply::text(503, "draining\n");
    }
    if live.plan.routes.is_empty() {
        return Reply::text(503, "no policy\n");
    }
    let mut worse = Vec::new();
    if live.upstreams.well() == 0 {
        worse.push("no upstream is well".to_owned());
    }
    for health in tokens::health(&live, shared.clock.now()) {
        // Who calls could not be known.
        if health.keys.is_none() {
            return Reply::text(503, format!("no keys of {}\n", health.issuer));
        }
        if health.fault.is_some() {
            worse.push(format!("the keys of {} cannot be fetched", health.issuer));
        }
        if health.has_no_usable_key() {
            worse.push(format!("no key of {} can be used", health.issuer));
        }
    }
    worse.extend(shared.observer.troubles().into_iter().map(Into::into));
    if worse.is_empty() {
        Reply::text(200, "ready\n")
    } else {
        Reply::text(200, format!("ready, degraded: {}\n", worse.join("; ")))
    }
}
