//! `EventSettings`: the `[events]` table.

use std::num::NonZeroU8;
use std::str::FromStr;

use crate::faults::Faults;
use crate::form::{Form, Kind, may};
use crate::node::{Node, NodeValue};
use crate::policy_file::Draft;
use crate::suggestion::closest;
use crate::table_reader::{TableReader, wrong_kind};
use crate::word::words;
use crate::{ByteCount, Malformed, SecretRef};

/// Where events are written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum EventTarget {
    /// Standard output, one JSON line each.
    #[default]
    Stdout,
    /// A file, by its path; relative to where the guard was started.
    File(String),
}

impl FromStr for EventTarget {
    type Err = Malformed;

    /// A file is written with a `/` or a `.` in its path, so that `stduot` is not one.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "stdout" {
            return Ok(Self::Stdout);
        }
        if text.chars().any(char::is_control) || text.ends_with('/') {
            return Err(Malformed::whole(text, "this is no path of a file"));
        }
        if !text.contains(['/', '.']) {
            let message = "events go to `stdout` or to a file, `./events.jsonl`";
            let near = closest(text, ["stdout"]).map(str::to_owned);
            return Err(Malformed::whole(text, message).perhaps(near));
        }
        Ok(Self::File(text.to_owned()))
    }
}

/// Which decisions are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventRecord {
    /// What was refused, and what the guard itself does.
    #[default]
    Refusals,
    /// Every decision.
    All,
}

words!(EventRecord, "record", { Refusals => "refusals", All => "all" });

/// How events are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventSettings {
    /// Where to; standard output.
    pub to: EventTarget,
    /// The size at which a file is closed and a new one begun; 64 MiB.
    pub rotate: ByteCount,
    /// How many closed files are kept; 8.
    pub keep: NonZeroU8,
    /// Which decisions; `refusals`.
    pub record: EventRecord,
    /// The key by which addresses and names are hashed before they are written. Without one, the guard makes one when
    /// it starts, and hashes of two runs cannot be compared.
    pub key: Option<SecretRef>,
}

impl Default for EventSettings {
    fn default() -> Self {
        Self {
            to: EventTarget::default(),
            rotate: ByteCount::kib(64 * 1024),
            keep: NonZeroU8::MIN.saturating_add(7),
            record: EventRecord::default(),
            key: None,
        }
    }
}

pub(crate) const FORM: Form = Form::new(
    "How events are written.",
    &[
        may("to", Kind::Prose, "`stdout`, or the path of a file.").or("\"stdout\""),
        may(
            "rotate",
            Kind::Size,
            "The size at which a file is closed and a new one begun; of a file only.",
        )
        .or("\"64 MiB\""),
        may(
            "keep",
            Kind::Count(1, 100),
            "How many closed files are kept; of a file only.",
        )
        .or("8"),
        may(
            "record",
            Kind::Words(EventRecord::WORDS),
            "`refusals`: what was refused, and what the guard itself does; `all`: every decision.",
        )
        .or("\"refusals\""),
        may(
            "key",
            Kind::Secret,
            "Where the key is kept by which addresses and names are hashed; else the guard makes one when it starts.",
        ),
    ],
)
.with_rules(&[
    r#"{ "if": { "anyOf": [{ "not": { "required": ["to"] } }, { "properties": { "to": { "const": "stdout" } } }] }, "then": { "properties": { "rotate": false, "keep": false } } }"#,
]);

/// Reads `[events]`.
pub(crate) fn read(node: &Node, draft: &mut Draft, faults: &mut Faults<'_>) {
    let NodeValue::Table(table) = &node.value else {
        return wrong_kind(node, "a table", faults);
    };
    let mut reader = TableReader::new(table, "`[events]`", faults);
    let defaults = EventSettings::default();
    let to_node = reader.optional("to");
    let to = reader.parsed::<EventTarget>(to_node);
    let rotate_node = reader.optional("rotate");
    let rotate = reader.size(rotate_node, ByteCount::kib(64)..=ByteCount::MAX);
    let keep_node = reader.optional("keep");
    let keep = reader.count::<u8>(keep_node, 1..=100);
    // A target that cannot be read is a fault already.
    let is_file = matches!(to, Some(EventTarget::File(_))) || (to_node.is_some() && to.is_none());
    for (key, node) in [("rotate", rotate_node), ("keep", keep_node)] {
        if let Some(node) = node.filter(|_| !is_file) {
            let message = format!("`{key}` belongs to a file: name one in `to`");
            reader.faults().add(&node.span, message);
        }
    }
    let record = reader.optional("record");
    let record = reader.parsed(record).unwrap_or_default();
    let key = reader.optional("key");
    let key = reader.parsed::<SecretRef>(key);
    reader.finish();
    draft.policy.events = EventSettings {
        to: to.unwrap_or_default(),
        rotate: rotate.unwrap_or(defaults.rotate),
        keep: keep.and_then(NonZeroU8::new).unwrap_or(defaults.keep),
        record,
        key,
    };
}
