//! What an answer says of sessions and CSRF tokens: the word of the application is carried out, and the cookies are written that come
//! of it.
//!
//! The word is carried out before the answer is written: a browser that is told that it is logged in has its cookie, and one that is
//! told that it is logged out has no session any more. What cannot be carried out is no answer of the application's but a
//! refusal of ours.

mod change;

use std::time::Duration;

use tokio::time::timeout;

use portcullis_guard::answer::Caching;
use portcullis_guard::application::OneRequest;
use portcullis_guard::canon::{HeaderSet, MediaType};
use portcullis_guard::clock::Now;
use portcullis_guard::decision::Permit;
use portcullis_guard::http1::ResponseHead;
use portcullis_guard::identity_plan::{IdentityPlan, SessionPlan, SourcePlan};
use portcullis_guard::keys::MacKeys;
use portcullis_guard::reason::Reason;
use portcullis_guard::session::{
    Binding, Caller, PRE_SESSION_COOKIE, SESSION_COOKIE, SessionCookie, SessionRef, SessionWord,
    WORD_FIELD, write_clear, write_set,
};
use portcullis_guard::store::Store;
use portcullis_state::sessions::{Change, Lives, SessionError, Sessions, Subject};

use crate::csrf_tokens;
use crate::exchange::Basics;
use crate::live::Live;
use crate::trail;
use crate::worker::Worker;

use change::asked;

pub(crate) use change::SessionChange;

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
        Some(word) => {
            let binding = follow(worker, live, permit, (word, basics), now, &mut lines).await?;
            // Tokens of the session before are worth nothing now.
            csrf_tokens::take_back_all(permit, &mut lines);
            return match binding {
                Some(binding) => {
                    csrf_tokens::give_first(worker, identity, binding, now, &mut lines).await;
                    Ok(lines)
                }
                None => Ok(lines),
            };
        }
        None => {
            if let (Some(caller), Some(session)) = (permit.caller(), &identity.session) {
                renew(worker.store(), caller, session, now).await;
            }
            // What is the same to everybody is kept by caches.
            let is_page = permit.navigates()
                && permit.route().caching != Caching::Shared
                && is_html(&fields)
                && head.status() < 400;
            let is_given = permit.consumed().is_some() || (is_page && permit.has_session());
            permit.binding().filter(|_| is_given)
        }
    };
    csrf_tokens::replace(worker, identity, permit, binding, now, &mut lines).await;
    Ok(lines)
}

/// The field lines of a refusal that comes after the token of the request was used: it has another.
pub(crate) async fn of_failure(worker: &Worker, live: &Live, permit: &Permit<'_>) -> Vec<u8> {
    let mut lines = Vec::new();
    if permit.consumed().is_some() {
        let now = worker.now();
        let identity = &live.plan.identity;
        let binding = permit.binding();
        csrf_tokens::replace(worker, identity, permit, binding, now, &mut lines).await;
    }
    lines
}

/// By which a browser forgets a session that is over.
pub(crate) fn forget(lines: &mut Vec<u8>) {
    write_clear(lines, SESSION_COOKIE);
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
    let request = OneRequest {
        id: &id,
        method,
        path,
    };
    let word = SessionWord::read(said, application.accepted(now), request, now)
        .map_err(|fault| refused(&fault.to_string()))?;
    if let (SessionWord::Create { user, .. }, Some(tokens)) = (&word, &identity.tokens)
        && tokens.is_name_of_theirs(user)
    {
        return Err(refused(
            "the user is called as one of an issuer of tokens is",
        ));
    }
    Ok(Some(word))
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
    // A login ends the browser's session of before, whoever calls. All else is about the session of who calls, and of no other.
    let caller = match &word {
        SessionWord::Create { .. } => permit.session(),
        SessionWord::Rotate { .. } | SessionWord::End | SessionWord::EndAll => permit.caller(),
    };
    let lives = lives(plan);
    let asked = asked(&word);
    let done = carry_out(sessions, word, caller, lives, now);
    // Of what did not answer in time nobody knows whether it was done, and of what failed on the disk neither.
    let (why, is_unknown) = match timeout(SESSION_BUDGET, done).await {
        Ok(Ok((id, changes))) => {
            for change in &changes {
                change.tell(worker, live, permit, basics, now);
            }
            return written(id, keys, plan, permit, now, lines);
        }
        Ok(Err(error)) => (why(&error), matches!(error, SessionError::Store(_))),
        Err(_elapsed) => ("the store did not answer in time".to_owned(), true),
    };
    trail::session_failed(worker, live, permit, basics, asked, is_unknown);
    Err((Reason::SESSION_NOT_KEPT, why))
}

/// The id of the session that there is now, and what became of which.
type CarriedOut = (Option<[u8; 32]>, Vec<SessionChange>);

async fn carry_out(
    sessions: Sessions<'_>,
    word: SessionWord,
    caller: Option<&Caller>,
    lives: Lives,
    now: Now,
) -> Result<CarriedOut, SessionError> {
    Ok(match (word, caller) {
        (
            SessionWord::Create {
                user,
                tenant,
                roles,
            },
            _,
        ) => {
            let subject = Subject {
                user: user.clone(),
                tenant: tenant.clone(),
                roles,
            };
            let begun = sessions.create(subject, caller, lives, now).await?;
            (Some(begun.id), SessionChange::begun(user, tenant, &begun))
        }
        (SessionWord::Rotate { tenant, roles }, Some(caller)) => {
            let change = Change {
                tenant: tenant.clone(),
                roles,
            };
            let begun = sessions.rotate(caller, change, lives, now).await?;
            (
                Some(begun.id),
                SessionChange::rotated(caller, tenant, &begun),
            )
        }
        (SessionWord::Rotate { .. }, None) => return Err(SessionError::Gone),
        (SessionWord::End, Some(caller)) => {
            let was_alive = sessions.end(caller, now).await?;
            let ended = was_alive.then_some(caller.session);
            (
                None,
                SessionChange::ended(caller, ended.into_iter().collect()),
            )
        }
        (SessionWord::EndAll, Some(caller)) => {
            let user = &caller.record.user;
            let ended = sessions.end_all(user, Some(caller), now).await?;
            (None, SessionChange::ended(caller, ended))
        }
        (SessionWord::End | SessionWord::EndAll, None) => (None, Vec::new()),
    })
}

/// Writes the cookie of the session that there is now, or that there is none; answers to what tokens are bound from now on.
fn written(
    id: Option<[u8; 32]>,
    keys: &MacKeys,
    plan: &SessionPlan,
    permit: &Permit<'_>,
    now: Now,
    lines: &mut Vec<u8>,
) -> Result<Option<Binding>, Refused> {
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
        SessionError::Store(error) => error.class().to_owned(),
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

/// Whether an answer is a page.
fn is_html(fields: &HeaderSet<'_>) -> bool {
    let kind = fields.all("content-type").next().unwrap_or_default();
    MediaType::of(kind).is("text/html")
}
