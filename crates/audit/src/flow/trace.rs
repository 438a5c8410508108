//! Follows a value back to what the client sent, through its parts.

use std::cell::RefCell;

use portcullis_code::body::Const;
use portcullis_code::value::{Entry, FactsId, Value, ValueId, Values};
use portcullis_report::Class;
use rustc_hash::FxHashMap;
use ustr::Ustr;

use super::{
    Before, Danger, Flow, PROTOTYPES, SeenSink, SinkForm, Wants, own_url::is_own_url, typed,
    vouched::Tests,
};
use crate::{
    body_stream,
    input::Input,
    knowledge::down,
    library::{BodyFormat, Meaning},
    origin::Origins,
    route::Site,
    rule::RouteContext,
};

/// Deepest nesting that is followed.
const DEPTH_MAX: u32 = 24;
/// Most values that are looked at for one place.
const VALUES_MAX: u32 = 2_000;
/// Most flows that are kept for one place.
const FLOWS_MAX: usize = 8;

/// Every way from the client to a place of harm on which nothing makes it harmless.
pub(super) fn flows(context: &RouteContext<'_>, danger: &Danger, sink: &SeenSink) -> Vec<Flow> {
    let mut trace = Trace {
        context,
        danger,
        sink,
        facts: vec![sink.facts],
        before: Before::default(),
        passed: Vec::new(),
        left: VALUES_MAX,
        found: Vec::new(),
        tests: RefCell::default(),
    };
    trace.follow(sink.value, &[], 0);
    trace.found
}

pub(super) struct Trace<'t, 'c> {
    pub(super) context: &'t RouteContext<'c>,
    pub(super) danger: &'t Danger,
    pub(super) sink: &'t SeenSink,
    /// What holds at the place, and where each choice on the way to the value was made.
    facts: Vec<FactsId>,
    pub(super) before: Before,
    passed: Vec<(Site, String)>,
    left: u32,
    found: Vec<Flow>,
    tests: RefCell<FxHashMap<FactsId, Tests>>,
}

impl<'t> Trace<'t, '_> {
    pub(super) fn values(&self) -> &'t Values {
        &self.context.machine.values
    }

    pub(super) fn origins(&self, value: ValueId) -> Origins {
        self.context.bench.origins.of(self.values(), value)
    }

    pub(super) fn is_sent(&self, value: ValueId) -> bool {
        self.origins(value).any(super::SENT)
    }

    /// Follows the member at the end of a path of a value.
    pub(super) fn follow(&mut self, value: ValueId, path: &[Ustr], depth: u32) {
        if depth > DEPTH_MAX || self.left == 0 || self.found.len() >= FLOWS_MAX {
            return;
        }
        self.left -= 1;
        let origins = self.origins(value);
        if !origins.any(self.danger.sources) || self.is_vouched(value) {
            return;
        }
        let values = self.values();
        match values.value(value) {
            _ if body_stream::is_piece(values, value) => self.leaf(value, path.last().copied()),
            // Whatever is pasted into a text is a text, and no object before it is parsed.
            Value::Template(_) if self.danger.wants == Wants::Object && !self.is_parsed() => {}
            // A name that has something else in it than the names of prototypes is none of them.
            Value::Template(parts)
                if self.danger.class == Class::PrototypePollution
                    && parts.iter().any(|part| is_no_piece_of(values, *part)) => {}
            Value::Template(parts) => {
                let parts = parts.clone();
                self.text(&parts, depth);
            }
            Value::Choice(alternatives) => {
                for each in alternatives.clone().iter() {
                    let impossible = values.truth(each.facts, each.value) == Some(false)
                        || values.contradict(self.sink.facts, each.facts);
                    if !impossible {
                        self.facts.push(each.facts);
                        self.follow(each.value, path, depth + 1);
                        self.facts.pop();
                    }
                }
            }
            Value::Promise(inner) => self.follow(*inner, path, depth + 1),
            Value::Object(_) | Value::Array(_) | Value::Instance(_) => {
                self.made(value, path, depth);
            }
            Value::Member(base, name) => {
                let mut longer = vec![*name];
                longer.extend_from_slice(path);
                self.part(value, *base, &longer, depth);
            }
            Value::Index(base, _)
            | Value::Element(base)
            | Value::Kept(base, _)
            | Value::Rest(base, _) => {
                self.part(value, *base, path, depth);
            }
            Value::Input(tag) => {
                if matches!(
                    Input::of(*tag),
                    Input::Argument(_)
                        | Input::CheckedArgument
                        | Input::PageProps
                        | Input::Context
                        | Input::CloudEvent
                ) {
                    self.leaf(value, path.last().copied());
                }
            }
            Value::Call(call) => self.call(value, *call, path, depth),
            Value::Handed(call, argument, _) => {
                self.handed(value, *call, *argument, path, depth);
            }
            // A comparison is true or false, and arithmetic a number, whatever came in.
            _ => {}
        }
    }

    /// Whether what is followed is read as JSON on its way.
    fn is_parsed(&self) -> bool {
        self.passed.iter().any(|(_, name)| name == "JSON.parse")
    }

    fn text(&mut self, parts: &[ValueId], depth: u32) {
        let outer = self.before.clone();
        for part in parts {
            self.follow(*part, &[], depth + 1);
            let constant = self.values().as_text(*part);
            if constant.is_some() || !self.is_sent(*part) {
                self.before.add(constant.as_ref().map(Ustr::as_str));
            }
        }
        self.before = outer;
    }

    /// An object or list that the code makes.
    fn made(&mut self, value: ValueId, path: &[Ustr], depth: u32) {
        let values = self.values();
        let (Value::Object(object) | Value::Array(object) | Value::Instance(object)) =
            *values.value(value)
        else {
            return;
        };
        let is_object = !matches!(values.value(value), Value::Array(_));
        let entries = values.object(object).entries.clone();
        if let Some((name, rest)) = path.split_first()
            && is_object
        {
            for entry in entries.iter().rev() {
                match entry {
                    Entry::Named(key, inner) if key == name => {
                        self.follow(*inner, rest, depth + 1);
                        return;
                    }
                    Entry::Spread(inner) => self.follow(*inner, path, depth + 1),
                    _ => {}
                }
            }
            return;
        }
        // Where a text is expected, an object is options, and no text.
        let plain = is_object
            && depth == 0
            && matches!(self.danger.wants, Wants::Text | Wants::Host | Wants::Path);
        if plain {
            return;
        }
        for entry in &entries {
            match entry {
                Entry::Named(_, inner)
                | Entry::Computed(_, inner)
                | Entry::Spread(inner)
                | Entry::Item(inner)
                | Entry::Each(inner) => self.follow(*inner, &[], depth + 1),
            }
        }
    }

    /// A part of something: of the request, or of what a call gave.
    fn part(&mut self, value: ValueId, base: ValueId, path: &[Ustr], depth: u32) {
        let values = self.values();
        // How long a text is, is a number.
        if path
            .last()
            .is_some_and(|last| matches!(last.as_str(), "length" | "size" | "byteLength"))
        {
            return;
        }
        let mut at = base;
        let mut path = path.to_vec();
        loop {
            match values.value(at) {
                Value::Member(inner, name) => {
                    path.insert(0, *name);
                    at = *inner;
                }
                Value::Index(inner, _)
                | Value::Element(inner)
                | Value::Kept(inner, _)
                | Value::Rest(inner, _) => {
                    at = *inner;
                }
                Value::Promise(inner) => at = *inner,
                _ => break,
            }
            if self.is_vouched(at) {
                return;
            }
        }
        match values.value(at) {
            Value::Input(_) => self.leaf(value, path.last().copied()),
            Value::Call(call) => self.call(value, *call, &path, depth),
            Value::Handed(call, argument, _) => self.handed(value, *call, *argument, &path, depth),
            Value::Choice(_) | Value::Object(_) | Value::Array(_) | Value::Instance(_) => {
                self.follow(at, &path, depth + 1);
            }
            Value::Template(_) | Value::Derived(_) => self.follow(at, &[], depth + 1),
            _ => {}
        }
    }

    /// Follows what a call passes on, with the call among the steps.
    pub(super) fn through(
        &mut self,
        site: Site,
        name: &str,
        given: &[ValueId],
        path: &[Ustr],
        depth: u32,
    ) {
        self.passed.push((site, name.to_owned()));
        for value in given {
            self.follow(*value, path, depth + 1);
        }
        self.passed.pop();
    }

    /// A part of the request.
    pub(super) fn leaf(&mut self, value: ValueId, last: Option<Ustr>) {
        self.leaf_of(value, last, self.origins(value));
    }

    /// The same, where it is known which part.
    pub(super) fn leaf_of(&mut self, value: ValueId, last: Option<Ustr>, origins: Origins) {
        let values = self.values();
        // What another service signed is that service's word, and what is measured is a number.
        if !origins.any(self.danger.sources)
            || origins.any(Origins::SIGNED)
            || last.is_some_and(|last| matches!(last.as_str(), "length" | "size"))
        {
            return;
        }
        let by_address = matches!(self.danger.wants, Wants::Host | Wants::Path);
        if by_address && is_own_url(values, value) {
            return;
        }
        // Another service that proved itself chose it, or our own scheduler.
        let passes = self.context.bench.passes;
        if passes.of_service(values, self.sink.facts) {
            return;
        }
        if self.danger.wants == Wants::Host && self.before.fixes_host() {
            return;
        }
        // A segment of a path has no slash to begin with.
        let one_segment = !origins.any(self.danger.sources.without(Origins::PATH));
        if self.danger.wants == Wants::Host && self.before.text == "/" && one_segment {
            return;
        }
        if self.danger.wants == Wants::Object && !self.may_be_object(value, origins) {
            return;
        }
        if self.danger.class == Class::Xss
            && self.sink.form == SinkForm::Sent
            && self.before.is_empty()
            && value == self.sink.value
            && !origins.any(Origins::PATH.and(Origins::QUERY))
        {
            // A body that is sent back as it came is an object as a rule, and then the answer is JSON.
            return;
        }
        if self.is_vouched(value) || self.is_vouched_aside(value) {
            return;
        }
        self.found.push(Flow {
            source: value,
            origins,
            parsed: origins.any(Origins::PARSED),
            after_slash: self.danger.wants == Wants::Host && !self.before.is_empty(),
            passed: self.passed.clone(),
        });
    }

    /// Whether a part of the request can be an object: of a body that is JSON, or of a query string as Express reads it.
    fn may_be_object(&self, value: ValueId, origins: Origins) -> bool {
        let values = self.values();
        if origins.any(Origins::BODY.and(Origins::ARGUMENT)) {
            return self.body_has_objects()
                && !matches!(values.value(value), Value::Call(call)
                if matches!(values.value(values.call(*call).callee), Value::Member(_, name) if *name == "get"));
        }
        let mut at = value;
        while let Some(inner) = crate::parts::whole_of(values, at) {
            if let Value::Member(base, name) = values.value(at)
                && *name == "query"
            {
                return matches!(values.value(*base), Value::Input(tag)
                    if matches!(Input::of(*tag), Input::NodeRequest | Input::PagesRequest));
            }
            at = inner;
        }
        false
    }

    /// Whether a parser on the way makes objects of a body. Where none is seen, one may be.
    fn body_has_objects(&self) -> bool {
        let values = self.values();
        let mut seen = false;
        for known in super::makers(self.context) {
            let Meaning::BodyParser(parser) = &known.row.meaning else {
                continue;
            };
            seen = true;
            let options = known
                .calls
                .first()
                .and_then(|made| values.call(*made).args.first());
            let flat = options.is_some_and(|options| {
                let extended = down(values, options.0, &["extended".into()]);
                extended.and_then(|extended| values.as_const(extended)) == Some(Const::Bool(false))
            });
            // `urlencoded({ extended: false })` makes texts and lists of texts only.
            match parser.format {
                BodyFormat::Json => return true,
                BodyFormat::Urlencoded if !flat => return true,
                _ => {}
            }
        }
        !seen
    }

    /// A validated value: harmless where its schema admits nothing else.
    pub(super) fn is_typed(&self, schema: ValueId, path: &[Ustr]) -> bool {
        typed::is_harmless(self.values(), schema, path, self.danger)
    }

    /// Whether something tested before says enough of a value.
    pub(super) fn is_vouched(&self, value: ValueId) -> bool {
        self.any_tests(|tests| tests.vouch(self, value))
    }

    /// Whether a test of something made from the value says enough of it: of the host of an address, of a resolved path.
    fn is_vouched_aside(&self, value: ValueId) -> bool {
        matches!(self.danger.wants, Wants::Host | Wants::Path)
            && self.any_tests(|tests| tests.vouch_aside(self, value))
    }

    fn any_tests(&self, ask: impl Fn(&Tests) -> bool) -> bool {
        self.facts.iter().any(|facts| {
            if !self.tests.borrow().contains_key(facts) {
                let tests = Tests::at(self.values(), *facts);
                self.tests.borrow_mut().insert(*facts, tests);
            }
            self.tests.borrow().get(facts).is_some_and(&ask)
        })
    }
}

/// Whether a part of a name stands in no name through which prototypes are reached.
fn is_no_piece_of(values: &Values, part: ValueId) -> bool {
    values
        .as_text(part)
        .is_some_and(|text| PROTOTYPES.iter().all(|name| !name.contains(text.as_str())))
}
