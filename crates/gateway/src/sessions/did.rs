//! `Did`: what became of a session by the application's word, told as an event of the OWASP Logging Vocabulary.

use portcullis_guard::clock::Now;
use portcullis_guard::decision::Permit;
use portcullis_policy::event::EventKind;

use crate::exchange::Basics;
use crate::observer::Step;
use crate::worker::Worker;

/// What was done.
pub(super) enum Did {
    /// A session of this user began.
    Created(String),
    /// The caller's goes on under a new id.
    Rotated,
    /// So many of the caller's ended.
    Ended(usize),
}

impl Did {
    /// Writes it down.
    pub(super) fn tell(&self, worker: &Worker, permit: &Permit<'_>, basics: Basics, now: Now) {
        let step = Step {
            user: permit.caller().map(|caller| caller.record.user.as_str()),
            client: Some(permit.client()),
            id: Some(basics.id),
            method: Some(basics.method),
            route: Some(&permit.route().template),
            ..Step::at(now)
        };
        let tell = |kind, reason, count: usize, user| {
            worker.observer().step(&Step {
                kind,
                reason,
                user,
                count: u64::try_from(count).unwrap_or(u64::MAX),
                ..step
            });
        };
        match self {
            Self::Created(user) => {
                if step.user.is_some_and(|before| before != user) {
                    tell(EventKind::SessionExpired, "session_replaced", 1, step.user);
                }
                tell(EventKind::SessionCreated, "session_created", 1, Some(user));
            }
            Self::Rotated => tell(EventKind::SessionRenewed, "session_rotated", 1, step.user),
            Self::Ended(0) => {}
            Self::Ended(count) => {
                tell(
                    EventKind::SessionExpired,
                    "session_ended",
                    *count,
                    step.user,
                );
            }
        }
    }
}
