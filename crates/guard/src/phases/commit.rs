//! Commit: what can be used once is used now, all of it or nothing, behind everything that could still refuse.

use super::csrf::Proof;
use super::{Case, Phase, Reads, Verdict, Work};
use crate::decision::Denial;
use crate::reason::Reason;
use crate::store::{Answer, Answers, Ask, Batch, Condition, Durability, Effect, StoreError};
use portcullis_policy::Control;

pub(crate) const PHASE: Phase = Phase {
    name: "commit",
    reads: Reads::Head,
    work: Work::Asks { ask, judge },
};

fn ask<'s>(case: &mut Case<'s, '_>, batch: &mut Batch<'s>) -> Verdict<'s, ()> {
    let Some(key) = &case.token_key else {
        case.nobody_is_known(
            PHASE.name,
            "the request holds nothing that can be used once",
        );
        return Ok(());
    };
    // What only watches takes nothing from anybody.
    if case.shadow(Control::Csrf).is_some() {
        case.token_key = None;
        return Ok(());
    }
    batch.push(Ask::Commit {
        conditions: vec![Condition::Exists(key.clone())],
        effects: vec![Effect::Delete(key.clone())],
        durability: Durability::Volatile,
    });
    Ok(())
}

fn judge<'s>(case: &mut Case<'s, '_>, answers: Result<Answers, StoreError>) -> Verdict<'s, ()> {
    let why = match answers.as_deref() {
        Ok([Answer::Committed(Ok(()))]) => {
            if let Proof::Token(token) = case.proof {
                case.consumed = Some(token);
            }
            case.passed(PHASE.name, None, || "the token is used".to_owned());
            return Ok(());
        }
        Ok([Answer::Committed(Err(_))]) => {
            let denial = Denial::because(Reason::CSRF_TOKEN_SPENT)
                .saying("another request used the token at the same time");
            return Err(denial.into());
        }
        Ok(_) => "the store answered something else than was asked",
        Err(error) => error.class(),
    };
    Err(Denial::because(Reason::CSRF_UNKNOWN).saying(why).into())
}
