//! What an answer shows: the values that its body is put together from, each with what holds where it is shown.

use portcullis_code::{
    body::BinaryOp,
    value::{CallId, Entry, Fact, FactsId, Value, ValueId, Values},
};
use ustr::Ustr;

use crate::{
    knowledge::Knowledge,
    library::{DeriveKind, Meaning},
};

/// Deepest nesting that is followed.
const DEPTH_MAX: u32 = 12;
/// Most values that are kept of one body.
const VALUES_MAX: usize = 400;

/// A value that is shown.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The value: something that the code did not put together itself.
    pub value: ValueId,
    /// What holds besides the facts of the answer, one set for each choice on the way.
    pub facts: Vec<FactsId>,
    /// Where all of its members are spread: those that something else stands for.
    pub replaced: Vec<Ustr>,
}

impl Shown {
    /// Everything that holds where it is shown, given what holds at the answer.
    pub fn known<'v>(
        &'v self,
        values: &'v Values,
        answer: FactsId,
    ) -> impl Iterator<Item = Fact> + 'v {
        std::iter::once(answer)
            .chain(self.facts.iter().copied())
            .flat_map(|facts| values.facts(facts))
    }
}

/// The values that a body is put together from: members of objects, elements, parts of texts, either side of a choice,
/// what is only converted.
#[must_use]
pub fn shown(values: &Values, knowledge: &Knowledge<'_>, body: ValueId) -> Vec<Shown> {
    let mut walk = Walk {
        values,
        knowledge,
        facts: Vec::new(),
        replaced: Vec::new(),
        found: Vec::new(),
    };
    walk.follow(body, 0);
    walk.found
}

struct Walk<'w, 'p> {
    values: &'w Values,
    knowledge: &'w Knowledge<'p>,
    facts: Vec<FactsId>,
    replaced: Vec<Ustr>,
    found: Vec<Shown>,
}

impl Walk<'_, '_> {
    fn follow(&mut self, value: ValueId, depth: u32) {
        if depth > DEPTH_MAX || self.found.len() >= VALUES_MAX {
            return;
        }
        match self.values.value(value) {
            Value::Const(_) | Value::Function { .. } | Value::Class { .. } => {}
            Value::Promise(inner) => self.follow(*inner, depth),
            Value::Object(object) | Value::Array(object) => {
                self.entries(&self.values.object(*object).entries, depth);
            }
            Value::Template(parts) | Value::Derived(parts) => {
                for part in parts.iter() {
                    self.follow(*part, depth + 1);
                }
            }
            Value::Binary(BinaryOp::Add, left, right) => {
                self.follow(*left, depth + 1);
                self.follow(*right, depth + 1);
            }
            Value::Choice(alternatives) => {
                for each in alternatives.iter() {
                    // What is falsy shows nothing of what it might be.
                    if self.values.truth(each.facts, each.value) == Some(false) {
                        continue;
                    }
                    self.facts.push(each.facts);
                    self.follow(each.value, depth + 1);
                    self.facts.pop();
                }
            }
            Value::Call(call) => match self.converted(*call) {
                Some(args) => {
                    for arg in args {
                        self.follow(arg, depth + 1);
                    }
                }
                None => self.found.push(self.at(value)),
            },
            _ => self.found.push(self.at(value)),
        }
    }

    fn entries(&mut self, entries: &[Entry], depth: u32) {
        let before = std::mem::take(&mut self.replaced);
        for (number, entry) in entries.iter().enumerate() {
            match entry {
                // `{ ...row, password: undefined }`: what stands after a spread stands for its member.
                Entry::Spread(inner) => {
                    self.replaced.clone_from(&before);
                    self.replaced
                        .extend(
                            entries
                                .iter()
                                .skip(number + 1)
                                .filter_map(|later| match later {
                                    Entry::Named(name, _) => Some(*name),
                                    _ => None,
                                }),
                        );
                    self.follow(*inner, depth + 1);
                    self.replaced.clear();
                }
                Entry::Named(_, inner)
                | Entry::Computed(_, inner)
                | Entry::Item(inner)
                | Entry::Each(inner) => self.follow(*inner, depth + 1),
            }
        }
        self.replaced = before;
    }

    fn at(&self, value: ValueId) -> Shown {
        Shown {
            value,
            facts: self.facts.clone(),
            replaced: self.replaced.clone(),
        }
    }

    /// What a call only gives another form.
    fn converted(&self, call: CallId) -> Option<Vec<ValueId>> {
        let data = self.values.call(call);
        let args = || data.args.iter().map(|arg| arg.0).collect();
        if let Value::Member(base, name) = self.values.value(data.callee)
            && let Value::Global(global) = self.values.value(*base)
        {
            let first = || data.args.first().map(|arg| vec![arg.0]);
            return match (global.as_str(), name.as_str()) {
                ("JSON", "stringify") => first(),
                ("Object", "assign") => Some(args()),
                ("Promise", _) => first(),
                _ => None,
            };
        }
        let converts = self.knowledge.of_call(self.values, call).iter().any(|known| {
            matches!(&known.row.meaning, Meaning::Derive(derive) if matches!(derive.kind, DeriveKind::Convert | DeriveKind::Merge))
        });
        converts.then(args)
    }
}
