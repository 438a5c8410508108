//! `Database`: applies the statements of SQL migrations that change what tables there are.

use std::sync::Arc;

use super::name::key;
use super::sql_cursor::{Cursor, word};
use super::sql_item::{SqlTable, alter, table_item};
use super::sql_token::{Part, SqlToken, SqlTokens};
use super::{Policy, Source, Table, Unread};

/// Tokens of one statement beyond which it is reported as unread.
const STATEMENT_TOKENS_MAX: usize = 100_000;
/// Tables of one database.
const TABLES_MAX: usize = 10_000;

/// The tables that stand after the files applied so far.
#[derive(Debug, Default)]
pub(crate) struct Database {
    tables: Vec<SqlTable>,
    unread: Vec<Unread>,
}

impl Database {
    pub(crate) fn into_parts(self) -> (Vec<Table>, Vec<Unread>) {
        (
            self.tables.into_iter().map(|t| t.table).collect(),
            self.unread,
        )
    }

    /// Applies one file.
    pub(crate) fn apply(&mut self, file: &Arc<str>, text: &str) {
        let mut tokens = SqlTokens::new(text);
        while let Some(statement) = self.statement(file, &mut tokens) {
            let words: Vec<&str> = statement.iter().take(1).filter_map(word).collect();
            match words.as_slice() {
                [first] if first.eq_ignore_ascii_case("do") => self.run_body(file, &statement),
                [first] if first.eq_ignore_ascii_case("copy") => {
                    if statement
                        .last()
                        .and_then(word)
                        .is_some_and(|w| w.eq_ignore_ascii_case("stdin"))
                    {
                        tokens.skip_copied_rows();
                    }
                }
                _ => self.run(file, &statement),
            }
        }
    }

    /// The tokens up to the next `;`. Rows of data are not kept, they would only cost memory.
    fn statement<'a>(
        &mut self,
        file: &str,
        tokens: &mut SqlTokens<'a>,
    ) -> Option<Vec<SqlToken<'a>>> {
        let mut statement: Vec<SqlToken<'a>> = Vec::new();
        let mut any = false;
        let mut is_data = false;
        for token in tokens.by_ref() {
            if token.part == Part::Mark(';') {
                return Some(statement);
            }
            if !any {
                is_data = word(&token).is_some_and(|w| {
                    ["insert", "update", "delete", "select", "replace", "merge"]
                        .iter()
                        .any(|data| w.eq_ignore_ascii_case(data))
                });
            }
            any = true;
            if is_data {
                continue;
            }
            if statement.len() == STATEMENT_TOKENS_MAX {
                let reason = format!("a statement of more than {STATEMENT_TOKENS_MAX} tokens");
                self.unread.push(Unread {
                    file: file.to_owned(),
                    line: Some(token.line),
                    reason,
                });
                is_data = true;
                statement.clear();
                continue;
            }
            statement.push(token);
        }
        any.then_some(statement)
    }

    /// `DO $$ BEGIN ALTER TABLE ...; EXCEPTION ... END $$`: how migrations are made repeatable.
    fn run_body(&mut self, file: &Arc<str>, statement: &[SqlToken<'_>]) {
        for token in statement {
            let Part::Body(body) = token.part else {
                continue;
            };
            let mut tokens = SqlTokens::at(body, token.line);
            while let Some(inner) = self.statement(file, &mut tokens) {
                let starts = inner.iter().position(|t| {
                    word(t).is_some_and(|w| {
                        w.eq_ignore_ascii_case("alter") || w.eq_ignore_ascii_case("create")
                    })
                });
                if let Some(statement) = starts.and_then(|at| inner.get(at..)) {
                    self.run(file, statement);
                }
            }
        }
    }

    fn run(&mut self, file: &Arc<str>, statement: &[SqlToken<'_>]) {
        let mut at = Cursor {
            rest: statement,
            file,
        };
        if at.eat("create") {
            self.create(&mut at);
        } else if at.eat("alter") {
            if at.eat("table") {
                self.alter_table(&mut at);
            }
        } else if at.eat("drop") {
            self.drop_something(&mut at);
        } else if at.eat("rename") && at.eat("table") {
            while let Some(name) = at.table_name() {
                if at.eat("to")
                    && let Some(to) = at.table_name()
                {
                    self.rename(&name, to);
                }
                at.eat_mark(',');
            }
        }
    }

    fn create(&mut self, at: &mut Cursor<'_, '_>) {
        let line = at.line();
        at.eat_all(&["or", "replace"]);
        let temporary =
            at.eat("temp") || at.eat("temporary") || at.eat("local") || at.eat("global");
        let _unlogged = at.eat("unlogged") || at.eat("foreign");
        if at.eat("table") && !temporary {
            at.eat_all(&["if", "not", "exists"]);
            if let Some(name) = at.table_name() {
                self.create_table(name, line, at);
            }
        } else if at.eat_all(&["unique", "index"]) {
            self.create_unique_index(at);
        } else if at.eat("policy") {
            self.create_policy(line, at);
        }
    }

    fn create_table(&mut self, name: String, line: u32, at: &mut Cursor<'_, '_>) {
        if self.tables.len() == TABLES_MAX {
            let reason = format!("more than {TABLES_MAX} tables");
            self.unread.push(Unread {
                file: at.file.to_string(),
                line: Some(line),
                reason,
            });
            return;
        }
        let mut table = SqlTable::new(Table::new(name, Source::Sql, at.file, line));
        for mut item in at.list() {
            table_item(&mut table, &mut item);
        }
        match self.table(&table.table.name) {
            Some(known) => known.absorb(table),
            None => self.tables.push(table),
        }
    }

    fn create_unique_index(&mut self, at: &mut Cursor<'_, '_>) {
        at.eat("concurrently");
        at.eat_all(&["if", "not", "exists"]);
        let mut index = None;
        if !at.eat("on") {
            index = at.table_name();
            at.eat("on");
        }
        at.eat("only");
        let Some(name) = at.table_name() else {
            return;
        };
        if at.eat("using") {
            at.skip();
        }
        let columns = at.names_in_parentheses();
        // An index over some rows only does not make the value unique in the table.
        let partial = at
            .rest
            .iter()
            .any(|t| word(t).is_some_and(|w| w.eq_ignore_ascii_case("where")));
        if let (Some(table), [only], false) = (self.table(&name), columns.as_slice(), partial) {
            table.set_unique(only, index);
        }
    }

    fn create_policy(&mut self, line: u32, at: &mut Cursor<'_, '_>) {
        let Some(name) = at.name() else {
            return;
        };
        if !at.eat("on") {
            return;
        }
        let Some(table) = at.table_name() else {
            return;
        };
        let mut policy = Policy {
            name,
            command: "all".to_owned(),
            open: false,
            roles: Vec::new(),
            file: Arc::clone(at.file),
            line,
        };
        while !at.rest.is_empty() {
            if at.eat("for") {
                policy.command = at.name().unwrap_or_default().to_lowercase();
            } else if at.eat("to") {
                policy.roles.extend(at.name());
                while at.eat_mark(',') {
                    policy.roles.extend(at.name());
                }
            } else if at.eat("using") || at.eat_all(&["with", "check"]) {
                policy.open |= at.list().iter().any(|item| item.is_true());
            } else {
                at.skip();
            }
        }
        if let Some(table) = self.table_or_new(table, line, at.file) {
            table.table.policies.push(policy);
        }
    }

    fn alter_table(&mut self, at: &mut Cursor<'_, '_>) {
        let line = at.line();
        at.eat_all(&["if", "exists"]);
        at.eat("only");
        let Some(name) = at.table_name() else {
            return;
        };
        if at.eat_all(&["rename", "to"]) || at.eat_all(&["rename", "as"]) {
            if let Some(to) = at.table_name() {
                self.rename(&name, to);
            }
            return;
        }
        // What is altered stands, also where another tool created it.
        if let Some(table) = self.table_or_new(name, line, at.file) {
            for mut action in at.items() {
                alter(table, &mut action);
            }
        }
    }

    fn drop_something(&mut self, at: &mut Cursor<'_, '_>) {
        if at.eat("table") {
            at.eat_all(&["if", "exists"]);
            while let Some(name) = at.table_name() {
                self.tables.retain(|t| key(&t.table.name) != key(&name));
                if !at.eat_mark(',') {
                    break;
                }
            }
        } else if at.eat("index") {
            at.eat("concurrently");
            at.eat_all(&["if", "exists"]);
            if let Some(name) = at.table_name() {
                self.tables
                    .iter_mut()
                    .for_each(|t| t.drop_constraint(&name));
            }
        } else if at.eat("policy") {
            at.eat_all(&["if", "exists"]);
            let name = at.name();
            if at.eat("on")
                && let (Some(name), Some(table)) = (name, at.table_name())
                && let Some(table) = self.table(&table)
            {
                table.table.policies.retain(|p| p.name != name);
            }
        }
    }

    fn rename(&mut self, from: &str, to: String) {
        for table in &mut self.tables {
            for relation in &mut table.table.relations {
                if key(&relation.target) == key(from) {
                    relation.target.clone_from(&to);
                }
            }
        }
        if let Some(table) = self.table(from) {
            table.table.name = to;
        }
    }

    fn table(&mut self, name: &str) -> Option<&mut SqlTable> {
        let key_of = key(name);
        self.tables
            .iter_mut()
            .find(|t| key(&t.table.name) == key_of)
    }

    fn table_or_new(&mut self, name: String, line: u32, file: &Arc<str>) -> Option<&mut SqlTable> {
        let key_of = key(&name);
        let known = self
            .tables
            .iter()
            .position(|t| key(&t.table.name) == key_of);
        let at = known.unwrap_or(self.tables.len());
        if known.is_none() && self.tables.len() < TABLES_MAX {
            self.tables
                .push(SqlTable::new(Table::new(name, Source::Sql, file, line)));
        }
        self.tables.get_mut(at)
    }
}
