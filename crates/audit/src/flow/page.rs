//! What an answer is to the browser: a page that it shows, or an address that it goes to.

use portcullis_code::{
    body::Const,
    machine::{Exit, Machine},
    value::{CallId, Entry, Value, ValueId, Values},
};
use portcullis_report::Class;

use super::{SeenSink, SinkForm};
use crate::{knowledge::down, route::Site};

/// Where a function in the cloud returns an answer: `{ statusCode, headers, body }`.
pub(crate) fn answers(machine: &Machine<'_>, returns: &[Exit]) -> Vec<SeenSink> {
    let values = &machine.values;
    let mut found = Vec::new();
    for exit in returns {
        let answer = match values.value(exit.value) {
            Value::Promise(inner) => *inner,
            _ => exit.value,
        };
        let Some(headers) = down(values, answer, &["headers".into()]) else {
            continue;
        };
        let body = down(values, answer, &["body".into()]);
        let body = body.filter(|_| is_page_type(values, headers));
        let of_class = [
            (Class::Xss, body),
            (Class::OpenRedirect, location_of(values, headers)),
        ];
        for (class, value) in of_class {
            found.extend(value.map(|value| SeenSink {
                class,
                value,
                call: None,
                facts: exit.facts,
                site: Site {
                    module: exit.module,
                    span: exit.span,
                },
                frame: None,
                name: "return".to_owned(),
                does: None,
                form: SinkForm::Known,
            }));
        }
    }
    found
}

/// Whither headers send the browser.
pub(super) fn location_of(values: &Values, headers: ValueId) -> Option<ValueId> {
    down(values, headers, &["Location".into()])
        .or_else(|| down(values, headers, &["location".into()]))
}

/// The body of a web response that the platform makes, where its headers call it a page.
pub(super) fn page_of(values: &Values, call: CallId) -> Option<ValueId> {
    let data = values.call(call);
    if !matches!(values.value(data.callee), Value::Global(name) if name == "Response") {
        return None;
    }
    let init = data.args.get(1)?.0;
    let headers = down(values, init, &["headers".into()])?;
    is_page_type(values, headers).then_some(data.args.first()?.0)
}

/// Whether a text has a tag of HTML in it, as far as it is known.
pub(super) fn is_html(values: &Values, text: ValueId) -> bool {
    let Value::Template(parts) = values.value(text) else {
        return false;
    };
    parts
        .iter()
        .filter_map(|part| values.as_text(*part))
        .any(|text| {
            text.match_indices('<').any(|(at, _)| {
                text.get(at + 1..).is_some_and(|rest| {
                    rest.starts_with(|next: char| next.is_ascii_alphabetic() || "/!".contains(next))
                })
            })
        })
}

/// Whether headers say that the body is something else than a page.
pub(super) fn names_other_type(values: &Values, headers: ValueId) -> bool {
    let Value::Object(object) = values.value(headers) else {
        return false;
    };
    values.object(*object).entries.iter().any(|entry| {
        matches!(entry, Entry::Named(name, value)
            if name.eq_ignore_ascii_case("content-type")
                && !matches!(values.as_const(*value), Some(Const::Str(kind)) if kind.contains("html")))
    })
}

/// Whether headers say that the body is a page.
pub(super) fn is_page_type(values: &Values, headers: ValueId) -> bool {
    let Value::Object(object) = values.value(headers) else {
        return false;
    };
    values.object(*object).entries.iter().any(|entry| {
        matches!(entry, Entry::Named(name, value)
            if name.eq_ignore_ascii_case("content-type")
                && matches!(values.as_const(*value), Some(Const::Str(kind)) if kind.contains("text/html")))
    })
}
