//! `Guard`: one `[[guard]]`, which tells the audit what a function of the user's own code checks.

use std::str::FromStr;

use crate::bounds::ENTRIES_MAX;
use crate::faults::{Faults, Place};
use crate::guard_symbol::is_identifier;
use crate::malformed::quoted;
use crate::node::{Node, Table};
use crate::policy_file::{Draft, is_empty_list, tables};
use crate::table_reader::TableReader;
use crate::word::words;
use crate::{Control, GuardSymbol, Malformed};

/// What a guard makes sure of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Meaning {
    /// The caller is known.
    Authentication,
    /// The caller has a role.
    Role,
    /// The caller has a permission.
    Permission,
    /// The object belongs to the caller.
    Ownership,
    /// The object belongs to the caller's tenant.
    Tenant,
    /// Requests are counted and capped.
    RateLimit,
    /// The request comes from the application's own pages.
    Csrf,
    /// The message is signed.
    Signature,
    /// The input fits a schema.
    Validation,
}

words!(Meaning, "meaning", {
    Authentication => "authentication",
    Role => "role",
    Permission => "permission",
    Ownership => "ownership",
    Tenant => "tenant",
    RateLimit => "rate_limit",
    Csrf => "csrf",
    Signature => "signature",
    Validation => "validation",
});

impl Meaning {
    /// The control that the guard enforces.
    #[must_use]
    pub const fn control(self) -> Control {
        match self {
            Self::Authentication => Control::Authentication,
            Self::Role | Self::Permission => Control::Authorization,
            Self::Ownership => Control::Ownership,
            Self::Tenant => Control::Tenant,
            Self::RateLimit => Control::RateLimit,
            Self::Csrf => Control::Csrf,
            Self::Signature => Control::Signature,
            Self::Validation => Control::Validation,
        }
    }
}

/// How the result of a guard tells that it let the request pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Passes {
    /// It comes back at all: on failure it throws, or answers the request itself.
    Returns,
    /// Its result is true, not null, not empty: the caller of the guard has to test it.
    Truthy,
    /// Its result is false, null or empty, for example an error that is not there.
    Falsy,
    /// Fields of its result: all of `present` are set and none of `absent` is. Not both are empty.
    Fields {
        /// Set when it passed, for example `userId`.
        present: Vec<String>,
        /// Set when it did not, for example `error`.
        absent: Vec<String>,
    },
}

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
        self.means.iter().any(|meaning| meaning.control() == control)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PassesWord {
    Returns,
    Truthy,
    Falsy,
}

words!(PassesWord, "value of `passes`", { Returns => "returns", Truthy => "truthy", Falsy => "falsy" });

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum UseWord {
    Call,
    Middleware,
    Wrapper,
}

words!(UseWord, "use", { Call => "call", Middleware => "middleware", Wrapper => "wrapper" });

/// A field of a result.
#[derive(Debug, PartialEq, Eq)]
struct Field(String);

impl FromStr for Field {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.split('.').all(is_identifier) {
            return Ok(Self(text.to_owned()));
        }
        Err(Malformed::whole(text, format!("{} is no field", quoted(text))))
    }
}

/// Reads `[[guard]]`.
pub(crate) fn read(node: &Node, draft: &mut Draft, faults: &mut Faults<'_>) {
    for table in tables(node, "guard", ENTRIES_MAX, faults) {
        let Some(guard) = read_one(table, faults) else {
            continue;
        };
        let twin = draft.policy.guards.iter().find(|one| one.symbol == guard.symbol);
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
    let word = match reader.optional("as") {
        None => Some(UseWord::Call),
        node => reader.parsed::<UseWord>(node),
    };
    let handler_node = reader.optional("handler");
    let handler = reader
        .integer(handler_node, 0..16)
        .and_then(|index| u8::try_from(index).ok())
        .unwrap_or_default();
    if let Some(node) = handler_node
        && matches!(word, Some(UseWord::Call | UseWord::Middleware))
    {
        let message = "`handler` belongs to `as = \"wrapper\"`";
        reader.faults().add(&node.span, message);
    }
    Some(match word? {
        UseWord::Call => GuardUse::Call,
        UseWord::Middleware => GuardUse::Middleware,
        UseWord::Wrapper => GuardUse::Wrapper { handler },
    })
}

/// A middleware and a wrapper pass by going on to the handler. Of a call nothing is assumed: a guard believed to throw
/// which only returns `null` would make every route that calls it look guarded.
fn read_passes(reader: &mut TableReader<'_, '_>, used_as: Option<GuardUse>) -> Option<Passes> {
    let word_node = reader.optional("passes");
    let word = reader.parsed::<PassesWord>(word_node);
    let present_node = reader.optional("passes_fields");
    let present = reader.list::<Field>(present_node, false);
    let absent_node = reader.optional("fails_fields");
    let absent = reader.list::<Field>(absent_node, false);
    for node in [present_node, absent_node].into_iter().flatten() {
        if is_empty_list(node) {
            reader.faults().add(&node.span, "this names one field at least");
        }
    }
    if let (Some(_), Some(node)) = (word_node, present_node.or(absent_node)) {
        let message = "`passes` and fields are two ways to say it: keep one";
        reader.faults().add(&node.span, message);
        return None;
    }
    if present_node.is_some() || absent_node.is_some() {
        let names = |fields: Option<Vec<Field>>| -> Vec<String> {
            fields.unwrap_or_default().into_iter().map(|field| field.0).collect()
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
    Some(match word? {
        PassesWord::Returns => Passes::Returns,
        PassesWord::Truthy => Passes::Truthy,
        PassesWord::Falsy => Passes::Falsy,
    })
}
