//! What of the guard's own tokens is written into the audit trail: before one leaves, and after one was taken back.

use portcullis_guard::canon::ClientIp;
use portcullis_guard::issuing::NewToken;
use portcullis_policy::event::EventVerdict;
use portcullis_policy::{Control, Method};
use portcullis_state::trail::{Intent, Trail, TrailError, TrailRecord};

use super::by_policy;
use crate::exchange::Basics;
use crate::live::Live;
use crate::worker::Worker;

/// Who asked for a token, and for which sort of answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub(crate) client: ClientIp,
    pub(crate) basics: Basics,
    /// The template of what was asked for.
    pub(crate) route: &'static str,
    pub(crate) reason: &'static str,
}

/// Puts on the disk that a token is given out. Nothing where there is no trail.
///
/// # Errors
///
/// When it is not there, for whatever reason: the token must not leave.
pub(crate) async fn token_given(
    worker: &Worker,
    live: &Live,
    asked: &Asked,
    said: &NewToken,
) -> Result<Option<Intent>, TrailError> {
    let Some(trail) = worker.trail() else {
        return Ok(None);
    };
    let names = trail.names();
    let record = TrailRecord::intent()
        .request(&asked.basics.id.text())
        .client(asked.client.address(), names)
        .action(Some(asked.basics.method), asked.route)
        .user(&said.user_id, names)
        .target("jti", &said.token_id, names)
        .verdict(EventVerdict::Allowed, asked.reason)
        .rule(Control::Authentication.as_str(), None);
    trail.intent(by_policy(record, live)).await.map(Some)
}

/// What somebody took back at the admin listener.
#[derive(Debug)]
pub(crate) struct TakenBack<'a> {
    pub(crate) client: ClientIp,
    pub(crate) verdict: EventVerdict,
    pub(crate) reason: &'static str,
    /// The token, by its id.
    pub(crate) token_id: Option<&'a str>,
    /// The user whose tokens they are, where that is known.
    pub(crate) user: Option<&'a str>,
}

/// Writes what was taken back, or could not be. Waits for nothing: what is taken back is so on the disk of the store.
pub(crate) fn taken_back(trail: &Trail, live: &Live, act: &TakenBack<'_>) {
    let names = trail.names();
    let mut record = TrailRecord::admin()
        .client(act.client.address(), names)
        .action(Some(Method::Post), "/tokens/revoke")
        .verdict(act.verdict, act.reason)
        .rule(Control::Authentication.as_str(), None);
    if let Some(user) = act.user {
        record = record.user(user, names);
    }
    if let Some(token_id) = act.token_id {
        record = record.target("jti", token_id, names);
    }
    trail.note(by_policy(record, live));
}
