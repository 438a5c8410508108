//! `/policy`: which policy is in force.

use super::reply::Reply;
use crate::worker::Shared;

/// Its digest, how many have been in force, and how many routes it has.
pub(super) fn policy(shared: &Shared) -> Reply {
    let live = shared.live.load();
    let (digest, generation, routes) = (&live.plan.digest, live.generation, live.plan.routes.len());
    Reply {
        status: 200,
        kind: "application/json",
        line: "",
        content: format!(
            "{{\"schema\":\"portcullis.policy-in-force/1\",\"policy_digest\":\"{digest}\",\"generation\":{generation},\"routes\":{routes}}}\n"
        ),
    }
}
