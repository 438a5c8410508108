//! `Proof`: what a passed guard proves.

use portcullis_policy::Control;

/// What a passed guard proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Proof {
    /// The caller is known.
    Authentication,
    /// The caller showed a secret that only another service has.
    Service,
    /// The message is signed.
    Signature,
    /// The caller has a role or permission.
    Authorization,
    /// A row's owner was compared with the caller.
    Ownership,
    /// Requests are counted.
    RateLimit,
    /// The request comes from the application's own pages.
    Csrf,
    /// A cookie was only compared with what the request says itself.
    CsrfCompare,
    /// Input fits a schema.
    Validation,
    /// A password or code was right.
    Credential,
    /// A secret link or key was found among the rows.
    Capability,
}

impl Proof {
    /// The control it is an instance of.
    #[must_use]
    pub const fn control(self) -> Control {
        match self {
            Self::Authentication | Self::Service | Self::Credential | Self::Capability => {
                Control::Authentication
            }
            Self::Signature => Control::Signature,
            Self::Authorization => Control::Authorization,
            Self::Ownership => Control::Ownership,
            Self::RateLimit => Control::RateLimit,
            Self::Csrf | Self::CsrfCompare => Control::Csrf,
            Self::Validation => Control::Validation,
        }
    }

    /// Whether it proves who calls.
    #[must_use]
    pub const fn identifies(self) -> bool {
        matches!(self, Self::Authentication | Self::Service | Self::Signature)
    }
}
