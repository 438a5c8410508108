//! `Followed`: the policy, the secrets and the certificate that a guard follows while it runs: what is taken, and what is not.

use portcullis_gateway::{Gateway, Tls};
use portcullis_guard::clock::Now;
use portcullis_guard::plan::Plan;
use portcullis_policy::Policy;
use portcullis_policy::event::{EventKind, EventLevel};
use portcullis_state::keys::SecretsDigest;

use super::Way;
use crate::failure::Failure;
use crate::guarding::{Loaded, Unfit};
use crate::speaker::say;

/// Which policy the guard follows.
pub(super) struct Followed {
    /// What names the policy in force.
    digest: String,
    /// Whether its secrets and its certificate are still what they were.
    beside: (SecretsDigest, Option<[u8; 32]>),
    /// The policy in force.
    policy: Policy,
    /// What was refused, which is told once.
    refused: Option<Told>,
    /// When what was refused may not be any more, in seconds since 1970-01-01T00:00:00Z: a certificate when it begins, all else with
    /// the next look.
    again_at: Option<u64>,
}

/// What was read is not taken.
#[derive(Debug)]
pub(super) enum Refused {
    /// For what is wrong with it.
    Policy(Failure),
    /// For its certificate: clients refuse that, and accept the one that greets now.
    Certificate(Unfit, Box<Waiting>),
}

/// What is not taken because of a certificate: the digest of the policy, its secrets and the certificate.
type Waiting = (String, (SecretsDigest, Option<[u8; 32]>));

/// What was told to be refused: why, and what waits for it. Another policy that waits for the same certificate is told again: who
/// changed it would think that it is in force.
type Told = (String, Option<Box<Waiting>>);

impl Followed {
    /// From the start on.
    pub(super) fn of(loaded: Loaded) -> Self {
        Self {
            beside: loaded.beside(),
            digest: loaded.digest,
            policy: loaded.policy,
            refused: None,
            again_at: None,
        }
    }

    /// Whether it is time to look again, without anything having changed.
    pub(super) fn is_due(&mut self, now: Now) -> bool {
        self.again_at
            .take_if(|at| *at <= now.unix_seconds())
            .is_some()
    }

    /// Refuses another certificate that clients refuse, where they accept the one that greets now.
    pub(super) fn can_greet(
        &mut self,
        loaded: Loaded,
        served: Option<&Tls>,
        now: Now,
    ) -> Result<Loaded, Refused> {
        if let (Some(greeting), Some(served)) = (&loaded.greeting, served)
            && self.beside.1 != Some(greeting.digest)
        {
            greeting.can_replace(served, now).map_err(|unfit| {
                Refused::Certificate(unfit, Box::new((loaded.digest.clone(), loaded.beside())))
            })?;
        }
        Ok(loaded)
    }

    /// Puts in force what was read, or keeps what is in force and says why.
    pub(super) fn follow(
        &mut self,
        loaded: Result<Loaded, Refused>,
        gateway: &Gateway,
        way: &dyn Way,
    ) {
        self.again_at = None;
        // What has no plan is refused before anything of it is kept: it is then told, and tried again by the same bytes.
        let loaded = loaded.and_then(|loaded| {
            let plan = loaded.plan().map_err(Refused::Policy)?;
            Ok((loaded, plan))
        });
        match loaded {
            // Something else in the folder changed, or the file is again what is in force.
            Ok((loaded, _plan))
                if loaded.digest == self.digest
                    && loaded.beside() == self.beside
                    && has_keys_of_before(&loaded, gateway) =>
            {
                self.refused = None;
                gateway.observer().in_force(&self.digest);
            }
            Ok((loaded, plan)) => {
                self.refused = None;
                let is_same_text = self.digest == loaded.digest;
                self.digest.clone_from(&loaded.digest);
                let (before, now) = (self.beside, loaded.beside());
                self.beside = now;
                let (reason, words) = if !is_same_text {
                    ("policy_replaced", "")
                } else if before.0 == now.0 && before.1 != now.1 {
                    ("certificate_replaced", "another certificate is in force")
                } else {
                    (
                        "secrets_replaced",
                        "other secrets or keys are in force, by the same policy",
                    )
                };
                let routes = replace(gateway, &loaded, plan, way, reason);
                if is_same_text {
                    say(words);
                } else {
                    way.replaced(&self.policy, &loaded, routes);
                }
                self.policy = loaded.policy;
            }
            Err(Refused::Policy(failure)) => {
                // What it lacks may come where nobody watches: a file in a folder that was not there.
                self.again_at = Some(0);
                let why = failure.message();
                let words = "the changed policy is not taken, the one before stays in force";
                self.refuse(words, why, None, || gateway.observer().policy_refused());
            }
            Err(Refused::Certificate(unfit, waiting)) => {
                self.again_at = unfit.again_at;
                let words = "the changed certificate is not taken, and the policy with it";
                self.refuse(words, &unfit.why, Some(waiting), || {
                    gateway.observer().certificate_refused(unfit.detail);
                });
            }
        }
    }

    /// Tells why something is not taken, once.
    fn refuse(
        &mut self,
        words: &str,
        why: &str,
        waiting: Option<Box<Waiting>>,
        note: impl FnOnce(),
    ) {
        let told = Some((why.to_owned(), waiting));
        if self.refused == told {
            return;
        }
        note();
        say(&format!("{words}: {why}"));
        self.refused = told;
    }
}

/// Whether the keys of the issuers are those in force: a file with them may have changed where the policy did not.
fn has_keys_of_before(loaded: &Loaded, gateway: &Gateway) -> bool {
    match (&loaded.tokens, &gateway.live().tokens) {
        (Some(loaded), Some(live)) => loaded.keys().are_those_of(live.keys()),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

/// Puts a policy in force; how many routes it has.
fn replace(
    gateway: &Gateway,
    loaded: &Loaded,
    plan: Plan,
    way: &dyn Way,
    reason: &'static str,
) -> usize {
    for notice in &loaded.notices {
        say(notice);
    }
    let routes = plan.routes.len();
    let digest = plan.digest.clone();
    let mut live = gateway.live().followed_by(&loaded.policy, plan);
    live.tls = way.tls(loaded);
    live.tokens.clone_from(&loaded.tokens);
    live.mint.clone_from(&loaded.mint);
    gateway.replace(live);
    let observer = gateway.observer();
    observer.in_force(&digest);
    if let Some(names) = &loaded.secrets.events {
        observer.names_are(names.clone());
    }
    observer.system(EventKind::SysRestart, EventLevel::Info, reason, None);
    routes
}

#[cfg(test)]
mod tests {
    use portcullis_state::keys::SecretReader;

    use super::*;

    /// Nothing in the folder changes when a certificate begins, so somebody has to look.
    #[test]
    fn what_is_not_valid_yet_is_looked_at_once_more_when_it_is() {
        let mut followed = Followed {
            digest: String::new(),
            beside: (SecretReader::new(&|_| None).digest(), None),
            policy: Policy::parse("version = 1\n").unwrap(),
            refused: None,
            again_at: Some(100),
        };
        let at = |unix_seconds: u64| Now {
            monotonic: 0,
            unix_millis: unix_seconds * 1_000,
        };
        assert!(!followed.is_due(at(99)));
        assert!(followed.is_due(at(100)));
        assert!(!followed.is_due(at(101)), "once is enough");
    }
}
