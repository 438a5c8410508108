//! `/tokens/revoke`: takes back a token with its children, or all tokens of a user (RFC 7009; ASVS v5.0.0-7.4.1, 7.4.2).

use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;

use portcullis_guard::canon::HeaderSet;
use portcullis_guard::clock::Now;
use portcullis_guard::issuing::RevokeRequest;
use portcullis_guard::token::Claims;
use portcullis_policy::Method;
use portcullis_policy::event::{EventKind, EventTime, EventVerdict};
use portcullis_state::revocations::Revocations;

use super::content;
use super::door::Door;
use super::reply::Reply;
use super::sessions::Request;
use crate::live::Live;
use crate::observer::Step;
use crate::trail::{self, TakenBack};
use crate::worker::Shared;

/// How long the store may take: there is a disk behind it. Less than the whole exchange, so that there is an answer.
const BUDGET: Duration = Duration::from_secs(2);

/// What is taken back.
struct Wanted {
    issuer: Box<str>,
    token_id: Option<Box<str>>,
    expires: Option<u64>,
    user: Option<Box<str>>,
}

/// The answer to what is about tokens; nothing where something else is asked, or the policy has no tokens.
pub(super) async fn reply(
    request: &Request<'_>,
    client: &mut TcpStream,
    shared: &Shared,
    door: &Door,
) -> Option<Reply> {
    let live = shared.live.load_full();
    if live.mint.is_none() && live.tokens.is_none() {
        return None;
    }
    let path = request.head.target(request.buf);
    if path != b"/tokens/revoke" {
        return None;
    }
    let secrets = live.plan.identity.admin.as_slice();
    if secrets.is_empty() {
        return None;
    }
    let now = shared.clock.now();
    let fields = HeaderSet::of_request(request.head, request.buf);
    let refusal = door.refusal(secrets, &fields, request.client, &shared.observer, now);
    if refusal.is_some() {
        return refusal;
    }
    if request.head.method() != Method::Post {
        return Some(Reply::text(405, "POST is here\n").with("Allow: POST\r\n"));
    }
    let Ok(Some(b"application/json")) = fields.one("content-type") else {
        return Some(Reply::text(415, "send `application/json`\n"));
    };
    let body = match content::read(request, client).await {
        Ok(body) => body,
        Err(why) => return Some(why.reply()),
    };
    Some(match RevokeRequest::read(&body) {
        Ok(asked) => match wanted(&live, asked, now) {
            Ok(wanted) => revoke(request, shared, &live, &wanted, now).await,
            Err(why) => Reply::text(400, format!("{why}\n")),
        },
        Err(fault) => Reply::text(400, format!("{fault}\n")),
    })
}

/// What is meant: of the guard's own tokens, or of one of the issuers that the policy names.
fn wanted(live: &Live, asked: RevokeRequest, now: Now) -> Result<Wanted, String> {
    Ok(match asked {
        RevokeRequest::Token(token) => {
            let claims =
                shown(live, &token, now).map_err(|why| format!("no token is taken back: {why}"))?;
            let token_id = claims.token_id().ok_or(
                "no token is taken back: it has no `jti`; all of its user's can be, by `user_id` and `issuer`",
            )?;
            Wanted {
                issuer: claims.issuer().into(),
                expires: Some(claims.expires_at()),
                user: claims.user_id().map(Into::into),
                token_id: Some(token_id.into()),
            }
        }
        RevokeRequest::TokenId { token_id, issuer } => Wanted {
            issuer: issuer_of(live, issuer, now)?,
            token_id: Some(token_id),
            expires: None,
            user: None,
        },
        RevokeRequest::User { user, issuer } => Wanted {
            issuer: issuer_of(live, issuer, now)?,
            token_id: None,
            expires: None,
            user: Some(user),
        },
    })
}

/// What a token says that is shown, if it is signed by the guard or by an issuer of the policy.
fn shown(live: &Live, token: &str, now: Now) -> Result<Claims, String> {
    let by_own = live.mint.as_ref().map(|mint| mint.shown(token));
    match (by_own, &live.tokens) {
        (Some(Ok(claims)), _) => Ok(claims),
        (_, Some(tokens)) => tokens.shown(token, now).map_err(|why| why.to_string()),
        (Some(Err(fault)), None) => Err(fault.to_string()),
        (None, None) => Err("the policy names no issuer".to_owned()),
    }
}

/// Whose tokens are meant: the issuer that is stated, else the guard itself, else the only one there is.
fn issuer_of(live: &Live, stated: Option<Box<str>>, now: Now) -> Result<Box<str>, String> {
    let own = live.plan.identity.own_tokens.as_ref();
    let named = live.tokens.iter().flat_map(|one| one.keys().health(now));
    let mut named: Vec<Box<str>> = named.map(|one| one.issuer.into()).collect();
    match (stated, own) {
        (Some(stated), Some(own)) if *stated == *own.issuer() => Ok(stated),
        (Some(stated), _) if named.contains(&stated) => Ok(stated),
        (Some(_), _) => Err("the policy has no such `issuer`".to_owned()),
        (None, Some(own)) => Ok(own.issuer().into()),
        (None, None) => named
            .pop()
            .filter(|_| named.is_empty())
            .ok_or_else(|| "say of which `issuer`: the policy has several".to_owned()),
    }
}

async fn revoke(
    request: &Request<'_>,
    shared: &Shared,
    live: &Live,
    wanted: &Wanted,
    now: Now,
) -> Reply {
    let revocations = Revocations::new(&*shared.store);
    let step = async {
        match (&wanted.token_id, &wanted.user) {
            (Some(id), _) => revocations
                .revoke_token(&wanted.issuer, id, wanted.expires, now)
                .await
                .map(|()| json!({ "revoked": "token", "jti": id })),
            (None, Some(user)) => {
                let mut moment = revocations.revoke_user(&wanted.issuer, user, now).await?;
                // Who was given one in the meantime, by what the store said before, began by now: another second, if at all.
                let by_now = shared.clock.now();
                if by_now.unix_seconds() != now.unix_seconds() {
                    moment = revocations
                        .revoke_user(&wanted.issuer, user, by_now)
                        .await?;
                }
                let until = EventTime::of_unix_millis(moment.saturating_mul(1_000));
                let until = until.to_string();
                Ok(json!({ "revoked": "user", "user_id": user, "issued_until": until }))
            }
            (None, None) => Ok(json!({ "revoked": "nothing" })),
        }
    };
    let done: Result<Value, String> = match timeout(BUDGET, step).await {
        Ok(done) => done.map_err(|error| error.class().to_owned()),
        Err(_elapsed) => Err("the store did not answer in time".to_owned()),
    };
    tell(request, shared, live, wanted, &done, now);
    match done {
        Ok(mut told) => {
            if let Value::Object(members) = &mut told {
                members.insert("schema".to_owned(), "portcullis.token-revoked/1".into());
            }
            Reply::json(&told)
        }
        Err(_why) => Reply::text(
            503,
            "the store does not say; nothing is known to be taken back\n",
        ),
    }
}

/// Writes what was done as an event and into the audit trail.
fn tell(
    request: &Request<'_>,
    shared: &Shared,
    live: &Live,
    wanted: &Wanted,
    done: &Result<Value, String>,
    now: Now,
) {
    let (kind, verdict, reason) = match (done, &wanted.token_id) {
        (Ok(_), Some(_)) => (
            EventKind::AuthnTokenRevoked,
            EventVerdict::Allowed,
            "admin_revoked_token",
        ),
        (Ok(_), None) => (
            EventKind::AuthnTokenRevoked,
            EventVerdict::Allowed,
            "admin_revoked_user_tokens",
        ),
        (Err(_), _) => (
            EventKind::GuardUnavailable,
            EventVerdict::Unavailable,
            "admin_tokens_unavailable",
        ),
    };
    shared.observer.step(&Step {
        kind,
        verdict,
        reason,
        user: wanted.user.as_deref(),
        client: Some(request.client),
        method: Some(Method::Post),
        inside: done.as_ref().err().map_or("", String::as_str),
        ..Step::at(now)
    });
    if let Some(trail) = shared.observer.trail() {
        let act = TakenBack {
            client: request.client,
            verdict,
            reason,
            token_id: wanted.token_id.as_deref(),
            user: wanted.user.as_deref(),
        };
        trail::taken_back(trail, live, &act);
    }
}
