//! `Redeemed`: a confirmation that was looked up by its code, and what is then done to somebody whom the client names.

use portcullis_code::{
    body::BinaryOp,
    value::{Fact, FactsId, Value, ValueId},
};
use ustr::Ustr;

use super::{JudgedQuery, Judgement, Judging, is_secret_column, judged_query::last_name};
use crate::{
    library::{DbOp, EffectKind},
    origin::Origins,
    parts::{self, members_under, written},
    route::Site,
};

/// A confirmation that was looked up by its code, and something done to what the client names beside it, which nobody
/// compared with the confirmation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Redeemed {
    /// The table of confirmations.
    pub table: Ustr,
    /// The name under which the client sends what it is done to.
    pub sent: Ustr,
    /// Where the confirmation is looked up.
    pub found: Site,
    /// Where it is done.
    pub deed: Site,
}

impl Judging<'_, '_, '_, '_> {
    /// What is done on the strength of confirmations, to somebody who was not compared with them.
    pub(super) fn redeemed(&self, judgement: &Judgement) -> Vec<Redeemed> {
        let confirmations: Vec<(&JudgedQuery, Ustr)> = judgement
            .queries
            .iter()
            .filter(|judged| self.is_by_code(judged))
            .filter_map(|judged| Some((judged, judged.query.table?)))
            .collect();
        if confirmations.is_empty() {
            return Vec::new();
        }
        let changes =
            |judged: &&JudgedQuery| matches!(judged.query.op, DbOp::Update | DbOp::Delete);
        let writes = judgement.queries.iter().filter(changes).map(|judged| {
            let query = &judged.query;
            let filters = query.filters.iter().map(|filter| filter.value);
            let inputs: Vec<ValueId> = filters.chain(query.data.iter().copied()).collect();
            (query.facts, query.site, inputs)
        });
        let harmless = |kind| {
            matches!(
                kind,
                EffectKind::Cache | EffectKind::Http | EffectKind::FsRead
            )
        };
        let effects = judgement.effects.iter().filter(|it| !harmless(it.kind));
        let effects = effects.map(|effect| (effect.facts, effect.site, effect.inputs.clone()));
        let mut found: Vec<Redeemed> = Vec::new();
        // What a scheduled function does is told where it is scheduled.
        for (facts, deed, inputs) in effects.chain(writes) {
            for (confirmation, table) in &confirmations {
                let mut calls = confirmation.query.calls.iter();
                if !calls.any(|call| self.was_found(facts, *call)) {
                    continue;
                }
                if let Some(sent) = self.unconfirmed(confirmation, facts, &inputs)
                    && !found.iter().any(|known| {
                        known.deed == deed
                            || known.sent == sent && known.found == confirmation.query.site
                    })
                {
                    found.push(Redeemed {
                        table: *table,
                        sent,
                        found: confirmation.query.site,
                        deed,
                    });
                }
            }
        }
        found
    }

    /// Whether a query looks one row up by a code or token that the client sent.
    fn is_by_code(&self, judged: &JudgedQuery) -> bool {
        judged.query.op == DbOp::Read
            && judged.query.filters.iter().any(|filter| {
                let name = last_name(&filter.column).to_lowercase();
                let is_code = name.ends_with("code") || name.ends_with("token") || name == "otp";
                self.origins(filter.value).any(Origins::CHOSEN)
                    && (is_code
                        || is_secret_column(&filter.column, self.bench.schema, judged.query.table))
            })
    }

    /// The name of an id that the client sends and that goes into a deed without having been compared with the
    /// confirmation, or looked up together with it.
    fn unconfirmed(
        &self,
        confirmation: &JudgedQuery,
        facts: FactsId,
        inputs: &[ValueId],
    ) -> Option<Ustr> {
        let values = &self.machine.values;
        inputs
            .iter()
            .flat_map(|input| written(values, *input))
            .find_map(|(_, value)| {
                let sent = sent_id(values, value)?;
                let plain = parts::spelled(values, value);
                let looked_up = confirmation
                    .query
                    .filters
                    .iter()
                    .any(|filter| parts::spelled(values, filter.value) == plain);
                (!looked_up && !self.is_confirmed(confirmation, facts, plain)).then_some(sent)
            })
    }

    /// Whether a value was found equal to something of the confirmation.
    fn is_confirmed(&self, confirmation: &JudgedQuery, facts: FactsId, value: ValueId) -> bool {
        let values = &self.machine.values;
        values.facts(facts).any(|fact| match fact {
            Fact::Test(tested, true) => match *values.value(tested) {
                Value::Binary(BinaryOp::Equal, a, b) => {
                    [(a, b), (b, a)].into_iter().any(|(a, b)| {
                        parts::spelled(values, a) == value
                            && self
                                .rows_in(b)
                                .iter()
                                .any(|call| confirmation.query.calls.contains(call))
                    })
                }
                _ => false,
            },
            Fact::Test(_, false) | Fact::Returned(_) | Fact::Caught(_) | Fact::OneOf(_) => false,
        })
    }
}

/// The name of an id that the client sends as it is.
pub(crate) fn sent_id(values: &portcullis_code::value::Values, value: ValueId) -> Option<Ustr> {
    let (root, path) = members_under(values, value);
    let name = *path.last()?;
    let lower = name.to_lowercase();
    let is_id = lower == "id" || name.ends_with("Id") || lower.ends_with("_id");
    (is_id && matches!(values.value(root), Value::Input(_))).then_some(name)
}
