//! Decides which tables are users and tenants, which columns name an owner, and what is sensitive.
//!
//! The order matters:
//! 1. users by their name, then by their columns, then by the keys that point at them;
//! 2. tenants by their name, then by the users' key to them, then by a table of members between them and the users;
//! 3. owners: what a foreign key points at decides, only without one the column's name;
//! 4. sensitivity, which needs to know whether the table is one of users.

use rustc_hash::FxHashMap;

use super::lexicon::{LEXICON, Standing};
use super::name::{key, table_words, words};
use super::{Column, Kind, Owner, Relation, Schema, Table};

/// Fills in everything that is derived; run again after each merge.
pub(crate) fn judge(schema: &mut Schema) {
    resolve_targets(schema);
    for table in &mut schema.tables {
        table.is_user_table = false;
        table.is_tenant_table = false;
    }
    mark(schema, users_by_name, |t| t.is_user_table = true);
    mark(schema, users_by_columns, |t| t.is_user_table = true);
    mark(schema, users_by_keys, |t| t.is_user_table = true);
    mark(schema, users_by_extension, |t| t.is_user_table = true);
    mark(schema, tenants_by_name, |t| t.is_tenant_table = true);
    mark(schema, tenants_by_users, |t| t.is_tenant_table = true);
    mark(schema, tenants_by_members, |t| t.is_tenant_table = true);
    let owners: Vec<Vec<Option<Owner>>> = schema.tables.iter().map(|t| owners(schema, t)).collect();
    for (table, owners) in schema.tables.iter_mut().zip(owners) {
        for (column, owner) in table.columns.iter_mut().zip(owners) {
            column.owner = owner;
        }
        judge_sensitivity(table);
    }
}

/// Whether the relation says who did something to a row, not whose the row is.
pub(crate) fn is_actor(relation: &Relation) -> bool {
    LEXICON.is_actor(&relation.name) || relation.columns.iter().any(|c| LEXICON.is_actor(c))
}

fn resolve_targets(schema: &mut Schema) {
    let resolved: FxHashMap<String, String> = schema
        .tables
        .iter()
        .flat_map(|table| &table.relations)
        .filter_map(|r| Some((r.target.clone(), schema.table(&r.target)?.name.clone())))
        .collect();
    for relation in schema
        .tables
        .iter_mut()
        .flat_map(|table| &mut table.relations)
    {
        if let Some(name) = resolved.get(&relation.target) {
            relation.target.clone_from(name);
        }
    }
}

/// Finds all tables of which `found` tells, and marks them afterwards, so that their order does not matter.
fn mark(schema: &mut Schema, found: fn(&Schema) -> Vec<usize>, set: fn(&mut Table)) {
    for at in found(schema) {
        if let Some(table) = schema.tables.get_mut(at) {
            set(table);
        }
    }
}

fn positions(schema: &Schema, is: impl Fn(&Table) -> bool) -> Vec<usize> {
    let all = schema.tables.iter().enumerate();
    all.filter(|(_, table)| is(table))
        .map(|(at, _)| at)
        .collect()
}

fn users_by_name(schema: &Schema) -> Vec<usize> {
    positions(schema, |t| {
        t.names()
            .any(|name| LEXICON.tables.user.are(&table_words(name)))
    })
}

/// A table of people has a login and a password that is not for another server, or, where its name may be that of
/// people, a login or an identity that is unique.
fn users_by_columns(schema: &Schema) -> Vec<usize> {
    positions(schema, |table| {
        let login = has(table, |c| LEXICON.owner.login.are(&words(&c.name)));
        let password = has(table, |c| LEXICON.owner.password.are(&words(&c.name)));
        let remote = has(table, |c| LEXICON.owner.remote.are(&words(&c.name)));
        let owned = table.ways_out().any(|r| is_user(schema, &r.target));
        (login && password && !remote && !owned) || (may_be_users(table) && has(table, identifies))
    })
}

fn has(table: &Table, is: impl Fn(&Column) -> bool) -> bool {
    table
        .columns
        .iter()
        .any(|c| c.kind != Kind::Boolean && is(c))
}

fn may_be_users(table: &Table) -> bool {
    table
        .names()
        .any(|name| LEXICON.tables.maybe_user.are(&table_words(name)))
}

/// A unique column that a person is known by: e-mail address, user name, id at an identity provider.
fn identifies(column: &Column) -> bool {
    let name = words(&column.name);
    column.unique
        && (LEXICON.owner.login.are(&name)
            || LEXICON.owner.external.are(&name)
            || LEXICON.owner.user.are(&name))
}

/// Whoever `userId` points at is a user, unless that table is itself owned by one. `ownerId` and `authorId` do not tell:
/// a machine may own a job, and the author of a book need not log in.
fn users_by_keys(schema: &Schema) -> Vec<usize> {
    let pointed_at = schema.tables.iter().flat_map(|t| &t.relations).filter(|r| {
        let [column] = r.columns.as_slice() else {
            return false;
        };
        let name = words(column);
        let says_user = name.iter().any(|word| word == "user") && LEXICON.owner.user.are(&name);
        says_user && !is_tenant_name(&r.target)
    });
    let targets = pointed_at.filter_map(|r| schema.position(&r.target));
    let free = |at: &usize| {
        schema
            .tables
            .get(*at)
            .is_some_and(|t| !t.ways_out().any(|r| is_user(schema, &r.target)))
    };
    targets.filter(free).collect()
}

/// A profile: one row for each user, its key to the users unique or primary.
fn users_by_extension(schema: &Schema) -> Vec<usize> {
    positions(schema, |table| {
        let one_each = |r: &Relation| match r.columns.as_slice() {
            [column] => table
                .column(column)
                .is_some_and(|c| c.unique || is_whole_id(table, c)),
            _ => false,
        };
        // Who is a member of something else as well is one of many memberships, not a person.
        let is_membership = LEXICON.tables.membership.end(&table_words(&table.name))
            && table.ways_out().any(|r| !is_user(schema, &r.target));
        let extends = table
            .ways_out()
            .any(|r| one_each(r) && is_user(schema, &r.target));
        may_be_users(table) && !is_membership && extends
    })
}

/// Whether the rows of a table of this name are memberships.
pub(super) fn is_of_members(table: &str) -> bool {
    LEXICON.tables.membership.end(&table_words(table))
}

fn is_whole_id(table: &Table, column: &Column) -> bool {
    column.id && table.columns.iter().filter(|c| c.id).count() == 1
}

fn is_tenant_name(name: &str) -> bool {
    LEXICON.tables.tenant.are(&table_words(name))
}

fn tenants_by_name(schema: &Schema) -> Vec<usize> {
    positions(schema, |t| {
        !t.is_user_table && t.names().any(is_tenant_name)
    })
}

/// The users' account is a tenant unless it is the account of one user.
fn tenants_by_users(schema: &Schema) -> Vec<usize> {
    let of_users = |t: &Table| {
        t.names()
            .any(|n| LEXICON.tables.tenant_of_users.are(&table_words(n)))
    };
    let users = schema.tables.iter().filter(|t| t.is_user_table);
    let targets = users
        .flat_map(Table::ways_out)
        .filter(|r| !r.columns.is_empty());
    targets
        .filter_map(|r| schema.position(&r.target))
        .filter(|at| {
            schema
                .tables
                .get(*at)
                .is_some_and(|t| !t.is_user_table && of_users(t) && !belongs_to_user(schema, t))
        })
        .collect()
}

fn belongs_to_user(schema: &Schema, table: &Table) -> bool {
    let mut here = table.ways_out().filter(|r| !r.columns.is_empty());
    here.any(|r| is_user(schema, &r.target))
}

/// What users are members of, unless it is itself a part of a tenant: a channel of a server.
fn tenants_by_members(schema: &Schema) -> Vec<usize> {
    let candidates: Vec<usize> = schema
        .tables
        .iter()
        .flat_map(|t| member_of(schema, t))
        .collect();
    let is_tenant = |at: usize| {
        candidates.contains(&at) || schema.tables.get(at).is_some_and(|t| t.is_tenant_table)
    };
    let is_part = |at: usize| {
        let Some(table) = schema.tables.get(at) else {
            return true;
        };
        let here = table.ways_out().filter(|r| !r.columns.is_empty());
        here.filter_map(|r| schema.position(&r.target))
            .any(|other| {
                let back = schema.tables.get(other).is_some_and(|t| {
                    let mut here = t.ways_out().filter(|r| !r.columns.is_empty());
                    here.any(|r| schema.position(&r.target) == Some(at))
                });
                other != at && is_tenant(other) && !back
            })
    };
    candidates
        .iter()
        .copied()
        .filter(|at| !is_part(*at))
        .collect()
}

/// The tables that a table of members joins to the users.
fn member_of(schema: &Schema, table: &Table) -> Vec<usize> {
    let name = table_words(&table.name);
    let named_so = LEXICON.tables.membership.end(&name);
    let joins_users = name.iter().any(|word| word == "user" || word == "users");
    let has_role = has(table, |c| {
        key(&c.name) == "role" || key(&c.name) == "permissions"
    });
    let here: Vec<&Relation> = table.ways_out().filter(|r| !r.columns.is_empty()).collect();
    if table.is_user_table || !here.iter().any(|r| is_user(schema, &r.target)) {
        return Vec::new();
    }
    let others = here.iter().filter(|r| !is_user(schema, &r.target));
    let joined =
        others.filter(|r| named_so || (joins_users && has_role && names(&name, &r.target)));
    joined.filter_map(|r| schema.position(&r.target)).collect()
}

/// Whether a table's name contains that of another: `ProjectUsers` and `Project`.
fn names(name: &[String], other: &str) -> bool {
    let singular: Vec<String> = name
        .iter()
        .map(|word| super::name::singular(word))
        .collect();
    let other = table_words(other);
    !other.is_empty() && singular.windows(other.len()).any(|window| window == other)
}

/// Whether a table of this name is one of users or tenants, by the name alone.
pub(crate) fn is_owner_name(name: &str) -> bool {
    LEXICON.tables.user.are(&table_words(name)) || is_tenant_name(name)
}

/// Whether a column of this name says which person a row is of: `userId`, `authorId`, `endUserId`.
pub(crate) fn names_person(column: &str) -> bool {
    let name = words(column);
    let of_people = match name.as_slice() {
        [table @ .., last] => {
            matches!(last.as_str(), "id" | "uuid") && LEXICON.tables.user.are(table)
        }
        [] => false,
    };
    of_people || LEXICON.owner.user.are(&name)
}

fn is_user(schema: &Schema, name: &str) -> bool {
    // A table that no source declares can still be known by its name: `auth.users`.
    let by_name = || LEXICON.tables.user.are(&table_words(name));
    schema.table(name).map_or_else(by_name, |t| t.is_user_table)
}

fn is_tenant(schema: &Schema, name: &str) -> bool {
    schema
        .table(name)
        .map_or_else(|| is_tenant_name(name), |t| t.is_tenant_table)
}

fn owners(schema: &Schema, table: &Table) -> Vec<Option<Owner>> {
    let by_key = |c: &Column| key_owner(schema, table, c);
    let keyed: Vec<Keyed> = table.columns.iter().map(by_key).collect();
    let columns = table.columns.iter().zip(&keyed);
    let named = columns.map(|(column, by_key)| match by_key {
        Keyed::To(owner) => *owner,
        Keyed::Nothing => named_owner(schema, table, column, &keyed),
    });
    named.collect()
}

/// What a column's foreign key says of the owner.
#[derive(PartialEq)]
enum Keyed {
    Nothing,
    To(Option<Owner>),
}

fn key_owner(schema: &Schema, table: &Table, column: &Column) -> Keyed {
    let points_at = table.relations.iter().find(|r| {
        matches!(r.columns.as_slice(), [only] if column.is_called(&key(only))) && !r.many
    });
    let Some(relation) = points_at else {
        return Keyed::Nothing;
    };
    let to_itself = schema
        .table(&relation.target)
        .is_some_and(|t| t.name == table.name);
    Keyed::To(match () {
        () if to_itself || is_actor(relation) => None,
        () if is_user(schema, &relation.target) => Some(Owner::User),
        () if is_tenant(schema, &relation.target) => Some(Owner::Tenant),
        () => None,
    })
}

fn named_owner(schema: &Schema, table: &Table, column: &Column, keyed: &[Keyed]) -> Option<Owner> {
    if matches!(column.kind, Kind::Boolean | Kind::Time) || LEXICON.is_actor(&column.name) {
        return None;
    }
    own_identity(table, column).or_else(|| owner_by_name(schema, column, keyed))
}

/// The columns of a user's or tenant's own row that tell which one it is.
fn own_identity(table: &Table, column: &Column) -> Option<Owner> {
    if table.is_user_table && (is_whole_id(table, column) || identifies(column)) {
        return Some(Owner::User);
    }
    let slug = column.unique && key(&column.name) == "slug";
    (table.is_tenant_table && (is_whole_id(table, column) || slug)).then_some(Owner::Tenant)
}

fn owner_by_name(schema: &Schema, column: &Column, keyed: &[Keyed]) -> Option<Owner> {
    let name = words(&column.name);
    if LEXICON.owner.user.are(&name) {
        return Some(Owner::User);
    }
    // `profileId` where profiles are users, `projectId` where projects are tenants.
    let target = match name.as_slice() {
        [table @ .., last] if matches!(last.as_str(), "id" | "uuid") => {
            schema.table(&table.concat())
        }
        _ => None,
    };
    match target {
        Some(t) if t.is_user_table => return Some(Owner::User),
        Some(t) if t.is_tenant_table => return Some(Owner::Tenant),
        Some(_) | None => {}
    }
    // Beside a key to the tenant, `tenantId` without one is somebody else's word for something else.
    let no_tenant = !keyed.contains(&Keyed::To(Some(Owner::Tenant)));
    let no_owner = no_tenant && !keyed.contains(&Keyed::To(Some(Owner::User)));
    let named = (no_tenant && LEXICON.owner.tenant.are(&name))
        || (no_owner && LEXICON.owner.maybe_tenant.are(&name));
    named.then_some(Owner::Tenant)
}

fn judge_sensitivity(table: &mut Table) {
    let membership = LEXICON.tables.membership.end(&table_words(&table.name))
        || (table.has_owner_column() && table.name.to_lowercase().contains("user"));
    let is_account = table.is_user_table
        || table.is_tenant_table
        || membership
        || LEXICON.is_billing(&table.name);
    let standing = Standing {
        table: &table.name,
        is_user: table.is_user_table,
        is_account,
        is_owned: table.has_owner_column(),
    };
    for column in &mut table.columns {
        column.sensitivity = LEXICON.sensitivity(&column.name, column.kind, standing);
    }
}
