//! What of an exchange is written into the audit trail.
//!
//! 1. A request on a route that must have a trail (`requires = ["audit_trail"]`, or a method under `confirm`) is on the disk
//!    before it is forwarded, or it is refused (`trail_unwritable`).
//! 2. What became of it follows: the status, or that nobody knows.
//! 3. Of other requests that may change something for a caller a note is written afterwards, and nobody waits for it.
//! 4. So is one of each session that began, changed or ended, by whatever it did, and of each step that failed or of which nobody
//!    knows; and one of what is done at the admin listener.

mod tokens;

use portcullis_guard::api_key::ApiKeyId;
use portcullis_guard::canon::ClientIp;
use portcullis_guard::clock::Now;
use portcullis_guard::decision::Permit;
use portcullis_guard::principal::Principal;
use portcullis_guard::reason::Reason;
use portcullis_guard::session::SessionRef;
use portcullis_policy::event::EventVerdict;
use portcullis_policy::{Control, Method};
use portcullis_state::trail::{Intent, Trail, TrailError, TrailRecord};

use crate::exchange::Basics;
use crate::live::Live;
use crate::sessions::SessionChange;
use crate::worker::Worker;

pub(crate) use tokens::{Asked, TakenBack, taken_back, token_given};

/// What is owed to the trail of a request that is forwarded.
#[derive(Debug)]
pub(crate) enum Owed {
    /// Nothing.
    Nothing,
    /// The outcome of an intent. Dropped without one, the trail says `unknown`.
    Outcome(Intent),
    /// A note, when it is over.
    Note(Box<TrailRecord>),
}

/// What stands between a permit and forwarding.
#[derive(Debug)]
pub(crate) enum Before {
    /// Nothing: it may go.
    Go(Owed),
    /// A record that has to be on the disk first.
    Wait(Box<TrailRecord>),
}

/// Says what a request owes to the trail, and whether something of it comes first.
pub(crate) fn before(
    worker: &Worker,
    live: &Live,
    permit: &Permit<'_>,
    basics: Basics,
    now: Now,
) -> Before {
    let route = permit.route();
    let must = route.recorded.contains(basics.method) && !is_watching(permit, basics, now);
    let Some(trail) = worker.trail() else {
        // The policy was found to need none when it was loaded; what went wrong since is no reason to let it pass.
        return if must {
            Before::Wait(Box::new(TrailRecord::intent()))
        } else {
            Before::Go(Owed::Nothing)
        };
    };
    if must {
        let record = about(TrailRecord::intent(), trail, live, permit, basics);
        return Before::Wait(Box::new(record));
    }
    let is_safe = matches!(basics.method, Method::Get | Method::Head | Method::Options);
    let is_asked = route.recorded.contains(basics.method);
    if !is_asked && (is_safe || !route.kind.has_caller()) {
        return Before::Go(Owed::Nothing);
    }
    let record = about(TrailRecord::note(), trail, live, permit, basics);
    Before::Go(Owed::Note(Box::new(record)))
}

/// Puts an intent on the disk.
///
/// # Errors
///
/// When it is not there, for whatever reason: the request must not be forwarded.
pub(crate) async fn intend(worker: &Worker, record: TrailRecord) -> Result<Owed, TrailError> {
    match worker.trail() {
        Some(trail) => trail.intent(record).await.map(Owed::Outcome),
        None => Err(TrailError::Ended),
    }
}

/// Whether the policy only watches here: then nothing is refused for the trail, and a note is written as far as it can be.
fn is_watching(permit: &Permit<'_>, basics: Basics, now: Now) -> bool {
    let (method, today) = (basics.method, now.unix_day());
    let shadow = permit.route().shadow(Control::AuditTrail, method, today);
    shadow.is_some()
}

/// What became of a request that passed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Became {
    /// It was answered with this status.
    Answered(u16),
    /// Nothing of it was sent, for this reason.
    NotSent(Reason),
    /// Nobody knows: what was not answered may have been done all the same.
    Unknown,
}

/// Writes what became of it. Waits for nothing.
pub(crate) fn after(worker: &Worker, owed: Owed, became: Became) {
    match (owed, became) {
        (Owed::Nothing, _) => {}
        (Owed::Outcome(intent), Became::Answered(status)) => intent.outcome(status),
        (Owed::Outcome(intent), Became::NotSent(reason)) => intent.refused(reason.code),
        (Owed::Outcome(intent), Became::Unknown) => intent.unknown(),
        (Owed::Note(record), became) => {
            let record = match became {
                Became::Answered(status) => record.status(status),
                Became::NotSent(reason) => record.verdict(EventVerdict::Refused, reason.code),
                Became::Unknown => record.detail("nobody knows what was answered"),
            };
            if let Some(trail) = worker.trail() {
                trail.note(record);
            }
        }
    }
}

/// Writes what became of sessions, one record for each. Waits for nothing.
pub(crate) fn session(
    worker: &Worker,
    live: &Live,
    permit: &Permit<'_>,
    basics: Basics,
    change: &SessionChange,
) {
    let Some(trail) = worker.trail() else {
        return;
    };
    let names = trail.names();
    for session in &change.sessions {
        // Whose session it is need not be who asked: somebody else may have been logged in before.
        let record = of_request(TrailRecord::session_changed(), trail, live, permit, basics)
            .verdict(EventVerdict::Allowed, change.reason)
            .rule(Control::Session.as_str(), None)
            .user(&change.user, names)
            // By its reference, as a caller's session is: both have one name.
            .session(&session.0, names);
        trail.note(match &change.tenant {
            Some(tenant) => record.tenant(tenant, names),
            None => record,
        });
    }
}

/// Writes that a step of a session was asked for, and did not take place, or that nobody knows whether it did.
pub(crate) fn session_failed(
    worker: &Worker,
    live: &Live,
    permit: &Permit<'_>,
    basics: Basics,
    asked: &'static str,
    is_unknown: bool,
) {
    let Some(trail) = worker.trail() else {
        return;
    };
    let (verdict, reason) = if is_unknown {
        (EventVerdict::Unavailable, "unknown")
    } else {
        (EventVerdict::Refused, "session_not_kept")
    };
    let record = about(TrailRecord::session_changed(), trail, live, permit, basics)
        .verdict(verdict, reason)
        .rule(Control::Session.as_str(), None);
    trail.note(record.detail(asked));
}

/// What the trail calls the API key that somebody called by, or that was made or changed.
const KEY_TARGET: &str = "api_key";

/// What somebody did at the admin listener.
#[derive(Debug)]
pub(crate) struct AdminAct<'a> {
    pub(crate) client: ClientIp,
    pub(crate) method: Method,
    /// The template of what was asked for.
    pub(crate) route: &'static str,
    pub(crate) verdict: EventVerdict,
    pub(crate) reason: &'static str,
    /// What was administrated.
    pub(crate) control: Control,
    /// About whom; nobody where that is not known.
    pub(crate) user: Option<&'a str>,
    /// About which API key.
    pub(crate) key: Option<ApiKeyId>,
    /// The sessions that ended.
    pub(crate) ended: &'a [SessionRef],
}

impl AdminAct<'_> {
    /// A record of it.
    fn on(&self, record: TrailRecord, trail: &Trail, live: &Live) -> TrailRecord {
        let names = trail.names();
        let record = record
            .client(self.client.address(), names)
            .action(Some(self.method), self.route)
            .verdict(self.verdict, self.reason)
            .rule(self.control.as_str(), None);
        let record = match self.user {
            Some(user) => record.user(user, names),
            None => record,
        };
        let record = match self.key {
            Some(key) => record.target(KEY_TARGET, &key.to_string(), names),
            None => record,
        };
        by_policy(record, live)
    }
}

/// Puts on the disk what somebody is about to do at the admin listener.
///
/// # Errors
///
/// When it is not there, for whatever reason: it must not be done.
pub(crate) async fn admin_intends(
    trail: &Trail,
    live: &Live,
    act: &AdminAct<'_>,
) -> Result<Intent, TrailError> {
    trail
        .intent(act.on(TrailRecord::intent(), trail, live))
        .await
}

/// Writes what somebody did at the admin listener, and each session that ended by it. Waits for nothing.
pub(crate) fn admin(trail: &Trail, live: &Live, act: &AdminAct<'_>) {
    trail.note(act.on(TrailRecord::admin(), trail, live));
    for session in act.ended {
        let record = act.on(TrailRecord::session_changed(), trail, live);
        trail.note(record.session(&session.0, trail.names()));
    }
}

/// What a request is about, with who is calling.
fn about(
    record: TrailRecord,
    trail: &Trail,
    live: &Live,
    permit: &Permit<'_>,
    basics: Basics,
) -> TrailRecord {
    let record = of_request(record, trail, live, permit, basics);
    let record = match permit.principal() {
        Some(principal) => {
            let known = record.user(&principal.name(), trail.names());
            let known = match principal {
                Principal::Key(caller) => {
                    known.target(KEY_TARGET, &caller.id.to_string(), trail.names())
                }
                Principal::Session(_) | Principal::Token(_) => known,
            };
            match principal.tenant() {
                Some(tenant) => known.tenant(tenant, trail.names()),
                None => known,
            }
        }
        None => record,
    };
    match permit.principal().and_then(Principal::session) {
        Some(session) => record.session(&session, trail.names()),
        None => record,
    }
}

fn of_request(
    record: TrailRecord,
    trail: &Trail,
    live: &Live,
    permit: &Permit<'_>,
    basics: Basics,
) -> TrailRecord {
    let route = permit.route();
    let line = route.line.and_then(|line| u32::try_from(line).ok());
    let record = record
        .request(&basics.id.text())
        .client(permit.client().address(), trail.names())
        .action(Some(basics.method), &route.template)
        .verdict(EventVerdict::Allowed, "forwarded")
        .rule(Control::AuditTrail.as_str(), line);
    by_policy(record, live)
}

fn by_policy(record: TrailRecord, live: &Live) -> TrailRecord {
    let digest = live.plan.digest.strip_prefix("sha256:");
    match digest.and_then(|digest| digest.parse().ok()) {
        Some(digest) => record.policy(digest),
        None => record,
    }
}
