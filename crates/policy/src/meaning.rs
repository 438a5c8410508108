//! `Meaning`: what a guard makes sure of, in the words of a `[[guard]]`.

use crate::Control;
use crate::word::words;

/// What a guard makes sure of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Meaning {
    /// The caller is known.
    Authentication,
    /// The caller has a role.
    Role,
    /// The caller has a permission.
    Permission,
    /// The object belongs to the caller.
    Ownership,
    /// The object belongs to the caller's tenant.
    Tenant,
    /// Requests are counted and capped.
    RateLimit,
    /// The request comes from the application's own pages.
    Csrf,
    /// The message is signed.
    Signature,
    /// The input fits a schema.
    Validation,
}

words!(Meaning, "meaning", {
    Authentication => "authentication",
    Role => "role",
    Permission => "permission",
    Ownership => "ownership",
    Tenant => "tenant",
    RateLimit => "rate_limit",
    Csrf => "csrf",
    Signature => "signature",
    Validation => "validation",
});

impl Meaning {
    /// The control that the guard enforces.
    #[must_use]
    pub const fn control(self) -> Control {
        match self {
            Self::Authentication => Control::Authentication,
            Self::Role | Self::Permission => Control::Authorization,
            Self::Ownership => Control::Ownership,
            Self::Tenant => Control::Tenant,
            Self::RateLimit => Control::RateLimit,
            Self::Csrf => Control::Csrf,
            Self::Signature => Control::Signature,
            Self::Validation => Control::Validation,
        }
    }
}
