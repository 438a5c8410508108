//! `Secrets`: what the secrets of a policy say, all read by one reader, so that no two are the same.

use std::path::PathBuf;

use portcullis_guard::clock::Now;
use portcullis_guard::identity_plan::IdentityKeys;
use portcullis_policy::{Control, Policy, SecretKey, SecretRef};
use portcullis_state::Pseudonyms;
use portcullis_state::keys::{Purpose, Secret, SecretError, SecretReader, SecretsDigest};
use portcullis_state::trail::SigningKey;

use super::{Lookup, enforced};

/// The keys that are made of the secrets.
#[derive(Clone, Debug)]
pub(crate) struct Secrets {
    /// By which callers are known.
    pub(super) identity: IdentityKeys,
    /// By which clients and users are called in events.
    pub(crate) events: Option<Pseudonyms>,
    /// That signs the audit trail.
    pub(crate) trail: Option<SigningKey>,
    /// Another where another secret was read.
    pub(crate) digest: SecretsDigest,
    /// The files that were read.
    pub(crate) files: Vec<PathBuf>,
}

impl Secrets {
    /// Reads all that a policy names.
    ///
    /// # Errors
    ///
    /// All that are missing, weak, or the same as another.
    pub(super) fn read(
        policy: &Policy,
        lookup: &Lookup<'_>,
        now: Now,
        notices: &mut Vec<String>,
    ) -> Result<Self, Vec<SecretError>> {
        let mut gathering = Gathering {
            reader: SecretReader::new(lookup),
            now,
            faults: Vec::new(),
        };
        let identity = identity_keys(policy, &mut gathering, notices);
        let events = policy.events().key.as_ref();
        let events = events.and_then(|key| {
            let secret = gathering.read("events.key", &one(key))?;
            gathering.made(secret.pseudonyms())
        });
        let signing = policy.trail().and_then(|trail| trail.signing_key.as_ref());
        let trail = signing.and_then(|key| {
            let secret = gathering.read("trail.signing_key", &one(key))?;
            gathering.made(secret.signing_key())
        });
        let Gathering { reader, faults, .. } = gathering;
        if !faults.is_empty() {
            return Err(faults);
        }
        notices.extend(reader.warnings().iter().map(ToString::to_string));
        Ok(Self {
            identity,
            events,
            trail,
            digest: reader.digest(),
            files: reader.files().map(PathBuf::from).collect(),
        })
    }
}

/// Reads one secret after the other, and notes what is wrong with any: they are set all at once.
struct Gathering<'e> {
    reader: SecretReader<'e>,
    now: Now,
    faults: Vec<SecretError>,
}

impl Gathering<'_> {
    fn read(&mut self, name: &str, keys: &[SecretKey]) -> Option<Secret> {
        self.reader
            .read_noting(name, keys, self.now, &mut self.faults)
    }

    fn made<T>(&mut self, made: Result<T, SecretError>) -> Option<T> {
        made.map_err(|fault| self.faults.push(fault)).ok()
    }
}

/// A secret that has one key and no end.
fn one(kept_at: &SecretRef) -> [SecretKey; 1] {
    [SecretKey {
        kid: None,
        key: kept_at.clone(),
        not_after: None,
    }]
}

/// What is told of a credential for nothing.
const NOTHING_TO_ASK_FOR: &str = "`admin_secret` of `[proxy]` opens nothing: the policy has no sessions of the guard's own, see `[identity.session]`, no issuers of tokens, see `[[identity.issuer]]`, no API keys, see `[identity.api_keys]`, and gives out no tokens";

/// What is told where a token that is known to somebody else lives to its end.
const NO_TOKEN_IS_TAKEN_BACK: &str = "no token can be taken back before its end: add `admin_secret` to `[proxy]`, and an `admin` listener, see docs/guide/own-tokens.md";

/// Makes the keys of who is calling.
fn identity_keys(
    policy: &Policy,
    gathering: &mut Gathering<'_>,
    notices: &mut Vec<String>,
) -> IdentityKeys {
    let mut keys = IdentityKeys::default();
    if let Some(stated) = &policy.proxy().admin_secret {
        if let Some(secret) = gathering.read("proxy.admin_secret", stated.as_slice()) {
            keys.admin = secret.bearers();
        }
        let has_more = policy.identity().is_some_and(|one| {
            !one.issuers.is_empty() || one.tokens.is_some() || one.api_keys.is_some()
        });
        if !enforced(policy).contains(&Control::Session) && !has_more {
            notices.push(NOTHING_TO_ASK_FOR.to_owned());
        }
    }
    let Some(identity) = policy.identity() else {
        return keys;
    };
    if let Some(session) = &identity.session
        && let Some(secret) = gathering.read("identity.session.secret", session.secret.as_slice())
    {
        keys.session = gathering.made(secret.keys(Purpose::SessionCookie));
        keys.signers = gathering.made(secret.signers()).unwrap_or_default();
    }
    if let Some(csrf) = &identity.csrf
        && let Some(secret) = gathering.read("identity.csrf.secret", csrf.secret.as_slice())
    {
        keys.csrf = gathering.made(secret.keys(Purpose::CsrfToken));
        keys.pre_session = gathering.made(secret.keys(Purpose::PreSessionCookie));
    }
    if let Some(tokens) = &identity.tokens {
        if let Some(secret) = gathering.read("identity.tokens.secret", tokens.secret.as_slice()) {
            keys.services = secret.bearers();
        }
        if policy.proxy().admin_secret.is_none() {
            notices.push(NO_TOKEN_IS_TAKEN_BACK.to_owned());
        }
    }
    let application = identity.application.as_ref();
    if let Some(stated) = application.and_then(|application| application.secret.as_ref())
        && let Some(secret) = gathering.read("identity.application.secret", stated.as_slice())
    {
        keys.application = secret.shared();
        // Where the guard has no sessions, what it says of callers is signed by a key of the one secret that there is. The
        // application could make it too: it would deceive itself alone.
        if keys.signers.is_empty() {
            keys.signers = gathering.made(secret.signers()).unwrap_or_default();
        }
    }
    keys
}
