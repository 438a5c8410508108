//! Endpoints that a builder makes: `client.use(mw).schema(s).action(fn)` runs each middleware and then the function.

use portcullis_code::{
    machine::{Machine, Outcome},
    value::{CallId, Value, ValueId, Values},
};

use ustr::Ustr;

use crate::{
    knowledge::Knowledge,
    library::{Chain, Meaning, Piece, Root},
};

/// What an endpoint of a builder runs, in order; the last is the function that does the work.
#[derive(Debug)]
pub(crate) struct Pieces {
    functions: Vec<ValueId>,
    /// What each is given: one object that they all see, with the context that earlier ones left.
    given: ValueId,
}

/// The pieces of an endpoint, if the value is what the end of a builder made.
pub(crate) fn pieces(
    machine: &mut Machine<'_>,
    knowledge: &Knowledge<'_>,
    value: ValueId,
) -> Option<Pieces> {
    let Value::Call(end) = *machine.values.value(value) else {
        return None;
    };
    let last = piece(&machine.values, knowledge, end, Piece::End)?;
    let mut functions = vec![last.function];
    for call in crate::query::chain_before(&machine.values, end) {
        let middleware = piece(&machine.values, knowledge, call, Piece::Middleware);
        if let Some(middleware) = middleware {
            functions.push(middleware.function);
        }
    }
    functions.reverse();
    let given = machine.values.make(Value::Handed(end, last.at, 0));
    // An id that an earlier piece checked is the one that the end uses.
    for (early, late) in last.same {
        let value = machine.values.make(Value::Member(given, late));
        machine.put(given, early, value);
    }
    Some(Pieces { functions, given })
}

/// A piece that is a function.
struct Found {
    function: ValueId,
    /// The argument that it is.
    at: u32,
    /// By which names it is told what the end is told by others.
    same: Vec<(Ustr, Ustr)>,
}

fn piece(values: &Values, knowledge: &Knowledge<'_>, call: CallId, wanted: Piece) -> Option<Found> {
    knowledge.of_call(values, call).iter().find_map(|known| {
        let Meaning::Chain(Chain {
            piece,
            at: Some(place),
            same,
            ..
        }) = &known.row.meaning
        else {
            return None;
        };
        let Root::Argument(number) = place.root else {
            return None;
        };
        let function = knowledge
            .place(values, known, place)
            .filter(|_| *piece == wanted)?;
        let is_function = matches!(
            values.value(function),
            Value::Function { .. } | Value::Choice(_)
        );
        let same = same
            .iter()
            .map(|(early, late)| (Ustr::from(early), Ustr::from(late)))
            .collect();
        let at = u32::try_from(number).ok()?;
        is_function.then_some(Found { function, at, same })
    })
}

/// Runs them one after the other, each from where the one before goes on.
pub(crate) fn run(machine: &mut Machine<'_>, pieces: &Pieces) -> Outcome {
    let mut last = Outcome::default();
    let count = pieces.functions.len();
    for (number, function) in pieces.functions.iter().enumerate() {
        let outcome = machine.run(*function, &[pieces.given]);
        last.throws.extend(outcome.throws);
        last.out_of_steps |= outcome.out_of_steps;
        if number + 1 == count {
            last.returns = outcome.returns;
        } else if !outcome.continues.is_empty() {
            machine.resume(outcome.continues);
        }
    }
    last
}
