//! Reads classes that decorators make tables of: TypeORM entities and NestJS schemas for Mongoose.

use portcullis_code::body::{Class, ClassMember, ExprId, ExprKind, ModuleId};
use ustr::Ustr;

use super::chain::Link;
use super::code::{Code, Place};
use super::{Column, Kind, Relation, Source, Table};

/// Every entity; what it inherits from a class of the project is its own too.
pub(crate) fn read(code: &Code<'_>) -> Vec<Table> {
    let mut tables = Vec::new();
    for module in code.modules() {
        for class in &module.body.classes {
            tables.extend(table(code, module.id, class));
        }
    }
    tables
}

fn table(code: &Code<'_>, module: ModuleId, class: &Class) -> Option<Table> {
    let decorator = decorators(code, module, &class.decorators)
        .find(|link| matches!(link.name.as_str(), "Entity" | "Schema" | "ChildEntity"))?;
    let name = class.name?;
    let line = code.line_of(module, class.span);
    let mut table = Table::new(name.as_str(), Source::Decorated, code.file(module), line);
    let first = code.argument(module, decorator.args, 0);
    let keys = ["name", "collection"];
    let stored = first.and_then(|at| {
        code.text(at).or_else(|| {
            keys.iter()
                .find_map(|key| code.text(code.property(at, key)?))
        })
    });
    table.aliases.extend(
        stored
            .filter(|stored| *stored != name)
            .map(|stored| stored.as_str().to_owned()),
    );
    fields(code, module, class, &mut table);
    if let Some(parent) = class.parent {
        let parent = code.follow(Place {
            module,
            expr: parent,
        });
        if let ExprKind::Class(base) = code.kind(parent) {
            fields(
                code,
                parent.module,
                code.body(parent.module).class(*base),
                &mut table,
            );
        }
    }
    (!table.columns.is_empty()).then_some(table)
}

fn decorators<'p>(
    code: &Code<'p>,
    module: ModuleId,
    list: &[ExprId],
) -> impl Iterator<Item = Link<'p>> {
    let calls = list.iter().filter_map(move |expr| {
        code.chain(Place {
            module,
            expr: *expr,
        })
    });
    calls
        .filter_map(|chain| chain.links.first().copied())
        .collect::<Vec<_>>()
        .into_iter()
}

fn fields(code: &Code<'_>, module: ModuleId, class: &Class, table: &mut Table) {
    for field in &class.fields {
        let links: Vec<Link<'_>> = decorators(code, module, &field.decorators).collect();
        for link in &links {
            match link.name.as_str() {
                "ManyToOne" | "OneToOne" | "OneToMany" | "ManyToMany" => {
                    relation(code, module, field, *link, &links, table);
                }
                name => {
                    if name == "Prop" || name.ends_with("Column") && name != "JoinColumn" {
                        column(code, module, field, *link, table);
                    }
                }
            }
        }
    }
}

type Field = ClassMember<Option<ExprId>>;

fn line(code: &Code<'_>, module: ModuleId, field: &Field) -> u32 {
    let first = field.decorators.first();
    first.map_or(1, |expr| {
        code.line(Place {
            module,
            expr: *expr,
        })
    })
}

fn column(code: &Code<'_>, module: ModuleId, field: &Field, link: Link<'_>, table: &mut Table) {
    let arguments: Vec<Place> = (0..2)
        .filter_map(|number| code.argument(module, link.args, number))
        .collect();
    let option = |key: &str| arguments.iter().find_map(|at| code.property(*at, key));
    let is_set = |key| option(key).and_then(|at| code.truth(at));
    let named = arguments.first().and_then(|at| code.text(*at));
    let of = named
        .or_else(|| option("type").and_then(|at| code.text(at).or_else(|| code.written_name(at))));
    let kind = match link.name.as_str() {
        "CreateDateColumn" | "UpdateDateColumn" | "DeleteDateColumn" => Kind::Time,
        _ if option("enum").is_some() => Kind::Enum,
        _ => of.map(|of| super::sql_item::kind(&of)).unwrap_or_default(),
    };
    let mut column = Column::new(
        field.name.as_str(),
        kind,
        code.file(module),
        line(code, module, field),
    );
    column.id = link.name.starts_with("Primary")
        || link.name == "ObjectIdColumn"
        || is_set("primary") == Some(true);
    column.unique = column.id || is_set("unique") == Some(true);
    column.hidden = is_set("select") == Some(false);
    let stored = option("name")
        .and_then(|at| code.text(at))
        .filter(|stored| *stored != field.name);
    column.stored = stored.map(|stored| stored.as_str().to_owned());
    if let Some(target) =
        option("ref").and_then(|at| code.text(at).or_else(|| code.written_name(at)))
    {
        let columns = vec![column.name.clone()];
        let (name, target) = (column.name.clone(), target.as_str().to_owned());
        table.relations.push(Relation {
            name,
            target,
            columns,
            many: false,
        });
    }
    if table.column(&column.name).is_none() {
        table.columns.push(column);
    }
}

/// `@ManyToOne(() => User) @JoinColumn({ name: "userId" }) user: User`.
fn relation(
    code: &Code<'_>,
    module: ModuleId,
    field: &Field,
    link: Link<'_>,
    links: &[Link<'_>],
    table: &mut Table,
) {
    let first = code.argument(module, link.args, 0);
    let target: Option<Ustr> = first.and_then(|at| match code.result(at) {
        Some(result) => code.written_name(result),
        None => code.text(at),
    });
    let Some(target) = target else {
        return;
    };
    let many = link.name.ends_with("Many");
    let join = links.iter().find(|link| link.name == "JoinColumn");
    let owns_key = link.name == "ManyToOne" || (link.name == "OneToOne" && join.is_some());
    let mut columns = Vec::new();
    if owns_key {
        let named = join.and_then(|join| code.argument(module, join.args, 0));
        let named = named
            .and_then(|at| code.property(at, "name"))
            .and_then(|at| code.text(at));
        let name = named.map_or_else(
            || format!("{}Id", field.name),
            |name| name.as_str().to_owned(),
        );
        if table.column(&name).is_none() {
            let mut column = Column::new(
                name.clone(),
                Kind::Other,
                code.file(module),
                line(code, module, field),
            );
            column.unique = link.name == "OneToOne";
            table.columns.push(column);
        }
        columns.push(name);
    }
    let (name, target) = (field.name.as_str().to_owned(), target.as_str().to_owned());
    table.relations.push(Relation {
        name,
        target,
        columns,
        many,
    });
}
