//! Bearer: the token that is shown is judged by its signature and its claims. Whether it was revoked, the next phase asks the store.
//!
//! A token that is not believed makes an anonymous caller of who shows it, as a session does that is over; only where somebody
//! must be known is it a refusal. It is not forwarded: behind the guard nobody may take it for one that was looked at.

use super::{Case, Phase, Reads, Stop, Verdict, Work};
use crate::credential::{Place, Shown};
use crate::identity_plan::SourcePlan;
use crate::reason::{Inside, Reason};
use crate::session::Binding;
use crate::token::{Believed, Unbelieved};

/// Who calls by a token.
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
    reads: Reads::Token(|case| case.plan.identity.tokens.is_some()),
    is_needed: |plan| plan.identity.tokens.is_some(),
    work: Work::Judges(judge),
};

/// Takes over what was found out about the token.
pub(super) fn judge<'s>(case: &mut Case<'s, '_>) -> Verdict<'s, ()> {
    if case.plan.identity.tokens.is_none() {
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
        (Some(Shown::Malformed(place)), None) => {
            let why = "not one field of one scheme, one space and one token, or a cookie twice";
            refused(Reason::CREDENTIAL_MALFORMED, why.into(), place)
        }
        (Some(Shown::Nothing), None) => {
            case.not_needed(PHASE.name, "no token is shown");
            Bearer::Nobody
        }
        _ => return Err(Stop::from(Reason::DECISION_CONFUSED)),
    };
    if let Bearer::Refused { inside, .. } = &case.bearer {
        let why = format!("nobody calls by the token: {inside}");
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
    /// The token, if it is believed.
    pub(crate) const fn believed(&self) -> Option<&Believed> {
        match self {
            Self::Believed { believed, .. } => Some(believed),
            Self::Nobody | Self::Refused { .. } => None,
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
