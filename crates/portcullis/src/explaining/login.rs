//! `Login`: who is asked about as somebody who is logged in, by a session of the guard's own.

use std::time::Duration;

use portcullis_guard::clock::{Nanos, Now, SECOND};
use portcullis_guard::csrf::{HEADER, Token, keys_of};
use portcullis_guard::identity_plan::{IdentityPlan, SourcePlan};
use portcullis_guard::session::{
    Binding, Record, SESSION_COOKIE, SessionCookie, SessionRef, is_subject,
};
use portcullis_guard::store::{Ask, Durability, Value};

/// A session, and a CSRF token of it. Both are of a rehearsal: its keys are of a seed that everybody knows.
pub(super) struct Login {
    record: Record,
    cookie: String,
    token: Option<Token>,
}

const ID: [u8; 32] = [1; 32];

/// How long its entries live: as long as nothing is asked twice by mistake.
const LIVES: Nanos = 60 * SECOND;

impl Login {
    /// That of a user; nothing where the policy has no sessions of the guard's own.
    pub(super) fn of(
        identity: &IdentityPlan,
        user: &str,
        now: Now,
    ) -> Result<Option<Self>, String> {
        let Some((session, SourcePlan::Own(keys))) =
            identity.session.as_ref().map(|one| (one, &one.source))
        else {
            return Ok(None);
        };
        if !is_subject(user) {
            return Err(
                "`--as` is a name of at most 255 bytes, without control characters".to_owned(),
            );
        }
        let after = |length: Duration| {
            let millis = u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
            now.unix_millis.saturating_add(millis)
        };
        let cookie = SessionCookie::write(keys, now, &ID);
        Ok(Some(Self {
            record: Record {
                user: user.to_owned(),
                tenant: None,
                roles: Vec::new(),
                authenticated: now.unix_millis,
                version: 1,
                idle_until: after(session.idle),
                absolute_until: after(session.absolute),
            },
            cookie: cookie.map_err(|_none| "the session cannot be rehearsed".to_owned())?,
            token: identity.csrf.as_ref().map(|_| Token::of(&[2; 32])),
        }))
    }

    /// What the store has of them.
    pub(super) fn entries(&self, identity: &IdentityPlan, now: Now) -> Vec<Ask<'static>> {
        let session = SessionRef::of(&ID);
        let put = |key, value| Ask::PutIfAbsent {
            key,
            value,
            lives: LIVES,
            durability: Durability::Volatile,
        };
        let mut entries = vec![put(session.key(), self.record.encode())];
        if let (Some(csrf), Some(token)) = (&identity.csrf, &self.token) {
            let keys = keys_of(&csrf.keys, now, &Binding::session(session), token);
            entries.extend(keys.into_iter().map(|key| put(key, Value::new())));
        }
        entries
    }

    /// What its browser sends with a method.
    pub(super) fn fields(&self, method: &str) -> Vec<(&'static str, String)> {
        let is_safe = ["GET", "HEAD", "OPTIONS"].contains(&method);
        let mut cookies = format!("{SESSION_COOKIE}={}", self.cookie);
        let mut fields = Vec::new();
        if let Some(token) = self.token.filter(|_| !is_safe) {
            cookies.push_str(&format!("; {}={}", token.name(), token.as_str()));
            fields.push((HEADER, token.as_str().to_owned()));
            fields.push(("Sec-Fetch-Site", "same-origin".to_owned()));
        }
        fields.push(("Cookie", cookies));
        fields
    }
}
