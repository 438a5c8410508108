//! `Asked`: a call that asks who calls and refuses nobody by itself, and whether anything depends on its answer.

use portcullis_code::{
    machine::EventKind,
    value::{CallId, Fact, FactsId, FrameId, Values},
};
use rustc_hash::FxHashSet;

use crate::{
    library::{Meaning, Pass, Usage},
    parts::PartOf,
    route::Site,
    rule::RouteContext,
};

/// A call that asks who calls.
pub(crate) struct Asked {
    pub(crate) call: CallId,
    /// Its number among the events.
    pub(crate) event: usize,
    pub(crate) site: Site,
    /// The activation it happens in.
    pub(crate) frame: Option<FrameId>,
}

impl Asked {
    /// The calls of a route that ask who calls and refuse nobody by themselves.
    pub(crate) fn all(context: &RouteContext<'_>) -> Vec<Self> {
        let values = &context.machine.values;
        let mut found = Vec::new();
        for (at, event) in context.judgement.events.iter().enumerate() {
            let EventKind::Call(call) = event.kind else {
                continue;
            };
            let asks = context
                .bench
                .knowledge
                .of_call(values, call)
                .iter()
                .any(|known| {
                    known.row.usage == Usage::Plain
                        && matches!(&known.row.meaning, Meaning::Caller(caller)
                            if caller.verified && caller.passing.pass != Some(Pass::Returns))
                });
            if asks {
                found.push(Self {
                    call,
                    event: at,
                    site: Site {
                        module: event.module,
                        span: event.span,
                    },
                    frame: event.frame,
                });
            }
        }
        found
    }

    /// Whether nobody looks at the answer: no test, no call, no query and no answer of the route has a part of it.
    pub(crate) fn is_forgotten(&self, context: &RouteContext<'_>) -> bool {
        let values = &context.machine.values;
        let judgement = context.judgement;
        let mut part = PartOf::new(values, self.call);
        let mut tested = FxHashSet::default();
        let in_events = judgement.events.iter().any(|event| {
            let by_kind = match event.kind {
                EventKind::Call(call) if call != self.call => {
                    let data = values.call(call);
                    part.is_in(data.callee) || data.args.iter().any(|arg| part.is_in(arg.0))
                }
                EventKind::Store(base, _, value) => part.is_in(base) || part.is_in(value),
                EventKind::Throw(value) | EventKind::Markup(value) => part.is_in(value),
                EventKind::Return(_, value) => part.is_in(value),
                EventKind::Call(_) | EventKind::Equal(..) | EventKind::Handled { .. } => false,
            };
            by_kind || is_tested(values, event.facts, &mut tested, &mut part)
        });
        let answers = &judgement.responses;
        !in_events
            && !answers
                .iter()
                .any(|response| response.body.is_some_and(|body| part.is_in(body)))
    }
}

/// Whether a test among the facts has a part of the answer. Points share the facts before them: `known` are those that were
/// looked at.
fn is_tested(
    values: &Values,
    facts: FactsId,
    known: &mut FxHashSet<FactsId>,
    part: &mut PartOf<'_>,
) -> bool {
    let mut at = facts;
    while let Some((before, fact)) = values.newest(at) {
        if !known.insert(at) {
            return false;
        }
        if matches!(fact, Fact::Test(value, _) if part.is_in(value)) {
            return true;
        }
        at = before;
    }
    false
}
