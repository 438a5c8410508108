//! Commit: what can be used once is used now, all of it or nothing, behind everything that could still refuse.
//!
//! Where a body was read meanwhile, who calls is looked at once more, in the same batch ([`still_calls`]).

use super::csrf::Proof;
use super::{Case, Phase, Reads, Verdict, Work, still_calls, where_callers_are_known};
use crate::decision::Denial;
use crate::reason::Reason;
use crate::store::{Answer, Answers, Ask, Batch, Condition, Durability, Effect, StoreError};
use portcullis_policy::Control;

pub(crate) const PHASE: Phase = Phase {
    name: "commit",
    reads: Reads::Head,
    is_needed: where_callers_are_known,
    work: Work::Asks { ask, judge },
};

fn ask<'s>(case: &mut Case<'s, '_>, batch: &mut Batch<'s>) -> Verdict<'s, ()> {
    if case.body.is_some() {
        still_calls::ask(case, batch)?;
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

fn judge<'s>(case: &mut Case<'s, '_>, answers: Result<Answers, StoreError>) -> Verdict<'s, ()> {
    let unknown = |why: &'static str| Denial::because(Reason::CSRF_UNKNOWN).saying(why);
    let mut answers = match answers {
        Ok(answers) => answers.into_iter(),
        Err(error) => {
            let reason = match case.token_key {
                Some(_) => Reason::CSRF_UNKNOWN,
                None => still_calls::unknown(case),
            };
            return Err(Denial::because(reason).saying(error.class()).into());
        }
    };
    if case.body.is_some() {
        still_calls::judge(case, &mut answers)?;
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
