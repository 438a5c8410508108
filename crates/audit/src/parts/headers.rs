//! Which headers a value is made of.

use portcullis_code::value::{Value, ValueId, Values};
use rustc_hash::FxHashSet;
use ustr::Ustr;

use super::each_part;

/// Most values that are looked at.
const PARTS_MAX: usize = 400;
/// Headers in which proxies pass on the client's address, and any client may write them first.
const ADDRESS_HEADERS: &[&str] = &[
    "x-forwarded-for",
    "x-real-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-forwarded",
    "x-original-forwarded-for",
    "forwarded",
    "forwarded-for",
    "client-ip",
    "cf-connecting-ip",
    "true-client-ip",
    "fastly-client-ip",
];

/// Whether a header of this name has the client's address.
#[must_use]
pub fn is_address_header(name: &str) -> bool {
    ADDRESS_HEADERS
        .iter()
        .any(|known| known.eq_ignore_ascii_case(name))
}

/// The names by which headers were read that a value is made of, as the code writes them: `headers.get("Authorization")`,
/// `req.headers.authorization`. Where something else is read by name, its name is among them.
#[must_use]
pub fn headers_of(values: &Values, value: ValueId) -> Vec<Ustr> {
    let mut found = Vec::new();
    let mut seen = FxHashSet::default();
    let mut open = vec![value];
    while let Some(at) = open.pop() {
        if seen.len() >= PARTS_MAX || !seen.insert(at) {
            continue;
        }
        match values.value(at) {
            Value::Member(base, name) if is_headers(values, *base) => found.push(*name),
            Value::Call(call) => {
                let data = values.call(*call);
                if let Value::Member(_, method) = values.value(data.callee)
                    && matches!(method.as_str(), "get" | "header")
                    && let Some(name) = data.args.first().and_then(|arg| values.as_text(arg.0))
                {
                    found.push(name);
                }
            }
            _ => {}
        }
        each_part(values, at, |part| open.push(part));
    }
    found
}

fn is_headers(values: &Values, value: ValueId) -> bool {
    matches!(values.value(value), Value::Member(_, name) if name == "headers")
}
