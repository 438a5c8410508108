//! `Passing`: how a row's result tells that something passed, and what of it says who that is.

use serde::Deserialize;

use super::place::Field;
use super::row::{Keys, read};

/// How a result tells whether something passed. Fields are members or calls of the result: `isDenied()`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pass {
    /// It comes back at all; else it throws or ends the request.
    Returns,
    /// The result is truthy.
    Truthy,
    /// The result is falsy.
    Falsy,
    /// The callback's first parameter is falsy.
    Callback,
    /// Nothing is enforced here: another symbol reports what was found.
    Deferred,
    /// The result is an instance of the class at `fail_class` when it failed.
    NotInstance,
}

/// The keys that guards and callers share.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Passing {
    /// How the result itself tells; left out by middlewares and wrappers, which go on only when passed.
    pub pass: Option<Pass>,
    /// Members that are truthy only when passed: for a known caller.
    #[serde(default)]
    pub pass_fields: Vec<Field>,
    /// Members that are truthy only when refused: for an anonymous caller.
    #[serde(default)]
    pub fail_fields: Vec<Field>,
    /// Members that name the caller.
    #[serde(default)]
    pub id_fields: Vec<Field>,
    /// Members that name the caller's tenant.
    #[serde(default)]
    pub tenant_fields: Vec<Field>,
    /// Members that hold roles or permissions, or ask for them (`has()`).
    #[serde(default)]
    pub role_fields: Vec<Field>,
    /// True where the credential is a cookie, false where it is a bearer token; none where either may be.
    pub ambient: Option<bool>,
}

const KEYS: [&str; 7] = [
    "pass",
    "pass_fields",
    "fail_fields",
    "id_fields",
    "tenant_fields",
    "role_fields",
    "ambient",
];

impl Passing {
    /// Takes the shared keys out of a row's, and leaves those of its meaning alone.
    // Not serde's `flatten`: it does not go together with refusing unknown keys.
    pub(super) fn take(keys: &mut Keys) -> Result<Self, String> {
        read(
            keys.extract_if(.., |(key, _)| KEYS.contains(&key.as_str()))
                .collect(),
        )
    }

    /// Whether anything tells.
    pub(super) fn tells(&self) -> bool {
        self.pass.is_some() || !self.pass_fields.is_empty() || !self.fail_fields.is_empty()
    }
}
