//! `Effect`: what the route does outside.

use portcullis_code::{
    machine::EventKind,
    value::{CallId, FactsId, Value, ValueId},
};

use super::Judging;
use crate::{
    library::{EffectKind, Meaning, Usage},
    route::Site,
};

/// Something outside that happens, with what is proved where it does.
#[derive(Clone, Debug)]
pub struct Effect {
    /// What.
    pub kind: EffectKind,
    /// The call.
    pub call: CallId,
    /// What holds then.
    pub facts: FactsId,
    /// Where.
    pub site: Site,
    /// Whether who calls is known.
    pub identified: bool,
    /// What goes into it: its arguments, what its row calls data, and what its receiver was made with and given.
    pub inputs: Vec<ValueId>,
}

impl Judging<'_, '_, '_, '_> {
    pub(super) fn effects(&self) -> Vec<Effect> {
        let mut found = Vec::new();
        for event in self.events {
            let EventKind::Call(call) = event.kind else {
                continue;
            };
            for known in self.bench.knowledge.of_call(&self.machine.values, call) {
                let (kind, data) = match &known.row.meaning {
                    Meaning::Effect(effect) if known.row.usage == Usage::Plain => {
                        (effect.kind, effect.data.as_ref())
                    }
                    Meaning::Account(_) if known.row.usage == Usage::Plain => {
                        (EffectKind::Accounts, None)
                    }
                    _ => continue,
                };
                let mut inputs = self.given_to(call);
                if let Some(data) = data {
                    inputs.extend(
                        self.bench
                            .knowledge
                            .places(&self.machine.values, &known, data),
                    );
                }
                let site = Site {
                    module: event.module,
                    span: event.span,
                };
                found.push(Effect {
                    kind,
                    call,
                    facts: event.facts,
                    site,
                    identified: self.identified(event.facts),
                    inputs,
                });
                break;
            }
        }
        found
    }

    /// What a call is given: its arguments, and those of the calls on the same receiver before (`token.addGrant(..)`).
    fn given_to(&self, call: CallId) -> Vec<ValueId> {
        let values = &self.machine.values;
        let receiver = |call: CallId| match values.value(values.call(call).callee) {
            Value::Member(base, _) => Some(*base),
            _ => None,
        };
        let mut inputs: Vec<ValueId> = values.call(call).args.iter().map(|arg| arg.0).collect();
        let Some(on) = receiver(call).filter(|on| matches!(values.value(*on), Value::Call(_)))
        else {
            return inputs;
        };
        for event in self.events {
            match event.kind {
                EventKind::Call(other) if other == call => break,
                EventKind::Call(other) if receiver(other) == Some(on) => {
                    inputs.extend(values.call(other).args.iter().map(|arg| arg.0));
                }
                _ => {}
            }
        }
        inputs
    }
}
