//! The tables that Convex Auth brings with it: `defineSchema({ ...authTables, .. })`.

use portcullis_code::body::{ExprKind, Property};

use super::code::{Code, Place};
use super::{Column, Kind, Relation, Source, Table};

/// The package that declares them.
const PACKAGE: &str = "@convex-dev/auth";

/// A table with its columns; a column that names a row of another table says which.
type Declared = (
    &'static str,
    &'static [(&'static str, Option<&'static str>)],
);

/// What the library declares, as of its versions before 1.0.
const TABLES: [Declared; 6] = [
    (
        "users",
        &[
            ("name", None),
            ("image", None),
            ("email", None),
            ("emailVerificationTime", None),
            ("phone", None),
            ("phoneVerificationTime", None),
            ("isAnonymous", None),
        ],
    ),
    (
        "authSessions",
        &[("userId", Some("users")), ("expirationTime", None)],
    ),
    (
        "authAccounts",
        &[
            ("userId", Some("users")),
            ("provider", None),
            ("providerAccountId", None),
            ("secret", None),
        ],
    ),
    (
        "authRefreshTokens",
        &[
            ("sessionId", Some("authSessions")),
            ("expirationTime", None),
        ],
    ),
    (
        "authVerificationCodes",
        &[
            ("accountId", Some("authAccounts")),
            ("provider", None),
            ("code", None),
            ("verifier", None),
        ],
    ),
    (
        "authVerifiers",
        &[("sessionId", Some("authSessions")), ("signature", None)],
    ),
];

/// Whether the library's tables are among those of a schema.
pub(super) fn is_spread(code: &Code<'_>, schema: Place) -> bool {
    let schema = code.follow(schema);
    let ExprKind::Object(properties) = code.kind(schema) else {
        return false;
    };
    properties.iter().any(|property| match property {
        Property::Spread(spread) => code
            .path(Place {
                module: schema.module,
                expr: *spread,
            })
            .is_some_and(|path| path.is_from(PACKAGE) && path.last() == Some("authTables")),
        Property::Named(..) | Property::Computed(..) => false,
    })
}

/// Those that the application does not declare anew.
pub(super) fn tables(code: &Code<'_>, schema: Place, declared: &[Table]) -> Vec<Table> {
    let (file, line) = (code.file(schema.module), code.line(schema));
    let missing = TABLES
        .iter()
        .filter(|(name, _)| !declared.iter().any(|table| table.name == *name));
    missing
        .map(|(name, columns)| {
            let mut table = Table::new(*name, Source::Convex, file, line);
            let mut id = Column::new("_id", Kind::Text, file, line);
            (id.id, id.unique) = (true, true);
            table.columns.push(id);
            for (column, target) in *columns {
                let kind = if column.ends_with("Time") {
                    Kind::Number
                } else {
                    Kind::Text
                };
                table.columns.push(Column::new(*column, kind, file, line));
                if let Some(target) = target {
                    table.relations.push(Relation {
                        name: (*column).to_owned(),
                        target: (*target).to_owned(),
                        columns: vec![(*column).to_owned()],
                        many: false,
                    });
                }
            }
            table
        })
        .collect()
}
