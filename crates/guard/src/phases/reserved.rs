//! Reserved: what is under `/.portcullis/` is the guard's own, and never the application's.

use smallvec::SmallVec;

use super::{Case, Phase, Verdict, asks_nothing};
use crate::reason::Reason;
use crate::store::Batch;

/// The first segment of what is the guard's own.
const SEGMENT: &str = ".portcullis";

pub(crate) const PHASE: Phase = Phase {
    name: "reserved",
    reads_body: false,
    ask,
    judge: asks_nothing,
};

fn ask<'s>(case: &mut Case<'s, '_>) -> Verdict<'s, Batch<'s>> {
    let first = case.view.path().and_then(|path| path.segments().next());
    if first == Some(SEGMENT) {
        return Err(Reason::RESERVED_UNKNOWN.into());
    }
    Ok(SmallVec::new())
}
