//! `Guard`: one `[[guard]]`, which tells the audit what a function of the user's own code checks.

use std::str::FromStr;

use crate::bounds::ENTRIES_MAX;
use crate::faults::{Faults, Place};
use crate::form::{Form, Kind, may, need};
use crate::node::{Node, Table};
use crate::passes::read_passes;
use crate::policy_file::{Draft, is_empty_list, tables};
use crate::table_reader::TableReader;
use crate::word::words;
use crate::{Control, GuardSymbol, Malformed, Meaning, Passes};

/// The number of arguments that a wrapper can have.
const HANDLER_END: i64 = 16;

/// How a guard is put before a handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuardUse {
    /// Called in the handler.
    Call,
    /// Listed before the handler, or for a group of routes.
    Middleware,
    /// Called with the handler, and its result is the handler: `withAuth(handler)`.
    Wrapper {
        /// Which argument is the handler, from 0.
        handler: u8,
    },
}

/// A wrapper's handler is its first argument, unless `handler` says otherwise.
impl FromStr for GuardUse {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "call" => Ok(Self::Call),
            "middleware" => Ok(Self::Middleware),
            "wrapper" => Ok(Self::Wrapper { handler: 0 }),
            _ => Err(Malformed::unknown_word(
                "use",
                text,
                &["call", "middleware", "wrapper"],
            )),
        }
    }
}

/// What a guard hands on when it passed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GuardResult {
    /// The caller, so that a filter by its id is ownership.
    Caller,
    /// Nothing that matters.
    #[default]
    None,
}

words!(GuardResult, "result", { Caller => "caller", None => "none" });

/// A function of the user's code and what it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    /// Which function.
    pub symbol: GuardSymbol,
    /// What it makes sure of; never empty.
    pub means: Vec<Meaning>,
    /// How its result tells.
    pub passes: Passes,
    /// How it is used.
    pub used_as: GuardUse,
    /// What it hands on.
    pub result: GuardResult,
    /// Why it is believed.
    pub reason: Option<String>,
    /// Where it is written.
    pub place: Place,
}

impl Guard {
    /// Whether it enforces a control.
    #[must_use]
    pub fn enforces(&self, control: Control) -> bool {
        self.means
            .iter()
            .any(|meaning| meaning.control() == control)
    }
}

pub(crate) const FORM: Form = Form::new(
    "What one of your own functions checks, where the audit cannot see it in the code.",
    &[
        need(
            "symbol",
            Kind::Pattern("^[^#]+#[^#]+$"),
            "`MODULE#EXPORT`, as the code imports it or from the root of the project.",
        ),
        need(
            "means",
            Kind::OneOrSome(&Kind::Words(Meaning::WORDS)),
            "What it makes sure of.",
        ),
        may(
            "as",
            Kind::Words(&["call", "middleware", "wrapper"]),
            "How it is used: called in the handler, before it, or around it.",
        )
        .or("\"call\""),
        may(
            "handler",
            Kind::Count(0, HANDLER_END - 1),
            "Which argument of a wrapper is the handler.",
        )
        .or("0"),
        may(
            "passes",
            Kind::Words(&["returns", "truthy", "falsy"]),
            "How its result tells that it passed. Of a `call` this or the fields are required; else it is `returns`.",
        ),
        may(
            "passes_fields",
            Kind::Some(&Kind::Prose),
            "Fields of its result that are set only when it passed.",
        ),
        may(
            "fails_fields",
            Kind::Some(&Kind::Prose),
            "Fields of its result that are set whenever it did not pass.",
        ),
        may(
            "result",
            Kind::Words(GuardResult::WORDS),
            "What it hands on: `caller`, so that a filter by its id is ownership, or nothing.",
        )
        .or("\"none\""),
        may("reason", Kind::Prose, "Why it is believed."),
    ],
)
.with_rules(&[
    r#"{ "if": { "anyOf": [{ "not": { "required": ["as"] } }, { "properties": { "as": { "const": "call" } } }] }, "then": { "anyOf": [{ "required": ["passes"] }, { "required": ["passes_fields"] }, { "required": ["fails_fields"] }] } }"#,
    r#"{ "if": { "required": ["passes"] }, "then": { "properties": { "passes_fields": false, "fails_fields": false } } }"#,
    r#"{ "if": { "required": ["handler"] }, "then": { "required": ["as"], "properties": { "as": { "const": "wrapper" } } } }"#,
]);

/// Reads `[[guard]]`.
pub(crate) fn read(node: &Node, draft: &mut Draft, faults: &mut Faults<'_>) {
    for table in tables(node, "guard", ENTRIES_MAX, faults) {
        let Some(guard) = read_one(table, faults) else {
            continue;
        };
        let twin = draft
            .policy
            .guards
            .iter()
            .find(|one| one.symbol == guard.symbol);
        if let Some(twin) = twin {
            let message = format!(
                "`{}` is already described by the guard at line {}",
                guard.symbol, twin.place.line
            );
            faults.add(&guard.place.span, message);
        }
        draft.policy.guards.push(guard);
    }
}

fn read_one(table: &Table, faults: &mut Faults<'_>) -> Option<Guard> {
    let place = faults.place(&table.span);
    let mut reader = TableReader::new(table, "a guard", faults);
    let symbol = reader.required("symbol");
    let symbol = reader.parsed::<GuardSymbol>(symbol);
    let means_node = reader.required("means");
    let means = reader.list::<Meaning>(means_node, true);
    if let Some(node) = means_node.filter(|node| is_empty_list(node)) {
        let message = "a guard means something: leave the entry out if it does not";
        reader.faults().add(&node.span, message);
    }
    let used_as = read_use(&mut reader);
    let passes = read_passes(&mut reader, used_as);
    let result = reader.optional("result");
    let result = reader.parsed::<GuardResult>(result).unwrap_or_default();
    let reason = reader.optional("reason");
    let reason = reader.prose(reason);
    reader.finish();
    Some(Guard {
        symbol: symbol?,
        means: means.filter(|means| !means.is_empty())?,
        passes: passes?,
        used_as: used_as?,
        result,
        reason,
        place,
    })
}

fn read_use(reader: &mut TableReader<'_, '_>) -> Option<GuardUse> {
    let used_as = match reader.optional("as") {
        None => Some(GuardUse::Call),
        node => reader.parsed::<GuardUse>(node),
    };
    let handler_node = reader.optional("handler");
    let handler = reader
        .integer(handler_node, 0..HANDLER_END)
        .and_then(|index| u8::try_from(index).ok())
        .unwrap_or_default();
    match (used_as?, handler_node) {
        (GuardUse::Wrapper { .. }, _) => Some(GuardUse::Wrapper { handler }),
        (other, None) => Some(other),
        (other, Some(node)) => {
            let message = "`handler` belongs to `as = \"wrapper\"`";
            reader.faults().add(&node.span, message);
            Some(other)
        }
    }
}
