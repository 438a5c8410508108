//! `Passes`: how the result of a guard tells that it let the request pass.

use std::str::FromStr;

use crate::guard_symbol::is_identifier;
use crate::malformed::quoted;
use crate::policy_file::is_empty_list;
use crate::table_reader::TableReader;
use crate::{GuardUse, Malformed};

/// How the result of a guard tells that it let the request pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Passes {
    /// It comes back at all: on failure it throws, or answers the request itself.
    Returns,
    /// Its result is true, not null, not empty: the caller of the guard has to test it.
    Truthy,
    /// Its result is false, null or empty, for example an error that is not there.
    Falsy,
    /// Fields of its result, each of which tells by itself. Not both are empty.
    Fields {
        /// Set only when it passed, for example `userId`.
        present: Vec<String>,
        /// Set whenever it did not, for example `error`.
        absent: Vec<String>,
    },
}

/// The ways that are one word.
impl FromStr for Passes {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "returns" => Ok(Self::Returns),
            "truthy" => Ok(Self::Truthy),
            "falsy" => Ok(Self::Falsy),
            _ => Err(Malformed::unknown_word(
                "value of `passes`",
                text,
                &["returns", "truthy", "falsy"],
            )),
        }
    }
}

/// A field of a result.
#[derive(Debug, PartialEq, Eq)]
struct Field(String);

impl FromStr for Field {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.split('.').all(is_identifier) {
            return Ok(Self(text.to_owned()));
        }
        Err(Malformed::whole(
            text,
            format!("{} is no field", quoted(text)),
        ))
    }
}

/// A middleware and a wrapper pass by going on to the handler. Of a call nothing is assumed: a guard believed to throw
/// which only returns `null` would make every route that calls it look guarded.
pub(crate) fn read_passes(
    reader: &mut TableReader<'_, '_>,
    used_as: Option<GuardUse>,
) -> Option<Passes> {
    let word_node = reader.optional("passes");
    let word = reader.parsed::<Passes>(word_node);
    let present_node = reader.optional("passes_fields");
    let present = reader.list::<Field>(present_node, false);
    let absent_node = reader.optional("fails_fields");
    let absent = reader.list::<Field>(absent_node, false);
    for node in [present_node, absent_node].into_iter().flatten() {
        if is_empty_list(node) {
            reader
                .faults()
                .add(&node.span, "this names one field at least");
        }
    }
    if let (Some(_), Some(node)) = (word_node, present_node.or(absent_node)) {
        let message = "`passes` and fields are two ways to say it: keep one";
        reader.faults().add(&node.span, message);
        return None;
    }
    if present_node.is_some() || absent_node.is_some() {
        let names = |fields: Option<Vec<Field>>| -> Vec<String> {
            fields
                .unwrap_or_default()
                .into_iter()
                .map(|field| field.0)
                .collect()
        };
        let (present, absent) = (names(present), names(absent));
        return (!present.is_empty() || !absent.is_empty())
            .then_some(Passes::Fields { present, absent });
    }
    if word_node.is_none() {
        return match used_as? {
            GuardUse::Middleware | GuardUse::Wrapper { .. } => Some(Passes::Returns),
            GuardUse::Call => {
                let span = reader.span().clone();
                let message = "a guard that is called needs `passes`, `passes_fields` or `fails_fields`: how does its result tell?";
                reader.faults().add(&span, message);
                None
            }
        };
    }
    word
}
