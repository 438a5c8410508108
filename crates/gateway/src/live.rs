//! `Live`: the policy that is in force with all that is made from it, exchanged as one piece at a reload.

use std::sync::Arc;

use arc_swap::ArcSwap;

use portcullis_guard::plan::Plan;
use portcullis_policy::{EventRecord, Policy, ProxySettings};
use portcullis_state::issuer::Mint;
use portcullis_state::tokens::Tokens;

use crate::tls::Tls;
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
    /// Counts how often the upstreams have changed, from 1.
    pub upstreams_generation: u64,
    /// The tokens of the policy's issuers; none where it names none.
    pub tokens: Option<Arc<Tokens>>,
    /// What gives out the guard's own tokens; none where the policy gives out none.
    pub mint: Option<Arc<Mint>>,
    /// Which requests are written down.
    pub record: EventRecord,
    /// What clients are greeted with who come in TLS; none where they come without.
    pub tls: Option<Tls>,
    /// Counts policies, from 1.
    pub generation: u64,
}

impl Live {
    /// What a policy makes, before anything was in force.
    #[must_use]
    pub fn first(policy: &Policy, plan: Plan) -> Self {
        Self {
            plan,
            settings: policy.proxy().clone(),
            upstreams: Arc::new(Upstreams::new(policy.upstreams())),
            upstreams_generation: 1,
            record: policy.events().record,
            tls: None,
            tokens: None,
            mint: None,
            generation: 1,
        }
    }

    /// What another policy makes of it. Upstreams that are the same stay as ill or well as they are known to be,
    /// and clients are greeted as before.
    #[must_use]
    pub fn followed_by(&self, policy: &Policy, plan: Plan) -> Self {
        let mut next = Self::first(policy, plan);
        next.generation = self.generation + 1;
        next.tls.clone_from(&self.tls);
        let mut addresses = self
            .upstreams
            .all()
            .iter()
            .map(|instance| &instance.address);
        if addresses.by_ref().eq(policy.upstreams()) {
            next.upstreams = Arc::clone(&self.upstreams);
            next.upstreams_generation = self.upstreams_generation;
        } else {
            next.upstreams_generation = self.upstreams_generation + 1;
        }
        next
    }
}

/// Where the workers look for what is in force.
pub(crate) type LiveCell = Arc<ArcSwap<Live>>;

/// A connection's own hold on it: as long as nothing changed, a look costs one read and no write that other threads see.
pub(crate) type LiveView = arc_swap::Cache<LiveCell, Arc<Live>>;
