//! `portcullis guard`: starts the proxy, follows its policy, and ends it when it is told to.

mod followed;

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use portcullis_gateway::{Gateway, GatewayOptions, Live, Observer, Signals, Tls, Wish};
use portcullis_guard::clock::{Nanos, SECOND};
use portcullis_guard::store::{Durability, Store};
use portcullis_policy::event::{EventKind, EventLevel};
use portcullis_policy::{EventSettings, Policy};
use portcullis_state::{EventSink, EventWriter, LocalStore, Pseudonyms, SystemClock};

use followed::{Followed, Refused};

use super::guard_dev;
use crate::args::{GuardArgs, GuardWay};
use crate::environment::{Environment, variable_os};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::guarding::{Loaded, event_sink, load, open_store, seeds, state_folder};
use crate::issuing::{KeysPlan, KeysWatch, open_keys};
use crate::policy_source::NAME;
use crate::recording::{Recording, second_place};
use crate::speaker::{finish, say};

/// How often the store is swept and its long limits written out: so much of a count may be lost to a crash.
const HOUSEKEEPING: Duration = Duration::from_secs(5);
const HOUSEKEEPING_NANOS: Nanos = 5 * SECOND;

pub(crate) fn run(args: &GuardArgs, environment: &Environment) -> Result<Exit, Failure> {
    match &args.way {
        Some(GuardWay::Dev(dev)) => guard_dev::run(dev, environment),
        None => serve(args, environment, &Plain),
    }
}

/// What another way of guarding does otherwise. Nothing of it can let a request pass.
pub(super) trait Way {
    /// The policy that is guarded, of the one that the file has.
    fn policy(&self, policy: Policy) -> Policy {
        policy
    }

    /// What clients are greeted with who come in TLS.
    fn tls(&self, loaded: &Loaded) -> Option<Tls> {
        loaded.tls()
    }

    /// Where events go.
    fn sink(&self, settings: &EventSettings) -> EventSink {
        event_sink(settings)
    }

    /// Where the checkpoints of the audit trail are kept as well.
    fn second_place(&self, policy: &Policy) -> Option<PathBuf> {
        second_place(policy.trail())
    }

    /// What a variable holds that the policy names for a secret.
    fn variable(&self, name: &str) -> Option<OsString> {
        variable_os(name)
    }

    /// Whether a first signing key is made where there is none.
    fn makes_first_key(&self) -> bool {
        false
    }

    /// Who is told what happens.
    fn observer(&self, observer: Observer) -> Observer {
        observer
    }

    /// Tells that the guard serves.
    fn started(&self, gateway: &Gateway, loaded: &Loaded, args: &GuardArgs) -> Result<(), Failure> {
        tell_start(gateway, loaded, args);
        Ok(())
    }

    /// Tells that another policy is in force.
    fn replaced(&self, _before: &Policy, loaded: &Loaded, routes: usize) {
        let digest = &loaded.digest;
        say(&format!(
            "another policy is in force: {routes} routes, {digest}"
        ));
    }
}

/// The guard as it is in front of an application.
struct Plain;

impl Way for Plain {}

/// Guards until it is told to end.
pub(super) fn serve(
    args: &GuardArgs,
    environment: &Environment,
    way: &dyn Way,
) -> Result<Exit, Failure> {
    let path = args.policy.clone().unwrap_or_else(|| PathBuf::from(NAME));
    let clock = SystemClock::start();
    // Before the policy is read and anybody is told that the guard is there: what changes in between would be missed, and
    // a signal would end it at once. Why that failed is told after what is wrong with the policy itself.
    let signals = Signals::of(&path);
    let read = |today| {
        let lookup = |name: &str| way.variable(name);
        let of_way = |one| way.policy(one);
        load(
            &path,
            today,
            args.insecure_shadow,
            of_way,
            &lookup,
            clock.now(),
        )
    };
    let state = state_folder(&path, args.state_dir.as_deref());
    let verifying = |loaded: Loaded, before: Option<&Live>| {
        let plan = KeysPlan {
            state: &state,
            makes_first: way.makes_first_key(),
        };
        let mint = before.and_then(|live| live.mint.as_ref());
        let keys = mint.map(|mint| Arc::clone(mint.keys()));
        let keys = open_keys(&loaded.policy, plan, keys, clock.now())?;
        loaded.verifying(before.and_then(|live| live.tokens.as_deref()), keys)
    };
    let loaded = verifying(read(environment.today)?, None)?;
    let mut signals = signals.map_err(|error| Failure::caused("", &error))?;
    for notice in &loaded.notices {
        say(notice);
    }
    watch_secrets(&mut signals, &loaded);
    let store = open_store(&loaded, &path, args.state_dir.as_deref(), clock)?;
    let recording = Recording::open(
        &loaded,
        state_folder(&path, args.state_dir.as_deref()),
        way.second_place(&loaded.policy),
        clock,
    )?;
    let rooms = Rooms {
        store: Arc::clone(&store),
        recording: &recording,
    };
    let gateway = start(args, &loaded, rooms, clock, way)?;
    let mut followed = Followed::of(loaded);
    let mut kept_house = clock.monotonic();
    let mut keys_watch = KeysWatch::default();
    loop {
        let wish = match signals.next(HOUSEKEEPING) {
            Wish::Nothing if followed.is_due(clock.now()) => Wish::Reload,
            wish => wish,
        };
        match wish {
            Wish::End => break,
            Wish::Nothing => {}
            Wish::Reload => {
                let before = gateway.live();
                let loaded = read(environment.day())
                    .and_then(|loaded| can_be_kept(&store, loaded))
                    .and_then(|loaded| recording.can_follow(loaded))
                    .and_then(|loaded| verifying(loaded, Some(&before)))
                    .map_err(Refused::Policy);
                if let Ok(loaded) = &loaded {
                    watch_secrets(&mut signals, loaded);
                }
                let served = before.tls.as_ref();
                let loaded =
                    loaded.and_then(|loaded| followed.can_greet(loaded, served, clock.now()));
                followed.follow(loaded, &gateway, way);
            }
        }
        // Wishes may come faster than this, and must not keep it from happening.
        if clock.monotonic().saturating_sub(kept_house) >= HOUSEKEEPING_NANOS {
            kept_house = clock.monotonic();
            keep_house(&store, &gateway, clock);
            keys_watch.look(&gateway, clock.now());
            recording.tell(gateway.observer());
        }
    }
    end(gateway, &store, &recording, clock, args.grace)
}

/// What is kept beyond a request.
struct Rooms<'r> {
    store: Arc<LocalStore>,
    recording: &'r Recording,
}

/// Lets a change of a file with secrets be noticed, as one of the policy is. Where the system does not watch it, that is said: the
/// signal is heard all the same.
fn watch_secrets(signals: &mut Signals, loaded: &Loaded) {
    if let Err(error) = signals.also(&loaded.files()) {
        say(&format!("{error}; `kill -HUP` makes it look again"));
    }
}

/// Refuses a policy whose long limits the store of this run could not keep: every request that counts in one would be
/// refused.
fn can_be_kept(store: &LocalStore, loaded: Loaded) -> Result<Loaded, Failure> {
    if loaded.plan()?.outlives_restarts() && store.keeps() < Durability::Durable {
        return Err(Failure::usage(
            "the policy has sessions, or a limit that counts an hour or more, now, and this run began without a folder for them: start the guard anew",
        ));
    }
    Ok(loaded)
}

fn start(
    args: &GuardArgs,
    loaded: &Loaded,
    rooms: Rooms<'_>,
    clock: SystemClock,
    way: &dyn Way,
) -> Result<Gateway, Failure> {
    let policy = &loaded.policy;
    let caused = |error: &dyn std::error::Error| Failure::caused("", error);
    let writer =
        EventWriter::start(way.sink(policy.events()), clock).map_err(|error| caused(&error))?;
    if let Some(torn) = &writer.started().torn {
        say(&format!(
            "half an event was put aside in `{}`",
            torn.display()
        ));
    }
    let names = match &loaded.secrets.events {
        Some(names) => names.clone(),
        None => Pseudonyms::random().map_err(|error| caused(&error))?,
    };
    let settings = policy.proxy();
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let workers = args.workers.or(settings.workers);
    let workers = workers.map_or(cores, |count| usize::from(count.get()));
    let store: Arc<dyn Store> = rooms.store;
    let observer = Observer::new(writer, names, clock, say);
    let options = GatewayOptions {
        listen: args.listen.unwrap_or(settings.listen),
        admin: args.admin.or(settings.admin),
        workers,
        store,
        clock,
        observer: way.observer(rooms.recording.observed(observer)),
        seeds: seeds(workers)?,
    };
    let mut live = Live::first(policy, loaded.plan()?);
    live.tls = way.tls(loaded);
    live.tokens.clone_from(&loaded.tokens);
    live.mint.clone_from(&loaded.mint);
    let gateway = Gateway::start(options, live).map_err(|error| caused(&error))?;
    let plan = &gateway.live().plan;
    let observer = gateway.observer();
    observer.in_force(&plan.digest);
    observer.system(EventKind::SysStartup, EventLevel::Info, "started", None);
    way.started(&gateway, loaded, args)?;
    Ok(gateway)
}

fn tell_start(gateway: &Gateway, loaded: &Loaded, args: &GuardArgs) {
    let upstreams: Vec<String> = loaded
        .policy
        .upstreams()
        .iter()
        .map(ToString::to_string)
        .collect();
    let routes = gateway.live().plan.routes.len();
    say(&format!(
        "guarding {} at {}://{}, {routes} routes{}",
        upstreams.join(", "),
        if loaded.greeting.is_some() {
            "https"
        } else {
            "http"
        },
        gateway.address(),
        match gateway.admin_address() {
            Some(admin) => format!("; admin at http://{admin}"),
            None => String::new(),
        }
    ));
    if args.insecure_shadow {
        say("warning: --insecure-shadow: what the policy refuses is only written down");
    }
}

fn keep_house(store: &LocalStore, gateway: &Gateway, clock: SystemClock) {
    let now = clock.now();
    let swept = store.sweep(now).map_err(|error| error.to_string());
    let kept = store.snapshot(now).map_err(|error| error.to_string());
    gateway.observer().state_is(swept.and(kept).err());
}

fn end(
    gateway: Gateway,
    store: &LocalStore,
    recording: &Recording,
    clock: SystemClock,
    grace: u64,
) -> Result<Exit, Failure> {
    say("ending: no new connections");
    gateway
        .observer()
        .system(EventKind::SysShutdown, EventLevel::Info, "ended", None);
    // First, in case the rest is cut short; and again, for what is counted meanwhile.
    let kept = store.snapshot(clock.now());
    recording.tell(gateway.observer());
    if !gateway.drain(Duration::from_secs(grace)) {
        say("some requests did not end in their time");
    }
    let kept = kept.and_then(|_before| store.snapshot(clock.now()));
    let written = store.flush();
    // After the last request: its outcome belongs into it.
    let recorded = recording.close();
    finish();
    recorded?;
    kept.map_err(|error| Failure::caused("limits could not be kept", &error))?;
    written.map_err(|error| {
        Failure::caused("what must outlive a restart could not be kept", &error)
    })?;
    Ok(Exit::Clean)
}
