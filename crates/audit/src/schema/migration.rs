//! Puts SQL files in the order in which they are applied.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::Schema;
use super::sql::Database;

/// The tables that stand when all migrations have run. Each folder of migrations is a database of its own: what one
/// drops, another may still have.
pub(crate) fn read(mut files: Vec<(Arc<str>, Arc<str>)>) -> Schema {
    files.retain(|(file, _)| !undoes(file));
    files.sort_by(|a, b| natural(&a.0, &b.0));
    let mut databases: BTreeMap<String, Database> = BTreeMap::new();
    for (file, text) in files {
        let database = databases.entry(folder(&file)).or_default();
        database.apply(&file, &text);
    }
    let mut schema = Schema::default();
    for database in databases.into_values() {
        let (tables, unread) = database.into_parts();
        schema.unread.extend(unread);
        schema.absorb(tables);
    }
    schema
}

/// Where a migration belongs; tools that give each its own folder call the file itself the same every time.
fn folder(file: &str) -> String {
    let (folder, name) = file.rsplit_once('/').unwrap_or(("", file));
    let own_folder = matches!(name, "migration.sql" | "up.sql");
    let folder = match folder.rsplit_once('/') {
        Some((parent, last)) if own_folder || last == "up" => parent,
        _ => folder,
    };
    folder.to_owned()
}

/// The other half of a migration, which takes it back.
fn undoes(file: &str) -> bool {
    let file = file.to_ascii_lowercase();
    let (folder, name) = file.rsplit_once('/').unwrap_or(("", &file));
    let stem = name.strip_suffix(".sql").unwrap_or(name);
    let last = stem.rsplit(['.', '_', '-']).next().unwrap_or(stem);
    let in_folder = matches!(
        folder.rsplit('/').next(),
        Some("down" | "rollback" | "undo")
    );
    in_folder || matches!(last, "down" | "rollback" | "undo" | "revert")
}

/// The order of names in which `V2` comes before `V10`.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        let (left, right) = (digits(a), digits(b));
        if !left.is_empty() && !right.is_empty() {
            let (x, y) = (left.trim_start_matches('0'), right.trim_start_matches('0'));
            let order = x.len().cmp(&y.len()).then_with(|| x.cmp(y));
            if order != Ordering::Equal {
                return order;
            }
            a = a.get(left.len()..).unwrap_or_default();
            b = b.get(right.len()..).unwrap_or_default();
            continue;
        }
        let (mut left, mut right) = (a.chars(), b.chars());
        match (left.next(), right.next()) {
            (Some(x), Some(y)) if x == y => (a, b) = (left.as_str(), right.as_str()),
            (x, y) => return x.cmp(&y),
        }
    }
}

fn digits(text: &str) -> &str {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compared_as_numbers() {
        assert_eq!(natural("db/V2__a.sql", "db/V10__b.sql"), Ordering::Less);
        assert_eq!(natural("a/0002.sql", "a/2.sql"), Ordering::Equal);
        assert_eq!(natural("a", "ab"), Ordering::Less);
    }

    #[test]
    fn the_way_back_is_not_applied() {
        for file in [
            "m/1_users.down.sql",
            "m/down.sql",
            "m/down/1.sql",
            "m/1-users-rollback.sql",
        ] {
            assert!(undoes(file), "{file}");
        }
        assert!(!undoes("m/1_markdown.sql"));
    }

    #[test]
    fn migrations_in_folders_of_their_own_are_one_history() {
        assert_eq!(
            folder("prisma/migrations/1_init/migration.sql"),
            "prisma/migrations"
        );
        assert_eq!(folder("migrations/1/up.sql"), "migrations");
        assert_eq!(folder("drizzle/0001.sql"), "drizzle");
        assert_eq!(folder("a.sql"), "");
    }
}
