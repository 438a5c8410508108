//! Bearer: the token that is shown is judged by its signature and its claims, the key by its form. Whether the token was revoked and
//! whether there is such a key, the next phase asks the store.
//!
//! A token that is not believed makes an anonymous caller of who shows it, as a session does that is over; only where somebody
//! must be known is it a refusal. It is not forwarded: behind the guard nobody may take it for one that was looked at.

use super::{Case, Phase, Reads, Stop, Verdict, Work};
use crate::api_key::{KeyCaller, ShownKey};
use crate::credential::{Place, Shown};
use crate::identity_plan::SourcePlan;
use crate::principal::Principal;
use crate::reason::{Inside, Reason};
use crate::session::{Binding, Caller};
use crate::token::{Believed, Unbelieved};

/// Who calls by what the request shows on purpose.
#[derive(Debug, Default)]
pub(crate) enum Bearer {
    /// Nobody: none is shown.
    #[default]
    Nobody,
    /// Who it says.
    Believed {
        /// What it says.
        believed: Believed,
        /// Where it stands.
        place: Place,
    },
    /// Nobody yet: a key is shown, and the store was not asked.
    Named(ShownKey),
    /// Whose key it is.
    Keyed(Box<KeyCaller>),
    /// Nobody, as the one that is shown is not believed.
    Refused {
        /// Why.
        reason: Reason,
        /// More of it.
        inside: Inside,
        /// Where it stands.
        place: Place,
    },
}

pub(crate) const PHASE: Phase = Phase {
    name: "bearer",
    reads: Reads::Token(|case| case.plan.identity.reads_credentials()),
    is_needed: |plan| plan.identity.reads_credentials(),
    work: Work::Judges(judge),
};

/// Takes over what was found out about the token.
pub(super) fn judge<'s>(case: &mut Case<'s, '_>) -> Verdict<'s, ()> {
    if !case.plan.identity.reads_credentials() {
        return Ok(());
    }
    let judged = case.judged.take();
    case.bearer = match (case.credential, judged) {
        (Some(Shown::Token { place, .. }), Some(Ok(believed))) => {
            case.passed(PHASE.name, None, || {
                format!("a token of `{}` holds", believed.claims().issuer())
            });
            Bearer::Believed { believed, place }
        }
        (Some(Shown::Token { place, .. }), Some(Err(Unbelieved::Fault(fault)))) => {
            refused(Reason::of_token(fault), fault.to_string().into(), place)
        }
        (Some(Shown::Token { place, .. }), Some(Err(Unbelieved::Unavailable(why)))) => {
            refused(Reason::TOKEN_UNKNOWN, why, place)
        }
        (Some(Shown::Key(key)), None) => Bearer::Named(key),
        (Some(Shown::BrokenKey(fault)), None) => {
            let why = fault.to_string().into();
            refused(Reason::CREDENTIAL_MALFORMED, why, Place::Header)
        }
        (Some(Shown::Malformed(place)), None) => {
            let why = "not one field of one scheme, one space and one token, or a cookie twice, or a key beside another credential";
            refused(Reason::CREDENTIAL_MALFORMED, why.into(), place)
        }
        (Some(Shown::Nothing), None) => {
            case.not_needed(PHASE.name, "no token is shown");
            Bearer::Nobody
        }
        _ => return Err(Stop::from(Reason::DECISION_CONFUSED)),
    };
    if let Bearer::Refused { inside, .. } = &case.bearer {
        let why = format!("nobody calls by what is shown: {inside}");
        case.passed(PHASE.name, None, || why);
    }
    Ok(())
}

const fn refused(reason: Reason, inside: Inside, place: Place) -> Bearer {
    Bearer::Refused {
        reason,
        inside,
        place,
    }
}

impl Bearer {
    /// Nobody calls by what was believed before, for this reason.
    pub(super) fn refuse(&mut self, reason: Reason, why: impl Into<Inside>) {
        let place = match self {
            Self::Believed { place, .. } | Self::Refused { place, .. } => *place,
            Self::Nobody | Self::Named(_) | Self::Keyed(_) => Place::Header,
        };
        *self = refused(reason, why.into(), place);
    }

    /// The token, if it is believed.
    pub(crate) const fn believed(&self) -> Option<&Believed> {
        match self {
            Self::Believed { believed, .. } => Some(believed),
            Self::Nobody | Self::Named(_) | Self::Keyed(_) | Self::Refused { .. } => None,
        }
    }

    /// Where the token stands that is believed.
    pub(crate) const fn believed_in(&self) -> Option<Place> {
        match self {
            Self::Believed { place, .. } => Some(*place),
            Self::Nobody | Self::Named(_) | Self::Keyed(_) | Self::Refused { .. } => None,
        }
    }

    /// Who calls, where that is whose session it is unless something else is shown on purpose.
    pub(crate) fn principal<'c>(&'c self, caller: Option<&'c Caller>) -> Option<Principal<'c>> {
        match self {
            Self::Believed { believed, .. } => Some(Principal::Token(believed)),
            Self::Keyed(caller) => Some(Principal::Key(caller)),
            Self::Named(_)
            | Self::Refused {
                place: Place::Header,
                ..
            } => None,
            Self::Nobody
            | Self::Refused {
                place: Place::Cookie,
                ..
            } => caller.map(Principal::Session),
        }
    }

    /// The session that it names, where the policy has sessions by a claim. One without the claim is bound to its user.
    pub(crate) fn binding(&self, source: Option<&SourcePlan>) -> Option<Binding> {
        let Some(SourcePlan::Claim(_)) = source else {
            return None;
        };
        let claims = self.believed()?.claims();
        let issuer = claims.issuer().as_bytes();
        Some(match claims.session() {
            Some(session) => Binding::claim(issuer, session.as_bytes()),
            None => Binding::subject(issuer, claims.subject().as_bytes()),
        })
    }
}
