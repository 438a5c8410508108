//! `ShownRow`: from a value that is shown to the query whose row it is.

use portcullis_code::value::{Value, ValueId};
use ustr::Ustr;

use super::{Exposure, Showing, child_is_own, selection::Selection};
use crate::{
    judge::{Binding, JudgedQuery},
    knowledge::PathStep,
    library::{DbOp, Meaning},
    origin::Origins,
    query::Filter,
    rule::RouteContext,
};

/// A row of a query that is shown as it is, or rows that came along with it.
pub(super) struct ShownRow<'r> {
    query: &'r JudgedQuery,
    /// The members on the way from the result.
    path: Vec<Ustr>,
    /// The members that were taken out.
    pub(super) without: Vec<Ustr>,
}

/// Members of results that stand for the rows themselves.
const ROWS: [&str; 4] = ["rows", "data", "docs", "dataValues"];

impl<'r> ShownRow<'r> {
    /// The row that a value is, or is a part of, if it came of a query.
    pub(super) fn of(context: &RouteContext<'r>, value: ValueId) -> Option<Self> {
        let values = &context.machine.values;
        let (mut path, mut without) = (Vec::new(), Vec::new());
        let mut at = value;
        for _ in 0..16 {
            match values.value(at) {
                Value::Member(base, name) => {
                    path.push(*name);
                    at = *base;
                }
                Value::Rest(base, names) => {
                    if path.is_empty() {
                        without.extend(names.iter().copied());
                    }
                    at = *base;
                }
                Value::Index(base, _)
                | Value::Element(base)
                | Value::Kept(base, _)
                | Value::Promise(base) => at = *base,
                Value::Call(call) => {
                    let found = context
                        .judgement
                        .queries
                        .iter()
                        .find(|judged| judged.query.calls.contains(call));
                    if let Some(query) = found {
                        path.reverse();
                        path.retain(|name| !ROWS.contains(&name.as_str()));
                        return Some(Self {
                            query,
                            path,
                            without,
                        });
                    }
                    let Value::Member(base, name) = values.value(values.call(*call).callee) else {
                        return None;
                    };
                    if !matches!(
                        name.as_str(),
                        "toJSON" | "toObject" | "lean" | "exec" | "get"
                    ) || !values.call(*call).args.is_empty() && *name == "get"
                    {
                        return None;
                    }
                    at = *base;
                }
                _ => return None,
            }
        }
        None
    }

    /// The columns that the client itself said: it learns nothing from them.
    fn known_to_client(&self, context: &RouteContext<'_>) -> Vec<Ustr> {
        let sent = |filter: &&Filter| {
            context
                .bench
                .origins
                .of(&context.machine.values, filter.value)
                .any(Origins::CHOSEN)
        };
        let columns = self.query.query.filters.iter().filter(sent);
        columns
            .filter_map(|filter| filter.column.rsplit('.').next().map(Ustr::from))
            .collect()
    }

    /// Adds the columns that this row exposes.
    pub(super) fn expose(
        &self,
        context: &RouteContext<'_>,
        to_everybody: bool,
        seen: &mut Exposure,
    ) {
        let query = &self.query.query;
        let schema = context.bench.schema;
        let Some(table) = query.table.and_then(|table| schema.table(&table)) else {
            return;
        };
        if !gives_rows(context, self.query) {
            return;
        }
        let own = !to_everybody
            && (matches!(self.query.binding, Binding::Own | Binding::Bound)
                || query.op == DbOp::Create);
        // What stood in a row that is gone opens nothing any more, and it was the caller's.
        if own && query.op == DbOp::Delete {
            return;
        }
        let (mut selection, mut table, mut own) = (Selection::of(query), table, own);
        let mut column = None;
        for (number, name) in self.path.iter().enumerate() {
            let Some(relation) = table.relation(name) else {
                column = table.column(name).filter(|_| number + 1 == self.path.len());
                if column.is_none() {
                    return;
                }
                break;
            };
            let Some(target) = schema.table(&relation.target) else {
                return;
            };
            let Some(inner) = selection.relation(&context.machine.values, name) else {
                return;
            };
            selection = inner;
            own = child_is_own(table, relation, target, own);
            table = target;
        }
        let mut showing = Showing {
            context,
            authorized: self.query.authorized,
            known: self.known_to_client(context),
            created: query.op == DbOp::Create,
            of_anybody: query.op == DbOp::ReadMany || self.query.binding == Binding::Unbound,
            site: query.site,
            seen,
        };
        match column {
            Some(column) => showing.named_column(table, column, own),
            None => showing.table(table, &selection, &self.without, own, 0),
        }
    }
}

/// Whether the result of a query is rows, not a count.
fn gives_rows(context: &RouteContext<'_>, judged: &JudgedQuery) -> bool {
    let values = &context.machine.values;
    let knowledge = context.bench.knowledge;
    if matches!(judged.query.op, DbOp::Read | DbOp::ReadMany) {
        return true;
    }
    if !judged.query.op.writes() {
        return false;
    }
    judged.query.calls.iter().any(|call| {
        let data = values.call(*call);
        let reach = knowledge.reach(values, data.callee);
        let Some(PathStep::Member(name)) = reach.as_ref().and_then(|reach| reach.steps.last())
        else {
            return data.new;
        };
        let gives_row = knowledge
            .of_call(values, *call)
            .iter()
            .any(|known| matches!(&known.row.meaning, Meaning::Db(db) if db.gives_row));
        gives_row
            || matches!(name.as_str(), "create" | "save" | "returning")
            || name.ends_with("AndReturn")
            || name.starts_with("find")
    })
}
