//! That a key was used, written behind the request: nobody is refused for it, and nobody waits longer than a moment.

use std::time::Duration;

use tokio::time::timeout;

use portcullis_guard::clock::Now;
use portcullis_guard::decision::Permit;
use portcullis_guard::principal::Principal;
use portcullis_state::api_keys::ApiKeys;

use crate::worker::Worker;

/// How long it may take. The client has its answer by then.
const USE_BUDGET: Duration = Duration::from_millis(100);

/// Writes that the caller's key is used, once a minute at most. Where that fails the list tells of an earlier use.
pub(crate) async fn note_use(worker: &Worker, permit: &Permit<'_>, now: Now) {
    let Some(Principal::Key(caller)) = permit.principal() else {
        return;
    };
    if ApiKeys::is_use_due(caller, now) {
        let keys = ApiKeys::new(worker.store());
        drop(timeout(USE_BUDGET, Box::pin(keys.note_use(caller, now))).await);
    }
}
