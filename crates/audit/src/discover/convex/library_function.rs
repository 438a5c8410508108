//! Functions that a library registers by itself: the application only exports them.

use portcullis_code::{
    machine::Machine,
    value::{CallData, Value, ValueId},
};
use ustr::Ustr;

use super::builder::{Kind, Sort, builder};
use crate::route::Validators;

/// A function that a library registers.
pub(super) struct OfLibrary {
    pub(super) kind: Kind,
    /// What the library declares of its arguments.
    pub(super) validators: Validators,
    /// Whether it acts on the caller's session, and does nothing without one.
    pub(super) own_session: bool,
    /// The name of the library's function that made it.
    pub(super) maker: String,
}

/// What a member of a library's result is registered as.
pub(super) fn of(machine: &Machine<'_>, value: ValueId) -> Option<OfLibrary> {
    let Value::Member(made, member) = *machine.values.value(value) else {
        return None;
    };
    let Value::Call(call) = *machine.values.value(made) else {
        return None;
    };
    let data = machine.values.call(call);
    let Value::External(package, maker) = *machine.values.value(data.callee) else {
        return None;
    };
    let kind = match (package.as_str(), maker.as_str()) {
        ("@convex-dev/auth/server", "convexAuth") => of_convex_auth(member)?,
        (helpers, "crud") if helpers.starts_with("convex-helpers/") => {
            of_crud(machine, data, member)?
        }
        _ => return None,
    };
    let validators = match member.as_str() {
        "signOut" | "isAuthenticated" => Validators::Empty,
        _ => Validators::Complete,
    };
    Some(OfLibrary {
        kind,
        validators,
        own_session: maker == "convexAuth" && member == "signOut",
        maker: maker.to_string(),
    })
}

/// `export const { auth, signIn, signOut, store, isAuthenticated } = convexAuth(..)`
fn of_convex_auth(member: Ustr) -> Option<Kind> {
    Some(match member.as_str() {
        "signIn" | "signOut" => Kind::new(Sort::Action, false),
        "isAuthenticated" => Kind::new(Sort::Query, false),
        "store" => Kind::new(Sort::Mutation, true),
        _ => return None,
    })
}

/// `export const { create, read, update, destroy, paginate } = crud(schema, "users")`: internal, unless it is given
/// other builders.
fn of_crud(machine: &Machine<'_>, data: &CallData, member: Ustr) -> Option<Kind> {
    let (sort, at) = match member.as_str() {
        "read" | "paginate" => (Sort::Query, 2),
        "create" | "update" | "destroy" => (Sort::Mutation, 3),
        _ => return None,
    };
    let given = data.args.get(at).map(|arg| arg.0);
    // A builder that is not known may be one that clients reach.
    let is_internal = given.is_none_or(|given| {
        builder(machine, given, &mut Vec::new()).is_some_and(|kind| kind.is_internal)
    });
    Some(Kind::new(sort, is_internal))
}
