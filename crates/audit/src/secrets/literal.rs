//! Texts of the code that serve as a key.

use portcullis_code::{
    body::{BinaryOp, Const},
    value::{Entry, Fact, FactsId, Value, ValueId, Values},
};
use ustr::Ustr;

/// Deepest nesting that is followed.
const DEPTH_MAX: u32 = 8;
/// Most texts that are told of one key.
const LITERALS_MAX: usize = 8;

/// A text of the code that is a key, or that a key may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Literal {
    /// The text.
    pub(crate) text: Ustr,
    /// Whether it is the key only where something else is missing.
    pub(crate) instead: bool,
}

/// The texts that a key may be at a point, whatever form they are brought into: `Buffer.from("..")`.
pub(crate) fn literals(values: &Values, key: ValueId, facts: FactsId) -> Vec<Literal> {
    let mut found = Vec::new();
    collect(values, key, facts, false, 0, &mut found);
    found
}

fn collect(
    values: &Values,
    key: ValueId,
    facts: FactsId,
    instead: bool,
    depth: u32,
    found: &mut Vec<Literal>,
) {
    if depth > DEPTH_MAX || found.len() >= LITERALS_MAX {
        return;
    }
    match values.value(key) {
        Value::Const(Const::Str(text)) if is_secret_text(text) => {
            found.push(Literal {
                text: *text,
                instead,
            });
        }
        Value::Promise(inner) => collect(values, *inner, facts, instead, depth + 1, found),
        Value::Template(parts) => {
            if let [one] = parts.as_ref() {
                collect(values, *one, facts, instead, depth + 1, found);
            }
        }
        Value::Choice(alternatives) => {
            let several = alternatives
                .iter()
                .any(|each| values.as_const(each.value).is_none());
            for each in alternatives.iter() {
                // What the application refuses to start with is never a key.
                if !values.contradict(facts, each.facts) && !is_for_developers(values, each.facts) {
                    let instead = instead || several;
                    collect(values, each.value, facts, instead, depth + 1, found);
                }
            }
        }
        // Several keys: the first signs, all are believed.
        Value::Array(list) => {
            for entry in &values.object(*list).entries {
                if let Entry::Item(item) = entry {
                    collect(values, *item, facts, instead, depth + 1, found);
                }
            }
        }
        Value::Call(call) => {
            let data = values.call(*call);
            let converts = match values.value(data.callee) {
                Value::Member(_, name) | Value::External(_, name) => matches!(
                    name.as_str(),
                    "encode" | "from" | "createSecretKey" | "asKey" | "importKey" | "decode"
                ),
                Value::Global(name) => name == "String",
                _ => false,
            };
            let spells = match values.value(data.callee) {
                Value::Member(base, name)
                    if matches!(name.as_str(), "trim" | "toString" | "replace" | "padEnd") =>
                {
                    Some(*base)
                }
                _ => None,
            };
            let inner = spells.or_else(|| data.args.first().filter(|_| converts).map(|arg| arg.0));
            if let Some(inner) = inner {
                collect(values, inner, facts, instead, depth + 1, found);
            }
        }
        _ => {}
    }
}

/// Whether a text can be a secret: not one that says nothing, nor a key or an address that is public.
fn is_secret_text(text: &str) -> bool {
    let public = [
        "-----BEGIN PUBLIC",
        "-----BEGIN RSA PUBLIC",
        "-----BEGIN CERT",
        "ssh-",
        "http",
    ];
    !text.is_empty()
        && !public
            .iter()
            .any(|start| text.trim_start().starts_with(start))
}

/// Whether something holds only where the application is developed or tested, or nowhere.
fn is_for_developers(values: &Values, facts: FactsId) -> bool {
    values.facts(facts).any(|fact| {
        let Fact::Test(test, truth) = fact else {
            return false;
        };
        // What is imported is there: `fs ? fs.readFileSync(..) : ".."`.
        if matches!(
            values.value(test),
            Value::External(..) | Value::Namespace(_)
        ) {
            return !truth;
        }
        let Value::Binary(BinaryOp::Equal, a, b) = values.value(test) else {
            return false;
        };
        let text = values.as_text(*a).or_else(|| values.as_text(*b));
        let stage = [*a, *b].iter().any(
            |side| matches!(values.value(*side), Value::Member(_, name) if name.ends_with("ENV")),
        );
        stage
            && text.is_some_and(|text| match text.as_str() {
                "production" | "prod" => !truth,
                "development" | "test" | "dev" | "local" => truth,
                _ => false,
            })
    })
}
