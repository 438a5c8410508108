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
                    Fact::Test(tested, _) => Some(tested),
                    Fact::Returned(_) | Fact::Caught(_) | Fact::OneOf(_) => None,
                });
                last.is_some_and(|tested| self.compares_address(tested, 0))
            })
    }

    /// Whether a test compares the address with what the code has: `list.includes(ip)`, `ip === known`, `inRange(ip, range)`.
    fn compares_address(&self, tested: ValueId, depth: u32) -> bool {
        let values = &self.machine.values;
        if depth > DEPTH_MAX {
            return false;
        }
        match values.value(tested) {
            Value::Not(inner) => self.compares_address(*inner, depth + 1),
            Value::Derived(parts) => parts
                .iter()
                .any(|part| self.compares_address(*part, depth + 1)),
            Value::Choice(alternatives) => alternatives
                .iter()
                .any(|each| self.compares_address(each.value, depth + 1)),
            Value::Binary(_, a, b) => [(*a, *b), (*b, *a)]
                .into_iter()
                .any(|(one, other)| self.is_address(one) && self.is_ours(other)),
            Value::Call(call) => {
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
