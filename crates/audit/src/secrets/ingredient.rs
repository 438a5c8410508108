//! What a value is made from, down to where its parts come from.

use portcullis_code::value::{CallId, Value, ValueId, Values};
use rustc_hash::FxHashSet;

use super::name::{Named, last_name, named};
use crate::{
    knowledge::{Knowledge, Known},
    library::{DeriveKind, HashKind, Meaning},
    origin::{OriginFinder, Origins},
    parts::each_part,
};

/// Most values that are looked at.
const VALUES_MAX: usize = 300;

/// What a value is made from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ingredients {
    /// Calls of generators whose numbers can be guessed.
    pub(crate) guessable: Vec<CallId>,
    /// Calls of generators whose numbers cannot.
    pub(crate) random: Vec<CallId>,
    /// Readings of the clock.
    pub(crate) time: Vec<CallId>,
    /// Fast hashes.
    pub(crate) hashes: Vec<CallId>,
    /// What the client sent, a row or who calls says, and is no secret.
    pub(crate) known: Vec<ValueId>,
    /// A key, a secret, another token, or something that is not known.
    pub(crate) other: bool,
}

impl Ingredients {
    /// Of a value.
    pub(crate) fn of(
        values: &Values,
        knowledge: &Knowledge<'_>,
        origins: &OriginFinder<'_, '_>,
        value: ValueId,
    ) -> Self {
        let mut found = Self::default();
        let mut seen = FxHashSet::default();
        let mut open = vec![value];
        while let Some(at) = open.pop() {
            if seen.len() >= VALUES_MAX {
                found.other = true;
                break;
            }
            if seen.insert(at) {
                found.look(values, knowledge, origins, at, &mut open);
            }
        }
        found
    }

    fn look(
        &mut self,
        values: &Values,
        knowledge: &Knowledge<'_>,
        origins: &OriginFinder<'_, '_>,
        at: ValueId,
        open: &mut Vec<ValueId>,
    ) {
        match values.value(at) {
            Value::Call(call) => {
                let rows = knowledge.of_call(values, *call);
                self.call(values, origins, *call, &rows, at, open);
            }
            Value::Member(..) | Value::Index(..) | Value::Element(_) => {
                if let Value::Index(base, index) = values.value(at)
                    && !is_of_request(values, *base)
                {
                    // A letter of an alphabet: by which number decides.
                    open.extend([*base, *index]);
                    return;
                }
                let from = origins.of(values, at);
                let secret = last_name(values, at).is_some_and(|name| {
                    matches!(named(&name), Some(Named::Secret | Named::Password))
                });
                let told = Origins::CHOSEN
                    .and(Origins::ROW)
                    .and(Origins::CALLER)
                    .and(Origins::IP);
                let vague = Origins::ENVIRONMENT
                    .and(Origins::CALL)
                    .and(Origins::UNKNOWN)
                    .and(Origins::HMAC)
                    .and(Origins::RANDOM);
                if from.any(told) && !from.any(vague) && !secret {
                    self.known.push(at);
                } else if from == Origins::NONE && matches!(values.value(at), Value::Member(..)) {
                    each_part(values, at, |part| open.push(part));
                } else {
                    self.other = true;
                }
            }
            Value::Input(_) | Value::Unknown(_) | Value::Caught(_) | Value::Handed(..) => {
                self.other = true;
            }
            _ => each_part(values, at, |part| open.push(part)),
        }
    }

    fn call(
        &mut self,
        values: &Values,
        origins: &OriginFinder<'_, '_>,
        call: CallId,
        rows: &[Known<'_>],
        at: ValueId,
        open: &mut Vec<ValueId>,
    ) {
        let data = values.call(call);
        for known in rows {
            match &known.row.meaning {
                Meaning::Derive(derive) => match derive.kind {
                    DeriveKind::Random => return self.random.push(call),
                    DeriveKind::WeakRandom => return self.guessable.push(call),
                    DeriveKind::Hmac | DeriveKind::Environment => {
                        self.other = true;
                        return;
                    }
                    _ => {}
                },
                Meaning::Hash(hash) if hash.kind == HashKind::Fast => self.hashes.push(call),
                Meaning::Db(_) => {
                    self.known.push(at);
                    return;
                }
                Meaning::IssueToken(_) | Meaning::Hash(_) => {
                    self.other = true;
                    return;
                }
                _ => {}
            }
        }
        if is_clock(values, call) {
            self.time.push(call);
            return;
        }
        if let Value::Member(base, _) = values.value(data.callee)
            && is_of_request(values, *base)
        {
            let from = origins.of(values, at);
            if from.any(Origins::CHOSEN) && last_name(values, at).is_some() {
                self.known.push(at);
            } else {
                self.other = true;
            }
            return;
        }
        // A project function that was not entered, or a package's of which nothing is known, may add anything.
        let plain = match values.value(data.callee) {
            Value::Member(..) | Value::Index(..) | Value::Global(_) => true,
            _ => !rows.is_empty(),
        };
        if !plain || rows.is_empty() && is_of_package(values, data.callee) {
            self.other = true;
            return;
        }
        match values.value(data.callee) {
            Value::Member(base, _) | Value::Index(base, _) => open.push(*base),
            Value::Call(_) => open.push(data.callee),
            _ => {}
        }
        open.extend(data.args.iter().map(|arg| arg.0));
    }
}

/// `Date.now()`, `new Date()`, `performance.now()`.
fn is_clock(values: &Values, call: CallId) -> bool {
    let data = values.call(call);
    match values.value(data.callee) {
        Value::Global(name) => name == "Date" && data.args.is_empty(),
        Value::Member(base, name) => {
            *name == "now"
                && matches!(values.value(*base), Value::Global(global)
                    if matches!(global.as_str(), "Date" | "performance"))
        }
        _ => false,
    }
}

/// Whether a value is the request, or what it holds.
fn is_of_request(values: &Values, value: ValueId) -> bool {
    crate::parts::wholes_of(values, value)
        .take(12)
        .any(|whole| matches!(values.value(whole), Value::Input(_)))
}

fn is_of_package(values: &Values, callee: ValueId) -> bool {
    crate::parts::wholes_of(values, callee)
        .take(12)
        .any(|whole| matches!(values.value(whole), Value::External(..)))
}
