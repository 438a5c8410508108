//! Reads what Convex Ents add to a table: `defineEnt({ .. }).field("email", v.string(), { unique: true }).edge("user")`.

use super::chain::{Chain, Link};
use super::code::{Code, Place};
use super::{Column, Kind, Relation, Table};

/// Adds the fields and edges of a chain to the table that it defines. `field` reads a validator into the table.
pub(super) fn add(
    code: &Code<'_>,
    chain: &Chain<'_>,
    table: &mut Table,
    field: impl Fn(&str, Place, &mut Table),
) {
    let module = chain.callee.module;
    for link in &chain.links {
        let argument = |number| code.argument(module, link.args, number);
        let Some(name) = argument(0).and_then(|name| code.text(name)) else {
            continue;
        };
        match link.name.as_str() {
            "field" => {
                let Some(validator) = argument(1) else {
                    continue;
                };
                field(&name, validator, table);
                if option(code, chain, link, 2, "unique").is_some() {
                    for column in table.columns.iter_mut().filter(|it| it.name == *name) {
                        column.unique = true;
                    }
                }
            }
            // With `ref` the other table has the column.
            "edge" if option(code, chain, link, 1, "ref").is_none() => {
                let text = |key| {
                    let value = option(code, chain, link, 1, key)?;
                    code.text(value).map(|text| text.to_string())
                };
                let column = text("field").unwrap_or_else(|| format!("{name}Id"));
                let target = text("to").unwrap_or_else(|| format!("{name}s"));
                let (file, line) = (code.file(module), table.line);
                table
                    .columns
                    .push(Column::new(column.as_str(), Kind::Text, file, line));
                table.relations.push(Relation {
                    name: name.to_string(),
                    target,
                    columns: vec![column],
                    many: false,
                });
            }
            _ => {}
        }
    }
}

/// An option of a link of the chain.
fn option(
    code: &Code<'_>,
    chain: &Chain<'_>,
    link: &Link<'_>,
    number: usize,
    key: &str,
) -> Option<Place> {
    let options = code.argument(chain.callee.module, link.args, number)?;
    code.property(options, key)
}
