//! What a route asks of the database: one query each, put together from the pieces of its call chain.

use portcullis_code::{
    body::{BinaryOp, Const},
    machine::{Event, EventKind, Machine},
    value::{CallId, Entry, FactsId, FrameId, Value, ValueId, Values},
};
use rustc_hash::FxHashMap;
use ustr::{Ustr, ustr};

use crate::{
    knowledge::{Knowledge, Known},
    library::{Db, DbOp, Meaning, Operator, Part, Usage},
    route::Site,
};

/// One query.
#[derive(Clone, Debug)]
pub struct Query {
    /// What it does.
    pub op: DbOp,
    /// The table, model or collection, as the code names it.
    pub table: Option<Ustr>,
    /// Which rows.
    pub filters: Vec<Filter>,
    /// What is written.
    pub data: Vec<ValueId>,
    /// Which columns are shown.
    pub select: Vec<ValueId>,
    /// Which columns are left out.
    pub omit: Vec<ValueId>,
    /// Which columns are left out of the rows of each table, whatever is asked.
    pub omit_by_table: Option<ValueId>,
    /// Which rows of other tables come along.
    pub include: Vec<ValueId>,
    /// The text of a query.
    pub text: Option<ValueId>,
    /// The value of each call of the chain, the first one first; the last is the result.
    pub calls: Vec<CallId>,
    /// Where the operation stands.
    pub site: Site,
    /// What holds when it runs.
    pub facts: FactsId,
    /// The index of its first event.
    pub event: usize,
    /// The activation it runs in.
    pub frame: Option<FrameId>,
}

/// One test of a filter.
#[derive(Clone, Debug)]
pub struct Filter {
    /// The column, with the relations on the way: `members.some.profileId`.
    pub column: Ustr,
    /// What it is compared with.
    pub value: ValueId,
    /// How.
    pub operator: Operator,
    /// Whether it applies only sometimes.
    pub conditional: bool,
    /// The alternatives that it stands in: which `or`, and which of its ways.
    pub ways: Vec<(ValueId, usize)>,
    /// The call that is this test, where that is one of its own: `q.eq("owner", me)`.
    pub call: Option<CallId>,
}

/// Where in a filter a part of it stands.
#[derive(Clone, Debug, Default)]
struct Standing {
    /// The column, with the relations on the way.
    path: String,
    conditional: bool,
    /// Whether it says what must not be.
    negated: bool,
    ways: Vec<(ValueId, usize)>,
    depth: usize,
}

impl Standing {
    fn inside(&self) -> Self {
        Self {
            depth: self.depth + 1,
            ..self.clone()
        }
    }

    /// One of the ways of an `or`.
    fn way(&self, or: ValueId, number: usize) -> Self {
        let mut inside = self.inside();
        inside.conditional = true;
        inside.ways.push((or, number));
        inside
    }

    fn test(&self, column: Ustr, value: ValueId, operator: Operator) -> Filter {
        Filter {
            column,
            value,
            operator: if self.negated {
                Operator::Not
            } else {
                operator
            },
            conditional: self.conditional,
            ways: self.ways.clone(),
            call: None,
        }
    }
}

/// Deepest nesting of a filter.
const DEPTH_MAX: usize = 8;

/// Every query among the events, in order.
#[must_use]
pub fn queries(machine: &Machine<'_>, events: &[Event], knowledge: &Knowledge<'_>) -> Vec<Query> {
    let mut found: Vec<Query> = Vec::new();
    let mut of_call: FxHashMap<CallId, usize> = FxHashMap::default();
    let values = &machine.values;
    for (number, event) in events.iter().enumerate() {
        let EventKind::Call(call) = event.kind else {
            continue;
        };
        for known in knowledge.of_call(values, call) {
            let Meaning::Db(db) = &known.row.meaning else {
                continue;
            };
            if known.row.usage != Usage::Plain || db.op == Some(DbOp::Transaction) {
                continue;
            }
            let before = chain_before(values, call)
                .into_iter()
                .find_map(|earlier| of_call.get(&earlier).copied());
            let site = Site {
                module: event.module,
                span: event.span,
            };
            // `note.patch(..)` where `note` was waited for: what was read by then, and what held, is another matter.
            let row = before
                .filter(|_| db.of_row && was_read(values, call))
                .and_then(|before| found.get(before));
            let (table, filters) = row.map_or_else(
                || (None, Vec::new()),
                |row| (row.table, row.filters.clone()),
            );
            let before = before.filter(|_| row.is_none());
            let at = before.unwrap_or_else(|| {
                found.push(Query {
                    op: db.op.unwrap_or(DbOp::ReadMany),
                    table,
                    filters,
                    data: Vec::new(),
                    select: Vec::new(),
                    omit: Vec::new(),
                    omit_by_table: None,
                    include: Vec::new(),
                    text: None,
                    calls: Vec::new(),
                    site,
                    facts: event.facts,
                    event: number,
                    frame: event.frame,
                });
                found.len().saturating_sub(1)
            });
            of_call.insert(call, at);
            if let Some(query) = found.get_mut(at) {
                query.calls.push(call);
                add_piece(values, knowledge, (&known, call), db, query, site);
            }
            break;
        }
    }
    found
}

/// Whether what a call was made on was waited for.
fn was_read(values: &Values, call: CallId) -> bool {
    let before = chain_before(values, call);
    let nearest = before.first();
    nearest.is_some_and(|nearest| values.call(*nearest).awaited)
}

/// The calls that a chained call was made on, the nearest first.
pub(crate) fn chain_before(values: &Values, call: CallId) -> Vec<CallId> {
    let mut calls = Vec::new();
    let mut at = values.call(call).callee;
    for _ in 0..24 {
        match values.value(at) {
            Value::Member(base, _) | Value::Promise(base) => at = *base,
            Value::Call(earlier) => {
                calls.push(*earlier);
                at = values.call(*earlier).callee;
            }
            // `query.where((q) => q.eq(..))`: what is called on the parameter is a piece of the same chain.
            Value::Handed(earlier, ..) => {
                calls.push(*earlier);
                at = values.call(*earlier).callee;
            }
            Value::Choice(alternatives) => match alternatives.first() {
                Some(first) => at = first.value,
                None => break,
            },
            _ => break,
        }
    }
    calls
}

fn add_piece(
    values: &Values,
    knowledge: &Knowledge<'_>,
    (known, call): (&Known<'_>, CallId),
    db: &Db,
    query: &mut Query,
    site: Site,
) {
    if let Some(op) = db.op {
        query.op = op;
        query.site = site;
    } else if db.part == Some(Part::One) {
        query.op = if query.op == DbOp::ReadMany {
            DbOp::Read
        } else {
            query.op
        };
    }
    if query.table.is_none() {
        query.table = table(values, knowledge, known, db);
    }
    for place in &db.filter {
        let found = knowledge.places(values, known, place);
        for value in &found {
            query.filters.extend(flatten(values, knowledge, *value));
        }
        if !found.is_empty() {
            break;
        }
    }
    if let Some(place) = &db.id {
        for value in knowledge.places(values, known, place) {
            query.filters.push(Filter {
                column: ustr("id"),
                value,
                operator: Operator::Eq,
                conditional: false,
                ways: Vec::new(),
                call: None,
            });
        }
    }
    if let Some(joins @ (Operator::Or | Operator::Not)) =
        db.operator.filter(|_| db.column.is_none())
    {
        join(values, call, joins, query);
    }
    if let (Some(column), Some(value)) = (&db.column, &db.value) {
        let column = knowledge.place(values, known, column);
        let value = knowledge.place(values, known, value);
        if let (Some(column), Some(value)) = (column, value) {
            let name = column_name(values, column);
            let operator = db.operator.unwrap_or(Operator::Eq);
            query.filters.push(Filter {
                column: name,
                value,
                operator,
                conditional: false,
                ways: Vec::new(),
                call: Some(call),
            });
        } else if let Some(column) = column {
            query.filters.extend(flatten(values, knowledge, column));
        }
    }
    for (places, into) in [
        (&db.data, &mut query.data),
        (&db.select, &mut query.select),
        (&db.omit, &mut query.omit),
        (&db.include, &mut query.include),
    ] {
        for place in places {
            into.extend(knowledge.places(values, known, place));
        }
    }
    if let Some(place) = &db.omit_by_table {
        query.omit_by_table = query
            .omit_by_table
            .or_else(|| knowledge.place(values, known, place));
    }
    if let Some(text) = &db.text {
        query.text = query.text.or(knowledge.place(values, known, text));
        if let Some(bound) = &db.values {
            for value in knowledge.places(values, known, bound) {
                query.filters.push(Filter {
                    column: ustr("?"),
                    value,
                    operator: Operator::Raw,
                    conditional: false,
                    ways: Vec::new(),
                    call: None,
                });
            }
        }
    }
}

/// Tests that were made before are put into an `or`, each into its way, or turned round: `q.or(q.eq(..), q.eq(..))`.
fn join(values: &Values, call: CallId, joins: Operator, query: &mut Query) {
    let Some(or) = values.find(&Value::Call(call)) else {
        return;
    };
    for (way, (arg, _)) in values.call(call).args.iter().enumerate() {
        let mut calls = Vec::new();
        joined_calls(values, *arg, 0, &mut calls);
        for filter in &mut query.filters {
            if !filter.call.is_some_and(|call| calls.contains(&call)) {
                continue;
            }
            filter.conditional = true;
            if joins == Operator::Or {
                filter.ways.push((or, way));
            } else {
                filter.operator = Operator::Not;
            }
        }
    }
}

/// The calls that a test is, and those that it joins.
fn joined_calls(values: &Values, test: ValueId, depth: usize, into: &mut Vec<CallId>) {
    if depth > DEPTH_MAX {
        return;
    }
    match values.value(test) {
        Value::Call(call) => {
            into.push(*call);
            for (arg, _) in &values.call(*call).args {
                joined_calls(values, *arg, depth + 1, into);
            }
        }
        Value::Choice(alternatives) => {
            for each in alternatives.iter() {
                joined_calls(values, each.value, depth + 1, into);
            }
        }
        _ => {}
    }
}

fn table(values: &Values, knowledge: &Knowledge<'_>, known: &Known<'_>, db: &Db) -> Option<Ustr> {
    if let Some(star) = db.table {
        return known.stars.get(star).copied();
    }
    if let Some(place) = &db.table_arg {
        return knowledge
            .place(values, known, place)
            .and_then(|value| named(values, value, 0));
    }
    if db.model {
        let call = values.call(*known.calls.first()?);
        if let Value::Member(base, _) = values.value(call.callee) {
            return named(values, *base, 0).or_else(|| known.stars.first().copied());
        }
    }
    known.stars.first().copied()
}

/// The name that a table or model was given where it was made: the first string argument, or its own name.
fn named(values: &Values, value: ValueId, depth: usize) -> Option<Ustr> {
    if depth > DEPTH_MAX {
        return None;
    }
    match values.value(value) {
        Value::Const(Const::Str(text)) => {
            Some(ustr(text.split_whitespace().next().unwrap_or_default()))
        }
        Value::Call(call) => {
            let data = values.call(*call);
            data.args
                .iter()
                .find_map(|(arg, _)| values.as_text(*arg))
                .or_else(|| match values.value(data.callee) {
                    Value::Member(base, _) => named(values, *base, depth + 1),
                    Value::Call(_) => named(values, data.callee, depth + 1),
                    _ => None,
                })
        }
        Value::Member(_, name) => Some(*name),
        Value::External(_, name) => Some(*name),
        Value::Choice(alternatives) => alternatives
            .iter()
            .find_map(|each| named(values, each.value, depth + 1)),
        Value::Instance(object) => values
            .object(*object)
            .made_by
            .and_then(|maker| named(values, maker, depth + 1)),
        _ => None,
    }
}

fn column_name(values: &Values, value: ValueId) -> Ustr {
    match values.value(value) {
        Value::Const(Const::Str(text)) => ustr(text.rsplit('.').next().unwrap_or(text)),
        Value::Member(_, name) => *name,
        // `q.field("owner")`
        Value::Call(call) => match values.call(*call).args.as_slice() {
            [(name, _)] => values.as_text(*name).unwrap_or_else(|| ustr("?")),
            _ => ustr("?"),
        },
        _ => ustr("?"),
    }
}

/// Takes a filter apart into its tests.
#[must_use]
pub fn flatten(values: &Values, knowledge: &Knowledge<'_>, value: ValueId) -> Vec<Filter> {
    let mut found = Vec::new();
    take_apart(values, knowledge, value, &Standing::default(), &mut found);
    found
}

fn take_apart(
    values: &Values,
    knowledge: &Knowledge<'_>,
    value: ValueId,
    at: &Standing,
    into: &mut Vec<Filter>,
) {
    if at.depth > DEPTH_MAX {
        return;
    }
    match values.value(value) {
        Value::Object(object) => {
            for entry in &values.object(*object).entries {
                let (name, inner) = match *entry {
                    Entry::Named(name, inner) => (name, inner),
                    // `[Op.or]: [..]`
                    Entry::Computed(key, inner) => match values.value(key) {
                        Value::Member(_, name) => (*name, inner),
                        _ => (ustr("$and"), inner),
                    },
                    Entry::Spread(inner) => (ustr("$and"), inner),
                    Entry::Item(_) | Entry::Each(_) => continue,
                };
                let computed = !matches!(entry, Entry::Named(..));
                named_part(values, knowledge, (&name, computed), inner, at, into);
            }
        }
        Value::Array(object) => {
            for entry in &values.object(*object).entries {
                for inner in crate::parts::entry_values(entry) {
                    take_apart(values, knowledge, inner, &at.inside(), into);
                }
            }
        }
        Value::Choice(alternatives) => {
            let made = alternatives
                .iter()
                .any(|each| matches!(values.value(each.value), Value::Object(_)));
            if !made {
                into.push(at.test(ustr(&at.path), value, Operator::Eq));
                return;
            }
            let mut inside = at.inside();
            inside.conditional = true;
            for alternative in alternatives.iter() {
                if values.as_const(alternative.value).is_none() {
                    take_apart(values, knowledge, alternative.value, &inside, into);
                }
            }
        }
        Value::Call(call) => {
            for known in knowledge.of_call(values, *call) {
                let Meaning::DbOperator(operator) = &known.row.meaning else {
                    continue;
                };
                let args: Vec<ValueId> = values.call(*call).args.iter().map(|arg| arg.0).collect();
                match operator.operator {
                    Operator::And | Operator::Or | Operator::Not => {
                        for (number, arg) in args.into_iter().enumerate() {
                            let mut inside = match operator.operator {
                                Operator::Or => at.way(value, number),
                                _ => at.inside(),
                            };
                            if operator.operator == Operator::Not {
                                inside.conditional = true;
                                inside.negated = !at.negated;
                            }
                            take_apart(values, knowledge, arg, &inside, into);
                        }
                    }
                    other => {
                        if let (Some(&column), Some(&value)) = (args.first(), args.get(1)) {
                            into.push(at.test(column_name(values, column), value, other));
                        }
                    }
                }
                return;
            }
            into.push(at.test(ustr(&at.path), value, Operator::Eq));
        }
        Value::Binary(BinaryOp::Equal, left, right) => {
            into.push(at.test(column_name(values, *left), *right, Operator::Eq));
        }
        Value::Function { .. } => {}
        _ => into.push(at.test(ustr(&at.path), value, Operator::Eq)),
    }
}

/// A member of a filter: a column with what is asked of it, or a word that joins others.
fn named_part(
    values: &Values,
    knowledge: &Knowledge<'_>,
    (name, computed): (&str, bool),
    inner: ValueId,
    at: &Standing,
    into: &mut Vec<Filter>,
) {
    let mut inside = at.inside();
    match name {
        "OR" | "or" | "$or" => {
            inside.conditional = true;
            if let Value::Array(list) = values.value(inner) {
                let ways = values.object(*list).entries.iter();
                for (number, way) in ways.flat_map(crate::parts::entry_values).enumerate() {
                    take_apart(values, knowledge, way, &at.way(inner, number), into);
                }
                return;
            }
        }
        "NOT" | "not" | "$not" => {
            inside.conditional = true;
            inside.negated = !at.negated;
        }
        "equals" | "in" | "AND" | "and" | "$in" | "$eq" | "$and" | "_eq" => {}
        // An operator of a library is no column.
        _ if computed => {}
        column if at.path.is_empty() => column.clone_into(&mut inside.path),
        column => inside.path = format!("{}.{column}", at.path),
    }
    take_apart(values, knowledge, inner, &inside, into);
}
