//! `Table`: what one table, its columns and its ways to other tables are known to be.

use std::sync::Arc;

use serde::Deserialize;

use super::judgement;
use super::name::key;

/// A table, collection or model.
#[derive(Clone, Debug)]
pub struct Table {
    /// The name its source gives it; a database schema other than the usual one stands before it (`auth.users`).
    pub name: String,
    /// What else code may call it: the name in the database, the constant, the model.
    pub aliases: Vec<String>,
    /// Where it is declared.
    pub file: Arc<str>,
    /// The line of its declaration, from 1.
    pub line: u32,
    /// What kind of source declares it.
    pub source: Source,
    /// Its columns, in the order of the source.
    pub columns: Vec<Column>,
    /// Its ways to other tables.
    pub relations: Vec<Relation>,
    /// A row is a person who logs in.
    pub is_user_table: bool,
    /// A row is an organization, a workspace, a team.
    pub is_tenant_table: bool,
    /// Code of its own writes its rows out (`toJSON`): which columns that shows is not known.
    pub writes_itself: bool,
    /// A migration enables row level security.
    pub row_level_security: bool,
    /// The row level security policies found.
    pub policies: Vec<Policy>,
}

/// What a table was read from. What an application declares is the state it works with; a history of migrations only
/// adds to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// A Prisma schema.
    Prisma,
    /// Drizzle tables.
    Drizzle,
    /// Mongoose schemas.
    Mongoose,
    /// Sequelize models.
    Sequelize,
    /// Classes with the decorators of TypeORM, or of NestJS for Mongoose.
    Decorated,
    /// A Convex schema.
    Convex,
    /// Migrations written with knex or with Sequelize's query interface.
    Migration,
    /// SQL migrations or a dump.
    Sql,
}

impl Source {
    pub(crate) const fn is_history(self) -> bool {
        matches!(self, Self::Sql | Self::Migration)
    }
}

/// A column, field or path.
#[derive(Clone, Debug)]
pub struct Column {
    /// The name that code uses.
    pub name: String,
    /// The name in the database, where it is another one.
    pub stored: Option<String>,
    /// What it can hold.
    pub kind: Kind,
    /// A caller's own value here makes the row the caller's.
    pub owner: Option<Owner>,
    /// What goes wrong when it is shown or written freely.
    pub sensitivity: Option<Sensitivity>,
    /// No two rows have the same value.
    pub unique: bool,
    /// It is the primary key, or a part of it.
    pub id: bool,
    /// Queries leave it out unless they ask for it by name (`select: false`).
    pub hidden: bool,
    /// Where it is declared: a migration may add it in another file than the table's.
    pub file: Arc<str>,
    /// The line of its declaration, from 1.
    pub line: u32,
}

/// What a column can hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Characters, ids among them.
    Text,
    /// Integers and fractions.
    Number,
    /// True or false.
    Boolean,
    /// A date or a moment.
    Time,
    /// Structured data.
    Json,
    /// Bytes.
    Binary,
    /// One of a list of words.
    Enum,
    /// Not known.
    #[default]
    Other,
}

/// Who a column says a row belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Owner {
    /// A person.
    User,
    /// An organization, a workspace, a team.
    Tenant,
}

/// What goes wrong when a column is shown or written freely.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sensitivity {
    /// Who reads it can act as somebody else: password hash, token, API key.
    Secret,
    /// It is about a person: e-mail address, phone, address, birth date, IP address, id at an identity provider.
    Personal,
    /// Who writes it gains rights: role, plan, balance, verified.
    Privilege,
}

/// A way from a table to another one.
#[derive(Clone, Debug)]
pub struct Relation {
    /// What code calls it; a bare foreign key is called after its column.
    pub name: String,
    /// The other table: its `Table::name` where it is known, else the name as written.
    pub target: String,
    /// The columns of this table that hold the other's key; none where the other table holds this one's.
    pub columns: Vec<String>,
    /// It leads to many rows.
    pub many: bool,
}

/// A row level security policy.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Its name.
    pub name: String,
    /// `all`, `select`, `insert`, `update` or `delete`.
    pub command: String,
    /// It lets every row pass: `using (true)` or `with check (true)`.
    pub open: bool,
    /// The roles it speaks of; none for everybody.
    pub roles: Vec<String>,
    /// Where it is created.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: u32,
}

impl Table {
    /// An empty table.
    #[must_use]
    pub fn new(name: impl Into<String>, source: Source, file: &Arc<str>, line: u32) -> Self {
        Self {
            name: name.into(),
            aliases: Vec::new(),
            file: Arc::clone(file),
            line,
            source,
            columns: Vec::new(),
            relations: Vec::new(),
            is_user_table: false,
            is_tenant_table: false,
            writes_itself: false,
            row_level_security: false,
            policies: Vec::new(),
        }
    }

    /// Its name and its aliases.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.name.as_str()).chain(self.aliases.iter().map(String::as_str))
    }

    /// The column that code calls by this name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        let wanted = key(name);
        self.columns.iter().find(|c| c.is_called(&wanted))
    }

    /// The relation that code calls by this name.
    #[must_use]
    pub fn relation(&self, name: &str) -> Option<&Relation> {
        let wanted = key(name);
        self.relations.iter().find(|r| key(&r.name) == wanted)
    }

    /// The columns that say whose a row is.
    pub fn owner_columns(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|c| c.owner.is_some())
    }

    /// Whether a row says by its table's name that somebody is a member of something.
    pub(crate) fn is_of_members(&self) -> bool {
        judgement::is_of_members(&self.name)
    }

    pub(crate) fn has_owner_column(&self) -> bool {
        self.owner_columns().next().is_some()
    }

    /// To-one relations that can say whose a row is, those whose key is kept here first.
    pub(crate) fn ways_out(&self) -> impl Iterator<Item = &Relation> {
        let owns = |r: &&Relation| !r.many && !judgement::is_actor(r);
        let here = self
            .relations
            .iter()
            .filter(owns)
            .filter(|r| !r.columns.is_empty());
        let there = self
            .relations
            .iter()
            .filter(owns)
            .filter(|r| r.columns.is_empty());
        here.chain(there)
    }

    pub(crate) fn column_mut(&mut self, name: &str) -> Option<&mut Column> {
        let wanted = key(name);
        self.columns.iter_mut().find(|c| c.is_called(&wanted))
    }

    pub(crate) fn rename_column(&mut self, from: &str, to: &str) {
        if let Some(column) = self.column_mut(from) {
            to.clone_into(&mut column.name);
        }
        for name in self.relations.iter_mut().flat_map(|r| &mut r.columns) {
            if key(name) == key(from) {
                to.clone_into(name);
            }
        }
    }

    pub(crate) fn remove_column(&mut self, name: &str) {
        let wanted = key(name);
        self.columns.retain(|c| key(&c.name) != wanted);
        self.relations
            .retain(|r| !r.columns.iter().any(|c| key(c) == wanted));
    }

    /// Takes what another source says of the same table.
    pub(crate) fn absorb(&mut self, mut other: Self) {
        if self.source.is_history() && !other.source.is_history() {
            std::mem::swap(self, &mut other);
        }
        let new_columns = self.source.is_history() || !other.source.is_history();
        for column in other.columns {
            match self.column_mut(&column.name) {
                Some(known) => {
                    known.unique |= column.unique && new_columns;
                    known.id |= column.id && new_columns;
                    if known.kind == Kind::Other {
                        known.kind = column.kind;
                    }
                }
                None if new_columns => self.columns.push(column),
                None => {}
            }
        }
        for relation in other.relations {
            self.absorb_relation(relation, new_columns);
        }
        for name in std::iter::once(other.name).chain(other.aliases) {
            if !self.names().any(|known| known == name) {
                self.aliases.push(name);
            }
        }
        self.row_level_security |= other.row_level_security;
        for policy in other.policies {
            // The migration that was generated from the declaration says the same again.
            let known = |p: &Policy| p.name == policy.name && p.command == policy.command;
            if !self.policies.iter().any(known) {
                self.policies.push(policy);
            }
        }
    }

    pub(crate) fn absorb_relation(&mut self, relation: Relation, new_columns: bool) {
        let keys = |r: &Relation| r.columns.iter().map(|c| key(c)).collect::<Vec<_>>();
        let (same, columns) = (key(&relation.name), keys(&relation));
        let known = self
            .relations
            .iter()
            .any(|r| key(&r.name) == same || (!columns.is_empty() && keys(r) == columns));
        let has_columns = relation.columns.iter().all(|c| self.column(c).is_some());
        if !known && (new_columns || has_columns) {
            self.relations.push(relation);
        }
    }
}

impl Column {
    /// A column of which only the name is known.
    #[must_use]
    pub fn new(name: impl Into<String>, kind: Kind, file: &Arc<str>, line: u32) -> Self {
        Self {
            name: name.into(),
            stored: None,
            kind,
            owner: None,
            sensitivity: None,
            unique: false,
            id: false,
            hidden: false,
            file: Arc::clone(file),
            line,
        }
    }

    pub(crate) fn is_called(&self, wanted: &str) -> bool {
        key(&self.name) == wanted || self.stored.as_deref().is_some_and(|s| key(s) == wanted)
    }
}
