//! `portcullis token revoke`: takes back a token, or all of a user, in a guard that runs.

use std::path::Path;

use portcullis_policy::{Method, Policy};
use serde_json::{Value, json};

use super::token_of;
use crate::args::RevokeArgs;
use crate::asking::{Asked, ask, credential};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;
use crate::policy_source::read_policy;

pub(super) fn run(args: &RevokeArgs) -> Result<Exit, Failure> {
    let policy = believing(&args.policy)?;
    let proxy = policy.proxy();
    let address = args.admin.or(proxy.admin).ok_or_else(|| {
        Failure::usage(
            "where the admin listener is is not said: add `admin` to `[proxy]`, or use `--admin`",
        )
    })?;
    let secret = proxy.admin_secret.as_ref().ok_or_else(|| {
        Failure::usage("nobody may take tokens back: add `admin_secret` to `[proxy]`")
    })?;
    let secret = credential("proxy.admin_secret", secret.as_slice())?;
    let mut body = match (&args.jti, &args.user) {
        (Some(jti), _) => json!({ "jti": jti }),
        (None, Some(user)) => json!({ "user_id": user }),
        (None, None) => match token_of(&args.token)? {
            Some(token) => json!({ "token": token.as_str() }),
            None => {
                return Ok(super::nothing(
                    "there is no token, and no `--jti` or `--user`",
                ));
            }
        },
    };
    if let (Value::Object(members), Some(issuer)) = (&mut body, &args.issuer) {
        members.insert("issuer".to_owned(), issuer.as_str().into());
    }
    let told = ask(&Asked {
        address,
        host: &address.to_string(),
        method: Method::Post,
        path: "/tokens/revoke",
        credential: Some(secret),
        body: Some(&body),
    })?;
    let content = String::from_utf8_lossy(&told.content);
    if told.status == 200 {
        output::write(&content, None)?;
        return Ok(Exit::Clean);
    }
    Ok(super::refused(&format!(
        "the guard answers {}: {}",
        told.status,
        content.trim()
    )))
}

/// The policy of a file, which believes tokens, by whomever they are given out.
fn believing(path: &Path) -> Result<Policy, Failure> {
    let (policy, _digest) = read_policy(path)?;
    if policy.identity().is_none_or(|one| one.issuers.is_empty()) {
        return Err(Failure::usage(format!(
            "`{}` believes no tokens: add `[identity.tokens]` or `[[identity.issuer]]`",
            path.display()
        )));
    }
    Ok(policy)
}
