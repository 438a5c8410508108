//! What the two phases of limits share: which buckets a request counts in, and what their answer means.

use smallvec::SmallVec;

use portcullis_policy::{Control, Method};

use super::{Case, Verdict};
use crate::canon::{Bucket, Coarseness, Scalar};
use crate::decision::{Denial, Released};
use crate::digest::sha256;
use crate::limit::LimitState;
use crate::plan::{BucketPlan, Dimension, LimitPlan};
use crate::principal::Principal;
use crate::reason::Reason;
use crate::session::Binding;
use crate::store::{
    Answer, Answers, Ask, Batch, BucketValue, LimitAsk, LimitAsks, LimitStates, StoreError,
};

/// The limits of a phase that count a method.
#[derive(Clone, Copy)]
pub(super) struct Applying<'s> {
    limits: &'s [LimitPlan],
    method: Method,
}

impl<'s> Applying<'s> {
    /// Of these limits, those that count the method of the request.
    pub(super) const fn of(limits: &'s [LimitPlan], method: Method) -> Self {
        Self { limits, method }
    }

    fn iter(self) -> impl Iterator<Item = &'s LimitPlan> {
        let meant = move |limit: &&LimitPlan| !limit.spared.contains(self.method);
        self.limits.iter().filter(meant)
    }
}

/// All buckets of all limits, in one ask: counted are they all or none.
pub(super) fn ask<'s>(
    case: &mut Case<'s, '_>,
    phase: &'static str,
    limits: Applying<'s>,
    batch: &mut Batch<'s>,
) -> Verdict<'s, ()> {
    if limits.iter().next().is_none() {
        case.not_needed(phase, "the route has no such limit");
        return Ok(());
    }
    // Filled where it stands: an ask is large, and the batch would be the third place that it is moved to.
    batch.push(Ask::Limits(SmallVec::new()));
    if let Some(Ask::Limits(asks)) = batch.last_mut() {
        add_buckets(case, limits, asks)?;
    }
    Ok(())
}

fn add_buckets<'s>(
    case: &Case<'s, '_>,
    limits: Applying<'s>,
    asks: &mut LimitAsks<'s>,
) -> Verdict<'s, ()> {
    let watches = case.shadow(Control::RateLimit).is_some();
    for limit in limits.iter() {
        for bucket in &limit.buckets {
            let (value, coarser) = whose(case, bucket)?;
            asks.push(LimitAsk {
                scope: if watches {
                    &bucket.shadow_scope
                } else {
                    &bucket.scope
                },
                value,
                coarser,
                rule: limit.rule,
                cost: 1,
                durability: limit.durability,
            });
        }
    }
    Ok(())
}

/// Whose bucket it is, and the coarser ones.
fn whose<'s>(
    case: &Case<'s, '_>,
    bucket: &BucketPlan,
) -> Verdict<'s, (BucketValue, SmallVec<[BucketValue; 2]>)> {
    let alone = |value: &[u8]| Ok((BucketValue::from_slice(value), SmallVec::new()));
    match &bucket.by {
        Dimension::Ip => {
            let client = case.view.client();
            let around = [Coarseness::Site, Coarseness::Provider];
            let bytes = |bucket: Bucket| BucketValue::from_slice(&bucket.to_bytes());
            let coarser = around.map(|coarseness| bytes(client.coarser(coarseness)));
            Ok((bytes(client.bucket()), SmallVec::from_buf(coarser)))
        }
        Dimension::Route => alone(b""),
        // What a client does not send is a bucket too, or leaving it out would be a free pass.
        Dimension::Header(name) => match case.view.fields().one(name) {
            // Counted by what the application never reads, a client would have as many buckets as it likes.
            Ok(Some(_)) if case.view.fields().strips(name) => {
                Err(Reason::HEADER_NOT_FORWARDED.into())
            }
            Ok(value) => alone(value.unwrap_or_default()),
            Err(_repeated) => Err(Reason::HEADER_REPEATED.into()),
        },
        Dimension::Body(field) => {
            let value = case.json.as_ref().and_then(|json| json.scalar(field));
            // `A@B.example` and ` a@b.example` are one account to most applications, and must not be two buckets.
            let value = match value {
                Some(Scalar::Text(text)) => text.trim().to_lowercase(),
                Some(Scalar::Integer(digits)) => digits.into_owned(),
                None => String::new(),
            };
            alone(value.as_bytes())
        }
        Dimension::User => Ok(of_caller(case, |caller| Some(caller.counted()))),
        Dimension::Tenant => Ok(of_caller(case, Principal::counted_tenant)),
        // Only one that is alive: of others a client makes as many as it likes.
        Dimension::Session => match case.principal() {
            Some(Principal::Session(caller)) => alone(&caller.session.0),
            Some(Principal::Key(caller)) => alone(&[b"k".as_slice(), &caller.id.bytes()].concat()),
            Some(Principal::Token(believed)) => {
                let claims = believed.claims();
                let session = claims.session().map(str::as_bytes);
                let session = session.map(|one| Binding::claim(claims.issuer().as_bytes(), one));
                match session {
                    Some(session) => alone(&session.bytes()),
                    None => Ok(of_caller(case, |caller| Some(caller.counted()))),
                }
            }
            None => Ok(of_caller(case, |_| None)),
        },
    }
}

/// The bucket of a name that the caller has, by its digest: names are long. Who has none is counted by the address, so that leaving a
/// session out is no way to a bucket of one's own.
fn of_caller<'c>(
    case: &'c Case<'_, '_>,
    name: impl FnOnce(Principal<'c>) -> Option<Vec<u8>>,
) -> (BucketValue, SmallVec<[BucketValue; 2]>) {
    let value = match case.principal().and_then(name) {
        Some(name) => BucketValue::from_slice(sha256(&name).get(..24).unwrap_or_default()),
        None => BucketValue::from_slice(&case.view.client().bucket().to_bytes()),
    };
    (value, SmallVec::new())
}

/// What the store's answer means.
pub(super) fn judge<'s>(
    case: &mut Case<'s, '_>,
    phase: &'static str,
    limits: Applying<'s>,
    answers: Result<Answers, StoreError>,
) -> Verdict<'s, ()> {
    let expected: usize = limits.iter().map(|limit| limit.buckets.len()).sum();
    match states(answers, expected) {
        Ok(states) => weigh(case, phase, limits, &states),
        Err(error) => {
            let denial = Denial::because(Reason::LIMIT_UNKNOWN).saying(error.class());
            case.refuse(phase, Box::new(denial))
        }
    }
}

/// The state of each bucket, if the answer is one to what was asked.
fn states(
    answers: Result<Answers, StoreError>,
    expected: usize,
) -> Result<LimitStates, StoreError> {
    let confused = |what: &str| Err(StoreError::Confused(what.to_owned()));
    let mut answers = answers?.into_iter();
    match (answers.next(), answers.next()) {
        (Some(Answer::Limits(states)), None) if states.len() == expected => Ok(states),
        (Some(Answer::Limits(_)), None) => confused("another number of buckets"),
        _ => confused("no limits"),
    }
}

fn weigh<'s>(
    case: &mut Case<'s, '_>,
    phase: &'static str,
    limits: Applying<'s>,
    states: &[LimitState],
) -> Verdict<'s, ()> {
    let watches = case.shadow(Control::RateLimit).is_some();
    let mut rest = states.iter().copied();
    let mut refused: Option<Box<Denial<'s>>> = None;
    for limit in limits.iter() {
        // Of the buckets of one limit, the client is told of the one that lets least pass.
        let of_limit = rest.by_ref().take(limit.buckets.len());
        let tightest = of_limit.min_by_key(|state| {
            (
                state.admitted,
                state.remaining,
                u64::MAX - state.retry_after,
            )
        });
        let Some(state) = tightest else {
            continue;
        };
        if state.admitted {
            // Who is not held to a limit is not told to keep to it.
            if !watches {
                case.shown.push((limit, state));
            }
            continue;
        }
        let denial = refused.get_or_insert_with(|| {
            let mut denial = Denial::because(Reason::RATE_LIMITED);
            denial.line = limit.line;
            Box::new(denial)
        });
        denial.limits.push((limit, state));
    }
    let Some(mut denial) = refused else {
        remember_failures(case, limits)?;
        case.passed(
            phase,
            limits.iter().next().and_then(|limit| limit.line),
            || told(limits, states),
        );
        return Ok(());
    };

    if case.trace.is_some() {
        denial.inside = told(limits, states).into();
    }
    case.refuse(phase, denial)
}

/// Keeps what has to be given back if the answer turns out to be no failure.
fn remember_failures<'s>(case: &mut Case<'s, '_>, limits: Applying<'s>) -> Verdict<'s, ()> {
    if !limits.iter().any(|limit| limit.counts_failures) {
        return Ok(());
    }
    let mut all = LimitAsks::new();
    add_buckets(case, limits, &mut all)?;
    let mut all = all.into_iter();
    let mut counted: LimitAsks<'s> = SmallVec::new();
    for limit in limits.iter() {
        let of_limit = all.by_ref().take(limit.buckets.len());
        counted.extend(of_limit.filter(|_| limit.counts_failures));
    }
    case.on_success.push(Released {
        limits: counted,
        at: case.now.monotonic,
    });
    Ok(())
}

/// `login: 0 of 5 left by ip, again in 12 s`.
fn told(limits: Applying<'_>, states: &[LimitState]) -> String {
    let mut states = states.iter();
    let mut words = Vec::new();
    for limit in limits.iter() {
        for bucket in &limit.buckets {
            let Some(state) = states.next() else {
                continue;
            };
            let wait = state.retry_after.div_ceil(crate::clock::SECOND);
            let by = bucket.by.to_string();
            let (name, left, all) = (&limit.name, state.remaining, limit.rule.capacity());
            words.push(if state.admitted {
                format!("{name}: {left} of {all} left by {by}")
            } else {
                format!("{name}: none of {all} left by {by}, again in {wait} s")
            });
        }
    }
    words.join("; ")
}
