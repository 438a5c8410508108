//! `Gate`: a gateway that runs in this process, on ports that are free.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use portcullis_gateway::{Gateway, GatewayOptions, Live, Observer, Seen};
use portcullis_guard::identity_plan::IdentityKeys;
use portcullis_guard::plan::Plan;
use portcullis_guard::store::Store;
use portcullis_policy::Policy;
use portcullis_state::{
    EventSink, EventWriter, MemoryOptions, MemoryStore, Pseudonyms, StateDir, SystemClock, Trail,
};
use tempfile::TempDir;

use super::{Client, PATIENCE, Upstream};

/// What is done to what the policy says, for figures that no policy can have.
type Change = Box<dyn Fn(&mut Live) + Send + Sync>;

/// Who is told of each request.
type Watching = Box<dyn Fn(&Seen) + Send + Sync>;

/// Of which the keys are made, and the secret that an application signs with.
pub(crate) const SEED: [u8; 32] = [0x5a; 32];

/// The credential of [`SEED`], of who operates the guard and of services, as it is shown.
pub(crate) fn admin_credential() -> String {
    SEED.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// A gateway that is not started yet.
pub(crate) struct Setup {
    policy: String,
    trail: Option<Arc<Trail>>,
    store: Option<Arc<dyn Store>>,
    workers: usize,
    admin: bool,
    change: Change,
    watching: Option<Watching>,
    keys: IdentityKeys,
}

/// A running gateway.
pub(crate) struct Gate {
    gateway: Option<Gateway>,
    change: Change,
    said: Arc<Mutex<Vec<String>>>,
    directory: TempDir,
}

impl Setup {
    /// With the text of a policy.
    pub(crate) fn new(policy: impl Into<String>) -> Self {
        Self {
            policy: policy.into(),
            store: None,
            workers: 1,
            admin: false,
            trail: None,
            change: Box::new(|_| {}),
            watching: None,
            keys: IdentityKeys::of_seed(&SEED),
        }
    }

    /// For the host `victim.test`, before one application: `POST /`, `POST /form` and all below `/read` that is read.
    pub(crate) fn simple(upstream: &Upstream) -> Self {
        Self::new(simple(&[upstream.address()]))
    }

    /// More of the policy.
    pub(crate) fn and(mut self, more: &str) -> Self {
        self.policy.push_str(more);
        self
    }

    /// Another store than one in memory.
    pub(crate) fn store(mut self, store: Arc<dyn Store>) -> Self {
        self.store = Some(store);
        self
    }

    /// So many threads.
    pub(crate) fn workers(mut self, workers: usize) -> Self {
        self.workers = workers;
        self
    }

    /// With an audit trail.
    pub(crate) fn trail(mut self, trail: Arc<Trail>) -> Self {
        self.trail = Some(trail);
        self
    }

    /// With an admin listener.
    pub(crate) fn admin(mut self) -> Self {
        self.admin = true;
        self
    }

    /// With figures that no policy can have.
    pub(crate) fn with(mut self, change: impl Fn(&mut Live) + Send + Sync + 'static) -> Self {
        self.change = Box::new(change);
        self
    }

    /// With somebody who is told of each request.
    pub(crate) fn watched_by(mut self, tell: impl Fn(&Seen) + Send + Sync + 'static) -> Self {
        self.watching = Some(Box::new(tell));
        self
    }

    /// Starts it.
    pub(crate) fn start(self) -> Gate {
        let directory = tempfile::tempdir().unwrap();
        let clock = SystemClock::start();
        let sink = EventSink::File {
            path: directory.path().join("events.jsonl"),
            rotate_bytes: 1 << 30,
            keep: 1,
        };
        let said = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&said);
        let observer = Observer::new(
            EventWriter::start(sink, clock).unwrap(),
            Pseudonyms::random().unwrap(),
            clock,
            move |words| heard.lock().unwrap().push(words.to_owned()),
        );
        let observer = match self.watching {
            Some(watching) => observer.watched_by(watching),
            None => observer,
        };
        let observer = match self.trail {
            Some(trail) => observer.recording(trail),
            None => observer,
        };
        let store = self
            .store
            .unwrap_or_else(|| memory(directory.path(), clock));
        let (policy, plan) = read(&self.policy, self.keys);
        observer.in_force(&plan.digest);
        let mut live = Live::first(&policy, plan);
        (self.change)(&mut live);
        let free = SocketAddr::from(([127, 0, 0, 1], 0));
        let options = GatewayOptions {
            listen: free,
            admin: self.admin.then_some(free),
            workers: self.workers,
            store,
            clock,
            observer,
            seeds: (1..=64).map(|number| [number, number * 7]).collect(),
        };
        Gate {
            gateway: Some(Gateway::start(options, live).unwrap()),
            change: self.change,
            said,
            directory,
        }
    }
}

impl Gate {
    /// The gateway itself.
    pub(crate) fn gateway(&self) -> &Gateway {
        self.gateway.as_ref().unwrap()
    }

    /// Where clients connect.
    pub(crate) fn address(&self) -> SocketAddr {
        self.gateway().address()
    }

    /// A connection to it.
    pub(crate) fn client(&self) -> Client {
        Client::connect(self.address())
    }

    /// A connection to its admin listener.
    pub(crate) fn admin(&self) -> Client {
        Client::connect(self.gateway().admin_address().unwrap())
    }

    /// Puts another policy in force.
    pub(crate) fn replace(&self, policy: &str) {
        self.replace_with(policy, IdentityKeys::of_seed(&SEED));
    }

    /// Puts another policy in force, with other keys.
    pub(crate) fn replace_with(&self, policy: &str, keys: IdentityKeys) {
        let (policy, plan) = read(policy, keys);
        let mut next = self.gateway().live().followed_by(&policy, plan);
        (self.change)(&mut next);
        self.gateway().replace(next);
    }

    /// What the operator was told.
    pub(crate) fn said(&self) -> Vec<String> {
        self.said.lock().unwrap().clone()
    }

    /// Drains it; whether everybody was answered.
    pub(crate) fn drain(mut self, grace: Duration) -> bool {
        self.gateway.take().unwrap().drain(grace)
    }

    /// Drains it, and gives the text of its events.
    pub(crate) fn drained_events(mut self) -> String {
        assert!(self.gateway.take().unwrap().drain(PATIENCE));
        self.events()
    }

    /// Ends it, and gives the text of its events.
    pub(crate) fn events(mut self) -> String {
        drop(self.gateway.take());
        std::fs::read_to_string(self.directory.path().join("events.jsonl")).unwrap()
    }
}

/// The policy and its plan. The digest is none of the text's, only another one for another text.
fn read(text: &str, keys: IdentityKeys) -> (Policy, Plan) {
    let policy = Policy::parse(text).unwrap_or_else(|errors| panic!("{text}\n{errors}"));
    let plan = Plan::keyed(&policy, &format!("sha256:{:064x}", text.len()), keys).unwrap();
    (policy, plan)
}

/// A store in memory that keeps limits of long windows, as the guard has it.
fn memory(directory: &Path, clock: SystemClock) -> Arc<dyn Store> {
    let snapshots = StateDir::open(&directory.join("state")).unwrap();
    Arc::new(MemoryStore::open(MemoryOptions::default(), snapshots, clock.now()).unwrap())
}

/// The policy of [`Setup::simple`] before several instances.
pub(crate) fn simple(upstreams: &[SocketAddr]) -> String {
    let mut list = String::new();
    for address in upstreams {
        write!(list, "\"http://{address}\", ").unwrap();
    }
    format!(
        r#"version = 1
hosts = ["victim.test"]
upstream = [{list}]

[limits."default.public_form"]
rate = "1000000 per 1s"

[[route]]
path = "/"
methods = ["POST"]
type = "public_form"

[[route]]
path = "/form"
methods = ["POST"]
type = "public_form"
body = {{ max = "8 MiB" }}

[[route]]
path = "/read/{{rest...}}"
methods = ["GET"]
type = "public_read"
"#
    )
}
