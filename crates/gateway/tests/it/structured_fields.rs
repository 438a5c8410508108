//! The reader of Structured Fields that `rate_limit_fields` is tested with, on the HTTP working group's own cases: what
//! it takes and refuses is what RFC 9651 says, so what it says of our fields is worth something.

use serde_json::{Value, json};
use sfv::{
    BareItem, Dictionary, FieldType as _, InnerList, Item, List, ListEntry, Parameters, Parser,
};

use crate::support::vectors;

/// What the cases write binary values in (RFC 4648 §6).
fn base32(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut text = String::new();
    for group in bytes.chunks(5) {
        let number = (0..5).fold(0_u64, |sum, at| {
            sum << 8 | u64::from(group.get(at).copied().unwrap_or(0))
        });
        let digits = (group.len() * 8).div_ceil(5);
        for at in 0..8 {
            let digit = usize::try_from(number >> (35 - 5 * at) & 31).unwrap();
            text.push(if at < digits {
                char::from(DIGITS[digit])
            } else {
                '='
            });
        }
    }
    text
}

fn bare(item: &BareItem) -> Value {
    let typed = |kind: &str, value: Value| json!({"__type": kind, "value": value});
    match item {
        BareItem::Decimal(number) => json!(f64::from(*number)),
        BareItem::Integer(number) => json!(i64::from(*number)),
        BareItem::String(text) => json!(text.as_str()),
        BareItem::ByteSequence(bytes) => typed("binary", json!(base32(bytes))),
        BareItem::Boolean(truth) => json!(truth),
        BareItem::Token(token) => typed("token", json!(token.as_str())),
        BareItem::Date(date) => typed("date", json!(i64::from(date.unix_seconds()))),
        BareItem::DisplayString(text) => typed("displaystring", json!(text)),
    }
}

fn parameters(all: &Parameters) -> Value {
    all.iter()
        .map(|(key, value)| json!([key.as_str(), bare(value)]))
        .collect()
}

fn item(one: &Item) -> Value {
    json!([bare(&one.bare_item), parameters(&one.params)])
}

fn entry(one: &ListEntry) -> Value {
    match one {
        ListEntry::Item(one) => item(one),
        ListEntry::InnerList(InnerList { items, params }) => {
            json!([
                items.iter().map(item).collect::<Value>(),
                parameters(params)
            ])
        }
    }
}

/// The value of a field of some kind, and how it is written.
fn read(kind: &str, raw: &str) -> Option<(Value, Option<String>)> {
    let parser = Parser::new(raw);
    Some(match kind {
        "item" => {
            let field = parser.parse::<Item>().ok()?;
            (item(&field), Some(field.serialize()))
        }
        "list" => {
            let field = parser.parse::<List>().ok()?;
            (field.iter().map(entry).collect(), field.serialize())
        }
        _ => {
            let field = parser.parse::<Dictionary>().ok()?;
            let pairs = field
                .iter()
                .map(|(key, one)| json!([key.as_str(), entry(one)]));
            (pairs.collect(), field.serialize())
        }
    })
}

/// The fields of one name, as one.
fn joined(case: &Value, key: &str) -> Option<String> {
    let parts = case.get(key)?.as_array()?;
    let parts: Vec<&str> = parts.iter().map(|part| part.as_str().unwrap()).collect();
    Some(parts.join(", "))
}

#[test]
fn the_cases_of_the_working_group() {
    let (mut read_right, mut refused_right, mut may_fail, mut files) = (0, 0, 0, 0);
    let mut different = Vec::new();
    let mut folder: Vec<_> = std::fs::read_dir(vectors("structured-fields"))
        .unwrap()
        .flatten()
        .collect();
    folder.sort_by_key(std::fs::DirEntry::file_name);
    for file in folder {
        if file.path().extension().is_none_or(|end| end != "json") {
            continue;
        }
        files += 1;
        let cases: Vec<Value> =
            serde_json::from_str(&std::fs::read_to_string(file.path()).unwrap()).unwrap();
        for case in &cases {
            let kind = case["header_type"].as_str().unwrap();
            let raw = joined(case, "raw").unwrap();
            let found = read(kind, &raw);
            let canonical = joined(case, "canonical").unwrap_or_else(|| raw.clone());
            let name = format!(
                "{}: {}",
                file.file_name().display(),
                case["name"].as_str().unwrap()
            );
            match (found, case["must_fail"] == true, case["can_fail"] == true) {
                (None, true, _) => refused_right += 1,
                (None, false, true) => may_fail += 1,
                (Some((value, written)), false, _)
                    if value == case["expected"]
                        && written.clone().unwrap_or_default() == canonical =>
                {
                    read_right += 1;
                }
                (found, _, _) => different.push((name, found)),
            }
        }
    }
    println!(
        "{files} files: {read_right} read as expected, {refused_right} refused as expected, {may_fail} refused that may be, {} different",
        different.len()
    );
    for one in &different {
        println!("{one:?}");
    }
    assert!(different.is_empty());
    assert_eq!(
        (files, read_right, refused_right, may_fail),
        (20, 727, 864, 0)
    );
}
