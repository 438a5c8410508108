//! `Setting`: what a call is told about one of its options, as far as the code says.

use portcullis_code::{
    body::Const,
    value::{Entry, Value, ValueId, Values},
};

use crate::{
    knowledge::Known,
    library::{Place, Root},
};

/// What stands at the place of an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// This value.
    Given(ValueId),
    /// Nothing at all, for certain.
    Absent,
    /// The code does not say.
    Unknown,
}

impl Setting {
    /// What stands at a place of a call that a row describes. Only arguments are looked at, also those of the call
    /// before.
    #[must_use]
    pub fn at(values: &Values, known: &Known<'_>, place: &Place) -> Self {
        let (call, number) = match place.root {
            Root::Argument(number) => (known.calls.first(), number),
            Root::Made(number) => (known.calls.get(1), number),
            Root::This | Root::Last | Root::All => return Self::Unknown,
        };
        let Some(&call) = call else {
            return Self::Unknown;
        };
        let args = &values.call(call).args;
        if args.iter().take(number + 1).any(|(_, spread)| *spread) {
            return Self::Unknown;
        }
        let Some(&(arg, _)) = args.get(number) else {
            return Self::Absent;
        };
        place
            .members
            .iter()
            .fold(Self::of(values, arg), |at, name| match at {
                Self::Given(base) => Self::member(values, base, name),
                other => other,
            })
    }

    /// What stands at the first of several places where anything does.
    #[must_use]
    pub fn at_any(values: &Values, known: &Known<'_>, places: &[Place]) -> Self {
        let mut found = Self::Absent;
        for place in places {
            match Self::at(values, known, place) {
                Self::Given(value) => return Self::Given(value),
                Self::Unknown => found = Self::Unknown,
                Self::Absent => {}
            }
        }
        found
    }

    /// What a value says that stands at the place of an option.
    #[must_use]
    pub fn given(values: &Values, value: ValueId) -> Self {
        Self::of(values, value)
    }

    fn of(values: &Values, value: ValueId) -> Self {
        match values.value(value) {
            Value::Const(Const::Undefined | Const::Null) => Self::Absent,
            Value::Unknown(_) => Self::Unknown,
            _ => Self::Given(value),
        }
    }

    /// What stands at a member of an object with options.
    #[must_use]
    pub fn member(values: &Values, base: ValueId, name: &str) -> Self {
        match values.value(base) {
            Value::Object(object) => {
                let data = values.object(*object);
                if data.added.iter().any(|added| *added == name) {
                    return Self::Unknown;
                }
                for entry in data.entries.iter().rev() {
                    match entry {
                        Entry::Named(key, value) if *key == name => {
                            return Self::of(values, *value);
                        }
                        Entry::Spread(other) => match Self::member(values, *other, name) {
                            Self::Absent => {}
                            found => return found,
                        },
                        Entry::Computed(..) => return Self::Unknown,
                        _ => {}
                    }
                }
                Self::Absent
            }
            Value::Choice(alternatives) => {
                let mut each = alternatives
                    .iter()
                    .map(|each| Self::member(values, each.value, name));
                let first = each.next().unwrap_or(Self::Unknown);
                if each.all(|other| other == first) {
                    first
                } else {
                    Self::Unknown
                }
            }
            // A callback stands where the options would, or there is nothing to look into.
            Value::Function { .. } | Value::Const(_) | Value::Array(_) => Self::Absent,
            _ => Self::Unknown,
        }
    }
}
