//! Which columns hold a secret by which a row may be found.

use ustr::Ustr;

use crate::schema::{Schema, Sensitivity};

/// Whether a column holds a secret by which a row may be found: a token, an API key.
pub(crate) fn is_secret_column(column: &str, schema: &Schema, table: Option<Ustr>) -> bool {
    let last = super::judged_query::last_name(column);
    let by_schema = table
        .and_then(|table| schema.table(&table))
        .and_then(|table| table.column(last))
        .is_some_and(|column| column.sensitivity == Some(Sensitivity::Secret));
    let lower = last.to_lowercase();
    by_schema
        || lower.ends_with("token")
        || lower.ends_with("apikey")
        || lower.ends_with("api_key")
        || lower.ends_with("secret")
        || lower.ends_with("hashedkey")
        || is_secret_link(&lower)
        || matches!(lower.as_str(), "code" | "key" | "hash")
            && table.is_some_and(|table| holds_secrets(&table))
}

/// Whether the rows of a table are codes that are handed out: `OAuthCode`, `otp`, `VerificationToken`.
fn holds_secrets(table: &str) -> bool {
    let lower = table.to_lowercase();
    [
        "authcode",
        "auth_code",
        "authorization",
        "otp",
        "token",
        "apikey",
        "api_key",
    ]
    .iter()
    .chain(&PURPOSES)
    .any(|word| lower.contains(word))
}

/// What secret links and codes are for.
const PURPOSES: [&str; 8] = [
    "invit",
    "share",
    "join",
    "magic",
    "verif",
    "reset",
    "confirm",
    "subscribe",
];

/// A code that is handed to whoever is to be let in: an invitation, a share, a confirmation.
fn is_secret_link(column: &str) -> bool {
    PURPOSES.iter().any(|purpose| column.contains(purpose))
        && ["code", "key", "link", "hash", "slug"]
            .iter()
            .any(|end| column.ends_with(end))
}
