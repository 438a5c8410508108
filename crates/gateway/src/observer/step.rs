//! `Step`: something that happened to sessions, or at the admin listener.

use portcullis_guard::canon::ClientIp;
use portcullis_guard::clock::Now;
use portcullis_policy::Method;
use portcullis_policy::event::{
    EventKind, EventLevel, EventText, EventTime, EventVerdict, SecurityEvent,
};

use super::Observer;
use crate::request_id::Id;

/// What happened. The user is written as a keyed hash.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step<'s> {
    pub(crate) kind: EventKind,
    pub(crate) verdict: EventVerdict,
    pub(crate) reason: &'static str,
    pub(crate) user: Option<&'s str>,
    pub(crate) client: Option<ClientIp>,
    pub(crate) id: Option<Id>,
    pub(crate) method: Option<Method>,
    pub(crate) route: Option<&'s str>,
    pub(crate) now: Now,
    pub(crate) inside: &'s str,
    pub(crate) count: u64,
}

impl Step<'_> {
    /// One of nobody, at a moment.
    pub(crate) const fn at(now: Now) -> Self {
        Self {
            kind: EventKind::AuthzAdmin,
            verdict: EventVerdict::Allowed,
            reason: "",
            user: None,
            client: None,
            id: None,
            method: None,
            route: None,
            now,
            inside: "",
            count: 1,
        }
    }
}

impl Observer {
    /// Writes what happened.
    pub(crate) fn step(&self, step: &Step<'_>) {
        let time = EventTime::of_unix_millis(step.now.unix_millis);
        let level = match step.verdict {
            EventVerdict::Allowed | EventVerdict::None => EventLevel::Info,
            EventVerdict::Refused | EventVerdict::ShadowRefused | EventVerdict::Unavailable => {
                EventLevel::Warn
            }
        };
        let mut event = SecurityEvent::new(time, step.kind, level, step.verdict, step.reason);
        let names = self.names.load();
        event.user = step.user.map(|user| names.user(user.as_bytes()));
        let client = step.client.map(|client| client.bucket().to_bytes());
        event.client = client.map(|bytes| names.client(&bytes));
        event.method = step.method;
        event.request_id = step.id.map(|id| EventText::new(id.text()));
        event.route = step.route.map(|route| EventText::new(route.to_owned()));
        event.count = step.count;
        event.policy_digest = self.digest();
        if !step.inside.is_empty() {
            event.detail = Some(EventText::new(step.inside.to_owned()));
        }
        self.writer.offer(event);
    }
}
