//! Where what the client sent is used without any check of what it is.

use portcullis_code::{
    body::{BinaryOp, Const},
    value::{CallId, Entry, Fact, FactsId, Value, ValueId, Values},
};

use crate::{
    library::{EffectKind, Meaning},
    origin::Origins,
    passes::Proof,
    route::Site,
    rule::RouteContext,
};

/// One such use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawUse {
    /// The part of the input.
    pub(crate) value: ValueId,
    /// What holds where it is used.
    pub(crate) facts: FactsId,
    /// Where.
    pub(crate) site: Site,
    /// Whether it is written, or sent; else it only chooses rows.
    pub(crate) written: bool,
}

/// Deepest nesting that is followed.
const DEPTH_MAX: u32 = 12;

/// Every part of the body, or of a remote procedure's arguments, that reaches the database or the outside unchecked.
pub(crate) fn uses(context: &RouteContext<'_>) -> Vec<RawUse> {
    let mut found = Vec::new();
    let mut take = |value: ValueId, facts: FactsId, site: Site, written: bool| {
        let mut parts = Vec::new();
        collect(context, value, facts, 0, &mut parts);
        found.extend(parts.into_iter().map(|value| RawUse {
            value,
            facts,
            site,
            written,
        }));
    };
    for judged in &context.judgement.queries {
        let query = &judged.query;
        if has(context, query.facts, Proof::Signature) {
            continue;
        }
        for data in &query.data {
            take(*data, query.facts, query.site, true);
        }
        for filter in &query.filters {
            take(filter.value, query.facts, query.site, false);
        }
    }
    for effect in &context.judgement.effects {
        if has(context, effect.facts, Proof::Signature)
            || matches!(effect.kind, EffectKind::Cache | EffectKind::FsRead)
        {
            continue;
        }
        let args: Vec<ValueId> = context
            .machine
            .values
            .call(effect.call)
            .args
            .iter()
            .map(|arg| arg.0)
            .collect();
        for arg in args {
            take(arg, effect.facts, effect.site, true);
        }
    }
    found
}

fn has(context: &RouteContext<'_>, facts: FactsId, proof: Proof) -> bool {
    context
        .bench
        .passes
        .has(&context.machine.values, facts, proof)
}

/// The unchecked parts of the raw input that a value is put together from.
fn collect(
    context: &RouteContext<'_>,
    value: ValueId,
    facts: FactsId,
    depth: u32,
    found: &mut Vec<ValueId>,
) {
    let values = &context.machine.values;
    if depth > DEPTH_MAX || found.len() > 64 {
        return;
    }
    let origins = context.bench.origins.of(values, value);
    if !origins.any(Origins::RAW)
        || origins.any(Origins::SIGNED)
        || is_checked(context, value, facts)
    {
        return;
    }
    let mut each = |inner: ValueId| collect(context, inner, facts, depth + 1, found);
    match values.value(value) {
        Value::Object(object) | Value::Array(object) => {
            for entry in &values.object(*object).entries {
                match entry {
                    Entry::Named(_, inner)
                    | Entry::Computed(_, inner)
                    | Entry::Spread(inner)
                    | Entry::Item(inner)
                    | Entry::Each(inner) => each(*inner),
                }
            }
        }
        Value::Choice(alternatives) => {
            for alternative in alternatives.iter() {
                if values.truth(alternative.facts, alternative.value) != Some(false)
                    && !is_checked(context, alternative.value, alternative.facts)
                {
                    each(alternative.value);
                }
            }
        }
        Value::Promise(inner) => each(*inner),
        Value::Template(parts) | Value::Derived(parts) => parts.iter().copied().for_each(each),
        Value::Binary(BinaryOp::Add, left, right) => {
            each(*left);
            each(*right);
        }
        // A comparison is true or false whatever came in.
        Value::Binary(..) | Value::Not(_) | Value::TypeOf(_) => {}
        Value::Call(call) => match made_of(context, *call) {
            Made::Fixed => {}
            Made::Of(parts) => parts.into_iter().for_each(each),
            Made::Input => found.push(value),
        },
        _ => found.push(value),
    }
}

enum Made {
    /// Whatever came in, the result is of one kind, or something else altogether.
    Fixed,
    /// Another form of these.
    Of(Vec<ValueId>),
    /// The input itself.
    Input,
}

fn made_of(context: &RouteContext<'_>, call: CallId) -> Made {
    let values = &context.machine.values;
    let data = values.call(call);
    let args = || data.args.iter().map(|arg| arg.0).collect();
    match values.value(data.callee) {
        Value::Global(name) => match name.as_str() {
            "Number" | "parseInt" | "parseFloat" | "BigInt" | "Boolean" | "Date" | "URL" => {
                return Made::Fixed;
            }
            _ => return Made::Of(args()),
        },
        Value::Member(base, name) => {
            if matches!(values.value(*base), Value::Input(_)) {
                return Made::Input;
            }
            if let Value::Global(global) = values.value(*base) {
                return match (global.as_str(), name.as_str()) {
                    ("Number" | "Date" | "Boolean" | "Array" | "Math", _) => Made::Fixed,
                    _ => Made::Of(args()),
                };
            }
            // A field of a form is a part of the body.
            if matches!(name.as_str(), "get" | "getAll")
                && matches!(values.value(*base), Value::Call(_))
            {
                return Made::Input;
            }
            // A method of a text or a list: another form of the receiver.
            let receiver = context.bench.origins.of(values, *base);
            if receiver.any(Origins::RAW)
                && context.bench.knowledge.of_call(values, call).is_empty()
            {
                let mut parts: Vec<ValueId> = args();
                parts.push(*base);
                return Made::Of(parts);
            }
        }
        _ => {}
    }
    for known in context.bench.knowledge.of_call(values, call) {
        match &known.row.meaning {
            Meaning::Hash(_) | Meaning::Db(_) | Meaning::Guard(_) | Meaning::Effect(_) => {
                return Made::Fixed;
            }
            Meaning::Input(_) => return Made::Input,
            _ => {}
        }
    }
    // `new ObjectId(id)` throws where it is none.
    if data.new {
        return Made::Fixed;
    }
    Made::Of(args())
}

/// Whether something tested before says what a part of the input is: its type, its range, one of a list, a pattern.
fn is_checked(context: &RouteContext<'_>, part: ValueId, facts: FactsId) -> bool {
    let values = &context.machine.values;
    values.facts(facts).any(|fact| match fact {
        Fact::Test(test, truth) => says_what(values, test, truth, part),
        _ => false,
    })
}

fn says_what(values: &Values, test: ValueId, truth: bool, part: ValueId) -> bool {
    match values.value(test) {
        Value::Binary(BinaryOp::Equal, left, right) => {
            truth
                && [(*left, *right), (*right, *left)]
                    .iter()
                    .any(|(side, other)| {
                        let constant = values.as_const(*other);
                        let is_type =
                            matches!(values.value(*side), Value::TypeOf(of) if *of == part);
                        let same = *side == part
                            && !matches!(constant, Some(Const::Null | Const::Undefined));
                        is_type || same
                    })
        }
        Value::Binary(
            BinaryOp::Less
            | BinaryOp::LessEqual
            | BinaryOp::Greater
            | BinaryOp::GreaterEqual
            | BinaryOp::InstanceOf
            | BinaryOp::In,
            left,
            right,
        ) => [*left, *right].contains(&part),
        // `allowed.includes(part)`, `/^[a-z]+$/.test(part)`, `Number.isInteger(part)`, `isEmail(part)`.
        Value::Call(call) => truth && values.call(*call).args.iter().any(|arg| arg.0 == part),
        // A key of a table: `Role[part]`.
        Value::Index(_, index) => truth && *index == part,
        _ => false,
    }
}
