//! Reads what stands in `CREATE TABLE ( ... )` and after `ALTER TABLE`: columns, keys and changes.

use super::name::key;
use super::sql_cursor::{Cursor, word};
use super::{Column, Kind, Relation, Table};

/// Words that begin a constraint and not a column.
const CONSTRAINTS: &[&str] = &[
    "constraint",
    "primary",
    "unique",
    "foreign",
    "check",
    "exclude",
    "like",
    "fulltext",
    "spatial",
    "period",
];

/// A table and what it calls its constraints, so that they can be dropped by name.
#[derive(Debug)]
pub(crate) struct SqlTable {
    pub(crate) table: Table,
    constraints: Vec<Constraint>,
}

/// A key over one column: a foreign key, or a promise that its values are unique.
#[derive(Debug)]
struct Constraint {
    name: String,
    column: String,
    is_foreign: bool,
}

impl SqlTable {
    pub(crate) fn new(table: Table) -> Self {
        Self {
            table,
            constraints: Vec::new(),
        }
    }

    /// Takes the definition of the same table from another statement.
    pub(crate) fn absorb(&mut self, other: Self) {
        self.table.absorb(other.table);
        self.constraints.extend(other.constraints);
    }

    /// Marks a column as one that no two rows share; `name` is that of the index or constraint, if it has one.
    pub(crate) fn set_unique(&mut self, column: &str, name: Option<String>) {
        if let Some(known) = self.table.column_mut(column) {
            known.unique = true;
        }
        let name = name.unwrap_or_else(|| format!("{}_{column}_key", self.table.name));
        self.constraints.push(Constraint {
            name,
            column: column.to_owned(),
            is_foreign: false,
        });
    }

    /// Drops the constraint or index of this name, if this table has it.
    pub(crate) fn drop_constraint(&mut self, name: &str) {
        for at in (0..self.constraints.len()).rev() {
            if self
                .constraints
                .get(at)
                .is_some_and(|c| key(&c.name) == key(name))
            {
                let dropped = self.constraints.swap_remove(at);
                self.forget(&dropped);
            }
        }
    }

    fn forget(&mut self, dropped: &Constraint) {
        if dropped.is_foreign {
            self.table
                .relations
                .retain(|r| r.columns.first() != Some(&dropped.column));
        } else if let Some(column) = self.table.column_mut(&dropped.column) {
            column.unique = column.id;
        }
    }

    fn add_foreign_key(
        &mut self,
        columns: Vec<String>,
        name: Option<String>,
        at: &mut Cursor<'_, '_>,
    ) {
        let Some(target) = at.table_name() else {
            return;
        };
        // The key that was there before points elsewhere now.
        self.table.relations.retain(|r| r.columns != columns);
        let column = columns.first().cloned().unwrap_or_default();
        let name = name.unwrap_or_else(|| format!("{}_{column}_fkey", self.table.name));
        self.constraints.push(Constraint {
            name,
            column: column.clone(),
            is_foreign: true,
        });
        self.table.relations.push(Relation {
            name: column,
            target,
            columns,
            many: false,
        });
    }
}

/// One item of a table's definition.
pub(crate) fn table_item(sql: &mut SqlTable, at: &mut Cursor<'_, '_>) {
    if is_index(*at) {
        return;
    }
    if !at.sees_any(CONSTRAINTS) {
        column(sql, at);
        return;
    }
    let mut name = None;
    if at.eat("constraint") && !at.sees_any(CONSTRAINTS) {
        name = at.name();
    }
    let table = &mut sql.table;
    if at.eat_all(&["primary", "key"]) {
        skip_to_list(at);
        let columns = at.names_in_parentheses();
        let alone = columns.len() == 1;
        for name in &columns {
            if let Some(column) = table.column_mut(name) {
                column.id = true;
                column.unique |= alone;
            }
        }
    } else if at.eat("unique") {
        skip_to_list(at);
        if let [only] = at.names_in_parentheses().as_slice() {
            sql.set_unique(only, name);
        }
    } else if at.eat_all(&["foreign", "key"]) {
        skip_to_list(at);
        let columns = at.names_in_parentheses();
        if at.eat("references") {
            sql.add_foreign_key(columns, name, at);
        }
    }
}

/// One change of `ALTER TABLE`.
pub(crate) fn alter(sql: &mut SqlTable, at: &mut Cursor<'_, '_>) {
    if at.eat("add") {
        at.eat("column");
        at.eat_all(&["if", "not", "exists"]);
        if at.sees_mark('(') {
            for mut item in at.list() {
                table_item(sql, &mut item);
            }
        } else {
            table_item(sql, at);
        }
    } else if at.eat("drop") {
        drop_part(sql, at);
    } else if at.eat("rename") {
        rename_column(&mut sql.table, at);
    } else if at.eat("modify") {
        at.eat("column");
        column(sql, at);
    } else if at.eat("change") {
        at.eat("column");
        if let (Some(from), Some(to)) = (at.name(), { *at }.name()) {
            sql.table.rename_column(&from, &to);
            column(sql, at);
        }
    } else if at.eat("alter") {
        at.eat("column");
        change_type(&mut sql.table, at);
    } else if at.eat_all(&["enable", "row", "level", "security"])
        || at.eat_all(&["force", "row", "level", "security"])
    {
        sql.table.row_level_security = true;
    } else if at.eat_all(&["disable", "row", "level", "security"]) {
        sql.table.row_level_security = false;
    }
}

/// `KEY name (columns)` of MySQL; `key text` is a column.
fn is_index(mut at: Cursor<'_, '_>) -> bool {
    if !(at.eat("key") || at.eat("index")) {
        return false;
    }
    if at.sees_mark('(') {
        return true;
    }
    let of_a_type = at.name().is_none_or(|name| kind(&name) != Kind::Other);
    !of_a_type && (at.sees_mark('(') || at.sees("using"))
}

/// Goes past the name or the kind of an index, up to its columns.
fn skip_to_list(at: &mut Cursor<'_, '_>) {
    while !at.rest.is_empty() && !at.sees_mark('(') {
        at.skip();
    }
}

fn column(sql: &mut SqlTable, at: &mut Cursor<'_, '_>) {
    let line = at.line();
    let Some(name) = at.name() else {
        return;
    };
    let mut column = Column::new(name, read_kind(at), at.file, line);
    let mut points_at = None;
    let mut unique = false;
    while !at.rest.is_empty() {
        if at.eat_all(&["primary", "key"]) {
            column.id = true;
            column.unique = true;
        } else if at.eat("unique") {
            unique = true;
        } else if at.eat("references") {
            points_at = Some(*at);
            at.skip();
        } else {
            at.skip();
        }
    }
    let name = column.name.clone();
    match sql.table.column_mut(&name) {
        Some(known) => {
            known.kind = column.kind;
            known.id |= column.id;
            known.unique |= column.unique;
        }
        None => sql.table.columns.push(column),
    }
    if unique {
        sql.set_unique(&name, None);
    }
    if let Some(mut target) = points_at {
        sql.add_foreign_key(vec![name], None, &mut target);
    }
}

fn drop_part(sql: &mut SqlTable, at: &mut Cursor<'_, '_>) {
    if at.eat("constraint") || at.eat("index") || at.eat_all(&["foreign", "key"]) || at.eat("key") {
        at.eat_all(&["if", "exists"]);
        if let Some(name) = at.name() {
            sql.drop_constraint(&name);
        }
        return;
    }
    if !at.eat("column") && at.sees_any(&["primary", "check", "partition"]) {
        return;
    }
    let table = &mut sql.table;
    at.eat_all(&["if", "exists"]);
    let dropped = if at.sees_mark('(') {
        at.names_in_parentheses()
    } else {
        at.name().into_iter().collect()
    };
    for name in &dropped {
        table.remove_column(name);
    }
}

fn rename_column(table: &mut Table, at: &mut Cursor<'_, '_>) {
    if !at.eat("column") && at.sees_any(&["constraint", "index", "key"]) {
        return;
    }
    if let Some(from) = at.name()
        && at.eat("to")
        && let Some(to) = at.name()
    {
        table.rename_column(&from, &to);
    }
}

fn change_type(table: &mut Table, at: &mut Cursor<'_, '_>) {
    let Some(name) = at.name() else {
        return;
    };
    at.eat_all(&["set", "data"]);
    if at.eat("type")
        && let Some(column) = table.column_mut(&name)
    {
        column.kind = read_kind(at);
    }
}

/// The type that comes next; one that is none of the language's own, in quotes, is an enumeration of the project's.
fn read_kind(at: &mut Cursor<'_, '_>) -> Kind {
    const CLAUSES: &[&str] = &[
        "primary",
        "unique",
        "references",
        "not",
        "null",
        "default",
        "check",
        "generated",
        "constraint",
        "collate",
    ];
    if at.sees_any(CLAUSES) {
        return Kind::Other;
    }
    let bare = at.rest.first().is_some_and(|token| word(token).is_some());
    let Some(name) = at.table_name() else {
        return Kind::Other;
    };
    let name = name.rsplit('.').next().unwrap_or_default();
    match kind(name) {
        // MySQL has no type for true and false of its own.
        Kind::Number if name.eq_ignore_ascii_case("tinyint") && is_one(&at.list()) => Kind::Boolean,
        Kind::Other if !bare => Kind::Enum,
        kind => kind,
    }
}

fn is_one(arguments: &[Cursor<'_, '_>]) -> bool {
    matches!(arguments, [only] if only.sees("1"))
}

/// The kind of a type, by its first word.
pub(crate) fn kind(name: &str) -> Kind {
    match name.to_ascii_lowercase().as_str() {
        "text" | "varchar" | "varchar2" | "nvarchar" | "nvarchar2" | "char" | "nchar"
        | "bpchar" | "character" | "citext" | "tinytext" | "mediumtext" | "longtext" | "uuid"
        | "uniqueidentifier" | "string" | "name" | "inet" | "cidr" | "xml" | "clob" | "ntext" => {
            Kind::Text
        }
        "int" | "integer" | "bigint" | "smallint" | "tinyint" | "mediumint" | "int2" | "int4"
        | "int8" | "serial" | "bigserial" | "smallserial" | "serial4" | "serial8" | "numeric"
        | "decimal" | "real" | "double" | "float" | "float4" | "float8" | "money" | "number"
        | "unsigned" => Kind::Number,
        "bool" | "boolean" | "bit" => Kind::Boolean,
        "date" | "time" | "timestamp" | "timestamptz" | "timetz" | "datetime" | "datetime2"
        | "interval" | "year" | "datetimeoffset" => Kind::Time,
        "json" | "jsonb" | "hstore" => Kind::Json,
        "bytea" | "blob" | "binary" | "varbinary" | "tinyblob" | "mediumblob" | "longblob" => {
            Kind::Binary
        }
        "enum" | "set" => Kind::Enum,
        _ => Kind::Other,
    }
}
