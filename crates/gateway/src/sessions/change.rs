//! `SessionChange`: what became of sessions by the application's word, told as an event of the OWASP Logging Vocabulary and in the
//! audit trail.

use portcullis_guard::clock::Now;
use portcullis_guard::decision::Permit;
use portcullis_guard::session::{Caller, SessionRef, SessionWord};
use portcullis_policy::event::EventKind;
use portcullis_state::sessions::{Begun, Ended, EndedBy};

use crate::exchange::Basics;
use crate::live::Live;
use crate::observer::Step;
use crate::trail;
use crate::worker::Worker;

/// What became of some sessions of one user.
#[derive(Debug)]
pub(crate) struct SessionChange {
    kind: EventKind,
    /// A stable code of ours.
    pub(crate) reason: &'static str,
    pub(crate) user: String,
    pub(crate) tenant: Option<String>,
    /// Which, by what the store has them under. Of one that goes on under a new id, the new one.
    pub(crate) sessions: Vec<SessionRef>,
}

impl SessionChange {
    /// A session began, and others may have ended for it: those come first.
    pub(super) fn begun(user: String, tenant: Option<String>, begun: &Begun) -> Vec<Self> {
        let mut changes: Vec<Self> = begun.ended.iter().map(Self::made_room).collect();
        changes.push(Self {
            kind: EventKind::SessionCreated,
            reason: "session_created",
            user,
            tenant,
            sessions: vec![SessionRef::of(&begun.id)],
        });
        changes
    }

    /// The caller's goes on under a new id.
    pub(super) fn rotated(caller: &Caller, tenant: Option<String>, begun: &Begun) -> Vec<Self> {
        let record = &caller.record;
        let mut changes: Vec<Self> = begun.ended.iter().map(Self::made_room).collect();
        changes.push(Self {
            kind: EventKind::SessionRenewed,
            reason: "session_rotated",
            user: record.user.clone(),
            tenant: tenant.or_else(|| record.tenant.clone()),
            sessions: vec![SessionRef::of(&begun.id)],
        });
        changes
    }

    /// These of the caller's ended; nothing is told of none.
    pub(super) fn ended(caller: &Caller, sessions: Vec<SessionRef>) -> Vec<Self> {
        if sessions.is_empty() {
            return Vec::new();
        }
        vec![Self {
            kind: EventKind::SessionExpired,
            reason: "session_ended",
            user: caller.record.user.clone(),
            tenant: caller.record.tenant.clone(),
            sessions,
        }]
    }

    fn made_room(ended: &Ended) -> Self {
        Self {
            kind: EventKind::SessionExpired,
            reason: match ended.why {
                EndedBy::Login => "session_replaced",
                EndedBy::Room => "session_evicted",
            },
            user: ended.user.clone(),
            tenant: None,
            sessions: vec![ended.session],
        }
    }

    /// Writes it down, and waits for nothing.
    pub(super) fn tell(
        &self,
        worker: &Worker,
        live: &Live,
        permit: &Permit<'_>,
        basics: Basics,
        now: Now,
    ) {
        worker.observer().step(&Step {
            kind: self.kind,
            reason: self.reason,
            user: Some(&self.user),
            client: Some(permit.client()),
            id: Some(basics.id),
            method: Some(basics.method),
            route: Some(&permit.route().template),
            count: u64::try_from(self.sessions.len()).unwrap_or(u64::MAX),
            ..Step::at(now)
        });
        trail::session(worker, live, permit, basics, self);
    }
}

/// What a word of the application's asks for, for the trail.
pub(super) const fn asked(word: &SessionWord) -> &'static str {
    match word {
        SessionWord::Create { .. } => "a session was to begin",
        SessionWord::Rotate { .. } => "a session was to go on under a new id",
        SessionWord::End => "a session was to end",
        SessionWord::EndAll => "all sessions of a user were to end",
    }
}
