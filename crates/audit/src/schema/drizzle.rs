//! Reads Drizzle tables: `pgTable("users", { ... })` of every dialect, and `relations(...)`.

use portcullis_code::body::{ExprKind, Item};
use rustc_hash::FxHashMap;
use ustr::Ustr;

use super::chain::Chain;
use super::code::{Code, Place};
use super::{Column, Kind, Policy, Relation, Source, Table};

/// What makes tables, and what makes something that makes tables.
const TABLES: &[&str] = &[
    "pgTable",
    "mysqlTable",
    "sqliteTable",
    "singlestoreTable",
    "cockroachTable",
    "mssqlTable",
    "gelTable",
];
const CREATORS: &[&str] = &[
    "pgTableCreator",
    "mysqlTableCreator",
    "sqliteTableCreator",
    "singlestoreTableCreator",
];
const SCHEMAS: &[&str] = &["pgSchema", "mysqlSchema", "cockroachSchema", "mssqlSchema"];

/// Every table with the relations declared for it anywhere.
pub(crate) fn read(code: &Code<'_>) -> Vec<Table> {
    let mut tables = Vec::new();
    let mut at: FxHashMap<Place, usize> = FxHashMap::default();
    for module in code.modules() {
        for (place, callee, args) in code.calls(module.id) {
            let callee = Place {
                module: module.id,
                expr: callee,
            };
            if args.len() >= 2 && makes_table(code, callee) {
                at.insert(place, tables.len());
                tables.extend(table(code, place, args));
            }
        }
    }
    if tables.is_empty() {
        return tables;
    }
    for module in code.modules() {
        for (place, callee, args) in code.calls(module.id) {
            let callee = Place {
                module: module.id,
                expr: callee,
            };
            let is_relations = code
                .written_name(callee)
                .is_some_and(|name| name == "relations");
            if let (true, [of, declared, ..]) = (is_relations, args) {
                let of = code.follow(Place {
                    module: module.id,
                    expr: of.value,
                });
                let declared = Place {
                    module: place.module,
                    expr: declared.value,
                };
                let table = at
                    .get(&made_by(code, of))
                    .and_then(|at| tables.get_mut(*at));
                if let Some(table) = table {
                    table.relations.extend(relations(code, declared));
                }
            }
        }
    }
    tables
}

/// The call that makes a table, without what is called on it (`.enableRLS()`).
fn made_by(code: &Code<'_>, at: Place) -> Place {
    match code.kind(at) {
        ExprKind::Call { callee, .. } => {
            let callee = Place {
                module: at.module,
                expr: *callee,
            };
            match code.kind(callee) {
                ExprKind::Member { object, name, .. } if name == "enableRLS" => Place {
                    module: at.module,
                    expr: *object,
                },
                _ => at,
            }
        }
        _ => at,
    }
}

fn makes_table(code: &Code<'_>, callee: Place) -> bool {
    let Some(written) = code.written_name(callee) else {
        return false;
    };
    if let ExprKind::Member { object, name, .. } = code.kind(callee)
        && name == "table"
    {
        let object = Place {
            module: callee.module,
            expr: *object,
        };
        return called(code, code.follow(object))
            .is_some_and(|name| SCHEMAS.contains(&name.as_str()));
    }
    if TABLES.contains(&written.as_str()) {
        return true;
    }
    // `createTable`, which `pgTableCreator` made, or `pgTable` under another name.
    if !matches!(code.kind(callee), ExprKind::Local(_)) {
        return false;
    }
    let made = called(code, code.follow(callee));
    made.is_some_and(|name| CREATORS.contains(&name.as_str()))
        || code.path(callee).is_some_and(|path| {
            path.is_from("drizzle-orm") && path.last().is_some_and(|name| TABLES.contains(&name))
        })
}

/// What an expression is a call of, by name.
fn called(code: &Code<'_>, at: Place) -> Option<Ustr> {
    match code.kind(at) {
        ExprKind::Call { callee, .. } => code.written_name(Place {
            module: at.module,
            expr: *callee,
        }),
        _ => None,
    }
}

fn table(code: &Code<'_>, place: Place, args: &[Item]) -> Option<Table> {
    let name = code.text(code.argument(place.module, args, 0)?);
    let constant = code
        .name_of(place)
        .or_else(|| constant_of_chain(code, place));
    // `createTable(name)` may build the name; then the constant is the only one there is.
    let name = name.or(constant)?;
    let mut table = Table::new(
        name.as_str(),
        Source::Drizzle,
        code.file(place.module),
        code.line(place),
    );
    table.aliases.extend(
        constant
            .filter(|c| *c != name)
            .map(|c| c.as_str().to_owned()),
    );
    for (key, value) in code.properties(code.argument(place.module, args, 1)?) {
        column(code, key, value, &mut table);
    }
    if let Some(extras) = code.argument(place.module, args, 2) {
        for extra in extras_of(code, extras) {
            constraint(code, extra, &mut table);
        }
    }
    Some(table)
}

/// `const users = pgTable(...).enableRLS()`: the name is that of the whole.
fn constant_of_chain(code: &Code<'_>, place: Place) -> Option<Ustr> {
    let outer = code
        .calls(place.module)
        .find(|(outer, ..)| made_by(code, *outer) == place && *outer != place);
    code.name_of(outer?.0)
}

fn column(code: &Code<'_>, key: Ustr, value: Place, table: &mut Table) {
    let Some(chain) = code.chain(code.follow(value)) else {
        return;
    };
    let Some(first) = chain.links.first() else {
        return;
    };
    let module = chain.callee.module;
    let argument = |number| code.argument(module, first.args, number);
    let mut column = Column::new(
        key.as_str(),
        kind(code, &chain),
        code.file(value.module),
        code.line(value),
    );
    let stored = argument(0).and_then(|at| code.text(at));
    column.stored = stored
        .filter(|stored| *stored != key)
        .map(|stored| stored.as_str().to_owned());
    column.id = chain.has("primaryKey");
    column.unique = column.id || chain.has("unique");
    if let Some(references) = chain.link("references") {
        let target = code
            .argument(module, references.args, 0)
            .and_then(|f| code.result(f));
        if let Some(target) = target.and_then(|column| table_of(code, column)) {
            table.relations.push(Relation {
                name: key.as_str().to_owned(),
                target,
                columns: vec![key.as_str().to_owned()],
                many: false,
            });
        }
    }
    table.columns.push(column);
}

/// The table of `users.id`: its own name where its declaration is found, else the constant's.
fn table_of(code: &Code<'_>, column: Place) -> Option<String> {
    match code.kind(column) {
        ExprKind::Member { object, .. } => target(
            code,
            Place {
                module: column.module,
                expr: *object,
            },
        ),
        _ => None,
    }
}

fn target(code: &Code<'_>, table: Place) -> Option<String> {
    let made = made_by(code, code.follow(table));
    let name = match code.kind(made) {
        ExprKind::Call { args, .. } => code
            .argument(made.module, args, 0)
            .and_then(|at| code.text(at)),
        _ => None,
    };
    Some(
        name.or_else(|| code.written_name(table))?
            .as_str()
            .to_owned(),
    )
}

fn kind(code: &Code<'_>, chain: &Chain<'_>) -> Kind {
    let Some(first) = chain.links.first() else {
        return Kind::Other;
    };
    let options =
        (0..2).filter_map(|number| code.argument(chain.callee.module, first.args, number));
    let mode = options
        .filter_map(|at| code.property(at, "mode"))
        .find_map(|at| code.text(at));
    match (first.name.as_str(), mode.map(|mode| mode.as_str())) {
        (_, Some("boolean")) | ("boolean", _) => Kind::Boolean,
        (_, Some("timestamp" | "timestamp_ms" | "date")) => Kind::Time,
        (_, Some("json")) | ("json" | "jsonb", _) => Kind::Json,
        (
            "text" | "varchar" | "char" | "uuid" | "tinytext" | "mediumtext" | "longtext"
            | "citext" | "inet",
            _,
        ) => Kind::Text,
        (
            "integer" | "int" | "bigint" | "smallint" | "tinyint" | "mediumint" | "serial"
            | "bigserial" | "smallserial" | "numeric" | "decimal" | "real" | "double"
            | "doublePrecision" | "float" | "year",
            _,
        ) => Kind::Number,
        ("timestamp" | "date" | "time" | "datetime" | "interval", _) => Kind::Time,
        ("bytea" | "blob" | "binary" | "varbinary", _) => Kind::Binary,
        ("mysqlEnum", _) => Kind::Enum,
        (name, _) if name.to_lowercase().ends_with("enum") => Kind::Enum,
        _ => Kind::Other,
    }
}

/// The constraints that the third argument returns, as a list or as an object.
fn extras_of(code: &Code<'_>, extras: Place) -> Vec<Place> {
    let returned = code.result(extras).unwrap_or(extras);
    match code.kind(returned) {
        ExprKind::Object(_) => code
            .properties(returned)
            .into_iter()
            .map(|(_, value)| value)
            .collect(),
        _ => code.elements(returned),
    }
}

fn constraint(code: &Code<'_>, at: Place, table: &mut Table) {
    let Some(chain) = code.chain(at) else {
        return;
    };
    let module = chain.callee.module;
    let Some(first) = chain.links.first() else {
        return;
    };
    let of = |args: &[Item]| -> Vec<String> {
        let columns = args.iter().map(|item| Place {
            module,
            expr: item.value,
        });
        columns
            .filter_map(|at| code.written_name(at))
            .map(|name| name.as_str().to_owned())
            .collect()
    };
    let named = |key: &str| -> Vec<String> {
        let list = code
            .argument(module, first.args, 0)
            .and_then(|at| code.property(at, key));
        let columns = list.map(|list| code.elements(list)).unwrap_or_default();
        columns
            .into_iter()
            .filter_map(|at| code.written_name(at))
            .map(|n| n.as_str().to_owned())
            .collect()
    };
    match first.name.as_str() {
        "unique" | "uniqueIndex" if !chain.has("where") => {
            if let Some([only]) = chain.link("on").map(|on| of(on.args)).as_deref()
                && let Some(column) = table.column_mut(only)
            {
                column.unique = true;
            }
        }
        "primaryKey" => {
            let columns = match named("columns") {
                none if none.is_empty() => of(first.args),
                columns => columns,
            };
            for name in &columns {
                if let Some(column) = table.column_mut(name) {
                    column.id = true;
                    column.unique |= columns.len() == 1;
                }
            }
        }
        "foreignKey" => {
            let columns = named("columns");
            let foreign = code
                .argument(module, first.args, 0)
                .and_then(|at| code.property(at, "foreignColumns"));
            let foreign = foreign.and_then(|list| code.elements(list).first().copied());
            if let (Some(target), Some(name)) =
                (foreign.and_then(|at| table_of(code, at)), columns.first())
            {
                let name = name.clone();
                table.relations.push(Relation {
                    name,
                    target,
                    columns,
                    many: false,
                });
            }
        }
        "pgPolicy" => policy(code, at, first.args, table),
        _ => {}
    }
}

fn policy(code: &Code<'_>, at: Place, args: &[Item], table: &mut Table) {
    table.row_level_security = true;
    let name = code
        .argument(at.module, args, 0)
        .and_then(|at| code.text(at));
    let options = code.argument(at.module, args, 1);
    let option = |key| options.and_then(|options| code.property(options, key));
    let is_true = |key| option(key).is_some_and(|at| is_true_sql(code, at));
    table.policies.push(Policy {
        name: name
            .map(|name| name.as_str().to_owned())
            .unwrap_or_default(),
        command: option("for")
            .and_then(|at| code.text(at))
            .map_or("all", |name| name.as_str())
            .to_owned(),
        open: is_true("using") || is_true("withCheck"),
        roles: option("to").map(|at| code.texts(at)).unwrap_or_default(),
        file: code.file(at.module).clone(),
        line: code.line(at),
    });
}

/// ``sql`true` ``, however it was lowered: a call with one text.
fn is_true_sql(code: &Code<'_>, at: Place) -> bool {
    let ExprKind::Call { args, .. } = code.kind(at) else {
        return false;
    };
    let texts = args.iter().flat_map(|item| {
        code.texts(Place {
            module: at.module,
            expr: item.value,
        })
    });
    texts.collect::<Vec<_>>() == ["true"]
}

/// `({ one, many }) => ({ author: one(users, { fields: [posts.authorId], ... }), comments: many(comments) })`.
fn relations(code: &Code<'_>, declared: Place) -> Vec<Relation> {
    let mut found = Vec::new();
    for (name, value) in code.properties(declared) {
        let ExprKind::Call { callee, args, .. } = code.kind(value) else {
            continue;
        };
        let how = code.written_name(Place {
            module: value.module,
            expr: *callee,
        });
        let many = match how.map(|name| name.as_str()) {
            Some("many") => true,
            Some("one") => false,
            Some(_) | None => continue,
        };
        let Some(target) = code
            .argument(value.module, args, 0)
            .and_then(|at| target(code, at))
        else {
            continue;
        };
        let fields = code
            .argument(value.module, args, 1)
            .and_then(|at| code.property(at, "fields"));
        let fields = fields.map(|list| code.elements(list)).unwrap_or_default();
        let columns = fields.into_iter().filter_map(|at| code.written_name(at));
        found.push(Relation {
            name: name.as_str().to_owned(),
            target,
            columns: columns.map(|column| column.as_str().to_owned()).collect(),
            many,
        });
    }
    found
}
