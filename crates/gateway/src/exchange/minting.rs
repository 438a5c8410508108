//! Tokens of the guard's own, given to who may have them.
//!
//! 1. a service shows its credential before anything of its request is read; who exchanges shows a parent token in the request
//! 2. the request is read, and held to what the policy admits
//! 3. the store says what was taken back, and the token is signed
//! 4. where there is an audit trail, the record is on the disk before the token leaves
//!
//! Whatever fails on the way is a refusal, and no token.

use std::time::Duration;

use tokio::time::timeout;

use portcullis_guard::clock::Now;
use portcullis_guard::decision::{Challenge, Denial, Wish};
use portcullis_guard::issuing::{
    ACCESS_TYPE, BODY_BYTES_MAX, ExchangeRequest, IssueFault, IssueRequest, JWT_TYPE,
};
use portcullis_guard::reason::Reason;
use portcullis_guard::token::TokenType;
use portcullis_policy::event::{EventKind, EventVerdict};
use portcullis_state::issuer::{MintFault, Minted};
use serde_json::json;

use super::Request;
use super::answering::{Answered, context, deny, finish, has_unread_body};
use crate::connection::{After, Connection};
use crate::live::Live;
use crate::observer::Step;
use crate::refusal::write_json;
use crate::request_body;
use crate::shown_credential::is_shown;
use crate::trail;
use crate::worker::Worker;

/// How long the store and the signature may take: less than who asks waits.
const BUDGET: Duration = Duration::from_secs(3);

/// Answers who wishes for a token.
pub(super) async fn run(
    connection: &mut Connection<'_>,
    live: &Live,
    request: Request<'_>,
    wish: Wish,
) -> After {
    let Request {
        view, head, basics, ..
    } = request;
    let given = give(connection, live, request, wish).await;
    let now = connection.worker.now();
    let content = match given {
        Ok(content) => content,
        Err(mut denial) => {
            if denial.reason.status == 401 {
                denial.challenge = Challenge {
                    bearer: true,
                    ..Challenge::default()
                };
            }
            let client = view.client();
            let answered = deny(connection, live, head, basics, client, (&denial, &[]), now);
            return finish(connection, answered, basics).await;
        }
    };
    let unread = has_unread_body(connection, head);
    let closes = !basics.keep_alive || unread;
    connection.worker.answered_itself();
    if let Some(seen) = &mut connection.seen {
        seen.status = Some(200);
    }
    let context = context(live, basics, closes, connection.worker.date(now));
    connection.scratch.out.clear();
    write_json(&mut connection.scratch.out, context, &content, &[]);
    finish(connection, Answered { closes, unread }, basics).await
}

/// The content of the answer, or why there is none.
async fn give(
    connection: &mut Connection<'_>,
    live: &Live,
    request: Request<'_>,
    wish: Wish,
) -> Result<String, Denial<'static>> {
    let Request {
        view, head, basics, ..
    } = request;
    let (Some(plan), Some(mint)) = (&live.plan.identity.own_tokens, &live.mint) else {
        let why = "the gateway was started without the signing keys";
        return Err(Denial::because(Reason::TOKENS_UNAVAILABLE).saying(why));
    };
    let worker = connection.worker;
    if wish == Wish::Issue && !is_shown(&plan.services, view.fields(), worker.now()) {
        return Err(Denial::because(Reason::SERVICE_UNKNOWN));
    }
    let held = request_body::hold(
        connection,
        live,
        head,
        basics,
        view.client(),
        u64::try_from(BODY_BYTES_MAX).unwrap_or(u64::MAX),
    );
    let (body, _held) = held.await.map_err(Denial::because)?;
    let (now, store) = (worker.now(), worker.store());
    let minted = match wish {
        Wish::Issue => {
            let asked = IssueRequest::read(&body).map_err(refused)?;
            timeout(BUDGET, mint.issue(plan, &asked, store, now)).await
        }
        Wish::Exchange => {
            let asked = ExchangeRequest::read(&body).map_err(refused)?;
            timeout(BUDGET, mint.exchange(plan, &asked, store, now)).await
        }
    };
    let minted = match minted {
        Ok(minted) => minted.map_err(|fault| denial_of(&fault))?,
        Err(_elapsed) => {
            let why = "the token took longer than it may";
            return Err(Denial::because(Reason::TOKENS_UNAVAILABLE).saying(why));
        }
    };
    let asked_by = trail::Asked {
        client: view.client(),
        basics,
        route: route(wish),
        reason: reason(wish),
    };
    let intent = trail::token_given(worker, live, &asked_by, &minted.said).await;
    let intent = intent
        .map_err(|error| Denial::because(Reason::TRAIL_UNWRITABLE).saying(error.to_string()))?;
    tell(worker, &asked_by, &minted, now);
    if let Some(intent) = intent {
        intent.outcome(200);
    }
    Ok(content(&minted))
}

/// Of what a request that is not well formed, or asks for too much, is refused.
fn refused(fault: IssueFault) -> Denial<'static> {
    let reason = if fault.is_refusal() {
        Reason::TOKEN_WISH_REFUSED
    } else {
        Reason::TOKEN_WISH_MALFORMED
    };
    Denial::because(reason).saying(fault.to_string())
}

fn denial_of(fault: &MintFault) -> Denial<'static> {
    match fault {
        MintFault::Request(fault) => refused(*fault),
        MintFault::Parent(fault) => {
            Denial::because(Reason::of_token(*fault)).saying(fault.to_string())
        }
        MintFault::Revoked => Denial::because(Reason::TOKEN_REVOKED),
        MintFault::Store(_)
        | MintFault::NoKey
        | MintFault::NotYet
        | MintFault::NoRandomness
        | MintFault::Busy => Denial::because(Reason::TOKENS_UNAVAILABLE).saying(fault.to_string()),
    }
}

const fn route(wish: Wish) -> &'static str {
    match wish {
        Wish::Issue => "/.portcullis/tokens",
        Wish::Exchange => "/.portcullis/tokens/exchange",
    }
}

const fn reason(wish: Wish) -> &'static str {
    match wish {
        Wish::Issue => "token_issued",
        Wish::Exchange => "token_exchanged",
    }
}

/// Writes an event of a token that leaves: by its id, by which it can be taken back.
fn tell(worker: &Worker, asked: &trail::Asked, minted: &Minted, now: Now) {
    let said = &minted.said;
    let inside = format!("{} {}", said.token_type.as_str(), said.token_id);
    worker.observer().step(&Step {
        kind: EventKind::AuthnTokenCreated,
        verdict: EventVerdict::Allowed,
        reason: asked.reason,
        user: Some(&said.user_id),
        client: Some(asked.client),
        id: Some(asked.basics.id),
        method: Some(asked.basics.method),
        route: Some(asked.route),
        inside: &inside,
        ..Step::at(now)
    });
}

/// RFC 8693 §2.2.1. A parent is no access token, and says so; `jti` is ours.
fn content(minted: &Minted) -> String {
    let said = &minted.said;
    let (issued, used_as) = match said.token_type {
        TokenType::Parent => (JWT_TYPE, "N_A"),
        TokenType::Access | TokenType::Child => (ACCESS_TYPE, "Bearer"),
    };
    json!({
        "access_token": minted.token,
        "issued_token_type": issued,
        "token_type": used_as,
        "expires_in": said.expires.saturating_sub(said.issued),
        "jti": said.token_id,
    })
    .to_string()
}
