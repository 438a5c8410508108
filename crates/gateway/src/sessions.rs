//! What an answer says of sessions and CSRF tokens: the word of the application is carried out, and the cookies are written that come
//! of it.
//!
//! The word is carried out before the answer is written: a browser that is told that it is logged in has its cookie, and one that is
//! told that it is logged out has no session any more. What cannot be carried out is no answer of the application's but a
//! refusal of ours.

mod did;

use std::time::Duration;

use tokio::time::timeout;

use portcullis_guard::canon::HeaderSet;
use portcullis_guard::clock::Now;
use portcullis_guard::csrf::{COOKIE_PREFIX, Forgotten, LIVE_MAX, Token, key_of_new, ring_of};
use portcullis_guard::decision::{Permit, TokenGrant};
use portcullis_guard::http1::ResponseHead;
use portcullis_guard::identity_plan::{CsrfPlan, IdentityPlan, SessionPlan, SourcePlan};
use portcullis_guard::reason::Reason;
use portcullis_guard::session::{
    Binding, Caller, OfRequest, PRE_SESSION_COOKIE, PRE_SESSION_SECONDS, SESSION_COOKIE, SameSite,
    SessionCookie, SessionRef, SessionWord, WORD_FIELD, write_clear, write_set,
};
use portcullis_guard::store::{Answer, Ask, Durability, Store, StoreError, Value};
use portcullis_state::random_bytes;
use portcullis_state::sessions::{Change, Lives, SessionError, Sessions, Subject};

use crate::exchange::{Basics, answers};
use crate::live::Live;
use crate::trail;
use crate::worker::Worker;

use did::Did;

/// How long it may take to begin or end a session: there is a disk behind it.
const SESSION_BUDGET: Duration = Duration::from_secs(2);

/// From which part of its idle time on a session is written anew, in tenths: not for every request.
const RENEWED_BEHIND_TENTHS: u64 = 1;

/// Whether an answer may have any: else nobody looks.
pub(crate) const fn are_known(live: &Live) -> bool {
    live.plan.identity.session.is_some() || live.plan.identity.csrf.is_some()
}

/// Why an answer of the application's is not passed on: what the client is told, and why, inside.
pub(crate) type Refused = (Reason, String);

/// The field lines that an answer to a permitted request has besides the application's.
///
/// # Errors
///
/// Why the application's answer is not passed on.
pub(crate) async fn of_answer(
    worker: &Worker,
    live: &Live,
    basics: Basics,
    permit: &Permit<'_>,
    head: &ResponseHead,
    buf: &[u8],
) -> Result<Vec<u8>, Refused> {
    let identity = &live.plan.identity;
    let mut lines = Vec::new();
    let now = worker.now();
    let fields = HeaderSet::of_response(head, buf);
    let binding = match word(identity, basics, permit, &fields, now)? {
        Some(word) => follow(worker, live, permit, (word, basics), now, &mut lines).await?,
        None => {
            if let (Some(caller), Some(session)) = (permit.caller(), &identity.session) {
                renew(worker.store(), caller, session, now).await;
            }
            let is_page = permit.navigates() && is_html(&fields) && head.status() < 400;
            let is_given = permit.consumed().is_some() || (is_page && permit.has_session());
            permit.binding().filter(|_| is_given)
        }
    };
    give_token(worker, identity, permit, binding, now, &mut lines).await;
    Ok(lines)
}

/// The field lines of a refusal that comes after the token of the request was used: it has another.
pub(crate) async fn of_failure(worker: &Worker, live: &Live, permit: &Permit<'_>) -> Vec<u8> {
    let mut lines = Vec::new();
    if permit.consumed().is_some() {
        let now = worker.now();
        let identity = &live.plan.identity;
        give_token(worker, identity, permit, permit.binding(), now, &mut lines).await;
    }
    lines
}

/// By which a browser forgets a session that is over.
pub(crate) fn forget(lines: &mut Vec<u8>) {
    write_clear(lines, SESSION_COOKIE);
}

/// What a browser is given that asks for a token.
pub(crate) struct Given {
    /// The content of the answer.
    pub(crate) content: String,
    /// The field lines about cookies.
    pub(crate) lines: Vec<u8>,
}

/// Gives a token to who asks for one. Nothing where the store did not take it.
pub(crate) async fn grant(worker: &Worker, live: &Live, grant: TokenGrant) -> Option<Given> {
    let csrf = live.plan.identity.csrf.as_ref()?;
    let now = worker.now();
    let mut lines = Vec::new();
    let binding = match grant.binding {
        Some(binding) => binding,
        None => {
            let id = random_bytes().ok()?;
            let value = SessionCookie::write(&csrf.pre_session, now, &id).ok()?;
            let seconds = Some(PRE_SESSION_SECONDS);
            write_set(
                &mut lines,
                PRE_SESSION_COOKIE,
                &value,
                SameSite::Strict,
                seconds,
                false,
            );
            Binding::pre_session(SessionRef::of(&id))
        }
    };
    let token = mint(worker.store(), csrf, &binding, now).await?;
    write_token(&mut lines, csrf, &token, grant.forgets);
    let (text, seconds) = (
        token.as_str(),
        csrf.lifetime / portcullis_guard::clock::SECOND,
    );
    let content = format!(
        r#"{{"token":"{text}","header":"X-CSRF-Token","field":"_csrf","expires_in":{seconds}}}"#
    );
    Some(Given { content, lines })
}

/// What the application says of the session, if it says anything.
fn word(
    identity: &IdentityPlan,
    basics: Basics,
    permit: &Permit<'_>,
    fields: &HeaderSet<'_>,
    now: Now,
) -> Result<Option<SessionWord>, Refused> {
    let refused = |why: &str| (Reason::SESSION_WORD_REFUSED, why.to_owned());
    let said = fields
        .one(WORD_FIELD)
        .map_err(|_repeated| refused("it stands twice"))?;
    let Some(said) = said else {
        return Ok(None);
    };
    let (Some(application), Some(path)) = (&identity.application, permit.path()) else {
        return Err(refused("the policy has no `[identity.application]`"));
    };
    let (id, method) = (basics.id.text(), basics.method.as_str());
    let request = OfRequest {
        id: &id,
        method,
        path,
    };
    SessionWord::read(said, application.accepted(now), request, now)
        .map(Some)
        .map_err(|fault| refused(&fault.to_string()))
}

/// Does what the application says, and answers to what tokens are bound from now on.
async fn follow(
    worker: &Worker,
    live: &Live,
    permit: &Permit<'_>,
    (word, basics): (SessionWord, Basics),
    now: Now,
    lines: &mut Vec<u8>,
) -> Result<Option<Binding>, Refused> {
    let refused = |why: &str| (Reason::SESSION_WORD_REFUSED, why.to_owned());
    let Some((plan, SourcePlan::Own(keys))) = live
        .plan
        .identity
        .session
        .as_ref()
        .map(|plan| (plan, &plan.source))
    else {
        return Err(refused("the policy has no sessions of the guard's own"));
    };
    let sessions = Sessions::new(worker.store());
    let (caller, lives) = (permit.caller(), lives(plan));
    let recorded = trail::SessionChange::of(&word);
    let done = async {
        Ok(match word {
            SessionWord::Create {
                user,
                tenant,
                roles,
            } => {
                let did = Did::Created(user.clone());
                let subject = Subject {
                    user,
                    tenant,
                    roles,
                };
                let id = sessions.create(subject, caller, lives, now).await?;
                (Some(id), did)
            }
            SessionWord::Rotate { tenant, roles } => {
                let caller = caller.ok_or(SessionError::Gone)?;
                let change = Change { tenant, roles };
                let id = sessions.rotate(caller, change, lives, now).await?;
                (Some(id), Did::Rotated)
            }
            SessionWord::End => {
                if let Some(caller) = caller {
                    sessions.end(caller, now).await?;
                }
                (None, Did::Ended(usize::from(caller.is_some())))
            }
            SessionWord::EndAll => match caller {
                Some(caller) => {
                    let ended = sessions.end_all(&caller.record.user, now).await?;
                    sessions.end(caller, now).await?;
                    // One that is in no list ended all the same.
                    (None, Did::Ended(ended.max(1)))
                }
                None => (None, Did::Ended(0)),
            },
        })
    };
    let done: Result<(Option<[u8; 32]>, Did), SessionError> =
        match timeout(SESSION_BUDGET, done).await {
            Ok(done) => done,
            Err(_elapsed) => {
                let why = "the store did not answer in time".to_owned();
                return Err((Reason::SESSION_NOT_KEPT, why));
            }
        };
    let (id, did) = done.map_err(|error| (Reason::SESSION_NOT_KEPT, why(&error)))?;
    did.tell(worker, permit, basics, now);
    trail::session(worker, live, permit, basics, recorded, id.as_ref());
    // Tokens of the session before are worth nothing now.
    for name in permit.tokens() {
        write_clear(lines, &name.to_string());
    }
    match id {
        Some(id) => {
            let value = SessionCookie::write(keys, now, &id)
                .map_err(|fault| (Reason::SESSION_NOT_KEPT, fault.to_string()))?;
            write_set(lines, SESSION_COOKIE, &value, plan.same_site, None, false);
            if permit.has_pre_session() {
                write_clear(lines, PRE_SESSION_COOKIE);
            }
            Ok(Some(Binding::session(SessionRef::of(&id))))
        }
        None => {
            forget(lines);
            Ok(None)
        }
    }
}

/// Why a step was not done, without what a store says of its address.
pub(crate) fn why(error: &SessionError) -> String {
    match error {
        SessionError::Store(StoreError::Unreachable(_)) => "the store cannot be reached".to_owned(),
        SessionError::Store(StoreError::Unwritable(_)) => "the store cannot write".to_owned(),
        other => other.to_string(),
    }
}

/// Writes that a session is used. Where that fails it ends sooner, and nobody is refused for it.
async fn renew(store: &dyn Store, caller: &Caller, plan: &SessionPlan, now: Now) {
    if !matches!(plan.source, SourcePlan::Own(_)) {
        return;
    }
    let idle = u64::try_from(plan.idle.as_millis()).unwrap_or(u64::MAX);
    let left = caller.record.idle_until.saturating_sub(now.unix_millis);
    if left >= idle - idle / 10 * RENEWED_BEHIND_TENTHS {
        return;
    }
    let sessions = Sessions::new(store);
    let renewed = sessions.renew(caller, lives(plan), now);
    drop(timeout(SESSION_BUDGET, renewed).await);
}

const fn lives(plan: &SessionPlan) -> Lives {
    Lives {
        idle: plan.idle,
        absolute: plan.absolute,
    }
}

/// Gives a new token where one is due, and takes back the one that was used.
async fn give_token(
    worker: &Worker,
    identity: &IdentityPlan,
    permit: &Permit<'_>,
    binding: Option<Binding>,
    now: Now,
    lines: &mut Vec<u8>,
) {
    let Some(csrf) = &identity.csrf else {
        return;
    };
    let used = permit.consumed().map(|token| token.name());
    // A session that is new has taken back all of them.
    let is_taken_back = lines
        .windows(COOKIE_PREFIX.len())
        .any(|one| one == COOKIE_PREFIX.as_bytes());
    if let Some(used) = used.filter(|_| !is_taken_back) {
        write_clear(lines, &used.to_string());
    }
    let Some(binding) = binding else {
        return;
    };
    // Without one the page asks for it.
    if let Some(token) = mint(worker.store(), csrf, &binding, now).await {
        // The one that was used has made room already.
        let makes_room = if used.is_none() && !is_taken_back {
            permit.forgets()
        } else {
            Forgotten::default()
        };
        write_token(lines, csrf, &token, makes_room);
    }
}

/// A new token, which the store has taken.
async fn mint(store: &dyn Store, csrf: &CsrfPlan, binding: &Binding, now: Now) -> Option<Token> {
    let token = Token::of(&random_bytes().ok()?);
    let batch = [Ask::PutInRing {
        ring: ring_of(binding),
        key: key_of_new(&csrf.keys, now, binding, &token).ok()?,
        value: Value::new(),
        lives: csrf.lifetime,
        at_most: LIVE_MAX,
        durability: Durability::Volatile,
    }];
    match answers(store, &batch, now).await {
        Some(Ok(done)) if done.as_slice() == [Answer::Done] => Some(token),
        _ => None,
    }
}

fn write_token(lines: &mut Vec<u8>, csrf: &CsrfPlan, token: &Token, forgets: Forgotten) {
    for oldest in forgets.into_iter().flatten() {
        write_clear(lines, &oldest.to_string());
    }
    let name = token.name().to_string();
    let seconds = csrf.lifetime / portcullis_guard::clock::SECOND;
    write_set(
        lines,
        &name,
        token.as_str(),
        SameSite::Strict,
        Some(seconds),
        true,
    );
}

/// Whether an answer is a page.
fn is_html(fields: &HeaderSet<'_>) -> bool {
    let kind = fields.all("content-type").next().unwrap_or_default();
    let essence = kind.split(|byte| *byte == b';').next().unwrap_or_default();
    essence.trim_ascii().eq_ignore_ascii_case(b"text/html")
}
