//! Reads a Convex schema: `defineSchema({ posts: defineTable({ author: v.id("users") }) })`.

use portcullis_code::body::{ExprKind, Item};
use ustr::Ustr;

use super::code::{Code, Place};
use super::component::Component;
use super::{Column, Kind, Relation, Source, Table};
use super::{convex_auth, convex_ents};

/// How deep validators are followed.
const DEPTH_MAX: usize = 5;
/// Columns of one table at most.
const COLUMNS_MAX: usize = 1_000;

/// Every table of every schema.
pub(crate) fn read(code: &Code<'_>) -> Vec<Table> {
    let mut tables = Vec::new();
    let components = Component::all(code);
    for module in code.modules() {
        for (place, callee, args) in code.calls(module.id) {
            let callee = Place {
                module: module.id,
                expr: callee,
            };
            let is_schema = code.written_name(callee).is_some_and(|name| {
                let from = match name.as_str() {
                    "defineSchema" => "convex",
                    "defineEntSchema" => "convex-ents",
                    _ => return false,
                };
                code.path(callee).is_some_and(|path| path.is_from(from))
            });
            if let (true, Some(object)) = (is_schema, code.argument(place.module, args, 0)) {
                let named = code.properties(object);
                let own = named
                    .into_iter()
                    .filter_map(|(name, value)| table(code, name, value));
                tables.extend(
                    own.map(|table| of_component(&components, code.file(module.id), table)),
                );
                if convex_auth::is_spread(code, object) {
                    tables.extend(convex_auth::tables(code, object, &tables));
                }
            }
        }
    }
    tables
}

/// A component's tables are its own, whatever the application calls one of its.
fn of_component(components: &[Component], file: &str, mut table: Table) -> Table {
    if let Some(name) = Component::qualified(components, file, &table.name) {
        table.name = name;
        for relation in &mut table.relations {
            if let Some(target) = Component::qualified(components, file, &relation.target) {
                relation.target = target;
            }
        }
    }
    table
}

fn table(code: &Code<'_>, name: Ustr, value: Place) -> Option<Table> {
    let chain = code.chain(code.follow(value))?;
    let made = chain.links.first()?;
    let is_ent = made.name == "defineEnt";
    if !is_ent && made.name != "defineTable" {
        return None;
    }
    let mut table = Table::new(
        name.as_str(),
        Source::Convex,
        code.file(value.module),
        code.line(value),
    );
    let mut id = Column::new("_id", Kind::Text, code.file(value.module), code.line(value));
    (id.id, id.unique) = (true, true);
    table.columns.push(id);
    let document = code.argument(chain.callee.module, made.args, 0)?;
    fields(code, document, DEPTH_MAX, &mut table);
    if is_ent {
        convex_ents::add(code, &chain, &mut table, |name, validator, table| {
            field(code, name, validator, DEPTH_MAX, table);
        });
    }
    Some(table)
}

/// The fields of a document: an object of validators, `v.object(..)`, or one of several such documents.
fn fields(code: &Code<'_>, document: Place, depth: usize, table: &mut Table) {
    let Some(depth) = depth.checked_sub(1) else {
        return;
    };
    let at = code.follow(document);
    if let ExprKind::Call { callee, args, .. } = code.kind(at) {
        let made = code.written_name(Place {
            module: at.module,
            expr: *callee,
        });
        match made.as_ref().map(Ustr::as_str) {
            Some("object") => {
                if let Some(inner) = code.argument(at.module, args, 0) {
                    fields(code, inner, depth, table);
                }
                return;
            }
            Some("union") => {
                for number in 0..args.len() {
                    if let Some(inner) = code.argument(at.module, args, number) {
                        fields(code, inner, depth, table);
                    }
                }
                return;
            }
            _ => {}
        }
    }
    for (name, value) in code.properties(at) {
        if table.column(name.as_str()).is_none() {
            field(code, name.as_str(), value, DEPTH_MAX, table);
        }
    }
}

/// A validator: `v.string()`, `v.optional(v.id("users"))`, `v.object({ ... })`.
fn field(code: &Code<'_>, path: &str, value: Place, depth: usize, table: &mut Table) {
    let Some(depth) = depth
        .checked_sub(1)
        .filter(|_| table.columns.len() < COLUMNS_MAX)
    else {
        return;
    };
    let at = code.follow(value);
    let ExprKind::Call { callee, args, .. } = code.kind(at) else {
        return;
    };
    let first = code.argument(at.module, args, 0);
    let validator = code.written_name(Place {
        module: at.module,
        expr: *callee,
    });
    let kind = match (validator.map(|name| name.as_str()), first) {
        (Some("optional"), Some(inner)) => return field(code, path, inner, depth, table),
        (Some("object"), Some(inner)) => {
            for (name, value) in code.properties(inner) {
                field(code, &format!("{path}.{name}"), value, depth, table);
            }
            Kind::Json
        }
        (Some("id"), Some(target)) => {
            refer(code, path, target, false, table);
            Kind::Text
        }
        // `v.union(v.id("users"), v.null())`, `v.array(v.id("users"))`.
        (Some("union"), Some(_)) if named(code, at, args).is_some() => {
            if let Some(target) = named(code, at, args) {
                refer(code, path, target, false, table);
            }
            Kind::Text
        }
        (Some("array"), Some(_)) => {
            if let Some(target) = named(code, at, args) {
                refer(code, path, target, true, table);
            }
            Kind::Json
        }
        (Some("string"), _) => Kind::Text,
        (Some("number" | "float64" | "int64" | "bigint"), _) => Kind::Number,
        (Some("boolean"), _) => Kind::Boolean,
        (Some("bytes"), _) => Kind::Binary,
        (Some("record" | "any"), _) => Kind::Json,
        (Some("union"), _) => Kind::Enum,
        (Some("literal"), _) => Kind::Text,
        _ => Kind::Other,
    };
    table.columns.push(Column::new(
        path,
        kind,
        code.file(at.module),
        code.line(value),
    ));
}

/// The table whose rows the validators name, if all of them name one's or nothing.
fn named(code: &Code<'_>, at: Place, args: &[Item]) -> Option<Place> {
    let mut found: Option<Place> = None;
    for number in 0..args.len() {
        let each = code.follow(code.argument(at.module, args, number)?);
        let ExprKind::Call { callee, args, .. } = code.kind(each) else {
            return None;
        };
        let name = code.written_name(Place {
            module: each.module,
            expr: *callee,
        })?;
        match name.as_str() {
            "null" => {}
            "id" if found.is_none() => found = code.argument(each.module, args, 0),
            _ => return None,
        }
    }
    found
}

/// A column names a row of another table.
fn refer(code: &Code<'_>, path: &str, target: Place, many: bool, table: &mut Table) {
    if let Some(target) = code.text(target) {
        table.relations.push(Relation {
            name: path.to_owned(),
            target: target.as_str().to_owned(),
            columns: vec![path.to_owned()],
            many,
        });
    }
}
