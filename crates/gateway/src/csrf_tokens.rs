//! CSRF tokens on their way to browsers: made, kept, and taken back.

use portcullis_guard::clock::{Now, SECOND};
use portcullis_guard::csrf::{Forgotten, LIVE_MAX, Token, key_of_new, ring_of};
use portcullis_guard::decision::{Permit, TokenGrant};
use portcullis_guard::identity_plan::{CsrfPlan, IdentityPlan};
use portcullis_guard::session::{
    Binding, PRE_SESSION_COOKIE, PRE_SESSION_SECONDS, SameSite, SessionCookie, SessionRef,
    write_clear, write_set,
};
use portcullis_guard::store::{Answer, Ask, Durability, Store, Value};
use portcullis_state::random_bytes;

use crate::live::Live;
use crate::store_answer::answers;
use crate::worker::Worker;

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
    let (text, seconds) = (token.as_str(), csrf.lifetime / SECOND);
    let content = format!(
        r#"{{"token":"{text}","header":"X-CSRF-Token","field":"_csrf","expires_in":{seconds}}}"#
    );
    Some(Given { content, lines })
}

/// Takes back the token that a request has used, and gives another one where it is due.
pub(crate) async fn replace(
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
    // The one that was used makes room by itself.
    let makes_room = match permit.consumed() {
        Some(used) => {
            write_clear(lines, used.name().cookie());
            Forgotten::default()
        }
        None => permit.forgets(),
    };
    if let Some(binding) = binding
        && let Some(token) = mint(worker.store(), csrf, &binding, now).await
    {
        write_token(lines, csrf, &token, makes_room);
    }
}

/// Takes back all that a browser has.
pub(crate) fn take_back_all(permit: &Permit<'_>, lines: &mut Vec<u8>) {
    for name in permit.tokens() {
        write_clear(lines, name.cookie());
    }
}

/// Gives a first token to a session that is new. Where the store takes none, the page asks for it.
pub(crate) async fn give_first(
    worker: &Worker,
    identity: &IdentityPlan,
    binding: Binding,
    now: Now,
    lines: &mut Vec<u8>,
) {
    if let Some(csrf) = &identity.csrf
        && let Some(token) = mint(worker.store(), csrf, &binding, now).await
    {
        write_token(lines, csrf, &token, Forgotten::default());
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
        write_clear(lines, oldest.cookie());
    }
    let seconds = csrf.lifetime / SECOND;
    write_set(
        lines,
        token.name().cookie(),
        token.as_str(),
        SameSite::Strict,
        Some(seconds),
        true,
    );
}
