//! `Guard` and `Caller`: rows that say who calls, and what is refused.

use serde::Deserialize;

use super::meaning::Role;
use super::passing::{Pass, Passing};
use super::place::{Field, Place};
use super::row::{Keys, Usage, read};

/// The result describes the caller.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Caller {
    /// How the result tells an anonymous caller, and what of it says who calls.
    #[serde(skip)]
    pub passing: Passing,
    /// Members that end the request when they are called: `protect()`, `redirectToSignIn()`.
    #[serde(default)]
    pub leave_fields: Vec<Field>,
    /// Members that users can write themselves, and that therefore prove nothing.
    #[serde(default)]
    pub user_written_fields: Vec<Field>,
    /// Whether the credential was checked; false where it was only found or decoded.
    #[serde(default = "yes")]
    pub verified: bool,
}

/// What a guard guards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GuardKind {
    /// The caller is known.
    Authentication,
    /// The caller has a role or permission.
    Authorization,
    /// The object is the caller's.
    Ownership,
    /// Requests are counted and capped.
    RateLimit,
    /// The request comes from the application's own pages.
    Csrf,
    /// The message is signed by another service.
    Signature,
    /// Input fits a schema.
    Validation,
    /// Input has a largest size.
    BodyLimit,
    /// The client is no bot, or answered a challenge.
    BotCheck,
}

/// Where a limiter counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitStore {
    /// In the process: each instance by itself, from nothing at every start.
    Memory,
    /// In a store that all instances share.
    Shared,
}

/// What a client sees when it is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// An exception, which is a 500 where nobody catches it.
    Throws,
    /// Status 401.
    Unauthorized,
    /// Status 403.
    Forbidden,
    /// Status 404.
    NotFound,
    /// Status 400 or 422.
    BadRequest,
    /// Status 429.
    TooManyRequests,
    /// A redirect, to the sign-in page as a rule.
    Redirect,
    /// A redirect for pages, a 401 or 404 for everything else.
    RedirectOrStatus,
    /// A slower answer: nothing is refused.
    Delay,
}

/// What part of the request a guard reads by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestPart {
    /// A header.
    Header,
    /// A cookie.
    Cookie,
    /// The body.
    Body,
    /// The query string.
    Query,
    /// The path's parameters.
    Path,
    /// The client's address.
    Ip,
    /// The form.
    Form,
    /// Uploaded files.
    File,
    /// Address and path of the request.
    Url,
    /// Any of body, query, path, cookies and headers.
    Any,
}

/// Refuses what must not pass, or tells whether it may.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guard {
    /// What is guarded.
    pub guard: GuardKind,
    /// What the same call guards besides.
    #[serde(default)]
    pub also: Vec<GuardKind>,
    /// How it tells, and what of its result says who calls.
    #[serde(skip)]
    pub passing: Passing,
    /// The class of a refusal, for `not_instance`: a member of the receiver or of the import.
    pub fail_class: Option<Field>,
    /// The callback that gets the error first, for `callback`.
    pub callback: Option<Place>,
    /// What the result is when passed.
    pub result: Option<Role>,
    /// Where in the result it stands.
    pub result_field: Option<Field>,
    /// What a refused client sees, where the guard decides it.
    pub refusal: Option<Refusal>,
    /// A limiter's key, or a verifier's secret or key.
    pub key: Option<Place>,
    /// A limiter's largest count.
    pub limit: Option<Place>,
    /// A limiter's window.
    pub window: Option<Place>,
    /// Whether what is signed comes from the application's own queue, and not from another company's service.
    #[serde(default)]
    pub own_queue: bool,
    /// Where a limiter counts.
    pub store: Option<LimitStore>,
    /// The option that gives a limiter another store, which is then taken to be shared.
    pub store_option: Option<Place>,
    /// A verifier's or limiter's options.
    pub options: Option<Place>,
    /// A token verifier's option that names the audience: any of these.
    #[serde(default)]
    pub audience: Vec<Place>,
    /// A token verifier's option that names the issuer: any of these.
    #[serde(default)]
    pub issuer: Vec<Place>,
    /// A token verifier's option that lists the algorithms: any of these.
    #[serde(default)]
    pub algorithms: Vec<Place>,
    /// A token verifier's option that has it accept what has expired: any of these.
    #[serde(default)]
    pub ignores_expiry: Vec<Place>,
    /// What is checked.
    pub subject: Option<Place>,
    /// The part of the request that is checked, where the guard reads it by itself.
    pub reads: Option<RequestPart>,
    /// The schema.
    pub schema: Option<Place>,
    /// The permission or role that is asked for.
    pub permission: Option<Place>,
    /// Whether fields that the schema does not name are gone from the result.
    pub strips_unknown: Option<bool>,
    /// Pieces in the making of the schema that keep fields which it does not name: `passthrough()`.
    #[serde(default)]
    pub keeps_unknown: Vec<Field>,
    /// Pieces in the making of the schema with which it admits anything: `any()`.
    #[serde(default)]
    pub admits_all: Vec<Field>,
    /// Lists of paths, or tests of the request, for which nothing is refused.
    #[serde(default)]
    pub except: Vec<Place>,
    /// The application's own function, which passes with a truthy result.
    pub decided_by: Option<Place>,
    /// What passes unchecked by the library's own default: `localhost`, a GET.
    pub exempt: Option<String>,
}

impl Guard {
    pub(super) fn read(mut keys: Keys) -> Result<Self, String> {
        let passing = Passing::take(&mut keys)?;
        Ok(Self {
            passing,
            ..read(keys)?
        })
    }

    pub(super) fn check(&self, usage: &Usage) -> Result<(), String> {
        match usage {
            Usage::Plain if !self.passing.tells() => Err(
                "a guard that is called says how it tells: `pass`, `pass_fields` or `fail_fields`"
                    .to_owned(),
            ),
            Usage::Plain | Usage::Middleware | Usage::Wrapper { .. } => {
                match (self.passing.pass, &self.fail_class, &self.callback) {
                    (Some(Pass::NotInstance), None, _) => {
                        Err("`not_instance` needs `fail_class`".to_owned())
                    }
                    (Some(Pass::Callback), _, None) => {
                        Err("`callback` needs the place of the callback".to_owned())
                    }
                    _ => Ok(()),
                }
            }
        }
    }
}

impl Caller {
    pub(super) fn read(mut keys: Keys) -> Result<Self, String> {
        let passing = Passing::take(&mut keys)?;
        Ok(Self {
            passing,
            ..read(keys)?
        })
    }

    pub(super) fn check(&self, usage: &Usage) -> Result<(), String> {
        if !self.passing.tells() && *usage == Usage::Plain {
            return Err(
                "a caller says how an anonymous one shows: `pass`, `pass_fields` or `fail_fields`"
                    .to_owned(),
            );
        }
        match self.passing.pass {
            None | Some(Pass::Truthy | Pass::Returns) => Ok(()),
            Some(_) => Err("a caller is `truthy`, or has `pass_fields`".to_owned()),
        }
    }
}

fn yes() -> bool {
    true
}
