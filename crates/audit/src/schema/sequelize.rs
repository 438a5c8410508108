//! Reads Sequelize models, their associations, and migrations that use its query interface.

use portcullis_code::body::{ExprKind, Item, Span};
use ustr::Ustr;

use super::association::association;
use super::code::{Code, Place};
use super::name::key;
use super::{Column, Kind, Relation, Source, Table};

/// Every model with its associations.
pub(crate) fn read(code: &Code<'_>) -> Vec<Table> {
    let mut tables = Vec::new();
    let mut associations = Vec::new();
    for module in code.modules() {
        for (place, callee, args) in code.calls(module.id) {
            let callee = Place {
                module: module.id,
                expr: callee,
            };
            match code.written_name(callee).map(|name| name.as_str()) {
                Some("define") => tables.extend(defined(code, place, args)),
                Some("init") => tables.extend(initialised(code, place, callee, args)),
                Some(how @ ("belongsTo" | "hasMany" | "hasOne" | "belongsToMany")) => {
                    associations.extend(association(code, place, callee, args, how));
                }
                Some(_) | None => {}
            }
        }
    }
    for association in &associations {
        association.apply(&mut tables);
    }
    tables
}

/// Tables that migrations make with `queryInterface.createTable("Users", { ... })`.
pub(crate) fn read_migrations(code: &Code<'_>) -> Vec<Table> {
    let mut tables: Vec<Table> = Vec::new();
    for module in code.modules() {
        let mut undone: Option<Vec<Span>> = None;
        for (place, callee, args) in code.calls(module.id) {
            let callee = Place {
                module: module.id,
                expr: callee,
            };
            let Some(how @ ("createTable" | "addColumn" | "removeColumn")) =
                code.written_name(callee).map(|name| name.as_str())
            else {
                continue;
            };
            if undone
                .get_or_insert_with(|| code.undoing(module.id))
                .iter()
                .any(|u| within(code.span(place), *u))
            {
                continue;
            }
            let argument = |number| code.argument(module.id, args, number);
            let Some(name) = argument(0).and_then(|at| code.text(at)) else {
                continue;
            };
            let known = tables.iter().position(|t| key(&t.name) == key(&name));
            let mut table = match known {
                Some(at) => tables.swap_remove(at),
                None => Table::new(
                    name.as_str(),
                    Source::Migration,
                    code.file(module.id),
                    code.line(place),
                ),
            };
            match (how, argument(1), argument(2)) {
                ("createTable", Some(columns), _) if is_object(code, columns) => {
                    attributes(code, columns, &mut table)
                }
                ("addColumn", Some(name), Some(of)) => {
                    if let Some(name) = code.text(name) {
                        attribute(code, name, of, &mut table);
                    }
                }
                ("removeColumn", Some(name), _) => {
                    if let Some(name) = code.text(name) {
                        table.remove_column(&name);
                    }
                }
                _ => {}
            }
            if !table.columns.is_empty() {
                tables.push(table);
            }
        }
    }
    tables.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    tables
}

fn is_object(code: &Code<'_>, at: Place) -> bool {
    matches!(code.kind(code.follow(at)), ExprKind::Object(_))
}

pub(crate) const fn within(inner: Span, outer: Span) -> bool {
    inner.start >= outer.start && inner.end <= outer.end
}

/// `sequelize.define("User", { ... }, { tableName: "users" })`.
fn defined(code: &Code<'_>, place: Place, args: &[Item]) -> Option<Table> {
    let name = code.text(code.argument(place.module, args, 0)?)?;
    let columns = code.argument(place.module, args, 1)?;
    let mut table = Table::new(
        name.as_str(),
        Source::Sequelize,
        code.file(place.module),
        code.line(place),
    );
    table.aliases.extend(
        code.name_of(place)
            .filter(|n| *n != name)
            .map(|n| n.as_str().to_owned()),
    );
    model(code, columns, code.argument(place.module, args, 2), table)
}

/// `User.init({ ... }, { modelName: "User" })` of `class User extends Model`.
fn initialised(code: &Code<'_>, place: Place, callee: Place, args: &[Item]) -> Option<Table> {
    let ExprKind::Member { object, .. } = code.kind(callee) else {
        return None;
    };
    let object = Place {
        module: callee.module,
        expr: *object,
    };
    let class = match code.kind(object) {
        ExprKind::Super | ExprKind::This => enclosing_class(code, place)?,
        _ => match code.kind(code.follow(object)) {
            ExprKind::Class(class) => code.body(code.follow(object).module).class(*class).name?,
            _ => return None,
        },
    };
    let columns = code.argument(place.module, args, 0)?;
    let options = code.argument(place.module, args, 1);
    let named = options
        .and_then(|at| code.property(at, "modelName"))
        .and_then(|at| code.text(at));
    let name = named.unwrap_or(class);
    let mut table = Table::new(
        name.as_str(),
        Source::Sequelize,
        code.file(place.module),
        code.line(place),
    );
    table
        .aliases
        .extend((class != name).then(|| class.as_str().to_owned()));
    model(code, columns, options, table)
}

pub(crate) fn enclosing_class(code: &Code<'_>, place: Place) -> Option<Ustr> {
    let around = code
        .body(place.module)
        .classes
        .iter()
        .filter(|class| within(code.span(place), class.span));
    around
        .min_by_key(|class| class.span.end.saturating_sub(class.span.start))?
        .name
}

fn model(
    code: &Code<'_>,
    columns: Place,
    options: Option<Place>,
    mut table: Table,
) -> Option<Table> {
    attributes(code, columns, &mut table);
    if table.columns.is_empty() {
        return None;
    }
    if !table.columns.iter().any(|column| column.id) {
        // Sequelize adds it to every model that has no primary key.
        let mut id = Column::new("id", Kind::Number, &table.file, table.line);
        (id.id, id.unique) = (true, true);
        table.columns.insert(0, id);
    }
    let option = |name| options.and_then(|at| code.property(at, name));
    let stored = option("tableName").and_then(|at| code.text(at));
    table.aliases.extend(
        stored
            .map(|name| name.as_str().to_owned())
            .filter(|name| *name != table.name),
    );
    let scope = option("defaultScope").and_then(|at| code.property(at, "attributes"));
    let hidden = scope
        .and_then(|at| code.property(at, "exclude"))
        .map(|at| code.texts(at));
    for name in hidden.unwrap_or_default() {
        if let Some(column) = table.column_mut(&name) {
            column.hidden = true;
        }
    }
    Some(table)
}

fn attributes(code: &Code<'_>, columns: Place, table: &mut Table) {
    for (name, value) in code.properties(columns) {
        attribute(code, name, value, table);
    }
}

/// `DataTypes.STRING`, or `{ type: DataTypes.STRING, unique: true, references: { model: "Users" } }`.
fn attribute(code: &Code<'_>, name: Ustr, value: Place, table: &mut Table) {
    let described = match kind(code, value) {
        Some(_) => None,
        None => Some(code.follow(value)).filter(|at| matches!(code.kind(*at), ExprKind::Object(_))),
    };
    let option = |key| described.and_then(|at| code.property(at, key));
    let Some(kind) = kind(code, option("type").unwrap_or(value)) else {
        return;
    };
    let is_set = |key| {
        option(key).is_some_and(|at| {
            code.truth(at)
                .unwrap_or_else(|| matches!(code.kind(at), ExprKind::Object(_)))
        })
    };
    let mut column = Column::new(
        name.as_str(),
        kind,
        code.file(value.module),
        code.line(value),
    );
    column.id = is_set("primaryKey");
    column.unique = column.id || is_set("unique");
    column.stored = option("field")
        .and_then(|at| code.text(at))
        .map(|stored| stored.as_str().to_owned());
    if let Some(target) = option("references").and_then(|at| referenced(code, at)) {
        let columns = vec![column.name.clone()];
        table.relations.push(Relation {
            name: column.name.clone(),
            target,
            columns,
            many: false,
        });
    }
    table.columns.push(column);
}

/// `{ model: "Users" }`, `{ model: User }`, `{ model: { tableName: "users" } }`, `"users"`.
fn referenced(code: &Code<'_>, at: Place) -> Option<String> {
    let model = code.property(at, "model").unwrap_or(at);
    let named = code.property(model, "tableName").unwrap_or(model);
    let name = code.text(named).or_else(|| code.written_name(named))?;
    Some(name.as_str().to_owned())
}

/// The kind that a type names: `DataTypes.STRING(255)`, `Sequelize.ENUM("a")`, `DataTypes.STRING.BINARY`.
fn kind(code: &Code<'_>, at: Place) -> Option<Kind> {
    let named = match code.kind(at) {
        ExprKind::Call { callee, .. } => Place {
            module: at.module,
            expr: *callee,
        },
        ExprKind::Member { .. } | ExprKind::Local(_) => at,
        _ => return None,
    };
    let path = code.path(named)?;
    path.names
        .iter()
        .rev()
        .find_map(|name| match name.as_str() {
            "STRING" | "TEXT" | "CHAR" | "UUID" | "UUIDV4" | "UUIDV1" | "CITEXT" | "INET" => {
                Some(Kind::Text)
            }
            "INTEGER" | "BIGINT" | "SMALLINT" | "TINYINT" | "MEDIUMINT" | "FLOAT" | "DOUBLE"
            | "DECIMAL" | "REAL" | "NUMBER" => Some(Kind::Number),
            "BOOLEAN" => Some(Kind::Boolean),
            "DATE" | "DATEONLY" | "TIME" => Some(Kind::Time),
            "JSON" | "JSONB" | "HSTORE" | "ARRAY" => Some(Kind::Json),
            "BLOB" => Some(Kind::Binary),
            "ENUM" => Some(Kind::Enum),
            "VIRTUAL" | "GEOMETRY" | "GEOGRAPHY" | "RANGE" => Some(Kind::Other),
            _ => None,
        })
}
