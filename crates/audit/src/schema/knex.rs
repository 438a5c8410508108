//! Reads tables that knex migrations make: `knex.schema.createTable("users", t => { t.string("email") })`.

use portcullis_code::body::{ExprKind, Function, Item, LocalId, ModuleId, Pattern, Span, StmtKind};

use super::chain::Chain;
use super::code::{Code, Place};
use super::definition::for_each_statement;
use super::name::key;
use super::sequelize::within;
use super::{Column, Kind, Relation, Source, Table};

/// The tables that stand when all migrations have run. Tables are made first, wherever that is written, then altered
/// in the order of the files: a project may make its tables in a folder of their own.
pub(crate) fn read(code: &Code<'_>) -> Vec<Table> {
    let mut tables: Vec<Table> = Vec::new();
    for creates in [true, false] {
        for module in code.modules() {
            for (place, callee, args) in code.calls(module.id) {
                let callee = Place {
                    module: module.id,
                    expr: callee,
                };
                let Some(name) = code.written_name(callee) else {
                    continue;
                };
                let wanted = match name.as_str() {
                    "createTable" | "createTableIfNotExists" => creates,
                    "alterTable" | "table" => !creates,
                    _ => false,
                };
                if wanted && is_schema(code, callee) {
                    build(code, place, args, &mut tables);
                }
            }
        }
    }
    tables
}

/// `knex.schema.createTable`, or one after another: `knex.schema.createTable(...).createTable(...)`.
fn is_schema(code: &Code<'_>, callee: Place) -> bool {
    let ExprKind::Member { object, .. } = code.kind(callee) else {
        return false;
    };
    let object = Place {
        module: callee.module,
        expr: *object,
    };
    let of = match code.chain(object) {
        Some(Chain { callee, .. }) => match code.kind(callee) {
            ExprKind::Member { object, .. } => Place {
                module: callee.module,
                expr: *object,
            },
            _ => {
                return code
                    .written_name(callee)
                    .is_some_and(|name| name == "withSchema");
            }
        },
        None => object,
    };
    code.written_name(of).is_some_and(|name| name == "schema")
}

fn build(code: &Code<'_>, place: Place, args: &[Item], tables: &mut Vec<Table>) {
    let Some(name) = code
        .argument(place.module, args, 0)
        .and_then(|at| code.text(at))
    else {
        return;
    };
    let Some((module, function)) = code
        .argument(place.module, args, 1)
        .and_then(|at| code.function(at))
    else {
        return;
    };
    let Some(Pattern::Local(builder)) = function.params.first() else {
        return;
    };
    let span: Span = code.span(place);
    if code
        .undoing(place.module)
        .iter()
        .any(|undone| within(span, *undone))
    {
        return;
    }
    let known = tables
        .iter()
        .position(|table| key(&table.name) == key(&name));
    let at = known.unwrap_or(tables.len());
    if known.is_none() {
        tables.push(Table::new(
            name.as_str(),
            Source::Migration,
            code.file(place.module),
            code.line(place),
        ));
    }
    if let Some(table) = tables.get_mut(at) {
        for chain in chains(code, module, function, *builder) {
            apply(code, &chain, table);
        }
    }
}

/// The calls on the builder, in order.
fn chains<'p>(
    code: &Code<'p>,
    module: ModuleId,
    function: &'p Function,
    builder: LocalId,
) -> Vec<Chain<'p>> {
    let mut found = Vec::new();
    for_each_statement(&function.body, &mut |statement| {
        if let StmtKind::Expr(expr) | StmtKind::Return(Some(expr)) = statement.kind
            && let Some(chain) = code.chain(Place { module, expr })
            && let ExprKind::Member { object, .. } = code.kind(chain.callee)
            && matches!(code.kind(Place { module, expr: *object }), ExprKind::Local(local) if *local == builder)
        {
            found.push(chain);
        }
    });
    found
}

fn apply(code: &Code<'_>, chain: &Chain<'_>, table: &mut Table) {
    let Some(first) = chain.links.first() else {
        return;
    };
    let module = chain.callee.module;
    let argument = |number| code.argument(module, first.args, number);
    let text = |number| {
        argument(number)
            .and_then(|at| code.text(at))
            .map(|text| text.as_str().to_owned())
    };
    match first.name.as_str() {
        "timestamps" => {
            let line = code.line(chain.callee);
            for name in ["created_at", "updated_at"] {
                table
                    .columns
                    .push(Column::new(name, Kind::Time, code.file(module), line));
            }
        }
        "foreign" => {
            let columns = argument(0).map(|at| code.texts(at)).unwrap_or_default();
            foreign_key(code, chain, columns, table);
        }
        "unique" | "primary" => {
            let columns = argument(0).map(|at| code.texts(at)).unwrap_or_default();
            for name in &columns {
                if let Some(column) = table.column_mut(name) {
                    column.unique |= columns.len() == 1;
                    column.id |= first.name == "primary";
                }
            }
        }
        "dropColumn" | "dropColumns" => {
            let named = first.args.iter().map(|item| Place {
                module,
                expr: item.value,
            });
            for name in named.flat_map(|at| code.texts(at)) {
                table.remove_column(&name);
            }
        }
        "renameColumn" => {
            if let (Some(from), Some(to)) = (text(0), text(1)) {
                table.rename_column(&from, &to);
            }
        }
        "dropUnique" | "dropIndex" | "dropForeign" | "dropPrimary" | "dropTimestamps" | "index"
        | "comment" | "check" | "engine" | "charset" | "collate" | "inherits" | "setNullable"
        | "dropNullable" | "queryContext" => {}
        name => {
            let column = text(0).or_else(|| name.ends_with("ncrements").then(|| "id".to_owned()));
            if let Some(column) = column {
                push(code, chain, column, name, table);
            }
        }
    }
}

fn push(code: &Code<'_>, chain: &Chain<'_>, name: String, of: &str, table: &mut Table) {
    let module = chain.callee.module;
    let mut column = Column::new(
        name.clone(),
        kind(code, chain, of),
        code.file(module),
        code.line(chain.callee),
    );
    column.id = of.ends_with("ncrements") || chain.has("primary");
    column.unique = column.id || chain.has("unique");
    match table.column_mut(&name) {
        Some(known) => known.kind = column.kind,
        None => table.columns.push(column),
    }
    foreign_key(code, chain, vec![name], table);
}

/// `.references("id").inTable("users")`, `.references("users.id")`.
fn foreign_key(code: &Code<'_>, chain: &Chain<'_>, columns: Vec<String>, table: &mut Table) {
    let module = chain.callee.module;
    let said = |name: &str| {
        let link = chain.link(name)?;
        code.argument(module, link.args, 0)
            .and_then(|at| code.text(at))
    };
    let Some(references) = said("references") else {
        return;
    };
    let in_table = said("inTable")
        .or_else(|| said("on"))
        .map(|name| name.as_str().to_owned());
    let dotted = || {
        references
            .as_str()
            .rsplit_once('.')
            .map(|(table, _)| table.to_owned())
    };
    if let (Some(target), Some(name)) = (in_table.or_else(dotted), columns.first()) {
        let name = name.clone();
        table.relations.retain(|known| known.columns != columns);
        table.relations.push(Relation {
            name,
            target,
            columns,
            many: false,
        });
    }
}

fn kind(code: &Code<'_>, chain: &Chain<'_>, of: &str) -> Kind {
    match of {
        "string" | "text" | "uuid" | "varchar" | "char" => Kind::Text,
        "integer" | "bigInteger" | "bigint" | "tinyint" | "smallint" | "mediumint" | "float"
        | "double" | "decimal" | "increments" | "bigIncrements" => Kind::Number,
        "boolean" => Kind::Boolean,
        "date" | "dateTime" | "datetime" | "time" | "timestamp" => Kind::Time,
        "json" | "jsonb" => Kind::Json,
        "binary" => Kind::Binary,
        "enum" | "enu" => Kind::Enum,
        "specificType" => {
            let named = chain
                .links
                .first()
                .and_then(|first| code.argument(chain.callee.module, first.args, 1));
            let named = named.and_then(|at| code.text(at));
            let word =
                named.and_then(|name| name.as_str().split(|c: char| !c.is_alphanumeric()).next());
            word.map(super::sql_item::kind).unwrap_or_default()
        }
        _ => Kind::Other,
    }
}
