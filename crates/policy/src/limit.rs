//! `Limit`: a named rate limit, as `[limits.NAME]` writes it.

use std::num::NonZeroU32;
use std::str::FromStr;

use crate::bounds::ENTRIES_MAX;
use crate::faults::{Faults, Place};
use crate::malformed::quoted;
use crate::node::{Node, NodeValue, Table};
use crate::policy_file::Draft;
use crate::table_reader::{TableReader, wrong_kind};
use crate::word::words;
use crate::{Malformed, Name, Rate};

/// How requests are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// A log of every request in the window: never one more than the limit. For logins and codes.
    Exact,
    /// Admission spread evenly over the window (GCRA): one number per key, whatever the limit.
    #[default]
    Smooth,
}

words!(Algorithm, "algorithm", {
    Exact => "exact",
    Smooth => "smooth",
});

/// The largest count of an `exact` limit: its log holds one entry per request.
pub const EXACT_COUNT_MAX: u32 = 1024;

/// What requests are counted by. Every entry of `by` is a bucket of its own, and all of them must admit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LimitKey {
    /// The client's address, behind trusted proxies only.
    Ip,
    /// The signed-in user.
    User,
    /// The user's tenant.
    Tenant,
    /// The session.
    Session,
    /// A field of the request's body, for example the address that a login is tried for.
    Body(Name),
}

impl FromStr for LimitKey {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(field) = text.strip_prefix("body.") {
            return field.parse().map(Self::Body).map_err(|mut fault: Malformed| {
                let before = text.len() - field.len();
                fault.at = fault.at.start + before..fault.at.end + before;
                fault
            });
        }
        match text {
            "ip" => Ok(Self::Ip),
            "user" => Ok(Self::User),
            "tenant" => Ok(Self::Tenant),
            "session" => Ok(Self::Session),
            _ => Err(Malformed::unknown_word(
                "limit key",
                text,
                &["ip", "user", "tenant", "session", "body.FIELD"],
            )),
        }
    }
}

/// A rate limit that routes refer to by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Its name.
    pub name: Name,
    /// How many requests in which time.
    pub rate: Rate,
    /// How they are counted.
    pub algorithm: Algorithm,
    /// How many may come at once beyond the even spread; `smooth` only.
    pub burst: Option<NonZeroU32>,
    /// What they are counted by; never empty.
    pub by: Vec<LimitKey>,
    /// Where it is written.
    pub place: Place,
}

/// Reads `[limits]`.
pub(crate) fn read(node: &Node, draft: &mut Draft, faults: &mut Faults<'_>) {
    let NodeValue::Table(table) = &node.value else {
        return wrong_kind(node, "tables `[limits.NAME]`", faults);
    };
    if table.entries.len() > ENTRIES_MAX {
        faults.add(&node.span, format!("at most {ENTRIES_MAX} limits are allowed"));
        return;
    }
    for entry in &table.entries {
        // A name that is declared wrongly is not also unknown to the routes that use it.
        draft.limit_names.insert(entry.key.clone());
        let name = match entry.key.parse::<Name>() {
            Ok(name) => Some(name),
            Err(fault) => {
                faults.add_malformed(&entry.key_span, fault);
                None
            }
        };
        let NodeValue::Table(inner) = &entry.node.value else {
            wrong_kind(&entry.node, "a table with `rate`", faults);
            continue;
        };
        if let Some(limit) = read_one(inner, name, faults) {
            draft.policy.limits.insert(limit.name.clone(), limit);
        }
    }
}

fn read_one(table: &Table, name: Option<Name>, faults: &mut Faults<'_>) -> Option<Limit> {
    let place = faults.place(&table.span);
    let mut reader = TableReader::new(table, "a limit", faults);
    let rate_node = reader.required("rate");
    let rate = reader.parsed::<Rate>(rate_node);
    let algorithm_node = reader.optional("algorithm");
    let algorithm = reader.parsed::<Algorithm>(algorithm_node);
    let by_node = reader.optional("by");
    let by = reader.list::<LimitKey>(by_node, false);
    let burst_node = reader.optional("burst");
    let burst = reader
        .integer(burst_node, 1..i64::from(u32::MAX) + 1)
        .and_then(|count| u32::try_from(count).ok())
        .and_then(NonZeroU32::new);
    if let (Some(rate), Some(Algorithm::Exact)) = (rate, algorithm) {
        if let Some(node) = rate_node
            && rate.count.get() > EXACT_COUNT_MAX
        {
            let message = format!("an `exact` limit admits at most {EXACT_COUNT_MAX} requests");
            reader.faults().add(&node.span, message);
        }
        if let Some(node) = burst_node {
            let message = "`burst` belongs to `smooth` limits: an `exact` one has none";
            reader.faults().add(&node.span, message);
        }
    }
    if let (Some(node), Some(keys)) = (by_node, &by)
        && matches!(&node.value, NodeValue::List(values) if values.is_empty())
        && keys.is_empty()
    {
        let message = "a limit is counted by something: leave `by` out for `[\"ip\"]`";
        reader.faults().add(&node.span, message);
    }
    reader.finish();
    Some(Limit {
        name: name?,
        rate: rate?,
        algorithm: algorithm.unwrap_or_default(),
        burst,
        by: by.unwrap_or_else(|| vec![LimitKey::Ip]),
        place,
    })
}

/// Says that a route names a limit which does not exist.
pub(crate) fn unknown(name: &Name, draft: &Draft) -> Option<Malformed> {
    if draft.limit_names.contains(name.as_str()) {
        return None;
    }
    let near = crate::suggestion::closest(
        name.as_str(),
        draft.limit_names.iter().map(String::as_str),
    );
    let message = format!("there is no limit {0}: add `[limits.{name}]`", quoted(name.as_str()));
    Some(Malformed::whole(name.as_str(), message).perhaps(near.map(str::to_owned)))
}
