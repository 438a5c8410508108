//! `Route`: one `[[route]]` of the policy, which says what the route is and what it must have.

use std::time::Duration;

use crate::bounds::ROUTES_MAX;
use crate::demands::{Demands, read_extras};
use crate::faults::{Faults, Place};
use crate::form::{Form, Kind, may, need};
use crate::node::{Node, Table};
use crate::policy_file::{Draft, tables};
use crate::proxy_settings::TIMEOUT;
use crate::route_body::{Body, read_body};
use crate::route_content::{Content, read_content};
use crate::route_service::{Service, read_service};
use crate::route_verify::{Verify, read_verify};
use crate::table_reader::TableReader;
use crate::word::words;
use crate::{
    Algorithm, Control, HostPattern, Malformed, MediaType, Method, MethodSet, Name, Need,
    PathTemplate, RouteType, default_limits, facts, host_pattern, roles, route_body, route_service,
    route_verify,
};

/// What is spoken to the application.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// HTTP.
    #[default]
    Http,
    /// gRPC, whose refusals are statuses of its own.
    Grpc,
}

words!(Protocol, "protocol", { Http => "http", Grpc => "grpc" });

/// A route as the policy describes it. Only [`Policy::parse`](crate::Policy::parse) makes one that is in a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The paths it answers.
    pub path: PathTemplate,
    /// The methods it answers; never empty.
    pub methods: MethodSet,
    /// The hosts it answers for, which are among the policy's; empty for all of those.
    pub hosts: Vec<HostPattern>,
    /// What sort of route it is.
    pub kind: RouteType,
    /// The limits that apply, all of which exist.
    pub limits: Vec<Name>,
    /// The permission that the caller needs.
    pub permission: Option<Name>,
    /// What a key or a token must be good for, all of it; a session is good for everything its user may do.
    pub scopes: Vec<Name>,
    /// The kind of object that the path names, which must belong to the caller.
    pub object: Option<Name>,
    /// Whether it costs much to answer: search, export, reports, AI.
    pub expensive: bool,
    /// Controls that it must have beyond what its type demands.
    pub requires: Vec<Control>,
    /// What its body must be.
    pub body: Option<Body>,
    /// The media types that the file names for its body; see [`content_types`](Self::content_types()) for those that
    /// hold.
    pub(crate) content_types: Option<Vec<MediaType>>,
    /// Whether its body is read as JSON: it has a schema, or a limit that is counted by a field.
    pub(crate) reads_json: bool,
    /// How long the head of the upstream's answer may take; the policy's `response_timeout` where it is not said.
    pub timeout: Option<Duration>,
    /// What is spoken to the application.
    pub protocol: Protocol,
    /// How the sender proves who it is.
    pub verify: Option<Verify>,
    /// The credential by which another service may call it from outside; of an `internal` route only.
    pub service: Option<Service>,
    /// The methods that need a confirmation.
    pub confirm: MethodSet,
    /// Whether it is an entry of `static`.
    pub is_static: bool,
    /// Where it is written.
    pub place: Place,
}

impl Route {
    /// Whether a control is needed here: what the matrix says of the type, or more. Never less: to loosen takes an
    /// `[[except]]`.
    #[must_use]
    pub fn need(&self, control: Control) -> Need {
        let demands = Demands {
            requires: &self.requires,
            expensive: self.expensive,
            limits: &self.limits,
            permission: self.permission.as_ref(),
            object: self.object.as_ref(),
        };
        let stated = demands.ask_for(control)
            || match control {
                Control::Authentication => !self.scopes.is_empty(),
                Control::Signature => self.verify.is_some(),
                Control::Validation => self.body.as_ref().is_some_and(|body| body.schema.is_some()),
                Control::BodyLimit => self.body.as_ref().is_some_and(|body| body.max.is_some()),
                _ => false,
            };
        if stated {
            return Need::Required;
        }
        match control {
            Control::Confirmation if !self.confirm.is_empty() => Need::Conditional,
            _ => crate::need(self.kind, control),
        }
    }

    /// An entry of `static`.
    pub(crate) fn of_static(path: PathTemplate, place: Place) -> Self {
        Self {
            path,
            methods: MethodSet::NONE.with(Method::Get),
            hosts: Vec::new(),
            kind: RouteType::PublicRead,
            limits: Vec::new(),
            permission: None,
            scopes: Vec::new(),
            object: None,
            expensive: false,
            requires: Vec::new(),
            body: None,
            content_types: None,
            reads_json: false,
            timeout: None,
            protocol: Protocol::Http,
            verify: None,
            service: None,
            confirm: MethodSet::NONE,
            is_static: true,
            place,
        }
    }

    /// Whether both can answer a request for the same host.
    #[must_use]
    pub fn shares_host(&self, other: &Self) -> bool {
        self.hosts.is_empty()
            || other.hosts.is_empty()
            || self.hosts.iter().any(|host| other.hosts.contains(host))
    }

    /// The word by which the file says that the route answers a method: the method itself, `GET` for `HEAD`, or `ANY`.
    /// An exception names the route by it.
    #[must_use]
    pub fn written_method(&self, method: Method) -> Option<Method> {
        if self.methods.names(method) {
            return Some(method);
        }
        self.methods
            .contains(method)
            .then_some(if self.methods.names(Method::Any) {
                Method::Any
            } else {
                Method::Get
            })
    }

    /// `GET POST /api/items`.
    #[must_use]
    pub fn title(&self) -> String {
        format!("{} {}", self.methods, self.path)
    }
}

/// What has no caller has neither a permission nor an object.
pub(crate) const CALLER_RULE: &str = r#"{ "if": { "properties": { "type": { "enum": ["public_form", "public_read", "webhook"] } } }, "then": { "properties": { "permission": false, "object": false } } }"#;

/// The methods that a route can name.
const METHODS: Kind = Kind::Words(Method::WORDS);

pub(crate) const FORM: Form = Form::new(
    "What a route is, and what it must have beyond what its type demands.",
    &[
        need(
            "path",
            Kind::Pattern("^/"),
            "A path template: `/api/items/{id}`, `/files/{name}.json`, `/docs/{*rest}`.",
        ),
        need(
            "methods",
            Kind::Some(&METHODS),
            "The methods it answers; `GET` answers `HEAD` too.",
        ),
        need(
            "type",
            Kind::Words(RouteType::WORDS),
            "What sort of route it is, and so what it must have.",
        ),
        may(
            "hosts",
            Kind::Some(&host_pattern::HOST),
            "For which of the policy's hosts it answers; else for all of them.",
        ),
        may(
            "limits",
            Kind::List(&Kind::Name),
            "Names of limits; all of them apply. Else the default limit of its type, if it needs one.",
        ),
        may(
            "permission",
            Kind::Name,
            "The permission that the caller needs.",
        ),
        may(
            "scopes",
            Kind::List(&Kind::Name),
            "What an API key or a token must be good for, all of it; a session is good for all that its user may do.",
        )
        .or("[]"),
        may(
            "object",
            Kind::Name,
            "The kind of object that the path names, which must belong to the caller.",
        ),
        may(
            "expensive",
            Kind::Truth,
            "Whether it costs much to answer: search, export, reports, AI.",
        )
        .or("false"),
        may(
            "requires",
            Kind::List(&Kind::Words(Control::WORDS)),
            "Controls that it must have beyond what its type demands.",
        )
        .or("[]"),
        may(
            "body",
            Kind::Table(&route_body::FORM),
            "What its body must be.",
        ),
        may(
            "content_types",
            Kind::Some(&Kind::Pattern("^[^/ ;A-Z]+/[^/ ;A-Z]+$")),
            "The media types that a body may have; else those of its type.",
        ),
        may(
            "timeout",
            Kind::Duration,
            "How long the head of the upstream's answer may take; else the `response_timeout` of `[proxy]`.",
        ),
        may(
            "protocol",
            Kind::Words(Protocol::WORDS),
            "What is spoken to the application.",
        )
        .or("\"http\""),
        may(
            "verify",
            Kind::Table(&route_verify::FORM),
            "How the sender of a message is known.",
        ),
        may(
            "service",
            Kind::Table(&route_service::FORM),
            "How another service that may call an `internal` route is known; else nobody may from outside.",
        ),
        may(
            "confirm",
            Kind::List(&METHODS),
            "Those of its methods that need a confirmation.",
        )
        .or("[]"),
    ],
)
.with_rules(&[
    CALLER_RULE,
    r#"{ "if": { "properties": { "type": { "enum": ["public_form", "public_read", "webhook", "internal"] } } }, "then": { "properties": { "scopes": false } } }"#,
    r#"{ "if": { "required": ["service"] }, "then": { "properties": { "type": { "const": "internal" } } } }"#,
]);

/// Reads `[[route]]`.
pub(crate) fn read(node: &Node, draft: &mut Draft, faults: &mut Faults<'_>) {
    for table in tables(node, "route", ROUTES_MAX, faults) {
        if let Some(route) = read_one(table, draft, faults) {
            draft.policy.routes.push(route);
        }
    }
}

fn read_one(table: &Table, draft: &Draft, faults: &mut Faults<'_>) -> Option<Route> {
    let place = faults.place(&table.span);
    let mut reader = TableReader::new(table, "a route", faults);
    let path = reader.required("path");
    let path = reader.parsed::<PathTemplate>(path);
    let methods_node = reader.required("methods");
    let methods = read_methods(&mut reader, methods_node);
    let hosts = read_hosts(&mut reader, draft);
    let kind = reader.required("type");
    let kind = reader.parsed::<RouteType>(kind);
    let limits = read_limits(&mut reader, kind, draft);
    let (permission, object) = read_caller(&mut reader, kind, draft);
    let scopes = read_scopes(&mut reader, kind);
    let (expensive, requires) = read_extras(&mut reader);
    let body_node = reader.optional("body");
    let body = reader
        .table(body_node)
        .map(|table| read_body(table, reader.faults()));
    let verify = reader.optional("verify");
    let verify = reader
        .table(verify)
        .and_then(|table| read_verify(table, reader.faults()));
    let content = Content {
        kind,
        limits: &limits,
        body: body.as_ref(),
        body_node,
        verify: verify.as_ref(),
    };
    let (content_types, reads_json) = read_content(&mut reader, &content, draft);
    let timeout = reader.optional("timeout");
    let timeout = reader.duration(timeout, TIMEOUT);
    let protocol = reader.optional("protocol");
    let protocol = reader.parsed::<Protocol>(protocol).unwrap_or_default();
    let service = read_its_service(&mut reader, kind);
    let confirm = read_confirm(&mut reader, methods);
    reader.finish();
    Some(Route {
        path: path?,
        methods: methods?,
        hosts,
        kind: kind?,
        limits,
        permission,
        scopes,
        object,
        expensive,
        requires,
        body,
        content_types,
        reads_json,
        timeout,
        protocol,
        verify,
        service,
        confirm,
        is_static: false,
        place,
    })
}

/// `permission` and `object`, which only a route with a caller has.
pub(crate) fn read_caller(
    reader: &mut TableReader<'_, '_>,
    kind: Option<RouteType>,
    draft: &Draft,
) -> (Option<Name>, Option<Name>) {
    let mut read = |key: &'static str, unknown: Unknown| {
        let node = reader.optional(key)?;
        if let Some(kind) = kind.filter(|kind| !kind.has_caller()) {
            let message = format!("`{key}` needs a caller, and a `{kind}` route has none");
            reader.faults().add(&node.span, message);
        }
        let name = reader.parsed::<Name>(Some(node))?;
        if let Some(fault) = unknown(&name, draft) {
            reader.faults().add_malformed(&node.span, fault);
        }
        Some(name)
    };
    let permission = read("permission", roles::unknown_permission);
    (permission, read("object", facts::unknown_object))
}

/// `scopes`, which only a route has that clients call and that knows them.
fn read_scopes(reader: &mut TableReader<'_, '_>, kind: Option<RouteType>) -> Vec<Name> {
    let Some(node) = reader.optional("scopes") else {
        return Vec::new();
    };
    let has_none = |kind: &RouteType| !kind.has_caller() || *kind == RouteType::Internal;
    if let Some(kind) = kind.filter(has_none) {
        let message = format!("`scopes` need a caller, and a `{kind}` route has none");
        reader.faults().add(&node.span, message);
    }
    reader.list(Some(node), false).unwrap_or_default()
}

/// Says what is wrong with a name that must be known elsewhere in the file.
type Unknown = fn(&Name, &Draft) -> Option<Malformed>;

/// `service`, by which only an `internal` route is called from outside.
fn read_its_service(reader: &mut TableReader<'_, '_>, kind: Option<RouteType>) -> Option<Service> {
    let node = reader.optional("service")?;
    if let Some(kind) = kind.filter(|kind| *kind != RouteType::Internal) {
        let message = format!("`service` belongs to an `internal` route, and this is a `{kind}`");
        reader.faults().add(&node.span, message);
    }
    let table = reader.table(Some(node))?;
    read_service(table, reader.faults())
}

/// One method at least. A value that is wrong is a fault of its own, not an empty list.
fn read_methods<'r>(reader: &mut TableReader<'r, '_>, node: Option<&'r Node>) -> Option<MethodSet> {
    let methods: MethodSet = reader.list::<Method>(node, false)?.into_iter().collect();
    let node = node?;
    if crate::policy_file::is_empty_list(node) {
        let message = "a route answers one method at least: use `[\"ANY\"]` for every method";
        reader.faults().add(&node.span, message);
    }
    (!methods.is_empty()).then_some(methods)
}

pub(crate) fn read_limits(
    reader: &mut TableReader<'_, '_>,
    kind: Option<RouteType>,
    draft: &Draft,
) -> Vec<Name> {
    let Some(node) = reader.optional("limits") else {
        return Vec::new();
    };
    let limits: Vec<Name> = reader.list(Some(node), false).unwrap_or_default();
    let mut all_known = true;
    for (name, fault) in limits
        .iter()
        .filter_map(|name| Some((name, crate::limit::unknown(name, draft)?)))
    {
        all_known = false;
        let span = crate::policy_file::find_text(node, name.as_str()).unwrap_or(&node.span);
        reader.faults().add_malformed(span, fault);
    }
    // The matrix: what is guessed at logins is counted exactly.
    let exact = |name: &Name| {
        draft
            .policy
            .limits
            .get(name)
            .or_else(|| default_limits::by_name(name))
            // One that could not be read is a fault already.
            .is_none_or(|limit| limit.algorithm == Algorithm::Exact)
    };
    if kind == Some(RouteType::AuthOp)
        && all_known
        && !limits.is_empty()
        && !limits.iter().any(exact)
    {
        let message = "an `auth_op` route needs a limit with `algorithm = \"exact\"`";
        reader.faults().add(&node.span, message);
    }
    limits
}

/// Those of the policy that the route answers for. Others would never reach it.
fn read_hosts(reader: &mut TableReader<'_, '_>, draft: &Draft) -> Vec<HostPattern> {
    let Some(node) = reader.optional("hosts") else {
        return Vec::new();
    };
    let hosts: Vec<HostPattern> = reader.list(Some(node), false).unwrap_or_default();
    if crate::policy_file::is_empty_list(node) {
        let message = "a route answers for one host at least: leave `hosts` out for all of them";
        reader.faults().add(&node.span, message);
    }
    let all = draft.policy.hosts();
    for host in hosts.iter().filter(|host| !all.contains(host)) {
        let written = host.to_string();
        let span = crate::policy_file::find_text(node, &written).unwrap_or(&node.span);
        let known: Vec<String> = all.iter().map(HostPattern::to_string).collect();
        let near = crate::suggestion::closest(&written, known.iter().map(String::as_str));
        let message = format!("`{host}` is none of the policy's hosts: add it to `hosts`");
        match near {
            Some(near) => reader.faults().add_meant(span, message, near),
            None => reader.faults().add(span, message),
        }
    }
    hosts
}

fn read_confirm(reader: &mut TableReader<'_, '_>, methods: Option<MethodSet>) -> MethodSet {
    let Some(node) = reader.optional("confirm") else {
        return MethodSet::NONE;
    };
    let confirm: Vec<Method> = reader.list(Some(node), false).unwrap_or_default();
    if let Some(methods) = methods {
        for method in confirm.iter().filter(|method| !methods.contains(**method)) {
            let span = crate::policy_file::find_text(node, method.as_str()).unwrap_or(&node.span);
            let message = format!("`{method}` is none of the route's methods");
            reader.faults().add(span, message);
        }
    }
    confirm.into_iter().collect()
}
