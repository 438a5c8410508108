//! What only developers meet: code behind a test of the variable that tells development from production.

use portcullis_code::{
    body::{BinaryOp, Const},
    value::{Entry, Fact, FactsId, Value, ValueId, Values},
};

use crate::{judge::Bench, origin::Origins, parts::names_of, schema::words};

/// Whether a point is reached only where a setting of the environment says so, and it does not say production:
/// `if (process.env.NODE_ENV === "development")`.
pub(crate) fn is_for_developers(bench: &Bench<'_, '_>, values: &Values, facts: FactsId) -> bool {
    values.facts(facts).any(|fact| match fact {
        Fact::Test(test, truth) => {
            asks_for_stage(bench, values, test, truth) && !is_compared(values, facts, test)
        }
        Fact::Returned(_) | Fact::Caught(_) | Fact::OneOf(_) => false,
    })
}

/// Whether a setting is compared with a text, which says more than that it is set: `DEBUG === "false"`.
fn is_compared(values: &Values, facts: FactsId, setting: ValueId) -> bool {
    values.facts(facts).any(|fact| match fact {
        Fact::Test(test, true) => matches!(*values.value(test),
            Value::Binary(BinaryOp::Equal, left, right) if left == setting || right == setting),
        _ => false,
    })
}

/// Whether a test of the stage came out as it does for developers.
pub(crate) fn asks_for_stage(
    bench: &Bench<'_, '_>,
    values: &Values,
    test: ValueId,
    truth: bool,
) -> bool {
    if let Value::Not(inner) = values.value(test) {
        return asks_for_stage(bench, values, *inner, !truth);
    }
    if !bench.origins.of(values, test).any(Origins::ENVIRONMENT) {
        return false;
    }
    let named: Vec<Named> = names_of(values, test)
        .iter()
        .filter_map(|name| Named::of(name))
        .collect();
    let Some(of_name) = named.iter().max() else {
        return false;
    };
    let compared = compared(values, test);
    // `DEBUG === "false"`
    let truth = truth != compared.contains(&Compared::Denies);
    let named = compared.iter().find_map(|one| match one {
        Compared::Stage(stage) => Some(*stage),
        Compared::Denies | Compared::Affirms => None,
    });
    match named.unwrap_or(*of_name) {
        // That some stage is set says nothing.
        Named::Stage => false,
        Named::Developers => truth,
        Named::Production => !truth,
    }
}

/// What the name or the text of a stage says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Named {
    /// `NODE_ENV`, `VERCEL_ENV`: it may be any.
    Stage,
    /// `DEBUG`, `isDev`, `STAGING`.
    Developers,
    /// `PROD`, `isProduction`.
    Production,
}

impl Named {
    /// What a variable tells that has this name.
    fn of(name: &str) -> Option<Self> {
        let words = words(name);
        let begins = |stems: &[&str]| {
            words
                .iter()
                .any(|word| stems.iter().any(|stem| word.starts_with(stem)))
        };
        let is = |whole: &[&str]| words.iter().any(|word| whole.contains(&word.as_str()));
        if is(&["prod"]) || begins(&["production"]) {
            return Some(Self::Production);
        }
        if is(&["dev"]) || begins(&["develop", "debug", "stag"]) {
            return Some(Self::Developers);
        }
        (words.len() > 1 && words.last().is_some_and(|last| last == "env")).then_some(Self::Stage)
    }
}

/// What a setting is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Compared {
    /// `"1"`, `"true"`, `true`
    Affirms,
    /// `"0"`, `"false"`, `undefined`
    Denies,
    /// `"development"`
    Stage(Named),
}

/// The constants in a test: `NODE_ENV === "production"`, `["test"].includes(NODE_ENV)`, `NODE_ENV.startsWith("prod")`.
fn compared(values: &Values, test: ValueId) -> Vec<Compared> {
    let sides = match values.value(test) {
        Value::Binary(BinaryOp::Equal, left, right) => vec![*left, *right],
        Value::Call(call) => {
            let data = values.call(*call);
            let listed = match values.value(data.callee) {
                Value::Member(list, _) => items(values, *list),
                _ => Vec::new(),
            };
            let given = data.args.iter().map(|arg| arg.0);
            given.chain(listed).collect()
        }
        _ => Vec::new(),
    };
    let known = sides.into_iter().filter_map(|side| values.as_const(side));
    known.map(meant).collect()
}

fn items(values: &Values, list: ValueId) -> Vec<ValueId> {
    let Value::Array(array) = *values.value(list) else {
        return Vec::new();
    };
    let entries = values.object(array).entries.iter();
    entries
        .filter_map(|entry| match *entry {
            Entry::Item(item) => Some(item),
            _ => None,
        })
        .collect()
}

fn meant(constant: Const) -> Compared {
    let Some(text) = constant.as_str() else {
        return if constant.truthy() {
            Compared::Affirms
        } else {
            Compared::Denies
        };
    };
    match text.to_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Compared::Affirms,
        "" | "false" | "0" | "no" | "off" => Compared::Denies,
        text if text.starts_with("prod") => Compared::Stage(Named::Production),
        _ => Compared::Stage(Named::Developers),
    }
}
