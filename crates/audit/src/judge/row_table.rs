//! Whose row an id names, where the query does not say: `ctx.db.get(id)` of Convex is told only the id.
//!
//! An id leads to its table by what it is a part of: the validator of an argument (`v.id("notes")`), a column of a row
//! that the schema speaks of, a row's own `_id`, what an insert gave back, who calls.

use portcullis_code::{
    machine::Machine,
    value::{CallId, Value, ValueId},
};
use ustr::{Ustr, ustr};

use super::Judging;
use crate::{
    input::Input,
    library::{DbOp, Meaning, Usage},
    origin::Origins,
    parts,
    query::Query,
    route::Convention,
    schema::Schema,
};

/// How many choices, members and elements lead from an id to what names its table, at most.
const DEPTH_MAX: u32 = 12;
/// What a row calls its own id.
const ID: &str = "_id";
/// The table of the platform that has the stored files.
const FILES: &str = "_storage";

impl Judging<'_, '_, '_, '_> {
    /// Names the tables of queries that are told only an id, in their order: a row leads to the next one.
    pub(super) fn name_tables(&mut self, queries: &mut [Query]) {
        self.tell_components(queries);
        let declared = self.declared_arguments();
        for number in 0..queries.len() {
            let Some(id) = queries.get(number).and_then(only_id) else {
                continue;
            };
            let table = Naming {
                judging: self,
                queries,
                declared,
            }
            .of_id(id, 0);
            if let Some(query) = queries.get_mut(number) {
                query.table = table;
            }
        }
        self.tell_components(queries);
    }

    /// A component's functions see their own tables only, whatever the application calls one of its.
    fn tell_components(&self, queries: &mut [Query]) {
        for query in queries {
            let call = query.calls.last();
            let (Some(table), Some(call)) = (query.table, call) else {
                continue;
            };
            let module = self.machine.values.call(*call).module;
            let file = &self.machine.project.module(module).file;
            if let Some(own) = self.bench.schema.of_component(file, &table) {
                query.table = Some(ustr(&own));
            }
        }
    }

    /// The stored files that a query writes down and that the client chose.
    pub(super) fn chosen_files(&mut self, queries: &[Query], query: &Query) -> Vec<ValueId> {
        if !query.op.writes() {
            return Vec::new();
        }
        let mut found = Vec::new();
        for data in &query.data {
            for (_, value) in parts::written(&self.machine.values, *data) {
                if !self.origins(value).any(Origins::CHOSEN) {
                    continue;
                }
                let declared = self.declared_arguments();
                let mut naming = Naming {
                    judging: self,
                    queries,
                    declared,
                };
                if naming.of_id(value, 0).is_some_and(|table| table == FILES) {
                    found.push(value);
                }
            }
        }
        found
    }

    /// The validators of the arguments, where there are some.
    fn declared_arguments(&self) -> Option<ValueId> {
        match self.route.chain.last()?.convention {
            Convention::Convex(arguments) => arguments.declared,
            _ => None,
        }
    }
}

/// The id of a query that has nothing else.
fn only_id(query: &Query) -> Option<ValueId> {
    match query.filters.as_slice() {
        [filter] if query.table.is_none() && filter.column == "id" => Some(filter.value),
        _ => None,
    }
}

struct Naming<'n, 'j, 'm, 'p, 'a> {
    judging: &'n mut Judging<'j, 'm, 'p, 'a>,
    queries: &'n [Query],
    /// The validators of the arguments.
    declared: Option<ValueId>,
}

impl Naming<'_, '_, '_, '_, '_> {
    /// The table whose rows an id names.
    fn of_id(&mut self, id: ValueId, depth: u32) -> Option<Ustr> {
        if depth > DEPTH_MAX {
            return None;
        }
        self.of_id_by_flow(id, depth)
            .or_else(|| self.stated(id, &["Id", "GenericId"]))
    }

    fn of_id_by_flow(&mut self, id: ValueId, depth: u32) -> Option<Ustr> {
        match self.judging.machine.values.value(id).clone() {
            Value::Choice(alternatives) => {
                let values = &self.judging.machine.values;
                let each: Vec<ValueId> = alternatives
                    .iter()
                    .map(|each| each.value)
                    .filter(|each| values.as_const(*each).is_none())
                    .collect();
                self.same(&each, |this, each| this.of_id(each, depth + 1))
            }
            Value::Promise(inner) | Value::Element(inner) | Value::Index(inner, _) => {
                self.of_id(inner, depth + 1)
            }
            Value::Member(..) => self.of_member(id, depth),
            Value::Call(call) => self.of_call(call),
            _ => None,
        }
    }

    /// A column of a row, or an argument.
    fn of_member(&mut self, id: ValueId, depth: u32) -> Option<Ustr> {
        let mut path: Vec<Ustr> = Vec::new();
        let mut at = id;
        while let Value::Member(base, name) = *self.judging.machine.values.value(at) {
            path.insert(0, name);
            if let Some(table) = self.of_row(base, depth + 1) {
                return column(self.judging.bench.schema, table, &path);
            }
            at = base;
        }
        let is_input = matches!(
            self.judging.machine.values.value(at),
            Value::Input(tag) if matches!(Input::of(*tag), Input::CheckedArgument | Input::Argument(0) | Input::Other)
        );
        let declared = self.declared.filter(|_| is_input)?;
        validated(self.judging.machine, declared, &path)
    }

    /// The table that a row is of.
    fn of_row(&mut self, row: ValueId, depth: u32) -> Option<Ustr> {
        if depth > DEPTH_MAX {
            return None;
        }
        self.of_row_by_flow(row, depth)
            .or_else(|| self.stated(row, &["Doc"]))
    }

    fn of_row_by_flow(&mut self, row: ValueId, depth: u32) -> Option<Ustr> {
        match self.judging.machine.values.value(row).clone() {
            Value::Call(call) => {
                let query = self.query(call)?;
                (query.op != DbOp::Create).then_some(query.table)?
            }
            Value::Promise(inner)
            | Value::Element(inner)
            | Value::Kept(inner, _)
            | Value::Index(inner, _) => self.of_row(inner, depth + 1),
            // One page of rows.
            Value::Member(inner, name) if name == "page" => self.of_row(inner, depth + 1),
            Value::Choice(alternatives) => {
                let values = &self.judging.machine.values;
                let each: Vec<ValueId> = alternatives
                    .iter()
                    .map(|each| each.value)
                    .filter(|each| values.as_const(*each).is_none())
                    .collect();
                self.same(&each, |this, each| this.of_row(each, depth + 1))
            }
            _ => None,
        }
    }

    fn of_call(&self, call: CallId) -> Option<Ustr> {
        if let Some(query) = self.query(call) {
            return (query.op == DbOp::Create).then_some(query.table)?;
        }
        let values = &self.judging.machine.values;
        let data = values.call(call);
        // `ctx.db.normalizeId("notes", text)`
        if let Value::Member(_, name) = values.value(data.callee)
            && name == "normalizeId"
        {
            return data.args.first().and_then(|arg| values.as_text(arg.0));
        }
        let known = self.judging.bench.knowledge.of_call(values, call);
        let is_caller = known.iter().any(|known| {
            known.row.usage == Usage::Plain && matches!(known.row.meaning, Meaning::Caller(_))
        });
        let tables = self.judging.bench.schema.tables();
        let mut users = tables.iter().filter(|table| table.is_user_table);
        let only = users.next().filter(|_| users.next().is_none());
        only.filter(|_| is_caller).map(|table| ustr(&table.name))
    }

    /// The table that the code states of a value by its type: `body.note as Id<"notes">`, `(note: Doc<"notes">)`.
    fn stated(&self, value: ValueId, types: &[&str]) -> Option<Ustr> {
        let stated = self.judging.machine.stated(value)?;
        let schema = self.judging.bench.schema;
        let is_known = || stated.text == FILES || schema.table(&stated.text).is_some();
        (types.contains(&stated.name.as_str()) && is_known()).then_some(stated.text)
    }

    fn query(&self, call: CallId) -> Option<&Query> {
        let mut queries = self.queries.iter();
        queries.find(|query| query.calls.contains(&call))
    }

    /// What each of several leads to, where that is the same.
    fn same(
        &mut self,
        each: &[ValueId],
        mut of: impl FnMut(&mut Self, ValueId) -> Option<Ustr>,
    ) -> Option<Ustr> {
        let (first, others) = each.split_first()?;
        let first = of(self, *first)?;
        others
            .iter()
            .all(|other| of(self, *other) == Some(first))
            .then_some(first)
    }
}

/// The table that a column of a row names a row of.
fn column(schema: &Schema, table: Ustr, path: &[Ustr]) -> Option<Ustr> {
    if let [only] = path
        && only == ID
    {
        return Some(table);
    }
    let path: Vec<&str> = path.iter().map(Ustr::as_str).collect();
    let path = path.join(".");
    let table = schema.table(&table)?;
    let mut relations = table.relations.iter();
    let found = relations.find(|relation| relation.columns.contains(&path))?;
    Some(ustr(&found.target))
}

/// The table that the validator of an argument names: `{ note: v.id("notes") }`.
fn validated(machine: &mut Machine<'_>, declared: ValueId, path: &[Ustr]) -> Option<Ustr> {
    let mut at = declared;
    for name in path {
        at = inside(machine, at, &["object", "optional"]);
        at = machine.member(at, *name);
    }
    let at = inside(machine, at, &["optional", "union", "array", "nullable"]);
    let Value::Call(call) = *machine.values.value(at) else {
        return None;
    };
    let data = machine.values.call(call);
    let Value::Member(_, made) = machine.values.value(data.callee) else {
        return None;
    };
    (made == "id")
        .then(|| data.args.first())
        .flatten()
        .and_then(|arg| machine.values.as_text(arg.0))
}

/// What the outer validators are made of: `v.optional(v.id("notes"))`; of a union the first that names something.
fn inside(machine: &Machine<'_>, validator: ValueId, outer: &[&str]) -> ValueId {
    let values = &machine.values;
    let mut at = validator;
    for _ in 0..DEPTH_MAX {
        let Value::Call(call) = values.value(at) else {
            break;
        };
        let data = values.call(*call);
        let is_outer = matches!(values.value(data.callee), Value::Member(_, made) if outer.contains(&made.as_str()));
        let null = |value: ValueId| {
            matches!(values.value(value), Value::Call(call)
                if matches!(values.value(values.call(*call).callee), Value::Member(_, made) if made == "null"))
        };
        match data.args.iter().map(|arg| arg.0).find(|arg| !null(*arg)) {
            Some(inner) if is_outer => at = inner,
            _ => break,
        }
    }
    at
}
