//! The routes that Convex Auth adds to a router: `auth.addHttpRoutes(http)`.

use portcullis_code::{
    body::Const,
    machine::Machine,
    value::{CallData, Entry, Value, ValueId, Values},
};
use portcullis_policy::Method;
use ustr::ustr;

use super::HTTP;
use crate::route::{Convention, Link, LinkRole, Route, Site};

/// Where the providers of the library come from that sign in elsewhere.
const PROVIDERS: &str = "@auth/core/providers/";
/// Those among them that do not.
const BY_MESSAGE: [&str; 10] = [
    "credentials",
    "email",
    "forwardemail",
    "loops",
    "mailgun",
    "nodemailer",
    "passkey",
    "postmark",
    "resend",
    "sendgrid",
];
/// What is served always: who issues the tokens, and with which keys.
const ALWAYS: [(Method, &str); 2] = [
    (Method::Get, "/.well-known/openid-configuration"),
    (Method::Get, "/.well-known/jwks.json"),
];
/// What is served where somebody signs in elsewhere.
const BY_OAUTH: [(Method, &str); 3] = [
    (Method::Get, "/api/auth/signin/{*rest}"),
    (Method::Get, "/api/auth/callback/{*rest}"),
    (Method::Post, "/api/auth/callback/{*rest}"),
];

/// The router that a call adds them to.
pub(super) fn added_to(values: &Values, data: &CallData) -> Option<ValueId> {
    maker(values, data)?;
    data.args.first().map(|arg| arg.0)
}

/// The routes that a call adds.
pub(super) fn routes(machine: &mut Machine<'_>, data: &CallData) -> Vec<Route> {
    let site = Site {
        module: data.module,
        span: data.span,
    };
    let Some(config) = maker(&machine.values, data) else {
        return Vec::new();
    };
    let signs_in_elsewhere = config.is_some_and(|config| by_oauth(machine, config));
    // What tells only about keys is no operation on accounts.
    let plain = machine.values.constant(Const::Undefined);
    let always = ALWAYS.iter().map(|it| (it, plain));
    let elsewhere = BY_OAUTH
        .iter()
        .filter(|_| signs_in_elsewhere)
        .map(|it| (it, data.callee));
    always
        .chain(elsewhere)
        .map(|(&(method, path), value)| Route {
            framework: HTTP,
            method,
            operation: None,
            path: path.to_owned(),
            pathname: None,
            site,
            chain: vec![Link {
                value,
                convention: Convention::ConvexHttp,
                role: LinkRole::Handler,
                site,
            }],
            conditions: Vec::new(),
            unknowns: Vec::new(),
            mega: Some("convexAuth".to_owned()),
            origin_checked: false,
        })
        .collect()
}

/// What the library was made with, if this is a call of its `addHttpRoutes`; none inside where it was made with nothing.
fn maker(values: &Values, data: &CallData) -> Option<Option<ValueId>> {
    let Value::Member(auth, add) = *values.value(data.callee) else {
        return None;
    };
    let Value::Member(made, name) = *values.value(auth) else {
        return None;
    };
    let Value::Call(call) = *values.value(made) else {
        return None;
    };
    let made = values.call(call);
    let is_library = matches!(
        values.value(made.callee),
        Value::External(package, name) if package == "@convex-dev/auth/server" && name == "convexAuth"
    );
    (is_library && add == "addHttpRoutes" && name == "auth")
        .then(|| made.args.first().map(|arg| arg.0))
}

/// Whether a provider of the configuration is of the library's that sign in elsewhere.
fn by_oauth(machine: &mut Machine<'_>, config: ValueId) -> bool {
    let providers = machine.member(config, ustr("providers"));
    let Value::Array(list) = *machine.values.value(providers) else {
        return false;
    };
    let values = &machine.values;
    values.object(list).entries.iter().any(|entry| {
        let (Entry::Item(item) | Entry::Spread(item) | Entry::Each(item)) = *entry else {
            return false;
        };
        let made = match values.value(item) {
            Value::Call(call) => values.call(*call).callee,
            _ => item,
        };
        let Value::External(package, _) = values.value(made) else {
            return false;
        };
        package
            .strip_prefix(PROVIDERS)
            .is_some_and(|name| !BY_MESSAGE.contains(&name))
    })
}
