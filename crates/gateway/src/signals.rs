//! `Signals`: what the operator wants: another policy, or the end.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;
use tokio::time::timeout;

/// How long a file has to be quiet before it is read, as an editor writes it in several steps; and how long that is waited
/// for at most.
const QUIET: Duration = Duration::from_millis(100);
const RESTLESS: Duration = Duration::from_secs(1);

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Read the policy again: SIGHUP, or its file has changed.
    Reload,
    /// End: SIGTERM or SIGINT.
    End,
    /// Nothing in the time that was waited.
    Nothing,
}

/// Why the operator cannot be heard.
#[derive(Debug, thiserror::Error)]
pub enum SignalsError {
    /// The system's signals.
    #[error("signals cannot be received: {0}")]
    Signals(#[source] std::io::Error),
    /// The folder of the policy, or of a file that it names.
    #[error("the folder of `{}` cannot be watched: {source}", path.display())]
    Watch {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: notify::Error,
    },
}

/// Hears signals and changes of a file.
#[derive(Debug)]
pub struct Signals {
    runtime: Runtime,
    hangup: Signal,
    terminate: Signal,
    interrupt: Signal,
    changes: Arc<Notify>,
    watcher: RecommendedWatcher,
    /// What the files are called of which a change is told.
    names: Names,
    /// The folders that are watched.
    folders: BTreeSet<PathBuf>,
}

type Names = Arc<Mutex<BTreeSet<OsString>>>;

impl Signals {
    /// Begins to listen. The folder is watched and not the file, as a deploy puts another file in its place.
    ///
    /// # Errors
    ///
    /// What the system denies.
    pub fn of(policy: &Path) -> Result<Self, SignalsError> {
        let runtime = Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()
            .map_err(SignalsError::Signals)?;
        let _inside = runtime.enter();
        let of = |kind| signal(kind).map_err(SignalsError::Signals);
        let (hangup, terminate) = (of(SignalKind::hangup())?, of(SignalKind::terminate())?);
        let interrupt = of(SignalKind::interrupt())?;
        let changes = Arc::new(Notify::new());
        let changed = Arc::clone(&changes);
        let name = policy.file_name().unwrap_or_default().to_owned();
        let names: Names = Arc::new(Mutex::new(BTreeSet::from([name])));
        let known = Arc::clone(&names);
        let watching = || -> notify::Result<RecommendedWatcher> {
            let mut watcher =
                notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
                    // Reading it is no change of it, and neither is what happens to a file beside it.
                    if event.is_ok_and(|event| !event.kind.is_access() && speaks_of(&event, &known))
                    {
                        changed.notify_one();
                    }
                })?;
            watcher.watch(folder_of(policy), RecursiveMode::NonRecursive)?;
            Ok(watcher)
        };
        let watcher = watching().map_err(|source| SignalsError::Watch {
            path: policy.to_owned(),
            source,
        })?;
        drop(_inside);
        Ok(Self {
            runtime,
            hangup,
            terminate,
            interrupt,
            changes,
            watcher,
            names,
            folders: BTreeSet::from([folder_of(policy).to_owned()]),
        })
    }

    /// Hears of changes of these files as well.
    ///
    /// # Errors
    ///
    /// The first whose folder the system does not watch. It is tried again with the next call.
    pub fn also(&mut self, files: &[PathBuf]) -> Result<(), SignalsError> {
        for file in files {
            let name = file.file_name().unwrap_or_default().to_owned();
            let is_new = self
                .names
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(name);
            if is_new {
                // It may have changed between being read and being watched.
                self.changes.notify_one();
            }
            let folder = folder_of(file);
            if self.folders.contains(folder) {
                continue;
            }
            self.watcher
                .watch(folder, RecursiveMode::NonRecursive)
                .map_err(|source| SignalsError::Watch {
                    path: file.clone(),
                    source,
                })?;
            self.folders.insert(folder.to_owned());
        }
        Ok(())
    }

    /// Waits for a wish.
    pub fn next(&mut self, at_most: Duration) -> Wish {
        let Self {
            runtime,
            hangup,
            terminate,
            interrupt,
            changes,
            ..
        } = self;
        runtime.block_on(async {
            let wish = async {
                tokio::select! {
                    biased;
                    _told = terminate.recv() => Wish::End,
                    _told = interrupt.recv() => Wish::End,
                    _told = hangup.recv() => Wish::Reload,
                    () = changes.notified() => Wish::Reload,
                }
            };
            match timeout(at_most, wish).await {
                Err(_elapsed) => Wish::Nothing,
                Ok(Wish::Reload) => {
                    let settled = async {
                        tokio::select! {
                            _told = terminate.recv() => Wish::End,
                            _told = interrupt.recv() => Wish::End,
                            () = quiet(changes) => Wish::Reload,
                        }
                    };
                    timeout(RESTLESS, settled).await.unwrap_or(Wish::Reload)
                }
                Ok(wish) => wish,
            }
        })
    }
}

/// Waits until nothing has changed for a while.
async fn quiet(changes: &Notify) {
    while timeout(QUIET, changes.notified()).await.is_ok() {}
}

/// Whether an event is about a file of these names, or about what a deploy of Kubernetes puts in its place: the folder
/// `..data`, to which the file is a link.
fn speaks_of(event: &notify::Event, names: &Names) -> bool {
    let names = names.lock().unwrap_or_else(PoisonError::into_inner);
    let is_meant = |path: &PathBuf| {
        path.file_name().is_some_and(|changed| {
            names.contains(changed) || changed.as_encoded_bytes().starts_with(b"..")
        })
    };
    event.need_rescan() || event.paths.iter().any(is_meant)
}

fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
        Some(folder) => folder,
        None => Path::new("."),
    }
}
