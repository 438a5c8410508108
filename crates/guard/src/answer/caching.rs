//! `Caching`: which answers nobody may keep a copy of (RFC 9111 §5.2.2.5; ASVS 5.0 14.3.2).

use portcullis_policy::{Control, HeaderRule, Need, Policy, Route};

use super::audience::{Audience, Bears};

/// What sort of answers a route gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caching {
    /// The same to everybody: files that `static` lists. The application says how long they may be kept.
    Shared,
    /// It depends on what the request has.
    ByRequest,
    /// To a caller who is known.
    Private,
}

impl Caching {
    /// What sort of answers a route of the file gives.
    #[must_use]
    pub fn of(route: &Route) -> Self {
        if route.place.line == 0 {
            Self::Shared
        } else if route.need(Control::Authentication) == Need::Required {
            Self::Private
        } else {
            Self::ByRequest
        }
    }
}

/// What the policy says of `Cache-Control`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum CacheRule {
    /// Nothing, or that something is added: answers to a caller who is known are not stored.
    #[default]
    Guarded,
    /// What it is: the policy's author answers for it.
    Stated,
}

/// Whether an answer says that it is not to be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Storing {
    /// The application says what holds.
    Free,
    /// It is not, unless the application says something.
    UnlessSaid,
    /// It is not, whatever the application says.
    Never,
}

impl CacheRule {
    pub(super) fn of(policy: &Policy) -> Self {
        let rules = policy.headers().map(|headers| &headers.rules);
        let rule = rules.and_then(|rules| {
            let mut meant = rules
                .iter()
                .filter(|(name, _)| name.as_str() == "cache-control");
            meant.next().map(|(_, rule)| rule)
        });
        match rule {
            Some(HeaderRule::Set(_) | HeaderRule::Keep) => Self::Stated,
            Some(HeaderRule::Append(_)) | None => Self::Guarded,
        }
    }

    pub(super) const fn judge(self, audience: Audience, caching: Caching) -> Storing {
        match (self, caching, audience.bears()) {
            (Self::Stated, _, _)
            | (_, Caching::Shared, _)
            | (_, Caching::ByRequest, Bears::Nothing) => Storing::Free,
            (_, Caching::ByRequest, Bears::Cookie) => Storing::UnlessSaid,
            (_, Caching::Private, _) | (_, Caching::ByRequest, Bears::Credentials) => {
                Storing::Never
            }
        }
    }
}
