//! `Recording`: the audit trail of a running guard: opened at the start, told of while it runs, closed at the end.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};

use portcullis_gateway::Observer;
use portcullis_policy::TrailSettings;
use portcullis_state::SystemClock;
use portcullis_state::trail::{Trail, TrailError, TrailNews, TrailOptions};

use crate::failure::Failure;
use crate::guarding::Loaded;
use crate::speaker::say;

/// News that wait for the event stream. They are fetched every few seconds, and there is one for 1,000 records at most.
const NEWS_MAX: usize = 1_024;

/// What a policy says of the trail, but for where in the file it says it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Asked {
    is_there: bool,
    signing_key: Option<portcullis_policy::SecretRef>,
    /// What others verify with, where the key is configured.
    public: Option<String>,
    checkpoints: Option<String>,
}

impl Asked {
    fn of(loaded: &Loaded) -> Self {
        let settings = loaded.policy.trail();
        let key = loaded.secrets.trail.as_ref();
        Self {
            public: key.map(|key| key.public().to_string()),
            is_there: settings.is_some(),
            signing_key: settings.and_then(|settings| settings.signing_key.clone()),
            checkpoints: settings.and_then(|settings| settings.checkpoints.clone()),
        }
    }
}

/// The trail of this run, where the policy asks for one.
pub(crate) struct Recording {
    trail: Option<Arc<Trail>>,
    news: Receiver<TrailNews>,
    asked: Asked,
}

impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recording")
            .field("trail", &self.trail)
            .finish_non_exhaustive()
    }
}

impl Recording {
    /// Opens the trail in the state folder, where the policy has `[trail]` or a route that must be recorded.
    ///
    /// `second_place` is where checkpoints are kept as well.
    pub(crate) fn open(
        loaded: &Loaded,
        folder: PathBuf,
        second_place: Option<PathBuf>,
        clock: SystemClock,
    ) -> Result<Self, Failure> {
        let (sender, news) = sync_channel(NEWS_MAX);
        let asked = Asked::of(loaded);
        if loaded.policy.trail().is_none() && !loaded.plan()?.is_recorded() {
            let trail = None;
            return Ok(Self { trail, news, asked });
        }
        let failed = |error: &TrailError| {
            Failure::usage(format!("the audit trail cannot be opened: {error}"))
        };
        let told = move |news: TrailNews| {
            match &news {
                TrailNews::Unwritable(why) => say(&format!(
                    "the audit trail or its second place cannot be written, and what has to be in it first is refused until it can: {why}"
                )),
                TrailNews::Recovered => {
                    say("the audit trail and its second place can be written again");
                }
                TrailNews::Checkpoint(_) => {}
            }
            // The trail waits for nobody. What does not fit is in the trail all the same.
            drop(sender.try_send(news));
        };
        let trail = Trail::open(TrailOptions {
            folder,
            signing_key: loaded.secrets.trail.clone(),
            checkpoints: second_place,
            clock,
            told: Arc::new(told),
        })
        .map_err(|error| failed(&error))?;
        tell_start(&trail);
        let trail = Some(Arc::new(trail));
        Ok(Self { trail, news, asked })
    }

    /// Lets an observer write into it.
    pub(crate) fn observed(&self, observer: Observer) -> Observer {
        match &self.trail {
            Some(trail) => observer.recording(Arc::clone(trail)),
            None => observer,
        }
    }

    /// Writes what happened to the trail into the event stream.
    pub(crate) fn tell(&self, observer: &Observer) {
        for news in self.news.try_iter() {
            observer.trail_told(&news);
        }
    }

    /// Refuses a policy that needs another trail than the one that was opened at the start.
    pub(crate) fn can_follow(&self, loaded: Loaded) -> Result<Loaded, Failure> {
        if Asked::of(&loaded) != self.asked {
            return Err(Failure::usage(
                "`[trail]` or its key is another now, and a trail is opened at the start alone: start the guard anew",
            ));
        }
        if self.trail.is_none() && loaded.plan()?.is_recorded() {
            return Err(Failure::usage(
                "a route must be in the audit trail now, and this run began without one: start the guard anew",
            ));
        }
        Ok(loaded)
    }

    /// Writes what waits, signs it, and ends.
    pub(crate) fn close(&self) -> Result<(), Failure> {
        let Some(trail) = &self.trail else {
            return Ok(());
        };
        let health = trail.close();
        match (health.error, health.lost) {
            (Some(why), _) => Err(Failure::usage(format!(
                "the end of the audit trail could not be written: {why}"
            ))),
            (None, 0) => Ok(()),
            (None, lost) => {
                say(&format!(
                    "{lost} records of the audit trail were lost, and a record says so"
                ));
                Ok(())
            }
        }
    }
}

/// Tells what was found at the start and is worth a look.
fn tell_start(trail: &Trail) {
    let start = trail.started();
    if start.begun {
        say("an audit trail was begun: keep a copy of `trail.pub` in another place");
    }
    if start.unknown > 0 {
        let named: Vec<String> = start
            .first_unknown
            .iter()
            .map(|(seq, request)| match request {
                Some(request) => format!("{seq} ({request})"),
                None => seq.to_string(),
            })
            .collect();
        say(&format!(
            "nobody knows what became of {} requests that an earlier guard forwarded: records {}",
            start.unknown,
            named.join(", ")
        ));
    }
}

/// Where checkpoints are kept as well, by the policy.
pub(crate) fn second_place(settings: Option<&TrailSettings>) -> Option<PathBuf> {
    let file = settings?.checkpoints.as_deref()?;
    Some(Path::new(file).to_owned())
}
