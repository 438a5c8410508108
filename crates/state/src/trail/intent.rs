//! `Intent`: something that is on the disk and about to be done. Whoever drops it without an outcome leaves an outcome
//! that says so.

use std::sync::Arc;

use portcullis_policy::event::{EventText, EventVerdict};
use tokio::sync::mpsc::Sender;

use super::body::Body;
use super::kind::TrailKind;
use super::shared::Shared;
use super::writer::Job;
use crate::SystemClock;

/// A record of something that is about to be done. It was on the disk before this value was there.
#[derive(Debug)]
#[must_use = "what became of it belongs into the trail: say it with `outcome`"]
pub struct Intent {
    seq: u64,
    /// The outcome that is written when nobody says another.
    outcome: Option<Box<Body>>,
    queue: Sender<Job>,
    shared: Arc<Shared>,
    clock: SystemClock,
}

impl Intent {
    /// Of a record that is on the disk. Nobody has it yet, and until somebody does nothing can have been done.
    pub(super) fn of(
        body: &Body,
        queue: Sender<Job>,
        shared: Arc<Shared>,
        clock: SystemClock,
    ) -> Self {
        let mut outcome = Body {
            request: body.request.clone(),
            user: body.user.clone(),
            tenant: body.tenant.clone(),
            session: body.session,
            client: body.client,
            method: body.method,
            route: body.route.clone(),
            policy: body.policy,
            ..Body::new(TrailKind::Outcome)
        };
        outcome.intent = Some(body.seq);
        outcome.verdict = Some(EventVerdict::Unavailable);
        outcome.reason = Some(EventText::new("not_forwarded"));
        Self {
            seq: body.seq,
            outcome: Some(Box::new(outcome)),
            queue,
            shared,
            clock,
        }
    }

    /// Somebody has it now: from here on it may have been done.
    pub(super) fn taken(mut self) -> Self {
        if let Some(outcome) = &mut self.outcome {
            outcome.verdict = Some(EventVerdict::Allowed);
            outcome.reason = Some(EventText::new("unknown"));
        }
        self
    }

    /// Its place in the trail.
    #[must_use]
    pub const fn seq(&self) -> u64 {
        self.seq
    }

    /// What became of it: the status that was answered. It waits for nothing.
    pub fn outcome(mut self, status: u16) {
        if let Some(outcome) = &mut self.outcome {
            outcome.status = Some(status);
            outcome.reason = Some(EventText::new("answered"));
        }
    }

    /// It was not done after all, for a reason that is a stable code of ours. It waits for nothing.
    pub fn refused(mut self, reason: &'static str) {
        if let Some(outcome) = &mut self.outcome {
            outcome.verdict = Some(EventVerdict::Refused);
            outcome.reason = Some(EventText::new(reason));
        }
    }

    /// Nobody knows what became of it. It waits for nothing.
    pub fn unknown(self) {}
}

impl Drop for Intent {
    fn drop(&mut self) {
        if let Some(outcome) = self.outcome.take() {
            offer(&self.queue, &self.shared, self.clock, outcome);
        }
    }
}

/// Hands a record over without waiting; one that cannot be taken is counted.
pub(super) fn offer(queue: &Sender<Job>, shared: &Shared, clock: SystemClock, mut body: Box<Body>) {
    body.is_at(clock.now());
    if queue.try_send(Job::Record(body)).is_err() {
        shared.lost(1);
    }
}
