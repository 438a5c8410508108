//! What only developers meet: code behind a test of the variable that tells development from production.

use portcullis_code::{
    body::BinaryOp,
    value::{Fact, FactsId, Value, ValueId, Values},
};

use crate::{judge::Bench, origin::Origins, parts::names_of};

/// Whether a point is reached only where a setting of the environment says so, and it does not say production:
/// `if (process.env.NODE_ENV === "development")`.
pub(crate) fn is_for_developers(bench: &Bench<'_, '_>, values: &Values, facts: FactsId) -> bool {
    values.facts(facts).any(|fact| match fact {
        Fact::Test(test, truth) => asks_for_stage(bench, values, test, truth),
        Fact::Returned(_) | Fact::Caught(_) | Fact::OneOf(_) => false,
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
    let by_environment = bench.origins.of(values, test).any(Origins::ENVIRONMENT);
    by_environment
        && names_of(values, test).iter().any(|name| is_stage(name))
        && !(truth && names_production(values, test))
}

/// A variable that tells development from production: `NODE_ENV`, `DEBUG`, `VERCEL_ENV`.
fn is_stage(name: &str) -> bool {
    let upper = name.to_uppercase();
    upper.ends_with("_ENV")
        || ["DEV", "DEBUG", "PROD", "STAG"]
            .iter()
            .any(|word| upper.contains(word))
}

/// `NODE_ENV === "production"`
fn names_production(values: &Values, test: ValueId) -> bool {
    let Value::Binary(BinaryOp::Equal, left, right) = *values.value(test) else {
        return false;
    };
    [left, right]
        .into_iter()
        .filter_map(|side| values.as_text(side))
        .any(|text| text.to_lowercase().starts_with("prod"))
}
