//! `mass-assignment`: what the client sent is stored as it is, whatever columns it names.

use portcullis_code::{
    machine::EventKind,
    value::{Alternative, CallId, Entry, FactsId, Value, ValueId, Values},
};
use portcullis_policy::Control;
use portcullis_report::{Basis, Class, Confidence, Severity};
use ustr::Ustr;

use crate::{
    input::Input,
    knowledge::PathStep,
    library::{DeriveKind, GuardKind, Meaning, Step},
    origin::Origins,
    parts::{any_part, calls_under, members_under, tests},
    route::Site,
    rule::{Check, Hit, RouteContext, Rule},
    schema::{Column, Sensitivity, Table},
};

pub(super) static RULE: Rule = Rule {
    id: "mass-assignment",
    class: Class::MassAssignment,
    control: Control::Validation,
    severity: Severity::High,
    confidence: Confidence::High,
    basis: Basis::Code,
    cwe: &["CWE-915"],
    asvs: &["v5.0.0-15.3.3"],
    owasp: &["API3:2023"],
    summary: "what the client sends is stored with every column that it names",
    page: include_str!("mass_assignment.md"),
    check: Check::Route(check),
};

/// Deepest nesting of data.
const DEPTH_MAX: u32 = 8;
/// Most parts of a test that are looked at for the name it speaks of.
const PARTS_MAX: usize = 200;
/// Members of data that hold the data of a row, not a column.
const NESTED: [&str; 9] = [
    "create",
    "update",
    "upsert",
    "connectOrCreate",
    "createMany",
    "data",
    "defaults",
    "$set",
    "$setOnInsert",
];

fn check(context: &RouteContext<'_>) -> Vec<Hit> {
    let mut hits = Vec::new();
    for judged in &context.judgement.queries {
        let query = &judged.query;
        if !query.op.writes() {
            continue;
        }
        let mut search = Search::new(context);
        for data in &query.data {
            search.look(*data, &[], 0);
        }
        if let Some(whole) = search.found {
            hits.push(hit(context, query.site, query.table, &whole));
        }
    }
    hits.extend(assigned(context));
    hits
}

/// `Object.assign(row, body)`, `row.set(body)` and `row[name] = body[name]` before `row.save()`.
fn assigned(context: &RouteContext<'_>) -> Vec<Hit> {
    let values = &context.machine.values;
    let mut hits = Vec::new();
    let events = &context.judgement.events;
    for (number, event) in events.iter().enumerate() {
        let found = match event.kind {
            EventKind::Call(call) => written_by_call(context, call),
            EventKind::Store(row, name, value) if name == "[]" => {
                copied(context, value, event.facts).map(|whole| (row, vec![whole]))
            }
            _ => None,
        };
        let Some((row, given)) = found else {
            continue;
        };
        let Some(table) = table_of(context, row) else {
            continue;
        };
        // `Object.assign` gives back what it wrote to.
        let is_row = |value: ValueId| {
            value == row
                || matches!((values.value(value), event.kind), (Value::Call(call), EventKind::Call(by)) if *call == by)
        };
        let saved = events.iter().skip(number).any(|later| {
            let EventKind::Call(later) = later.kind else {
                return false;
            };
            let later = values.call(later);
            matches!(values.value(later.callee), Value::Member(of, name) if is_row(*of) && matches!(name.as_str(), "save" | "update"))
                || later.args.iter().any(|arg| is_row(arg.0))
                    && matches!(values.value(later.callee), Value::Member(_, name) if *name == "save")
        });
        if !saved {
            continue;
        }
        let mut search = Search::new(context);
        for value in given {
            search.look(value, &[], 0);
        }
        if let Some(whole) = search.found {
            let site = Site {
                module: event.module,
                span: event.span,
            };
            hits.push(hit(context, site, table, &whole));
        }
    }
    hits
}

/// What a call writes to the members of something, and to what: `Object.assign(row, body)`, `row.set(body)`, `_.merge(row, body)`.
fn written_by_call(context: &RouteContext<'_>, call: CallId) -> Option<(ValueId, Vec<ValueId>)> {
    let values = &context.machine.values;
    let data = values.call(call);
    let given = || data.args.iter().map(|arg| arg.0);
    if let Value::Member(base, name) = values.value(data.callee) {
        if matches!(values.value(*base), Value::Global(global) if *global == "Object") {
            let row = given().next().filter(|_| *name == "assign")?;
            return Some((row, given().skip(1).collect()));
        }
        if matches!(
            name.as_str(),
            "set" | "setAttributes" | "overwrite" | "merge"
        ) && context
            .bench
            .knowledge
            .of_call(values, call)
            .iter()
            .all(|known| !is_merge(&known.row.meaning))
        {
            return Some((*base, given().collect()));
        }
    }
    let rows = context.bench.knowledge.of_call(values, call);
    let merges = rows.iter().any(|known| is_merge(&known.row.meaning));
    merges.then(|| Some((given().next()?, given().skip(1).collect())))?
}

fn is_merge(meaning: &Meaning) -> bool {
    matches!(meaning, Meaning::Derive(derive) if derive.kind == DeriveKind::Merge)
}

/// What is copied name by name where the client names the column: `row[name] = body[name]` for each name in the body.
fn copied(context: &RouteContext<'_>, value: ValueId, facts: FactsId) -> Option<ValueId> {
    let values = &context.machine.values;
    let Value::Index(from, key) = *values.value(value) else {
        return None;
    };
    let (from, named_by) = match values.value(key) {
        // The second of a pair: `for (const [name, value] of Object.entries(body))`.
        Value::Const(_) => (pairs_of(values, from)?, from),
        _ => (from, key),
    };
    let is_named_by_client = context.bench.origins.of(values, named_by).any(Origins::RAW);
    let is_tested = || {
        tests(values, facts)
            .into_iter()
            .any(|test| any_part(values, test, PARTS_MAX, |part| part == named_by))
    };
    // Which names a filter left is its own affair: as a rule it looks them up in a list.
    let is_filtered =
        || matches!(*values.value(named_by), Value::Element(list) if values.is_filtered(list));
    (is_named_by_client && !is_tested() && !is_filtered()).then_some(from)
}

/// The object whose names and values a pair is of: an element of `Object.entries(object)`.
fn pairs_of(values: &Values, pair: ValueId) -> Option<ValueId> {
    let list = match *values.value(pair) {
        Value::Element(list) => list,
        Value::Handed(call, ..) => match *values.value(values.call(call).callee) {
            Value::Member(list, name) if name == "forEach" => list,
            _ => return None,
        },
        _ => return None,
    };
    let Value::Call(call) = values.value(list) else {
        return None;
    };
    let data = values.call(*call);
    let is_entries = matches!(values.value(data.callee), Value::Member(object, name)
        if *name == "entries" && matches!(values.value(*object), Value::Global(global) if *global == "Object"));
    data.args.first().filter(|_| is_entries).map(|arg| arg.0)
}

/// The table of a row that a query read.
fn table_of(context: &RouteContext<'_>, row: ValueId) -> Option<Option<Ustr>> {
    calls_under(&context.machine.values, row)
        .into_iter()
        .find_map(|(call, _)| {
            context
                .judgement
                .queries
                .iter()
                .find(|judged| judged.query.calls.contains(&call))
                .map(|judged| judged.query.table)
        })
}

/// The client's own object among the data.
struct Whole {
    /// The members that cannot come from it: taken out, or written again afterwards.
    without: Vec<Ustr>,
    /// Whether a schema saw it and kept what it does not name.
    parsed: bool,
}

struct Search<'s, 'c> {
    context: &'s RouteContext<'c>,
    found: Option<Whole>,
}

impl<'s, 'c> Search<'s, 'c> {
    const fn new(context: &'s RouteContext<'c>) -> Self {
        Self {
            context,
            found: None,
        }
    }

    fn look(&mut self, value: ValueId, without: &[Ustr], depth: u32) {
        let values = &self.context.machine.values;
        if depth > DEPTH_MAX || self.found.is_some() {
            return;
        }
        match values.value(value) {
            Value::Object(object) => {
                let entries = &values.object(*object).entries;
                for (number, entry) in entries.iter().enumerate() {
                    match entry {
                        Entry::Spread(inner) => {
                            let mut without = without.to_vec();
                            without.extend(entries.iter().skip(number + 1).filter_map(|later| {
                                match later {
                                    Entry::Named(name, _) => Some(*name),
                                    _ => None,
                                }
                            }));
                            self.look(*inner, &without, depth + 1);
                        }
                        Entry::Named(name, inner) if NESTED.contains(&name.as_str()) => {
                            self.look(*inner, &[], depth + 1);
                        }
                        _ => {}
                    }
                }
            }
            Value::Array(object) => {
                for entry in &values.object(*object).entries {
                    if let Entry::Item(inner) | Entry::Each(inner) | Entry::Spread(inner) = entry {
                        self.look(*inner, without, depth + 1);
                    }
                }
            }
            Value::Choice(alternatives) => {
                // `...(name && { name })`: what is falsy brings nothing along.
                let some =
                    |each: &&Alternative| values.truth(each.facts, each.value) != Some(false);
                for each in alternatives.iter().filter(some) {
                    self.look(each.value, without, depth + 1);
                }
            }
            Value::Rest(base, names) => {
                let mut without = without.to_vec();
                without.extend(names.iter().copied());
                self.look(*base, &without, depth + 1);
            }
            Value::Promise(inner) | Value::Kept(inner, _) => self.look(*inner, without, depth),
            Value::Call(call) => self.call(value, *call, &[], without, depth),
            Value::Input(tag) => {
                if matches!(Input::of(*tag), Input::Argument(_)) {
                    self.take(value, without, false);
                }
            }
            Value::Member(..) | Value::Element(_) | Value::Index(..) => {
                self.part(value, without, depth);
            }
            _ => {}
        }
    }

    /// The body, an object in it, or what a schema made of it.
    fn part(&mut self, value: ValueId, without: &[Ustr], depth: u32) {
        let values = &self.context.machine.values;
        let Some((base, path)) = root(values, value) else {
            return;
        };
        match values.value(base) {
            Value::Call(call) => self.call(value, *call, &path, without, depth),
            _ => self.take(value, without, false),
        }
    }

    fn call(&mut self, value: ValueId, call: CallId, path: &[Ustr], without: &[Ustr], depth: u32) {
        let values = &self.context.machine.values;
        let knowledge = self.context.bench.knowledge;
        let data = values.call(call);
        let first = data.args.first().map(|arg| arg.0);
        if let Value::Member(base, name) = values.value(data.callee)
            && let Value::Global(global) = values.value(*base)
            && matches!(
                (global.as_str(), name.as_str()),
                ("JSON", "parse") | ("Object", "fromEntries" | "assign")
            )
        {
            for arg in &data.args {
                self.look(arg.0, without, depth + 1);
            }
            if let Some(first) = first.filter(|_| *name != "assign") {
                self.take(first, without, false);
            }
            return;
        }
        for known in knowledge.of_call(values, call) {
            match &known.row.meaning {
                Meaning::Pick(_) => return,
                Meaning::Omit(omit) => {
                    if let Some(subject) = knowledge.place(values, &known, &omit.subject) {
                        self.look(subject, without, depth + 1);
                    }
                    return;
                }
                Meaning::Derive(derive) => {
                    if matches!(derive.kind, DeriveKind::Convert | DeriveKind::Merge) {
                        for arg in &data.args {
                            self.look(arg.0, without, depth + 1);
                        }
                    }
                    return;
                }
                Meaning::Guard(guard) if guard.guard == GuardKind::Validation => {
                    // Only what stands where the parsed input stands.
                    let field = guard.result_field.as_ref().map_or(0, |field| {
                        field
                            .steps
                            .iter()
                            .filter(|step| matches!(step, Step::Name(_)))
                            .count()
                    });
                    if path.len() != field {
                        return;
                    }
                    let built: Vec<Ustr> = knowledge
                        .reach(values, data.callee)
                        .map(|reach| {
                            reach
                                .steps
                                .iter()
                                .filter_map(|step| match step {
                                    PathStep::Member(name) => Some(*name),
                                    _ => None,
                                })
                                .collect()
                        })
                        .unwrap_or_default();
                    let keeps = guard.keeps_unknown.iter().any(|field| {
                        field.steps.iter().any(|step| {
                            matches!(step, Step::Name(name) if built.iter().any(|made| **made == **name))
                        })
                    });
                    if keeps || guard.strips_unknown == Some(false) {
                        self.take(value, without, true);
                    }
                    return;
                }
                Meaning::Db(_) => return,
                _ => {}
            }
        }
        // `request.json()`, and what lies in it.
        let reads = matches!(values.value(data.callee), Value::Member(base, name)
            if matches!(values.value(*base), Value::Input(_)) && matches!(name.as_str(), "json" | "formData"));
        if reads {
            self.take(value, without, false);
        }
    }

    fn take(&mut self, value: ValueId, without: &[Ustr], parsed: bool) {
        let values = &self.context.machine.values;
        let origins = self.context.bench.origins.of(values, value);
        let raw = origins.any(Origins::RAW) && !origins.any(Origins::SIGNED);
        if self.found.is_none() && (raw || parsed && origins.any(Origins::PARSED)) {
            self.found = Some(Whole {
                without: without.to_vec(),
                parsed,
            });
        }
    }
}

/// What a value is a part of: the body of a request, or the result of a call.
fn root(values: &Values, value: ValueId) -> Option<(ValueId, Vec<Ustr>)> {
    let mut at = value;
    let mut path = Vec::new();
    for _ in 0..8 {
        let (base, names) = members_under(values, at);
        path.extend(names);
        match values.value(base) {
            Value::Element(inner) | Value::Index(inner, _) => at = *inner,
            Value::Input(tag) => {
                let is_body = path.first().is_some_and(|name| *name == "body");
                return match Input::of(*tag) {
                    Input::NodeRequest | Input::PagesRequest if is_body => Some((base, path)),
                    Input::Argument(_) => Some((base, path)),
                    _ => None,
                };
            }
            Value::Call(_) => return Some((base, path)),
            _ => return None,
        }
    }
    None
}

fn hit(context: &RouteContext<'_>, site: Site, table: Option<Ustr>, whole: &Whole) -> Hit {
    let schema = context.bench.schema;
    let known: Option<&Table> = table.and_then(|table| schema.table(&table));
    let mut open: Vec<(bool, &Column)> = known.map_or_else(Vec::new, |table| {
        table
            .columns
            .iter()
            .filter(|column| {
                let gains = column.owner.is_some()
                    || matches!(
                        column.sensitivity,
                        Some(Sensitivity::Privilege | Sensitivity::Secret)
                    );
                gains
                    && !whole.without.iter().any(|name| {
                        table
                            .column(name)
                            .is_some_and(|taken| taken.name == column.name)
                    })
            })
            .map(|column| (column.sensitivity != Some(Sensitivity::Privilege), column))
            .collect()
    });
    open.sort_by_key(|(rank, _)| *rank);
    let open: Vec<String> = open
        .into_iter()
        .map(|(_, column)| format!("`{}`", column.name))
        .collect();
    let what = if whole.parsed {
        "what the client sends is stored with members that the schema does not name"
    } else {
        "what the client sends is stored as it is, with every column that it names"
    };
    let message = match (known, open.as_slice()) {
        (Some(table), [_, ..]) => {
            let names: Vec<String> = open.iter().take(4).cloned().collect();
            format!("{what}: also {} of `{}`", names.join(", "), table.name)
        }
        _ => what.to_owned(),
    };
    let mut hit = Hit::at(site, message).fixed_by(
        "name the columns that the client may write, or store what a schema that drops everything else made of the body",
    );
    if open.is_empty() {
        hit.severity = Some(Severity::Medium);
        hit.confidence = Some(if known.is_some() {
            Confidence::Medium
        } else {
            Confidence::High
        });
    }
    hit
}
