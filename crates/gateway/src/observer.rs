//! `Observer`: tells what happens: security events for `watch`, and words for who operates the guard.

mod step;

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;

use portcullis_guard::canon::ClientIp;
use portcullis_guard::clock::Now;
use portcullis_guard::decision::{Denial, Permit};
use portcullis_guard::http1::ResponseFault;
use portcullis_guard::reason::Reason;
use portcullis_policy::event::Pseudonym;
use portcullis_policy::event::{
    EventKind, EventLevel, EventText, EventTime, EventVerdict, LineHash, SecurityEvent,
};
use portcullis_policy::{Control, Method};
use portcullis_state::trail::{Trail, TrailNews};
use portcullis_state::{EventWriter, Pseudonyms, SystemClock};

use crate::exchange::Basics;
use crate::request_id::Id;
use crate::seen::{Seen, Watching};
use crate::upstreams::Instance;
use crate::worker::Outcome;
use portcullis_state::key_sets::Health as IssuerHealth;

pub(crate) use step::Step;

/// How many seconds lie between two words of the same sort to the operator: a log must not be what fills the disk.
const WORDS_APART_SECONDS: u64 = 10;

/// Says something to who operates the guard.
type Say = Box<dyn Fn(&str) + Send + Sync>;

/// Who is told what happens.
pub struct Observer {
    writer: EventWriter,
    names: ArcSwap<Pseudonyms>,
    clock: SystemClock,
    digest: Mutex<Option<LineHash>>,
    /// Whether the policy's file holds another policy than the one in force, and that one is not valid.
    policy_is_stale: AtomicBool,
    /// Whether the signing keys on the disk are others than those in use, and cannot be read.
    keys_are_stale: AtomicBool,
    /// What is wrong with what must outlive a restart.
    state: Mutex<Option<String>>,
    say: Say,
    /// Who is told of each request.
    watching: Option<Watching>,
    /// Where what was done is recorded.
    trail: Option<Arc<Trail>>,
    /// When each sort of word was last said, in seconds since 1970-01-01.
    said: Mutex<Vec<(&'static str, u64)>>,
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer")
    }
}

/// Something that happened to a request.
#[derive(Debug)]
pub(crate) struct Happened<'h> {
    kind: EventKind,
    verdict: EventVerdict,
    reason: &'static str,
    status: Option<u16>,
    method: Option<Method>,
    route: Option<&'h str>,
    id: Option<Id>,
    client: ClientIp,
    user: Option<Pseudonym>,
    now: Now,
    inside: &'h str,
    count: u64,
}

/// What makes two refusals the same to who reads about them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Same {
    /// The addresses of the reason's and the plan's own text: cheaper than the text, and as good within one policy.
    reason: usize,
    route: usize,
    client: ClientIp,
    user: Option<Pseudonym>,
}

impl<'h> Happened<'h> {
    /// What could not be read as a request was refused.
    pub(crate) fn unread(reason: Reason, id: Option<Id>, peer: IpAddr, now: Now) -> Self {
        Self {
            kind: kind_of(reason),
            verdict: verdict_of(reason),
            reason: reason.code,
            status: Some(reason.status),
            method: None,
            route: None,
            id,
            client: ClientIp::of_peer(peer),
            user: None,
            now,
            inside: "",
            count: 1,
        }
    }

    /// A request was refused.
    pub(crate) fn refused(
        denial: &'h Denial<'_>,
        basics: Basics,
        client: ClientIp,
        now: Now,
    ) -> Self {
        Self {
            status: Some(denial.status()),
            method: Some(basics.method),
            route: denial.route.map(|route| route.template.as_str()),
            client,
            inside: &denial.inside,
            ..Self::unread(denial.reason, Some(basics.id), client.address(), now)
        }
    }

    /// A request passed that a control would have refused.
    pub(crate) fn watched(
        reason: Reason,
        permit: &'h Permit<'_>,
        basics: Basics,
        now: Now,
    ) -> Self {
        Self {
            verdict: EventVerdict::ShadowRefused,
            status: None,
            method: Some(basics.method),
            route: Some(&permit.route().template),
            client: permit.client(),
            ..Self::unread(reason, Some(basics.id), permit.client().address(), now)
        }
    }

    /// A permitted request ended.
    pub(crate) fn finished(
        outcome: Outcome,
        permit: &'h Permit<'_>,
        basics: Basics,
        now: Now,
    ) -> Self {
        let (reason, status) = match outcome {
            Outcome::Answered(status) => ("allowed", Some(status)),
            Outcome::Broken(reason) => (reason.code, None),
        };
        Self {
            kind: EventKind::GuardAllowed,
            verdict: EventVerdict::Allowed,
            reason,
            status,
            id: Some(basics.id),
            method: Some(basics.method),
            route: Some(&permit.route().template),
            client: permit.client(),
            user: None,
            now,
            inside: "",
            count: 1,
        }
    }

    /// The same of a user whose name is known.
    pub(crate) const fn by(mut self, user: Option<Pseudonym>) -> Self {
        self.user = user;
        self
    }

    /// The route's template.
    pub(crate) const fn route(&self) -> Option<&'h str> {
        self.route
    }

    /// What it is the same as.
    pub(crate) fn same(&self) -> Same {
        Same {
            reason: self.reason.as_ptr().addr(),
            route: self.route.map_or(0, |route| route.as_ptr().addr()),
            client: self.client,
            user: self.user,
        }
    }
}

impl Observer {
    /// Events go to `writer`, clients are called by `names`, and `say` prints a line for the operator.
    #[must_use]
    pub fn new(
        writer: EventWriter,
        names: Pseudonyms,
        clock: SystemClock,
        say: impl Fn(&str) + Send + Sync + 'static,
    ) -> Self {
        Self {
            writer,
            names: ArcSwap::from_pointee(names),
            clock,
            digest: Mutex::new(None),
            policy_is_stale: AtomicBool::new(false),
            keys_are_stale: AtomicBool::new(false),
            state: Mutex::new(None),
            say: Box::new(say),
            watching: None,
            trail: None,
            said: Mutex::new(Vec::new()),
        }
    }

    /// Tells each request as well, when it has ended, to who must not keep anybody waiting.
    #[must_use]
    pub fn watched_by(mut self, tell: impl Fn(&Seen) + Send + Sync + 'static) -> Self {
        self.watching = Some(Watching::new(tell));
        self
    }

    /// What events call a user.
    pub(crate) fn user(&self, name: &str) -> Pseudonym {
        self.names.load().user(name.as_bytes())
    }

    /// Who is told of each request, if anybody is.
    pub(crate) const fn watching(&self) -> Option<&Watching> {
        self.watching.as_ref()
    }

    /// Clients and users are called by these names from now on: their key is another.
    pub fn names_are(&self, names: Pseudonyms) {
        self.names.store(Arc::new(names));
    }

    /// The policy with this digest (`sha256:` and hexadecimal digits) is in force from now on.
    pub fn in_force(&self, digest: &str) {
        let read = digest
            .strip_prefix("sha256:")
            .and_then(|digits| digits.parse::<LineHash>().ok());
        *self.digest.lock().unwrap_or_else(PoisonError::into_inner) = read;
        self.policy_is_stale.store(false, Ordering::Relaxed);
    }

    /// The policy's file has changed, and what it holds now is not valid.
    pub fn policy_refused(&self) {
        self.system(
            EventKind::SysRestart,
            EventLevel::Critical,
            "policy_refused",
            Some("a changed policy is not valid; the one before stays in force"),
        );
        self.policy_is_stale.store(true, Ordering::Relaxed);
    }

    /// Another certificate was found, and is not taken for what `detail` says.
    pub fn certificate_refused(&self, detail: &'static str) {
        self.system(
            EventKind::SysRestart,
            EventLevel::Critical,
            "certificate_refused",
            Some(detail),
        );
        self.policy_is_stale.store(true, Ordering::Relaxed);
    }

    /// The signing keys have changed, and cannot be read: those of before stay in use, also one that somebody else may know.
    pub fn signing_keys_unreadable(&self) {
        self.system(
            EventKind::GuardUnavailable,
            EventLevel::Critical,
            "issuer_keys_unreadable",
            None,
        );
        self.keys_are_stale.store(true, Ordering::Relaxed);
    }

    /// The signing keys are as they are on the disk, or there are none.
    pub fn signing_keys_read(&self) {
        self.keys_are_stale.store(false, Ordering::Relaxed);
    }

    /// How keeping what outlives a restart went: nothing when it went well. The first failure is told.
    pub fn state_is(&self, wrong: Option<String>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let (None, Some(why)) = (&*state, &wrong) {
            (self.say)(&format!("limits cannot be kept: {why}"));
            self.system(
                EventKind::GuardUnavailable,
                EventLevel::Critical,
                "limits_not_kept",
                None,
            );
        }
        *state = wrong;
    }

    /// The guard itself did something: started, took another policy, ended.
    pub fn system(
        &self,
        kind: EventKind,
        level: EventLevel,
        reason: &'static str,
        detail: Option<&'static str>,
    ) {
        let time = EventTime::of_unix_millis(self.clock.now().unix_millis);
        let mut event = SecurityEvent::new(time, kind, level, EventVerdict::None, reason);
        event.policy_digest = self.digest();
        event.detail = detail.map(EventText::new);
        self.writer.offer(event);
    }

    fn digest(&self) -> Option<LineHash> {
        *self.digest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what happened to a request, or to so many that are the same.
    pub(crate) fn happened(&self, happened: &Happened<'_>, repeats: u64) {
        let time = EventTime::of_unix_millis(happened.now.unix_millis);
        let level = match happened.verdict {
            EventVerdict::Allowed | EventVerdict::None => EventLevel::Info,
            EventVerdict::Refused | EventVerdict::ShadowRefused | EventVerdict::Unavailable => {
                EventLevel::Warn
            }
        };
        let mut event = SecurityEvent::new(
            time,
            happened.kind,
            level,
            happened.verdict,
            happened.reason,
        );
        event.status = happened.status;
        event.method = happened.method;
        event.route = happened.route.map(|route| EventText::new(route.to_owned()));
        event.request_id = happened.id.map(|id| EventText::new(id.text()));
        event.client = Some(
            self.names
                .load()
                .client(&happened.client.bucket().to_bytes()),
        );
        event.user = happened.user;
        event.count = happened.count.saturating_add(repeats);
        event.policy_digest = self.digest();
        if !happened.inside.is_empty() {
            event.detail = Some(EventText::new(happened.inside.to_owned()));
        }
        self.writer.offer(event);
    }

    /// Writes that some more of the same happened.
    pub(crate) fn repeated(
        &self,
        same: Same,
        route: Option<&str>,
        reason: Reason,
        more: u64,
        now: Now,
    ) {
        let happened = Happened {
            route,
            count: 0,
            client: same.client,
            user: same.user,
            ..Happened::unread(reason, None, same.client.address(), now)
        };
        self.happened(&happened, more);
    }

    /// A connection could not be accepted.
    pub(crate) fn accept_failed(&self, error: &io::Error) {
        self.say_rarely("accept", &format!("cannot accept connections: {error}"));
    }

    /// An instance took no connection.
    pub(crate) fn connect_failed(&self, instance: &Instance, error: &io::Error) {
        let address = &instance.address;
        self.say_rarely(
            "connect",
            &format!("no connection to the upstream {address}: {error}"),
        );
    }

    /// An instance became well or ill.
    pub(crate) fn upstream_changed(&self, instance: &Instance, well: bool) {
        let state = if well { "is well again" } else { "is down" };
        (self.say)(&format!("the upstream {} {state}", instance.address));
        let (kind, level, reason) = if well {
            (
                EventKind::SysMonitorEnabled,
                EventLevel::Info,
                "upstream_well",
            )
        } else {
            (
                EventKind::GuardUnavailable,
                EventLevel::Warn,
                "upstream_down",
            )
        };
        self.system(kind, level, reason, None);
    }

    /// The keys of an issuer cannot be fetched, or can again.
    pub(crate) fn issuer_changed(&self, health: &IssuerHealth) {
        let issuer = &health.issuer;
        let (kind, level, reason) = if let Some(fault) = &health.fault {
            let since = match health.keys {
                Some(_) => "those that were fetched before are used until they are too old",
                None => "there are none, and no token of it is believed",
            };
            (self.say)(&format!(
                "the keys of {issuer} cannot be fetched: {fault}; {since}"
            ));
            (
                EventKind::GuardUnavailable,
                EventLevel::Warn,
                "issuer_keys_missing",
            )
        } else if health.has_no_usable_key() {
            let why = match health.why_unusable {
                Some(why) => format!("of the first, {why}"),
                None => "it publishes none".to_owned(),
            };
            (self.say)(&format!(
                "no key of {issuer} can be used: {why}; no token of it is believed"
            ));
            (
                EventKind::GuardUnavailable,
                EventLevel::Warn,
                "issuer_keys_missing",
            )
        } else {
            (self.say)(&format!("the keys of {issuer} are there again"));
            (
                EventKind::SysMonitorEnabled,
                EventLevel::Info,
                "issuer_keys_there",
            )
        };
        self.system(kind, level, reason, None);
    }

    /// An upstream answered what is no strict HTTP.
    pub(crate) fn upstream_malformed(&self, fault: ResponseFault) {
        let why = fault.reason();
        self.say_rarely(
            "malformed",
            &format!("the upstream answered what is no strict HTTP/1.1: {why}"),
        );
    }

    /// Records what is done in a trail as well.
    #[must_use]
    pub fn recording(mut self, trail: Arc<Trail>) -> Self {
        self.trail = Some(trail);
        self
    }

    /// Something happened to the trail itself.
    pub fn trail_told(&self, news: &TrailNews) {
        match news {
            TrailNews::Unwritable(_) => self.system(
                EventKind::GuardUnavailable,
                EventLevel::Critical,
                "trail_unwritable",
                None,
            ),
            TrailNews::Recovered => self.system(
                EventKind::SysMonitorEnabled,
                EventLevel::Info,
                "trail_writable",
                None,
            ),
            TrailNews::Checkpoint(checkpoint) => {
                let time = EventTime::of_unix_millis(self.clock.now().unix_millis);
                let (kind, level) = (EventKind::GuardCheckpoint, EventLevel::Info);
                let none = EventVerdict::None;
                let mut event = SecurityEvent::new(time, kind, level, none, "trail_signed");
                event.policy_digest = self.digest();
                let (seq, hash) = (checkpoint.seq, checkpoint.hash);
                event.detail = Some(EventText::new(format!("record {seq}, hash {hash}")));
                self.writer.offer(event);
            }
        }
    }

    /// The trail, where there is one.
    pub(crate) fn trail(&self) -> Option<&Trail> {
        self.trail.as_deref()
    }

    /// Says something to the operator.
    pub fn say(&self, words: &str) {
        (self.say)(words);
    }

    fn say_rarely(&self, sort: &'static str, words: &str) {
        let now = self.clock.now().unix_seconds();
        {
            let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
            match said.iter_mut().find(|(one, _)| *one == sort) {
                Some((_, last)) if now < *last + WORDS_APART_SECONDS => return,
                Some((_, last)) => *last = now,
                None => said.push((sort, now)),
            }
        }
        (self.say)(words);
    }

    /// What is worse than it should be, in words that say nothing of the inside.
    pub(crate) fn troubles(&self) -> Vec<&'static str> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let troubles = [
            (
                self.writer.health().error.is_some(),
                "events cannot be written",
            ),
            (
                self.policy_is_stale.load(Ordering::Relaxed),
                "the changed policy is not valid",
            ),
            (
                self.keys_are_stale.load(Ordering::Relaxed),
                "the changed signing keys cannot be read",
            ),
            (state.is_some(), "limits cannot be kept"),
            (
                self.trail()
                    .is_some_and(|trail| trail.health().error.is_some()),
                "the audit trail cannot be written",
            ),
        ];
        let there = troubles.into_iter().filter(|(is_there, _)| *is_there);
        there.map(|(_, words)| words).collect()
    }

    /// Events that were lost.
    pub(crate) fn dropped(&self) -> u64 {
        let health = self.writer.health();
        health.dropped.saturating_add(health.lost)
    }
}

fn verdict_of(reason: Reason) -> EventVerdict {
    if reason.is_unavailable() {
        EventVerdict::Unavailable
    } else {
        EventVerdict::Refused
    }
}

/// The name that the OWASP Logging Vocabulary has for a refusal.
fn kind_of(reason: Reason) -> EventKind {
    if reason == Reason::SESSION_OVER {
        return EventKind::SessionUseAfterExpire;
    }
    if reason == Reason::SERVICE_UNKNOWN {
        return EventKind::AuthnLoginFail;
    }
    if reason == Reason::TOKEN_REVOKED || reason == Reason::KEY_REVOKED {
        return EventKind::AuthnTokenReuse;
    }
    match (reason.status, reason.control) {
        (429, _) => EventKind::ExcessRateLimitExceeded,
        (404, _) => EventKind::MaliciousExcess404,
        (500.., _) => EventKind::GuardUnavailable,
        (_, Some(Control::BodyLimit | Control::Validation)) => EventKind::InputValidationFail,
        (401 | 403 | 405 | 421, _) => EventKind::AuthzFail,
        _ => EventKind::GuardMalformedRequest,
    }
}
