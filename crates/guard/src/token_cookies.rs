//! Which cookies may hold a token of an issuer.
//!
//! Clerk sets each of its cookies twice: under its name, and under its name with the first eight letters of the SHA-1 of the
//! application's publishable key in base64url, so that two applications on one domain do not take each other's. The publishable
//! key is the host of the issuer and `$` in base64, behind `pk_live_` or `pk_test_`; its SDKs prefer the longer name.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use portcullis_policy::{Issuer, Preset};

use crate::base64url;

/// The names, in the order in which they are looked for.
pub(crate) fn of(issuer: &Issuer) -> Vec<Box<str>> {
    let Some(name) = &issuer.cookie else {
        return Vec::new();
    };
    let mut names = Vec::new();
    if issuer.preset == Some(Preset::Clerk) {
        let host = issuer.issuer.as_str().strip_prefix("https://");
        let host = host.unwrap_or_default().split('/').next();
        for kind in ["pk_live_", "pk_test_"] {
            let suffix = clerk_suffix(kind, host.unwrap_or_default());
            names.push(format!("{name}_{suffix}").into());
        }
    }
    names.push(name.as_str().into());
    names
}

fn clerk_suffix(kind: &str, host: &str) -> String {
    // Of these letters none is another in base64url: what is written is ASCII.
    let key = format!("{kind}{}", base64url::text(format!("{host}$").as_bytes()));
    let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, key.as_bytes());
    base64url::text(hash.as_ref()).chars().take(8).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Clerk's own tests expect.
    #[test]
    fn suffixes_are_those_of_clerk() {
        for (kind, host, suffix) in [
            ("pk_live_", "clerk.clerk.dev", "1Z8AzTQD"),
            ("pk_test_", "clerk.clerk.dev", "QvfNY2dr"),
            (
                "pk_test_",
                "enough-alpaca-82.clerk.accounts.lclclerk.com",
                "jtYvyt_H",
            ),
            (
                "pk_test_",
                "xxxxxx-xaaaaa-aa.clerk.accounts.lclclerk.com",
                "tZJdb-5s",
            ),
        ] {
            assert_eq!(clerk_suffix(kind, host), suffix, "{host}");
        }
    }
}
