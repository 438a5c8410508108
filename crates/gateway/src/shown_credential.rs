//! Whether a request shows a credential: a service's, or the administrator's.

use std::sync::Arc;

use portcullis_guard::bearer::BearerSecret;
use portcullis_guard::canon::HeaderSet;
use portcullis_guard::clock::Now;
use portcullis_state::keys::shown;

/// Whether the one `Authorization` field has a credential that is accepted (RFC 6750 §2.1). All are looked at, so that the time
/// does not tell which one it was near.
pub(crate) fn is_shown(secrets: &[Arc<BearerSecret>], fields: &HeaderSet<'_>, now: Now) -> bool {
    let Ok(Some(value)) = fields.one("authorization") else {
        return false;
    };
    let Some((scheme, text)) = value.split_at_checked(b"Bearer ".len()) else {
        return false;
    };
    if !scheme.eq_ignore_ascii_case(b"Bearer ") {
        return false;
    }
    let Some(bytes) = shown(text) else {
        return false;
    };
    let accepts = |found: bool, secret: &Arc<BearerSecret>| secret.accepts(&bytes, now) | found;
    secrets.iter().fold(false, accepts)
}
