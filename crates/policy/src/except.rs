//! `Except`: one `[[except]]`, the only way to have less than the matrix demands.

use crate::bounds::ENTRIES_MAX;
use crate::faults::{Faults, Place};
use crate::form::{Form, Kind, may, need};
use crate::node::{Node, Table};
use crate::policy_file::{Draft, tables};
use crate::table_reader::TableReader;
use crate::{Control, Date, RouteName};

/// A route that may lack a control, until a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Except {
    /// Which route: one, not all that a catch-all would match.
    pub route: RouteName,
    /// What it may lack.
    pub lacks: Control,
    /// Why.
    pub because: String,
    /// Who answers for it.
    pub owner: String,
    /// The last day on which it holds.
    pub until: Date,
    /// Whether the guard still judges the control and writes what it would have refused, without refusing it.
    pub shadow: bool,
    /// Where it is written.
    pub place: Place,
}

impl Except {
    /// Whether its last day is over.
    #[must_use]
    pub fn is_expired(&self, today: Date) -> bool {
        today > self.until
    }
}

pub(crate) const FORM: Form = Form::new(
    "What one route may lack for a while: the only way to have less than the matrix demands.",
    &[
        need(
            "route",
            Kind::Pattern("^[A-Z_]+ [^ ].*$"),
            "One route, `METHOD /path`, or `KIND NAME` of what is not called by path.",
        ),
        need(
            "lacks",
            Kind::Words(Control::WORDS),
            "The control that may be missing.",
        ),
        need("because", Kind::Prose, "Why."),
        need("owner", Kind::Prose, "Who answers for it."),
        need(
            "until",
            Kind::Date,
            "The last day on which it holds, without quotes.",
        ),
        may(
            "shadow",
            Kind::Truth,
            "Whether the guard still judges the control and writes what it would have refused.",
        )
        .or("false"),
    ],
);

/// Reads `[[except]]`.
pub(crate) fn read(node: &Node, draft: &mut Draft, faults: &mut Faults<'_>) {
    for table in tables(node, "except", ENTRIES_MAX, faults) {
        let Some(except) = read_one(table, faults) else {
            continue;
        };
        let twin = draft
            .policy
            .excepts
            .iter()
            .find(|one| one.lacks == except.lacks && one.route.is(&except.route));
        if let Some(twin) = twin {
            let message = format!(
                "`{}` without `{}` is already excepted at line {}",
                except.route, except.lacks, twin.place.line
            );
            faults.add(&except.place.span, message);
        }
        draft.policy.excepts.push(except);
    }
}

fn read_one(table: &Table, faults: &mut Faults<'_>) -> Option<Except> {
    let place = faults.place(&table.span);
    let mut reader = TableReader::new(table, "an except", faults);
    let route = reader.required("route");
    let route = reader.parsed::<RouteName>(route);
    let lacks = reader.required("lacks");
    let lacks = reader.parsed::<Control>(lacks);
    let because = reader.required("because");
    let because = reader.prose(because);
    let owner = reader.required("owner");
    let owner = reader.prose(owner);
    let until = reader.required("until");
    let until = reader.date(until);
    let shadow = reader.optional("shadow");
    let shadow = reader.truth(shadow).unwrap_or_default();
    reader.finish();
    Some(Except {
        route: route?,
        lacks: lacks?,
        because: because?,
        owner: owner?,
        until: until?,
        shadow,
        place,
    })
}
