//! `portcullis guard dev`: the guard on the machine of who writes the application.

use std::cell::Cell;
use std::ffi::OsString;
use std::num::NonZeroU8;
use std::path::PathBuf;

use portcullis_gateway::{Gateway, Observer, Tls};
use portcullis_policy::{Date, EventSettings, Policy, Upstream};
use portcullis_state::{EventSink, SystemClock};

use super::color_of;
use super::guard::{Way, serve};
use crate::args::{DevArgs, GuardArgs, LogFormat};
use crate::dev::{Authority, DevFolder, DevSecrets, Lines, Log, change, opening};
use crate::environment::Environment;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::guarding::Loaded;
use crate::policy_source::NAME;
use crate::recording::second_place;
use crate::speaker::say;

/// How long requests may take to end: who stopped it waits at the keyboard.
const GRACE_SECONDS: u64 = 2;

/// How large the file of events may become before it is put aside.
const EVENTS_BYTES: u64 = 8 << 20;

pub(crate) fn run(args: &DevArgs, environment: &Environment) -> Result<Exit, Failure> {
    let path = args.policy.clone().unwrap_or_else(|| PathBuf::from(NAME));
    if !path.is_file() {
        // Nothing is made beside a policy that is not there.
        return Err(Failure::usage(format!(
            "there is no policy `{}`: `portcullis init` writes a first one from the code",
            path.display()
        )));
    }
    let folder = DevFolder::beside(&path)?;
    // By the clock that clients go by, whatever day the policy is tried for.
    let day = SystemClock::start().now().unix_day();
    let day = Date::of_unix_day(day).unwrap_or(environment.today);
    let authority = Authority::open(&folder, day)?;
    let log = Log::start()?;
    let lines = Lines::new(
        &path,
        args.format == LogFormat::Json,
        color_of(args.color, environment),
    );
    let way = Dev {
        port: Cell::new(args.listen.port()),
        path: path.clone(),
        upstream: args.upstream.clone(),
        secrets: DevSecrets::kept_in(&folder),
        folder: &folder,
        authority,
        log: log.clone(),
        lines,
        insecure_shadow: args.insecure_shadow,
    };
    let guard = GuardArgs {
        way: None,
        policy: Some(path),
        listen: Some(args.listen),
        admin: None,
        workers: Some(NonZeroU8::MIN),
        state_dir: Some(folder.file("state")),
        grace: GRACE_SECONDS,
        insecure_shadow: args.insecure_shadow,
    };
    let ended = serve(&guard, environment, &way);
    log.end();
    ended
}

/// How it guards otherwise.
struct Dev<'f> {
    /// The port that browsers name.
    port: Cell<u16>,
    path: PathBuf,
    upstream: Option<Upstream>,
    secrets: DevSecrets<'f>,
    folder: &'f DevFolder,
    authority: Authority,
    log: Log,
    lines: Lines,
    insecure_shadow: bool,
}

impl Way for Dev<'_> {
    fn policy(&self, policy: Policy) -> Policy {
        policy.on_localhost(self.port.get(), self.upstream.clone())
    }

    fn tls(&self, _loaded: &Loaded) -> Option<Tls> {
        Some(self.authority.tls.clone())
    }

    fn sink(&self, _settings: &EventSettings) -> EventSink {
        EventSink::File {
            path: self.folder.file("events.jsonl"),
            rotate_bytes: EVENTS_BYTES,
            keep: 1,
        }
    }

    fn second_place(&self, policy: &Policy) -> Option<PathBuf> {
        second_place(policy.trail()).map(|_| self.folder.file("checkpoints.jsonl"))
    }

    fn makes_first_key(&self) -> bool {
        true
    }

    fn variable(&self, name: &str) -> Option<OsString> {
        self.secrets.look_up(name)
    }

    fn observer(&self, observer: Observer) -> Observer {
        let (log, lines) = (self.log.clone(), self.lines.clone());
        observer.watched_by(move |seen| log.write(lines.of(seen)))
    }

    fn started(
        &self,
        gateway: &Gateway,
        loaded: &Loaded,
        _args: &GuardArgs,
    ) -> Result<(), Failure> {
        let port = gateway.address().port();
        if self.port.replace(port) != port {
            // Which port it is was not known before. Until now nobody's host was right.
            let mut local = loaded.clone();
            local.policy = local.policy.on_localhost(port, None);
            let next = gateway.live().followed_by(&local.policy, local.plan()?);
            gateway.replace(next);
        }
        for line in opening(&self.path, &loaded.policy, port, &self.authority) {
            say(&line);
        }
        let names = self.secrets.names();
        if !names.is_empty() {
            say(&format!(
                "drawn and kept for this folder, as they are not set: {}",
                names.join(", ")
            ));
        }
        if self.insecure_shadow {
            say("warning: --insecure-shadow: what the policy refuses is only told");
        }
        Ok(())
    }

    fn replaced(&self, before: &Policy, loaded: &Loaded, routes: usize) {
        say(&format!("another policy is in force: {routes} routes"));
        for line in change(before, &loaded.policy) {
            say(&line);
        }
    }
}
