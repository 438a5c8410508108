//! `Control`: the join key of all verbs.

use crate::word::words;

/// A protection a service can have. A rule reports its absence, the guard enforces it, a probe tries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Control {
    /// The caller is known.
    Authentication,
    /// The caller has the role or permission that the operation needs.
    Authorization,
    /// The object touched belongs to the caller.
    Ownership,
    /// The object touched belongs to the caller's tenant.
    Tenant,
    /// A state-changing request proves that it comes from the application's own pages.
    Csrf,
    /// Requests per client are counted and capped.
    RateLimit,
    /// A message from another service is signed, and the signature is checked.
    Signature,
    /// Input has a schema, and what does not fit is refused.
    Validation,
    /// Input has a largest size.
    BodyLimit,
    /// Only named fields are written.
    FieldAllowList,
    /// Only named fields are shown.
    OutputFilter,
    /// An error says nothing of the inside, and lets nothing pass.
    ErrorHandling,
    /// A bearer token is verified: signature, algorithm, audience, issuer, expiry.
    Token,
    /// A session is created, bound, expired and ended properly.
    Session,
    /// An answer does not tell whether an account exists.
    EnumerationResistance,
    /// A dangerous operation is confirmed by a code bound to user, session, action and target.
    Confirmation,
    /// The answer carries the headers that tell a browser what it may do with it.
    SecurityHeaders,
    /// What was done, by whom and to what, is written where it cannot be changed.
    AuditTrail,
}

words!(Control, "control", {
    Authentication => "authentication",
    Authorization => "authorization",
    Ownership => "ownership",
    Tenant => "tenant",
    Csrf => "csrf",
    RateLimit => "rate_limit",
    Signature => "signature",
    Validation => "validation",
    BodyLimit => "body_limit",
    FieldAllowList => "field_allow_list",
    OutputFilter => "output_filter",
    ErrorHandling => "error_handling",
    Token => "token",
    Session => "session",
    EnumerationResistance => "enumeration_resistance",
    Confirmation => "confirmation",
    SecurityHeaders => "security_headers",
    AuditTrail => "audit_trail",
});
