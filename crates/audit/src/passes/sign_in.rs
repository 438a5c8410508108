//! Which calls sign somebody in.

use portcullis_code::value::Values;

use crate::knowledge::{Knowledge, Known};

/// Whether what a row describes signs in by a strategy: that checks a credential, it does not say that somebody was
/// signed in before.
pub(crate) fn signs_in(knowledge: &Knowledge<'_>, values: &Values, known: &Known<'_>) -> bool {
    known.row.strategy.as_ref().is_some_and(|strategy| {
        knowledge
            .place(values, known, &strategy.at)
            .and_then(|name| values.as_text(name))
            .is_some_and(|name| strategy.signs_in(&name))
    })
}

/// Whether the strategy that a row is told of reads what a browser sends by itself; none where it may, or there is none.
pub(super) fn strategy_is_ambient(
    knowledge: &Knowledge<'_>,
    values: &Values,
    known: &Known<'_>,
) -> Option<bool> {
    let strategy = known.row.strategy.as_ref()?;
    let name = knowledge.place(values, known, &strategy.at)?;
    strategy.is_ambient(&values.as_text(name)?)
}
