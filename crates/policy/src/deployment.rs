//! `name`, `profile` and `max_nodes`: what is said of the deployment as a whole.

use std::num::NonZeroU16;

use crate::faults::Faults;
use crate::node::Node;
use crate::policy_file::Draft;
use crate::table_reader::{integer, parsed};
use crate::word::words;

/// The largest number of guards that share one policy.
pub(crate) const NODES_MAX: i64 = 1024;

/// How strict the figures are that the policy does not state itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Profile {
    /// What every service should have.
    #[default]
    Standard,
    /// Longer keys and shorter lifetimes (ASVS level 2).
    Strict,
}

words!(Profile, "profile", { Standard => "standard", Strict => "strict" });

/// Reads `name`.
pub(crate) fn read_name(node: &Node, draft: &mut Draft, faults: &mut Faults<'_>) {
    draft.policy.name = parsed(node, faults);
}

/// Reads `profile`.
pub(crate) fn read_profile(node: &Node, draft: &mut Draft, faults: &mut Faults<'_>) {
    draft.policy.profile = parsed(node, faults).unwrap_or_default();
}

/// Reads `max_nodes`.
pub(crate) fn read_max_nodes(node: &Node, draft: &mut Draft, faults: &mut Faults<'_>) {
    draft.policy.max_nodes = integer(node, 1..NODES_MAX + 1, faults)
        .and_then(|count| u16::try_from(count).ok())
        .and_then(NonZeroU16::new);
}
