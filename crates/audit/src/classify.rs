//! Decides a route's type, and says why.

use portcullis_code::{machine::EventKind, value::Value};
use portcullis_policy::{Method, RouteType};
use portcullis_report::Auth;

use crate::{
    input::Input,
    judge::{Judgement, Judging, is_secret_column},
    library::{EffectKind, GuardKind, Meaning, Mega, MegaType, Usage},
    origin::Origins,
    parts::members_under,
    passes::Proof,
    response::{ResponseKind, is_constant},
    route::LinkRole,
    stated::stated,
};

/// The type that the policy states, where it states one.
pub(crate) fn stated_type(judging: &Judging<'_, '_, '_, '_>) -> Option<RouteType> {
    let policy = judging.bench.knowledge.policy;
    stated(policy, judging.route.method, &judging.route.path).map(|stated| stated.kind)
}

/// The type by the code alone, and its reason.
pub(crate) fn classify(
    judging: &Judging<'_, '_, '_, '_>,
    judgement: &Judgement,
) -> (RouteType, String) {
    let route = judging.route;
    let path = route.path.to_lowercase();
    let unsafe_method = !matches!(route.method, Method::Get | Method::Head | Method::Options);
    if route
        .operation
        .is_some_and(|operation| operation.is_internal)
    {
        return (
            RouteType::Internal,
            "no client can call it, only other functions and the platform".to_owned(),
        );
    }
    if let Some(kind) = mega_type(judging) {
        return (kind, "the library's router is of this type".to_owned());
    }
    if judgement
        .guards
        .iter()
        .any(|guard| guard.kind == Proof::Signature && guard.everywhere)
    {
        return (
            RouteType::Webhook,
            "the message's signature is checked".to_owned(),
        );
    }
    if unsafe_method && path.contains("webhook") {
        return (RouteType::Webhook, "its path names a webhook".to_owned());
    }
    let gives_place = || {
        let mut effects = judgement.effects.iter();
        effects.any(|effect| effect.kind == EffectKind::Upload)
    };
    if unsafe_method && (gives_place() || takes_file(judging)) {
        return (RouteType::FileUpload, "it takes a file".to_owned());
    }
    if let Some(reason) = auth_operation(judging, judgement, unsafe_method) {
        return (RouteType::AuthOp, reason);
    }
    let service = judgement
        .guards
        .iter()
        .any(|guard| guard.kind == Proof::Service && guard.everywhere);
    if service {
        return (
            RouteType::Internal,
            "it asks for a secret that only another service has".to_owned(),
        );
    }
    if path
        .split('/')
        .any(|segment| matches!(segment, "cron" | "crons" | "internal" | "_internal"))
    {
        return (
            RouteType::Internal,
            "its path is that of an internal operation".to_owned(),
        );
    }
    let writes =
        unsafe_method && (route.method != Method::Any || !says_one_thing(judging, judgement));
    match (writes, judgement.auth) {
        (true, Auth::Required) => (
            RouteType::ProtectedMutation,
            "it changes something, and asks who calls".to_owned(),
        ),
        (true, _) => (
            RouteType::PublicForm,
            "it changes something, and anybody may call it".to_owned(),
        ),
        (false, Auth::Required) => (
            RouteType::ProtectedRead,
            "it reads, and asks who calls".to_owned(),
        ),
        (false, _) => (
            RouteType::PublicRead,
            "it reads, and anybody may call it".to_owned(),
        ),
    }
}

/// Whether whatever is sent by whatever method changes nothing: no row is touched, nothing is done, and the answer is fixed.
fn says_one_thing(judging: &Judging<'_, '_, '_, '_>, judgement: &Judgement) -> bool {
    let values = &judging.machine.values;
    judgement.queries.is_empty()
        && judgement.effects.is_empty()
        && judgement.unknowns.is_empty()
        && !judgement.consumes_body
        && !judgement.responses.is_empty()
        && judgement.responses.iter().all(|response| {
            response.kind == ResponseKind::Data
                && response.body.is_none_or(|body| is_constant(values, body))
        })
}

fn mega_type(judging: &Judging<'_, '_, '_, '_>) -> Option<RouteType> {
    let safe = judging.route.method == Method::Get;
    match mega(judging)?.route_type? {
        MegaType::AuthOp => Some(RouteType::AuthOp),
        MegaType::FileUpload if safe => Some(RouteType::PublicRead),
        MegaType::FileUpload => Some(RouteType::FileUpload),
        MegaType::Webhook => Some(RouteType::Webhook),
        MegaType::Internal => Some(RouteType::Internal),
        MegaType::Mixed => None,
    }
}

/// Whether a library's router behind the route checks this by itself.
pub(crate) fn mega_checks(judging: &Judging<'_, '_, '_, '_>, kind: GuardKind) -> bool {
    mega(judging).is_some_and(|mega| mega.checks.contains(&kind))
}

/// The library's router that is the route's handler.
fn mega<'k>(judging: &Judging<'_, '_, 'k, '_>) -> Option<&'k Mega> {
    let values = &judging.machine.values;
    let mut value = judging.route.chain.last()?.value;
    for _ in 0..4 {
        if let Value::Call(call) = values.value(value) {
            for known in judging.bench.knowledge.of_call(values, *call) {
                if let Meaning::Mega(mega) = &known.row.meaning {
                    return Some(mega);
                }
            }
        }
        match values.value(value) {
            Value::Member(base, _) => value = *base,
            _ => return None,
        }
    }
    None
}

fn takes_file(judging: &Judging<'_, '_, '_, '_>) -> bool {
    let values = &judging.machine.values;
    judging.events.iter().enumerate().any(|(number, event)| {
        let EventKind::Call(call) = event.kind else { return false };
        let data = values.call(call);
        let made = judging.bench.knowledge.of_maker(values, data.callee);
        // An upload middleware of the whole application offers files to every route; those that look at them take one.
        let own = judging.route.chain.get(judging.link_of(number)).is_some_and(|link| link.role != LinkRole::Middleware);
        let sets_file = own && made.iter().any(|known| {
            known.row.usage == Usage::Middleware
                && known.row.sets.iter().any(|(_, role)| matches!(role, crate::library::Role::File | crate::library::Role::Files))
        });
        // `file.arrayBuffer()` of something out of a form.
        let reads_file = match values.value(data.callee) {
            Value::Member(base, name) => {
                matches!(name.as_str(), "arrayBuffer" | "stream") && judging.origins(*base).any(Origins::BODY) && !matches!(values.value(*base), Value::Input(_))
            }
            _ => false,
        };
        let form_file = data.args.iter().map(|arg| arg.0).chain([data.callee]).any(|value| {
            let (base, path) = members_under(values, value);
            let request = matches!(values.value(base), Value::Input(tag) if Input::of(*tag) == Input::NodeRequest);
            request && path.first().is_some_and(|name| matches!(name.as_str(), "file" | "files"))
        });
        sets_file || reads_file || form_file
    })
}

/// Why it is an operation of signing in, up or out, or on a credential.
fn auth_operation(
    judging: &Judging<'_, '_, '_, '_>,
    judgement: &Judgement,
    unsafe_method: bool,
) -> Option<String> {
    let path = judging.route.path.to_lowercase();
    let named = path.split(['/', '-', '_', '.']).any(|word| {
        matches!(
            word,
            "login"
                | "signin"
                | "signup"
                | "register"
                | "logout"
                | "signout"
                | "password"
                | "forgotpw"
                | "resetpw"
                | "forgot"
                | "reset"
                | "verify"
                | "otp"
                | "mfa"
                | "2fa"
                | "token"
                | "csrf"
                | "apikey"
                | "auth"
        )
    }) || path.contains("sign-in")
        || path.contains("sign-up");
    let values = &judging.machine.values;
    for (number, event) in judging.events.iter().enumerate() {
        let EventKind::Call(call) = event.kind else {
            continue;
        };
        let link = judging.link_of(number);
        let identifies = judgement
            .guards
            .iter()
            .any(|guard| guard.link == link && guard.kind.identifies())
            || link + 1 < judging.link_starts.len() && asks(judging, link);
        let handler = link + 1 == judging.link_starts.len();
        if identifies && !handler {
            continue;
        }
        let data = values.call(call);
        let made = judging.bench.knowledge.of_maker(values, data.callee);
        for known in judging
            .bench
            .knowledge
            .of_call(values, call)
            .iter()
            .chain(made.iter())
        {
            let reason = match &known.row.meaning {
                Meaning::Credential(_) if unsafe_method && named => "it compares a password",
                Meaning::Hash(hash)
                    if unsafe_method
                        && named
                        && matches!(hash.kind, crate::library::HashKind::Password) =>
                {
                    "it stores a password"
                }
                Meaning::IssueToken(_) => "it issues a token",
                Meaning::Account(_) => {
                    "it signs in, up or out at the service that keeps the accounts"
                }
                Meaning::SetCookie(cookie) if named && cookie.clears => "it ends a session",
                Meaning::SetCookie(_) if named => "it sets a cookie",
                _ => continue,
            };
            return Some(reason.to_owned());
        }
        if let Value::Member(base, name) = values.value(data.callee)
            && let Value::Input(tag) = values.value(*base)
        {
            let request = matches!(Input::of(*tag), Input::NodeRequest | Input::PagesRequest);
            if request && matches!(name.as_str(), "logout" | "logOut" | "login" | "logIn") {
                return Some("it starts or ends a session".to_owned());
            }
            if Input::of(*tag) == Input::Response
                && matches!(name.as_str(), "clearCookie" | "cookie")
                && named
            {
                return Some("it sets or clears a cookie".to_owned());
            }
        }
    }
    if judgement
        .guards
        .iter()
        .any(|guard| guard.kind == Proof::Credential)
        && named
    {
        return Some("it checks credentials".to_owned());
    }
    let stores = judgement.queries.iter().any(|judged| {
        judged.query.op.writes()
            && judged.query.data.iter().any(|data| {
                crate::response::names_in(values, *data).iter().any(|name| {
                    let lower = name.to_lowercase();
                    lower.contains("password")
                        || lower.contains("apikey")
                        || lower.contains("reset_password")
                        || is_secret_column(name, judging.bench.schema, judged.query.table)
                            && lower.contains("token")
                })
            })
    });
    if stores && named {
        return Some("it stores a credential".to_owned());
    }
    let capability = judgement
        .guards
        .iter()
        .any(|guard| guard.kind == Proof::Capability);
    if capability && named {
        return Some("it takes a secret link".to_owned());
    }
    let last = path
        .rsplit('/')
        .find(|segment| !segment.starts_with('{'))
        .unwrap_or_default()
        .to_owned();
    let operation = matches!(
        last.as_str(),
        "login"
            | "signin"
            | "sign-in"
            | "signup"
            | "sign-up"
            | "register"
            | "logout"
            | "signout"
            | "sign-out"
            | "forgot"
            | "reset"
            | "recover"
            | "password-reset"
            | "forgot-password"
            | "reset-password"
            | "new-password"
            | "change-password"
            | "change-email"
            | "forgotpw"
            | "resetpw"
            | "verify-email"
            | "apikey"
            | "refresh-token"
    );
    if operation && (unsafe_method || matches!(last.as_str(), "logout" | "signout")) {
        return Some("its path names an operation on accounts".to_owned());
    }
    None
}

fn asks(judging: &Judging<'_, '_, '_, '_>, link: usize) -> bool {
    let values = &judging.machine.values;
    let first = judging.link_starts.get(link).copied().unwrap_or(0);
    let end = judging
        .link_starts
        .get(link + 1)
        .copied()
        .unwrap_or(judging.events.len());
    judging
        .events
        .get(first..end)
        .unwrap_or_default()
        .iter()
        .any(|event| {
            let EventKind::Call(call) = event.kind else {
                return false;
            };
            let made = judging
                .bench
                .knowledge
                .of_maker(values, values.call(call).callee);
            judging
                .bench
                .knowledge
                .of_call(values, call)
                .iter()
                .chain(made.iter())
                .any(|known| matches!(known.row.meaning, Meaning::Caller(_)))
        })
}
