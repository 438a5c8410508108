//! `Notice`: something in a valid policy that its author may not have meant.

use std::collections::BTreeSet;
use std::fmt;

use crate::csp_text;
use crate::{Limit, Name, Place, Policy};

/// What is told and refuses nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Where it is written.
    pub place: Place,
    /// What is told: lower case, no full stop.
    pub message: String,
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { line, column, .. } = self.place;
        write!(f, "{line}:{column}: {}", self.message)
    }
}

/// Adds what can only be seen when all is read, and brings all into order.
pub(crate) fn add(policy: &mut Policy) {
    let mut notices = unused_limits(policy);
    notices.append(&mut csp_text::notices(policy));
    let deadline = policy.proxy.request_deadline;
    for route in &policy.routes {
        if route.timeout.is_some_and(|timeout| timeout > deadline) {
            notices.push(Notice {
                place: route.place.clone(),
                message: format!(
                    "the `timeout` of `{}` is longer than the `request_deadline` of `[proxy]`, which ends it",
                    route.title()
                ),
            });
        }
    }
    policy.notices.append(&mut notices);
    policy.notices.sort_by_key(|notice| notice.place.span.start);
}

fn unused_limits(policy: &Policy) -> Vec<Notice> {
    let used: BTreeSet<&Name> = policy
        .all_routes()
        .flat_map(|route| policy.limits_of(route))
        .map(|limit| &limit.name)
        .chain(policy.functions.iter().flat_map(|one| &one.limits))
        .collect();
    let unused = |limit: &&Limit| !used.contains(&limit.name);
    policy
        .limits
        .values()
        .filter(unused)
        .map(|limit| Notice {
            place: limit.place.clone(),
            message: format!("no route uses the limit `{}`", limit.name),
        })
        .collect()
}
