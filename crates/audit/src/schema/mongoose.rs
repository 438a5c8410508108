//! Reads Mongoose models: `mongoose.model("User", new Schema({ ... }))`.

use portcullis_code::body::{ExprKind, Item};

use super::code::{Code, Place};
use super::{Column, Kind, Relation, Source, Table};

/// How deep paths are followed into nested objects, and how many there are in one model: a schema can name itself.
const DEPTH_MAX: usize = 5;
const PATHS_MAX: u32 = 1_000;

/// Every model; a schema that no model uses describes a part of a document and is no table.
pub(crate) fn read(code: &Code<'_>) -> Vec<Table> {
    let mut tables = Vec::new();
    for module in code.modules() {
        for (place, callee, args) in code.calls(module.id) {
            let callee = Place {
                module: module.id,
                expr: callee,
            };
            let name = code.written_name(callee);
            if name.is_some_and(|name| name == "model" || name == "discriminator") {
                tables.extend(model(code, place, args));
            }
        }
    }
    tables
}

fn model(code: &Code<'_>, place: Place, args: &[Item]) -> Option<Table> {
    let name = code.text(code.argument(place.module, args, 0)?)?;
    let schema = code.follow(code.argument(place.module, args, 1)?);
    let declared = schema_arguments(code, schema)?;
    let mut table = Table::new(
        name.as_str(),
        Source::Mongoose,
        code.file(schema.module),
        code.line(schema),
    );
    let options = code.argument(schema.module, declared, 1);
    let collection = options.and_then(|at| code.property(at, "collection"));
    let collection = code
        .argument(place.module, args, 2)
        .filter(|at| code.text(*at).is_some())
        .or(collection);
    let aliases = [code.name_of(place), collection.and_then(|at| code.text(at))];
    let aliases = aliases.into_iter().flatten().filter(|alias| *alias != name);
    table
        .aliases
        .extend(aliases.map(|alias| alias.as_str().to_owned()));
    table.writes_itself = code
        .modules()
        .iter()
        .find(|module| module.id == schema.module)
        .is_some_and(|module| module.text.contains("toJSON"));
    let mut document = Document {
        code,
        table,
        paths_left: PATHS_MAX,
    };
    document.paths(code.argument(schema.module, declared, 0)?, "", DEPTH_MAX);
    let mut table = document.table;
    if !table.columns.iter().any(|column| column.name == "_id") {
        // Mongoose adds it to every document.
        let mut id = Column::new(
            "_id",
            Kind::Text,
            code.file(schema.module),
            code.line(schema),
        );
        (id.id, id.unique) = (true, true);
        table.columns.insert(0, id);
    }
    Some(table)
}

/// The arguments of `new Schema(...)`.
fn schema_arguments<'p>(code: &Code<'p>, at: Place) -> Option<&'p [Item]> {
    let ExprKind::Call { callee, args, .. } = code.kind(at) else {
        return None;
    };
    let path = code.path(Place {
        module: at.module,
        expr: *callee,
    })?;
    (path.is_from("mongoose") && path.last() == Some("Schema")).then_some(args.as_slice())
}

/// A model while its paths are read.
struct Document<'c, 'p> {
    code: &'c Code<'p>,
    table: Table,
    paths_left: u32,
}

impl Document<'_, '_> {
    fn paths(&mut self, object: Place, prefix: &str, depth: usize) {
        for (name, value) in self.code.properties(object) {
            let path = if prefix.is_empty() {
                name.as_str().to_owned()
            } else {
                format!("{prefix}.{name}")
            };
            self.path(value, &path, depth, false);
        }
    }

    fn path(&mut self, value: Place, path: &str, depth: usize, many: bool) {
        let code = self.code;
        let (Some(depth), Some(left)) = (depth.checked_sub(1), self.paths_left.checked_sub(1))
        else {
            return;
        };
        self.paths_left = left;
        // The name of a type such as `Schema.Types.ObjectId` says it; anything else is followed.
        let named = kind(code, value);
        let at = if named.is_some() {
            value
        } else {
            code.follow(value)
        };
        if let Some(fields) = schema_arguments(code, at) {
            // A schema in its own right, inside this one.
            if let Some(fields) = code.argument(at.module, fields, 0) {
                self.paths(fields, path, depth);
            }
            return;
        }
        match code.kind(at) {
            ExprKind::Array(items) => match items.first() {
                Some(item) => self.path(
                    Place {
                        module: at.module,
                        expr: item.value,
                    },
                    path,
                    depth,
                    true,
                ),
                None => self.push(value, path, Kind::Json),
            },
            ExprKind::Object(_) => match code.property(at, "type") {
                // `{ type: { type: String } }` has a path of that name.
                Some(of) if !describes_path(code, of) => self.described(at, of, path, depth, many),
                Some(_) | None => self.paths(at, path, depth),
            },
            _ if many => self.push(value, path, Kind::Json),
            _ => self.push(value, path, named.unwrap_or_default()),
        }
    }

    /// `{ type: String, unique: true, select: false, ref: "User" }`.
    fn described(&mut self, at: Place, of: Place, path: &str, depth: usize, many: bool) {
        let code = self.code;
        let inner = code.follow(of);
        let is_list = matches!(code.kind(inner), ExprKind::Array(_));
        let is_nested = is_list || matches!(code.kind(inner), ExprKind::Object(_));
        if kind(code, of).is_none() && (is_nested || schema_arguments(code, inner).is_some()) {
            self.path(of, path, depth, many);
        } else {
            self.push(at, path, kind(code, of).unwrap_or_default());
        }
        let option = |name| code.property(at, name);
        // `unique: [true, "taken"]` sets it too.
        let unique = option("unique").is_some_and(|value| {
            code.truth(value).unwrap_or(matches!(
                code.kind(value),
                ExprKind::Array(_) | ExprKind::Object(_)
            ))
        });
        let hidden = option("select").and_then(|value| code.truth(value)) == Some(false);
        if let Some(column) = self
            .table
            .columns
            .iter_mut()
            .find(|column| column.name == path)
        {
            column.unique |= unique;
            column.hidden |= hidden;
            if option("enum").is_some() {
                column.kind = Kind::Enum;
            }
        }
        let target = option("ref").and_then(|target| {
            code.text(target)
                .or_else(|| code.written_name(code.result(target).unwrap_or(target)))
        });
        if let Some(target) = target {
            let (name, target) = (path.to_owned(), target.as_str().to_owned());
            self.table.relations.push(Relation {
                columns: vec![name.clone()],
                name,
                target,
                many: many || is_list,
            });
        }
    }

    fn push(&mut self, at: Place, path: &str, kind: Kind) {
        if !self.table.columns.iter().any(|known| known.name == path) {
            let mut column = Column::new(path, kind, self.code.file(at.module), self.code.line(at));
            column.id = path == "_id";
            column.unique = column.id;
            self.table.columns.push(column);
        }
    }
}

/// Whether what stands under `type` is itself the description of a path called `type`.
fn describes_path(code: &Code<'_>, at: Place) -> bool {
    matches!(code.kind(at), ExprKind::Object(_)) && code.property(at, "type").is_some()
}

/// The kind that a type names: a constructor of the language, or one of `Schema.Types`, or its name as text.
fn kind(code: &Code<'_>, at: Place) -> Option<Kind> {
    let named = code.text(at).or_else(|| code.written_name(at))?;
    match named.as_str() {
        "String" | "string" | "ObjectId" | "ObjectID" | "UUID" => Some(Kind::Text),
        "Number" | "number" | "Decimal128" | "Int32" | "Double" | "BigInt" => Some(Kind::Number),
        "Boolean" | "Bool" | "boolean" => Some(Kind::Boolean),
        "Date" | "date" => Some(Kind::Time),
        "Buffer" => Some(Kind::Binary),
        "Mixed" | "Map" | "Object" | "Array" => Some(Kind::Json),
        _ => None,
    }
}
