//! The request's own address: a client chooses its query, not where it leads.

use portcullis_code::value::{Value, ValueId, Values};

use crate::input::Input;

/// Whether a value is the request's own address or a part of it other than the query: `request.url`, `nextUrl.pathname`,
/// `new URL(request.url)`.
pub(super) fn is_own_url(values: &Values, value: ValueId) -> bool {
    match values.value(value) {
        Value::Member(base, name) => match values.value(*base) {
            Value::Input(tag) => {
                is_request(Input::of(*tag))
                    && matches!(
                        name.as_str(),
                        "url" | "nextUrl" | "originalUrl" | "baseUrl" | "path" | "hostname"
                    )
            }
            _ => !matches!(name.as_str(), "searchParams" | "search") && is_own_url(values, *base),
        },
        Value::Call(call) => {
            let data = values.call(*call);
            match values.value(data.callee) {
                Value::Global(name) if name == "URL" => data
                    .args
                    .first()
                    .is_some_and(|arg| is_own_url(values, arg.0)),
                // `nextUrl.clone()`, `url.toString()`
                Value::Member(base, name) => {
                    matches!(name.as_str(), "clone" | "toString" | "replace" | "split")
                        && is_own_url(values, *base)
                }
                _ => false,
            }
        }
        Value::Index(base, _) | Value::Element(base) | Value::Promise(base) => {
            is_own_url(values, *base)
        }
        _ => false,
    }
}

const fn is_request(input: Input) -> bool {
    matches!(
        input,
        Input::WebRequest | Input::NodeRequest | Input::PagesRequest
    )
}
