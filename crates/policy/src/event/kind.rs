//! `EventKind`, `EventLevel`, `EventVerdict`: the words of an event.

use serde::{Deserialize, Deserializer};

use crate::word::words;

/// What happened, by the names of the OWASP Logging Vocabulary Cheat Sheet. Where it has no word there is one of ours,
/// which begins with `guard_`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(
    missing_docs,
    reason = "the vocabulary explains its names; ours are explained here"
)]
pub enum EventKind {
    AuthnLoginSuccess,
    AuthnLoginFail,
    AuthnLoginLock,
    AuthnTokenCreated,
    AuthnTokenRevoked,
    AuthnTokenReuse,
    AuthnTokenDelete,
    AuthzFail,
    AuthzChange,
    AuthzAdmin,
    ExcessRateLimitExceeded,
    InputValidationFail,
    MaliciousExcess404,
    MaliciousExtraneous,
    MaliciousAttackTool,
    MaliciousCors,
    MaliciousDirectReference,
    PrivilegePermissionsChanged,
    SensitiveCreate,
    SensitiveRead,
    SensitiveUpdate,
    SensitiveDelete,
    SequenceFail,
    SessionCreated,
    SessionRenewed,
    SessionExpired,
    SessionUseAfterExpire,
    SysStartup,
    SysShutdown,
    /// Of the guard: a policy was loaded while it ran, or refused.
    SysRestart,
    SysCrash,
    SysMonitorDisabled,
    SysMonitorEnabled,
    /// A request passed.
    GuardAllowed,
    /// A request could not be decided or served: a store, a key set, the application.
    GuardUnavailable,
    /// A request was so malformed that it has no meaning.
    GuardMalformedRequest,
    /// The audit trail up to a record was signed.
    GuardCheckpoint,
}

words!(EventKind, "kind of event", {
    AuthnLoginSuccess => "authn_login_success",
    AuthnLoginFail => "authn_login_fail",
    AuthnLoginLock => "authn_login_lock",
    AuthnTokenCreated => "authn_token_created",
    AuthnTokenRevoked => "authn_token_revoked",
    AuthnTokenReuse => "authn_token_reuse",
    AuthnTokenDelete => "authn_token_delete",
    AuthzFail => "authz_fail",
    AuthzChange => "authz_change",
    AuthzAdmin => "authz_admin",
    ExcessRateLimitExceeded => "excess_rate_limit_exceeded",
    InputValidationFail => "input_validation_fail",
    MaliciousExcess404 => "malicious_excess_404",
    MaliciousExtraneous => "malicious_extraneous",
    MaliciousAttackTool => "malicious_attack_tool",
    MaliciousCors => "malicious_cors",
    MaliciousDirectReference => "malicious_direct_reference",
    PrivilegePermissionsChanged => "privilege_permissions_changed",
    SensitiveCreate => "sensitive_create",
    SensitiveRead => "sensitive_read",
    SensitiveUpdate => "sensitive_update",
    SensitiveDelete => "sensitive_delete",
    SequenceFail => "sequence_fail",
    SessionCreated => "session_created",
    SessionRenewed => "session_renewed",
    SessionExpired => "session_expired",
    SessionUseAfterExpire => "session_use_after_expire",
    SysStartup => "sys_startup",
    SysShutdown => "sys_shutdown",
    SysRestart => "sys_restart",
    SysCrash => "sys_crash",
    SysMonitorDisabled => "sys_monitor_disabled",
    SysMonitorEnabled => "sys_monitor_enabled",
    GuardAllowed => "guard_allowed",
    GuardUnavailable => "guard_unavailable",
    GuardMalformedRequest => "guard_malformed_request",
    GuardCheckpoint => "guard_checkpoint",
});

/// How much it matters, as the vocabulary has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventLevel {
    /// For the record.
    Info,
    /// Somebody may want to look.
    Warn,
    /// Somebody has to look.
    Critical,
}

words!(EventLevel, "level", {
    Info => "INFO",
    Warn => "WARN",
    Critical => "CRITICAL",
});

/// What the guard did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventVerdict {
    /// It let the request pass.
    Allowed,
    /// It refused the request.
    Refused,
    /// It could not decide, which refuses.
    Unavailable,
    /// It would have refused, and a shadow exception let the request pass.
    ShadowRefused,
    /// It was not asked: the event is of no request.
    None,
}

words!(EventVerdict, "verdict", {
    Allowed => "allowed",
    Refused => "refused",
    Unavailable => "unavailable",
    ShadowRefused => "shadow_refused",
    None => "none",
});

/// Reads a word back by the same list that writes it.
macro_rules! read_words {
    ($($type:ident),+) => {
        $(impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                super::field::word(from)
            }
        })+
    };
}

read_words!(EventKind, EventLevel, EventVerdict);
