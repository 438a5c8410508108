//! `Organisation`: for which organisation a session token of Clerk speaks, as what, and what it may do there.
//!
//! Version 1 of the token has it in claims of its own; version 2 in `o`, and the permissions as masks: `fea` names features with
//! the scope that they belong to (`o:` of the organisation, `u:` of the user), `o.per` names permissions, and `o.fpm` has for each
//! feature of the organisation, in their order, a decimal number whose lowest bit stands for the first of the permissions.

use std::borrow::Cow;

use super::claim_fault::{ClaimFault, Wrong};
use super::claims::text_of;
use super::strict_json::{Json, Object};
use crate::canon::near;

/// The longest text of all permissions, with the blanks between. A token that says more says none: who it is for is not known
/// to have them.
const PERMISSIONS_BYTES_MAX: usize = 16 * 1024;

/// The claims that are read, beside those of every token.
pub(super) const KNOWN: [&str; 6] = ["v", "o", "fea", "org_id", "org_role", "org_permissions"];

/// What is said of an organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Organisation<'t> {
    pub(super) id: &'t str,
    /// `org:admin`.
    pub(super) role: Option<Cow<'t, str>>,
    /// `org:FEATURE:PERMISSION`, with blanks between.
    pub(super) permissions: String,
}

impl<'t> Organisation<'t> {
    /// Reads it; nothing where the user acts for none, and of a version that is not known.
    pub(super) fn read(claims: &'t Object<'_>) -> Result<Option<Self>, ClaimFault> {
        if let Some(known) = claims.names().find_map(|name| near(&KNOWN, name)) {
            return Err(ClaimFault::new(known, Wrong::Repeated));
        }
        match claims.find("v") {
            // One that is made by a template has `null` where there is nothing.
            None | Some(Json::Whole(1) | Json::Null) => Self::of_first(claims),
            Some(Json::Whole(2)) => Self::of_second(claims),
            Some(Json::Whole(_)) => Ok(None),
            Some(_) => Err(ClaimFault::new("v", Wrong::Type)),
        }
    }

    fn of_first(claims: &'t Object<'_>) -> Result<Option<Self>, ClaimFault> {
        let Some(id) = said(claims, "org_id", "org_id")? else {
            return Ok(None);
        };
        let listed: &[Json<'_>] = match claims.find("org_permissions") {
            None | Some(Json::Null) => &[],
            Some(Json::List(list)) => list,
            Some(_) => return Err(ClaimFault::new("org_permissions", Wrong::Type)),
        };
        let permissions = listed.iter().map(|one| match one {
            Json::Text(text) => Ok(Cow::Borrowed(text.as_ref())),
            Json::Whole(_)
            | Json::Truth(_)
            | Json::Other
            | Json::Null
            | Json::List(_)
            | Json::Object(_) => Err(ClaimFault::new("org_permissions", Wrong::Type)),
        });
        Ok(Some(Self {
            id,
            role: said(claims, "org_role", "org_role")?.map(Cow::Borrowed),
            permissions: joined(permissions.collect::<Result<Vec<_>, _>>()?),
        }))
    }

    fn of_second(claims: &'t Object<'_>) -> Result<Option<Self>, ClaimFault> {
        let said_of = match claims.find("o") {
            None | Some(Json::Null) => return Ok(None),
            Some(Json::Object(object)) => object,
            Some(_) => return Err(ClaimFault::new("o", Wrong::Type)),
        };
        let id = said(said_of, "id", "o")?.ok_or(ClaimFault::new("o", Wrong::Missing))?;
        let role = said(said_of, "rol", "o")?;
        let masks = list(said_of, "fpm", "o")?;
        let permissions: Vec<&str> = list(said_of, "per", "o")?.collect();
        let features = list(claims, "fea", "fea")?.filter_map(|feature| {
            let (scope, name) = feature.split_once(':')?;
            scope.contains('o').then_some(name)
        });
        let mut granted = Vec::new();
        for (feature, mask) in features.zip(masks) {
            let mask = mask_of(mask);
            let bits = (0..u128::BITS).map(|bit| mask >> bit & 1 == 1);
            let set = permissions.iter().zip(bits).filter(|(_, is_set)| *is_set);
            granted.extend(set.map(|(name, _)| Cow::Owned(format!("org:{feature}:{name}"))));
        }
        Ok(Some(Self {
            id,
            role: role.map(|role| Cow::Owned(format!("org:{role}"))),
            permissions: joined(granted),
        }))
    }
}

/// A text; nothing where it is `null`.
fn said<'t>(
    object: &'t Object<'_>,
    name: &str,
    claim: &'static str,
) -> Result<Option<&'t str>, ClaimFault> {
    let value = object.find(name).filter(|value| **value != Json::Null);
    text_of(value, claim)
}

/// What is between commas.
fn list<'t>(
    object: &'t Object<'_>,
    name: &str,
    claim: &'static str,
) -> Result<impl Iterator<Item = &'t str> + use<'t>, ClaimFault> {
    let text = match object.find(name) {
        None | Some(Json::Null) => "",
        Some(Json::Text(text)) => text.as_ref(),
        Some(_) => return Err(ClaimFault::new(claim, Wrong::Type)),
    };
    Ok(text.split(',').map(str::trim).filter(|_| !text.is_empty()))
}

/// The bits of a decimal number; none of what is no such number, or a larger one.
fn mask_of(text: &str) -> u128 {
    let is_decimal = text.bytes().all(|byte| byte.is_ascii_digit());
    let mask = text.parse().ok().filter(|_| is_decimal);
    mask.unwrap_or_default()
}

/// Those that a scope can be called by (RFC 6749 §3.3): a blank inside would make two of one.
fn joined(permissions: Vec<Cow<'_, str>>) -> String {
    let is_word = |word: &str| {
        let mut bytes = word.bytes();
        !word.is_empty() && bytes.all(|byte| byte.is_ascii_graphic() && !b"\"\\".contains(&byte))
    };
    let mut text = String::new();
    for permission in permissions.iter().filter(|one| is_word(one)) {
        if text.len() + permission.len() >= PERMISSIONS_BYTES_MAX {
            return String::new();
        }
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(permission);
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// Id, role and permissions; or which claim is wrong, and how.
    fn read(claims: &Value) -> Result<Option<[String; 3]>, ClaimFault> {
        let text = claims.to_string();
        let object = Object::read(text.as_bytes()).unwrap();
        let organisation = Organisation::read(&object)?;
        Ok(organisation.map(|one| {
            let role = one.role.unwrap_or_default().into_owned();
            [one.id.to_owned(), role, one.permissions]
        }))
    }

    fn said(claims: &Value) -> [String; 3] {
        read(claims).unwrap().unwrap()
    }

    #[test]
    fn both_versions_say_the_same() {
        let first = json!({
            "org_id": "org_7", "org_role": "org:baker", "org_slug": "mill",
            "org_permissions": ["org:bread:bake", "org:bread:sell", "org:oven:bake"],
        });
        let second = json!({
            "v": 2, "fea": "u:news,o:bread,o:oven",
            "o": { "id": "org_7", "rol": "baker", "slg": "mill", "per": "bake,sell", "fpm": "3,1" },
        });
        let expected = [
            "org_7",
            "org:baker",
            "org:bread:bake org:bread:sell org:oven:bake",
        ];
        assert_eq!(said(&first), expected);
        assert_eq!(said(&second), expected);
        let mut named = first;
        named["v"] = json!(1);
        assert_eq!(said(&named), expected);
    }

    /// The lowest bit is the first permission; a feature of the user has no mask, and does not shift those behind it.
    #[test]
    fn masks_are_of_the_features_of_the_organisation_in_their_order() {
        let granted = |fea: &str, per: &str, fpm: &str| {
            let o = json!({ "id": "org_7", "per": per, "fpm": fpm });
            let [_, _, permissions] = said(&json!({ "v": 2, "fea": fea, "o": o }));
            permissions
        };
        assert_eq!(granted("o:a", "x,y,z", "1"), "org:a:x");
        assert_eq!(granted("o:a", "x,y,z", "2"), "org:a:y");
        assert_eq!(granted("o:a", "x,y,z", "5"), "org:a:x org:a:z");
        assert_eq!(granted("o:a,u:b,o:c", "x,y", "0,2"), "org:c:y");
        assert_eq!(granted("uo:a, ou:b", "x, y", "1, 2"), "org:a:x org:b:y");
        // A bit without a permission, a feature without a mask, a mask without a feature.
        assert_eq!(granted("o:a", "x", "7"), "org:a:x");
        assert_eq!(granted("o:a,o:b", "x", "1"), "org:a:x");
        assert_eq!(granted("o:a", "x", "1,1"), "org:a:x");
        // The hundredth permission, and a number that has no room.
        let many: Vec<String> = (0..130).map(|number| format!("p{number}")).collect();
        let hundredth = (1_u128 << 99).to_string();
        assert_eq!(granted("o:a", &many.join(","), &hundredth), "org:a:p99");
        let too_large = "9".repeat(60);
        for mask in ["", "-1", "+1", "0x1", "1.0", "x", &too_large] {
            let masks = format!("{mask},1");
            assert_eq!(granted("o:a,o:b", "x", &masks), "org:b:x", "{mask}");
        }
        for (fea, per, fpm) in [("", "x", "1"), ("o:a", "", "1"), ("o:a", "x", "")] {
            assert_eq!(granted(fea, per, fpm), "", "{fea} {per} {fpm}");
        }
        // What would be two words is none.
        assert_eq!(granted("o:a b,o:c", "x", "1,1"), "org:c:x");
    }

    #[test]
    fn who_acts_for_nobody_has_none() {
        for claims in [
            json!({}),
            json!({ "v": 2 }),
            json!({ "v": 2, "o": null, "fea": "u:news" }),
            json!({ "org_id": null, "org_role": null, "org_permissions": null }),
            json!({ "org_role": "org:admin", "org_permissions": ["org:a:x"] }),
            // Another version says it in another way.
            json!({ "v": 2, "org_id": "org_7", "org_role": "org:admin" }),
            json!({ "o": { "id": "org_7", "rol": "admin" } }),
            json!({ "v": 3, "o": { "id": "org_7" }, "org_id": "org_7" }),
        ] {
            assert_eq!(read(&claims).unwrap(), None, "{claims}");
        }
    }

    #[test]
    fn what_is_not_as_it_must_be_is_refused() {
        for (claims, claim, wrong) in [
            (json!({ "v": "2" }), "v", Wrong::Type),
            // A number in another spelling is no version, and never the first.
            (json!({ "v": 2.0, "org_id": "org_7" }), "v", Wrong::Type),
            (json!({ "v": 1.0, "org_id": "org_7" }), "v", Wrong::Type),
            (json!({ "v": -1, "org_id": "org_7" }), "v", Wrong::Type),
            (json!({ "v": 2, "o": 7.5 }), "o", Wrong::Type),
            (json!({ "org_id": -7 }), "org_id", Wrong::Type),
            (
                json!({ "org_id": "a", "org_permissions": 1.5 }),
                "org_permissions",
                Wrong::Type,
            ),
            (json!({ "v": 2, "o": "org_7" }), "o", Wrong::Type),
            (json!({ "v": 2, "o": {} }), "o", Wrong::Missing),
            (json!({ "v": 2, "o": { "id": 7 } }), "o", Wrong::Type),
            (json!({ "v": 2, "o": { "id": "" } }), "o", Wrong::Type),
            (
                json!({ "v": 2, "o": { "id": "a", "rol": [] } }),
                "o",
                Wrong::Type,
            ),
            (
                json!({ "v": 2, "o": { "id": "a", "fpm": [1] } }),
                "o",
                Wrong::Type,
            ),
            (
                json!({ "v": 2, "o": { "id": "a" }, "fea": [] }),
                "fea",
                Wrong::Type,
            ),
            (json!({ "v": 2, "O": { "id": "a" } }), "o", Wrong::Repeated),
            (json!({ "org_id": ["a"] }), "org_id", Wrong::Type),
            (
                json!({ "org_id": "a", "org_permissions": "b" }),
                "org_permissions",
                Wrong::Type,
            ),
            (
                json!({ "org_id": "a", "org_permissions": [1] }),
                "org_permissions",
                Wrong::Type,
            ),
        ] {
            assert_eq!(
                read(&claims),
                Err(ClaimFault::new(claim, wrong)),
                "{claims}"
            );
        }
    }

    #[test]
    fn more_than_is_read_is_none_of_it() {
        let name = "x".repeat(500);
        let list: Vec<&str> = std::iter::repeat_n(name.as_str(), 40).collect();
        let [id, _, permissions] = said(&json!({ "org_id": "org_7", "org_permissions": list }));
        assert_eq!((id.as_str(), permissions.as_str()), ("org_7", ""));
    }
}
