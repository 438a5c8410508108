//! Tests that say enough of a value: what was compared, looked up or matched before is not any text any more.

use portcullis_code::{
    body::{BinaryOp, Const},
    value::{Fact, FactsId, Value, ValueId, Values},
};
use portcullis_report::Class;

use super::{PROTOTYPES, Wants, alphabet::Pattern, trace::Trace};
use crate::{
    library::{EffectKind, GuardKind, Meaning},
    parts::{alike, any_part, spelled},
};

/// Most tests that are looked at for one point.
const TESTS_MAX: usize = 600;
/// Most parts of a test that are looked at for the value it speaks of.
const PARTS_MAX: usize = 200;

/// What was tested on the ways to a point.
#[derive(Debug, Default)]
pub(super) struct Tests {
    held: Vec<(ValueId, bool)>,
    /// Of each of these, one way holds.
    ways: Vec<Vec<Self>>,
}

impl Tests {
    /// The tests on every way to a point.
    pub(super) fn at(values: &Values, facts: FactsId) -> Self {
        Self::within(values, facts, 0)
    }

    fn within(values: &Values, facts: FactsId, depth: u32) -> Self {
        let mut found = Self::default();
        for fact in values.facts(facts).take(TESTS_MAX) {
            match fact {
                Fact::Test(value, truth) => found.held.push((value, truth)),
                Fact::OneOf(number) if depth < 2 => {
                    let ways = values.joined(number);
                    if ways.len() <= 8 {
                        found.ways.push(
                            ways.iter()
                                .map(|way| Self::within(values, *way, depth + 1))
                                .collect(),
                        );
                    }
                }
                _ => {}
            }
        }
        found
    }

    /// Whether they say enough of a value.
    pub(super) fn vouch(&self, trace: &Trace<'_, '_>, value: ValueId) -> bool {
        self.all_ways(&|test, truth| says(trace, test, truth, value, 0))
            || trace.danger.wants == Wants::Host && self.local_path(trace.values(), value)
            || trace.danger.class == Class::PrototypePollution
                && self.no_prototype(trace.values(), value)
    }

    /// Whether they say that a name is not that of a prototype: neither `__proto__`, nor one of the two that lead there together.
    fn no_prototype(&self, values: &Values, value: ValueId) -> bool {
        let [itself, maker, behind] = PROTOTYPES.map(|name| {
            self.all_ways(&|test, held| !held && asks_whether(values, test, value, name, 0))
        });
        itself && (maker || behind)
    }

    /// Whether they say that a value is a path of the application: a slash, and no second one.
    fn local_path(&self, values: &Values, value: ValueId) -> bool {
        let begins = |with: &str, truth: bool| {
            self.all_ways(&|test, held| {
                held == truth && begins_with(values, test, value).is_some_and(|text| text == with)
            })
        };
        begins("/", true) && (begins("//", false) || begins("/\\", false))
    }

    /// Whether a test of something that is made from the value says enough of it.
    pub(super) fn vouch_aside(&self, trace: &Trace<'_, '_>, value: ValueId) -> bool {
        self.all_ways(&|test, truth| says_aside(trace, test, truth, value))
    }

    fn all_ways(&self, ask: &impl Fn(ValueId, bool) -> bool) -> bool {
        self.held.iter().any(|(test, truth)| ask(*test, *truth))
            || self
                .ways
                .iter()
                .any(|ways| !ways.is_empty() && ways.iter().all(|way| way.all_ways(ask)))
    }
}

/// Whether a test of one value is a test of another: it is the same one, however it is spelled, or computed once more.
fn is_same(values: &Values, tested: ValueId, value: ValueId) -> bool {
    tested == value || alike(values, spelled(values, tested), spelled(values, value))
}

/// Whether a test asks whether a value is a text, or one of a list with that text in it.
fn asks_whether(values: &Values, test: ValueId, value: ValueId, text: &str, depth: u32) -> bool {
    let same = |other: ValueId| is_same(values, other, value);
    let is_text = |other: ValueId| values.as_text(other).is_some_and(|other| other == text);
    match values.value(test) {
        Value::Binary(BinaryOp::Equal, left, right) => {
            same(*left) && is_text(*right) || same(*right) && is_text(*left)
        }
        // Where none of several holds, each of them does not.
        Value::Choice(alternatives) if depth < 4 => alternatives
            .iter()
            .any(|each| asks_whether(values, each.value, value, text, depth + 1)),
        Value::Call(call) => {
            let data = values.call(*call);
            let Value::Member(list, name) = *values.value(data.callee) else {
                return false;
            };
            matches!(name.as_str(), "includes" | "has")
                && data.args.first().is_some_and(|arg| same(arg.0))
                && any_part(values, list, PARTS_MAX, is_text)
        }
        _ => false,
    }
}

/// The text with which a test asks a value to begin.
fn begins_with(values: &Values, test: ValueId, value: ValueId) -> Option<ustr::Ustr> {
    let same = |other: ValueId| is_same(values, other, value);
    match values.value(test) {
        Value::Call(call) => {
            let data = values.call(*call);
            match values.value(data.callee) {
                Value::Member(base, name) if *name == "startsWith" && same(*base) => {
                    values.as_text(data.args.first()?.0)
                }
                _ => None,
            }
        }
        // `value[0] === "/"`, `value.charAt(0) === "/"`
        Value::Binary(BinaryOp::Equal, left, right) => {
            let (side, text) = match (values.as_text(*left), values.as_text(*right)) {
                (None, Some(text)) => (*left, text),
                (Some(text), None) => (*right, text),
                _ => return None,
            };
            let first = match values.value(side) {
                Value::Index(base, _) => same(*base),
                Value::Call(call) => matches!(values.value(values.call(*call).callee),
                    Value::Member(base, name) if *name == "charAt" && same(*base)),
                _ => false,
            };
            first.then_some(text)
        }
        _ => None,
    }
}

/// A regular expression that is written in the code.
pub(super) fn pattern(values: &Values, value: ValueId) -> Option<Pattern> {
    match values.as_const(value)? {
        Const::Regex(source, flags) => Some(Pattern::read(&source, &flags)),
        _ => None,
    }
}

fn says(trace: &Trace<'_, '_>, test: ValueId, truth: bool, value: ValueId, depth: u32) -> bool {
    let values = trace.values();
    let same = |other: ValueId| is_same(values, other, value);
    if depth > 4 {
        return false;
    }
    match values.value(test) {
        Value::Not(inner) => says(trace, *inner, !truth, value, depth + 1),
        Value::Choice(alternatives) => {
            let relevant: Vec<ValueId> = alternatives
                .iter()
                .filter(|each| values.truth(each.facts, each.value) != Some(!truth))
                .map(|each| each.value)
                .collect();
            !relevant.is_empty()
                && relevant
                    .iter()
                    .all(|each| says(trace, *each, truth, value, depth + 1))
        }
        // One of several comparisons held: `list.some((item) => item === value)`.
        Value::Derived(parts) => {
            truth
                && !parts.is_empty()
                && parts
                    .iter()
                    .all(|part| says(trace, *part, truth, value, depth + 1))
        }
        Value::Binary(BinaryOp::Equal, left, right) => [(*left, *right), (*right, *left)]
            .into_iter()
            .any(|(side, other)| equal(trace, side, other, truth, &same)),
        Value::Binary(
            BinaryOp::Less | BinaryOp::LessEqual | BinaryOp::Greater | BinaryOp::GreaterEqual,
            left,
            right,
        ) => {
            // A text compared with a number is a number; where it stands in a list, it is one of that.
            [*left, *right]
                .into_iter()
                .any(|side| same(side) || looks_up(values, side, &same))
        }
        Value::Binary(BinaryOp::In, key, _) => truth && same(*key),
        // A key of a table: `TABLE[value]`.
        Value::Index(table, key) => truth && same(*key) && !trace.is_sent(*table),
        Value::Call(call) => tested_by_call(trace, *call, truth, &same),
        Value::Member(base, _) => match values.value(*base) {
            // `(await client.verify(value)).ok`
            Value::Call(call) => truth && tested_by_call(trace, *call, truth, &same),
            _ => false,
        },
        _ => false,
    }
}

fn equal(
    trace: &Trace<'_, '_>,
    side: ValueId,
    other: ValueId,
    truth: bool,
    same: &impl Fn(ValueId) -> bool,
) -> bool {
    let values = trace.values();
    match values.value(side) {
        Value::TypeOf(of) if same(*of) => {
            let kind = values.as_text(other);
            return match kind.as_ref().map(ustr::Ustr::as_str) {
                Some("number" | "boolean" | "bigint") => truth,
                Some("string") => truth && trace.danger.wants == Wants::Object,
                Some("object") => !truth && trace.danger.wants == Wants::Object,
                _ => false,
            };
        }
        // `list.indexOf(value) !== -1`; a place in the list that it is at.
        Value::Call(_) if looks_up(values, side, same) => {
            let somewhere = matches!(values.as_const(other), Some(Const::Num(bits)) if f64::from_bits(bits) >= 0.0);
            return truth == somewhere;
        }
        // `value.indexOf("/srv/") === 0`
        Value::Call(call) if values.as_const(other) == Some(Const::number(0.0)) => {
            let data = values.call(*call);
            if let (Value::Member(base, name), Some(first)) =
                (values.value(data.callee), data.args.first())
                && *name == "indexOf"
                && same(*base)
            {
                return truth && begins(trace, *base, first.0);
            }
        }
        _ => {}
    }
    if !truth || !same(side) {
        return false;
    }
    match values.as_const(other) {
        Some(Const::Null | Const::Undefined | Const::Bool(_)) => false,
        Some(_) => true,
        // What it equals must not be the client's as well.
        None => !trace.is_sent(other),
    }
}

/// Whether a value says where another stands in a list.
fn looks_up(values: &Values, side: ValueId, same: &impl Fn(ValueId) -> bool) -> bool {
    let Value::Call(call) = values.value(side) else {
        return false;
    };
    let data = values.call(*call);
    matches!(values.value(data.callee), Value::Member(list, name)
        if matches!(name.as_str(), "indexOf" | "findIndex") && !same(*list))
        && data.args.iter().any(|arg| same(arg.0))
}

fn tested_by_call(
    trace: &Trace<'_, '_>,
    call: portcullis_code::value::CallId,
    truth: bool,
    same: &impl Fn(ValueId) -> bool,
) -> bool {
    let values = trace.values();
    let danger = trace.danger;
    let data = values.call(call);
    let given = data.args.iter().any(|arg| same(arg.0));
    if let Value::Member(base, name) = values.value(data.callee) {
        let first = data.args.first().map(|arg| arg.0);
        // `/^[a-z]+$/.test(value)`, `value.match(/^[a-z]+$/)`
        let expression = match name.as_str() {
            "test" | "exec" if given => Some(*base),
            "match" | "search" if same(*base) => first,
            _ => None,
        };
        if let Some(expression) = expression {
            return match pattern(values, expression) {
                Some(pattern) if truth => {
                    (pattern.whole && !pattern.takes_any(danger.signs))
                        || vouches_prefix(values, expression, danger.wants)
                }
                // Refused where it has one of the signs.
                Some(pattern) => !pattern.whole && pattern.takes_any(danger.signs),
                None => truth,
            };
        }
        if same(*base) {
            let constant = first.and_then(|first| values.as_text(first));
            return match (name.as_str(), danger.wants) {
                ("startsWith", Wants::Host) => {
                    truth && first.is_some_and(|first| begins(trace, *base, first))
                }
                ("startsWith", Wants::Path) if constant.is_none_or(|text| !text.contains("..")) => {
                    truth && first.is_some_and(|first| begins(trace, *base, first))
                }
                ("includes", Wants::Path) if constant.is_some_and(|text| text == "/") => !truth,
                ("includes" | "indexOf" | "startsWith", Wants::Path) => {
                    !truth && constant.is_some_and(|text| text.contains(".."))
                }
                ("includes", Wants::Text) => {
                    !truth && constant.is_some_and(|text| danger.signs.contains(text.as_str()))
                }
                _ => false,
            };
        }
        if let Value::Global(global) = values.value(*base) {
            return given
                && match (global.as_str(), name.as_str()) {
                    ("Number", "isInteger" | "isFinite" | "isSafeInteger") => truth,
                    ("Number", "isNaN") => !truth,
                    ("Object", "hasOwn") => truth,
                    ("Array" | "Object" | "URL" | "JSON" | "Buffer", _) => false,
                    _ => truth,
                };
        }
        // `allowed.includes(value)`: a list of the client's own says nothing.
        if given
            && matches!(
                name.as_str(),
                "includes" | "has" | "hasOwnProperty" | "some"
            )
        {
            return truth && !trace.is_sent(*base);
        }
    }
    if let Value::Global(name) = values.value(data.callee) {
        return given
            && match name.as_str() {
                "isNaN" => !truth,
                "isFinite" => truth,
                _ => false,
            };
    }
    if !given {
        return false;
    }
    let rows = trace.context.bench.knowledge.of_call(values, call);
    if rows.is_empty() {
        return truth && !data.new;
    }
    rows.iter().any(|known| match &known.row.meaning {
        Meaning::Guard(guard) if guard.guard == GuardKind::Validation => {
            let any_address = danger.wants == Wants::Host
                && known.row.names.iter().any(|name| {
                    let name = name.symbol.to_string();
                    known.stars.is_empty() && name.eq_ignore_ascii_case("isURL()")
                });
            truth && !any_address
        }
        Meaning::Guard(_) | Meaning::Derive(_) | Meaning::Sanitizer(_) => truth,
        // That a file is there says nothing of where it lies.
        Meaning::Effect(effect) => {
            truth
                && !matches!(
                    effect.kind,
                    EffectKind::FsRead | EffectKind::FsWrite | EffectKind::Http
                )
        }
        _ => false,
    })
}

/// Whether it says enough of an address or a path that it begins so.
fn begins(trace: &Trace<'_, '_>, value: ValueId, with: ValueId) -> bool {
    match trace.danger.wants {
        Wants::Host => match trace.values().as_text(with) {
            Some(text) => fixes_host(&text),
            None => !trace.is_sent(with),
        },
        Wants::Path => {
            let text = trace.values().as_text(with);
            text.is_none_or(|text| !text.contains(".."))
                && !trace.is_sent(with)
                && is_resolved(trace, value)
        }
        Wants::Text | Wants::Object => false,
    }
}

/// Whether an expression that only has a beginning settles the host: `/^https:\/\/api\.example\.com\//`.
fn vouches_prefix(values: &Values, expression: ValueId, wants: Wants) -> bool {
    let Some(Const::Regex(source, _)) = values.as_const(expression) else {
        return false;
    };
    let plain = source.replace("\\/", "/").replace("\\.", ".");
    wants == Wants::Host && plain.strip_prefix('^').is_some_and(fixes_host)
}

/// Whether an address or path that begins so has a host of ours.
fn fixes_host(text: &str) -> bool {
    let before = super::Before {
        text: text.to_owned(),
        begins_elsewhere: false,
    };
    // `https://example.com` may go on as `.evil.example`; that is a finer fault than choosing the host.
    let named = text
        .split_once("://")
        .is_some_and(|(_, host)| host.contains('.'));
    before.fixes_host() || named
}

/// Whether a path was resolved, so that its beginning says where it lies.
fn is_resolved(trace: &Trace<'_, '_>, value: ValueId) -> bool {
    matches!(trace.values().value(value), Value::Call(_))
}

/// A test of what is made from the value: the host of an address, the resolved form of a path.
fn says_aside(trace: &Trace<'_, '_>, test: ValueId, truth: bool, value: ValueId) -> bool {
    let values = trace.values();
    if trace.danger.wants == Wants::Host {
        return speaks_of_host(values, test, value);
    }
    let mut test = test;
    let mut truth = truth;
    while let Value::Not(inner) = values.value(test) {
        test = *inner;
        truth = !truth;
    }
    let Value::Call(call) = values.value(test) else {
        return false;
    };
    let data = values.call(*call);
    let Value::Member(base, name) = values.value(data.callee) else {
        return false;
    };
    let holds = |whole| any_part(values, whole, PARTS_MAX, |part| part == value);
    if !holds(*base) && !data.args.iter().any(|arg| holds(arg.0)) {
        return false;
    }
    let first = data.args.first().map(|arg| arg.0);
    let constant = first.and_then(|first| values.as_text(first));
    match name.as_str() {
        "startsWith" => {
            let up = constant.is_some_and(|text| text.starts_with(".."));
            (truth && !up && is_resolved(trace, *base)) || (!truth && up)
        }
        "includes" | "indexOf" | "test" | "match" => {
            !truth && constant.is_none_or(|text| text.contains(".."))
        }
        _ => false,
    }
}

/// Whether a test is about the host of an address that is made from the value.
fn speaks_of_host(values: &Values, test: ValueId, value: ValueId) -> bool {
    any_part(values, test, PARTS_MAX, |at| {
        matches!(values.value(at), Value::Member(base, name)
            if matches!(name.as_str(), "host" | "hostname" | "origin")
                && any_part(values, *base, PARTS_MAX, |part| part == value))
    })
}
