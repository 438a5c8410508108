//! `RouteRecord`: what the audit knows of one route, with the reason for every word of it.

use std::fmt;

use portcullis_policy::{Control, Method, RouteType};
use serde::{Serialize, Serializer};

use crate::Location;

/// One route of the inventory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteRecord {
    /// The framework that serves it, lower case.
    pub framework: String,
    /// The method it answers.
    pub method: RouteMethod,
    /// The path, with `{name}` for a parameter and `{*rest}` for a catch-all.
    pub path: String,
    /// The handler, or the registration where the handler cannot be found.
    pub location: Location,
    /// Whether an anonymous caller reaches the effect.
    pub auth: Auth,
    /// Where that is decided.
    pub auth_where: Option<AuthWhere>,
    /// Whether a forged cross-site request is refused.
    pub csrf: Answer,
    /// Whether a limiter is on the route.
    pub rate_limit: Answer,
    /// Whether the input has a schema.
    pub validated: Answer,
    /// Whether the object touched is bound to the caller.
    pub ownership: Ownership,
    /// What sort of route it is.
    pub route_type: RouteType,
    /// Why it is that sort.
    pub type_reason: String,
    /// On what configuration the answers depend.
    pub conditions: Vec<String>,
    /// What stands before the effect.
    pub guards: Vec<GuardRecord>,
    /// The reason for every word.
    pub reasons: Vec<Reason>,
    /// What could not be known.
    pub unknowns: Vec<UnknownRecord>,
}

impl RouteRecord {
    /// The route as findings and the policy name it: `POST /api/x`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// What a route answers: a method of HTTP, or a kind of operation where a service is not called by path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RouteMethod {
    /// `POST`.
    Http(Method),
    /// `MUTATION`, `INTERNALQUERY` (Convex), in capitals.
    Operation(String),
}

impl From<Method> for RouteMethod {
    fn from(method: Method) -> Self {
        Self::Http(method)
    }
}

impl fmt::Display for RouteMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(method) => f.write_str(method.as_str()),
            Self::Operation(kind) => f.write_str(kind),
        }
    }
}

impl Serialize for RouteMethod {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Whether an anonymous caller reaches the effect of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Auth {
    /// It does not.
    Required,
    /// It does, and a signed-in caller gets something else.
    Optional,
    /// It does.
    None,
    /// Not known.
    Unknown,
}

/// Where authentication is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AuthWhere {
    /// In the handler or at its declaration.
    Resource,
    /// In something that matches its path.
    Middleware,
    /// In both.
    Both,
}

/// Whether a route has a control. On the wire `true`, `false`, `null` and `"unknown"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Answer {
    /// It has.
    Yes,
    /// It has not.
    No,
    /// The question does not arise.
    NotApplicable,
    /// Not known.
    Unknown,
}

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Yes => serializer.serialize_bool(true),
            Self::No => serializer.serialize_bool(false),
            Self::NotApplicable => serializer.serialize_unit(),
            Self::Unknown => serializer.serialize_str("unknown"),
        }
    }
}

/// Whether the object a route touches is bound to the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Ownership {
    /// It is.
    Checked,
    /// The caller chooses the id, and nothing binds it.
    Missing,
    /// There is no such object.
    #[serde(rename = "n/a")]
    NotApplicable,
    /// Not known.
    Unknown,
}

/// One thing that stands before the effect of a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuardRecord {
    /// The control it is.
    pub what: Control,
    /// What happens when it refuses: a status, a redirect, nothing.
    pub on_fail: String,
    /// How it comes to stand there: the decorator, the wrapper, the middleware.
    pub via: String,
    /// Where it is.
    pub location: Location,
    /// What our knowledge of it rests on: a row of the library table, the policy file, the function's own body.
    pub source: String,
}

/// Why an attribute of a route has the value it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The attribute, named as on the wire: `auth`, `csrf`, `route_type`.
    pub attribute: String,
    /// Why.
    pub text: String,
    /// Where that can be seen, if it can.
    pub location: Option<Location>,
}

/// Something that could not be known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownRecord {
    /// `U1` to `U10`.
    pub code: String,
    /// Where our knowledge ends.
    pub location: Option<Location>,
    /// Why.
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_json_values_not_words() {
        let all = [
            Answer::Yes,
            Answer::No,
            Answer::NotApplicable,
            Answer::Unknown,
        ];
        assert_eq!(
            serde_json::to_string(&all).unwrap(),
            r#"[true,false,null,"unknown"]"#
        );
        assert_eq!(
            serde_json::to_string(&Ownership::NotApplicable).unwrap(),
            r#""n/a""#
        );
    }
}
