//! `Roles`: the roles of users, from the least to the greatest, and the permissions that each is granted.

use std::collections::BTreeMap;

use crate::faults::Faults;
use crate::form::{Form, Kind, may, need};
use crate::malformed::quoted;
use crate::node::{Entry, Node, NodeValue};
use crate::policy_file::{Draft, is_empty_list};
use crate::suggestion::closest;
use crate::table_reader::{TableReader, list, name_of, wrong_kind};
use crate::{Malformed, Name, Place};

/// The `[roles]` table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roles {
    /// The roles, the least first; never empty.
    pub order: Vec<Name>,
    /// What each is granted by itself. A role also has all that is granted to those before it.
    pub grants: BTreeMap<Name, Vec<Name>>,
    /// Where it is written.
    pub place: Place,
}

impl Roles {
    /// Whether a role has a permission, by itself or by one before it. A role that is none has nothing.
    #[must_use]
    pub fn has(&self, role: &str, permission: &Name) -> bool {
        let Some(rank) = self.order.iter().position(|one| one.as_str() == role) else {
            return false;
        };
        self.order
            .iter()
            .take(rank + 1)
            .filter_map(|role| self.grants.get(role))
            .any(|granted| granted.contains(permission))
    }

    /// Every permission that some role is granted.
    pub fn permissions(&self) -> impl Iterator<Item = &Name> {
        self.grants.values().flatten()
    }
}

pub(crate) const FORM: Form = Form::new(
    "The roles of users.",
    &[
        need(
            "order",
            Kind::Some(&Kind::Name),
            "The roles, the least first.",
        ),
        may(
            "grants",
            Kind::Map(&Kind::List(&Kind::Name)),
            "The permissions of each role; it also has those of every role before it.",
        )
        .or("{}"),
    ],
);

/// Reads `[roles]`.
pub(crate) fn read(node: &Node, draft: &mut Draft, faults: &mut Faults<'_>) {
    let NodeValue::Table(table) = &node.value else {
        return wrong_kind(node, "a table", faults);
    };
    let place = faults.place(&table.span);
    let mut reader = TableReader::new(table, "`[roles]`", faults);
    let order_node = reader.required("order");
    let order = reader.list::<Name>(order_node, false);
    if let Some(node) = order_node.filter(|node| is_empty_list(node)) {
        let message = "there is one role at least: leave `[roles]` out if there is none";
        reader.faults().add(&node.span, message);
    }
    let grants_node = reader.optional("grants");
    let grants_table = reader.table(grants_node);
    let mut grants = BTreeMap::new();
    let mut all_read = true;
    for entry in grants_table.iter().flat_map(|table| &table.entries) {
        match read_grants(entry, order.as_deref(), reader.faults()) {
            Some((role, granted)) => {
                grants.insert(role, granted);
            }
            None => all_read = false,
        }
    }
    reader.finish();
    // Permissions that could not be read are not also unknown to the routes that need them.
    let is_whole = all_read && (grants_node.is_none() || grants_table.is_some());
    if let Some(order) = order.filter(|order| !order.is_empty() && is_whole) {
        draft.policy.roles = Some(Roles {
            order,
            grants,
            place,
        });
    }
}

fn read_grants(
    entry: &Entry,
    order: Option<&[Name]>,
    faults: &mut Faults<'_>,
) -> Option<(Name, Vec<Name>)> {
    let role = name_of(entry, faults)?;
    let granted = list::<Name>(&entry.node, false, faults);
    if let Some(order) = order
        && !order.contains(&role)
    {
        let near = closest(role.as_str(), order.iter().map(Name::as_str));
        let message = format!("there is no role {} in `order`", quoted(role.as_str()));
        let fault = Malformed::whole(role.as_str(), message).perhaps(near.map(str::to_owned));
        faults.add_malformed(&entry.key_span, fault);
        return None;
    }
    Some((role, granted?))
}

/// What is wrong with a permission that a route needs: nobody could ever have it.
pub(crate) fn unknown_permission(permission: &Name, draft: &Draft) -> Option<Malformed> {
    let roles = draft.policy.roles.as_ref()?;
    if roles.permissions().any(|granted| granted == permission) {
        return None;
    }
    let near = closest(permission.as_str(), roles.permissions().map(Name::as_str));
    let message = format!(
        "no role is granted {}, so nobody could call this: add it to `[roles.grants]`",
        quoted(permission.as_str())
    );
    Some(Malformed::whole(permission.as_str(), message).perhaps(near.map(str::to_owned)))
}
