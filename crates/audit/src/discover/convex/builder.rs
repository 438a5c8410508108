//! `Registered`: what a builder made of a definition, told by the builder that stands innermost.
//!
//! Libraries wrap builders: `customQuery(query, customCtx(..))` is one whose functions run what customizes it first. A
//! name says nothing: `authQuery` may be made of `internalQuery`, and a local `mutation` of the public one.

use portcullis_code::{
    machine::Machine,
    value::{CallId, Value, ValueId},
};
use ustr::{Ustr, ustr};

/// How deep builders are made of each other at most.
const LAYERS_MAX: usize = 8;

/// What sort of function it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    Query,
    Mutation,
    Action,
    /// Answers HTTP, where a router serves it.
    Http,
}

/// What a client can call, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    pub(super) sort: Sort,
    pub(super) is_internal: bool,
}

impl Kind {
    pub(super) const fn new(sort: Sort, is_internal: bool) -> Self {
        Self { sort, is_internal }
    }

    /// What the inventory calls it.
    pub(super) const fn name(self) -> &'static str {
        match (self.sort, self.is_internal) {
            (Sort::Query, false) => "QUERY",
            (Sort::Mutation, false) => "MUTATION",
            (Sort::Action, false) => "ACTION",
            (Sort::Query, true) => "INTERNALQUERY",
            (Sort::Mutation, true) => "INTERNALMUTATION",
            (Sort::Action, true) => "INTERNALACTION",
            (Sort::Http, _) => "HTTPACTION",
        }
    }
}

/// What a builder made.
#[derive(Debug)]
pub(super) struct Registered {
    pub(super) kind: Kind,
    /// The handler, or an object that has it beside its validators.
    pub(super) definition: Option<ValueId>,
    /// What customizes the builder, in the order in which it runs.
    pub(super) layers: Vec<ValueId>,
}

/// What a value is, if a builder made it.
pub(super) fn registered(machine: &Machine<'_>, value: ValueId) -> Option<Registered> {
    match machine.values.value(value) {
        Value::Call(call) => made_by(machine, *call),
        // One of several: what clients can call weighs more.
        Value::Choice(alternatives) => {
            let each = alternatives.iter();
            let mut found = each.filter_map(|each| registered(machine, each.value));
            let first = found.next()?;
            let public = found.find(|other| first.kind.is_internal && !other.kind.is_internal);
            Some(public.unwrap_or(first))
        }
        _ => None,
    }
}

fn made_by(machine: &Machine<'_>, call: CallId) -> Option<Registered> {
    let data = machine.values.call(call);
    let mut layers = Vec::new();
    let kind = builder(machine, data.callee, &mut layers)?;
    Some(Registered {
        kind,
        definition: data.args.first().map(|arg| arg.0),
        layers,
    })
}

/// What a builder registers. Adds what customizes it: the innermost builder runs what it was given first.
pub(super) fn builder(
    machine: &Machine<'_>,
    value: ValueId,
    layers: &mut Vec<ValueId>,
) -> Option<Kind> {
    if layers.len() > LAYERS_MAX {
        return None;
    }
    match machine.values.value(value) {
        Value::External(package, name) => of_server(*package, *name),
        Value::Choice(alternatives) => {
            let mut kinds = alternatives
                .iter()
                .filter_map(|each| Some((builder(machine, each.value, &mut Vec::new())?, each)));
            let first = kinds.next()?;
            let public = kinds.find(|(kind, _)| first.0.is_internal && !kind.is_internal);
            let (_, chosen) = public.unwrap_or(first);
            builder(machine, chosen.value, layers)
        }
        Value::Call(call) => {
            let data = machine.values.call(*call);
            let Value::External(package, name) = *machine.values.value(data.callee) else {
                return None;
            };
            if !is_customizer(package, name) {
                return None;
            }
            let kind = builder(machine, data.args.first()?.0, layers)?;
            layers.extend(data.args.get(1).map(|arg| arg.0));
            Some(kind)
        }
        _ => None,
    }
}

/// The builders of the generated code, and those it is made of.
fn of_server(package: Ustr, name: Ustr) -> Option<Kind> {
    if !is_server_module(&package) {
        return None;
    }
    let name = match name.strip_suffix("Generic") {
        Some(plain) if package == "convex/server" => ustr(plain),
        None if package != "convex/server" => name,
        _ => return None,
    };
    Some(match name.as_str() {
        "query" => Kind::new(Sort::Query, false),
        "mutation" => Kind::new(Sort::Mutation, false),
        "action" => Kind::new(Sort::Action, false),
        "internalQuery" => Kind::new(Sort::Query, true),
        "internalMutation" => Kind::new(Sort::Mutation, true),
        "internalAction" => Kind::new(Sort::Action, true),
        "httpAction" => Kind::new(Sort::Http, true),
        _ => return None,
    })
}

/// Whether a specifier names what builders come from: the package, or the code that is generated for one backend.
pub(super) fn is_server_module(specifier: &str) -> bool {
    let specifier = specifier.strip_suffix(".js").unwrap_or(specifier);
    specifier == "convex/server"
        || specifier
            .strip_suffix("_generated/server")
            .is_some_and(|rest| rest.ends_with('/'))
}

/// Whether it makes a builder of a builder.
fn is_customizer(package: Ustr, name: Ustr) -> bool {
    package.starts_with("convex-helpers")
        && matches!(
            name.as_str(),
            "customQuery"
                | "customMutation"
                | "customAction"
                | "zCustomQuery"
                | "zCustomMutation"
                | "zCustomAction"
        )
}
