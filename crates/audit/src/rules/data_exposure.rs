//! `data-exposure`: a client is shown whole rows, with columns that are not for it.

use portcullis_code::{
    body::Const,
    machine::EventKind,
    value::{CallId, Entry, Value, ValueId, Values},
};
use portcullis_policy::Control;
use portcullis_report::{Basis, Class, Confidence, Severity};
use ustr::Ustr;

use crate::{
    input::Input,
    judge::{Binding, JudgedQuery},
    knowledge::PathStep,
    library::DbOp,
    origin::Origins,
    passes::members_under,
    query::Filter,
    response::ResponseKind,
    route::Site,
    rule::{Check, Hit, RouteContext, Rule},
    schema::{Owner, Relation, Sensitivity, Table},
    shown::shown,
};

pub(super) static RULE: Rule = Rule {
    id: "data-exposure",
    class: Class::DataExposure,
    control: Control::Authorization,
    severity: Severity::Medium,
    confidence: Confidence::High,
    basis: Basis::Code,
    cwe: &["CWE-200", "CWE-213"],
    asvs: &["v5.0.0-15.3.1"],
    owasp: &["A01:2021", "API3:2023"],
    summary: "a client is shown whole rows, with secrets or with what concerns other people",
    page: include_str!("data_exposure.md"),
    check: Check::Route(check),
};

fn check(context: &RouteContext<'_>) -> Vec<Hit> {
    let values = &context.machine.values;
    let mut hits = Vec::new();
    for response in &context.judgement.responses {
        let shows = response.kind == ResponseKind::Data
            && !response.refuses()
            && !response.after_error(values);
        if let Some(body) = response.body.filter(|_| shows) {
            hits.extend(judge(context, response.site, &[body], Whom::Caller));
        }
    }
    for event in &context.judgement.events {
        if let EventKind::Call(call) = event.kind
            && is_broadcast(values, call)
        {
            let sent: Vec<ValueId> = values.call(call).args.iter().map(|arg| arg.0).collect();
            let site = Site {
                module: event.module,
                span: event.span,
            };
            hits.extend(judge(context, site, &sent, Whom::Everybody));
        }
    }
    // A redirect, a page, an action: what a page hands to a component of the browser travels there as data.
    for event in &context.judgement.events {
        let EventKind::Markup(element) = event.kind else {
            continue;
        };
        let Value::Markup(tag, props, _) = values.value(element) else {
            continue;
        };
        let Some(name) = client_component(context, *tag) else {
            continue;
        };
        let given: Vec<ValueId> = values
            .object(*props)
            .entries
            .iter()
            .flat_map(crate::origin::entry_values)
            .collect();
        let site = Site {
            module: event.module,
            span: event.span,
        };
        hits.extend(judge(context, site, &given, Whom::Browser(name)));
    }
    hits
}

/// Who is shown something.
enum Whom {
    /// Who called.
    Caller,
    /// Every client of a socket server.
    Everybody,
    /// A component that runs in the caller's browser.
    Browser(String),
}

/// `res.socket.server.io.emit(...)`: everybody who listens gets it.
fn is_broadcast(values: &Values, call: CallId) -> bool {
    let Value::Member(base, name) = values.value(values.call(call).callee) else {
        return false;
    };
    let (root, path) = members_under(values, *base);
    *name == "emit"
        && matches!(values.value(root), Value::Input(tag) if Input::of(*tag) == Input::Response)
        && path.last().is_some_and(|name| *name == "io")
}

/// The name of a component that runs in the browser.
fn client_component(context: &RouteContext<'_>, tag: ValueId) -> Option<String> {
    let values = &context.machine.values;
    if !matches!(
        values.value(tag),
        Value::Function { .. } | Value::Class { .. } | Value::Call(_)
    ) {
        return None;
    }
    let (module, _) = context.machine.place(tag);
    let body = &context.machine.project.module(module).body;
    if !body.directives.iter().any(|text| *text == "use client") {
        return None;
    }
    Some(match values.value(tag) {
        Value::Function { function, .. } => body
            .function(*function)
            .name
            .map_or_else(|| "a component".to_owned(), |name| format!("`{name}`")),
        Value::Class { class, .. } => body
            .class(*class)
            .name
            .map_or_else(|| "a component".to_owned(), |name| format!("`{name}`")),
        _ => "a component".to_owned(),
    })
}

fn judge(context: &RouteContext<'_>, site: Site, bodies: &[ValueId], whom: Whom) -> Option<Hit> {
    let values = &context.machine.values;
    let mut seen = Exposed::default();
    for body in bodies {
        for part in shown(values, context.bench.knowledge, *body) {
            if matches!(values.value(part.value), Value::Markup(..)) {
                continue;
            }
            if let Some(mut row) = Row::of(context, part.value) {
                row.without.extend(part.replaced);
                row.expose(context, matches!(whom, Whom::Everybody), &mut seen);
            }
        }
    }
    let worst = seen.columns.iter().max_by_key(|column| column.weight)?;
    let names: Vec<String> = seen
        .columns
        .iter()
        .filter(|column| column.weight == worst.weight)
        .take(4)
        .map(|column| format!("`{}.{}`", column.table, column.column))
        .collect();
    let whom = match &whom {
        Whom::Browser(name) => format!("{name} runs in the browser and is given whole rows"),
        Whom::Everybody => "whole rows are sent to everybody who listens".to_owned(),
        Whom::Caller => "whole rows are answered".to_owned(),
    };
    let mut hit = Hit::at(site, format!("{whom}: {}", names.join(", "))).fixed_by(
        "name the columns that the client needs, in the query (`select`) or in the answer",
    );
    for column in seen.columns.iter().take(4) {
        hit = hit.because(
            Some(column.site),
            format!(
                "`{}.{}` is {}",
                column.table,
                column.column,
                column.weight.words()
            ),
        );
    }
    (hit.severity, hit.confidence) = match worst.weight {
        Weight::Secret => (Some(Severity::High), Some(Confidence::High)),
        Weight::OwnSecret => (Some(Severity::Medium), Some(Confidence::Low)),
        Weight::Personal => (Some(Severity::Medium), Some(Confidence::High)),
    };
    Some(hit)
}

/// How bad it is that a column is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    /// The caller's own, and perhaps meant for it.
    OwnSecret,
    /// About other people.
    Personal,
    /// Who has it can act as somebody else.
    Secret,
}

impl Weight {
    const fn words(self) -> &'static str {
        match self {
            Self::OwnSecret | Self::Secret => "a secret",
            Self::Personal => "about a person who is not the caller",
        }
    }
}

#[derive(Debug, Default)]
struct Exposed {
    columns: Vec<Column>,
}

#[derive(Debug)]
struct Column {
    table: String,
    column: String,
    weight: Weight,
    site: Site,
}

/// A row of a query that is shown as it is, or rows that came along with it.
struct Row<'r> {
    query: &'r JudgedQuery,
    /// The members on the way from the result.
    path: Vec<Ustr>,
    /// The members that were taken out.
    without: Vec<Ustr>,
}

/// Members of results that stand for the rows themselves.
const ROWS: [&str; 4] = ["rows", "data", "docs", "dataValues"];

impl<'r> Row<'r> {
    fn of(context: &RouteContext<'r>, value: ValueId) -> Option<Self> {
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
                Value::Index(base, _) | Value::Element(base) | Value::Promise(base) => at = *base,
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

    fn expose(&self, context: &RouteContext<'_>, to_everybody: bool, seen: &mut Exposed) {
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
        let mut shape = Shape {
            select: query.select.clone(),
            omit: query.omit.clone(),
            include: query.include.clone(),
        };
        let (mut table, mut own) = (table, own);
        for name in &self.path {
            let Some(relation) = table.relation(name) else {
                return;
            };
            let Some(target) = schema.table(&relation.target) else {
                return;
            };
            let Some(inner) = shape.relation(&context.machine.values, name) else {
                return;
            };
            shape = inner;
            own = child_is_own(table, relation, target, own);
            table = target;
        }
        let mut showing = Showing {
            context,
            authorized: self.query.authorized,
            known: self.known_to_client(context),
            created: query.op == DbOp::Create,
            site: query.site,
            seen,
        };
        showing.table(table, &shape, &self.without, own, 0);
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
        // One row of Prisma's is given back; elsewhere `update` and `delete` tell how many there were.
        let prisma = knowledge
            .of_call(values, *call)
            .iter()
            .any(|known| known.row.source.file.contains("prisma"));
        match name.as_str() {
            "update" | "delete" | "upsert" => prisma,
            "create" | "save" | "returning" => true,
            name => name.ends_with("AndReturn") || name.starts_with("find"),
        }
    })
}

/// Whether rows that come along with the caller's own row are its own as well.
fn child_is_own(parent: &Table, relation: &Relation, child: &Table, own: bool) -> bool {
    let to_owner = !relation.many
        && !relation.columns.is_empty()
        && relation.columns.iter().all(|name| {
            parent
                .column(name)
                .is_some_and(|column| column.owner == Some(Owner::User))
        });
    own && (to_owner || parent.is_user_table || !relation.many && !child.is_user_table)
}

/// What of a row is asked for.
#[derive(Clone, Debug, Default)]
struct Shape {
    select: Vec<ValueId>,
    omit: Vec<ValueId>,
    include: Vec<ValueId>,
}

impl Shape {
    /// What of a relation's rows is asked for; none where it does not come along.
    fn relation(&self, values: &Values, name: &str) -> Option<Self> {
        self.include
            .iter()
            .chain(&self.select)
            .find_map(|list| named(values, *list, name))
            .and_then(|value| Self::nested(values, value))
    }

    /// `true`, or `{ select, include, omit }`.
    fn nested(values: &Values, value: ValueId) -> Option<Self> {
        match values.value(value) {
            Value::Const(Const::Bool(true)) => Some(Self::default()),
            Value::Object(_) => Some(Self {
                select: ["select", "columns"]
                    .iter()
                    .filter_map(|key| named(values, value, key))
                    .collect(),
                omit: named(values, value, "omit").into_iter().collect(),
                include: ["include", "with"]
                    .iter()
                    .filter_map(|key| named(values, value, key))
                    .collect(),
            }),
            _ => None,
        }
    }

    /// Whether a column of the row is among what is asked for.
    fn shows(&self, values: &Values, table: &Table, column: &str) -> bool {
        let is = |name: &str| table.column(name).is_some_and(|found| found.name == column);
        let omitted = self.omit.iter().any(|list| {
            entries(values, *list)
                .iter()
                .any(|(name, value)| is(name) && !is_false(values, *value))
        });
        !omitted && self.select.iter().all(|list| selects(values, *list, &is))
    }

    /// The relations that come along, with what is asked of their rows.
    fn relations<'t>(&self, values: &Values, table: &'t Table) -> Vec<(&'t Relation, Self)> {
        self.include
            .iter()
            .chain(&self.select)
            .flat_map(|list| entries(values, *list))
            .filter_map(|(name, value)| {
                let relation = table.relation(&name)?;
                Some((relation, Self::nested(values, value)?))
            })
            .collect()
    }
}

/// Whether a list of columns lets one through; what cannot be read lets none through.
fn selects(values: &Values, list: ValueId, is: &dyn Fn(&str) -> bool) -> bool {
    match values.value(list) {
        Value::Const(Const::Undefined) => true,
        Value::Const(Const::Str(text)) => {
            let text = text.trim();
            if text == "*" {
                return true;
            }
            let mut names = text
                .split([' ', ','])
                .filter(|name| !name.is_empty())
                .peekable();
            let minus = names.peek().is_some_and(|name| name.starts_with('-'));
            if minus {
                !names.any(|name| is(name.trim_start_matches('-')))
            } else {
                names.any(|name| is(name.trim_start_matches('+')))
            }
        }
        Value::Object(object) => {
            if let Some(left_out) = named(values, list, "exclude") {
                return !items(values, left_out).iter().any(|name| is(name));
            }
            let pairs = entries(values, list);
            let data = values.object(*object);
            if data.entries.len() != pairs.len() {
                return false;
            }
            // `{ password: 0 }` leaves out, `{ name: 1 }` names.
            if !pairs.is_empty() && pairs.iter().all(|(_, value)| is_false(values, *value)) {
                return !pairs.iter().any(|(name, _)| is(name));
            }
            pairs
                .iter()
                .any(|(name, value)| is(name) && !is_false(values, *value))
        }
        Value::Array(_) => items(values, list).iter().any(|name| is(name)),
        _ => false,
    }
}

fn is_false(values: &Values, value: ValueId) -> bool {
    values
        .as_const(value)
        .is_some_and(|constant| !constant.truthy())
}

fn items(values: &Values, list: ValueId) -> Vec<Ustr> {
    match values.value(list) {
        Value::Array(object) => values
            .object(*object)
            .entries
            .iter()
            .filter_map(|entry| match entry {
                Entry::Item(item) => values.as_text(*item),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn entries(values: &Values, list: ValueId) -> Vec<(Ustr, ValueId)> {
    match values.value(list) {
        Value::Object(object) => values
            .object(*object)
            .entries
            .iter()
            .flat_map(|entry| match entry {
                Entry::Named(name, value) => vec![(*name, *value)],
                Entry::Spread(other) => entries(values, *other),
                _ => Vec::new(),
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn named(values: &Values, list: ValueId, wanted: &str) -> Option<ValueId> {
    entries(values, list)
        .into_iter()
        .rev()
        .find(|(name, _)| *name == wanted)
        .map(|(_, value)| value)
}

struct Showing<'s, 'c> {
    context: &'s RouteContext<'c>,
    authorized: bool,
    /// Columns whose values the client sent itself.
    known: Vec<Ustr>,
    created: bool,
    site: Site,
    seen: &'s mut Exposed,
}

impl Showing<'_, '_> {
    fn table(&mut self, table: &Table, shape: &Shape, without: &[Ustr], own: bool, depth: u32) {
        let values = &self.context.machine.values;
        // Whoever names every column has chosen: only whole rows are looked at.
        if shape.select.is_empty() || shape.select.iter().any(|list| leaves_out(values, *list)) {
            for column in &table.columns {
                let taken = without.iter().any(|name| {
                    table
                        .column(name)
                        .is_some_and(|found| found.name == column.name)
                });
                let said = depth == 0
                    && self.known.iter().any(|name| {
                        table
                            .column(name)
                            .is_some_and(|found| found.name == column.name)
                    });
                if taken || said || !shape.shows(values, table, &column.name) {
                    continue;
                }
                if let Some(weight) = self.weight(table, column, own) {
                    self.add(table, &column.name, weight);
                }
            }
        }
        if depth > 5 {
            return;
        }
        for (relation, inner) in shape.relations(values, table) {
            if without.iter().any(|name| *name == relation.name) {
                continue;
            }
            if let Some(target) = self.context.bench.schema.table(&relation.target) {
                let own = child_is_own(table, relation, target, own);
                self.table(target, &inner, &[], own, depth + 1);
            }
        }
    }

    fn weight(&self, table: &Table, column: &crate::schema::Column, own: bool) -> Option<Weight> {
        match column.sensitivity? {
            // What was just made for the caller is shown to it once: a new key, an invitation.
            Sensitivity::Secret if self.created && !table.is_user_table => None,
            Sensitivity::Secret if own && !table.is_user_table && !is_digest(&column.name) => {
                Some(Weight::OwnSecret)
            }
            Sensitivity::Secret => Some(Weight::Secret),
            Sensitivity::Personal
                if own || self.authorized || is_for_the_public(table, &column.name) =>
            {
                None
            }
            Sensitivity::Personal => Some(Weight::Personal),
            Sensitivity::Privilege => None,
        }
    }

    fn add(&mut self, table: &Table, column: &str, weight: Weight) {
        let known = self
            .seen
            .columns
            .iter()
            .any(|seen| seen.table == table.name && seen.column == column);
        if !known {
            self.seen.columns.push(Column {
                table: table.name.clone(),
                column: column.to_owned(),
                weight,
                site: self.site,
            });
        }
    }
}

/// An address that an organization gives to everybody: `supportEmail`.
fn is_for_the_public(table: &Table, column: &str) -> bool {
    let lower = column.to_lowercase();
    table.is_tenant_table
        || ["support", "contact", "public", "company", "business"]
            .iter()
            .any(|word| lower.starts_with(word))
}

/// A digest is of no use to whom it belongs to.
fn is_digest(name: &str) -> bool {
    let lower = name.to_lowercase();
    ["hash", "digest", "salt"]
        .iter()
        .any(|word| lower.contains(word))
}

/// `select: "-password"`, `attributes: { exclude }`, `"*"`: all columns but some.
fn leaves_out(values: &Values, list: ValueId) -> bool {
    match values.value(list) {
        Value::Const(Const::Undefined) => true,
        Value::Const(Const::Str(text)) => text.trim() == "*" || text.trim().starts_with('-'),
        Value::Object(_) => {
            let pairs = entries(values, list);
            named(values, list, "exclude").is_some()
                || !pairs.is_empty() && pairs.iter().all(|(_, value)| is_false(values, *value))
        }
        _ => false,
    }
}
