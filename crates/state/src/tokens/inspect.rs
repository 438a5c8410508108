//! `Inspection`: what somebody is told of a token who asks what it is.

use portcullis_guard::clock::Now;
use portcullis_guard::token::{TokenUse, verify};

use super::{NotBelieved, Tokens};

/// What was found out about a token.
#[derive(Debug)]
pub struct Inspection {
    /// What it claims, as it was signed; nothing where its signature does not hold. It is about a person.
    pub payload: Option<Vec<u8>>,
    /// Whether it would be believed for what it is presented for.
    pub judged: Result<(), NotBelieved>,
}

impl Tokens {
    /// Looks at a token as at one that is presented, and says more than whoever presents it is told. It waits for keys that have to be
    /// fetched, and is for who asks on the command line.
    pub fn inspect(&self, compact: &str, now: Now, used: TokenUse) -> Inspection {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        match runtime {
            Ok(runtime) => runtime.block_on(self.inspected(compact, now, used)),
            Err(_denied) => Inspection {
                payload: None,
                judged: Err(crate::key_sets::KeysUnavailable::None.into()),
            },
        }
    }

    async fn inspected(&self, compact: &str, now: Now, used: TokenUse) -> Inspection {
        let refused = |why: NotBelieved| Inspection {
            payload: None,
            judged: Err(why),
        };
        let token = match self.verifier.read(compact) {
            Ok(token) => token,
            Err(fault) => return refused(fault.into()),
        };
        let issuer = token.issuer();
        let held = match self.keys.ready(issuer, token.key_id(), now) {
            Some(held) => held,
            None => match self.keys.wait_for(issuer, token.key_id(), now).await {
                Ok(held) => held,
                Err(why) => return refused(why.into()),
            },
        };
        let rules = self.verifier.issuers().get(issuer.0);
        let accepted = rules.map(|rules| rules.algorithms()).unwrap_or_default();
        let signed = verify(compact, &held.keys, accepted);
        let judged = self.verifier.verify(token, &held.keys, now, used);
        Inspection {
            payload: signed.ok().map(|signed| signed.payload().to_vec()),
            judged: judged.map(|_believed| ()).map_err(Into::into),
        }
    }
}
