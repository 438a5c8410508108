//! What of an exchange is written into the audit trail.
//!
//! 1. A request on a route that must have a trail (`requires = ["audit_trail"]`, or a method under `confirm`) is on the disk
//!    before it is forwarded, or it is refused (`trail_unwritable`).
//! 2. What became of it follows: the status, or that nobody knows.
//! 3. Of other requests that may change something for a caller a note is written afterwards, and nobody waits for it.
//! 4. So is one of each session that began, changed or ended.

use portcullis_guard::clock::Now;
use portcullis_guard::decision::Permit;
use portcullis_guard::session::{SessionRef, SessionWord};
use portcullis_policy::event::EventVerdict;
use portcullis_policy::{Control, Method};
use portcullis_state::trail::{Intent, Trail, TrailError, TrailRecord};

use crate::exchange::Basics;
use crate::live::Live;
use crate::worker::Worker;

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

/// Writes what became of it: the status that was answered, or nothing where that is not known. Waits for nothing.
pub(crate) fn after(worker: &Worker, owed: Owed, status: Option<u16>) {
    match (owed, status) {
        (Owed::Nothing, _) => {}
        (Owed::Outcome(intent), Some(status)) => intent.outcome(status),
        (Owed::Outcome(intent), None) => intent.unknown(),
        (Owed::Note(record), status) => {
            let record = match status {
                Some(status) => record.status(status),
                None => record.detail("nobody knows what was answered"),
            };
            if let Some(trail) = worker.trail() {
                trail.note(record);
            }
        }
    }
}

/// What became of a session, as the trail has it.
#[derive(Debug)]
pub(crate) struct SessionChange {
    reason: &'static str,
    /// Of whom it is, and for which tenant, where that is said.
    user: Option<String>,
    tenant: Option<String>,
}

impl SessionChange {
    /// What a word of the application's does, once it is done.
    pub(crate) fn of(word: &SessionWord) -> Self {
        let (reason, user, tenant) = match word {
            SessionWord::Create { user, tenant, .. } => {
                ("session_created", Some(user.clone()), tenant.clone())
            }
            SessionWord::Rotate { tenant, .. } => ("session_rotated", None, tenant.clone()),
            SessionWord::End => ("session_ended", None, None),
            SessionWord::EndAll => ("sessions_all_ended", None, None),
        };
        Self {
            reason,
            user,
            tenant,
        }
    }
}

/// Writes what became of a session; `id` is that of the session that is there now. Waits for nothing.
pub(crate) fn session(
    worker: &Worker,
    live: &Live,
    permit: &Permit<'_>,
    basics: Basics,
    change: SessionChange,
    id: Option<&[u8; 32]>,
) {
    let Some(trail) = worker.trail() else {
        return;
    };
    let names = trail.names();
    let mut record = about(TrailRecord::session_changed(), trail, live, permit, basics)
        .verdict(EventVerdict::Allowed, change.reason)
        .rule(Control::Session.as_str(), None);
    if let Some(user) = &change.user {
        record = record.user(user, names);
    }
    if let Some(tenant) = &change.tenant {
        record = record.tenant(tenant, names);
    }
    if let Some(id) = id {
        // By its reference, as a caller's session is: both have one name.
        record = record.session(&SessionRef::of(id).0, names);
    }
    trail.note(record);
}

fn about(
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
    let record = match permit.principal() {
        Some(principal) => {
            let known = record.user(&principal.name(), trail.names());
            match principal.tenant() {
                Some(tenant) => known.tenant(tenant, trail.names()),
                None => known,
            }
        }
        None => record,
    };
    let record = match permit.caller() {
        Some(caller) => record.session(&caller.session.0, trail.names()),
        None => record,
    };
    let digest = live.plan.digest.strip_prefix("sha256:");
    match digest.and_then(|digest| digest.parse().ok()) {
        Some(digest) => record.policy(digest),
        None => record,
    }
}
