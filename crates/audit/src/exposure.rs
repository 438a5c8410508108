//! `Exposure`: the columns of shown rows that are not for whoever sees them.

mod selection;
mod shown_row;

use portcullis_code::value::{Value, ValueId};
use ustr::Ustr;

use self::{selection::Selection, shown_row::ShownRow};
use crate::{
    parts::shown,
    route::Site,
    rule::RouteContext,
    schema::{Column, Owner, Relation, Sensitivity, Table},
};

/// Columns that are shown although they are not for whoever sees them, each once.
#[derive(Debug, Default)]
pub(crate) struct Exposure {
    pub(crate) columns: Vec<ExposedColumn>,
}

/// One such column.
#[derive(Debug)]
pub(crate) struct ExposedColumn {
    pub(crate) table: String,
    pub(crate) column: String,
    pub(crate) weight: Weight,
    /// The query that asks for it.
    pub(crate) site: Site,
    /// Whether somebody wrote its name down, and did not just show whole rows.
    pub(crate) named: bool,
}

/// How bad it is that a column is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Weight {
    /// The caller's own, and perhaps meant for it.
    OwnSecret,
    /// About other people.
    Personal,
    /// Who has it can act as somebody else.
    Secret,
}

impl Weight {
    /// What such a column is.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::OwnSecret | Self::Secret => "a secret",
            Self::Personal => "about a person who is not the caller",
        }
    }
}

impl Exposure {
    /// What is exposed where these values are shown, to the caller alone or to everybody.
    pub(crate) fn of(context: &RouteContext<'_>, bodies: &[ValueId], to_everybody: bool) -> Self {
        let values = &context.machine.values;
        let mut found = Self::default();
        for body in bodies {
            for part in shown(values, context.bench.knowledge, *body) {
                if matches!(values.value(part.value), Value::Markup(..)) {
                    continue;
                }
                if let Some(mut row) = ShownRow::of(context, part.value) {
                    row.without.extend(part.replaced);
                    row.expose(context, to_everybody, &mut found);
                }
            }
        }
        found
    }
}

/// Rows of one query being shown.
struct Showing<'s, 'c> {
    context: &'s RouteContext<'c>,
    authorized: bool,
    /// Columns whose values the client sent itself.
    known: Vec<Ustr>,
    created: bool,
    /// Whether the client chose the rows, or all of them are shown.
    of_anybody: bool,
    site: Site,
    seen: &'s mut Exposure,
}

impl Showing<'_, '_> {
    fn table(
        &mut self,
        table: &Table,
        selection: &Selection,
        without: &[Ustr],
        own: bool,
        depth: u32,
    ) {
        let values = &self.context.machine.values;
        // Whoever names every column has chosen: of those only what nobody chooses well.
        if !selection.is_of_whole_rows(values) {
            for column in &table.columns {
                let taken = without.iter().any(|name| {
                    table
                        .column(name)
                        .is_some_and(|found| found.name == column.name)
                });
                if !taken && selection.shows(values, table, &column.name) {
                    self.named_column(table, column, own);
                }
            }
        } else if !table.writes_itself {
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
                if taken || said || !selection.shows(values, table, &column.name) {
                    continue;
                }
                if let Some(weight) = self.weight(table, column, own) {
                    self.add(table, &column.name, weight, false);
                }
            }
        }
        if depth > 5 {
            return;
        }
        for (relation, inner) in selection.relations(values, table) {
            if without.iter().any(|name| *name == relation.name) {
                continue;
            }
            if let Some(target) = self.context.bench.schema.table(&relation.target) {
                let own = child_is_own(table, relation, target, own);
                self.table(target, &inner, &[], own, depth + 1);
            }
        }
    }

    /// A column that somebody wrote down: what an account's password became is nobody's to see, and its other secrets are
    /// for nobody else.
    fn named_column(&mut self, table: &Table, column: &Column, own: bool) {
        let secret = column.sensitivity == Some(Sensitivity::Secret) && holds_accounts(table);
        let of_others = !own && !self.authorized && self.of_anybody;
        if secret && (is_password(&column.name) || of_others) {
            self.add(table, &column.name, Weight::Secret, true);
        }
    }

    fn weight(&self, table: &Table, column: &Column, own: bool) -> Option<Weight> {
        match column.sensitivity? {
            // What was just made for the caller is shown to it once: a new key, an invitation.
            Sensitivity::Secret if self.created && !table.is_user_table => None,
            // A password that is no account's is one to share something with, and its owner's to read.
            Sensitivity::Secret
                if column.name.eq_ignore_ascii_case("password") && !holds_accounts(table) =>
            {
                Some(Weight::OwnSecret)
            }
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

    fn add(&mut self, table: &Table, column: &str, weight: Weight, named: bool) {
        let known = self
            .seen
            .columns
            .iter()
            .any(|seen| seen.table == table.name && seen.column == column);
        if !known {
            self.seen.columns.push(ExposedColumn {
                table: table.name.clone(),
                column: column.to_owned(),
                weight,
                site: self.site,
                named,
            });
        }
    }
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

/// What a password is kept as, or itself.
fn is_password(name: &str) -> bool {
    let lower = name.to_lowercase();
    lower.contains("passw") || is_digest(name)
}

/// Whether somebody signs in with the rows of a table.
fn holds_accounts(table: &Table) -> bool {
    let lower = table.name.to_lowercase();
    table.is_user_table
        || ["account", "credential", "login", "auth", "admin", "staff"]
            .iter()
            .any(|word| lower.contains(word))
}
