//! What a token is worth, at once where the keys for it are there, and their upkeep.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use portcullis_guard::clock::Now;
use portcullis_guard::token::{Believed, TokenUse, Unbelieved, UnusableKey};

use portcullis_state::key_sets::{FetchFault, Health};
use portcullis_state::tokens::Tokens;

use crate::live::Live;
use crate::store_answer::unless_it_panics;
use crate::worker::Shared;

/// What a token is worth.
pub(crate) type Judged = Result<Believed, Unbelieved>;

/// How often it is looked whether keys have to be fetched again.
const LOOK: Duration = Duration::from_secs(1);

/// Judges a token, if the keys for it are there; nothing where it has to wait for them. A panic on the way is no answer, so the
/// token is not believed.
pub(crate) fn judge_at_once(live: &Live, token: Option<&str>, now: Now) -> Option<Judged> {
    let (Some(tokens), Some(token)) = (&live.tokens, token) else {
        return Some(Err(nobody_can_say()));
    };
    let judged = catch_unwind(AssertUnwindSafe(|| {
        match tokens.judge(token, now, TokenUse::Route) {
            Ok(Ok(believed)) => Some(Ok(believed)),
            Ok(Err(_waits)) => None,
            Err(fault) => Some(Err(fault.into())),
        }
    }));
    judged.unwrap_or_else(|_panic| Some(Err(panicked())))
}

/// Judges a token, and waits for the keys of its issuer as long as the room for keys allows.
pub(crate) async fn judge(live: &Live, token: Option<&str>, now: Now) -> Judged {
    let (Some(tokens), Some(token)) = (&live.tokens, token) else {
        return Err(nobody_can_say());
    };
    let believed = Box::pin(tokens.believe(token, now, TokenUse::Route));
    match unless_it_panics(believed).await {
        Some(believed) => believed.map_err(Unbelieved::from),
        None => Err(panicked()),
    }
}

/// A policy with issuers and nobody who verifies: a fault of whoever started the gateway, and never a pass.
fn nobody_can_say() -> Unbelieved {
    Unbelieved::Unavailable("the gateway was started without the keys of the issuers".into())
}

fn panicked() -> Unbelieved {
    Unbelieved::Unavailable("looking at the token panicked".into())
}

/// What is wrong with the keys of an issuer.
#[derive(Debug, PartialEq, Eq)]
enum Trouble {
    /// They cannot be fetched.
    Fetch(FetchFault),
    /// None of them can be used.
    NoneUsable(Option<UnusableKey>),
}

impl Trouble {
    fn of(health: &Health) -> Option<Self> {
        if let Some(fault) = &health.fault {
            return Some(Self::Fetch(fault.clone()));
        }
        let is_without = health.has_no_usable_key();
        is_without.then_some(Self::NoneUsable(health.why_unusable))
    }
}

/// Tells of each issuer when its keys cannot be fetched or used, and when they can again.
fn tell(shared: &Shared, tokens: &Tokens, told: &mut BTreeMap<String, Trouble>) {
    for health in tokens.keys().health(shared.clock.now()) {
        let trouble = Trouble::of(&health);
        if told.get(&health.issuer) == trouble.as_ref() {
            continue;
        }
        shared.observer.issuer_changed(&health);
        match trouble {
            Some(trouble) => told.insert(health.issuer, trouble),
            None => told.remove(&health.issuer),
        };
    }
}

/// How it stands with the issuers of a policy.
pub(crate) fn health(live: &Live, now: Now) -> impl Iterator<Item = Health> + '_ {
    live.tokens
        .iter()
        .flat_map(move |tokens| tokens.keys().health(now))
}

/// How many issuers a policy has, and of how many there are keys.
pub(crate) fn counts(live: &Live, now: Now) -> (usize, usize) {
    health(live, now).fold((0, 0), |(all, with), health| {
        (
            all + 1,
            with + usize::from(health.keys.is_some_and(|keys| keys > 0)),
        )
    })
}

/// Keeps the keys of whichever policy is in force fresh, until the gateway drains.
pub(crate) async fn keep_fresh(shared: Arc<Shared>, mut drained: watch::Receiver<bool>) {
    let mut told = BTreeMap::new();
    loop {
        if let Some(tokens) = &shared.live.load_full().tokens {
            tokens.keys().refresh_due(shared.clock.now());
            tell(&shared, tokens, &mut told);
        }
        if timeout(LOOK, drained.changed()).await.is_ok() {
            return;
        }
    }
}
