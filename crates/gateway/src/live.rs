//! `Live`: the policy that is in force with all that is made from it, exchanged as one piece at a reload.

use std::sync::Arc;

use arc_swap::ArcSwap;

use portcullis_guard::plan::Plan;
use portcullis_policy::{EventRecord, ProxySettings};

use crate::upstreams::Upstreams;

/// What is in force. An exchange keeps the one that it began with to its end.
#[derive(Debug)]
pub struct Live {
    /// What decides.
    pub plan: Plan,
    /// How connections are treated.
    pub settings: ProxySettings,
    /// Where the application listens.
    pub upstreams: Arc<Upstreams>,
    /// Which requests are written down.
    pub record: EventRecord,
    /// Counts reloads, from 1.
    pub generation: u64,
}

/// Where the workers look for what is in force.
pub(crate) type LiveCell = Arc<ArcSwap<Live>>;

/// A connection's own hold on it: as long as nothing changed, a look costs one read and no write that other threads see.
pub(crate) type LiveView = arc_swap::Cache<LiveCell, Arc<Live>>;
