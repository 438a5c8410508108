//! What a call of a fast hash is given, however it is told: at once, or by `update`.

use portcullis_code::{
    machine::{Event, EventKind},
    value::{CallId, Value, ValueId, Values},
};

use crate::{
    knowledge::{Knowledge, Known},
    library::{DeriveKind, HashKind, Meaning},
};

/// A digest that is computed.
#[derive(Clone, Debug)]
pub(crate) struct Hashed {
    /// The call that gives the digest.
    pub(crate) call: CallId,
    /// The algorithm, in lower case and without dashes, where the code says it.
    pub(crate) algorithm: Option<String>,
    /// What is hashed.
    pub(crate) inputs: Vec<ValueId>,
}

impl Hashed {
    /// Whether collisions of the algorithm are known.
    pub(crate) fn is_broken(&self) -> bool {
        matches!(
            self.algorithm.as_deref(),
            Some("md4" | "md5" | "sha1" | "sha" | "rsamd5" | "rsasha1")
        )
    }

    /// The algorithm's name in a message.
    pub(crate) fn name(&self) -> &str {
        self.algorithm.as_deref().unwrap_or("a fast hash")
    }
}

/// The digest that a call gives, if it does.
pub(crate) fn hashed(
    values: &Values,
    knowledge: &Knowledge<'_>,
    events: &[Event],
    call: CallId,
) -> Option<Hashed> {
    knowledge
        .of_call(values, call)
        .iter()
        .find_map(|known| by_row(values, knowledge, events, call, known))
}

fn by_row(
    values: &Values,
    knowledge: &Knowledge<'_>,
    events: &[Event],
    call: CallId,
    known: &Known<'_>,
) -> Option<Hashed> {
    let data = values.call(call);
    let first = data.args.first().map(|arg| arg.0);
    let second = data.args.get(1).map(|arg| arg.0);
    match &known.row.meaning {
        Meaning::Hash(hash) if hash.kind == HashKind::Fast => {
            if let Some(place) = &hash.subject {
                return Some(Hashed {
                    call,
                    algorithm: hash.algorithm.as_deref().map(str::to_owned),
                    inputs: knowledge.places(values, known, place),
                });
            }
            let made = known.calls.last().copied()?;
            if made == call {
                // `hash("md5", text)`; `createHash("md5")` alone is no digest yet.
                return Some(Hashed {
                    call,
                    algorithm: first.and_then(|name| algorithm(values, name)),
                    inputs: vec![second.filter(|_| is_called(values, call, "hash"))?],
                });
            }
            let name = values.call(made).args.first().map(|arg| arg.0);
            let between = known.calls.iter().filter(|at| **at != call && **at != made);
            let mut inputs: Vec<ValueId> = between
                .filter_map(|at| values.call(*at).args.first())
                .map(|arg| arg.0)
                .collect();
            inputs.extend(updates(values, events, made));
            Some(Hashed {
                call,
                algorithm: name.and_then(|name| algorithm(values, name)),
                inputs,
            })
        }
        // `crypto.subtle.digest("SHA-1", bytes)`.
        Meaning::Derive(derive) if derive.kind == DeriveKind::Digest => Some(Hashed {
            call,
            algorithm: first.and_then(|name| algorithm(values, name)),
            inputs: vec![second.filter(|_| is_called(values, call, "digest"))?],
        }),
        _ => None,
    }
}

fn is_called(values: &Values, call: CallId, wanted: &str) -> bool {
    match values.value(values.call(call).callee) {
        Value::Member(_, name) | Value::External(_, name) => *name == wanted,
        _ => false,
    }
}

fn algorithm(values: &Values, name: ValueId) -> Option<String> {
    let text = values.as_text(name)?;
    let kept = text.chars().filter(|c| c.is_ascii_alphanumeric());
    Some(kept.collect::<String>().to_lowercase())
}

/// What is handed to a hash that is told in several statements.
fn updates(values: &Values, events: &[Event], made: CallId) -> Vec<ValueId> {
    events
        .iter()
        .filter_map(|event| {
            let EventKind::Call(call) = event.kind else {
                return None;
            };
            let data = values.call(call);
            let Value::Member(base, name) = values.value(data.callee) else {
                return None;
            };
            let on = matches!(values.value(*base), Value::Call(on) if *on == made);
            (on && *name == "update").then(|| data.args.first().map(|arg| arg.0))?
        })
        .collect()
}
