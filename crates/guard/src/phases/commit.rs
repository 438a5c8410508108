//! Commit: what can be used once is used now, all of it or nothing, behind everything that could still refuse.
//!
//! Where a body was read meanwhile, time has passed since it was asked who calls, and as much as a slow client likes: a session that
//! ended, a token that was revoked or is over, and a key that is not good any more are looked at once more, in the same batch.

use super::api_key;
use super::bearer::Bearer;
use super::csrf::Proof;
use super::{Case, Phase, Reads, Verdict, Work, where_callers_are_known};
use crate::decision::Denial;
use crate::principal::Principal;
use crate::reason::Reason;
use crate::session::Stored;
use crate::store::{Answer, Answers, Ask, Batch, Condition, Durability, Effect, StoreError};
use crate::token::revocation;
use portcullis_policy::Control;

pub(crate) const PHASE: Phase = Phase {
    name: "commit",
    reads: Reads::Head,
    is_needed: where_callers_are_known,
    work: Work::Asks { ask, judge },
};

fn ask<'s>(case: &mut Case<'s, '_>, batch: &mut Batch<'s>) -> Verdict<'s, ()> {
    if case.body.is_some() {
        ask_again(case, batch)?;
    }
    // What only watches takes nothing from anybody.
    if case.shadow(Control::Csrf).is_some() {
        case.token_key = None;
    }
    if let Some(key) = &case.token_key {
        batch.push(Ask::Commit {
            conditions: vec![Condition::Exists(key.clone())],
            effects: vec![Effect::Delete(key.clone())],
            durability: Durability::Volatile,
        });
    } else if batch.is_empty() {
        let why = "the request holds nothing that can be used once";
        case.nobody_is_known(PHASE.name, why);
    }
    Ok(())
}

/// Asks once more whether who calls still may.
fn ask_again<'s>(case: &Case<'s, '_>, batch: &mut Batch<'s>) -> Verdict<'s, ()> {
    match case.principal() {
        Some(Principal::Session(caller)) => batch.push(Ask::Get {
            key: caller.session.key(),
        }),
        Some(Principal::Token(believed)) if believed.is_over(case.now) => {
            let reason = Reason::of("token_expired", 401);
            let why = "the token ended while the body was read";
            return Err(Denial::because(reason).saying(why).into());
        }
        Some(Principal::Token(believed)) => {
            for ask in revocation::asks(believed.claims()) {
                batch.push(ask);
            }
        }
        Some(Principal::Key(caller)) => batch.push(Ask::Get {
            key: caller.id.key(),
        }),
        None => {}
    }
    Ok(())
}

fn judge<'s>(case: &mut Case<'s, '_>, answers: Result<Answers, StoreError>) -> Verdict<'s, ()> {
    let unknown = |why: &'static str| Denial::because(Reason::CSRF_UNKNOWN).saying(why);
    let mut answers = match answers {
        Ok(answers) => answers.into_iter(),
        Err(error) => return Err(unknown(error.class()).into()),
    };
    if case.body.is_some() {
        judge_again(case, &mut answers)?;
    }
    if case.token_key.is_none() {
        case.passed(PHASE.name, None, || "who calls still may".to_owned());
        return Ok(());
    }
    match answers.next() {
        Some(Answer::Committed(Ok(()))) => {
            if let Proof::Token(token) = case.proof {
                case.consumed = Some(token);
            }
            case.passed(PHASE.name, None, || "the token is used".to_owned());
            Ok(())
        }
        Some(Answer::Committed(Err(_))) => {
            let why = "another request used the token at the same time";
            Err(Denial::because(Reason::CSRF_TOKEN_SPENT).saying(why).into())
        }
        _ => Err(unknown("the store answered something else than was asked").into()),
    }
}

fn judge_again<'s>(
    case: &mut Case<'s, '_>,
    answers: &mut impl Iterator<Item = Answer>,
) -> Verdict<'s, ()> {
    let why = "the store answered something else than was asked";
    match case.principal() {
        Some(Principal::Session(_)) => {
            let Some(Answer::Found(stored)) = answers.next() else {
                return Err(Denial::because(Reason::SESSION_UNKNOWN).saying(why).into());
            };
            let stored = stored.as_deref().map(Stored::decode);
            let is_alive = matches!(stored, Some(Ok(Stored::Live(record))) if record.is_alive(case.now.unix_millis));
            if !is_alive {
                let why = "the session ended while the body was read";
                return Err(Denial::because(Reason::SESSION_OVER).saying(why).into());
            }
        }
        Some(Principal::Token(believed)) => {
            let claims = believed.claims();
            let asked = revocation::asks(claims).len();
            let answers: Answers = answers.take(asked).collect();
            let unknown =
                |error: StoreError| Denial::because(Reason::TOKEN_UNKNOWN).saying(error.class());
            if revocation::is_revoked(claims, &answers).map_err(unknown)? {
                let why = "the token was revoked while the body was read";
                case.bearer = Bearer::Nobody;
                return Err(Denial::because(Reason::TOKEN_REVOKED).saying(why).into());
            }
        }
        Some(Principal::Key(_)) => api_key::judge_again(case, answers)?,
        None => {}
    }
    Ok(())
}
