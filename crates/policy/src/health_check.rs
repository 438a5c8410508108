//! `HealthCheck`: how an upstream is asked whether it is well.

use std::num::NonZeroU8;
use std::time::Duration;

use crate::faults::Faults;
use crate::fixed_path::fixed_path;
use crate::form::{Form, Kind, may, need};
use crate::node::Table;
use crate::proxy_settings::TIMEOUT;
use crate::table_reader::{TableReader, parsed_by};

/// The `health` of `[proxy]`: `GET path`; an answer from 200 to 399 is a pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthCheck {
    /// What is asked for, in canonical form; begins with `/` and has no query.
    pub path: String,
    /// From the start of one check to the next; 5 s.
    pub every: Duration,
    /// How long an answer may take; 2 s, and never longer than `every`.
    pub timeout: Duration,
    /// Failures in a row after which no request is sent there; 3.
    pub fails: NonZeroU8,
    /// Passes in a row after which requests are sent there again; 1.
    pub passes: NonZeroU8,
}

const EVERY: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_secs(2);
const FAILS: NonZeroU8 = NonZeroU8::MIN.saturating_add(2);
const PASSES: NonZeroU8 = NonZeroU8::MIN;

pub(crate) const FORM: Form = Form::new(
    "How upstreams are asked whether they are well.",
    &[
        need("path", Kind::Pattern("^/"), "What is asked for."),
        may("every", Kind::Duration, "From one check to the next.").or("\"5s\""),
        may("timeout", Kind::Duration, "How long an answer may take.").or("\"2s\""),
        may(
            "fails",
            Kind::Count(1, 100),
            "After how many failures in a row an upstream gets no more requests.",
        )
        .or("3"),
        may(
            "passes",
            Kind::Count(1, 100),
            "After how many passes in a row it gets them again.",
        )
        .or("1"),
    ],
);

pub(crate) fn read_health(table: &Table, faults: &mut Faults<'_>) -> Option<HealthCheck> {
    let mut reader = TableReader::new(table, "`health`", faults);
    let path = reader.required("path");
    let path = path.and_then(|node| parsed_by(node, fixed_path, reader.faults()));
    let every_node = reader.optional("every");
    let every = reader.duration(every_node, TIMEOUT).unwrap_or(EVERY);
    let timeout_node = reader.optional("timeout");
    let timeout = reader.duration(timeout_node, TIMEOUT);
    if let (Some(node), Some(timeout)) = (timeout_node, timeout)
        && timeout > every
    {
        let message = "a check ends before the next begins: at most as long as `every`";
        reader.faults().add(&node.span, message);
    }
    let mut times = |key: &'static str, default: NonZeroU8| {
        let node = reader.optional(key);
        let count = reader.count::<u8>(node, 1..=100);
        count.and_then(NonZeroU8::new).unwrap_or(default)
    };
    let fails = times("fails", FAILS);
    let passes = times("passes", PASSES);
    reader.finish();
    Some(HealthCheck {
        path: path?,
        every,
        timeout: timeout.unwrap_or(LONGEST).min(every),
        fails,
        passes,
    })
}
