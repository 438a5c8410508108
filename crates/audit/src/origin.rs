//! Where a value comes from: which part of the request, the caller, a row, the environment.

use std::cell::RefCell;

use portcullis_code::value::{CallId, Value, ValueId, Values};
use rustc_hash::FxHashMap;
use ustr::Ustr;

use crate::{
    body_stream,
    input::Input,
    knowledge::Knowledge,
    library::{DeriveKind, Meaning, RequestPart, Role, Usage},
    parts::each_part,
    semantics::{HANDED_BY_ROW, SET_BY_ROW},
};

/// A set of origins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Origins(u32);

macro_rules! origins {
    ($($(#[$doc:meta])* $name:ident = $bit:expr;)*) => {
        impl Origins {
            $($(#[$doc])* pub const $name: Self = Self(1 << $bit);)*
        }
    };
}
origins! {
    /// A parameter of the path.
    PATH = 0;
    /// The query string, or the address.
    QUERY = 1;
    /// The body as sent.
    BODY = 2;
    /// The body after a schema.
    PARSED = 3;
    /// A header.
    HEADER = 4;
    /// A cookie.
    COOKIE = 5;
    /// An argument of a remote procedure, as sent.
    ARGUMENT = 6;
    /// Who calls, verified.
    CALLER = 7;
    /// Claims or a session that nobody verified.
    UNVERIFIED = 8;
    /// A row of the database.
    ROW = 9;
    /// A row that was found by who calls.
    OWN_ROW = 10;
    /// The environment.
    ENVIRONMENT = 11;
    /// Something caught.
    ERROR = 12;
    /// Something not known.
    UNKNOWN = 13;
    /// The client's address.
    IP = 14;
    /// A keyed digest.
    HMAC = 15;
    /// A digest without a key.
    DIGEST = 16;
    /// What nobody can guess.
    RANDOM = 17;
    /// The request as a whole.
    REQUEST = 18;
    /// The result of a call that no row describes.
    CALL = 19;
    /// The roles or permissions of the caller.
    ROLE = 20;
    /// The caller's tenant.
    TENANT = 21;
    /// Checked by the signature of another service.
    SIGNED = 22;
    /// Roles that users can write themselves.
    USER_WRITTEN = 23;
}

impl Origins {
    /// None.
    pub const NONE: Self = Self(0);
    /// What the client chose: path, query, body, arguments.
    pub const CHOSEN: Self =
        Self(Self::PATH.0 | Self::QUERY.0 | Self::BODY.0 | Self::PARSED.0 | Self::ARGUMENT.0);
    /// What the client sent and no schema saw.
    pub const RAW: Self = Self(Self::BODY.0 | Self::ARGUMENT.0);
    /// What binds to the caller.
    pub const BOUND: Self = Self(Self::CALLER.0 | Self::OWN_ROW.0 | Self::TENANT.0);

    /// Whether any of them is among these.
    #[must_use]
    pub const fn any(self, of: Self) -> bool {
        self.0 & of.0 != 0
    }

    /// All of both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These without those.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

/// Finds origins, and remembers them for one route.
pub struct OriginFinder<'k, 'p> {
    knowledge: &'k Knowledge<'p>,
    known: RefCell<FxHashMap<ValueId, Origins>>,
    /// Reads whose filter names the caller.
    own_rows: RefCell<rustc_hash::FxHashSet<CallId>>,
    /// Reads whose filter names a secret: whoever shows it is whose the row is.
    held: RefCell<rustc_hash::FxHashSet<CallId>>,
    depth: std::cell::Cell<u32>,
}

impl std::fmt::Debug for OriginFinder<'_, '_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("OriginFinder")
            .finish_non_exhaustive()
    }
}

/// Values nested deeper than this are not known.
const DEPTH_MAX: u32 = 60;

impl<'k, 'p> OriginFinder<'k, 'p> {
    /// A finder for one route.
    #[must_use]
    pub fn new(knowledge: &'k Knowledge<'p>) -> Self {
        Self {
            knowledge,
            known: RefCell::default(),
            own_rows: RefCell::default(),
            held: RefCell::default(),
            depth: std::cell::Cell::new(0),
        }
    }

    /// Says that a read is bound to the caller; whether that is news.
    pub fn bind(&self, call: CallId) -> bool {
        let is_new = self.own_rows.borrow_mut().insert(call);
        if is_new {
            self.known.borrow_mut().clear();
        }
        is_new
    }

    /// Says that a read finds its row by a secret: its members name the secret's holder, and prove nothing yet.
    pub fn hold(&self, call: CallId) {
        if self.held.borrow_mut().insert(call) {
            self.known.borrow_mut().clear();
        }
    }

    /// Whether a read finds its row by a secret.
    #[must_use]
    pub fn is_held(&self, call: CallId) -> bool {
        self.held.borrow().contains(&call)
    }

    /// Whether a read is bound to the caller.
    #[must_use]
    pub fn is_bound(&self, call: CallId) -> bool {
        self.own_rows.borrow().contains(&call)
    }

    /// Where a value comes from.
    #[must_use]
    pub fn of(&self, values: &Values, value: ValueId) -> Origins {
        if let Some(known) = self.known.borrow().get(&value) {
            return *known;
        }
        if self.depth.get() > DEPTH_MAX {
            return Origins::UNKNOWN;
        }
        self.depth.set(self.depth.get() + 1);
        // A value that is part of itself adds nothing to itself.
        self.known.borrow_mut().insert(value, Origins::NONE);
        let found = self.find(values, value);
        self.known.borrow_mut().insert(value, found);
        self.depth.set(self.depth.get() - 1);
        found
    }

    fn all(&self, values: &Values, of: impl IntoIterator<Item = ValueId>) -> Origins {
        of.into_iter()
            .fold(Origins::NONE, |sum, value| sum.and(self.of(values, value)))
    }

    fn find(&self, values: &Values, value: ValueId) -> Origins {
        match values.value(value) {
            Value::Const(_)
            | Value::Function { .. }
            | Value::Class { .. }
            | Value::Namespace(_)
            | Value::External(..) => Origins::NONE,
            Value::Global(_) => Origins::NONE,
            Value::Input(tag) => match Input::of(*tag) {
                Input::Argument(_) | Input::CloudEvent => Origins::ARGUMENT,
                Input::CheckedArgument => Origins::PARSED,
                Input::Context => Origins::PATH,
                Input::PageProps => Origins::PATH.and(Origins::QUERY),
                Input::WebRequest | Input::NodeRequest | Input::PagesRequest => Origins::REQUEST,
                Input::Error => Origins::ERROR,
                _ => Origins::NONE,
            },
            Value::Member(base, name) => self.member(values, *base, *name),
            Value::Index(base, index) => {
                let index = self.of(values, *index);
                let base = self.of(values, *base);
                base.and(index.without(Origins::RAW))
            }
            Value::Call(call) => self.call(values, *call, None),
            _ if body_stream::is_piece(values, value) => Origins::BODY,
            Value::Handed(call, argument, param) => {
                self.handed(values, *call, *argument, *param, &[])
            }
            Value::Caught(_) => Origins::ERROR,
            Value::Unknown(_) => Origins::UNKNOWN,
            _ => {
                let mut origins = Origins::NONE;
                each_part(values, value, |part| {
                    origins = origins.and(self.of(values, part))
                });
                origins
            }
        }
    }

    fn member(&self, values: &Values, base: ValueId, name: Ustr) -> Origins {
        let inner = match values.value(base) {
            Value::Member(global, env) => is_environment(values, *global, *env),
            _ => false,
        };
        // As a whole it is given to a schema, and what comes out of that is the environment still.
        if inner || is_environment(values, base, name) {
            return Origins::ENVIRONMENT;
        }
        if let Value::Input(tag) = values.value(base) {
            return of_request(Input::of(*tag), name.as_str());
        }
        // A member of a call's result: the row may say what that member is.
        let mut path = vec![name];
        let mut at = base;
        loop {
            match values.value(at) {
                Value::Member(inner, name) => {
                    path.push(*name);
                    at = *inner;
                }
                Value::Promise(inner) => at = *inner,
                Value::Call(call) => {
                    path.reverse();
                    return self.call(values, *call, Some(&path));
                }
                Value::Handed(call, argument, param) => {
                    path.reverse();
                    return self.handed(values, *call, *argument, *param, &path);
                }
                _ => break,
            }
        }
        self.of(values, base)
    }

    fn handed(
        &self,
        values: &Values,
        call: CallId,
        argument: u32,
        param: u32,
        path: &[Ustr],
    ) -> Origins {
        if param >= HANDED_BY_ROW {
            for known in self.knowledge.of_call(values, call) {
                let role = if param >= SET_BY_ROW {
                    known
                        .row
                        .sets
                        .get((param - SET_BY_ROW) as usize)
                        .map(|(_, role)| *role)
                } else {
                    known
                        .row
                        .hands
                        .get((param - HANDED_BY_ROW) as usize)
                        .and_then(|(_, handed)| match handed {
                            crate::library::Handed::Role(role) => Some(*role),
                            crate::library::Handed::Symbol(_) => None,
                        })
                };
                if let Some(role) = role {
                    return of_role(role);
                }
            }
            return Origins::NONE;
        }
        let roles = self.knowledge.handed(values, call, argument, param);
        let exact = roles
            .iter()
            .filter(|(members, _)| path.starts_with(members))
            .max_by_key(|(members, _)| members.len());
        if let Some((_, role)) = exact {
            return of_role(*role);
        }
        if !roles.is_empty() {
            return Origins::NONE;
        }
        // What an unknown call hands to its callback comes from what it was called on and with.
        let data = values.call(call);
        let others = data
            .args
            .iter()
            .enumerate()
            .filter(|(at, _)| u32::try_from(*at) != Ok(argument))
            .map(|(_, arg)| arg.0);
        let mut found = self.all(values, others);
        if let Value::Member(base, _) = values.value(data.callee) {
            found = found.and(self.of(values, *base));
        }
        let rows = self.knowledge.of_call(values, call);
        if rows
            .iter()
            .any(|known| matches!(known.row.meaning, Meaning::Db(_)))
        {
            return self.call(values, call, None);
        }
        found
    }

    fn call(&self, values: &Values, call: CallId, path: Option<&[Ustr]>) -> Origins {
        let data = values.call(call);
        let rows = self.knowledge.of_call(values, call);
        for known in &rows {
            if known.row.usage != Usage::Plain {
                continue;
            }
            let place = |place: &crate::library::Place| {
                self.all(values, self.knowledge.places(values, known, place))
            };
            match &known.row.meaning {
                Meaning::Caller(caller) => {
                    if !caller.verified {
                        return Origins::UNVERIFIED;
                    }
                    let mut found = Origins::CALLER;
                    if let Some(path) = path {
                        let under = |fields: &[crate::library::Field]| {
                            fields.iter().any(|field| starts_with(path, field))
                        };
                        if under(&caller.user_written_fields) {
                            return Origins::USER_WRITTEN;
                        }
                        if under(&caller.passing.role_fields) {
                            found = found.and(Origins::ROLE);
                        }
                        if under(&caller.passing.tenant_fields) {
                            found = found.and(Origins::TENANT);
                        }
                    }
                    return found;
                }
                Meaning::Guard(guard) => match guard.result {
                    Some(Role::Caller | Role::Claims | Role::Session) => return Origins::CALLER,
                    Some(Role::UnverifiedClaims) => return Origins::UNVERIFIED,
                    Some(Role::Parsed | Role::Body | Role::RawBody)
                        if guard.guard == crate::library::GuardKind::Validation =>
                    {
                        let subject = guard.subject.as_ref().map_or(Origins::BODY, place);
                        let raw = subject.any(Origins::RAW) || subject.any(Origins::REQUEST);
                        let rest = subject.without(Origins::RAW).without(Origins::REQUEST);
                        return if raw { rest.and(Origins::PARSED) } else { rest };
                    }
                    Some(_) if guard.guard == crate::library::GuardKind::Signature => {
                        return Origins::SIGNED;
                    }
                    _ => {}
                },
                Meaning::Input(input) => return of_part(input.source),
                Meaning::Db(_) => {
                    return if self.is_bound(call) || self.is_held(call) {
                        Origins::ROW.and(Origins::OWN_ROW)
                    } else {
                        Origins::ROW
                    };
                }
                Meaning::Effect(_) if self.is_held(call) => {
                    return Origins::ROW.and(Origins::OWN_ROW);
                }
                Meaning::DecodeToken(_) => return Origins::UNVERIFIED,
                Meaning::Derive(derive) => {
                    let from = self.arguments(values, call);
                    return match derive.kind {
                        DeriveKind::Hmac => from.and(Origins::HMAC),
                        DeriveKind::Digest => from.and(Origins::DIGEST),
                        DeriveKind::Random => Origins::RANDOM,
                        DeriveKind::Environment => Origins::ENVIRONMENT,
                        _ => from,
                    };
                }
                Meaning::Account(_) | Meaning::Hash(_) => return self.arguments(values, call),
                _ => {}
            }
        }
        // `await req.json()` and kin.
        if let Value::Member(base, name) = values.value(data.callee)
            && let Value::Input(tag) = values.value(*base)
        {
            let part = of_request(Input::of(*tag), name.as_str());
            let args = self.all(values, data.args.iter().map(|arg| arg.0));
            return part.and(args);
        }
        let from = self.arguments(values, call);
        let outside = rows.is_empty() && from == Origins::NONE;
        if outside { Origins::CALL } else { from }
    }

    /// What a call's receiver and arguments come from.
    fn arguments(&self, values: &Values, call: CallId) -> Origins {
        let data = values.call(call);
        let mut found = self.all(values, data.args.iter().map(|arg| arg.0));
        match values.value(data.callee) {
            Value::Member(base, _) | Value::Index(base, _) => {
                found = found.and(self.of(values, *base))
            }
            Value::Call(_) => found = found.and(self.of(values, data.callee)),
            // The method of one of several values.
            Value::Choice(alternatives) => {
                for each in alternatives.iter() {
                    if let Value::Member(base, _) = values.value(each.value) {
                        found = found.and(self.of(values, *base));
                    }
                }
            }
            _ => {}
        }
        found
    }
}

fn is_environment(values: &Values, global: ValueId, name: Ustr) -> bool {
    name == "env"
        && matches!(values.value(global), Value::Global(global) if matches!(global.as_str(), "process" | "import.meta" | "Bun" | "Deno"))
}

fn starts_with(path: &[Ustr], field: &crate::library::Field) -> bool {
    let mut at = path.iter();
    field.steps.iter().all(|step| match step {
        crate::library::Step::Name(name) => at.next().is_some_and(|have| **have == **name),
        _ => true,
    })
}

fn of_request(input: Input, name: &str) -> Origins {
    match (input, name) {
        (
            Input::WebRequest,
            "json" | "text" | "formData" | "arrayBuffer" | "blob" | "body" | "bytes",
        ) => Origins::BODY,
        (Input::WebRequest, "headers") => Origins::HEADER,
        (Input::WebRequest, "cookies") => Origins::COOKIE,
        (Input::WebRequest, "nextUrl" | "url") => Origins::QUERY,
        (Input::WebRequest | Input::NodeRequest, "ip" | "geo" | "ips") => Origins::IP,
        (
            Input::WebRequest | Input::NodeRequest | Input::PagesRequest,
            "auth" | "user" | "session",
        ) => Origins::CALLER,
        (Input::NodeRequest | Input::PagesRequest, "body" | "rawBody" | "file" | "files") => {
            Origins::BODY
        }
        (Input::NodeRequest, "params" | "param") => Origins::PATH,
        (Input::NodeRequest, "query" | "url" | "originalUrl" | "path") => Origins::QUERY,
        (Input::PagesRequest, "query" | "url") => Origins::QUERY.and(Origins::PATH),
        (
            Input::NodeRequest | Input::PagesRequest,
            "headers" | "header" | "get" | "hostname" | "rawHeaders",
        ) => Origins::HEADER,
        (Input::NodeRequest | Input::PagesRequest, "cookies" | "signedCookies") => Origins::COOKIE,
        (Input::Context, _) => Origins::PATH,
        (Input::PageProps, "params") => Origins::PATH,
        (Input::PageProps, _) => Origins::QUERY,
        (Input::CloudEvent, "body") => Origins::BODY,
        (
            Input::CloudEvent,
            "queryStringParameters" | "multiValueQueryStringParameters" | "rawQueryString",
        ) => Origins::QUERY,
        (Input::CloudEvent, "pathParameters" | "path" | "rawPath") => Origins::PATH,
        (Input::CloudEvent, "headers" | "multiValueHeaders") => Origins::HEADER,
        (Input::CloudEvent, "cookies") => Origins::COOKIE,
        // Who calls, and what the gateway knows of itself.
        (
            Input::CloudEvent,
            "requestContext" | "identity" | "httpMethod" | "resource" | "routeKey" | "version"
            | "stageVariables" | "isBase64Encoded" | "info",
        ) => Origins::NONE,
        (Input::Argument(_) | Input::CloudEvent, _) => Origins::ARGUMENT,
        (Input::CheckedArgument, _) => Origins::PARSED,
        (Input::Error, _) => Origins::ERROR,
        _ => Origins::NONE,
    }
}

fn of_part(part: RequestPart) -> Origins {
    match part {
        RequestPart::Header => Origins::HEADER,
        RequestPart::Cookie => Origins::COOKIE,
        RequestPart::Body | RequestPart::Form | RequestPart::File | RequestPart::Any => {
            Origins::BODY
        }
        RequestPart::Query | RequestPart::Url => Origins::QUERY,
        RequestPart::Path => Origins::PATH,
        RequestPart::Ip => Origins::IP,
    }
}

fn of_role(role: Role) -> Origins {
    match role {
        Role::Caller | Role::Claims | Role::Session => Origins::CALLER,
        Role::UnverifiedClaims => Origins::UNVERIFIED,
        Role::Parsed => Origins::PARSED,
        Role::Body | Role::RawBody | Role::File | Role::Files => Origins::BODY,
        Role::Path => Origins::PATH,
        Role::Query => Origins::QUERY,
        Role::Headers => Origins::HEADER,
        Role::Cookies => Origins::COOKIE,
        Role::Request => Origins::REQUEST,
        Role::Error => Origins::ERROR,
        Role::Context | Role::Response | Role::Next | Role::This | Role::Other => Origins::NONE,
    }
}
