//! `Db`: rows that say which call touches which table of the database, and with what filter.

use serde::Deserialize;

use super::place::Place;

/// Reads or writes the database, or is a piece of a query that another piece runs.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Db {
    /// What it does; none for a piece that only adds to a query.
    pub op: Option<DbOp>,
    /// Which `*` of the symbol names the table, counted from 0.
    pub table: Option<usize>,
    /// The argument that is the table, or its name.
    pub table_arg: Option<Place>,
    /// The receiver is the model.
    #[serde(default)]
    pub model: bool,
    /// Where the filter stands; the first that is given counts.
    #[serde(default)]
    pub filter: Vec<Place>,
    /// The argument that is an id by itself.
    pub id: Option<Place>,
    /// Where the data written stands; each that is given counts.
    #[serde(default)]
    pub data: Vec<Place>,
    /// Where the fields shown are chosen.
    #[serde(default)]
    pub select: Vec<Place>,
    /// Where the fields left out are named.
    #[serde(default)]
    pub omit: Vec<Place>,
    /// What the client leaves out of every query, by table: `new PrismaClient({ omit: { user: { password: true } } })`.
    pub omit_by_table: Option<Place>,
    /// Where rows of other tables are taken along.
    #[serde(default)]
    pub include: Vec<Place>,
    /// The number of rows at most.
    pub limit: Option<Place>,
    /// Text of a query, which must not be put together from input.
    pub text: Option<Place>,
    /// The values bound to the text.
    pub values: Option<Place>,
    /// The call returns a query to which more pieces are added.
    #[serde(default)]
    pub chain: bool,
    /// What this piece adds to the query.
    pub part: Option<Part>,
    /// The column that a filter piece tests.
    pub column: Option<Place>,
    /// What a filter piece compares it with.
    pub value: Option<Place>,
    /// How it compares.
    pub operator: Option<Operator>,
    /// It throws where no row fits the filter.
    #[serde(default)]
    pub or_throw: bool,
    /// It is called on a row that was read before: a query of its own, about the same rows.
    #[serde(default)]
    pub of_row: bool,
    /// Its result is the row that was changed or deleted, not how many there were.
    #[serde(default)]
    pub gives_row: bool,
}

/// What happens to the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DbOp {
    /// One row is read.
    Read,
    /// Several rows are read.
    ReadMany,
    /// Rows are made.
    Create,
    /// Rows are changed.
    Update,
    /// Rows are removed.
    Delete,
    /// A row is changed, or made where there is none.
    Upsert,
    /// Text is run as a query.
    Raw,
    /// Rows are counted or added up.
    Count,
    /// Several operations as one.
    Transaction,
}

impl DbOp {
    /// Whether the operation changes rows; text may.
    #[must_use]
    pub fn writes(self) -> bool {
        matches!(
            self,
            Self::Create | Self::Update | Self::Delete | Self::Upsert | Self::Raw
        )
    }
}

/// What a piece adds to a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Which rows.
    Filter,
    /// What is written.
    Data,
    /// The table.
    Table,
    /// Which columns.
    Select,
    /// Another table.
    Join,
    /// How many rows.
    Limit,
    /// One row, or none.
    One,
    /// Order, groups and what else changes no row and no column.
    Other,
}

/// A piece of a filter as a call.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DbOperator {
    /// How it compares; `and` and `or` join all their arguments, the others compare the first with the second.
    pub operator: Operator,
}

/// How a filter compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operator {
    /// Equal: the only one that binds a row to an owner, besides `in`.
    Eq,
    /// All of them.
    And,
    /// One of them.
    Or,
    /// None of them.
    Not,
    /// One of a list.
    In,
    /// A pattern.
    Like,
    /// Text of a query.
    Raw,
    /// Any other comparison.
    Other,
}

impl Db {
    pub(super) fn check(&self) -> Result<(), String> {
        let tables = [self.table.is_some(), self.table_arg.is_some(), self.model];
        if tables.iter().filter(|named| **named).count() > 1 {
            return Err("the table is named once: `table`, `table_arg` or `model`".to_owned());
        }
        if self.op.is_none() && self.part.is_none() {
            return Err("a db row has `op` or `part`".to_owned());
        }
        Ok(())
    }
}
