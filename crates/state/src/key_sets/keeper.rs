//! `Keeper`: the keys of one issuer, and when they are fetched again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use portcullis_guard::clock::{Nanos, Now, SECOND};
use portcullis_guard::token::{KeySet, KeyStrength};
use portcullis_policy::Issuer;
use tokio::sync::watch;

use super::fault::{FetchFault, KeySetError, KeysUnavailable};
use super::source::{Source, read_file};
use super::{Health, Held, WAIT_MAX};

/// How seldom a set is fetched for keys that are not in it.
const FOR_UNKNOWN_EVERY: Nanos = 60 * SECOND;

/// How long a key id that was looked for is known to be unknown. Not longer: an issuer may sign by a key a little before it
/// publishes it. The set is fetched in the meantime as it always is, and may have it then.
const UNKNOWN_LIVES: Nanos = 120 * SECOND;

/// The most key ids that are known to be unknown. Who makes up more pushes out the oldest, and is held by the minute.
const UNKNOWN_MAX: usize = 256;

/// How often a set is fetched again in any case; twice in `max_stale`, where that is shorter.
const FRESH_FOR: Nanos = 600 * SECOND;

/// How soon after a failure it is tried again.
const RETRY_AFTER: Nanos = 15 * SECOND;

/// No two sets of a process have one number.
static GENERATIONS: AtomicU64 = AtomicU64::new(1);

/// A number that no other set of this process has.
pub(crate) fn next_generation() -> u64 {
    GENERATIONS.fetch_add(1, Ordering::Relaxed)
}

/// The keys of one issuer.
#[derive(Debug)]
pub(super) struct Keeper {
    issuer: String,
    source: Source,
    strength: KeyStrength,
    max_stale: Duration,
    shared: Arc<Shared>,
}

/// What a fetch writes to, which runs on when who began it has gone.
#[derive(Debug)]
struct Shared {
    set: ArcSwapOption<Set>,
    flight: Mutex<Flight>,
    /// How many fetches have ended.
    ended: watch::Sender<u64>,
}

/// A set as it was fetched.
#[derive(Debug)]
struct Set {
    held: Held,
    text: Vec<u8>,
    /// When it was there last; nothing for a file, which does not age.
    seen: Option<AtomicU64>,
}

/// How a key was looked for that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Looked {
    /// By a fetch of its own.
    Begun,
    /// By a fetch that was under way.
    Joined,
    /// It was looked for a little while ago, or it never will be there.
    Before,
    /// It was not, as the issuer is not asked so often. Whoever makes up key ids must not make others' keys unknown.
    TooSoon,
}

/// What is known of fetches.
#[derive(Debug, Default)]
struct Flight {
    is_under_way: bool,
    began: Option<Nanos>,
    for_unknown: Option<Nanos>,
    fault: Option<FetchFault>,
    unknown: Vec<(Box<str>, Nanos)>,
}

impl Keeper {
    /// The keys of one issuer of the policy.
    pub(super) fn open(
        issuer: &Issuer,
        source: Source,
        strength: KeyStrength,
    ) -> Result<Self, KeySetError> {
        let name = issuer.issuer.as_str().to_owned();
        let set = match &source {
            Source::Url { .. } => None,
            Source::Own(Some(_)) => None,
            Source::Own(None) => return Err(KeySetError::NoOwn { issuer: name }),
            Source::File(path) => Some(read_file(&name, path, strength)?),
        };
        let set = set.map(|(keys, text)| Arc::new(Set::new(keys, text, None)));
        let shared = Shared {
            set: ArcSwapOption::new(set),
            flight: Mutex::default(),
            ended: watch::Sender::new(0),
        };
        Ok(Self {
            issuer: name,
            source,
            strength,
            max_stale: issuer.max_stale,
            shared: Arc::new(shared),
        })
    }

    /// Whether it keeps just these keys.
    pub(super) fn is_for(
        &self,
        issuer: &str,
        source: &Source,
        strength: KeyStrength,
        max_stale: Duration,
    ) -> bool {
        self.issuer == issuer
            && self.source.is_same(source)
            && (self.strength, self.max_stale) == (strength, max_stale)
    }

    /// Whether both were read from the same text.
    pub(super) fn reads_as(&self, other: &Self) -> bool {
        let (one, other) = (self.shared.set.load(), other.shared.set.load());
        let text = |set: &Option<Arc<Set>>| set.as_ref().map(|set| set.text.clone());
        text(&one) == text(&other)
    }

    /// The keys, if there are some and they may be used.
    pub(super) fn held(&self, now: Now) -> Option<Held> {
        if let Source::Own(keys) = &self.source {
            return keys.as_ref().map(|keys| keys.held());
        }
        let set = self.shared.set.load();
        let set = set.as_ref()?;
        let is_usable = set.age(now).is_none_or(|age| age <= nanos(self.max_stale));
        is_usable.then(|| set.held.clone())
    }

    /// See [`KeySets::wait_for`](super::KeySets::wait_for).
    pub(super) async fn wait_for(
        &self,
        key_id: Option<&str>,
        now: Now,
    ) -> Result<Held, KeysUnavailable> {
        let mut ended = self.shared.ended.subscribe();
        let looked = self.look_for(key_id, now);
        if matches!(looked, Looked::Begun | Looked::Joined) {
            // The value changes when a fetch ends, whoever began it.
            if tokio::time::timeout(WAIT_MAX, ended.changed())
                .await
                .is_err()
            {
                return Err(KeysUnavailable::TimedOut);
            }
        }
        let held = self.held(now).ok_or(KeysUnavailable::None)?;
        if held.keys.knows(key_id) {
            return Ok(held);
        }
        let mut flight = self.shared.flight();
        if flight.fault.is_some() {
            return Err(KeysUnavailable::FetchFailed);
        }
        match looked {
            Looked::Begun => {
                if let Some(id) = key_id {
                    flight.remember(id, now);
                }
                Ok(held)
            }
            // Begun before this one was asked for: the issuer may have published it since.
            Looked::Joined | Looked::Before => Ok(held),
            Looked::TooSoon => Err(KeysUnavailable::TooSoon),
        }
    }

    /// Begins a fetch for a key that is not there, if one may be begun.
    fn look_for(&self, key_id: Option<&str>, now: Now) -> Looked {
        // A file was read with the policy, and what is not in it is not there.
        if !matches!(self.source, Source::Url { .. }) {
            return Looked::Before;
        }
        let held = self.held(now);
        // Which of several keys is meant is not to be guessed, and the issuer would not say.
        let several = |held: &Held| held.keys.len() + held.keys.unusable().len() > 1;
        if key_id.is_none() && held.as_ref().is_some_and(several) {
            return Looked::Before;
        }
        let is_held = held.is_some();
        let mut flight = self.shared.flight();
        if is_held && key_id.is_some_and(|id| flight.is_unknown(id, now)) {
            return Looked::Before;
        }
        if flight.is_under_way {
            return Looked::Joined;
        }
        let may = if is_held {
            is_past(flight.for_unknown, FOR_UNKNOWN_EVERY, now)
        } else {
            is_past(flight.began, RETRY_AFTER, now)
        };
        if !may {
            return Looked::TooSoon;
        }
        if is_held {
            flight.for_unknown = Some(now.monotonic);
        }
        self.begin(&mut flight, now);
        Looked::Begun
    }

    /// Begins a fetch if the keys get old.
    pub(super) fn refresh_if_due(&self, now: Now) {
        if !matches!(self.source, Source::Url { .. }) {
            return;
        }
        let fresh_for = FRESH_FOR.min(nanos(self.max_stale) / 2);
        let age = self.shared.set.load().as_ref().and_then(|set| set.age(now));
        let mut flight = self.shared.flight();
        let is_due = age.is_none_or(|age| age >= fresh_for);
        if is_due && !flight.is_under_way && is_past(flight.began, RETRY_AFTER, now) {
            self.begin(&mut flight, now);
        }
    }

    /// One fetch, as a task that nobody has to wait for.
    fn begin(&self, flight: &mut Flight, now: Now) {
        let Source::Url { url, fetcher } = self.source.clone() else {
            return;
        };
        flight.is_under_way = true;
        flight.began = Some(now.monotonic);
        let (shared, strength) = (Arc::clone(&self.shared), self.strength);
        tokio::spawn(async move {
            let mut landing = Landing {
                shared,
                outcome: Some(FetchFault::Unreachable),
            };
            let read = fetcher.fetch(&url).await;
            landing.outcome = landing.shared.take(read, strength, now).err();
        });
    }

    /// How it stands.
    pub(super) fn health(&self, now: Now) -> Health {
        let held = self.held(now);
        let keys = held.as_ref().map(|held| &held.keys);
        Health {
            issuer: self.issuer.clone(),
            keys: keys.map(|keys| keys.len()),
            unusable: keys.map_or(0, |keys| keys.unusable().len()),
            why_unusable: keys.and_then(|keys| Some(keys.unusable().first()?.1)),
            fault: self.shared.flight().fault.clone(),
        }
    }
}

impl Shared {
    fn flight(&self) -> MutexGuard<'_, Flight> {
        self.flight.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes over what was fetched. The moment is that of its beginning: the answer is at least as new.
    fn take(
        &self,
        read: Result<Vec<u8>, FetchFault>,
        strength: KeyStrength,
        now: Now,
    ) -> Result<(), FetchFault> {
        let text = read?;
        let set = self.set.load();
        let same = set.as_ref().filter(|set| set.text == text);
        if let Some(seen) = same.and_then(|set| set.seen.as_ref()) {
            seen.fetch_max(now.monotonic, Ordering::AcqRel);
            return Ok(());
        }
        let keys = KeySet::read(&text, strength).map_err(FetchFault::Malformed)?;
        self.flight()
            .unknown
            .retain(|(id, _)| !keys.knows(Some(id)));
        let set = Set::new(keys, text, Some(AtomicU64::new(now.monotonic)));
        self.set.store(Some(Arc::new(set)));
        Ok(())
    }
}

/// The end of a fetch, however it ends: where the task panics or is dropped, nothing was fetched, and others may try.
struct Landing {
    shared: Arc<Shared>,
    outcome: Option<FetchFault>,
}

impl Drop for Landing {
    fn drop(&mut self) {
        let mut flight = self.shared.flight();
        flight.is_under_way = false;
        flight.fault = self.outcome.take();
        drop(flight);
        self.shared.ended.send_modify(|count| *count += 1);
    }
}

impl Set {
    fn new(keys: KeySet, text: Vec<u8>, seen: Option<AtomicU64>) -> Self {
        let generation = next_generation();
        let keys = Arc::new(keys);
        Self {
            held: Held { keys, generation },
            text,
            seen,
        }
    }

    /// How long ago it was there last.
    fn age(&self, now: Now) -> Option<Nanos> {
        let seen = self.seen.as_ref()?.load(Ordering::Acquire);
        Some(now.monotonic.saturating_sub(seen))
    }
}

impl Flight {
    fn is_unknown(&self, id: &str, now: Now) -> bool {
        let lives = |at: Nanos| now.monotonic.saturating_sub(at) < UNKNOWN_LIVES;
        self.unknown
            .iter()
            .any(|(one, at)| **one == *id && lives(*at))
    }

    fn remember(&mut self, id: &str, now: Now) {
        if self.is_unknown(id, now) {
            return;
        }
        self.unknown.retain(|(one, _)| **one != *id);
        if self.unknown.len() >= UNKNOWN_MAX {
            self.unknown.remove(0);
        }
        self.unknown.push((id.into(), now.monotonic));
    }
}

/// Whether something is so long ago, or never was.
fn is_past(then: Option<Nanos>, length: Nanos, now: Now) -> bool {
    then.is_none_or(|then| now.monotonic.saturating_sub(then) >= length)
}

fn nanos(length: Duration) -> Nanos {
    Nanos::try_from(length.as_nanos()).unwrap_or(Nanos::MAX)
}
