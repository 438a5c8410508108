//! What lies under a value: the calls and members that lead to it.

use portcullis_code::value::{CallId, Value, ValueId, Values};
use ustr::Ustr;

use crate::library::Step;

/// The opaque calls that a value is a part of the result of, each with the way from the result to the value.
#[must_use]
pub fn calls_under(values: &Values, value: ValueId) -> Vec<(CallId, Vec<Step>)> {
    let mut found = Vec::new();
    let mut steps: Vec<Step> = Vec::new();
    let mut at = value;
    for _ in 0..16 {
        match values.value(at) {
            Value::Member(base, name) => {
                steps.push(Step::Name(name.as_str().into()));
                at = *base;
            }
            Value::Index(base, _) | Value::Element(base) => {
                steps.push(Step::Index);
                at = *base;
            }
            Value::Promise(base) | Value::Rest(base, _) | Value::Kept(base, _) => at = *base,
            Value::Call(call) => {
                found.push((*call, steps.iter().rev().cloned().collect()));
                steps.push(Step::Call);
                at = values.call(*call).callee;
            }
            _ => break,
        }
    }
    found
}

/// A value without its members, and their names.
#[must_use]
pub fn members_under(values: &Values, value: ValueId) -> (ValueId, Vec<Ustr>) {
    let mut path = Vec::new();
    let mut at = value;
    for _ in 0..16 {
        match values.value(at) {
            Value::Member(base, name) => {
                path.push(*name);
                at = *base;
            }
            Value::Promise(base) => at = *base,
            _ => break,
        }
    }
    path.reverse();
    (at, path)
}
