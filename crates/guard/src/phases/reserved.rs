//! Reserved: what is under `/.portcullis/` is the guard's own, and never the application's.

use super::{Case, Phase, Verdict, Work};
use crate::reason::Reason;

/// How the paths begin that are the guard's own.
const FIRST_SEGMENT: &str = "/.portcullis";

pub(crate) const PHASE: Phase = Phase {
    name: "reserved",
    reads_body: false,
    work: Work::Judges(judge),
};

fn judge<'s>(case: &mut Case<'s, '_>) -> Verdict<'s, ()> {
    let path = case.view.path();
    if path.is_some_and(|path| is_reserved(path.as_str())) {
        return Err(Reason::RESERVED_UNKNOWN.into());
    }
    case.not_needed(PHASE.name, "the path is none of the guard's own");
    Ok(())
}

/// Whether a path is one of the guard's own.
pub(crate) fn is_reserved(path: &str) -> bool {
    let after = path.strip_prefix(FIRST_SEGMENT);
    after.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
