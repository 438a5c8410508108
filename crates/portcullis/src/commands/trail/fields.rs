//! The fields of a record as they are shown: one list for the table, JSON lines and CSV.
//!
//! What a client may have chosen (the value of a parameter, a user) could hold what a terminal or a spreadsheet acts on
//! (CVE-2024-45808): each text is made harmless here, whatever it is written into.

use portcullis_policy::event::{EventTime, LineHash};
use portcullis_report::harmless_line;
use portcullis_state::trail::Body;
use serde_json::{Map, Value};

/// The names, in the order of the columns.
pub(super) const NAMES: [&str; 23] = [
    "seq",
    "time",
    "kind",
    "request_id",
    "user",
    "tenant",
    "session",
    "client",
    "method",
    "route",
    "target",
    "verdict",
    "reason",
    "rule",
    "policy_line",
    "policy_digest",
    "status",
    "intent",
    "detail",
    "monotonic_nanos",
    "writer",
    "prev_hash",
    "hash",
];

/// A record's values, each under its name; `null` where there is none.
pub(super) fn of(body: &Body, hash: LineHash) -> Map<String, Value> {
    let text = |text: Option<&str>| text.map_or(Value::Null, harmless_text);
    let number = |number: Option<u64>| number.map_or(Value::Null, Value::from);
    let time = EventTime::of_unix_millis(body.unix_millis).to_string();
    let target = body
        .target
        .iter()
        .map(|(name, value)| format!("{}={}", name.as_str(), value.as_str()))
        .collect::<Vec<_>>()
        .join(" ");
    let values = [
        body.seq.into(),
        Value::String(time),
        text(Some(body.kind.as_str())),
        text(body.request.as_ref().map(|one| one.as_str())),
        text(body.user.as_ref().map(|one| one.as_str())),
        text(body.tenant.as_ref().map(|one| one.as_str())),
        text(body.session.map(|one| one.to_string()).as_deref()),
        text(body.client.map(|one| one.to_string()).as_deref()),
        text(body.method.map(portcullis_policy::Method::as_str)),
        text(body.route.as_ref().map(|one| one.as_str())),
        text((!target.is_empty()).then_some(target.as_str())),
        text(
            body.verdict
                .map(portcullis_policy::event::EventVerdict::as_str),
        ),
        text(body.reason.as_ref().map(|one| one.as_str())),
        text(body.rule.as_ref().map(|one| one.as_str())),
        number(body.line.map(u64::from)),
        text(body.policy.map(|one| one.to_string()).as_deref()),
        number(body.status.map(u64::from)),
        number(body.intent),
        text(body.detail.as_ref().map(|one| one.as_str())),
        body.monotonic_nanos.into(),
        text(Some(&body.writer.to_string())),
        text(Some(&body.prev_hash.to_string())),
        text(Some(&hash.to_string())),
    ];
    NAMES.into_iter().map(str::to_owned).zip(values).collect()
}

/// A line of JSON with the values that there are.
pub(super) fn json_line(body: &Body, hash: LineHash) -> String {
    let mut fields = of(body, hash);
    fields.retain(|_, value| !value.is_null());
    format!("{}\n", Value::Object(fields))
}

/// A line of CSV: RFC 4180, every field in quotes.
pub(super) fn csv_line<'v>(values: impl Iterator<Item = &'v Value>) -> String {
    let cells: Vec<String> = values.map(|value| csv_cell(&shown(value))).collect();
    format!("{}\r\n", cells.join(","))
}

/// A value as text; nothing where there is none.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// What a spreadsheet would take for a formula begins with an apostrophe (OWASP, CSV Injection).
fn csv_cell(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '|', '%']);
    let mark = if is_formula { "'" } else { "" };
    format!("\"{mark}{}\"", text.replace('"', "\"\""))
}

fn harmless_text(text: &str) -> Value {
    Value::String(harmless_line(text).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_no_formula_and_ends_nothing() {
        for (text, cell) in [
            ("17", "\"17\""),
            ("=1+1", "\"'=1+1\""),
            ("+1", "\"'+1\""),
            ("-1", "\"'-1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("|cmd", "\"'|cmd\""),
            ("a\"b,c", "\"a\"\"b,c\""),
            ("", "\"\""),
        ] {
            assert_eq!(csv_cell(text), cell);
        }
    }

    #[test]
    fn what_a_terminal_acts_on_is_written_out() {
        for text in [
            "a\r\nSet-Cookie: x",
            "a\u{1b}[31m",
            "a\u{202e}b",
            "a\u{85}b",
        ] {
            let Value::String(safe) = harmless_text(text) else {
                panic!("{text}");
            };
            assert!(
                !safe.contains(char::is_control) && !safe.contains('\u{202e}'),
                "{safe}"
            );
        }
    }
}
