//! `Function`: one `[[function]]`, which says what a function is that callers reach past any proxy, and what it must have.

use crate::bounds::ROUTES_MAX;
use crate::demands::{Demands, read_extras};
use crate::faults::{Faults, Place};
use crate::form::{Form, Kind, may, need};
use crate::node::{Node, Table};
use crate::policy_file::{Draft, tables};
use crate::route::{read_caller, read_limits};
use crate::table_reader::TableReader;
use crate::{Control, FunctionName, Name, Need, RouteType, route};

/// A Convex function or a server action. Only the audit speaks of it: no request for it has a path that a guard could
/// tell it by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Which one.
    pub name: FunctionName,
    /// What sort of route it is.
    pub kind: RouteType,
    /// The limits that the application holds it to, all of which exist.
    pub limits: Vec<Name>,
    /// The permission that the caller needs.
    pub permission: Option<Name>,
    /// The kind of object that its arguments name, which must belong to the caller.
    pub object: Option<Name>,
    /// Whether it costs much to answer.
    pub expensive: bool,
    /// Controls that it must have beyond what its type demands.
    pub requires: Vec<Control>,
    /// Where it is written.
    pub place: Place,
}

impl Function {
    /// Whether a control is needed here: what the matrix says of the type, or more. Never less: to loosen takes an
    /// `[[except]]`.
    #[must_use]
    pub fn need(&self, control: Control) -> Need {
        let demands = Demands {
            requires: &self.requires,
            expensive: self.expensive,
            limits: &self.limits,
            permission: self.permission.as_ref(),
            object: self.object.as_ref(),
        };
        if demands.ask_for(control) {
            Need::Required
        } else {
            crate::need(self.kind, control)
        }
    }
}

pub(crate) const FORM: Form = Form::new(
    "A function that callers reach by its name and past any proxy, and what it must have.",
    &[
        need(
            "name",
            Kind::Pattern("^[^/: ][^:]*:.*[^ ]$"),
            "The function exactly as `portcullis routes` prints its path.",
        ),
        need(
            "type",
            Kind::Words(RouteType::WORDS),
            "What sort of route it is.",
        ),
        may(
            "limits",
            Kind::List(&Kind::Name),
            "Names of limits that the application holds it to.",
        )
        .or("[]"),
        may(
            "permission",
            Kind::Name,
            "The permission that the caller needs.",
        ),
        may(
            "object",
            Kind::Name,
            "The kind of object that its arguments name, which must belong to the caller.",
        ),
        may("expensive", Kind::Truth, "Whether it costs much to answer.").or("false"),
        may(
            "requires",
            Kind::List(&Kind::Words(Control::WORDS)),
            "Controls that it must have beyond what its type demands.",
        )
        .or("[]"),
    ],
)
.with_rules(&[route::CALLER_RULE]);

/// Reads `[[function]]`.
pub(crate) fn read(node: &Node, draft: &mut Draft, faults: &mut Faults<'_>) {
    for table in tables(node, "function", ROUTES_MAX, faults) {
        let Some(function) = read_one(table, draft, faults) else {
            continue;
        };
        if let Some(line) = draft.function_lines.get(&function.name) {
            let message = format!(
                "`{}` is already described by the function at line {line}",
                function.name
            );
            faults.add(&function.place.span, message);
        }
        let line = function.place.line;
        draft
            .function_lines
            .entry(function.name.clone())
            .or_insert(line);
        draft.policy.functions.push(function);
    }
}

fn read_one(table: &Table, draft: &Draft, faults: &mut Faults<'_>) -> Option<Function> {
    let place = faults.place(&table.span);
    let mut reader = TableReader::new(table, "a function", faults);
    let name = reader.required("name");
    let name = reader.parsed::<FunctionName>(name);
    let kind = reader.required("type");
    let kind = reader.parsed::<RouteType>(kind);
    let limits = read_limits(&mut reader, kind, draft);
    let (permission, object) = read_caller(&mut reader, kind, draft);
    let (expensive, requires) = read_extras(&mut reader);
    reader.finish();
    Some(Function {
        name: name?,
        kind: kind?,
        limits,
        permission,
        object,
        expensive,
        requires,
        place,
    })
}
