//! Session: the CSRF token is live and of this session, the session is alive, the bearer's token is not revoked, the key is good, and
//! where the route needs a caller there is one.
//!
//! One batch asks the store for all of it. A session that is over makes an anonymous caller of who names it; only where
//! somebody must be known is that a refusal, and only then is the cookie cleared.

use smallvec::SmallVec;

use super::api_key;
use super::bearer::Bearer;
use super::csrf::Proof;
use super::login_page::login_page;
use super::{Case, Phase, Reads, Verdict, Work, where_callers_are_known};
use crate::csrf::keys_of;
use crate::decision::{Challenge, Denial};
use crate::plan::Plan;
use crate::principal::Principal;
use crate::reason::Reason;
use crate::session::{Binding, Caller, SessionRef, Stored};
use crate::store::{Answer, Answers, Ask, Batch, Key, StoreError};

pub(crate) const PHASE: Phase = Phase {
    name: "session",
    reads: Reads::Head,
    is_needed,
    work: Work::Asks { ask, judge },
};

/// Also where nobody can be known and somebody has to be: no policy says so, and if one did, it would be refused here.
fn is_needed(plan: &Plan) -> bool {
    where_callers_are_known(plan)
        || plan
            .routes
            .iter()
            .any(|route| !route.needs_caller.is_empty())
}

fn ask<'s>(case: &mut Case<'s, '_>, batch: &mut Batch<'s>) -> Verdict<'s, ()> {
    if let Some(session) = case.seen.session {
        batch.push(Ask::Get { key: session.key() });
    }
    if let Bearer::Named(key) = &case.bearer {
        batch.extend(api_key::asks(key));
    }
    if let Some(believed) = case.bearer.believed() {
        batch.extend(believed.revocable().asks());
    }
    // Which of the two holds is known when the session is: both are asked for at once.
    if let Proof::Token(token) = case.proof
        && let Some(csrf) = &case.plan.identity.csrf
    {
        let mut asked = Vec::new();
        for binding in candidates(case) {
            let keys = keys_of(&csrf.keys, case.now, &binding, &token);
            asked.extend(keys.into_iter().map(|key| (binding, key)));
        }
        batch.extend(asked.iter().map(|(_, key)| Ask::Get { key: key.clone() }));
        case.asked = asked;
    }
    if batch.is_empty() {
        settle(case, None)?;
    }
    Ok(())
}

fn judge<'s>(case: &mut Case<'s, '_>, answers: Result<Answers, StoreError>) -> Verdict<'s, ()> {
    let answers = match answers {
        Ok(answers) => answers,
        Err(error) => {
            let reason = if matches!(case.bearer, Bearer::Named(_)) {
                Reason::KEY_UNKNOWN
            } else {
                Reason::SESSION_UNKNOWN
            };
            return Err(Denial::because(reason).saying(error.class()).into());
        }
    };
    let mut answers = answers.into_iter();
    let caller = match case.seen.session {
        None => None,
        Some(session) => alive(case, session, answers.next())?.map(Box::new),
    };
    api_key::judge(case, &mut answers)?;
    refuse_revoked(case, &mut answers)?;
    let mut found = SmallVec::<[_; 4]>::new();
    for answer in answers {
        let Answer::Found(value) = answer else {
            return Err(confused());
        };
        found.push(value);
    }
    let mut found = found.into_iter();
    let live = live_token(case, caller.as_deref(), &mut found)?;
    // Whoever answers more than was asked may have answered anything.
    if found.next().is_some() {
        return Err(confused());
    }
    case.caller = caller;
    settle(case, live)
}

/// Nobody calls by a token that was revoked.
pub(super) fn refuse_revoked<'s>(
    case: &mut Case<'s, '_>,
    answers: &mut impl Iterator<Item = Answer>,
) -> Verdict<'s, ()> {
    let Some(believed) = case.bearer.believed() else {
        return Ok(());
    };
    let revocable = believed.revocable();
    let answers: Answers = answers.take(revocable.asks().len()).collect();
    let unknown = |error: StoreError| Denial::because(Reason::TOKEN_UNKNOWN).saying(error.class());
    if revocable.is_revoked(&answers).map_err(unknown)? {
        let why = "the token, or the one that it was made from, was revoked";
        case.bearer.refuse(Reason::TOKEN_REVOKED, why);
    }
    Ok(())
}

/// Who calls by a session, if the store's answer says that it is alive.
pub(super) fn alive<'s>(
    case: &Case<'s, '_>,
    session: SessionRef,
    answer: Option<Answer>,
) -> Verdict<'s, Option<Caller>> {
    let Some(Answer::Found(stored)) = answer else {
        return Err(confused());
    };
    let stored = stored.as_deref().map(Stored::decode).transpose();
    let stored = stored
        .map_err(|corrupt| Denial::because(Reason::SESSION_UNKNOWN).saying(corrupt.to_string()))?;
    Ok(match stored {
        Some(Stored::Live(record)) if record.is_alive(case.now.unix_millis) => {
            Some(Caller { record, session })
        }
        Some(Stored::Live(_) | Stored::Ended) | None => None,
    })
}

fn confused<'s>() -> super::Stop<'s> {
    Denial::because(Reason::SESSION_UNKNOWN)
        .saying("the store answered something else than was asked")
        .into()
}

/// What a token may be bound to, in the order in which it is asked for.
fn candidates(case: &Case<'_, '_>) -> SmallVec<[Binding; 3]> {
    let session = case.seen.session.map(Binding::session);
    session
        .into_iter()
        .chain(of_token(case))
        .chain(case.seen.foreign)
        .chain(case.seen.pre_session)
        .collect()
}

/// The entry of the token, where it is live for who calls: for the session if there is one, else for who has none.
fn live_token<'s>(
    case: &mut Case<'s, '_>,
    caller: Option<&Caller>,
    found: &mut impl Iterator<Item = Option<crate::store::Value>>,
) -> Verdict<'s, Option<Key>> {
    let holder = holder(case, caller);
    let mut live = None;
    for (binding, key) in case.asked.drain(..) {
        let is_there = found.next().ok_or_else(confused)?.is_some();
        if is_there && Some(binding) == holder && live.is_none() {
            live = Some(key);
        }
    }
    Ok(live)
}

/// To what a token of this request has to be bound.
pub(crate) fn holder(case: &Case<'_, '_>, caller: Option<&Caller>) -> Option<Binding> {
    match caller {
        Some(caller) => Some(Binding::session(caller.session)),
        None => of_token(case)
            .or(case.seen.foreign)
            .or(case.seen.pre_session),
    }
}

/// The session that a believed token names.
fn of_token(case: &Case<'_, '_>) -> Option<Binding> {
    let source = case.plan.identity.session.as_ref();
    case.bearer.binding(source.map(|one| &one.source))
}

/// Judges by what is known now.
fn settle<'s>(case: &mut Case<'s, '_>, live: Option<Key>) -> Verdict<'s, ()> {
    case.binding = holder(case, case.caller.as_deref());
    if matches!(case.proof, Proof::Token(_)) {
        match live {
            Some(key) => case.token_key = Some(key),
            None => {
                let denial = Denial::because(Reason::CSRF_TOKEN_SPENT)
                    .saying("the token was used, is over, or is of another session");
                case.refuse(PHASE.name, Box::new(denial))?;
            }
        }
    }
    let route = case.route()?;
    match case.principal() {
        Some(Principal::Session(caller)) => {
            let session = caller.session;
            case.passed(PHASE.name, route.line, || {
                format!("the session `{}` is alive", session.shown())
            });
            return Ok(());
        }
        Some(Principal::Token(_)) => {
            case.passed(PHASE.name, route.line, || {
                "the token is not revoked".to_owned()
            });
            return Ok(());
        }
        Some(Principal::Key(caller)) => {
            let id = caller.id;
            case.passed(PHASE.name, route.line, || format!("the key `{id}` is good"));
            return Ok(());
        }
        None => {}
    }
    if !route.needs_caller.contains(case.view.method()) {
        case.nobody_is_known(PHASE.name, "nobody has to be known here");
        return Ok(());
    }
    let mut denial = unknown_caller(case);
    denial.line = route.line;
    // A token that is not believed is no browser's: who shows one reads why.
    if [Reason::CALLER_UNKNOWN, Reason::SESSION_OVER].contains(&denial.reason) {
        denial.leads_to = login_page(case);
    }
    case.refuse(PHASE.name, Box::new(denial))
}

/// Why nobody is known.
pub(super) fn unknown_caller<'s>(case: &Case<'s, '_>) -> Denial<'s> {
    let is_over = case.seen.names_own && case.caller.is_none();
    let identity = &case.plan.identity;
    let (mut denial, invalid_token) = match &case.bearer {
        Bearer::Refused { reason, inside, .. } => {
            (Denial::because(*reason).saying(inside.clone()), true)
        }
        Bearer::Nobody | Bearer::Believed { .. } | Bearer::Named(_) | Bearer::Keyed(_)
            if is_over =>
        {
            let why = "the cookie names no session that is alive";
            (Denial::because(Reason::SESSION_OVER).saying(why), false)
        }
        Bearer::Nobody | Bearer::Believed { .. } | Bearer::Named(_) | Bearer::Keyed(_) => {
            let why = "neither a session nor a token nor a key is shown";
            (Denial::because(Reason::CALLER_UNKNOWN).saying(why), false)
        }
    };
    denial.clears_session = is_over;
    denial.challenge = Challenge {
        bearer: identity.reads_credentials(),
        invalid_token,
        insufficient_scope: false,
        cookie: identity.has_own_sessions(),
    };
    denial
}
