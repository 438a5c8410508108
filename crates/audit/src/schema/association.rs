//! `Association`: what one Sequelize model says of another, `Post.belongsTo(User)`.

use std::sync::Arc;

use portcullis_code::body::{ExprKind, Item};
use ustr::Ustr;

use super::code::{Code, Place};
use super::name::key;
use super::sequelize::enclosing_class;
use super::{Column, Kind, Relation, Table};

/// `Post.belongsTo(User, { foreignKey: "userId", as: "author" })`.
pub(crate) struct Association {
    source: String,
    target: String,
    how: &'static str,
    name: Option<String>,
    foreign_key: Option<String>,
    /// The table between the two, each row of which belongs to both.
    through: Option<String>,
    file: Arc<str>,
    line: u32,
}

pub(crate) fn association(
    code: &Code<'_>,
    place: Place,
    callee: Place,
    args: &[Item],
    how: &str,
) -> Option<Association> {
    let ExprKind::Member { object, .. } = code.kind(callee) else {
        return None;
    };
    let object = Place {
        module: callee.module,
        expr: *object,
    };
    let source = match code.kind(object) {
        ExprKind::This => enclosing_class(code, place)?,
        _ => model_name(code, object)?,
    };
    let target = model_name(code, code.argument(place.module, args, 0)?)?;
    let options = code.argument(place.module, args, 1);
    let option = |name| options.and_then(|at| code.property(at, name));
    let text = |at| code.text(at).map(|text| text.as_str().to_owned());
    let foreign_key = option("foreignKey");
    let named = foreign_key.and_then(|at| code.property(at, "name"));
    Some(Association {
        source: source.as_str().to_owned(),
        target: target.as_str().to_owned(),
        how: ["belongsTo", "hasMany", "hasOne", "belongsToMany"]
            .into_iter()
            .find(|known| *known == how)?,
        name: option("as").and_then(text),
        foreign_key: named.or(foreign_key).and_then(text),
        through: option("through").and_then(|at| {
            let model = code.property(at, "model").unwrap_or(at);
            Some(
                code.text(model)
                    .or_else(|| model_name(code, model))?
                    .as_str()
                    .to_owned(),
            )
        }),
        file: Arc::clone(code.file(place.module)),
        line: code.line(place),
    })
}

/// The model that a name stands for: what it was defined as, else the name itself.
fn model_name(code: &Code<'_>, at: Place) -> Option<Ustr> {
    let followed = code.follow(at);
    match code.kind(followed) {
        ExprKind::Call { callee, args, .. } => {
            let callee = Place {
                module: followed.module,
                expr: *callee,
            };
            let defines = code
                .written_name(callee)
                .is_some_and(|name| name == "define");
            let name = code
                .argument(followed.module, args, 0)
                .and_then(|at| code.text(at));
            name.filter(|_| defines).or_else(|| code.written_name(at))
        }
        ExprKind::Class(class) => {
            let name = code.body(followed.module).class(*class).name;
            name.or_else(|| code.written_name(at))
        }
        ExprKind::Index { index, .. } => code.text(Place {
            module: followed.module,
            expr: *index,
        }),
        _ => code.written_name(at),
    }
}

impl Association {
    pub(crate) fn apply(&self, tables: &mut [Table]) {
        let many = matches!(self.how, "hasMany" | "belongsToMany");
        let owns_key = self.how == "belongsTo";
        let default = |name: &str| format!("{}Id", lower_first(name));
        if owns_key {
            let name = self
                .name
                .clone()
                .unwrap_or_else(|| lower_first(&self.target));
            let foreign_key = self.foreign_key.clone().unwrap_or_else(|| default(&name));
            self.add_key(tables, &self.source, &self.target, name, foreign_key);
            return;
        }
        let holder = match self.how {
            "belongsToMany" => self.through.as_ref(),
            _ => Some(&self.target),
        };
        if let Some(holder) = holder {
            let foreign_key = self
                .foreign_key
                .clone()
                .unwrap_or_else(|| default(&self.source));
            let name = lower_first(&self.source);
            self.add_key(tables, holder, &self.source, name, foreign_key);
        }
        if let Some(source) = find(tables, &self.source) {
            let name = self
                .name
                .clone()
                .unwrap_or_else(|| lower_first(&self.target));
            let target = self.target.clone();
            source.absorb_relation(
                Relation {
                    name,
                    target,
                    columns: Vec::new(),
                    many,
                },
                true,
            );
        }
    }

    /// The key stands in the table that belongs to the other, also where no attribute declares it.
    fn add_key(
        &self,
        tables: &mut [Table],
        from: &str,
        to: &str,
        name: String,
        foreign_key: String,
    ) {
        let Some(table) = find(tables, from) else {
            return;
        };
        if table.column(&foreign_key).is_none() {
            table.columns.push(Column::new(
                foreign_key.clone(),
                Kind::Other,
                &self.file,
                self.line,
            ));
        }
        let known = table
            .relations
            .iter_mut()
            .find(|r| matches!(r.columns.as_slice(), [c] if key(c) == key(&foreign_key)));
        match known {
            // The association has the better name.
            Some(known) => known.name = name,
            None => {
                let (target, columns) = (to.to_owned(), vec![foreign_key]);
                table.relations.push(Relation {
                    name,
                    target,
                    columns,
                    many: false,
                });
            }
        }
    }
}

fn find<'t>(tables: &'t mut [Table], name: &str) -> Option<&'t mut Table> {
    let wanted = key(name);
    tables
        .iter_mut()
        .find(|table| table.names().any(|name| key(name) == wanted))
}

fn lower_first(name: &str) -> String {
    let mut chars = name.chars();
    chars
        .next()
        .map(|first| first.to_lowercase().chain(chars).collect())
        .unwrap_or_default()
}
