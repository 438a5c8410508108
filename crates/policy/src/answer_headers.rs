//! `[headers]` and `[csp]`: what the guard makes of the header fields of answers.

use std::collections::BTreeMap;

use crate::csp_text::CspText;
use crate::faults::Faults;
use crate::form::{Form, Kind, may, need};
use crate::node::{Entry, Node, NodeValue};
use crate::policy_file::Draft;
use crate::table_reader::{TableReader, parsed_by, text, wrong_kind};
use crate::{FieldName, Malformed, Place};

/// What becomes of one header field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderRule {
    /// It has this value, whatever the application says.
    Set(String),
    /// This value is added to what the application says.
    Append(String),
    /// The application's own stands.
    Keep,
}

/// The rules for header fields, by their names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerHeaders {
    /// Each field that has a rule of its own; for others the guard's own hold.
    pub rules: BTreeMap<FieldName, HeaderRule>,
    /// Where it is written.
    pub place: Place,
}

/// The `[csp]` table: which sources a page may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Csp {
    /// The policy, as its header field has it; with a nonce, `'nonce-{nonce}'` where it stands.
    pub policy: String,
    /// Whether browsers only report what it would refuse; yes, until somebody has looked at what they report.
    pub report_only: bool,
    /// Whether each answer has a nonce of its own, which the application is told in `x-nonce`; no.
    pub nonce: bool,
    /// Where it is written.
    pub place: Place,
}

/// How the value of a header field is written.
const VALUE: Kind = Kind::Pattern("^[!-~]([ -~]*[!-~])?$");

/// What becomes of one field.
pub(crate) const RULE: Kind = Kind::Either(&[Kind::Words(&["keep"]), Kind::Table(&RULE_FORM)]);

const RULE_FORM: Form = Form::new(
    "What becomes of one header field.",
    &[
        may("set", VALUE, "Its value, whatever the application says."),
        may(
            "append",
            VALUE,
            "What is added to what the application says.",
        ),
    ],
)
.with_rules(&[r#"{ "oneOf": [{ "required": ["set"] }, { "required": ["append"] }] }"#]);

pub(crate) const CSP_FORM: Form = Form::new(
    "Which sources a page may have.",
    &[
        need("policy", VALUE, "The policy, as its header field has it."),
        may(
            "report_only",
            Kind::Truth,
            "Whether browsers only report what it would refuse.",
        )
        .or("true"),
        may(
            "nonce",
            Kind::Truth,
            "Whether each answer has a nonce, which the application is told in `x-nonce`.",
        )
        .or("false"),
    ],
);

/// Reads `[headers]`.
pub(crate) fn read_headers(node: &Node, draft: &mut Draft, faults: &mut Faults<'_>) {
    let NodeValue::Table(table) = &node.value else {
        return wrong_kind(node, "a table", faults);
    };
    if table.entries.len() > crate::bounds::LIST_MAX {
        let message = format!("at most {} headers are allowed", crate::bounds::LIST_MAX);
        faults.add(&node.span, message);
        return;
    }
    let mut rules = BTreeMap::new();
    for entry in &table.entries {
        if let Some((name, rule)) = read_rule(entry, faults) {
            rules.insert(name, rule);
        }
    }
    let place = faults.place(&table.span);
    draft.policy.headers = Some(AnswerHeaders { rules, place });
}

/// What an answer says of itself alone, so that no rule could be right for all of them.
const OF_EACH_ANSWER: [&str; 16] = [
    "allow",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-location",
    "content-range",
    "content-type",
    "date",
    "etag",
    "last-modified",
    "location",
    "ratelimit",
    "ratelimit-policy",
    "retry-after",
    "vary",
    "x-request-id",
];

/// What stands once in an answer, and so is not added to.
const ONCE: [&str; 9] = [
    "age",
    "cross-origin-embedder-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "expires",
    "strict-transport-security",
    "x-content-type-options",
    "x-frame-options",
    "x-xss-protection",
];

/// Why a header has no rule.
fn unruled(name: &str) -> Option<&'static str> {
    if name.starts_with("content-security-policy") {
        Some("this header is what `[csp]` says")
    } else if name.starts_with("access-control-") {
        Some("this header is what `[cors]` says")
    } else {
        OF_EACH_ANSWER
            .contains(&name)
            .then_some("this header is of each answer alone, and has no rule")
    }
}

fn read_rule(entry: &Entry, faults: &mut Faults<'_>) -> Option<(FieldName, HeaderRule)> {
    if let Some(message) = unruled(&entry.key) {
        faults.add(&entry.key_span, message);
        return None;
    }
    let name = match entry.key.parse::<FieldName>() {
        Ok(name) => Some(name),
        Err(fault) => {
            faults.add_malformed(&entry.key_span, fault);
            None
        }
    };
    let rule = match &entry.node.value {
        NodeValue::String(word) if word == "keep" => Some(HeaderRule::Keep),
        NodeValue::String(_) => {
            // Not repeated: what was meant to be the value may be nobody's to read.
            let message =
                "a header's rule is `{ set = \"..\" }`, `{ append = \"..\" }` or `\"keep\"`";
            faults.add(&entry.node.span, message);
            None
        }
        NodeValue::Table(table) => {
            let mut reader = TableReader::new(table, "a header", faults);
            let set_node = reader.optional("set");
            let append_node = reader.optional("append");
            let set = set_node.and_then(|node| field_value(node, reader.faults()));
            let append = append_node.and_then(|node| field_value(node, reader.faults()));
            if set_node.is_some() == append_node.is_some() {
                let span = reader.span().clone();
                let message = "a header has either `set` or `append`";
                reader.faults().add(&span, message);
            }
            if append_node.is_some() && ONCE.contains(&entry.key.as_str()) {
                let span = reader.span().clone();
                let message = "this header stands once: write `set`, or `\"keep\"`";
                reader.faults().add(&span, message);
            }
            reader.finish();
            set.map(HeaderRule::Set)
                .or_else(|| append.map(HeaderRule::Append))
        }
        _ => {
            wrong_kind(&entry.node, "a table with `set` or `append`", faults);
            None
        }
    };
    Some((name?, rule?))
}

/// What can be written into an answer without being read as something else (RFC 9110 §5.5).
fn field_value(node: &Node, faults: &mut Faults<'_>) -> Option<String> {
    let value = text(node, faults)?;
    if value.trim() == value
        && !value.is_empty()
        && value.bytes().all(|byte| matches!(byte, b' '..=b'~'))
    {
        return Some(value.to_owned());
    }
    let message =
        "a header's value has printable ASCII characters, with a space neither first nor last";
    faults.add_malformed(&node.span, Malformed::whole(value, message));
    None
}

/// What is wrong with the places of the nonce in a policy's text. A nonce that stands nowhere guards nothing; one that is
/// not made anew is the same for everybody, which is worse than none.
fn nonce_fault(text: &str, nonce: bool) -> Option<&'static str> {
    let count = text.matches("{nonce}").count();
    let quoted = text.matches("'nonce-{nonce}'").count();
    let fixed = text.matches("'nonce-").count();
    if nonce && quoted == 0 {
        Some("with `nonce = true` the policy says where it stands: `script-src 'nonce-{nonce}'`")
    } else if nonce && (count != quoted || fixed != quoted) {
        Some("a nonce is written `'nonce-{nonce}'`, and is made anew for each answer")
    } else if !nonce && (count > 0 || fixed > 0) {
        Some(
            "a nonce is made anew for each answer: add `nonce = true`, and write `'nonce-{nonce}'`",
        )
    } else {
        None
    }
}

/// Reads `[csp]`.
pub(crate) fn read_csp(node: &Node, draft: &mut Draft, faults: &mut Faults<'_>) {
    let NodeValue::Table(table) = &node.value else {
        return wrong_kind(node, "a table", faults);
    };
    let place = faults.place(&table.span);
    let mut reader = TableReader::new(table, "`[csp]`", faults);
    let policy_node = reader.required("policy");
    let policy = policy_node.and_then(|node| field_value(node, reader.faults()));
    let report_only = reader.optional("report_only");
    let report_only = reader.truth(report_only).unwrap_or(true);
    let nonce = reader.optional("nonce");
    let nonce = reader.truth(nonce).unwrap_or_default();
    let fault = policy.as_ref().and_then(|text| nonce_fault(text, nonce));
    if let Some(message) = fault {
        let span = reader.span().clone();
        reader.faults().add(&span, message);
    } else if let Some(node) = policy_node.filter(|_| policy.is_some()) {
        parsed_by(node, |text| CspText::read(text).map(drop), reader.faults());
    }
    reader.finish();
    draft.policy.csp = policy.map(|policy| Csp {
        policy,
        report_only,
        nonce,
        place,
    });
}
