//! `Attached`: a function that was handed to an application or router, and what is told from its shape.

use portcullis_code::{
    body::{Const, Span},
    machine::Machine,
    value::{Entry, Value, ValueId},
};

use crate::route::Site;

/// Deepest nesting of handler lists.
const LISTS_MAX: u32 = 8;

/// A function and where it was attached.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attached {
    /// The function.
    pub(super) value: ValueId,
    /// Where.
    pub(super) site: Site,
}

/// The functions among arguments, lists of lists flattened, without error handlers.
pub(super) fn functions(
    machine: &Machine<'_>,
    args: &[(ValueId, bool)],
    site: Site,
) -> Vec<Attached> {
    let mut found = Vec::new();
    for &(value, _) in args {
        flatten(machine, value, LISTS_MAX, &mut found);
    }
    found
        .into_iter()
        .map(|value| Attached {
            value,
            site: place(machine, value, site),
        })
        .collect()
}

fn flatten(machine: &Machine<'_>, value: ValueId, depth: u32, found: &mut Vec<ValueId>) {
    match machine.values.value(value) {
        Value::Array(object) if depth > 0 => {
            for entry in &machine.values.object(*object).entries {
                match *entry {
                    Entry::Item(item) | Entry::Spread(item) | Entry::Each(item) => {
                        flatten(machine, item, depth - 1, found);
                    }
                    Entry::Named(..) | Entry::Computed(..) => {}
                }
            }
        }
        // `condition && middleware` that is known not to hold.
        Value::Const(Const::Null | Const::Undefined | Const::Bool(_)) => {}
        _ if parameter_count(machine, value) == Some(4) => {}
        _ => found.push(value),
    }
}

/// How many parameters a project function has; none where that is not known.
pub(super) fn parameter_count(machine: &Machine<'_>, value: ValueId) -> Option<usize> {
    let Value::Function {
        module, function, ..
    } = *machine.values.value(value)
    else {
        return None;
    };
    let function = machine.project.module(module).body.function(function);
    function.rest.is_none().then_some(function.params.len())
}

/// Where a value is written, else where it was attached.
pub(super) fn place(machine: &Machine<'_>, value: ValueId, attached: Site) -> Site {
    let (module, span) = machine.place(value);
    if span == Span::default() {
        attached
    } else {
        Site { module, span }
    }
}
