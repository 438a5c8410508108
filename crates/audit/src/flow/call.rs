//! What a call gives of what it was given: its input in another form, something harmless, or something of its own.

use portcullis_code::value::{CallId, Value, ValueId};
use ustr::Ustr;

use super::{Wants, cleaned::is_cleaned, trace::Trace};
use crate::{
    input::Input,
    knowledge::{Known, PathStep},
    library::{DeriveKind, Guard, GuardKind, Meaning, Usage},
    route::Site,
};

/// Methods of texts, lists and buffers whose result is a piece or another form of what they are called on.
const FORMS: [&str; 42] = [
    "trim",
    "trimStart",
    "trimEnd",
    "toLowerCase",
    "toUpperCase",
    "toLocaleLowerCase",
    "toLocaleUpperCase",
    "toString",
    "toJSON",
    "valueOf",
    "normalize",
    "slice",
    "substring",
    "substr",
    "split",
    "at",
    "charAt",
    "repeat",
    "pop",
    "shift",
    "reverse",
    "sort",
    "flat",
    "filter",
    "find",
    "map",
    "flatMap",
    "splice",
    "keys",
    "values",
    "entries",
    "reduce",
    "subarray",
    "then",
    "catch",
    "finally",
    "clone",
    "text",
    "json",
    "next",
    "toArray",
    "arrayBuffer",
];
/// Methods that join what they are called on with what they are given.
const JOINS: [&str; 5] = ["concat", "join", "padStart", "padEnd", "append"];
/// Globals that give what they are given in another form.
const CONVERTERS: [&str; 15] = [
    "String",
    "Object",
    "Array",
    "Set",
    "Map",
    "RegExp",
    "URLSearchParams",
    "decodeURIComponent",
    "decodeURI",
    "encodeURI",
    "unescape",
    "atob",
    "structuredClone",
    "Buffer",
    "TextDecoder",
];

impl Trace<'_, '_> {
    /// What a call, or the member at the end of a path of its result, has of what the client sent.
    pub(super) fn call(&mut self, value: ValueId, call: CallId, path: &[Ustr], depth: u32) {
        let values = self.values();
        let data = values.call(call);
        let site = Site {
            module: data.module,
            span: data.span,
        };
        // `await req.json()`, `req.get("x")`
        if let Value::Member(base, _) = values.value(data.callee)
            && matches!(values.value(*base), Value::Input(_))
        {
            self.leaf(value, path.last().copied());
            return;
        }
        let rows = self.context.bench.knowledge.of_call(values, call);
        let mut described = false;
        // What makes it harmless is the finer word, beside a row that says how it is made.
        let (first, rest): (Vec<&Known<'_>>, Vec<&Known<'_>>) = rows
            .iter()
            .partition(|known| matches!(known.row.meaning, Meaning::Sanitizer(_)));
        for known in first.into_iter().chain(rest) {
            if known.row.usage != Usage::Plain || matches!(known.row.meaning, Meaning::Sink(_)) {
                continue;
            }
            described = true;
            if self.described(value, call, known, path, site, depth) {
                return;
            }
        }
        if described {
            return;
        }
        match values.value(data.callee).clone() {
            Value::Global(name) => self.global(call, name, site, path, depth),
            Value::Member(base, name) => self.method(value, call, base, name, path, depth),
            // The method of one of several values.
            Value::Choice(alternatives) => {
                for each in alternatives.iter() {
                    if let Value::Member(base, name) = *values.value(each.value) {
                        self.method(value, call, base, name, path, depth);
                    }
                }
            }
            _ => {}
        }
    }

    fn given(&self, call: CallId) -> Vec<ValueId> {
        let args = &self.values().call(call).args;
        args.iter().map(|arg| arg.0).collect()
    }

    /// By a row. Whether the row says all that there is to say.
    fn described(
        &mut self,
        value: ValueId,
        call: CallId,
        known: &Known<'_>,
        path: &[Ustr],
        site: Site,
        depth: u32,
    ) -> bool {
        let name = self
            .context
            .bench
            .knowledge
            .reach(self.values(), self.values().call(call).callee)
            .map_or_else(String::new, |reach| {
                reach
                    .steps
                    .iter()
                    .rev()
                    .find_map(|step| match step {
                        PathStep::Member(name) => Some(name.to_string()),
                        _ => None,
                    })
                    .unwrap_or_default()
            });
        match &known.row.meaning {
            Meaning::Sanitizer(sanitizer) => {
                if sanitizer.covers(self.danger.class) {
                    return true;
                }
                let given = self.given(call);
                self.through(site, &name, &given, &[], depth);
                true
            }
            Meaning::Input(_) => {
                self.leaf(value, path.last().copied());
                true
            }
            Meaning::Guard(guard) if guard.guard == GuardKind::Validation => {
                if guard.result.is_some() {
                    self.validated(value, known, guard, path);
                }
                true
            }
            Meaning::Derive(derive) => {
                if matches!(derive.kind, DeriveKind::Convert | DeriveKind::Merge) {
                    let given = self.given(call);
                    self.converted(call, &name, &given, site, path, depth);
                }
                true
            }
            Meaning::Pick(fields) | Meaning::Omit(fields) => {
                let subjects =
                    self.context
                        .bench
                        .knowledge
                        .places(self.values(), known, &fields.subject);
                self.through(site, &name, &subjects, path, depth);
                true
            }
            Meaning::Transparent => {
                let given = self.given(call);
                self.through(site, &name, &given, path, depth);
                true
            }
            _ => true,
        }
    }

    /// What a schema let through.
    fn validated(&mut self, value: ValueId, known: &Known<'_>, guard: &Guard, path: &[Ustr]) {
        let values = self.values();
        let schema = guard
            .schema
            .as_ref()
            .and_then(|place| self.context.bench.knowledge.place(values, known, place));
        let field = guard
            .result_field
            .as_ref()
            .map_or(0, |field| field.steps.len());
        let inner: Vec<Ustr> = path.iter().skip(field).copied().collect();
        if schema.is_some_and(|schema| self.is_typed(schema, &inner)) {
            return;
        }
        self.leaf(value, path.last().copied());
    }

    /// A conversion: its arguments, and what it is called on, in another form.
    fn converted(
        &mut self,
        call: CallId,
        name: &str,
        given: &[ValueId],
        site: Site,
        path: &[Ustr],
        depth: u32,
    ) {
        let outer = self.before.clone();
        let path_of_join: &[Ustr] = if given.len() == 1 { path } else { &[] };
        for argument in given {
            self.through(site, name, &[*argument], path_of_join, depth);
            let constant = self.values().as_text(*argument);
            if constant.is_some() || !self.is_sent(*argument) {
                self.before.add(constant.as_ref().map(Ustr::as_str));
            }
        }
        self.before = outer;
        if let Value::Member(base, _) = *self.values().value(self.values().call(call).callee) {
            self.through(site, name, &[base], &[], depth);
        }
    }

    fn global(&mut self, call: CallId, name: Ustr, site: Site, path: &[Ustr], depth: u32) {
        let given = self.given(call);
        if name == "URL" {
            self.address(&given, site, path, depth);
        } else if CONVERTERS.contains(&name.as_str()) {
            // A text is no object.
            if name == "String" && self.danger.wants == Wants::Object {
                return;
            }
            self.through(site, &name, &given, &[], depth);
        }
    }

    /// `new URL(target, base)`: of one whose host is settled by the base, only the path can be chosen.
    fn address(&mut self, given: &[ValueId], site: Site, path: &[Ustr], depth: u32) {
        let part = path.first().map(Ustr::as_str);
        if self.danger.wants == Wants::Host
            && matches!(part, Some("pathname" | "search" | "hash" | "searchParams"))
        {
            return;
        }
        // A path that the platform takes apart has no dots left in it.
        if self.danger.wants == Wants::Path && part == Some("pathname") {
            return;
        }
        if let Some(target) = given.first() {
            self.through(site, "new URL", &[*target], &[], depth);
        }
        // With a base of the client's choice everything is.
        if let Some(base) = given.get(1)
            && !super::own_url::is_own_url(self.values(), *base)
        {
            self.through(site, "new URL", &[*base], &[], depth);
        }
    }

    fn method(
        &mut self,
        value: ValueId,
        call: CallId,
        base: ValueId,
        name: Ustr,
        path: &[Ustr],
        depth: u32,
    ) {
        let values = self.values();
        let data = values.call(call);
        let site = Site {
            module: data.module,
            span: data.span,
        };
        let given = self.given(call);
        if let Value::Global(global) = values.value(base) {
            let passes = matches!(
                (global.as_str(), name.as_str()),
                ("JSON" | "Object" | "Promise" | "Reflect", _)
                    | ("Array", "from" | "of")
                    | ("Buffer", "from" | "concat")
                    | ("String", "raw")
            );
            if passes {
                let text = format!("{global}.{name}");
                // A name of an object's members can be chosen as well as what they are.
                let rest = if *global == "JSON" && name == "parse" {
                    path
                } else {
                    &[]
                };
                self.through(site, &text, &given, rest, depth);
            }
            return;
        }
        // A field of a form, a parameter of the query.
        if matches!(name.as_str(), "get" | "getAll") && given.len() == 1 && self.is_sent(base) {
            if self.is_request_part(base) {
                self.leaf_of(value, None, self.origins(base));
            } else {
                self.through(site, &name, &[base], &[], depth);
            }
            return;
        }
        if matches!(name.as_str(), "replace" | "replaceAll") {
            if !is_cleaned(values, &given, name == "replaceAll", self.danger) {
                let mut given: Vec<ValueId> = given.get(1).copied().into_iter().collect();
                given.push(base);
                self.through(site, &name, &given, &[], depth);
            }
            return;
        }
        // What an expression without these signs matched has none of them.
        if matches!(name.as_str(), "match" | "exec" | "matchAll") {
            let (text, pattern) = if name == "exec" {
                (given.first().copied(), Some(base))
            } else {
                (Some(base), given.first().copied())
            };
            let pattern = pattern.and_then(|pattern| super::vouched::pattern(values, pattern));
            if pattern.is_none_or(|pattern| pattern.takes_any(self.danger.signs)) {
                self.through(
                    site,
                    &name,
                    &text.into_iter().collect::<Vec<_>>(),
                    &[],
                    depth,
                );
            }
            return;
        }
        if FORMS.contains(&name.as_str()) {
            self.through(site, &name, &[base], &[], depth);
        } else if JOINS.contains(&name.as_str()) {
            let mut all = vec![base];
            all.extend(given);
            self.through(site, &name, &all, &[], depth);
        }
    }

    /// Whether a value is the request, or what it brings its fields in: `searchParams`, `headers`, a form.
    fn is_request_part(&self, value: ValueId) -> bool {
        let values = self.values();
        let mut at = value;
        for _ in 0..8 {
            match values.value(at) {
                Value::Member(_, name)
                    if matches!(name.as_str(), "searchParams" | "headers" | "cookies") =>
                {
                    return true;
                }
                Value::Member(base, _) | Value::Promise(base) => at = *base,
                Value::Call(call) => match values.value(values.call(*call).callee) {
                    Value::Member(base, name)
                        if matches!(values.value(*base), Value::Input(_))
                            && *name == "formData" =>
                    {
                        return true;
                    }
                    _ => {
                        let rows = self.context.bench.knowledge.of_call(values, *call);
                        return rows
                            .iter()
                            .any(|known| matches!(known.row.meaning, Meaning::Input(_)));
                    }
                },
                // What a server action is given is a form as a rule.
                Value::Input(tag) => {
                    return matches!(Input::of(*tag), Input::Argument(_) | Input::CheckedArgument);
                }
                _ => return false,
            }
        }
        false
    }

    /// What a call hands to a function that it is given.
    pub(super) fn handed(
        &mut self,
        value: ValueId,
        call: CallId,
        argument: u32,
        path: &[Ustr],
        depth: u32,
    ) {
        let values = self.values();
        let rows = self.context.bench.knowledge.of_call(values, call);
        if !rows.is_empty() {
            let by_row = rows
                .iter()
                .any(|known| !known.row.hands.is_empty() || !known.row.sets.is_empty());
            let schema = self.schema_of_builder(call);
            let inner: Vec<Ustr> = path.iter().skip(1).copied().collect();
            if by_row && !schema.is_some_and(|schema| self.is_typed(schema, &inner)) {
                self.leaf(value, path.last().copied());
            }
            return;
        }
        let data = values.call(call);
        let site = Site {
            module: data.module,
            span: data.span,
        };
        let _position = argument;
        if let Value::Member(base, name) = *values.value(data.callee)
            && (FORMS.contains(&name.as_str())
                || matches!(name.as_str(), "on" | "once" | "forEach"))
        {
            self.through(site, &name, &[base], &[], depth);
        }
    }

    /// The schema that a builder was given before the function that gets its input: `.input(schema).query(fn)`.
    fn schema_of_builder(&self, call: CallId) -> Option<ValueId> {
        let values = self.values();
        let mut at = values.call(call).callee;
        for _ in 0..16 {
            match values.value(at) {
                Value::Member(base, _) | Value::Promise(base) => at = *base,
                Value::Call(inner) => {
                    let data = values.call(*inner);
                    if let Value::Member(_, name) = values.value(data.callee)
                        && matches!(
                            name.as_str(),
                            "input" | "inputSchema" | "schema" | "validator"
                        )
                    {
                        return data.args.first().map(|arg| arg.0);
                    }
                    at = data.callee;
                }
                _ => return None,
            }
        }
        None
    }
}
