//! Body: where the policy asks about it, the body is strict JSON.

use super::{Case, Phase, Reads, Verdict, Work, always};
use crate::canon::{JsonBody, RawBody};
use crate::decision::Denial;
use crate::reason::Reason;

pub(crate) const PHASE: Phase = Phase {
    name: "body",
    reads: Reads::Body,
    is_needed: always,
    work: Work::Judges(judge),
};

fn judge<'s>(case: &mut Case<'s, '_>) -> Verdict<'s, ()> {
    if !case.route()?.buffered {
        case.not_needed(
            PHASE.name,
            "nothing is asked of the body, so it is passed on as it comes",
        );
        return Ok(());
    }
    let Some(bytes) = &case.body else {
        case.not_needed(PHASE.name, "there is no body, or it is passed on unread");
        return Ok(());
    };
    let route = case.route()?;
    let read = match RawBody::new(bytes, bounded(route.body_max)) {
        Ok(body) => JsonBody::read(body, &route.body_fields())
            .map_err(|fault| Denial::because(Reason::BODY_MALFORMED).saying(fault.reason())),
        Err(_) => Err(Denial::because(Reason::BODY_TOO_LARGE)),
    };
    match read {
        Ok(json) => {
            case.json = Some(json);
            case.passed(PHASE.name, None, || "the body is strict JSON".to_owned());
        }
        Err(denial) => case.refuse(PHASE.name, Box::new(denial))?,
    }
    Ok(())
}

/// A bound of 64 bits as one of memory.
fn bounded(bytes_max: u64) -> usize {
    usize::try_from(bytes_max).unwrap_or(usize::MAX)
}
