//! Whether who calls still may, behind a body: time has passed since the session phase asked, and as much as a slow client likes. A
//! session that ended, a token that was revoked or is over, and a key that is not good any more are those of nobody.

use super::session::{alive, refuse_revoked, unknown_caller};
use super::{Case, Verdict, api_key};
use crate::principal::Principal;
use crate::reason::Reason;
use crate::store::{Answer, Ask, Batch};
use crate::token::{ClaimFault, TokenFault, Wrong};

/// Puts into a batch what has to be known.
pub(super) fn ask<'s>(case: &mut Case<'s, '_>, batch: &mut Batch<'s>) -> Verdict<'s, ()> {
    match case.principal() {
        Some(Principal::Session(caller)) => batch.push(Ask::Get {
            key: caller.session.key(),
        }),
        Some(Principal::Token(believed)) if believed.is_over(case.now) => {
            let over = TokenFault::Claim(ClaimFault {
                claim: "exp",
                wrong: Wrong::Expired,
            });
            let why = "the token ended while the body was read";
            case.bearer.refuse(Reason::of_token(over), why);
            return Err(unknown_caller(case).into());
        }
        Some(Principal::Token(believed)) => {
            batch.extend(believed.revocable().asks());
        }
        Some(Principal::Key(caller)) => batch.push(Ask::Get {
            key: caller.id.key(),
        }),
        None => {}
    }
    Ok(())
}

/// Judges by the answers, of which it takes its own.
pub(super) fn judge<'s>(
    case: &mut Case<'s, '_>,
    answers: &mut impl Iterator<Item = Answer>,
) -> Verdict<'s, ()> {
    match case.principal() {
        None => return Ok(()),
        Some(Principal::Session(caller)) => {
            let session = caller.session;
            case.caller = alive(case, session, answers.next())?.map(Box::new);
        }
        Some(Principal::Token(_)) => refuse_revoked(case, answers)?,
        Some(Principal::Key(_)) => api_key::judge_again(case, answers)?,
    }
    match case.principal() {
        Some(_) => Ok(()),
        None => Err(unknown_caller(case).into()),
    }
}

/// What it is called that nobody can say.
pub(super) fn unknown(case: &Case<'_, '_>) -> Reason {
    match case.principal() {
        Some(Principal::Token(_)) => Reason::TOKEN_UNKNOWN,
        Some(Principal::Key(_)) => Reason::KEY_UNKNOWN,
        Some(Principal::Session(_)) | None => Reason::SESSION_UNKNOWN,
    }
}
