//! Reserved: what is under `/.portcullis/` is the guard's own, and never the application's.
//!
//! Only the service's own pages are answered, and each address as often as `reserved_limits` of the plan say.

use portcullis_policy::Method;

use super::limits::{self, Applying};
use super::session::alive;
use super::{Case, Phase, Reads, Stop, Verdict, Work, always, cookies};
use crate::csrf::check_origin;
use crate::decision::{Denial, Own, Wish};
use crate::http1::Framing;
use crate::issuing::BODY_BYTES_MAX;
use crate::reason::Reason;
use crate::store::{Answers, Ask, Batch, StoreError};

/// How the paths begin that are the guard's own.
const FIRST_SEGMENT: &str = "/.portcullis";

/// What there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// The keys by which the application knows that `Portcullis-Identity` is the guard's.
    Keys,
    /// A CSRF token.
    Token,
    /// The keys by which others know the tokens of the guard's own.
    TokenKeys,
    /// A token of the guard's own.
    Wished(Wish),
}

pub(crate) const PHASE: Phase = Phase {
    name: "reserved",
    reads: Reads::Head,
    is_needed: always,
    work: Work::Asks { ask, judge },
};

fn ask<'s>(case: &mut Case<'s, '_>, batch: &mut Batch<'s>) -> Verdict<'s, ()> {
    let Some(rest) = case.view.path().and_then(|path| rest_of(path.as_str())) else {
        case.not_needed(PHASE.name, "the path is none of the guard's own");
        return Ok(());
    };
    let identity = &case.plan.identity;
    let endpoint = match rest {
        "/jwks.json" if identity.application.is_some() => Endpoint::Keys,
        "/csrf" if identity.csrf.is_some() => Endpoint::Token,
        "/tokens" if identity.own_tokens.is_some() => Endpoint::Wished(Wish::Issue),
        "/tokens/exchange" if identity.own_tokens.is_some() => Endpoint::Wished(Wish::Exchange),
        "/tokens/jwks.json" if identity.own_tokens.is_some() => Endpoint::TokenKeys,
        _ => return Err(Reason::RESERVED_UNKNOWN.into()),
    };
    may_ask(case, endpoint)?;
    case.endpoint = Some(endpoint);
    case.seen = cookies::read(identity, case.view, case.now)?;
    let limits = limits_of(case, endpoint);
    limits::ask(case, PHASE.name, limits, batch)?;
    if endpoint == Endpoint::Token
        && let Some(session) = case.seen.session
    {
        batch.push(Ask::Get { key: session.key() });
    }
    Ok(())
}

/// Makes sure that a method is one of the endpoint's, and that no other site's page asks.
fn may_ask<'s>(case: &Case<'s, '_>, endpoint: Endpoint) -> Verdict<'s, ()> {
    let method = case.view.method();
    let is_answered = match endpoint {
        Endpoint::Keys | Endpoint::TokenKeys => matches!(method, Method::Get | Method::Head),
        Endpoint::Token => matches!(method, Method::Get | Method::Post),
        Endpoint::Wished(_) => method == Method::Post,
    };
    if !is_answered {
        return Err(Reason::METHOD_NOT_ALLOWED.into());
    }
    if matches!(endpoint, Endpoint::Wished(_)) {
        return is_plain_json(case);
    }
    if case.view.has_body() {
        return Err(Reason::BODY_UNEXPECTED.into());
    }
    // Keys are public, and servers say no origin.
    if matches!(endpoint, Endpoint::Keys | Endpoint::TokenKeys) {
        return Ok(());
    }
    let scheme = case.plan.public_scheme;
    check_origin(case.view.fields(), scheme, case.view.host(), &[]).map_err(|fault| {
        Denial::because(Reason::CSRF_ORIGIN)
            .saying(fault.to_string())
            .into()
    })
}

/// Content that the guard can read as it is. No page of another site can send this type without asking first (Fetch §4.8), and
/// it would be told no.
fn is_plain_json<'s>(case: &Case<'s, '_>) -> Verdict<'s, ()> {
    let fields = case.view.fields();
    if fields.all("content-encoding").next().is_some() {
        return Err(Reason::CONTENT_ENCODING_REFUSED.into());
    }
    match fields.one("content-type") {
        Ok(Some(b"application/json")) => {}
        Ok(_) | Err(_) => return Err(Reason::CONTENT_TYPE_REFUSED.into()),
    }
    let bytes_max = u64::try_from(BODY_BYTES_MAX).unwrap_or(u64::MAX);
    match case.view.framing() {
        Framing::Length(length) if length > bytes_max => Err(Reason::BODY_TOO_LARGE.into()),
        Framing::Length(_) | Framing::Chunked | Framing::None => Ok(()),
    }
}

/// By which limits an endpoint is counted.
fn limits_of<'s>(case: &Case<'s, '_>, endpoint: Endpoint) -> Applying<'s> {
    let limits = match endpoint {
        Endpoint::Wished(_) => &case.plan.token_limits,
        Endpoint::Keys | Endpoint::Token | Endpoint::TokenKeys => &case.plan.reserved_limits,
    };
    Applying::of(limits, case.view.method())
}

fn judge<'s>(case: &mut Case<'s, '_>, answers: Result<Answers, StoreError>) -> Verdict<'s, ()> {
    let endpoint = case
        .endpoint
        .ok_or_else(|| Stop::from(Reason::DECISION_CONFUSED))?;
    let limits = limits_of(case, endpoint);
    let mut answers = match answers {
        Ok(answers) => answers.into_iter(),
        Err(error) => {
            limits::judge(case, PHASE.name, limits, Err(error))?;
            // What is reserved goes to no application, whatever a limit says.
            return Err(Reason::DECISION_CONFUSED.into());
        }
    };
    let counted = answers.next().into_iter().collect();
    limits::judge(case, PHASE.name, limits, Ok(counted))?;
    match endpoint {
        Endpoint::Keys => Err(Stop::Own(Own::Keys)),
        Endpoint::TokenKeys => Err(Stop::Own(Own::TokenKeys)),
        Endpoint::Wished(wish) => Err(Stop::Own(Own::Wished(wish))),
        Endpoint::Token => {
            if let Some(session) = case.seen.session {
                case.caller = alive(case, session, answers.next())?.map(Box::new);
            }
            Ok(())
        }
    }
}

/// Whether a path is one of the guard's own.
pub(crate) fn is_reserved(path: &str) -> bool {
    rest_of(path).is_some()
}

/// What stands behind the guard's own first segment.
fn rest_of(path: &str) -> Option<&str> {
    let after = path.strip_prefix(FIRST_SEGMENT);
    after.filter(|rest| rest.is_empty() || rest.starts_with('/'))
}
