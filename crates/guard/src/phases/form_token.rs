//! Form token: where the token is in a form, it is read now, and the store is asked whether it is live.

use super::csrf::{Proof, hold_against_cookies, refuse};
use super::{Case, Phase, Reads, Verdict, Work, where_callers_are_known};
use crate::csrf::{field_token, keys_of};
use crate::decision::Denial;
use crate::reason::Reason;
use crate::store::{Answer, Answers, Ask, Batch, StoreError};

pub(crate) const PHASE: Phase = Phase {
    name: "form token",
    reads: Reads::Body,
    is_needed: where_callers_are_known,
    work: Work::Asks { ask, judge },
};

fn ask<'s>(case: &mut Case<'s, '_>, batch: &mut Batch<'s>) -> Verdict<'s, ()> {
    let (Proof::InForm, Some(csrf)) = (case.proof, &case.plan.identity.csrf) else {
        case.nobody_is_known(PHASE.name, "no token is looked for in a form");
        return Ok(());
    };
    let kind = case.view.fields().one("content-type").ok().flatten();
    let body = case.body.as_deref().unwrap_or_default();
    let token = match field_token(kind.unwrap_or_default(), body) {
        Ok(token) => token,
        Err(fault) => {
            let denial = Denial::because(Reason::CSRF_TOKEN_MISSING).saying(fault.to_string());
            return case.refuse(PHASE.name, Box::new(denial));
        }
    };
    if let Err(why) = hold_against_cookies(case, &token) {
        return refuse(case, why);
    }
    let Some(binding) = case.binding else {
        return refuse(case, "there is no session that a token could be of");
    };
    case.proof = Proof::Token(token);
    let keys = keys_of(&csrf.keys, case.now, &binding, &token);
    case.asked = keys.into_iter().map(|key| (binding, key)).collect();
    let asked = case.asked.iter();
    batch.extend(asked.map(|(_, key)| Ask::Get { key: key.clone() }));
    if batch.is_empty() {
        let denial = Denial::because(Reason::CSRF_UNKNOWN).saying("no key is accepted any more");
        return case.refuse(PHASE.name, Box::new(denial));
    }
    Ok(())
}

fn judge<'s>(case: &mut Case<'s, '_>, answers: Result<Answers, StoreError>) -> Verdict<'s, ()> {
    let unknown = |why: &'static str| Denial::because(Reason::CSRF_UNKNOWN).saying(why);
    let answers = match answers {
        Ok(answers) => answers,
        Err(error) => return Err(unknown(error.class()).into()),
    };
    let asked = std::mem::take(&mut case.asked);
    if answers.len() != asked.len() {
        return Err(unknown("the store answered something else than was asked").into());
    }
    for ((_, key), answer) in asked.into_iter().zip(answers) {
        match answer {
            Answer::Found(Some(_)) => {
                case.token_key = Some(key);
                case.passed(PHASE.name, None, || {
                    "the token in the form is live".to_owned()
                });
                return Ok(());
            }
            Answer::Found(None) => {}
            Answer::Limits(_)
            | Answer::Done
            | Answer::Put(_)
            | Answer::Set(_)
            | Answer::Committed(_) => {
                return Err(unknown("the store answered something else than was asked").into());
            }
        }
    }
    let denial = Denial::because(Reason::CSRF_TOKEN_SPENT)
        .saying("the token was used, is over, or is of another session");
    case.refuse(PHASE.name, Box::new(denial))
}
