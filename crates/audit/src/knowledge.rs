//! What values mean: the path from an import to a value, the library rows that describe it, and where in a call things stand.

use portcullis_code::{
    body::Const,
    project::Project,
    value::{CallId, Entry, Value, ValueId, Values},
};
use portcullis_policy::Policy;
use rustc_hash::FxHashMap;
use std::{cell::RefCell, rc::Rc};
use ustr::{Ustr, ustr};

use crate::discover::convex;
use crate::guards::Guards;
use crate::library::{
    Condition, Constant, Handed, Library, Place, Role, Root, Row, Segment, Step, Symbol, Test,
    Usage, ValueKind, Version,
};
use crate::semantics::HANDED_BY_ROW;
use crate::whole::{Answer, Question, Whole};

/// Longest path that is walked from a value to its import.
const STEPS_MAX: usize = 24;

/// One step of a path, owned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathStep {
    /// A named member.
    Member(Ustr),
    /// A call; its id where it happened.
    Call(Option<CallId>),
    /// A computed member or an element.
    Index,
}

/// The way from an import to a value.
#[derive(Clone, Debug)]
pub struct Reach {
    /// The module specifier, or `globalThis` for a name that nothing declares.
    pub package: Ustr,
    /// The steps.
    pub steps: Vec<PathStep>,
}

impl Reach {
    /// As users would write it: `auth().userId`.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for step in &self.steps {
            match step {
                PathStep::Member(name) => {
                    if !text.is_empty() {
                        text.push('.');
                    }
                    text.push_str(name);
                }
                PathStep::Call(_) => text.push_str("()"),
                PathStep::Index => text.push_str("[]"),
            }
        }
        text
    }
}

/// A row that describes a value or a call.
#[derive(Clone, Debug)]
pub struct Known<'k> {
    /// The row.
    pub row: &'k Row,
    /// The row's position in the library.
    pub position: usize,
    /// What the `*` of its symbol stand for.
    pub stars: Rc<[Ustr]>,
    /// The calls on the way, the last one first.
    pub calls: Rc<[CallId]>,
}

/// A row's position, what its `*` stand for, and the calls on the way.
type Remembered = (usize, Rc<[Ustr]>, Rc<[CallId]>);

/// The library, the policy's guards and the project together.
pub struct Knowledge<'p> {
    /// The project.
    pub project: &'p Project,
    /// What library calls mean.
    pub library: &'p Library,
    /// The policy.
    pub policy: &'p Policy,
    guards: Guards,
    whole: Whole,
    versions: RefCell<FxHashMap<(Ustr, Ustr), Option<Version>>>,
    /// The rows of calls, for one run: the numbers of calls are used again by the next.
    calls: RefCell<FxHashMap<CallId, Vec<Remembered>>>,
}

impl std::fmt::Debug for Knowledge<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Knowledge").finish_non_exhaustive()
    }
}

impl<'p> Knowledge<'p> {
    /// Knowledge about one project.
    #[must_use]
    pub fn new(project: &'p Project, library: &'p Library, policy: &'p Policy) -> Self {
        Self {
            project,
            library,
            policy,
            guards: Guards::default(),
            whole: Whole::default(),
            versions: RefCell::default(),
            calls: RefCell::default(),
        }
    }

    /// Tells the project's own functions by which the policy's guards go; the library has their rows.
    #[must_use]
    pub fn with_guards(self, guards: Guards) -> Self {
        Self { guards, ..self }
    }

    /// The project's own functions that the policy speaks of.
    #[must_use]
    pub const fn guards(&self) -> &Guards {
        &self.guards
    }

    /// Answers a question about the whole project.
    pub(crate) fn ask(&self, question: Question) -> Answer {
        self.whole.ask(self.project, question)
    }

    /// The question about the whole project that has a number.
    pub(crate) fn question(&self, number: u32) -> Option<Question> {
        self.whole.question(number)
    }

    /// The rows of the call that made a value which is called itself: a wrapped handler, a middleware.
    #[must_use]
    pub fn of_maker(&self, values: &Values, callee: ValueId) -> Vec<Known<'p>> {
        match values.value(callee) {
            Value::Call(made) => self.of_call(values, *made),
            _ => Vec::new(),
        }
    }

    /// The same, where they say what is enforced: what the policy describes as it stands is not asked how it was made.
    #[must_use]
    pub fn of_maker_unless_told(&self, values: &Values, callee: ValueId) -> Vec<Known<'p>> {
        if self.guards.name(values, callee).is_some() {
            return Vec::new();
        }
        self.of_maker(values, callee)
    }

    /// The way from an import to a value.
    #[must_use]
    pub fn reach(&self, values: &Values, value: ValueId) -> Option<Reach> {
        let mut steps = Vec::new();
        let package = self.walk(values, value, &mut steps, 0)?;
        steps.reverse();
        Some(Reach { package, steps })
    }

    fn walk(
        &self,
        values: &Values,
        value: ValueId,
        steps: &mut Vec<PathStep>,
        depth: usize,
    ) -> Option<Ustr> {
        if depth > STEPS_MAX {
            return None;
        }
        if let Some((file, path)) = self.guards.name(values, value) {
            steps.extend(path.into_iter().rev().map(PathStep::Member));
            return Some(file);
        }
        match values.value(value) {
            Value::External(package, name) => {
                if !name.is_empty() {
                    steps.push(PathStep::Member(*name));
                }
                // The same context, but for who calls.
                Some(if package == convex::SERVER_WITHOUT_CALLER {
                    ustr(convex::SERVER)
                } else {
                    *package
                })
            }
            Value::Global(name) => {
                steps.push(PathStep::Member(*name));
                Some(ustr("globalThis"))
            }
            Value::Member(base, name) => {
                steps.push(PathStep::Member(*name));
                self.walk(values, *base, steps, depth + 1)
            }
            Value::Index(base, _) | Value::Element(base) => {
                steps.push(PathStep::Index);
                self.walk(values, *base, steps, depth + 1)
            }
            Value::Call(call) => {
                let callee = values.call(*call).callee;
                steps.push(PathStep::Call(Some(*call)));
                self.walk(values, callee, steps, depth + 1)
            }
            Value::Promise(inner) | Value::Kept(inner, _) => {
                self.walk(values, *inner, steps, depth + 1)
            }
            Value::Choice(alternatives) => {
                // `globalThis.client || new Client()`: the way that leads to a package.
                let mark = steps.len();
                let mut fallback = None;
                for alternative in alternatives.iter() {
                    steps.truncate(mark);
                    match self.walk(values, alternative.value, steps, depth + 1) {
                        Some(package) if package != "globalThis" => return Some(package),
                        Some(package) => fallback = Some((package, steps.clone())),
                        None => {}
                    }
                }
                let (package, kept) = fallback?;
                *steps = kept;
                Some(package)
            }
            Value::Instance(object) => {
                // A project class that extends a library's: the path goes on from the library's class.
                let maker = values.object(*object).made_by?;
                steps.push(PathStep::Call(None));
                self.walk_class(values, maker, steps)
            }
            Value::Class { .. } => self.walk_class(values, value, steps),
            Value::Function {
                module, function, ..
            } => {
                // Another function of the same name must not pass for the one that the policy means.
                if self.guards.speak_of(*module) {
                    return None;
                }
                let module = self.project.module(*module);
                let name = module.body.function(*function).name?;
                steps.push(PathStep::Member(name));
                Some(ustr(&module.file))
            }
            Value::Handed(call, argument, param) => {
                self.walk_handed(values, *call, *argument, *param, steps, depth + 1)
            }
            _ => None,
        }
    }

    fn walk_class(
        &self,
        values: &Values,
        class: ValueId,
        steps: &mut Vec<PathStep>,
    ) -> Option<Ustr> {
        let Value::Class { module, class, .. } = values.value(class) else {
            return None;
        };
        let body = &self.project.module(*module).body;
        let parent = body.class(*class).parent?;
        // The parent's name is an import as a rule; anything else is not followed.
        let portcullis_code::body::ExprKind::Local(local) = body.expr(parent).kind else {
            return None;
        };
        let import = body.imports.get(body.local(local).import? as usize)?;
        if let portcullis_code::body::ImportName::Named(name) = import.name {
            steps.push(PathStep::Member(name));
        }
        Some(import.specifier)
    }

    fn walk_handed(
        &self,
        values: &Values,
        call: CallId,
        argument: u32,
        param: u32,
        steps: &mut Vec<PathStep>,
        depth: usize,
    ) -> Option<Ustr> {
        let known = self.of_call_at(values, call, depth);
        for known in known {
            for (position, (place, handed)) in known.row.hands.iter().enumerate() {
                let by_row = param
                    .checked_sub(HANDED_BY_ROW)
                    .map(|number| number as usize);
                let meant = match by_row {
                    Some(number) => number == position && known.row.usage != Usage::Plain,
                    None => {
                        place.root == Root::Argument(argument as usize)
                            && place.members.first().map(|name| &**name)
                                == Some(&*param.to_string())
                    }
                };
                if !meant {
                    continue;
                }
                match handed {
                    Handed::Role(Role::This) => {
                        return self.walk_receiver(values, call, steps, depth + 1);
                    }
                    Handed::Symbol(symbol) => {
                        let package = self.reach(values, values.call(call).callee)?.package;
                        push_symbol(symbol, steps);
                        return Some(package);
                    }
                    Handed::Role(_) => {}
                }
            }
        }
        None
    }

    /// On from what a method was called on: of several, what leads to a package (`globalThis.client ?? new Client()`).
    fn walk_receiver(
        &self,
        values: &Values,
        call: CallId,
        steps: &mut Vec<PathStep>,
        depth: usize,
    ) -> Option<Ustr> {
        let mark = steps.len();
        for receiver in receivers(values, values.call(call).callee) {
            steps.truncate(mark);
            let found = self.walk(values, receiver, steps, depth);
            if found.is_some_and(|package| package != "globalThis") {
                return found;
            }
        }
        None
    }

    /// The rows that describe a call.
    #[must_use]
    pub fn of_call(&self, values: &Values, call: CallId) -> Vec<Known<'p>> {
        if let Some(known) = self.calls.borrow().get(&call) {
            return known
                .iter()
                .filter_map(|(position, stars, calls)| {
                    let row = self.library.all().get(*position)?;
                    Some(Known {
                        row,
                        position: *position,
                        stars: stars.clone(),
                        calls: calls.clone(),
                    })
                })
                .collect();
        }
        let found = self.of_call_at(values, call, 0);
        let remembered = found
            .iter()
            .map(|known| (known.position, known.stars.clone(), known.calls.clone()))
            .collect();
        self.calls.borrow_mut().insert(call, remembered);
        found
    }

    /// Forgets the calls of the run before.
    pub fn forget(&self) {
        self.calls.borrow_mut().clear();
    }

    fn of_call_at(&self, values: &Values, call: CallId, depth: usize) -> Vec<Known<'p>> {
        let data = values.call(call);
        let mut steps = vec![PathStep::Call(Some(call))];
        let Some(package) = self.walk(values, data.callee, &mut steps, depth) else {
            return Vec::new();
        };
        steps.reverse();
        self.rows(values, &Reach { package, steps }, Some(call))
    }

    /// The rows that describe a value that is no call, such as a middleware.
    #[must_use]
    pub fn of_value(&self, values: &Values, value: ValueId) -> Vec<Known<'p>> {
        match self.reach(values, value) {
            Some(reach) => self.rows(values, &reach, None),
            None => Vec::new(),
        }
    }

    /// The rows that would describe a call of a value.
    #[must_use]
    pub fn of_called(&self, values: &Values, callee: ValueId) -> Vec<Known<'p>> {
        match self.reach(values, callee) {
            Some(mut reach) => {
                reach.steps.push(PathStep::Call(None));
                self.rows(values, &reach, None)
            }
            None => Vec::new(),
        }
    }

    fn rows(&self, values: &Values, reach: &Reach, call: Option<CallId>) -> Vec<Known<'p>> {
        if !self.library.knows(&reach.package) {
            return Vec::new();
        }
        let segments: Vec<Segment<'_>> = reach
            .steps
            .iter()
            .map(|step| match step {
                PathStep::Member(name) => Segment::Member(name.as_str()),
                PathStep::Call(_) => Segment::Call,
                PathStep::Index => Segment::Index,
            })
            .collect();
        let calls: Rc<[CallId]> = reach
            .steps
            .iter()
            .rev()
            .filter_map(|step| match step {
                PathStep::Call(call) => *call,
                _ => None,
            })
            .collect();
        let file = call
            .or(calls.first().copied())
            .map(|call| values.call(call).module);
        let versions = |package: &str| {
            let file = file?;
            self.version(file, package)
        };
        self.library
            .rows(&reach.package, &segments, &versions)
            .map(|found| Known {
                row: found.row,
                position: found.position,
                stars: found.stars.iter().map(|star| ustr(star)).collect(),
                calls: calls.clone(),
            })
            .filter(|known| self.applies(values, known))
            .collect()
    }

    /// The version of a package that a module gets, where that is known.
    pub(crate) fn version(
        &self,
        module: portcullis_code::body::ModuleId,
        package: &str,
    ) -> Option<Version> {
        let file = &self.project.module(module).file;
        let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
        let key = (ustr(folder), ustr(package));
        if let Some(known) = self.versions.borrow().get(&key) {
            return known.clone();
        }
        let version = self
            .project
            .requirement(file, package)
            .and_then(Version::from_requirement);
        self.versions.borrow_mut().insert(key, version.clone());
        version
    }

    fn applies(&self, values: &Values, known: &Known<'_>) -> bool {
        let decide = |condition: &Condition| self.condition(values, known, condition);
        known
            .row
            .only_if
            .iter()
            .all(|condition| decide(condition) == Some(true))
            && !known
                .row
                .unless
                .iter()
                .any(|condition| decide(condition) != Some(false))
    }

    /// Whether a condition holds, where that can be decided.
    fn condition(&self, values: &Values, known: &Known<'_>, condition: &Condition) -> Option<bool> {
        let found = self.places(values, known, &condition.at);
        match &condition.test {
            Test::Present(wanted) => {
                let present = found.first().is_some_and(|&value| {
                    !matches!(values.value(value), Value::Const(Const::Undefined))
                });
                Some(present == *wanted)
            }
            Test::Is(constants) => {
                let Some(&value) = found.first() else {
                    return Some(false);
                };
                if matches!(
                    values.value(value),
                    Value::Object(_) | Value::Array(_) | Value::Function { .. }
                ) {
                    return Some(false);
                }
                let value = values.as_const(value)?;
                Some(constants.iter().any(|constant| match (constant, value) {
                    (Constant::Bool(a), Const::Bool(b)) => *a == b,
                    (Constant::Text(a), Const::Str(b)) => **a == *b.as_str(),
                    #[expect(clippy::cast_precision_loss, reason = "conditions name small numbers")]
                    (Constant::Number(a), Const::Num(b)) => (*a as f64) == f64::from_bits(b),
                    _ => false,
                }))
            }
            Test::Kind(kind) => {
                let Some(&value) = found.first() else {
                    return Some(*kind == ValueKind::NotFunction);
                };
                let is = |wanted: ValueKind| *kind == wanted;
                match values.value(value) {
                    Value::Function { .. } | Value::Class { .. } => Some(is(ValueKind::Function)),
                    Value::Object(_) | Value::Instance(_) => {
                        Some(is(ValueKind::Object) || is(ValueKind::NotFunction))
                    }
                    Value::Array(_) => Some(is(ValueKind::Array) || is(ValueKind::NotFunction)),
                    Value::Const(Const::Str(_)) | Value::Template(_) => {
                        Some(is(ValueKind::Text) || is(ValueKind::NotFunction))
                    }
                    Value::Const(_) => Some(is(ValueKind::NotFunction)),
                    _ => None,
                }
            }
        }
    }

    /// The values that stand at a place of a call that a row describes.
    #[must_use]
    pub fn places(&self, values: &Values, known: &Known<'_>, place: &Place) -> Vec<ValueId> {
        let Some(&call) = known.calls.first() else {
            return Vec::new();
        };
        let data = values.call(call);
        let roots: Vec<ValueId> = match place.root {
            Root::This => receivers(values, data.callee),
            Root::Argument(number) => data.args.get(number).map(|arg| arg.0).into_iter().collect(),
            Root::Last => data.args.last().map(|arg| arg.0).into_iter().collect(),
            Root::All => data.args.iter().map(|arg| arg.0).collect(),
            Root::Made(number) => known
                .calls
                .get(1)
                .and_then(|made| values.call(*made).args.get(number))
                .map(|arg| arg.0)
                .into_iter()
                .collect(),
        };
        roots
            .into_iter()
            .filter_map(|root| down(values, root, &place.members))
            .collect()
    }

    /// The one value that stands at a place.
    #[must_use]
    pub fn place(&self, values: &Values, known: &Known<'_>, place: &Place) -> Option<ValueId> {
        self.places(values, known, place).into_iter().next()
    }

    /// The role of a parameter that a call hands to its callback.
    #[must_use]
    pub fn handed(
        &self,
        values: &Values,
        call: CallId,
        argument: u32,
        param: u32,
    ) -> Vec<(Vec<Ustr>, Role)> {
        let mut roles = Vec::new();
        for known in self.of_call(values, call) {
            for (place, handed) in &known.row.hands {
                let Handed::Role(role) = handed else { continue };
                let wrapper = matches!(&known.row.usage, Usage::Wrapper { handler } if handler.root == Root::Argument(argument as usize));
                let members: Vec<Ustr> = if wrapper {
                    // A wrapper's places begin with the parameter: `0.auth`.
                    if place.root != Root::Argument(param as usize) {
                        continue;
                    }
                    place.members.iter().map(|name| ustr(name)).collect()
                } else {
                    if place.root != Root::Argument(argument as usize)
                        || place.members.first().map(|name| &**name) != Some(&*param.to_string())
                    {
                        continue;
                    }
                    place
                        .members
                        .iter()
                        .skip(1)
                        .map(|name| ustr(name))
                        .collect()
                };
                roles.push((members, *role));
            }
        }
        roles
    }
}

/// A member of a value that the code makes, without running anything.
#[must_use]
pub fn down(values: &Values, root: ValueId, members: &[Box<str>]) -> Option<ValueId> {
    let mut at = root;
    for name in members {
        at = plain_member(values, at, name)?;
    }
    Some(at)
}

fn plain_member(values: &Values, base: ValueId, name: &str) -> Option<ValueId> {
    match values.value(base) {
        Value::Object(object) => {
            let data = values.object(*object);
            data.entries.iter().rev().find_map(|entry| match entry {
                Entry::Named(key, value) if *key == name => Some(*value),
                Entry::Spread(other) => plain_member(values, *other, name),
                _ => None,
            })
        }
        Value::Choice(alternatives) => alternatives
            .iter()
            .find_map(|each| plain_member(values, each.value, name)),
        _ => None,
    }
}

fn push_symbol(symbol: &Symbol, steps: &mut Vec<PathStep>) {
    for step in symbol.steps().iter().rev() {
        steps.push(match step {
            Step::Name(name) => PathStep::Member(ustr(name)),
            Step::Call => PathStep::Call(None),
            Step::Index | Step::AnyName | Step::Run => PathStep::Index,
        });
    }
}

/// What a method was called on: each, where it may be one of several.
fn receivers(values: &Values, callee: ValueId) -> Vec<ValueId> {
    match values.value(callee) {
        Value::Member(base, _) | Value::Index(base, _) => vec![*base],
        Value::Choice(alternatives) => alternatives
            .iter()
            .filter(|each| !matches!(values.value(each.value), Value::Choice(_)))
            .flat_map(|each| receivers(values, each.value))
            .collect(),
        _ => Vec::new(),
    }
}
