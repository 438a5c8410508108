//! `Limit`: a named rate limit, as `[limits.NAME]` writes it.

use std::num::NonZeroU32;
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::bounds::ENTRIES_MAX;
use crate::faults::{Faults, Place};
use crate::form::{Form, Kind, may, need};
use crate::malformed::{harmless, quoted};
use crate::node::{Node, NodeValue, Table};
use crate::policy_file::Draft;
use crate::table_reader::{TableReader, name_of, wrong_kind};
use crate::word::words;
use crate::{LimitKey, Malformed, Name, Notice, Rate, RouteType, default_limits};

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

/// How long a limit that is used up may be shut.
pub(crate) const LOCKOUT_WITHIN: RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_secs(31 * 24 * 60 * 60);

/// Which requests a limit counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Counts {
    /// Every request.
    #[default]
    Requests,
    /// Only those that the application answers with a status of 400 or more, or not at all: wrong passwords, for example.
    Failures,
}

words!(Counts, "count", { Requests => "requests", Failures => "failures" });

/// A rate limit that routes refer to by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Its name.
    pub name: Name,
    /// How many requests in which time.
    pub rate: Rate,
    /// How they are counted.
    pub algorithm: Algorithm,
    /// How many may come at once; `smooth` only. See [`burst_or_default`](Self::burst_or_default).
    pub burst: Option<NonZeroU32>,
    /// What they are counted by; never empty.
    pub by: Vec<LimitKey>,
    /// Which of them are counted.
    pub counts: Counts,
    /// How long a bucket stays shut from the moment at which it is used up, whoever tries meanwhile; `exact` only. It
    /// outlives a restart.
    pub lockout: Option<Duration>,
    /// Whether clients are told in `RateLimit` headers, where the policy says. See [`is_shown`](Self::is_shown).
    pub show: Option<bool>,
    /// Where it is written; line 0 for a default limit that the policy does not define itself.
    pub place: Place,
}

impl Limit {
    /// How many requests a bucket that was not used admits at once: `burst`, or else the rate's count.
    ///
    /// A `smooth` limit then admits one more each `window / count`. So in any time `t` a bucket admits at most
    /// `burst + t * count / window` requests, rounded down: of `10 per 1m` 10 at once, then one each 6 s, and never
    /// more than 20 in a minute. An `exact` limit admits its count in any one window, never more, and this is the count.
    #[must_use]
    pub fn burst_or_default(&self) -> NonZeroU32 {
        self.burst.unwrap_or(self.rate.count)
    }

    /// Whether clients of a route of this type are told how much is left: as `show` says, or else everywhere but at
    /// logins and their like, where it helps who guesses, and of limits by a field of the body, where it would tell
    /// anybody how often somebody else's value was tried.
    #[must_use]
    pub fn is_shown(&self, kind: RouteType) -> bool {
        self.show
            .unwrap_or(kind != RouteType::AuthOp && !self.reads_body())
    }

    /// Whether this alone is the rate limit that a route of this type needs: every request counts, not only by what the
    /// client chooses itself, and at logins and their like it counts exactly.
    #[must_use]
    pub fn is_enough_for(&self, kind: RouteType) -> bool {
        self.counts == Counts::Requests
            && !self.by.iter().all(LimitKey::is_chosen_by_client)
            && (kind != RouteType::AuthOp || self.algorithm == Algorithm::Exact)
    }

    /// Whether it is counted by a field of the body, which must then be read before the request is decided.
    #[must_use]
    pub fn reads_body(&self) -> bool {
        self.by.iter().any(|key| matches!(key, LimitKey::Body(_)))
    }
}

pub(crate) const FORM: Form = Form::new(
    "A rate limit that routes refer to by its name.",
    &[
        need(
            "rate",
            Kind::Pattern("^0*[1-9][0-9]* per 0*[1-9][0-9]*[smhd]$"),
            "How many requests in how much time: `10 per 1m`.",
        ),
        may(
            "algorithm",
            Kind::Words(Algorithm::WORDS),
            "`smooth`: spread evenly. `exact`: never one more than the limit in a window.",
        )
        .or("\"smooth\""),
        may(
            "by",
            Kind::Some(&Kind::Pattern(
                "^(ip|user|tenant|session|route|header\\.[a-z0-9-]+|body\\.[A-Za-z0-9_.:/@-]+)$",
            )),
            "What requests are counted by; each entry is a bucket of its own.",
        )
        .or("[\"ip\"]"),
        may(
            "burst",
            Kind::Count(1, 4_294_967_295),
            "How many requests may come at once; with `smooth` only. Else it is the rate's count.",
        ),
        may(
            "counts",
            Kind::Words(Counts::WORDS),
            "`requests`: every one; `failures`: those that the application answers with 400 or more.",
        )
        .or("\"requests\""),
        may(
            "lockout",
            Kind::Duration,
            "How long a bucket stays shut from the moment at which it is used up; with `exact` only. Else no longer than the window says.",
        ),
        may(
            "show",
            Kind::Truth,
            "Whether clients are told what is left. Else they are, but at logins and of limits by a field of the body.",
        ),
    ],
)
.with_rules(&[
    r#"{ "if": { "properties": { "algorithm": { "const": "exact" } }, "required": ["algorithm"] }, "then": { "properties": { "burst": false } } }"#,
    r#"{ "if": { "required": ["lockout"] }, "then": { "properties": { "algorithm": { "const": "exact" } }, "required": ["algorithm"] } }"#,
]);

/// Reads `[limits]`.
pub(crate) fn read(node: &Node, draft: &mut Draft, faults: &mut Faults<'_>) {
    let NodeValue::Table(table) = &node.value else {
        return wrong_kind(node, "tables `[limits.NAME]`", faults);
    };
    if table.entries.len() > ENTRIES_MAX {
        faults.add(
            &node.span,
            format!("at most {ENTRIES_MAX} limits are allowed"),
        );
        return;
    }
    for entry in &table.entries {
        // A name that is declared wrongly is not also unknown to the routes that use it.
        draft.limit_names.insert(entry.key.clone());
        if let Some(fault) = default_limits::check_name(&entry.key) {
            faults.add_malformed(&entry.key_span, fault);
            continue;
        }
        let name = name_of(entry, faults);
        let NodeValue::Table(inner) = &entry.node.value else {
            wrong_kind(&entry.node, "a table with `rate`", faults);
            continue;
        };
        if let Some(limit) = read_one(inner, name, faults) {
            if let Some(kind) = default_limits::kind_of(&entry.key)
                && let Some(message) = too_little(&limit, kind)
            {
                faults.add(&limit.place.span, message);
            } else if limit.by.iter().all(LimitKey::is_chosen_by_client) {
                let message = format!(
                    "the limit `{}` is counted only by what the client itself chooses: add `ip` to `by`",
                    limit.name
                );
                let place = limit.place.clone();
                draft.policy.notices.push(Notice { place, message });
            }
            draft.policy.limits.insert(limit.name.clone(), limit);
        }
    }
}

/// Why a limit cannot take the place of a type's default: routes of the type would have less than the matrix demands, and
/// no `[[except]]` would say so.
fn too_little(limit: &Limit, kind: RouteType) -> Option<String> {
    if limit.is_enough_for(kind) {
        return None;
    }
    Some(
        if kind == RouteType::AuthOp && limit.algorithm != Algorithm::Exact {
            "the default limit of `auth_op` routes needs `algorithm = \"exact\"`".to_owned()
        } else {
            format!(
                "the default limit of `{kind}` routes counts `requests`, and not only by what the client itself chooses: give one like this another name"
            )
        },
    )
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
    let counts = reader.optional("counts");
    let counts = reader.parsed::<Counts>(counts).unwrap_or_default();
    let lockout_node = reader.optional("lockout");
    let lockout = reader.duration(lockout_node, LOCKOUT_WITHIN);
    let show = reader.optional("show");
    let show = reader.truth(show);
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
    if let Some(node) = lockout_node
        && algorithm.unwrap_or_default() != Algorithm::Exact
        && (algorithm_node.is_none() || algorithm.is_some())
    {
        let message = "`lockout` belongs to `exact` limits: add `algorithm = \"exact\"`";
        reader.faults().add(&node.span, message);
    }
    if let (Some(node), Some(keys)) = (by_node, &by)
        && matches!(&node.value, NodeValue::List(values) if values.is_empty())
        && keys.is_empty()
    {
        let message = "a limit is counted by something: leave `by` out for `[\"ip\"]`";
        reader.faults().add(&node.span, message);
    }
    reader.finish();
    // An algorithm that cannot be read is not the default one.
    if algorithm_node.is_some() && algorithm.is_none() {
        return None;
    }
    Some(Limit {
        name: name?,
        rate: rate?,
        algorithm: algorithm.unwrap_or_default(),
        burst,
        lockout,
        by: by.unwrap_or_else(|| vec![LimitKey::Ip]),
        counts,
        show,
        place,
    })
}

/// Says that a route names a limit which does not exist.
pub(crate) fn unknown(name: &Name, draft: &Draft) -> Option<Malformed> {
    if draft.limit_names.contains(name.as_str()) || default_limits::by_name(name).is_some() {
        return None;
    }
    let near =
        crate::suggestion::closest(name.as_str(), draft.limit_names.iter().map(String::as_str));
    let message = match near {
        Some(_) => format!("there is no limit {}", quoted(name.as_str())),
        None => format!(
            "there is no limit {}: add `[limits.{}]`",
            quoted(name.as_str()),
            harmless(name.as_str())
        ),
    };
    Some(Malformed::whole(name.as_str(), message).perhaps(near.map(str::to_owned)))
}
