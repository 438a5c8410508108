//! `Schema`: whose each row is, and which columns are sensitive, as the database's own declarations say it.

mod association;
mod chain;
mod code;
mod component;
mod convex;
mod convex_auth;
mod convex_ents;
mod decorated;
mod definition;
mod drizzle;
mod follow;
mod judgement;
mod knex;
mod lexicon;
mod migration;
mod mongoose;
mod name;
mod prisma;
mod sequelize;
mod sql;
mod sql_cursor;
mod sql_item;
mod sql_token;
mod table;

use std::collections::VecDeque;
use std::sync::Arc;

use portcullis_code::project::Project;
use rustc_hash::{FxHashMap, FxHashSet};

use code::Code;
use component::Component;
pub(crate) use judgement::names_person;
pub(crate) use lexicon::{sensitivity_of_name, words_are_password};
pub(crate) use name::words;
pub use table::{Column, Kind, Owner, Policy, Relation, Sensitivity, Source, Table};

/// Every table that the project's sources declare.
#[derive(Debug, Default)]
pub struct Schema {
    tables: Vec<Table>,
    unread: Vec<Unread>,
    index: FxHashMap<String, usize>,
    loose_index: FxHashMap<String, usize>,
    components: Vec<Component>,
}

/// A source, or a part of it, that was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// The file.
    pub file: String,
    /// The line where reading stopped, if some of it was read.
    pub line: Option<u32>,
    /// Why.
    pub reason: String,
}

/// Bytes of one source beyond which it is reported as unread.
const FILE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Relations that `owner_path` follows at most.
const PATH_MAX: usize = 3;

impl Schema {
    /// Reads everything that a project declares: its Prisma schemas and SQL, and the tables that its code makes with
    /// Drizzle, Mongoose, Sequelize, TypeORM, Convex and knex.
    #[must_use]
    pub fn of(project: &Project) -> Self {
        let texts = project
            .texts()
            .map(|(file, text)| (file.to_owned(), Arc::clone(text)));
        let mut schema = Self::read(&mut texts.into_iter());
        let code = Code::new(project);
        let readers = [
            drizzle::read,
            mongoose::read,
            sequelize::read,
            decorated::read,
            convex::read,
            sequelize::read_migrations,
            knex::read,
        ];
        schema.absorb(readers.into_iter().flat_map(|read| read(&code)).collect());
        schema.components = Component::all(&code);
        schema
    }

    /// Reads the declarations among `files`: `*.prisma` and `*.sql`, the latter as migrations in the order of their
    /// names. Other files are left alone. Paths are relative to the root, with `/`.
    #[must_use]
    pub fn read(files: &mut dyn Iterator<Item = (String, Arc<str>)>) -> Self {
        let (mut prisma, mut sql, mut unread) = (Vec::new(), Vec::new(), Vec::new());
        for (file, text) in files {
            let list = match file.rsplit_once('.') {
                Some((_, "prisma")) => &mut prisma,
                Some((_, "sql")) => &mut sql,
                Some(_) | None => continue,
            };
            if text.len() > FILE_BYTES_MAX {
                let reason = format!("larger than {FILE_BYTES_MAX} bytes");
                unread.push(Unread {
                    file,
                    line: None,
                    reason,
                });
            } else {
                list.push((Arc::<str>::from(file), text));
            }
        }
        prisma.sort_by(|a, b| a.0.cmp(&b.0));
        let mut schema = Self::from_tables(prisma::read(&prisma));
        schema.unread = unread;
        schema.merge(migration::read(sql));
        schema
    }

    /// A schema of tables that another reader found; who owns what is judged here.
    #[must_use]
    pub fn from_tables(tables: Vec<Table>) -> Self {
        let mut schema = Self::default();
        schema.absorb(tables);
        schema
    }

    /// Adds what another schema knows. Tables of one name become one; where an application declares a table, a
    /// migration's version of it adds only its policies and its foreign keys.
    pub fn merge(&mut self, other: Self) {
        self.unread.extend(other.unread);
        self.absorb(other.tables);
    }

    /// All tables.
    #[must_use]
    pub fn tables(&self) -> &[Table] {
        &self.tables
    }

    /// Says whose the rows of a table are: by which of its columns. Whether there is such a table.
    pub(crate) fn state_owner(&mut self, table: &str, column: &str, owner: Owner) -> bool {
        let table = self.position(table).and_then(|at| self.tables.get_mut(at));
        let Some(table) = table else { return false };
        if table.column(column).is_none() {
            let (file, line) = (Arc::clone(&table.file), table.line);
            let stated = Column::new(column, Kind::Other, &file, line);
            table.columns.push(stated);
        }
        let wanted = name::key(column);
        for known in &mut table.columns {
            if known.is_called(&wanted) {
                known.owner = Some(owner);
            }
        }
        true
    }

    /// The sources that were not read, or not to their end.
    #[must_use]
    pub fn unread(&self) -> &[Unread] {
        &self.unread
    }

    /// The table that code calls by this name: its own name or an alias, whatever the case, the separators and the
    /// plural.
    #[must_use]
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.position(name).and_then(|at| self.tables.get(at))
    }

    /// What a table is called among all of the project, where a file of a component names one of the component's own.
    #[must_use]
    pub(crate) fn of_component(&self, file: &str, table: &str) -> Option<String> {
        Component::qualified(&self.components, file, table)
    }

    /// The to-one relations that lead from a table to the user or tenant its rows belong to, the shortest such path,
    /// at most three. Empty where a row is a user or a tenant itself, or names its owner in a column without a
    /// relation. `None` where nothing says whose a row is.
    #[must_use]
    pub fn owner_path(&self, table: &str) -> Option<Vec<String>> {
        let start = self.position(table)?;
        let whole = |t: &Table| t.is_user_table || t.is_tenant_table;
        self.path(start, whole)
            .or_else(|| self.path(start, Table::has_owner_column))
    }

    fn path(&self, start: usize, is_goal: impl Fn(&Table) -> bool) -> Option<Vec<String>> {
        let mut seen = FxHashSet::from_iter([start]);
        let mut queue = VecDeque::from([(Some(start), Vec::new())]);
        while let Some((at, path)) = queue.pop_front() {
            let Some(table) = at.and_then(|at| self.tables.get(at)) else {
                return Some(path);
            };
            if is_goal(table) {
                return Some(path);
            }
            if path.len() == PATH_MAX {
                continue;
            }
            for relation in table.ways_out() {
                let next = self.position(&relation.target);
                // No source declares `auth.users`, yet it is where the way ends.
                let is_end = next.is_none() && judgement::is_owner_name(&relation.target);
                if is_end || next.is_some_and(|next| seen.insert(next)) {
                    let mut longer = path.clone();
                    longer.push(relation.name.clone());
                    queue.push_back((next, longer));
                }
            }
        }
        None
    }

    fn position(&self, name: &str) -> Option<usize> {
        let key = name::key(name);
        let exact = self.index.get(&key);
        exact
            .or_else(|| self.loose_index.get(&name::singular(&key)))
            .copied()
    }

    fn absorb(&mut self, tables: Vec<Table>) {
        for table in tables {
            match self.same_table(&table) {
                Some(at) => {
                    if let Some(known) = self.tables.get_mut(at) {
                        known.absorb(table);
                    }
                    self.index_names(at);
                }
                None => {
                    self.tables.push(table);
                    self.index_names(self.tables.len().saturating_sub(1));
                }
            }
        }
        self.reindex();
        judgement::judge(self);
    }

    /// The known table that `table` speaks of: one of its exact names, or, between what an application declares and
    /// the history of its database, one that differs in the plural (`User` and `users`).
    fn same_table(&self, table: &Table) -> Option<usize> {
        let exact = table
            .names()
            .find_map(|name| self.index.get(&name::key(name)).copied());
        exact.or_else(|| {
            let loose = |name| {
                self.loose_index
                    .get(&name::singular(&name::key(name)))
                    .copied()
            };
            let at = table.names().find_map(loose)?;
            let known = self.tables.get(at)?;
            (known.source.is_history() != table.source.is_history()).then_some(at)
        })
    }

    fn index_names(&mut self, at: usize) {
        if let Some(table) = self.tables.get(at) {
            for name in table.names() {
                let key = name::key(name);
                self.loose_index.entry(name::singular(&key)).or_insert(at);
                self.index.entry(key).or_insert(at);
            }
        }
    }

    /// A table's own name goes before another's alias, and `users` stands for `auth.users` only where no other does.
    fn reindex(&mut self) {
        self.index.clear();
        self.loose_index.clear();
        let own = self.tables.iter().map(|t| t.name.as_str()).enumerate();
        let aliases = self.tables.iter().enumerate();
        let aliases = aliases.flat_map(|(at, t)| t.aliases.iter().map(move |a| (at, a.as_str())));
        let bare = self.tables.iter().enumerate();
        let bare = bare.filter_map(|(at, t)| t.name.rsplit_once('.').map(|(_, name)| (at, name)));
        for (at, name) in own.chain(aliases).chain(bare) {
            let key = name::key(name);
            self.loose_index.entry(name::singular(&key)).or_insert(at);
            self.index.entry(key).or_insert(at);
        }
    }
}
