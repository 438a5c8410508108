//! `[limits.NAME]`, with the default limits that some route has.

use std::collections::{BTreeMap, BTreeSet};

use super::writer::{Writer, Written, bare, key, length, list, text};
use crate::{Algorithm, Limit, Name, Policy, limit};

pub(super) fn write(policy: &Policy, writer: &mut Writer) {
    let mut all: BTreeMap<&Name, &Limit> = policy.limits.iter().collect();
    let mut shown: BTreeMap<&Name, BTreeSet<bool>> = BTreeMap::new();
    for route in policy.all_routes() {
        for limit in policy.limits_of(route) {
            let is_shown = limit.is_shown(route.kind);
            shown.entry(&limit.name).or_default().insert(is_shown);
            all.insert(&limit.name, limit);
        }
    }
    let named = policy.functions.iter().flat_map(|one| &one.limits);
    all.extend(named.filter_map(|name| Some((name, policy.limit(name)?))));
    for limit in all.into_values() {
        if is_default(limit) {
            writer.default_header(&header(limit));
        } else {
            writer.header(&header(limit));
        }
        one(limit, shown.get(&limit.name), writer);
    }
}

/// Whether the policy does not define it.
const fn is_default(limit: &Limit) -> bool {
    limit.place.line == 0
}

fn header(limit: &Limit) -> String {
    format!("[limits.{}]", key(limit.name.as_str()))
}

/// `shown` is whether clients are told, on each of the routes that have the limit.
fn one(limit: &Limit, shown: Option<&BTreeSet<bool>>, writer: &mut Writer) {
    writer.either("rate", &text(limit.rate), !is_default(limit));
    let mut put = |key: &str, value: &Written| {
        if is_default(limit) {
            writer.assumed(key, value);
        } else {
            writer.of_form(&limit::FORM, "", key, value);
        }
    };
    put("algorithm", &text(limit.algorithm));
    put("by", &list(&limit.by));
    put("counts", &text(limit.counts));
    if limit.algorithm == Algorithm::Smooth {
        let burst = bare(limit.burst_or_default());
        writer.either("burst", &burst, limit.burst.is_some());
    }
    if let Some(lockout) = limit.lockout {
        writer.stated("lockout", &length(lockout));
    }
    let alike = shown.filter(|all| all.len() == 1).and_then(BTreeSet::first);
    match (limit.show, alike) {
        (Some(show), _) => writer.stated("show", &bare(show)),
        (None, Some(show)) => writer.assumed("show", &bare(show)),
        (None, None) => writer.left_out("show", "as the type of the route says"),
    }
}
