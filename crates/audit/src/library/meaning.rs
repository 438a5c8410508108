//! `Meaning`: the things a row can say of a symbol, a struct for each.

use serde::Deserialize;

use super::credential::{Account, Credential, DecodeToken, Hash, IssueToken};
use super::database::{Db, DbOperator};
use super::flow::{Sanitizer, Sink};
use super::guard::{Caller, Guard};
use super::place::Place;
use super::row::{Keys, Usage, read};
use super::serving::{
    BodyParser, Chain, Cors, Input, Leaves, Matcher, Mega, Proxy, Respond, Session, SetCookie,
    Static,
};

/// What a symbol means. In rows, `means` names the variant in snake case.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "some hundreds of rows, made once and then only borrowed"
)]
pub enum Meaning {
    /// The result describes the caller.
    Caller(Caller),
    /// Refuses what must not pass, or tells whether it may.
    Guard(Guard),
    /// Reads or writes the database, or is a piece of a query.
    Db(Db),
    /// A piece of a filter, such as `eq(column, value)`.
    DbOperator(DbOperator),
    /// Data of the request.
    Input(Input),
    /// Answers the request.
    Respond(Respond),
    /// Never returns: redirects, or ends the request with an error.
    Leaves(Leaves),
    /// Does something outside the process and the database.
    Effect(Effect),
    /// Signs a token.
    IssueToken(IssueToken),
    /// Reads a token without checking it.
    DecodeToken(DecodeToken),
    /// Compares a password or a code with what is known.
    Credential(Credential),
    /// Hashes.
    Hash(Hash),
    /// Signs in, up or out, or changes a credential, by a service that keeps the accounts.
    Account(Account),
    /// The result depends on the arguments, and nothing else happens.
    Derive(Derive),
    /// Keeps only named fields of a value.
    Pick(Fields),
    /// Drops named fields of a value.
    Omit(Fields),
    /// Runs the function it is given, and adds nothing to it that matters here.
    Transparent,
    /// A library's router behind one route.
    Mega(Mega),
    /// A piece of a builder that makes an endpoint: a procedure, a safe action.
    Chain(Chain),
    /// Makes an application that answers by itself.
    Application(Application),
    /// Sets security headers.
    Headers(Headers),
    /// Sets CORS headers.
    Cors(Cors),
    /// Reads the body.
    BodyParser(BodyParser),
    /// Serves files.
    Static(Static),
    /// Hands the request to another server.
    Proxy(Proxy),
    /// Loads a session from a cookie; whether it is anybody's is not said.
    Session(Session),
    /// Sets or clears a cookie.
    SetCookie(SetCookie),
    /// Writes a log line.
    Log(Log),
    /// Makes a test of a request's path from patterns.
    Matcher(Matcher),
    /// Makes an error value, which does nothing until it is thrown.
    ErrorFactory(ErrorFactory),
    /// Makes a database that shows and takes only the rows that rules let through.
    RowRules(RowRules),
    /// Does harm where a client chooses what it is given.
    Sink(Sink),
    /// Makes what it is given harmless.
    Sanitizer(Sanitizer),
    /// Tells whoever asks, or the log, what only developers should see.
    Debug(Debug),
    /// Is told a secret.
    Secret(Secret),
}

impl Meaning {
    /// Whether a call of it does nothing but give a result, or write a line to a log.
    #[must_use]
    pub const fn only_computes(&self) -> bool {
        matches!(
            self,
            Self::DbOperator(_)
                | Self::Hash(_)
                | Self::Derive(_)
                | Self::Pick(_)
                | Self::Omit(_)
                | Self::Log(_)
                | Self::ErrorFactory(_)
                | Self::Sanitizer(_)
        )
    }

    /// Reads the keys left in a row as those of what it means.
    pub(super) fn read(means: &str, keys: Keys) -> Result<Self, String> {
        Ok(match means {
            "caller" => Self::Caller(Caller::read(keys)?),
            "guard" => Self::Guard(Guard::read(keys)?),
            "db" => Self::Db(read(keys)?),
            "db_operator" => Self::DbOperator(read(keys)?),
            "input" => Self::Input(read(keys)?),
            "respond" => Self::Respond(read(keys)?),
            "leaves" => Self::Leaves(read(keys)?),
            "effect" => Self::Effect(read(keys)?),
            "issue_token" => Self::IssueToken(read(keys)?),
            "decode_token" => Self::DecodeToken(read(keys)?),
            "credential" => Self::Credential(read(keys)?),
            "hash" => Self::Hash(read(keys)?),
            "account" => Self::Account(read(keys)?),
            "derive" => Self::Derive(read(keys)?),
            "pick" => Self::Pick(read(keys)?),
            "omit" => Self::Omit(read(keys)?),
            "transparent" => {
                read::<Nothing>(keys)?;
                Self::Transparent
            }
            "mega" => Self::Mega(read(keys)?),
            "chain" => Self::Chain(read(keys)?),
            "application" => Self::Application(read(keys)?),
            "headers" => Self::Headers(read(keys)?),
            "cors" => Self::Cors(read(keys)?),
            "body_parser" => Self::BodyParser(read(keys)?),
            "static" => Self::Static(read(keys)?),
            "proxy" => Self::Proxy(read(keys)?),
            "session" => Self::Session(read(keys)?),
            "set_cookie" => Self::SetCookie(read(keys)?),
            "log" => Self::Log(read(keys)?),
            "matcher" => Self::Matcher(read(keys)?),
            "row_rules" => Self::RowRules(read(keys)?),
            "error_factory" => Self::ErrorFactory(read(keys)?),
            "sink" => Self::Sink(read(keys)?),
            "sanitizer" => Self::Sanitizer(read(keys)?),
            "debug" => Self::Debug(read(keys)?),
            "secret" => Self::Secret(read(keys)?),
            _ => return Err(format!("`{means}` is nothing that a row can mean")),
        })
    }

    /// What the types cannot hold: keys that need each other.
    pub(super) fn check(&self, usage: &Usage) -> Result<(), String> {
        match self {
            Self::Guard(guard) => guard.check(usage),
            Self::Caller(caller) => caller.check(usage),
            Self::Db(db) => db.check(),
            _ => Ok(()),
        }
    }
}

/// What a value stands for after a library has made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Who calls: falsy, or without an id, when nobody is signed in.
    Caller,
    /// The claims of a verified token.
    Claims,
    /// Claims that nobody verified.
    UnverifiedClaims,
    /// Input that went through a schema.
    Parsed,
    /// The body, as sent.
    Body,
    /// The body as bytes or text, before any parsing.
    RawBody,
    /// The path's parameters.
    Path,
    /// The query string.
    Query,
    /// Headers.
    Headers,
    /// Cookies.
    Cookies,
    /// An uploaded file.
    File,
    /// Uploaded files.
    Files,
    /// A session whose fields have to be looked at.
    Session,
    /// What earlier middlewares made.
    Context,
    /// The request.
    Request,
    /// The response being made.
    Response,
    /// The function that goes on to what comes next.
    Next,
    /// Truthy when it failed.
    Error,
    /// The receiver of the call, in another form: the transaction of a client.
    This,
    /// Nothing that matters.
    Other,
}

/// Something outside happens.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Effect {
    /// What happens.
    pub kind: EffectKind,
    /// Where to: the address, command or path, which a caller must not choose.
    pub target: Option<Place>,
    /// What is sent or written.
    pub data: Option<Place>,
}

/// What happens outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EffectKind {
    /// A message to a person.
    Mail,
    /// A request to another server.
    Http,
    /// A job or message is queued.
    Queue,
    /// An object is stored or removed.
    Storage,
    /// The client is given a place where it can store an object.
    Upload,
    /// A credential for another service is made.
    Token,
    /// Money.
    Payment,
    /// A process is started, or text is run as code.
    Exec,
    /// A file is read.
    FsRead,
    /// A file is written or removed.
    FsWrite,
    /// A model is asked, which costs.
    Ai,
    /// A cache is filled or emptied.
    Cache,
    /// Accounts of others are read or changed at the service that keeps them.
    Accounts,
    /// A message to connected clients.
    Realtime,
}

/// The result depends on the arguments.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Derive {
    /// How.
    #[serde(default)]
    pub kind: DeriveKind,
    /// The key of a keyed digest.
    pub key: Option<Place>,
    /// How many random bytes there are.
    pub bytes: Option<Place>,
    /// How many random letters there are.
    pub letters: Option<Place>,
    /// The alphabet of the letters; one of 64 where there is none.
    pub alphabet: Option<Place>,
}

/// How a result depends on the arguments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeriveKind {
    /// Some other form of them.
    #[default]
    Convert,
    /// Several made into one, the later over the earlier.
    Merge,
    /// A keyed digest.
    Hmac,
    /// A digest without a key.
    Digest,
    /// Whether two are equal, in constant time.
    Compare,
    /// What nobody can guess.
    Random,
    /// What can be guessed.
    WeakRandom,
    /// Made harmless for a page, a shell or a query.
    Escape,
    /// The environment, read by a schema.
    Environment,
}

/// Fields kept or dropped.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fields {
    /// The value.
    pub subject: Place,
    /// The names; for several arguments, this one and those after it.
    pub fields: Place,
}

/// A secret that a library is told, such as the one that an application shares with whoever signs its users in.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secret {
    /// Where it stands.
    pub at: Place,
}

/// An application.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Application {
    /// The header of every answer that names the framework, unless it is told not to.
    pub banner: Option<Box<str>>,
    /// What is written in the application to tell it.
    pub banner_off: Option<Box<str>>,
}

/// Security headers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Headers {
    /// The options.
    pub options: Option<Place>,
    /// The header that it takes away.
    pub removes: Option<Box<str>>,
    /// The options that keep it when any of them is false.
    #[serde(default)]
    pub removes_unless_false: Vec<Place>,
    /// Whether a policy for the content of pages is among them.
    #[serde(default)]
    pub policy: bool,
    /// The option that leaves the policy out when it is false.
    pub policy_unless_false: Option<Place>,
}

/// A log line.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// Whether it writes each request, not what it is given.
    #[serde(default)]
    pub requests: bool,
    /// Whether what it is given leaves the company.
    #[serde(default)]
    pub remote: bool,
    /// Whether it writes a text as it is, so that a line break in it begins a new line.
    #[serde(default)]
    pub lines: bool,
}

/// A database behind rules.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowRules {
    /// The database itself.
    pub database: Place,
    /// The rules, by the name of the table.
    pub rules: Place,
}

/// An error value.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorFactory {
    /// The status: a number, or where it stands.
    pub status: Option<super::serving::Status>,
    /// The message that the client may see.
    pub message: Option<Place>,
}

/// A help for developers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Debug {
    /// What it shows and to whom, as the end of a sentence that begins with a place.
    pub shows: Box<str>,
    /// Whether only the application's own log or the user's own browser sees it.
    #[serde(default)]
    pub quiet: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}
