//! Conditions: the tests that hold where something is registered, in words.

use portcullis_code::{
    body::{BinaryOp, Const},
    value::{Alternative, Fact, FactsId, NO_FACTS, Value, ValueId, Values},
};

/// Deepest nesting that is written out: `config.get().env == "production"`, not how the configuration is made.
const DEPTH_MAX: u32 = 5;

/// A test and how it came out.
pub(super) type Test = (ValueId, bool);

/// The tests that hold under the facts, the oldest first.
pub(super) fn tests(values: &Values, facts: FactsId) -> Vec<Test> {
    let mut tests: Vec<Test> = values
        .facts(facts)
        .filter_map(|fact| match fact {
            Fact::Test(value, truth) => Some((value, truth)),
            Fact::Returned(_) | Fact::Caught(_) | Fact::OneOf(_) => None,
        })
        .collect();
    tests.reverse();
    tests
}

/// A value that is there only when all tests hold: else it is undefined.
pub(super) fn only_when(values: &mut Values, tests: &[Test], value: ValueId) -> ValueId {
    let undefined = values.constant(Const::Undefined);
    let mut facts = NO_FACTS;
    let mut alternatives = Vec::with_capacity(tests.len() + 1);
    for &(test, truth) in tests {
        let otherwise = values.assume(facts, test, !truth);
        alternatives.push(Alternative {
            facts: otherwise,
            value: undefined,
        });
        facts = values.assume(facts, test, truth);
    }
    alternatives.insert(0, Alternative { facts, value });
    values.choice(alternatives)
}

/// Tests in words, those left out that only repeat a part of another.
pub(super) fn describe(values: &Values, tests: &[Test]) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for &(value, truth) in tests {
        let part_of_another = tests.iter().any(|&(other, _)| match values.value(other) {
            Value::Binary(_, left, right) => *left == value || *right == value,
            Value::Choice(alternatives) => alternatives.iter().any(|each| each.value == value),
            _ => false,
        });
        if part_of_another {
            continue;
        }
        let mut text = String::new();
        write(values, value, DEPTH_MAX, &mut text);
        let text = if truth {
            format!("only when `{text}`")
        } else {
            format!("unless `{text}`")
        };
        if !words.contains(&text) {
            words.push(text);
        }
    }
    words
}

/// Writes a value the way its source may have read.
pub(super) fn write(values: &Values, value: ValueId, depth: u32, text: &mut String) {
    let Some(depth) = depth.checked_sub(1) else {
        text.push('…');
        return;
    };
    let list = |parts: &[ValueId], between: &str, text: &mut String| {
        for (number, &part) in parts.iter().enumerate() {
            if number > 0 {
                text.push_str(between);
            }
            write(values, part, depth, text);
        }
    };
    match values.value(value) {
        Value::Const(Const::Str(constant)) => text.push_str(&format!("{:?}", constant.as_str())),
        Value::Const(Const::Num(bits)) => text.push_str(&f64::from_bits(*bits).to_string()),
        Value::Const(Const::Bool(truth)) => text.push_str(&truth.to_string()),
        Value::Const(Const::Null) => text.push_str("null"),
        Value::Const(Const::Undefined) => text.push_str("undefined"),
        Value::Const(Const::Regex(source, flags)) => text.push_str(&format!("/{source}/{flags}")),
        Value::Global(name) => text.push_str(name),
        Value::External(package, export) if export.is_empty() || export == "default" => {
            text.push_str(package);
        }
        Value::External(_, export) => text.push_str(export),
        Value::Member(base, name) => {
            list(&[*base], "", text);
            text.push('.');
            text.push_str(name);
        }
        Value::Index(base, index) => {
            list(&[*base], "", text);
            text.push('[');
            list(&[*index], "", text);
            text.push(']');
        }
        Value::Call(call) => {
            list(&[values.call(*call).callee], "", text);
            text.push_str("()");
        }
        Value::Promise(inner) => list(&[*inner], "", text),
        Value::Not(inner) => {
            text.push('!');
            list(&[*inner], "", text);
        }
        Value::TypeOf(inner) => {
            text.push_str("typeof ");
            list(&[*inner], "", text);
        }
        Value::Binary(op, left, right) => {
            let op = match op {
                BinaryOp::Equal => " == ",
                BinaryOp::Less => " < ",
                BinaryOp::LessEqual => " <= ",
                BinaryOp::Greater => " > ",
                BinaryOp::GreaterEqual => " >= ",
                BinaryOp::Add => " + ",
                BinaryOp::Arithmetic => " - ",
                BinaryOp::In => " in ",
                BinaryOp::InstanceOf => " instanceof ",
            };
            list(&[*left, *right], op, text);
        }
        Value::Template(parts) => list(parts, " + ", text),
        Value::Choice(alternatives) => {
            let parts: Vec<ValueId> = alternatives.iter().map(|each| each.value).collect();
            list(&parts, " or ", text);
        }
        _ => text.push('…'),
    }
}
