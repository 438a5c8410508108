//! `Input`, `Respond` and the other rows about requests and their answers.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};

use super::guard::{GuardKind, RequestPart};
use super::place::Place;

/// Data of the request.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The part of the request.
    pub source: RequestPart,
}

/// A status: a number in the row, or where the call has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// This one.
    Fixed(u16),
    /// The one that stands here.
    At(Place),
}

impl<'de> Deserialize<'de> for Status {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct StatusVisitor;
        impl Visitor<'_> for StatusVisitor {
            type Value = Status;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a status such as `302`, or its place such as `\"1.status\"`")
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Status, E> {
                u16::try_from(number)
                    .ok()
                    .filter(|status| (100..600).contains(status))
                    .map(Status::Fixed)
                    .ok_or_else(|| E::custom(format_args!("`{number}` is no status")))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Status, E> {
                let text = serde::de::value::StrDeserializer::<E>::new(text);
                Place::deserialize(text).map(Status::At)
            }
        }
        from.deserialize_any(StatusVisitor)
    }
}

/// Answers the request.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Respond {
    /// The status; 200 where neither the row nor the call has one.
    pub status: Option<Status>,
    /// What is shown.
    pub body: Option<Place>,
    /// The options that hold headers.
    pub headers: Option<Place>,
    /// Where a redirect goes.
    pub location: Option<Place>,
    /// In a middleware: goes on to the route, and answers nothing.
    #[serde(default)]
    pub continues: bool,
}

/// Never returns.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leaves {
    /// How.
    pub kind: LeavesKind,
    /// Where a redirect goes.
    pub location: Option<Place>,
}

/// How a request ends that never returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeavesKind {
    /// Elsewhere.
    Redirect,
    /// Status 404.
    NotFound,
    /// Status 401.
    Unauthorized,
    /// Status 403.
    Forbidden,
    /// Another error.
    Error,
}

/// A library's router behind one route.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mega {
    /// What the routes in it are.
    pub route_type: Option<MegaType>,
    /// What the library checks by itself, whatever the application does.
    #[serde(default)]
    pub checks: Vec<GuardKind>,
    /// Where the application's own functions or routes are given.
    pub routes: Option<Place>,
    /// The member of those that guards: `middleware` of an upload route.
    pub guarded_by: Option<Box<str>>,
}

/// What the routes of a library's router are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MegaType {
    /// Login, sign-up, reset, token.
    AuthOp,
    /// Called by another service and signed by it.
    Webhook,
    /// Takes files.
    FileUpload,
    /// For the platform or another service.
    Internal,
    /// Procedures of every type.
    Mixed,
}

/// A piece of a builder that makes an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chain {
    /// What the piece does.
    pub piece: Piece,
    /// The function, schema or other piece that is given.
    pub at: Option<Place>,
    /// The method that the endpoint answers, for an end.
    pub method: Option<Box<str>>,
    /// The names by which pieces before the end see the input that the end sees validated, for an end.
    #[serde(default)]
    pub same: std::collections::BTreeMap<Box<str>, Box<str>>,
}

/// What a piece of an endpoint's builder does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Piece {
    /// Begins: nothing is guarded.
    Start,
    /// Begins from another builder, whose pieces count.
    From,
    /// Adds a middleware, which can refuse.
    Middleware,
    /// Adds a schema for the input.
    Input,
    /// Adds a schema for the output.
    Output,
    /// Ends: the function does the work.
    End,
    /// Joins ends to a router.
    Router,
    /// Changes nothing that matters.
    Other,
}

/// Makes a function that tells whether a request's path fits one of some patterns.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Matcher {
    /// The pattern, or a list of them, or a function of the request.
    pub patterns: Place,
}

/// Sets CORS headers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cors {
    /// The options.
    pub options: Option<Place>,
    /// Whether any origin may read where the options name none.
    #[serde(default)]
    pub any_origin_by_default: bool,
}

/// Reads the body.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BodyParser {
    /// What it reads.
    pub format: BodyFormat,
    /// The largest size.
    pub limit: Option<Place>,
    /// The largest size where none is given, in bytes; none where it is unlimited.
    pub default_limit_bytes: Option<u64>,
    /// The secret that signed cookies are checked with.
    pub secret: Option<Place>,
}

/// What a body is read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BodyFormat {
    /// JSON.
    Json,
    /// An HTML form.
    Urlencoded,
    /// Bytes as they came.
    Raw,
    /// Text as it came.
    Text,
    /// A form with files.
    Multipart,
    /// Cookies.
    Cookies,
}

/// Serves files.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Static {
    /// The folder.
    pub root: Option<Place>,
}

/// Hands the request to another server.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proxy {
    /// The server.
    pub target: Option<Place>,
}

/// Loads a session.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Session {
    /// The options: secret, cookie, store.
    pub options: Option<Place>,
    /// The secret.
    pub secret: Option<Place>,
    /// The option that gives another store than the process's memory.
    pub store_option: Option<Place>,
    /// The options of its cookie: secure, httpOnly, sameSite.
    pub cookie: Option<Place>,
    /// Those of them that are set where nothing is said of them.
    #[serde(default)]
    pub cookie_by_default: Vec<Box<str>>,
}

/// Sets or clears a cookie.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetCookie {
    /// The name.
    pub name: Option<Place>,
    /// The value.
    pub value: Option<Place>,
    /// The options: secure, HttpOnly, SameSite.
    pub options: Option<Place>,
    /// Whether the cookie is removed.
    #[serde(default)]
    pub clears: bool,
}
