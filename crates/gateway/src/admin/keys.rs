//! `/keys`: makes API keys, lists those of a user, changes and revokes them (ASVS v5.0.0-13.3.4).

use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;

use portcullis_guard::api_key::{ApiKeyId, ApiKeyRecord};
use portcullis_guard::canon::HeaderSet;
use portcullis_guard::clock::Now;
use portcullis_guard::identity_plan::ApiKeysPlan;
use portcullis_policy::Control;
use portcullis_policy::event::{EventKind, EventTime, EventVerdict};
use portcullis_state::api_keys::{ApiKeyError, ApiKeys, ListedKey, MadeKey, Rotation};
use portcullis_state::trail::{Intent, TrailError};

use super::content;
use super::door::Door;
use super::key_ask::{KeyAsk, is_of_keys};
use super::reply::Reply;
use super::sessions::Request;
use crate::live::Live;
use crate::observer::Step;
use crate::trail::{self, AdminAct};
use crate::worker::Shared;

/// How long it may take: there is a disk behind it. Less than the whole exchange, so that there is an answer.
const BUDGET: Duration = Duration::from_secs(2);

/// What was done.
enum Done {
    Made(Box<MadeKey>),
    Listed(Vec<ListedKey>),
    Revoked(Box<ApiKeyRecord>),
    RevokedAll(usize),
}

/// Why it was not.
enum Undone {
    /// It cannot be: the status, and why.
    Refused(u16, ApiKeyError),
    /// Nobody can say whether it was.
    Unknown(String),
    /// It was not begun: what comes first into the audit trail could not be written.
    Unwritable(TrailError),
}

/// The answer to what is about keys; nothing where the policy has none, or something else is asked.
pub(super) async fn reply(
    request: &Request<'_>,
    stream: &mut TcpStream,
    shared: &Shared,
    door: &Door,
) -> Option<Reply> {
    let Request {
        head, buf, client, ..
    } = *request;
    let live = shared.live.load_full();
    let identity = &live.plan.identity;
    let plan = identity.api_keys.as_ref()?;
    if identity.admin.is_empty() || !is_of_keys(head.target(buf)) {
        return None;
    }
    let now = shared.clock.now();
    let fields = HeaderSet::of_request(head, buf);
    let refusal = door.refusal(&identity.admin, &fields, client, &shared.observer, now);
    if refusal.is_some() {
        return refusal;
    }
    let (method, target) = (head.method(), head.target(buf));
    let content = match content::read(request, stream).await {
        Ok(content) => content,
        Err(why) => return Some(why.reply()),
    };
    let ask = match KeyAsk::read(method, target, &content, plan.lifetime_max) {
        Ok(ask) => ask,
        Err(reply) => return Some(reply),
    };
    // As of a session: nobody is called as somebody is whom an issuer of tokens knows.
    let is_theirs = matches!(
        (&ask, &identity.tokens),
        (KeyAsk::Create(wish), Some(tokens)) if tokens.is_name_of_theirs(&wish.user)
    );
    let done = if is_theirs {
        Err(undone(ApiKeyError::Names))
    } else {
        // What gives somebody a way in is in the trail before it is there. What takes one away is not held up by a full disk.
        match intend(request, shared, &live, &ask).await {
            Ok(intent) => {
                let done = within_budget(shared, plan, &ask, now).await;
                if let Some(intent) = intent {
                    came_of(intent, &done, &ask);
                }
                done
            }
            Err(error) => Err(Undone::Unwritable(error)),
        }
    };
    tell(request, shared, &live, &ask, &done, now);
    Some(written(&ask, done, now))
}

/// Puts a secret that is to be made into the audit trail; nothing for all else, and where there is no trail.
async fn intend(
    request: &Request<'_>,
    shared: &Shared,
    live: &Live,
    ask: &KeyAsk,
) -> Result<Option<Intent>, TrailError> {
    let (reason, user, key) = match ask {
        KeyAsk::Create(wish) => ("admin_creates_key", Some(wish.user.as_str()), None),
        KeyAsk::Rotate { id, .. } => ("admin_rotates_key", None, Some(*id)),
        KeyAsk::List(_) | KeyAsk::Revoke(_) | KeyAsk::RevokeAll(_) => return Ok(None),
    };
    let Some(trail) = shared.observer.trail() else {
        return Ok(None);
    };
    let act = AdminAct {
        user,
        key,
        ..act(request, ask, EventVerdict::Allowed, reason)
    };
    trail::admin_intends(trail, live, &act).await.map(Some)
}

/// What is asked for, for the audit trail, about nobody yet.
fn act<'a>(
    request: &Request<'_>,
    ask: &KeyAsk,
    verdict: EventVerdict,
    reason: &'static str,
) -> AdminAct<'a> {
    AdminAct {
        client: request.client,
        method: request.head.method(),
        route: route(ask),
        verdict,
        reason,
        control: Control::Authentication,
        user: None,
        key: None,
        ended: &[],
    }
}

/// Writes what came of it.
fn came_of(intent: Intent, done: &Result<Done, Undone>, ask: &KeyAsk) {
    match done {
        Ok(_) => intent.outcome(made_status(ask)),
        Err(Undone::Refused(..)) => intent.refused("admin_key_refused"),
        Err(Undone::Unknown(_) | Undone::Unwritable(_)) => intent.unknown(),
    }
}

async fn within_budget(
    shared: &Shared,
    plan: &ApiKeysPlan,
    ask: &KeyAsk,
    now: Now,
) -> Result<Done, Undone> {
    match timeout(BUDGET, follow(shared, plan, ask, now)).await {
        Ok(done) => done.map_err(undone),
        Err(_elapsed) => Err(Undone::Unknown(
            "the store did not answer in time".to_owned(),
        )),
    }
}

/// What a secret that was made is answered with.
const fn made_status(ask: &KeyAsk) -> u16 {
    match ask {
        KeyAsk::Create(_) => 201,
        _ => 200,
    }
}

/// The template of what was asked for.
const fn route(ask: &KeyAsk) -> &'static str {
    match ask {
        KeyAsk::Create(_) | KeyAsk::List(_) | KeyAsk::RevokeAll(_) => "/keys",
        KeyAsk::Revoke(_) => "/keys/{id}",
        KeyAsk::Rotate { .. } => "/keys/{id}/rotate",
    }
}

async fn follow(
    shared: &Shared,
    plan: &ApiKeysPlan,
    ask: &KeyAsk,
    now: Now,
) -> Result<Done, ApiKeyError> {
    let keys = ApiKeys::new(&*shared.store);
    let (prefix, lifetime_max) = (&plan.prefix, plan.lifetime_max);
    Ok(match ask {
        KeyAsk::Create(wish) => {
            let made = keys.create(prefix, wish.clone(), lifetime_max, now).await?;
            Done::Made(Box::new(made))
        }
        KeyAsk::List(user) => Done::Listed(keys.list(user, now).await?),
        KeyAsk::Rotate {
            id,
            overlap,
            lifetime,
        } => {
            let rotation = Rotation {
                overlap: *overlap,
                lifetime: *lifetime,
                lifetime_max,
            };
            Done::Made(Box::new(keys.rotate(prefix, *id, rotation, now).await?))
        }
        KeyAsk::Revoke(id) => Done::Revoked(Box::new(keys.revoke(*id, now).await?)),
        KeyAsk::RevokeAll(user) => Done::RevokedAll(keys.revoke_all(user, now).await?),
    })
}

fn undone(error: ApiKeyError) -> Undone {
    match error {
        ApiKeyError::Names | ApiKeyError::Lifetime => Undone::Refused(400, error),
        ApiKeyError::Missing => Undone::Refused(404, error),
        ApiKeyError::TooMany | ApiKeyError::Rotating => Undone::Refused(409, error),
        // What a store says of its address is not told.
        ApiKeyError::Store(error) => Undone::Unknown(error.class().to_owned()),
        ApiKeyError::NoRandomness | ApiKeyError::Contended | ApiKeyError::Corrupt => {
            Undone::Unknown(error.to_string())
        }
    }
}

fn written(ask: &KeyAsk, done: Result<Done, Undone>, now: Now) -> Reply {
    match done {
        Ok(Done::Made(made)) => {
            let mut content = told(made.id, &made.record, now);
            if let Some(content) = content.as_object_mut() {
                content.insert("schema".to_owned(), "portcullis.api-key/1".into());
                content.insert("key".to_owned(), made.text.reveal().into());
            }
            Reply {
                status: made_status(ask),
                ..Reply::json(&content)
            }
        }
        Ok(Done::Listed(listed)) => {
            let keys = listed.iter().map(|listed| {
                let mut content = told(listed.id, &listed.record, now);
                if let Some(content) = content.as_object_mut() {
                    content.insert("used".to_owned(), listed.used.map(moment).into());
                }
                content
            });
            Reply::json(&json!({
                "schema": "portcullis.api-keys/1",
                "keys": keys.collect::<Vec<Value>>(),
            }))
        }
        Ok(Done::Revoked(_)) => Reply::json(&json!({ "revoked": 1 })),
        Ok(Done::RevokedAll(count)) => Reply::json(&json!({ "revoked": count })),
        Err(Undone::Refused(status, why)) => Reply::text(status, format!("{why}\n")),
        Err(Undone::Unknown(_why)) => Reply::text(
            503,
            "the store does not say; whether something was changed is not known\n",
        ),
        Err(Undone::Unwritable(_why)) => Reply::text(
            503,
            "the audit trail cannot be written, so no key was made\n",
        ),
    }
}

fn moment(unix_millis: u64) -> String {
    EventTime::of_unix_millis(unix_millis).to_string()
}

fn told(id: ApiKeyId, record: &ApiKeyRecord, now: Now) -> Value {
    let before = record.before.map(|before| before.until);
    let before = before.filter(|until| now.unix_millis < *until);
    json!({
        "id": id.to_string(),
        "name": record.name,
        "user": record.user,
        "tenant": record.tenant,
        "scopes": record.scopes,
        "created": moment(record.created),
        "secret_since": moment(record.secret.since),
        "expires": moment(record.expires()),
        "is_expired": record.expires() <= now.unix_millis,
        "old_secret_until": before.map(moment),
    })
}

/// Writes what was done as an event and into the audit trail.
fn tell(
    request: &Request<'_>,
    shared: &Shared,
    live: &Live,
    ask: &KeyAsk,
    done: &Result<Done, Undone>,
    now: Now,
) {
    let (kind, reason, count) = match (ask, done) {
        (_, Err(Undone::Unknown(_))) => (EventKind::GuardUnavailable, "admin_keys_unavailable", 1),
        (_, Err(Undone::Unwritable(_))) => (EventKind::GuardUnavailable, "trail_unwritable", 1),
        (_, Err(Undone::Refused(404, _))) => (EventKind::AuthzAdmin, "admin_found_no_key", 1),
        (_, Err(Undone::Refused(..))) => (EventKind::AuthzAdmin, "admin_key_refused", 1),
        (KeyAsk::Create(_), Ok(_)) => (EventKind::AuthnTokenCreated, "admin_created_key", 1),
        (KeyAsk::Rotate { .. }, Ok(_)) => (EventKind::AuthnTokenCreated, "admin_rotated_key", 1),
        (KeyAsk::List(_), Ok(_)) => (EventKind::AuthzAdmin, "admin_listed_keys", 1),
        (KeyAsk::Revoke(_), Ok(_)) => (EventKind::AuthnTokenRevoked, "admin_revoked_key", 1),
        (KeyAsk::RevokeAll(_), Ok(Done::RevokedAll(0))) => {
            (EventKind::AuthzAdmin, "admin_found_no_key", 1)
        }
        (KeyAsk::RevokeAll(_), Ok(Done::RevokedAll(count))) => (
            EventKind::AuthnTokenRevoked,
            "admin_revoked_all_keys",
            *count,
        ),
        (KeyAsk::RevokeAll(_), Ok(_)) => {
            (EventKind::AuthnTokenRevoked, "admin_revoked_all_keys", 0)
        }
    };
    let verdict = match done {
        Ok(_) => EventVerdict::Allowed,
        Err(Undone::Refused(..)) => EventVerdict::Refused,
        Err(Undone::Unknown(_) | Undone::Unwritable(_)) => EventVerdict::Unavailable,
    };
    let key = match (ask, done) {
        (_, Ok(Done::Made(made))) => Some(made.id),
        (KeyAsk::Rotate { id, .. } | KeyAsk::Revoke(id), _) => Some(*id),
        (KeyAsk::Create(_) | KeyAsk::List(_) | KeyAsk::RevokeAll(_), _) => None,
    };
    let user = match (ask, done) {
        (_, Ok(Done::Made(made))) => Some(made.record.user.as_str()),
        (_, Ok(Done::Revoked(record))) => Some(record.user.as_str()),
        (KeyAsk::List(user) | KeyAsk::RevokeAll(user), _) => Some(user.as_str()),
        (KeyAsk::Create(_) | KeyAsk::Rotate { .. } | KeyAsk::Revoke(_), _) => None,
    };
    let inside = match (done, key) {
        (Err(Undone::Unknown(why)), _) => why.clone(),
        (Err(Undone::Refused(_, why)), _) => why.to_string(),
        (Err(Undone::Unwritable(why)), _) => why.to_string(),
        (Ok(_), Some(key)) => format!("key {key}"),
        (Ok(_), None) => String::new(),
    };
    shared.observer.step(&Step {
        kind,
        verdict,
        reason,
        user,
        client: Some(request.client),
        method: Some(request.head.method()),
        count: u64::try_from(count).unwrap_or(u64::MAX),
        inside: &inside,
        ..Step::at(now)
    });
    if let Some(trail) = shared.observer.trail() {
        let act = AdminAct {
            user,
            key,
            ..act(request, ask, verdict, reason)
        };
        trail::admin(trail, live, &act);
    }
}
