//! `Symbol`: a function in a file of the project as the policy names it, and the value that it stands for.

use portcullis_code::{
    body::{ClassId, Const, FunctionId, ModuleId},
    machine::Machine,
    project::Project,
    value::{EnvId, Value, ValueId, Values},
};
use ustr::Ustr;

/// A symbol in a file of the project.
#[derive(Debug)]
pub(super) struct Symbol {
    /// As the policy writes it.
    pub(super) written: String,
    /// The line of its guard.
    pub(super) line: usize,
    pub(super) module: ModuleId,
    pub(super) file: Ustr,
    /// The export, and members of it.
    pub(super) export: Ustr,
    pub(super) members: Vec<Ustr>,
}

/// What makes a callable value itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Identity {
    /// A closure, whatever it is bound to. What made it counts: `requireRole("admin")` is not `requireRole("user")`.
    Closure(ModuleId, FunctionId, EnvId),
    /// A method, of one receiver or of all instances: each look at it makes another value.
    Method(ModuleId, FunctionId, Option<ValueId>),
    /// Anything else: the result of a call, such as `cache(async () => ..)`.
    Value(ValueId),
}

impl Symbol {
    pub(super) fn path(&self) -> Vec<&str> {
        std::iter::once(&self.export)
            .chain(&self.members)
            .map(Ustr::as_str)
            .collect()
    }

    /// Whether both are one place, whose rows go by one name.
    pub(super) fn is_at(&self, other: &Self) -> bool {
        self.file == other.file && self.path() == other.path()
    }

    /// What it stands for now, if that may be called.
    pub(super) fn find(&self, machine: &mut Machine<'_>) -> Option<Identity> {
        let mut at = machine.export(self.module, self.export, 0);
        if matches!(machine.values.value(at), Value::Unknown(_)) {
            // A single file rarely exports its own middleware.
            at = machine.top_level(self.module, self.export)?;
        }
        let mut owner = None;
        for (position, name) in self.members.iter().enumerate() {
            if let Value::Class { module, class, .. } = *machine.values.value(at)
                && position + 1 == self.members.len()
                && let Some(method) = method_of(machine.project, module, class, *name)
            {
                return Some(Identity::Method(module, method, None));
            }
            owner = Some(at);
            at = machine.member(at, *name);
        }
        let is_of_receiver = owner.is_some_and(|owner| {
            matches!(
                machine.values.value(owner),
                Value::Class { .. } | Value::Instance(_)
            )
        });
        match *machine.values.value(at) {
            Value::Function {
                module,
                function,
                this: Some(this),
                ..
            } if is_of_receiver => Some(Identity::Method(module, function, Some(this))),
            Value::Function {
                module,
                function,
                env,
                ..
            } => Some(Identity::Closure(module, function, env)),
            Value::Member(base, _) if Some(base) == owner && is_of_receiver => None,
            _ if may_be_called(&machine.values, at) => Some(Identity::Value(at)),
            _ => None,
        }
    }
}

/// Whether a value may be called, as far as can be seen.
fn may_be_called(values: &Values, value: ValueId) -> bool {
    !matches!(
        values.value(value),
        Value::Const(
            Const::Undefined | Const::Null | Const::Bool(_) | Const::Num(_) | Const::Str(_)
        ) | Value::Unknown(_)
            | Value::Template(_)
            | Value::Object(_)
            | Value::Array(_)
            | Value::Instance(_)
            | Value::Namespace(_)
            | Value::Promise(_)
            | Value::Markup(..)
    )
}

/// A method that instances of a class have.
fn method_of(
    project: &Project,
    module: ModuleId,
    class: ClassId,
    name: Ustr,
) -> Option<FunctionId> {
    let class = project.module(module).body.class(class);
    let method = class
        .methods
        .iter()
        .find(|method| method.name == name && !method.is_static)?;
    Some(method.what)
}
