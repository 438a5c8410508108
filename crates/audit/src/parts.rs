//! What a value is made of: the way over its parts, and a file beside it for each question about them.

mod alike;
mod any;
mod depends;
mod headers;
mod made_of;
mod names;
mod response;
mod sent;
mod shown;
mod spelled;
mod tested;
mod under;
mod written;

use portcullis_code::value::{Entry, Value, ValueId, Values};

pub use alike::alike;
pub use any::any_part;
pub use depends::{any_depends, depends};
pub use headers::{headers_of, is_address_header};
pub use made_of::{PartOf, made_of, made_with};
pub use names::names_of;
pub use response::is_of_response;
pub use sent::{sent_in_words, sent_name};
pub use shown::{Shown, shown};
pub use spelled::spelled;
pub use tested::{all_tests, tests};
pub use under::{calls_under, members_under};
pub use written::written;

/// Hands over each value that a value is made from: what it is a member of, what was called and with what, what it
/// holds, and each that it may be. The tests that choose among those are not parts of it.
pub fn each_part(values: &Values, value: ValueId, mut take: impl FnMut(ValueId)) {
    match values.value(value) {
        Value::Member(base, _)
        | Value::Element(base)
        | Value::Kept(base, _)
        | Value::Rest(base, _)
        | Value::Promise(base)
        | Value::Not(base)
        | Value::TypeOf(base) => take(*base),
        Value::Index(a, b) | Value::Binary(_, a, b) => [*a, *b].into_iter().for_each(take),
        Value::Call(call) | Value::Handed(call, ..) => {
            let data = values.call(*call);
            take(data.callee);
            data.args.iter().for_each(|arg| take(arg.0));
        }
        Value::Template(parts) | Value::Derived(parts) => parts.iter().copied().for_each(take),
        Value::Choice(alternatives) => alternatives.iter().for_each(|each| take(each.value)),
        Value::Object(object) | Value::Array(object) | Value::Instance(object) => {
            let entries = &values.object(*object).entries;
            entries.iter().flat_map(entry_values).for_each(take);
        }
        Value::Markup(_, props, children) => {
            let entries = &values.object(*props).entries;
            entries.iter().flat_map(entry_values).for_each(&mut take);
            children.iter().copied().for_each(take);
        }
        Value::Const(_)
        | Value::Input(_)
        | Value::External(..)
        | Value::Global(_)
        | Value::Namespace(_)
        | Value::Function { .. }
        | Value::Class { .. }
        | Value::Caught(_)
        | Value::Unknown(_) => {}
    }
}

/// What a value is a member, an element or a promise of; none where it is a whole.
#[must_use]
pub fn whole_of(values: &Values, value: ValueId) -> Option<ValueId> {
    match values.value(value) {
        Value::Member(base, _)
        | Value::Index(base, _)
        | Value::Element(base)
        | Value::Kept(base, _)
        | Value::Rest(base, _)
        | Value::Promise(base) => Some(*base),
        _ => None,
    }
}

/// A value, what it is a part of, what that is a part of, and so on.
pub fn wholes_of(values: &Values, value: ValueId) -> impl Iterator<Item = ValueId> + '_ {
    std::iter::successors(Some(value), |at| whole_of(values, *at))
}

/// The values of an entry of an object or list.
pub fn entry_values(entry: &Entry) -> impl Iterator<Item = ValueId> + use<> {
    let (key, value) = match entry {
        Entry::Named(_, value) | Entry::Spread(value) | Entry::Item(value) | Entry::Each(value) => {
            (None, *value)
        }
        Entry::Computed(key, value) => (Some(*key), *value),
    };
    key.into_iter().chain([value])
}
