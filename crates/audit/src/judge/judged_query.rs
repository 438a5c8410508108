//! `JudgedQuery`: what the route asks of the database, and which of its filters the client chose.

use super::{Binding, Judging, is_secret_column};
use crate::{
    library::{DbOp, Operator},
    origin::Origins,
    passes::Proof,
    query::{self, Query},
};

/// A query with what is proved where it runs.
#[derive(Clone, Debug)]
pub struct JudgedQuery {
    /// The query.
    pub query: Query,
    /// How its rows are bound.
    pub binding: Binding,
    /// The filters whose values the client chose.
    pub chosen: Vec<usize>,
    /// Whether who calls is known.
    pub identified: bool,
    /// Whether a role or permission was checked.
    pub authorized: bool,
    /// The link of the chain that it runs in.
    pub link: usize,
}

impl Judging<'_, '_, '_, '_> {
    /// Queries, in order: what an earlier one proved about a row serves the later ones.
    pub(super) fn queries(&mut self) -> Vec<JudgedQuery> {
        let found = query::queries(self.machine, self.events, self.bench.knowledge);
        let mut judged: Vec<JudgedQuery> = Vec::with_capacity(found.len());
        for query in found {
            let mut chosen = Vec::new();
            let mut bound = false;
            for (number, filter) in query.filters.iter().enumerate() {
                let origins = self.origins(filter.value);
                if origins.any(Origins::BOUND)
                    && matches!(filter.operator, Operator::Eq | Operator::In | Operator::Raw)
                {
                    bound = true;
                }
                let sent = Origins::CHOSEN.and(Origins::COOKIE).and(Origins::HEADER);
                if origins.any(sent) {
                    if is_secret_column(&filter.column, self.bench.schema, query.table) {
                        for call in &query.calls {
                            self.bench
                                .passes
                                .secret(*call, origins.any(Origins::HEADER));
                            self.bench.origins.hold(*call);
                        }
                    } else if origins.any(Origins::CHOSEN)
                        && self.selects_object(&query, &filter.column)
                        && !origins.any(Origins::BOUND)
                    {
                        chosen.push(number);
                    }
                }
            }
            if bound {
                for call in &query.calls {
                    self.bench.origins.bind(*call);
                }
            }
            self.bench.passes.forget();
            judged.push(JudgedQuery {
                query,
                binding: Binding::Nothing,
                chosen,
                identified: false,
                authorized: false,
                link: 0,
            });
        }
        for number in 0..judged.len() {
            self.look_again(&mut judged, number);
            let binding = self.binding(&judged, number);
            if binding == Binding::Bound
                && let Some(query) = judged.get(number)
            {
                // What was reached through something bound is bound itself, and so is what is reached through it.
                for call in &query.query.calls {
                    self.bench.origins.bind(*call);
                }
                self.bench.passes.forget();
            }
            let Some(query) = judged.get(number) else {
                continue;
            };
            let (facts, event) = (query.query.facts, query.query.event);
            let (identified, authorized, link) = (
                self.identified(facts),
                self.has(facts, Proof::Authorization),
                self.link_of(event),
            );
            if let Some(query) = judged.get_mut(number) {
                query.binding = binding;
                query.identified = identified;
                query.authorized = authorized;
                query.link = link;
            }
        }
        judged
    }

    /// What was reached through rows that turned out to be bound is no free choice of the client any more.
    fn look_again(&self, judged: &mut [JudgedQuery], number: usize) {
        let Some(this) = judged.get_mut(number) else {
            return;
        };
        let before = this.chosen.len();
        let filters = &this.query.filters;
        this.chosen.retain(|number| {
            filters
                .get(*number)
                .is_some_and(|filter| !self.origins(filter.value).any(Origins::BOUND))
        });
        if this.chosen.len() < before {
            for call in &this.query.calls {
                self.bench.origins.bind(*call);
            }
            self.bench.passes.forget();
        }
    }

    fn selects_object(&self, query: &Query, column: &str) -> bool {
        let last = column.rsplit('.').next().unwrap_or(column);
        if matches!(last, "" | "?") {
            return true;
        }
        let lower = last.to_lowercase();
        let id_like = lower == "id"
            || lower == "_id"
            || lower == "uuid"
            || lower.ends_with("_id")
            || last.ends_with("Id")
            || last.ends_with("ID")
            || lower.ends_with("uuid");
        if id_like {
            return true;
        }
        let table = query
            .table
            .and_then(|table| self.bench.schema.table(&table));
        let unique = table
            .and_then(|table| table.column(last))
            .is_some_and(|column| column.unique || column.id);
        match query.op {
            // Whoever looks whether a name is taken reads by it; whoever changes by it has chosen the row.
            DbOp::Update | DbOp::Delete | DbOp::Upsert => {
                unique
                    || matches!(
                        lower.as_str(),
                        "slug" | "key" | "code" | "number" | "handle"
                    )
            }
            DbOp::Read => matches!(lower.as_str(), "slug" | "key" | "code" | "number"),
            _ => false,
        }
    }
}
