//! `/sessions`: lists the sessions of a user, and ends them (ASVS v5.0.0-7.4.5, 7.5.2).

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;

use portcullis_guard::canon::{ClientIp, HeaderSet};
use portcullis_guard::clock::Now;
use portcullis_guard::http1::{Framing, RequestHead};
use portcullis_guard::session::SessionRef;
use portcullis_policy::event::{EventKind, EventTime, EventVerdict};
use portcullis_policy::{Control, Method};
use portcullis_state::sessions::{Listed, SessionError, Sessions};

use super::ask::{Ask, is_of_sessions};
use super::door::Door;
use super::reply::Reply;
use crate::live::Live;
use crate::observer::Step;
use crate::sessions::why;
use crate::trail::{self, AdminAct};
use crate::worker::Shared;

/// How long it may take: there is a disk behind it. Less than the whole exchange, so that there is an answer.
const BUDGET: Duration = Duration::from_secs(2);

/// What is asked, and by whom.
pub(super) struct Request<'r> {
    pub(super) head: &'r RequestHead,
    pub(super) buf: &'r [u8],
    /// What has arrived behind the head.
    pub(super) rest: &'r [u8],
    pub(super) client: ClientIp,
}

/// What was done.
enum Done {
    Listed(Vec<Listed>),
    Ended(Vec<SessionRef>),
}

/// The answer to what is about sessions; nothing where the policy has none to ask for, or something else is asked.
pub(super) async fn reply(request: &Request<'_>, shared: &Shared, door: &Door) -> Option<Reply> {
    let Request {
        head, buf, client, ..
    } = *request;
    let live = shared.live.load_full();
    let secrets = live.plan.identity.admin.as_slice();
    let has_sessions = live.plan.identity.has_own_sessions();
    if secrets.is_empty() || !has_sessions || !is_of_sessions(head.target(buf)) {
        return None;
    }
    let now = shared.clock.now();
    let fields = HeaderSet::of_request(head, buf);
    let refusal = door.refusal(secrets, &fields, client, &shared.observer, now);
    if refusal.is_some() {
        return refusal;
    }
    Some(known(request, shared, &live, now).await)
}

/// The answer to who has shown the credential.
async fn known(request: &Request<'_>, shared: &Shared, live: &Live, now: Now) -> Reply {
    let Request { head, buf, .. } = *request;
    if !matches!(head.framing(), Framing::None | Framing::Length(0)) {
        return Reply::text(400, "nothing here takes content\n");
    }
    let ask = match Ask::read(head.target(buf)) {
        Ok(ask) => ask,
        Err(why) => return Reply::text(400, format!("{why}\n")),
    };
    let method = head.method();
    let sessions = Sessions::new(&*shared.store);
    let done = match (method, &ask.session) {
        (Method::Get, None) => timeout(BUDGET, list(sessions, &ask.user, now)).await,
        (Method::Delete, one) => {
            timeout(BUDGET, end(sessions, &ask.user, one.as_deref(), now)).await
        }
        (_, None) => {
            return Reply::text(405, "GET and DELETE are here\n").with("Allow: GET, DELETE\r\n");
        }
        (_, Some(_)) => return Reply::text(405, "DELETE is here\n").with("Allow: DELETE\r\n"),
    };
    let done = match done {
        Ok(done) => done.map_err(|error| why(&error)),
        Err(_elapsed) => Err("the store did not answer in time".to_owned()),
    };
    tell(request, shared, live, &ask, &done, now);
    match done {
        Ok(Done::Listed(listed)) => Reply::json(&json!({
            "schema": "portcullis.sessions/1",
            "user": ask.user,
            "sessions": listed.iter().map(told).collect::<Vec<Value>>(),
        })),
        Ok(Done::Ended(ended)) => Reply::json(&json!({ "ended": ended.len() })),
        Err(_why) => Reply::text(
            503,
            "the store does not say; nothing is known to have ended\n",
        ),
    }
}

/// Writes what was done as an event and into the audit trail.
fn tell(
    request: &Request<'_>,
    shared: &Shared,
    live: &Live,
    ask: &Ask,
    done: &Result<Done, String>,
    now: Now,
) {
    let (kind, verdict, reason) = match (done, &ask.session) {
        (Ok(Done::Listed(_)), _) => (
            EventKind::AuthzAdmin,
            EventVerdict::Allowed,
            "admin_listed_sessions",
        ),
        (Ok(Done::Ended(ended)), _) if ended.is_empty() => (
            EventKind::AuthzAdmin,
            EventVerdict::Allowed,
            "admin_ended_no_session",
        ),
        (Ok(Done::Ended(_)), None) => (
            EventKind::SessionExpired,
            EventVerdict::Allowed,
            "admin_ended_all_sessions",
        ),
        (Ok(Done::Ended(_)), Some(_)) => (
            EventKind::SessionExpired,
            EventVerdict::Allowed,
            "admin_ended_session",
        ),
        (Err(_), _) => (
            EventKind::GuardUnavailable,
            EventVerdict::Unavailable,
            "admin_sessions_unavailable",
        ),
    };
    let ended = match done {
        Ok(Done::Ended(ended)) => ended.as_slice(),
        Ok(Done::Listed(_)) | Err(_) => &[],
    };
    let method = request.head.method();
    shared.observer.step(&Step {
        kind,
        verdict,
        reason,
        user: Some(&ask.user),
        client: Some(request.client),
        method: Some(method),
        count: u64::try_from(ended.len().max(1)).unwrap_or(u64::MAX),
        inside: done.as_ref().err().map_or("", String::as_str),
        ..Step::at(now)
    });
    if let Some(trail) = shared.observer.trail() {
        let act = AdminAct {
            client: request.client,
            method,
            route: if ask.session.is_some() {
                "/sessions/{session}"
            } else {
                "/sessions"
            },
            verdict,
            reason,
            control: Control::Session,
            user: Some(&ask.user),
            key: None,
            ended,
        };
        trail::admin(trail, live, &act);
    }
}

async fn list(sessions: Sessions<'_>, user: &str, now: Now) -> Result<Done, SessionError> {
    sessions.list(user, now).await.map(Done::Listed)
}

async fn end(
    sessions: Sessions<'_>,
    user: &str,
    one: Option<&str>,
    now: Now,
) -> Result<Done, SessionError> {
    let Some(one) = one else {
        return sessions.end_all(user, None, now).await.map(Done::Ended);
    };
    // What it is called is a digest of the key that the store has it under, so it is looked for among those of its user.
    let listed = sessions.list(user, now).await?;
    let Some(found) = listed.iter().find(|listed| listed.session.shown() == one) else {
        return Ok(Done::Ended(Vec::new()));
    };
    let was_alive = sessions.end_one(user, found.session, now).await?;
    let ended = was_alive.then_some(found.session);
    Ok(Done::Ended(ended.into_iter().collect()))
}

fn told(listed: &Listed) -> Value {
    let record = &listed.record;
    let moment = |millis: u64| EventTime::of_unix_millis(millis).to_string();
    json!({
        "session": listed.session.shown(),
        "authenticated": moment(record.authenticated),
        "idle_until": moment(record.idle_until),
        "absolute_until": moment(record.absolute_until),
        "tenant": record.tenant,
        "roles": record.roles,
        "version": record.version,
    })
}
