//! What the length of a filtered list says of its elements.

use super::{Value, ValueId, Values};
use crate::body::{BinaryOp, Const};

impl Values {
    /// A list of which only those elements are left for which a test holds, and that test.
    fn kept_of_length(&self, length: ValueId) -> Option<(ValueId, ValueId)> {
        let Value::Member(list, name) = *self.value(length) else {
            return None;
        };
        match *self.value(list) {
            Value::Kept(whole, test) if name == "length" => Some((whole, test)),
            _ => None,
        }
    }

    /// What it says of the test of a filter that a question about the length of what is left came out as `truth`:
    /// `rows.filter(test).length > 0`. As with `some`, what holds of one element is not told apart from what holds of each.
    pub(super) fn implied_by_length(&self, asked: ValueId, truth: bool) -> Option<(ValueId, bool)> {
        let number = |value: ValueId| match self.as_const(value) {
            Some(Const::Num(bits)) => Some(f64::from_bits(bits)),
            _ => None,
        };
        match *self.value(asked) {
            Value::Member(..) => self.kept_of_length(asked).map(|(_, test)| (test, truth)),
            // `0 < length`, `length > 0`, `length >= 1`
            Value::Binary(BinaryOp::Greater, length, than)
            | Value::Binary(BinaryOp::Less, than, length)
                if number(than) == Some(0.0) =>
            {
                self.kept_of_length(length).map(|(_, test)| (test, truth))
            }
            Value::Binary(BinaryOp::GreaterEqual, length, than)
            | Value::Binary(BinaryOp::LessEqual, than, length)
                if number(than) == Some(1.0) =>
            {
                self.kept_of_length(length).map(|(_, test)| (test, truth))
            }
            Value::Binary(BinaryOp::Equal, left, right) => {
                [(left, right), (right, left)]
                    .into_iter()
                    .find_map(|(length, other)| {
                        let (whole, test) = self.kept_of_length(length)?;
                        if number(other) == Some(0.0) {
                            return Some((test, !truth));
                        }
                        // As many as there were: it holds of each.
                        let all = matches!(*self.value(other), Value::Member(list, name)
                        if name == "length" && list == whole);
                        (all && truth).then_some((test, true))
                    })
            }
            _ => None,
        }
    }
}
