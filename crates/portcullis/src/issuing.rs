//! What a guard gives out tokens with: the folder of its keys, opened with a policy and looked at while it runs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use portcullis_gateway::Gateway;
use portcullis_guard::clock::Now;
use portcullis_guard::token::KeyStrength;
use portcullis_policy::event::{EventKind, EventLevel};
use portcullis_policy::{OwnIssuer, Policy, Profile};
use portcullis_state::issuer::{IssuerFolder, IssuerKeyError, IssuerKeys, RsaBits};

use crate::failure::Failure;
use crate::speaker::say;

/// The folder in the state folder.
const ISSUER_DIR: &str = "issuer";

/// The folder of the keys: as the policy says, or in the state folder.
pub(crate) fn issuer_folder(own: &OwnIssuer, state: &Path) -> IssuerFolder {
    let stated = own.keys.as_ref().map(|one| PathBuf::from(one.as_str()));
    IssuerFolder::new(stated.unwrap_or_else(|| state.join(ISSUER_DIR)))
}

/// How strong the keys of issuers must be.
pub(crate) const fn strength(policy: &Policy) -> KeyStrength {
    match policy.profile() {
        Profile::Standard => KeyStrength::Standard,
        Profile::Strict => KeyStrength::Strict,
    }
}

/// Where the keys are looked for, and what is done where there are none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeysPlan<'p> {
    /// The state folder.
    pub(crate) state: &'p Path,
    /// Whether a first key is made where there is none, in the state folder: on one's own machine alone. Elsewhere a folder that is not mounted would
    /// become new keys, and every token of before would be refused without a word.
    pub(crate) makes_first: bool,
}

/// The keys of a policy that gives out tokens. Those of the policy before stay where they are the same.
pub(crate) fn open_keys(
    policy: &Policy,
    plan: KeysPlan<'_>,
    before: Option<Arc<IssuerKeys>>,
    now: Now,
) -> Result<Option<Arc<IssuerKeys>>, Failure> {
    let own = policy
        .identity()
        .and_then(|identity| identity.tokens.as_ref());
    let Some(own) = own else {
        return Ok(None);
    };
    let (folder, strength) = (issuer_folder(own, plan.state), strength(policy));
    let failed = |error: IssuerKeyError| Failure::caused("no tokens can be given out", &error);
    let is_same = |keys: &Arc<IssuerKeys>| {
        keys.folder().path() == folder.path() && keys.strength() == strength
    };
    // Whether they have changed meanwhile, `KeysWatch` finds out and tells.
    if let Some(same) = before.filter(is_same) {
        return Ok(Some(same));
    }
    let is_ours = plan.makes_first && own.keys.is_none();
    if is_ours && matches!(folder.keys(), Err(IssuerKeyError::None(_))) {
        let made = folder.generate(own.algorithm, RsaBits::default(), now);
        made.map_err(failed)?;
    }
    let keys = IssuerKeys::open(folder, strength, now).map_err(failed)?;
    if let Some(newest) = keys.list().newest()
        && newest.public.algorithm() != own.algorithm
    {
        say(&format!(
            "the newest signing key is for {}, and the policy says {}: `portcullis token keys rotate` makes one",
            newest.public.algorithm(),
            own.algorithm
        ));
    }
    Ok(Some(Arc::new(keys)))
}

/// Looks whether the keys of a guard that runs have changed. What is wrong with them is told once, and changes nothing.
#[derive(Debug, Default)]
pub(crate) struct KeysWatch {
    told: Option<String>,
}

impl KeysWatch {
    /// Looks once. To be called every few seconds.
    pub(crate) fn look(&mut self, gateway: &Gateway, now: Now) {
        let live = gateway.live();
        let Some(mint) = &live.mint else {
            gateway.observer().signing_keys_read();
            self.told = None;
            return;
        };
        let told = match mint.keys().refresh(now) {
            Ok(changed) => {
                gateway.observer().signing_keys_read();
                if changed {
                    let (kind, level) = (EventKind::SysRestart, EventLevel::Info);
                    gateway
                        .observer()
                        .system(kind, level, "issuer_keys_changed", None);
                    say("the signing keys are others now, or one has ended");
                }
                None
            }
            Err(error) => Some(Failure::caused("", &error).message().to_owned()),
        };
        if let Some(why) = told.as_ref().filter(|_| told != self.told) {
            gateway.observer().signing_keys_unreadable();
            say(&format!(
                "the signing keys cannot be read again, those that were read stay in use: {why}"
            ));
        }
        self.told = told;
    }
}
