//! `Class`: the vocabulary of what can be wrong; several rules may share one class.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// Writes the enum, its words and the list of all of them from one table, so that none can be forgotten.
macro_rules! classes {
    ($($variant:ident $word:literal,)+) => {
        /// What sort of fault a finding reports. The words are kebab-case and never change their meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "the word is the explanation; the rule's page has the rest")]
        pub enum Class {
            $($variant,)+
        }

        impl Class {
            /// Every class, in the order of the vocabulary.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word as it stands in every output.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }
    };
}

classes! {
    AuthMissing "auth-missing",
    AuthUnused "auth-unused",
    AuthzMissing "authz-missing",
    AuthzWeak "authz-weak",
    Bola "bola",
    TenantMissing "tenant-missing",
    MassAssignment "mass-assignment",
    DataExposure "data-exposure",
    ValidationMissing "validation-missing",
    UploadLimit "upload-limit",
    CsrfMissing "csrf-missing",
    RatelimitMissing "ratelimit-missing",
    RatelimitSpoofableKey "ratelimit-spoofable-key",
    WebhookSignatureMissing "webhook-signature-missing",
    WebhookNotIdempotent "webhook-not-idempotent",
    UserEnumeration "user-enumeration",
    ErrorLeak "error-leak",
    PiiLog "pii-log",
    SecretLog "secret-log",
    LogInjection "log-injection",
    HeadersMissing "headers-missing",
    CorsMisconfig "cors-misconfig",
    SessionCookieFlags "session-cookie-flags",
    SessionFixation "session-fixation",
    TlsMissing "tls-missing",
    DebugMode "debug-mode",
    ClientSideAuthz "client-side-authz",
    Sqli "sqli",
    Nosqli "nosqli",
    CommandInjection "command-injection",
    CodeInjection "code-injection",
    Ssti "ssti",
    Xss "xss",
    Ssrf "ssrf",
    SsrfTimeout "ssrf-timeout",
    PathTraversal "path-traversal",
    OpenRedirect "open-redirect",
    Redos "redos",
    Xxe "xxe",
    InsecureDeserialization "insecure-deserialization",
    PrototypePollution "prototype-pollution",
    InfoLeak "info-leak",
    SecretExposure "secret-exposure",
    JwtNoVerify "jwt-no-verify",
    JwtAlgNone "jwt-alg-none",
    JwtHs256 "jwt-hs256",
    JwtMissingAudIss "jwt-missing-aud-iss",
    JwtMissingJti "jwt-missing-jti",
    JwtLifetime "jwt-lifetime",
    HardcodedSecret "hardcoded-secret",
    CommittedEnv "committed-env",
    WeakRng "weak-rng",
    LowEntropyToken "low-entropy-token",
    PredictableToken "predictable-token",
    WeakHash "weak-hash",
    TimingCompare "timing-compare",
    PlaintextPassword "plaintext-password",
    WeakPasswordPolicy "weak-password-policy",
    ContainerRoot "container-root",
    ImageUnpinned "image-unpinned",
    PrivilegedContainer "privileged-container",
    WritableRootFs "writable-root-fs",
    FailOpen "fail-open",
    SecretInArgv "secret-in-argv",
    KubectlSecret "kubectl-secret",
    TerraformInlineVar "terraform-inline-var",
    CiUnpinnedAction "ci-unpinned-action",
    CiDangerousTrigger "ci-dangerous-trigger",
    DependencyVulnerable "dependency-vulnerable",
    InventoryGap "inventory-gap",
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Class {
    type Err = UnknownClass;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .iter()
            .copied()
            .find(|class| class.as_str() == word)
            .ok_or_else(|| UnknownClass(word.to_owned()))
    }
}

impl Serialize for Class {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// The word is not in the vocabulary.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no class `{0}`")]
pub struct UnknownClass(pub String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_leads_back_to_its_class() {
        for class in Class::ALL {
            assert_eq!(class.as_str().parse(), Ok(*class));
        }
        assert_eq!(
            "bolo".parse::<Class>(),
            Err(UnknownClass("bolo".to_owned()))
        );
    }
}
