//! Whether who is refused is decided by the address that a request comes from: a list of a service's machines.

use portcullis_code::value::{Fact, Value, ValueId};

use super::{Judgement, Judging};
use crate::{
    origin::Origins,
    parts::{headers_of, is_address_header},
};

/// How many choices and computations lead from a test to what compares the address, at most.
const DEPTH_MAX: u32 = 6;

impl Judging<'_, '_, '_, '_> {
    /// Whether there is an answer that refuses, by the last test before it, because the address is not one of some. One that is on
    /// no such list may be let in elsewhere; too many requests from one address (429) are another question.
    pub(super) fn is_by_address(&self, judgement: &Judgement) -> bool {
        let values = &self.machine.values;
        judgement
            .responses
            .iter()
            .filter(|response| response.refuses() && response.status != Some(429))
            .any(|response| {
                let last = values.facts(response.facts).find_map(|fact| match fact {
                    Fact::Test(tested, truth) => Some((tested, truth)),
                    Fact::Returned(_) | Fact::Caught(_) | Fact::OneOf(_) => None,
                });
                last.is_some_and(|(tested, truth)| self.is_none_of(tested, truth, 0))
            })
    }

    /// Whether a test that came out as `truth` says that the address is not what the code has: `list.includes(ip)`,
    /// `ip === known`, `inRange(ip, range)`. Where it is, somebody is kept out who may come from another one.
    fn is_none_of(&self, tested: ValueId, truth: bool, depth: u32) -> bool {
        let values = &self.machine.values;
        if depth > DEPTH_MAX {
            return false;
        }
        match values.value(tested) {
            Value::Not(inner) => self.is_none_of(*inner, !truth, depth + 1),
            Value::Derived(parts) => parts
                .iter()
                .any(|part| self.is_none_of(*part, truth, depth + 1)),
            Value::Choice(alternatives) => alternatives
                .iter()
                .any(|each| self.is_none_of(each.value, truth, depth + 1)),
            Value::Binary(_, a, b) if !truth => [(*a, *b), (*b, *a)]
                .into_iter()
                .any(|(one, other)| self.is_address(one) && self.is_ours(other)),
            Value::Call(call) if !truth => {
                let data = values.call(*call);
                let told = data.args.iter().any(|arg| self.is_address(arg.0));
                let list = match values.value(data.callee) {
                    Value::Member(list, _) => self.is_ours(*list),
                    _ => data.args.len() > 1,
                };
                told && list && self.bench.knowledge.of_call(values, *call).is_empty()
            }
            _ => false,
        }
    }

    fn is_address(&self, value: ValueId) -> bool {
        let origins = self.origins(value);
        origins.any(Origins::IP)
            || origins.any(Origins::HEADER)
                && headers_of(&self.machine.values, value)
                    .iter()
                    .any(|name| is_address_header(name))
    }

    /// Whether the client has no part in a value, which is more than that there is none.
    fn is_ours(&self, value: ValueId) -> bool {
        let sent = Origins::CHOSEN
            .and(Origins::HEADER)
            .and(Origins::COOKIE)
            .and(Origins::IP)
            .and(Origins::REQUEST);
        let known = self.machine.values.as_const(value);
        !self.origins(value).any(sent) && known.is_none_or(|known| known.as_str().is_some())
    }
}
