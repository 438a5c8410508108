//! `portcullis token revoke`: takes back a token, or all of a user, in a guard that runs.

use portcullis_policy::Method;
use serde_json::{Value, json};

use super::{policy_of, token_of};
use crate::args::RevokeArgs;
use crate::asking::{Asked, ask, credential};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

pub(super) fn run(args: &RevokeArgs) -> Result<Exit, Failure> {
    let policy = policy_of(&args.policy)?;
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
