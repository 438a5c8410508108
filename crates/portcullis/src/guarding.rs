//! What a guard is started with: a policy that lacks nothing, a store, a place for events.

mod greeting;
mod secrets;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use portcullis_gateway::Tls;
use portcullis_guard::clock::Now;
use portcullis_guard::plan::Plan;
use portcullis_policy::event::EventKind;
use portcullis_policy::{
    Control, Date, EventSettings, EventTarget, KeySetPlace, Policy, SessionSource,
};
use portcullis_state::issuer::{IssuerKeys, Mint};
use portcullis_state::key_sets::{Fetcher, KeySetError};
use portcullis_state::keys::SecretsDigest;
use portcullis_state::tokens::{CacheBounds, Tokens};
use portcullis_state::{
    EmbeddedStore, EventSink, LocalStore, MemoryOptions, MemoryStore, StateDir, SystemClock,
};

use crate::failure::Failure;
use crate::issuing::strength;
use crate::policy_source::read_policy;

pub(crate) use greeting::{Greeting, Unfit};
use secrets::Secrets;

/// What a policy needs to say for a control to be enforced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Needs {
    /// Nothing.
    Nothing,
    /// How tokens of pages are bound.
    CsrfTokens,
    /// What a session is, in a way that the guard itself knows.
    Sessions,
    /// How callers are known.
    Callers,
}

/// The controls that the guard can enforce today, and where.
const ENFORCED: [(Control, Needs); 7] = [
    (Control::RateLimit, Needs::Nothing),
    (Control::BodyLimit, Needs::Nothing),
    (Control::SecurityHeaders, Needs::Nothing),
    (Control::AuditTrail, Needs::Nothing),
    (Control::Csrf, Needs::CsrfTokens),
    (Control::Session, Needs::Sessions),
    (Control::Authentication, Needs::Callers),
];

/// Whether the guard enforces a control where a policy says how.
pub(crate) fn is_enforced(control: Control) -> bool {
    ENFORCED.iter().any(|(one, _)| *one == control)
}

/// The controls that it enforces by a policy without `[identity]`.
pub(crate) fn enforced_without_identity() -> Vec<Control> {
    that_need(|needs| needs == Needs::Nothing)
}

/// The controls that the guard enforces by a policy. What a route must have beyond them needs an exception.
pub(crate) fn enforced(policy: &Policy) -> Vec<Control> {
    let Some(identity) = policy.identity() else {
        return enforced_without_identity();
    };
    let has_issuers = !identity.issuers.is_empty();
    let has_credentials = has_issuers || identity.api_keys.is_some();
    let (has_sessions, has_callers) = match identity.session.as_ref().map(|one| &one.source) {
        Some(SessionSource::Own) => (true, true),
        Some(SessionSource::Claim(_)) => (has_issuers, has_credentials),
        Some(SessionSource::Cookie(_)) | None => (false, has_credentials),
    };
    that_need(|needs| match needs {
        Needs::Nothing => true,
        Needs::CsrfTokens => identity.csrf.is_some(),
        Needs::Sessions => has_sessions,
        Needs::Callers => has_callers,
    })
}

fn that_need(is_there: impl Fn(Needs) -> bool) -> Vec<Control> {
    let enforced = ENFORCED.iter().filter(|(_, needs)| is_there(*needs));
    enforced.map(|(control, _)| *control).collect()
}

/// The kinds of security events that a guard writes today.
pub(crate) const WRITTEN: &[EventKind] = &[
    EventKind::AuthzFail,
    EventKind::ExcessRateLimitExceeded,
    EventKind::InputValidationFail,
    EventKind::MaliciousExcess404,
    EventKind::AuthnLoginFail,
    EventKind::AuthnTokenCreated,
    EventKind::AuthnTokenRevoked,
    EventKind::AuthzAdmin,
    EventKind::SessionCreated,
    EventKind::SessionRenewed,
    EventKind::SessionExpired,
    EventKind::SessionUseAfterExpire,
    EventKind::AuthnTokenReuse,
    EventKind::AuthnTokenCreated,
    EventKind::AuthnTokenRevoked,
    EventKind::SysStartup,
    EventKind::SysShutdown,
    EventKind::SysRestart,
    EventKind::SysMonitorEnabled,
    EventKind::GuardAllowed,
    EventKind::GuardUnavailable,
    EventKind::GuardMalformedRequest,
    EventKind::GuardCheckpoint,
];

/// The folder beside the policy for what outlives a restart.
const STATE_DIR: &str = ".portcullis";

/// A policy that a guard can start with.
#[derive(Clone, Debug)]
pub(crate) struct Loaded {
    /// The policy.
    pub(crate) policy: Policy,
    /// What names its exact text.
    pub(crate) digest: String,
    /// What its author may not have meant.
    pub(crate) notices: Vec<String>,
    only_watches: bool,
    /// What its secrets say.
    pub(crate) secrets: Secrets,
    /// With what clients are greeted who come in TLS.
    pub(crate) greeting: Option<Greeting>,
    /// The tokens of its issuers.
    pub(crate) tokens: Option<Arc<Tokens>>,
    /// What gives out tokens.
    pub(crate) mint: Option<Arc<Mint>>,
}

impl Loaded {
    /// With what clients are greeted.
    pub(crate) fn tls(&self) -> Option<Tls> {
        self.greeting.as_ref().map(|greeting| greeting.tls.clone())
    }

    /// What tells whether the files beside the policy say something else than before. It stays in memory.
    pub(crate) fn beside(&self) -> (SecretsDigest, Option<[u8; 32]>) {
        let greeting = self.greeting.as_ref();
        (
            self.secrets.digest,
            greeting.map(|greeting| greeting.digest),
        )
    }

    /// The files beside the policy.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let greeting = self.greeting.iter().flat_map(|greeting| &greeting.files);
        let files = self.secrets.files.iter().chain(greeting).cloned();
        files.chain(self.key_sets()).collect()
    }

    /// The files with keys of issuers.
    fn key_sets(&self) -> impl Iterator<Item = PathBuf> {
        let issuers = self.policy.identity().map(|identity| &identity.issuers);
        issuers.into_iter().flatten().filter_map(|issuer| {
            let KeySetPlace::File(path) = &issuer.jwks else {
                return None;
            };
            Some(path.into())
        })
    }

    /// The plan of it.
    pub(crate) fn plan(&self) -> Result<Plan, Failure> {
        let plan = Plan::keyed(&self.policy, &self.digest, self.secrets.identity.clone())
            .map_err(|error| Failure::caused("the policy cannot be used", &error))?;
        Ok(if self.only_watches {
            plan.only_watching()
        } else {
            plan
        })
    }
}

impl Loaded {
    /// The same with the keys of its issuers, of which `own` are those that it signs with itself. Those that did not change are
    /// taken over from the policy before.
    ///
    /// # Errors
    ///
    /// Where the system's certificates or a file with keys cannot be read.
    pub(crate) fn verifying(
        mut self,
        before: Option<&Tokens>,
        own: Option<Arc<IssuerKeys>>,
    ) -> Result<Self, Failure> {
        let Some(identity) = self.policy.identity().filter(|one| !one.issuers.is_empty()) else {
            return Ok(self);
        };
        let strength = strength(&self.policy);
        let failed = |error: KeySetError| Failure::caused("tokens could not be verified", &error);
        let mut fetcher = Fetcher::new(&[]).map_err(failed)?;
        if let Some(own) = own {
            self.mint = Mint::of(identity, Arc::clone(&own)).map(Arc::new);
            fetcher = fetcher.with_own(own);
        }
        let bounds = CacheBounds::of(identity.tokens_remembered);
        let tokens = Tokens::new(identity, strength, &fetcher, bounds, before).map_err(failed)?;
        self.tokens = Some(Arc::new(tokens));
        Ok(self)
    }
}

/// Reads a policy and says all at once what a guard lacks in it.
///
/// `made_of` makes the policy that is guarded of the one that the file has.
pub(crate) fn load(
    path: &Path,
    today: Date,
    only_watches: bool,
    made_of: impl Fn(Policy) -> Policy,
    lookup: &Lookup<'_>,
    now: Now,
) -> Result<Loaded, Failure> {
    if !path.is_file() {
        let name = path.display();
        return Err(Failure::usage(format!(
            "there is no policy `{name}`; `portcullis guard --help` shows a smallest one, and `portcullis routes` lists what the application has"
        )));
    }
    let (policy, digest) = read_policy(path)?;
    let policy = made_of(policy);
    let name = path.display();
    if let Err(lacks) = policy.for_guard(today, &enforced(&policy)) {
        let lines: Vec<String> = lacks.iter().map(|lack| format!("{name}:{lack}")).collect();
        return Err(Failure::usage(format!(
            "a guard cannot start with this policy\n{}",
            lines.join("\n")
        )));
    }
    let notices = policy
        .notices()
        .iter()
        .map(|notice| format!("{name}:{notice}"));
    let mut notices: Vec<String> = notices.collect();
    let secrets = Secrets::read(&policy, lookup, now, &mut notices);
    let greeting = Greeting::read(&policy, lookup, now, &mut notices);
    let (secrets, greeting) = match (secrets, greeting) {
        (Ok(secrets), Ok(greeting)) => (secrets, greeting),
        (secrets, greeting) => {
            let faults = secrets.err().unwrap_or_default();
            let lines = faults.iter().map(|fault| format!("{name}: {fault}"));
            let greeting = greeting.err();
            let greeting = greeting.iter().map(|failure| failure.message().to_owned());
            return Err(lacking(&lines.chain(greeting).collect::<Vec<_>>()));
        }
    };
    let loaded = Loaded {
        secrets,
        greeting,
        notices,
        policy,
        digest,
        only_watches,
        tokens: None,
        mint: None,
    };
    loaded.plan()?;
    Ok(loaded)
}

/// What is missing beside the policy, all of it: it is put right in one go.
fn lacking(lines: &[String]) -> Failure {
    let lines = lines.join("\n");
    Failure::usage(if lines.contains('\n') {
        format!("a guard cannot start with the secrets as they are\n{lines}")
    } else {
        lines
    })
}

/// What looks a variable up.
pub(crate) type Lookup<'l> = dyn Fn(&str) -> Option<OsString> + 'l;

/// Where the folder is: as it was said, or beside the policy.
pub(crate) fn state_folder(policy: &Path, said: Option<&Path>) -> PathBuf {
    said.map_or_else(|| policy.with_file_name(STATE_DIR), Path::to_owned)
}

/// The store: in memory, and with a folder for what outlives a restart where the policy has something that must.
pub(crate) fn open_store(
    loaded: &Loaded,
    policy: &Path,
    folder: Option<&Path>,
    clock: SystemClock,
) -> Result<Arc<LocalStore>, Failure> {
    let options = MemoryOptions::default();
    let caused = |error: portcullis_state::StateError| Failure::caused("", &error);
    let is_needed = folder.is_some() || loaded.plan()?.outlives_restarts();
    let store = if is_needed {
        let folder = StateDir::open(&state_folder(policy, folder)).map_err(caused)?;
        let store = EmbeddedStore::open(options, folder, clock.now()).map_err(caused)?;
        LocalStore::Embedded(store)
    } else {
        LocalStore::Memory(MemoryStore::new(options).map_err(caused)?)
    };
    Ok(Arc::new(store))
}

/// Where events go.
pub(crate) fn event_sink(settings: &EventSettings) -> EventSink {
    match &settings.to {
        EventTarget::Stdout => EventSink::Stdout,
        EventTarget::File(path) => EventSink::File {
            path: path.into(),
            rotate_bytes: settings.rotate.bytes(),
            keep: u32::from(settings.keep.get()),
        },
    }
}

/// Random numbers for the ids of requests.
pub(crate) fn seeds(workers: usize) -> Result<Vec<[u64; 2]>, Failure> {
    let seed = || portcullis_state::random().map_err(|error| Failure::caused("", &error));
    (0..workers).map(|_| Ok([seed()?, seed()?])).collect()
}
