//! `TrailRecord`: what a caller says of something that is or was done.

use std::net::IpAddr;

use portcullis_policy::Method;
use portcullis_policy::event::{EventText, EventVerdict, LineHash};

use super::body::{Body, TARGETS_MAX};
use super::kind::TrailKind;
use super::names::TrailNames;

/// What is or was done, by whom and to what. It has no place for a header, a query or a body, and what names a person is
/// masked when it is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrailRecord {
    pub(super) body: Body,
}

impl TrailRecord {
    /// A record of something that was done.
    #[must_use]
    pub const fn note() -> Self {
        Self::of(TrailKind::Note)
    }

    /// A record of something that is about to be done.
    #[must_use]
    pub const fn intent() -> Self {
        Self::of(TrailKind::Intent)
    }

    /// A session began, changed or ended.
    #[must_use]
    pub const fn session_changed() -> Self {
        Self::of(TrailKind::Session)
    }

    /// Somebody administrated the guard.
    #[must_use]
    pub const fn admin() -> Self {
        Self::of(TrailKind::Admin)
    }

    const fn of(kind: TrailKind) -> Self {
        Self {
            body: Body::new(kind),
        }
    }

    /// The id that the guard gave the request.
    #[must_use]
    pub fn request(mut self, id: &str) -> Self {
        self.body.request = Some(EventText::new(id.to_owned()));
        self
    }

    /// Who did it, as the identity says.
    #[must_use]
    pub fn user(mut self, user: &str, names: &TrailNames) -> Self {
        self.body.user = Some(names.masked(user));
        self
    }

    /// For which tenant, as the identity says.
    #[must_use]
    pub fn tenant(mut self, tenant: &str, names: &TrailNames) -> Self {
        self.body.tenant = Some(names.masked(tenant));
        self
    }

    /// In which session: its id, which is kept as a keyed hash.
    #[must_use]
    pub fn session(mut self, id: &[u8], names: &TrailNames) -> Self {
        self.body.session = Some(names.session(id));
        self
    }

    /// From which address, which is kept as a keyed hash.
    #[must_use]
    pub fn client(mut self, address: IpAddr, names: &TrailNames) -> Self {
        self.body.client = Some(names.client(address));
        self
    }

    /// What was done: the method, and the template of the route as the policy has it, never the path.
    #[must_use]
    pub fn action(mut self, method: Option<Method>, route: &str) -> Self {
        self.body.method = method;
        self.body.route = Some(EventText::new(route.to_owned()));
        self
    }

    /// To what: a parameter of the path that the policy calls the object. Beyond the eighth they are left out.
    #[must_use]
    pub fn target(mut self, name: &str, value: &str, names: &TrailNames) -> Self {
        if self.body.target.len() < TARGETS_MAX {
            let target = (EventText::new(name.to_owned()), names.masked(value));
            self.body.target.push(target);
        }
        self
    }

    /// What the guard did, and why: a stable code of ours.
    #[must_use]
    pub fn verdict(mut self, verdict: EventVerdict, reason: &'static str) -> Self {
        self.body.verdict = Some(verdict);
        self.body.reason = Some(EventText::new(reason));
        self
    }

    /// The control or rule that decided, and its line in the policy.
    #[must_use]
    pub fn rule(mut self, rule: &'static str, line: Option<u32>) -> Self {
        self.body.rule = Some(EventText::new(rule));
        self.body.line = line;
        self
    }

    /// SHA-256 of the policy that was in force.
    #[must_use]
    pub const fn policy(mut self, digest: LineHash) -> Self {
        self.body.policy = Some(digest);
        self
    }

    /// The status that was answered.
    #[must_use]
    pub const fn status(mut self, status: u16) -> Self {
        self.body.status = Some(status);
        self
    }

    /// More words, none of which may come from a request.
    #[must_use]
    pub fn detail(mut self, words: &'static str) -> Self {
        self.body.detail = Some(EventText::new(words));
        self
    }
}
