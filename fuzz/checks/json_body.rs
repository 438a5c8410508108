//! A body that is taken is one document to every reader, and reads as itself.

use portcullis_guard::canon::{JsonBody, RawBody, Scalar};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

pub(crate) fn check(data: &[u8]) {
    let Ok(body) = RawBody::new(data, 1 << 20) else {
        return;
    };
    let other: Result<Value, _> = serde_json::from_slice(data);
    let top = other.as_ref().ok().and_then(Value::as_object);
    let wanted: Vec<&str> = top
        .into_iter()
        .flatten()
        .map(|(name, _)| name.as_str())
        .filter(|name| !name.contains('.'))
        .take(64)
        .collect();
    let json = match JsonBody::read(body, &wanted) {
        Ok(json) => json,
        Err(fault) => {
            assert!(!fault.reason().is_empty());
            return;
        }
    };
    let other = other.as_ref().expect("another reader takes it too");
    // A key twice is one entry less in the value than there are in the text.
    let Entries(written) = serde_json::from_slice(data).unwrap();
    assert_eq!(written, entries(other));
    if has_fraction(other) {
        // Readers differ in the last digit of a fraction (serde_json too, from one reading to the next); no decision
        // looks at one.
        return;
    }
    assert!(depth(other) <= JsonBody::DEPTH_MAX);
    assert!(values(other) <= JsonBody::VALUES_MAX);
    let written = serde_json::to_vec(other).unwrap();
    // A number may be written longer than it was read.
    if let Ok(again) = JsonBody::read(RawBody::new(&written, 2 << 20).unwrap(), &wanted) {
        assert!(again == json);
    }
    for name in wanted {
        match (json.scalar(name), &other[name]) {
            (Some(Scalar::Text(text)), Value::String(string)) => assert_eq!(text, string),
            (Some(Scalar::Integer(digits)), Value::Number(number)) => {
                assert_eq!(digits, number.to_string());
                assert!(
                    digits
                        .bytes()
                        .all(|byte| byte.is_ascii_digit() || byte == b'-')
                );
            }
            (None, value) => assert!(!value.is_string() && !value.is_u64() && !value.is_i64()),
            (found, value) => panic!("{found:?} {value}"),
        }
    }
}

fn has_fraction(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Array(items) => items.iter().any(has_fraction),
        Value::Object(fields) => fields.values().any(has_fraction),
        Value::Null | Value::Bool(_) | Value::String(_) => false,
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or_default(),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or_default(),
        _ => 0,
    }
}

fn values(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(values).sum(),
        Value::Object(fields) => fields.values().map(values).sum(),
        _ => 0,
    }
}

/// How many keys a value has at all depths.
fn entries(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(entries).sum(),
        Value::Object(fields) => fields.values().map(|one| 1 + entries(one)).sum(),
        _ => 0,
    }
}

/// How many keys a text has at all depths.
struct Entries(usize);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Counter)
    }
}

struct Counter;

impl<'de> Visitor<'de> for Counter {
    type Value = Entries;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Entries, E> {
        Ok(Entries(0))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Entries, E> {
        Ok(Entries(0))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Entries, E> {
        Ok(Entries(0))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Entries, E> {
        Ok(Entries(0))
    }

    fn visit_str<E>(self, _: &str) -> Result<Entries, E> {
        Ok(Entries(0))
    }

    fn visit_unit<E>(self) -> Result<Entries, E> {
        Ok(Entries(0))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Entries, A::Error> {
        let mut count = 0;
        while let Some(Entries(inside)) = items.next_element()? {
            count += inside;
        }
        Ok(Entries(count))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Entries, A::Error> {
        let mut count = 0;
        while let Some((IgnoredAny, Entries(inside))) = fields.next_entry()? {
            count += 1 + inside;
        }
        Ok(Entries(count))
    }
}
