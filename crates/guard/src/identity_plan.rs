//! `IdentityPlan`: how a policy knows who is calling, with the keys for it, ready for use.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use portcullis_policy::{Issuer, Policy, SameSite as Stated, SessionSource};

use crate::api_key::{ApiKeyFault, ShownKey};
use crate::application::{ApplicationPlan, ApplicationSecret, IdentitySigner};
use crate::bearer::BearerSecret;
use crate::clock::Nanos;
use crate::digest::sha256;
use crate::issuing::IssuePlan;
use crate::keys::{KeyId, MacKey, MacKeys, Purpose};
use crate::session::SameSite;
use crate::token_cookies;

/// The keys that the guard's own cookies and tokens are signed with, made of the secrets that the policy names. They are read by
/// whoever may read files and variables.
#[derive(Clone, Debug, Default)]
pub struct IdentityKeys {
    /// For the cookies of sessions.
    pub session: Option<MacKeys>,
    /// For CSRF tokens.
    pub csrf: Option<MacKeys>,
    /// For the cookies of those who are not logged in.
    pub pre_session: Option<MacKeys>,
    /// That the guard signs with who is calling.
    pub signers: Vec<Arc<IdentitySigner>>,
    /// That the application signs with what it says of sessions.
    pub application: Vec<Arc<ApplicationSecret>>,
    /// By which the services are known that may ask for tokens of the guard's own.
    pub services: Vec<Arc<BearerSecret>>,
    /// By which who asks the admin listener for sessions, tokens or API keys is known.
    pub admin: Vec<Arc<BearerSecret>>,
}

impl IdentityKeys {
    /// Keys of a seed alone, for a rehearsal: what they sign is worth nothing to a guard that serves.
    #[must_use]
    pub fn of_seed(seed: &[u8; 32]) -> Self {
        let key = |purpose: Purpose| {
            let bytes = sha256(&[seed, purpose.label()].concat());
            MacKeys::new(vec![MacKey::new(
                KeyId::new([0; KeyId::BYTES]),
                &bytes,
                None,
            )])
        };
        let signer = IdentitySigner::new("rehearsal".to_owned(), seed, None);
        Self {
            session: Some(key(Purpose::SessionCookie)),
            csrf: Some(key(Purpose::CsrfToken)),
            pre_session: Some(key(Purpose::PreSessionCookie)),
            signers: signer.into_iter().map(Arc::new).collect(),
            application: vec![Arc::new(ApplicationSecret::new(seed, None))],
            services: vec![Arc::new(BearerSecret::new(seed, None))],
            admin: vec![Arc::new(BearerSecret::new(seed, None))],
        }
    }
}

/// How the guard knows who is calling.
#[derive(Debug, Default)]
pub struct IdentityPlan {
    /// Sessions.
    pub session: Option<SessionPlan>,
    /// CSRF tokens.
    pub csrf: Option<CsrfPlan>,
    /// Tokens of issuers.
    pub tokens: Option<TokensPlan>,
    /// API keys.
    pub api_keys: Option<ApiKeysPlan>,
    /// How the application is told who is calling, and says what becomes of sessions.
    pub application: Option<ApplicationPlan>,
    /// Tokens of the guard's own.
    pub own_tokens: Option<IssuePlan>,
    /// By which who asks the admin listener for sessions, tokens or API keys is known; none where there are none to ask for.
    pub admin: Vec<Arc<BearerSecret>>,
}

/// Sessions, ready for use.
#[derive(Debug)]
pub struct SessionPlan {
    /// What a session is.
    pub source: SourcePlan,
    /// How long one lives that nobody uses.
    pub idle: Duration,
    /// How long one lives at most.
    pub absolute: Duration,
    /// What is said of its cookie.
    pub same_site: SameSite,
    /// The page to which a browser is led that has no session where it needs one.
    pub login: Option<String>,
}

/// What a session is.
#[derive(Debug)]
pub enum SourcePlan {
    /// The guard's own, by cookies that are signed with these keys.
    Own(MacKeys),
    /// The application's, in the cookie of this name.
    Cookie(String),
    /// The one that this claim of a verified token names.
    Claim(String),
}

/// Tokens of issuers. Who they are and by which keys they sign, whoever verifies them knows.
#[derive(Debug)]
pub struct TokensPlan {
    /// The cookies that may hold one, in the order of the policy.
    pub cookies: Vec<Box<str>>,
    /// The issuers: no user of the application's may be called as one of theirs is ([`Principal::name`](crate::principal::Principal::name)).
    pub issuers: Vec<Box<str>>,
}

impl TokensPlan {
    fn of(issuers: &[Issuer]) -> Self {
        let mut cookies: Vec<Box<str>> = issuers.iter().flat_map(token_cookies::of).collect();
        let mut seen = BTreeSet::new();
        cookies.retain(|name| seen.insert(name.clone()));
        let issuers = issuers.iter().map(|one| one.issuer.as_str().into());
        Self {
            cookies,
            issuers: issuers.collect(),
        }
    }

    /// Whether a user is called as one of an issuer's is.
    #[must_use]
    pub fn is_name_of_theirs(&self, user: &str) -> bool {
        let mut rests = self
            .issuers
            .iter()
            .filter_map(|one| user.strip_prefix(&**one));
        rests.any(|rest| rest.starts_with('#'))
    }
}

/// API keys, ready for use.
#[derive(Debug)]
pub struct ApiKeysPlan {
    /// How they begin, without the `_` behind it.
    pub prefix: Box<str>,
    /// The field in which one may come besides `Authorization`, in lower case.
    pub header: Option<Box<str>>,
    /// How long one lives at most.
    pub lifetime_max: Duration,
}

impl ApiKeysPlan {
    /// Whether a text begins as keys do: then it is one, or it is nothing.
    pub(crate) fn is_meant(&self, text: &[u8]) -> bool {
        let rest = text.strip_prefix(self.prefix.as_bytes());
        rest.is_some_and(|rest| rest.starts_with(b"_"))
    }

    /// Reads a key.
    pub(crate) fn read(&self, text: &[u8]) -> Result<ShownKey, ApiKeyFault> {
        ShownKey::read(&self.prefix, text)
    }
}

/// CSRF tokens, ready for use.
#[derive(Debug)]
pub struct CsrfPlan {
    /// For the tokens.
    pub keys: MacKeys,
    /// For the cookies of those who are not logged in.
    pub pre_session: MacKeys,
    /// How long a token can be used.
    pub lifetime: Nanos,
    /// Origins beside the service's own whose pages may send, as a browser writes them.
    pub same_site: Vec<String>,
}

/// A secret of the policy whose keys were not handed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeysMissing(pub &'static str);

impl IdentityPlan {
    /// That of a policy.
    ///
    /// # Errors
    ///
    /// The secret that the policy names and for which there are no keys.
    pub fn of(policy: &Policy, keys: IdentityKeys) -> Result<Self, KeysMissing> {
        let Some(identity) = policy.identity() else {
            return Ok(Self::default());
        };
        let session = match &identity.session {
            None => None,
            Some(stated) => Some(SessionPlan {
                source: match &stated.source {
                    SessionSource::Own => {
                        SourcePlan::Own(keys.session.ok_or(KeysMissing("identity.session.secret"))?)
                    }
                    SessionSource::Cookie(name) => SourcePlan::Cookie(name.to_string()),
                    SessionSource::Claim(name) => SourcePlan::Claim(name.to_string()),
                },
                idle: stated.idle,
                absolute: stated.absolute,
                same_site: match stated.same_site {
                    Stated::Lax => SameSite::Lax,
                    Stated::Strict => SameSite::Strict,
                },
                login: stated.login.clone(),
            }),
        };
        let csrf = match &identity.csrf {
            None => None,
            Some(stated) => {
                const NAME: KeysMissing = KeysMissing("identity.csrf.secret");
                Some(CsrfPlan {
                    keys: keys.csrf.ok_or(NAME)?,
                    pre_session: keys.pre_session.ok_or(NAME)?,
                    lifetime: Nanos::try_from(stated.lifetime.as_nanos()).unwrap_or(Nanos::MAX),
                    same_site: stated.same_site.iter().map(ToString::to_string).collect(),
                })
            }
        };
        let tokens = (!identity.issuers.is_empty()).then(|| TokensPlan::of(&identity.issuers));
        let api_keys = identity.api_keys.as_ref().map(|stated| ApiKeysPlan {
            prefix: stated.prefix.as_str().into(),
            header: stated.header.as_ref().map(|name| name.as_str().into()),
            lifetime_max: stated.lifetime_max,
        });
        let application = match &identity.application {
            None => None,
            Some(stated) => {
                if keys.signers.is_empty() {
                    return Err(KeysMissing("identity.session.secret"));
                }
                if stated.secret.is_some() && keys.application.is_empty() {
                    return Err(KeysMissing("identity.application.secret"));
                }
                let issuer = policy.public_url().map(ToString::to_string);
                let audience = match &stated.audience {
                    Some(audience) => Some(audience.to_string()),
                    None => policy.name().map(ToString::to_string),
                };
                let plan = ApplicationPlan::new(
                    keys.signers,
                    keys.application,
                    &issuer.unwrap_or_default(),
                    &audience.unwrap_or_default(),
                );
                Some(if stated.identity { plan } else { plan.untold() })
            }
        };
        let own_tokens = match &identity.tokens {
            None => None,
            Some(_) if keys.services.is_empty() => {
                return Err(KeysMissing("identity.tokens.secret"));
            }
            Some(stated) => Some(IssuePlan::of(stated, keys.services)),
        };
        let has_own = matches!(
            session.as_ref().map(|session| &session.source),
            Some(SourcePlan::Own(_))
        );
        let admin = match policy.proxy().admin_secret {
            Some(_) if keys.admin.is_empty() => return Err(KeysMissing("proxy.admin_secret")),
            Some(_)
                if has_own || tokens.is_some() || own_tokens.is_some() || api_keys.is_some() =>
            {
                keys.admin
            }
            Some(_) | None => Vec::new(),
        };
        Ok(Self {
            session,
            csrf,
            tokens,
            api_keys,
            application,
            own_tokens,
            admin,
        })
    }

    /// Whether the guard itself knows who is calling.
    #[must_use]
    pub fn knows_callers(&self) -> bool {
        self.has_own_sessions() || self.tokens.is_some() || self.api_keys.is_some()
    }

    /// Whether something that a request shows on purpose may say who is calling: a token, or a key.
    #[must_use]
    pub const fn reads_credentials(&self) -> bool {
        self.tokens.is_some() || self.api_keys.is_some()
    }

    /// Whether the guard itself says who is calling.
    #[must_use]
    pub fn has_own_sessions(&self) -> bool {
        let source = self.session.as_ref().map(|session| &session.source);
        matches!(source, Some(SourcePlan::Own(_)))
    }
}
