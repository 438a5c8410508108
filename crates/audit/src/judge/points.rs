//! The points of a route that matter: what it does, and the answers that give something away.

use portcullis_code::value::{Fact, FactsId, Value, ValueId, Values};

use super::{Judgement, Judging};
use crate::{
    library::EffectKind,
    response::{self, ResponseKind},
};

impl Judging<'_, '_, '_, '_> {
    /// What has to be guarded: writes and effects, and the answers that give something away.
    pub(super) fn points(&self, judgement: &Judgement) -> Vec<FactsId> {
        let handler = self.link_starts.last().copied().unwrap_or(0);
        let mut points: Vec<FactsId> = Vec::new();
        for judged in &judgement.queries {
            if judged.query.op.writes() && judged.query.event >= handler {
                points.push(judged.query.facts);
            }
        }
        for effect in &judgement.effects {
            if !matches!(
                effect.kind,
                EffectKind::Cache | EffectKind::Http | EffectKind::FsRead
            ) {
                points.push(effect.facts);
            }
        }
        let touched = |facts: FactsId| {
            judgement.queries.iter().any(|judged| {
                judged.query.event >= handler
                    && judged
                        .query
                        .calls
                        .iter()
                        .any(|call| self.machine.values.holds(facts, Fact::Returned(*call)))
            })
        };
        let mut plain = Vec::new();
        for response in &judgement.responses {
            // What a middleware answers by itself is a refusal, or none of this route's business.
            if response.event.is_some_and(|event| event < handler)
                || response.refuses()
                || response.after_error(&self.machine.values)
                || response.kind == ResponseKind::Continues
            {
                continue;
            }
            let gives = response.kind == ResponseKind::Data
                && response
                    .body
                    .is_some_and(|body| !response::is_constant(&self.machine.values, body));
            let says_nothing = self.route.operation.is_some()
                && response
                    .body
                    .is_none_or(|body| is_nothing(&self.machine.values, body));
            if gives
                || touched(response.facts) && response.kind == ResponseKind::Data && !says_nothing
            {
                points.push(response.facts);
            } else {
                plain.push(response.facts);
            }
        }
        if points.is_empty() {
            points = plain;
        }
        points.sort_unstable();
        points.dedup();
        points
    }
}

/// Whether an answer is the one for what is not there: null, false, an empty list.
fn is_nothing(values: &Values, body: ValueId) -> bool {
    match values.value(body) {
        Value::Const(known) => !known.truthy(),
        Value::Array(list) => {
            let list = values.object(*list);
            list.entries.is_empty() && list.added.is_empty()
        }
        _ => false,
    }
}
