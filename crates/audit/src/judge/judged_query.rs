//! `JudgedQuery`: what the route asks of the database, and which of its filters the client chose.

use portcullis_code::value::{Value, ValueId};
use rustc_hash::FxHashSet;

use ustr::Ustr;

use super::{Binding, Judging, is_secret_column};
use crate::{
    library::{DbOp, Operator},
    origin::Origins,
    parts,
    passes::Proof,
    query::{self, Filter, Query},
};

/// How many members and choices lead from a value to the call that gave it.
const FETCHED_DEPTH_MAX: u32 = 12;

/// A query with what is proved where it runs.
#[derive(Clone, Debug)]
pub struct JudgedQuery {
    /// The query.
    pub query: Query,
    /// How its rows are bound.
    pub binding: Binding,
    /// The filters whose values the client chose.
    pub chosen: Vec<usize>,
    /// The first column that the client chose the text of by which rows are found, whatever it names.
    pub found_by: Option<Ustr>,
    /// Whether who calls is known.
    pub identified: bool,
    /// Whether a role or permission was checked.
    pub authorized: bool,
    /// The stored files that it writes down, that the client chose, and that nothing binds to the caller.
    pub files: Vec<ValueId>,
    /// Whether its row is compared with the caller on some ways only.
    pub compared_partly: bool,
    /// The link of the chain that it runs in.
    pub link: usize,
}

impl Judging<'_, '_, '_, '_> {
    /// Queries, in order: what an earlier one proved about a row serves the later ones.
    pub(super) fn queries(&mut self) -> Vec<JudgedQuery> {
        self.find_stored_secrets();
        let mut found = query::queries(self.machine, self.events, self.bench.knowledge);
        self.name_tables(&mut found);
        let files: Vec<Vec<ValueId>> = found
            .iter()
            .map(|query| self.chosen_files(&found, query))
            .collect();
        let mut judged: Vec<JudgedQuery> = found
            .into_iter()
            .zip(files)
            .map(|(query, files)| JudgedQuery {
                files,
                ..self.look_at_filters(query)
            })
            .collect();
        for number in 0..judged.len() {
            self.look_again(&mut judged, number);
            let binding = self.binding(&judged, number);
            let Some(this) = judged.get_mut(number) else {
                continue;
            };
            if binding == Binding::Bound {
                // What was reached through something bound is bound itself, and so is what is reached through it.
                self.bind(&this.query);
            }
            let facts = this.query.facts;
            this.compared_partly = binding == Binding::Unbound && self.compared_partly(&this.query);
            this.binding = binding;
            this.identified = self.identified(facts);
            this.authorized = self.has(facts, Proof::Authorization);
            this.link = self.link_of(this.query.event);
        }
        // What was looked up among the caller's own is the caller's to use.
        let own: FxHashSet<ValueId> = judged
            .iter()
            .filter(|judged| matches!(judged.binding, Binding::Bound | Binding::Own))
            .flat_map(|judged| judged.query.filters.iter().map(|filter| filter.value))
            .collect();
        for judged in &mut judged {
            judged.files.retain(|file| !own.contains(file));
        }
        judged
    }

    /// Which filters of a query the client chose, and whether one of them names the caller or a secret.
    fn look_at_filters(&self, query: Query) -> JudgedQuery {
        let sent = Origins::CHOSEN.and(Origins::COOKIE).and(Origins::HEADER);
        let mut chosen = Vec::new();
        let found_by = query
            .filters
            .iter()
            .find(|filter| {
                filter.operator == Operator::Eq && self.origins(filter.value).any(Origins::CHOSEN)
            })
            .map(|filter| filter.column);
        for (number, filter) in query.filters.iter().enumerate() {
            let origins = self.origins(filter.value);
            // What a row must not be chooses none.
            if !origins.any(sent) || filter.operator == Operator::Not {
                continue;
            }
            if is_secret_column(&filter.column, self.bench.schema, query.table)
                || origins.any(Origins::HEADER)
                    && !is_name(&filter.column)
                    && self.is_credential(filter.value)
            {
                for call in &query.calls {
                    self.bench
                        .passes
                        .secret(*call, origins.any(Origins::HEADER));
                    self.bench.origins.hold(*call);
                }
            } else if origins.any(Origins::CHOSEN)
                && self.selects_object(&query, &filter.column)
                && !self.is_public_name(&query, filter)
                && !self.is_fetched(filter.value, 0)
                && !origins.any(Origins::BOUND)
            {
                chosen.push(number);
            }
        }
        if self.bind_all(&query.filters, &chosen) {
            self.bind(&query);
        }
        self.bench.passes.forget();
        JudgedQuery {
            query,
            binding: Binding::Nothing,
            chosen,
            found_by,
            identified: false,
            authorized: false,
            files: Vec::new(),
            compared_partly: false,
            link: 0,
        }
    }

    /// Whether a value is what the client sent to say who it is.
    fn is_credential(&self, value: ValueId) -> bool {
        parts::headers_of(&self.machine.values, value)
            .iter()
            .any(|name| name.eq_ignore_ascii_case("authorization"))
    }

    /// From here on the rows that a query finds are the caller's.
    fn bind(&self, query: &Query) {
        let mut is_new = false;
        for call in &query.calls {
            is_new |= self.bench.origins.bind(*call);
        }
        if is_new {
            self.bench.passes.forget();
        }
    }

    /// What was reached through rows that turned out to be bound is no free choice of the client any more, and what stands
    /// beside such a value in a filter is bound by it.
    fn look_again(&self, judged: &mut [JudgedQuery], number: usize) {
        let Some(this) = judged.get_mut(number) else {
            return;
        };
        let filters = &this.query.filters;
        this.chosen.retain(|number| {
            filters
                .get(*number)
                .is_some_and(|filter| !self.origins(filter.value).any(Origins::BOUND))
        });
        if self.bind_all(filters, &this.chosen) && !self.is_bound(&this.query) {
            self.bind(&this.query);
        }
    }

    /// Whether the filters together let through only what is the caller's, or what somebody opened: in an `or` with the
    /// caller, no other way may be the client's alone.
    fn bind_all(&self, filters: &[Filter], chosen: &[usize]) -> bool {
        let is_clients_alone = |way: (ValueId, usize)| {
            let mut of_way = filters
                .iter()
                .enumerate()
                .filter(|(_, filter)| filter.ways.contains(&way))
                .peekable();
            of_way.peek().is_some() && of_way.all(|(number, _)| chosen.contains(&number))
        };
        filters.iter().any(|filter| {
            self.binds(filter)
                && filter.ways.iter().all(|(or, _)| {
                    let mut others = filters.iter().flat_map(|other| &other.ways);
                    !others.any(|other| other.0 == *or && is_clients_alone(*other))
                })
        })
    }

    /// Whether a filter lets through only what is the caller's.
    fn binds(&self, filter: &Filter) -> bool {
        matches!(filter.operator, Operator::Eq | Operator::In | Operator::Raw)
            && self.origins(filter.value).any(Origins::BOUND)
    }

    pub(super) fn is_bound(&self, query: &Query) -> bool {
        let mut calls = query.calls.iter();
        calls.any(|call| self.bench.origins.is_bound(*call))
    }

    /// Whether a value is what somebody else answered: the client chose what was asked, not what came back.
    fn is_fetched(&self, value: ValueId, depth: u32) -> bool {
        let values = &self.machine.values;
        if depth > FETCHED_DEPTH_MAX {
            return false;
        }
        match values.value(value) {
            Value::Choice(alternatives) => {
                let mut all = alternatives
                    .iter()
                    .filter(|each| self.origins(each.value).any(Origins::CHOSEN))
                    .peekable();
                all.peek().is_some() && all.all(|each| self.is_fetched(each.value, depth + 1))
            }
            Value::Call(call) => {
                let data = values.call(*call);
                let knowledge = self.bench.knowledge;
                let told = || {
                    let mut args = data.args.iter();
                    args.any(|arg| self.origins(arg.0).any(Origins::CHOSEN))
                };
                let reach = knowledge.reach(values, data.callee);
                reach.is_some_and(|reach| reach.package != "globalThis")
                    && (data.awaited || !told())
                    && knowledge.of_call(values, *call).is_empty()
            }
            _ => parts::whole_of(values, value)
                .is_some_and(|whole| self.is_fetched(whole, depth + 1)),
        }
    }

    /// Whether a row is read by a name that a protocol makes public: the `client_id` of an OAuth client (RFC 6749, 2.2).
    fn is_public_name(&self, query: &Query, filter: &Filter) -> bool {
        let named = matches!(last_name(&filter.column), "client_id" | "clientId");
        let sent = parts::sent_name(&self.machine.values, filter.value);
        query.op == DbOp::Read && named && sent.is_some_and(|name| name == "client_id")
    }

    fn selects_object(&self, query: &Query, column: &str) -> bool {
        let last = last_name(column);
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

/// The name of a column without the relations on the way.
pub(super) fn last_name(column: &str) -> &str {
    column.rsplit('.').next().unwrap_or(column)
}

/// Whether a column says who somebody is, which many know, and not what only they know.
fn is_name(column: &str) -> bool {
    let last = last_name(column);
    matches!(
        last.to_lowercase().as_str(),
        "id" | "_id" | "sub" | "email" | "username" | "name" | "slug" | "handle" | "phone"
    ) || last.ends_with("Id")
        || last.ends_with("_id")
}
