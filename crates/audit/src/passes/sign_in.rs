//! Which calls sign somebody in.

use portcullis_code::value::{CallId, Values};

use crate::knowledge::Known;

/// A sign-in strategy checks credentials; it does not say that somebody was signed in before.
pub(super) fn is_login(values: &Values, known: &Known<'_>) -> bool {
    known.row.source.file.contains("passport")
        && known.calls.iter().any(|call| is_sign_in(values, *call))
}

/// Whether a call names a strategy that signs in: everything but those that read a token or key with each request.
pub(crate) fn is_sign_in(values: &Values, call: CallId) -> bool {
    const WITH_EACH_REQUEST: [&str; 8] = [
        "jwt",
        "bearer",
        "session",
        "localapikey",
        "headerapikey",
        "basic",
        "token",
        "api-key",
    ];
    values
        .call(call)
        .args
        .first()
        .and_then(|arg| values.as_text(arg.0))
        .is_some_and(|strategy| {
            !WITH_EACH_REQUEST.contains(&strategy.as_str()) && !strategy.contains("jwt")
        })
}
