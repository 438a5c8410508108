//! The places of harm that a route passes: calls that rows describe, answers, and texts that are plainly queries.

use portcullis_code::{
    body::{BinaryOp, Const},
    machine::{Event, EventKind, Machine},
    value::{CallId, Entry, FactsId, FrameId, Unknown as Cut, Value, ValueId, Values},
};
use portcullis_report::Class;

use super::{
    alphabet::is_catastrophic,
    page::{is_html, is_page_type, location_of, names_other_type, page_of},
};
use crate::{
    judge::Bench,
    knowledge::{Known, down},
    library::{EffectKind, Meaning, Usage},
    parts::{names_of, tests},
    response::response_method,
    route::Site,
};

/// A place where what a client chooses does harm.
#[derive(Clone, Debug)]
pub struct SeenSink {
    /// The fault it is.
    pub class: Class,
    /// The value there.
    pub value: ValueId,
    /// The call.
    pub call: Option<CallId>,
    /// What holds then.
    pub facts: FactsId,
    /// Where.
    pub site: Site,
    /// The activation it happens in.
    pub frame: Option<FrameId>,
    /// What is called, as the code names it.
    pub name: String,
    /// What it does with the value, where a row says so.
    pub does: Option<String>,
    /// How sure it is that this is such a place.
    pub form: SinkForm,
}

/// How sure it is that a place is one of harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SinkForm {
    /// A row or the framework says so.
    Known,
    /// It looks like one.
    Likely,
    /// Code that the database runs.
    Code,
    /// An answer whose type depends on what is sent: text is a page, an object is not.
    Sent,
}

/// The first word of a statement of SQL.
const VERBS: [&str; 12] = [
    "select", "insert", "update", "delete", "replace", "merge", "with", "create", "drop", "alter",
    "call", "exec",
];
/// Methods that run a statement, of whatever driver.
const RUNS: [&str; 14] = [
    "query",
    "execute",
    "raw",
    "run",
    "all",
    "get",
    "each",
    "exec",
    "prepare",
    "queryAsync",
    "one",
    "any",
    "none",
    "many",
];

/// Every place of harm among the events of a run.
pub(crate) fn sinks(
    machine: &Machine<'_>,
    bench: &Bench<'_, '_>,
    events: &[Event],
) -> Vec<SeenSink> {
    let mut found = Vec::new();
    let mut no_page = false;
    for event in events {
        let mut look = Look {
            values: &machine.values,
            bench,
            event,
            found: &mut found,
            no_page: &mut no_page,
        };
        match event.kind {
            EventKind::Call(call) => look.call(call),
            EventKind::Markup(markup) => look.markup(markup),
            EventKind::Store(base, _, value) => look.store(base, value),
            _ => {}
        }
    }
    found
}

struct Look<'l, 'b, 'p> {
    values: &'l Values,
    bench: &'l Bench<'b, 'p>,
    event: &'l Event,
    found: &'l mut Vec<SeenSink>,
    /// Whether the answer was said to be something else than a page.
    no_page: &'l mut bool,
}

impl Look<'_, '_, '_> {
    /// An answer that sends the browser on, where it says whither.
    fn redirect(&mut self, target: Option<ValueId>, call: CallId, name: &str) {
        if let Some(target) = target {
            self.push(
                Class::OpenRedirect,
                target,
                Some(call),
                name,
                None,
                SinkForm::Known,
            );
        }
    }

    fn push(
        &mut self,
        class: Class,
        value: ValueId,
        call: Option<CallId>,
        name: &str,
        does: Option<&str>,
        form: SinkForm,
    ) {
        // A constant is nobody's choice.
        if matches!(self.values.value(value), Value::Const(_)) {
            return;
        }
        self.found.push(SeenSink {
            class,
            value,
            call,
            facts: self.event.facts,
            site: Site {
                module: self.event.module,
                span: self.event.span,
            },
            frame: self.event.frame,
            name: name.to_owned(),
            does: does.map(str::to_owned),
            form,
        });
    }

    fn call(&mut self, call: CallId) {
        let values = self.values;
        let name = called(values, call);
        let rows = self.bench.knowledge.of_call(values, call);
        for known in &rows {
            if known.row.usage == Usage::Plain {
                self.row(call, &name, known);
            }
        }
        if let Some(method) = response_method(values, call) {
            self.answer(call, method.as_str());
        } else if let Some(body) = page_of(values, call) {
            self.push(Class::Xss, body, Some(call), &name, None, SinkForm::Known);
        }
        let queried = rows
            .iter()
            .any(|known| matches!(&known.row.meaning, Meaning::Db(db) if db.text.is_some()));
        if !queried {
            self.likely_sql(call, &name);
        }
        self.where_text(call, &name);
        self.catastrophic(call, &name);
        self.own_merge(call, &name);
    }

    fn row(&mut self, call: CallId, name: &str, known: &Known<'_>) {
        let values = self.values;
        let knowledge = self.bench.knowledge;
        let mut each = |class: Class, place: &crate::library::Place, does: Option<&str>| {
            for value in knowledge.places(values, known, place) {
                self.push(class, value, Some(call), name, does, SinkForm::Known);
            }
        };
        match &known.row.meaning {
            // A question to a table is the client's where all of it is, not where a value in it is.
            Meaning::Sink(sink) if sink.class == Class::Nosqli => {
                for place in &sink.at {
                    for value in knowledge.places(values, known, place) {
                        for whole in wholes(values, value) {
                            let does = Some(&*sink.does);
                            self.push(sink.class, whole, Some(call), name, does, SinkForm::Known);
                        }
                    }
                }
            }
            Meaning::Sink(sink) => {
                for place in &sink.at {
                    each(sink.class, place, Some(&sink.does));
                }
            }
            Meaning::Db(db) => {
                if let Some(place) = &db.text {
                    for value in knowledge.places(values, known, place) {
                        // `query({ sql, values })`: only the text is one.
                        let text = statement_of(values, value).unwrap_or(value);
                        self.push(Class::Sqli, text, Some(call), name, None, SinkForm::Known);
                    }
                }
                self.filters(call, name, known);
            }
            Meaning::DbOperator(operator) if operator.operator == crate::library::Operator::Raw => {
                let first = values.call(call).args.first().map(|arg| arg.0);
                if let Some(text) = first {
                    self.push(Class::Sqli, text, Some(call), name, None, SinkForm::Known);
                }
            }
            Meaning::Effect(effect) => {
                let class = match effect.kind {
                    EffectKind::Http => Class::Ssrf,
                    EffectKind::FsRead | EffectKind::FsWrite => Class::PathTraversal,
                    EffectKind::Exec => Class::CommandInjection,
                    _ => return,
                };
                if let Some(place) = &effect.target {
                    each(class, place, None);
                }
            }
            Meaning::Respond(respond) => {
                if let Some(place) = &respond.location {
                    each(Class::OpenRedirect, place, None);
                }
                if let Some(place) = &respond.body
                    && let Some(body) = knowledge.place(values, known, place)
                    && respond
                        .headers
                        .as_ref()
                        .and_then(|place| knowledge.place(values, known, place))
                        .is_some_and(|headers| is_page_type(values, headers))
                {
                    self.push(Class::Xss, body, Some(call), name, None, SinkForm::Known);
                }
            }
            Meaning::Leaves(leaves) => {
                if let Some(place) = &leaves.location {
                    each(Class::OpenRedirect, place, None);
                }
            }
            _ => {}
        }
    }

    /// Filters of a document store: an object where a value is expected is an operator.
    fn filters(&mut self, call: CallId, name: &str, known: &Known<'_>) {
        let Meaning::Db(db) = &known.row.meaning else {
            return;
        };
        let documents = known
            .row
            .names
            .iter()
            .any(|name| matches!(&*name.import, "mongoose" | "mongodb" | "monk" | "mongojs"));
        if !documents {
            return;
        }
        for place in &db.filter {
            for value in self.bench.knowledge.places(self.values, known, place) {
                self.push(
                    Class::Nosqli,
                    value,
                    Some(call),
                    name,
                    None,
                    SinkForm::Known,
                );
            }
        }
    }

    /// What a Node response is given.
    fn answer(&mut self, call: CallId, method: &str) {
        let values = self.values;
        let data = values.call(call);
        let arg = |number: usize| data.args.get(number).map(|arg| arg.0);
        match method {
            "redirect" => {
                // `redirect(302, url)`
                self.redirect(data.args.last().map(|arg| arg.0), call, "redirect");
            }
            "location" => {
                self.redirect(arg(0), call, "location");
            }
            "type" | "contentType" | "attachment" => {
                let kind = arg(0).and_then(|kind| values.as_text(kind));
                *self.no_page = !kind.is_some_and(|kind| kind.contains("html"));
            }
            "setHeader" | "set" | "header" => {
                let name = arg(0).and_then(|name| values.as_text(name));
                if name.is_some_and(|name| name.eq_ignore_ascii_case("content-type")) {
                    let kind = arg(1).and_then(|kind| values.as_text(kind));
                    *self.no_page = !kind.is_some_and(|kind| kind.contains("html"));
                }
                let is_location = arg(0)
                    .and_then(|name| values.as_text(name))
                    .is_some_and(|name| name.eq_ignore_ascii_case("location"));
                self.redirect(arg(1).filter(|_| is_location), call, method);
            }
            "writeHead" => {
                let headers = data.args.last().map(|arg| arg.0);
                *self.no_page |= headers.is_some_and(|headers| names_other_type(values, headers));
                let target = headers.and_then(|headers| location_of(values, headers));
                self.redirect(target, call, method);
            }
            "sendFile" | "sendfile" | "download" => {
                // With a root the library refuses what leads out of it; options that cannot be read may have one.
                let rooted = data
                    .args
                    .iter()
                    .skip(1)
                    .any(|arg| match values.value(arg.0) {
                        Value::Object(_) => down(values, arg.0, &["root".into()]).is_some(),
                        Value::Function { .. } | Value::Const(_) | Value::Template(_) => false,
                        _ => method != "download",
                    });
                if let Some(path) = arg(0).filter(|_| !rooted) {
                    self.push(
                        Class::PathTraversal,
                        path,
                        Some(call),
                        method,
                        None,
                        SinkForm::Known,
                    );
                }
            }
            "render" => {
                // The name of a view is a path, and one with dots in it leads out of the folder of views.
                if let Some(view) = arg(0) {
                    self.push(
                        Class::PathTraversal,
                        view,
                        Some(call),
                        method,
                        Some("reads the view that it names, wherever that is"),
                        SinkForm::Likely,
                    );
                }
            }
            "send" | "end" | "write" => {
                // Only `send` calls a text a page by itself.
                if let Some(body) = arg(0)
                    && !*self.no_page
                    && (method == "send" || is_html(values, body))
                {
                    self.push(Class::Xss, body, Some(call), method, None, SinkForm::Sent);
                }
            }
            _ => {}
        }
    }

    /// A statement of SQL that is put together and given to a method that runs statements.
    fn likely_sql(&mut self, call: CallId, name: &str) {
        let values = self.values;
        let data = values.call(call);
        let runs = |callee: ValueId| matches!(values.value(callee), Value::Member(_, method) if RUNS.contains(&method.as_str()));
        let of_one = match values.value(data.callee) {
            Value::Choice(alternatives) => alternatives.iter().any(|each| runs(each.value)),
            _ => runs(data.callee),
        };
        if !of_one {
            return;
        }
        let Some(first) = data.args.first().map(|arg| arg.0) else {
            return;
        };
        let text = match values.value(first) {
            Value::Object(_) => statement_of(values, first),
            _ => Some(first),
        };
        if let Some(text) = text.filter(|text| is_statement(values, *text)) {
            self.push(Class::Sqli, text, Some(call), name, None, SinkForm::Likely);
        }
    }

    /// `{ $where: text }`: code that the database runs.
    fn where_text(&mut self, call: CallId, name: &str) {
        for arg in &self.values.call(call).args {
            let Some(text) = where_in(self.values, arg.0, 0) else {
                continue;
            };
            self.push(Class::Nosqli, text, Some(call), name, None, SinkForm::Code);
        }
    }

    /// A text that meets a regular expression which takes exponential time on some.
    fn catastrophic(&mut self, call: CallId, name: &str) {
        let values = self.values;
        let data = values.call(call);
        let Value::Member(base, method) = values.value(data.callee) else {
            return;
        };
        let first = data.args.first().map(|arg| arg.0);
        let (expression, text) = match method.as_str() {
            "test" | "exec" => (Some(*base), first),
            "match" | "matchAll" | "search" | "replace" | "replaceAll" | "split" => {
                (first, Some(*base))
            }
            _ => return,
        };
        if let (Some(expression), Some(text)) = (expression, text)
            && let Some(Const::Regex(source, _)) = values.as_const(expression)
            && is_catastrophic(&source)
        {
            self.push(Class::Redos, text, Some(call), name, None, SinkForm::Known);
        }
    }

    fn markup(&mut self, markup: ValueId) {
        let Value::Markup(_, props, _) = self.values.value(markup) else {
            return;
        };
        for entry in &self.values.object(*props).entries {
            if let Entry::Named(name, value) = entry
                && *name == "dangerouslySetInnerHTML"
                && let Some(html) = down(self.values, *value, &["__html".into()])
            {
                self.push(Class::Xss, html, None, name, None, SinkForm::Known);
            }
        }
    }

    /// `table[name][..] = value`: a name of the prototype leads to every object there is.
    fn store(&mut self, base: ValueId, value: ValueId) {
        let values = self.values;
        let found = match values.value(base) {
            // `table[name] || {}`
            Value::Choice(alternatives) => alternatives.iter().map(|each| each.value).collect(),
            _ => vec![base],
        };
        for base in found {
            let Value::Index(_, key) = *values.value(base) else {
                continue;
            };
            let constant = matches!(values.value(value), Value::Const(_));
            let form = if constant {
                SinkForm::Likely
            } else {
                SinkForm::Known
            };
            self.push(
                Class::PrototypePollution,
                key,
                None,
                "[..][..] =",
                None,
                form,
            );
        }
    }

    /// A function that calls itself for `into[key]` and `from[key]`, whatever the key is: a merge of the project's own.
    fn own_merge(&mut self, call: CallId, name: &str) {
        let values = self.values;
        let data = values.call(call);
        if data.cut != Some(Cut::Depth)
            || !matches!(values.value(data.callee), Value::Function { .. })
        {
            return;
        }
        let part = |arg: ValueId| match *values.value(arg) {
            Value::Index(of, key) => Some((of, key)),
            _ => None,
        };
        let parts: Vec<(ValueId, ValueId)> =
            data.args.iter().filter_map(|arg| part(arg.0)).collect();
        for (number, (into, key)) in parts.iter().enumerate() {
            for (from, other) in parts.iter().skip(number + 1) {
                if key == other
                    && into != from
                    && !is_own_name(values, self.event.facts, *key, *into)
                {
                    let does = Some("calls itself for every name in it, also for `__proto__`");
                    let class = Class::PrototypePollution;
                    for each in [into, from] {
                        self.push(class, *each, Some(call), name, does, SinkForm::Known);
                    }
                }
            }
        }
    }
}

/// Whether a name was compared with a constant before, or looked up among those that the object written to has itself.
fn is_own_name(values: &Values, facts: FactsId, key: ValueId, into: ValueId) -> bool {
    let is = |value: ValueId| value == key;
    tests(values, facts)
        .into_iter()
        .any(|tested| match values.value(tested) {
            Value::Binary(BinaryOp::Equal, left, right) => {
                is(*left) && values.as_text(*right).is_some()
                    || is(*right) && values.as_text(*left).is_some()
            }
            Value::Call(call) => {
                let data = values.call(*call);
                let on = match values.value(data.callee) {
                    Value::Member(base, _) => Some(*base),
                    _ => None,
                };
                let given = || data.args.iter().map(|arg| arg.0);
                given().any(is) && given().chain(on).any(|value| value == into)
            }
            _ => false,
        })
}

/// The text among the options of a query.
fn statement_of(values: &Values, options: ValueId) -> Option<ValueId> {
    if !matches!(values.value(options), Value::Object(_)) {
        return None;
    }
    ["sql", "text", "query"]
        .iter()
        .find_map(|name| down(values, options, &[(*name).into()]))
}

/// A value, or of an object that is written out what all of its members are taken from.
fn wholes(values: &Values, value: ValueId) -> Vec<ValueId> {
    let Value::Object(object) = values.value(value) else {
        return vec![value];
    };
    let entries = values.object(*object).entries.iter();
    let spread = entries.filter_map(|entry| match entry {
        Entry::Spread(all) => Some(*all),
        _ => None,
    });
    spread.collect()
}

/// What a call calls, as the code names it.
fn called(values: &Values, call: CallId) -> String {
    let callee = values.call(call).callee;
    match values.value(callee) {
        Value::Member(_, name) | Value::Global(name) => name.to_string(),
        Value::External(package, name) if name.is_empty() => package.to_string(),
        Value::External(_, name) => name.to_string(),
        _ => names_of(values, callee)
            .first()
            .map_or_else(|| "it".to_owned(), ToString::to_string),
    }
}

/// Whether a text begins as a statement of SQL does.
fn is_statement(values: &Values, text: ValueId) -> bool {
    let Value::Template(parts) = values.value(text) else {
        return false;
    };
    let start = parts.first().and_then(|part| values.as_text(*part));
    let Some(start) = start else { return false };
    let lower = start.trim_start().to_ascii_lowercase();
    let mut words = lower.split_whitespace();
    let verb = words.next().unwrap_or_default();
    VERBS.contains(&verb)
        && lower.contains([' ', '\n'])
        && [
            " from ", " into ", " set ", " table ", " where ", " values", "exec ", "call ",
        ]
        .iter()
        .any(|word| {
            format!("{lower} ")
                .replace(['\n', '\t', '\r'], " ")
                .contains(word)
        })
}

fn where_in(values: &Values, value: ValueId, depth: u32) -> Option<ValueId> {
    let Value::Object(object) = values.value(value) else {
        return None;
    };
    values
        .object(*object)
        .entries
        .iter()
        .find_map(|entry| match entry {
            Entry::Named(name, value) if *name == "$where" => Some(*value),
            Entry::Named(_, value) if depth < 2 => where_in(values, *value, depth + 1),
            Entry::Spread(value) if depth < 2 => where_in(values, *value, depth + 1),
            _ => None,
        })
}
