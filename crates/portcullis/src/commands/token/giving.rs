//! `portcullis token issue` and `exchange`: ask a guard that runs for a token, and print it alone.

use portcullis_guard::issuing::{GRANT_TYPE, JWT_TYPE};
use portcullis_policy::{ClaimKind, Method, OwnIssuer, Policy};
use serde_json::{Map, Value, json};

use super::{own, policy_of, token_of};
use crate::args::{ExchangeArgs, GuardPlace, IssueArgs, IssueType};
use crate::asking::{Asked, Told, ask, credential};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

pub(super) fn issue(args: &IssueArgs) -> Result<Exit, Failure> {
    let policy = policy_of(&args.place.policy)?;
    let own = own(&policy, &args.place.policy)?;
    let mut body = json!({
        "token_type": match args.token_type {
            IssueType::Access => "access",
            IssueType::Parent => "parent",
        },
        "user_id": args.user,
        "network": args.network,
        "rate_limit": args.rate_limit,
    });
    put_audience(&mut body, &args.audience);
    put(&mut body, "expires_in", args.expires_in);
    if !args.claim.is_empty() {
        let claims = claims(own, &args.claim)?;
        put(&mut body, "claims", Some(claims));
    }
    let secret = credential("identity.tokens.secret", own.secret.as_slice())?;
    let path = "/.portcullis/tokens";
    print(&asked(&policy, &args.place, path, Some(secret), &body)?)
}

pub(super) fn exchange(args: &ExchangeArgs) -> Result<Exit, Failure> {
    let policy = policy_of(&args.place.policy)?;
    let Some(parent) = token_of(&args.token)? else {
        return Ok(super::nothing("there is no token"));
    };
    let mut body = json!({
        "grant_type": GRANT_TYPE,
        "subject_token_type": JWT_TYPE,
        "subject_token": parent.as_str(),
    });
    put_audience(&mut body, &args.audience);
    put(&mut body, "rate_limit", args.rate_limit);
    put(&mut body, "expires_in", args.expires_in);
    let path = "/.portcullis/tokens/exchange";
    print(&asked(&policy, &args.place, path, None, &body)?)
}

fn asked(
    policy: &Policy,
    place: &GuardPlace,
    path: &'static str,
    credential: Option<zeroize::Zeroizing<String>>,
    body: &Value,
) -> Result<Told, Failure> {
    let hosts = policy.hosts();
    let host = hosts.first().map(ToString::to_string).unwrap_or_default();
    ask(&Asked {
        address: place.guard.unwrap_or(policy.proxy().listen),
        host: &host,
        method: Method::Post,
        path,
        credential,
        body: Some(body),
    })
}

/// Prints the token alone, on purpose; or says that it was refused, as far as a client may know.
fn print(told: &Told) -> Result<Exit, Failure> {
    let content: Option<Value> = serde_json::from_slice(&told.content).ok();
    let token = content
        .as_ref()
        .and_then(|content| content.get("access_token"))
        .and_then(Value::as_str);
    match (told.status, token) {
        (200, Some(token)) => {
            output::write(&format!("{token}\n"), None)?;
            Ok(Exit::Clean)
        }
        (status, _) => Ok(super::refused(&format!(
            "the guard answers {status} and gives no token: why, its events say"
        ))),
    }
}

fn put(body: &mut Value, name: &str, value: Option<impl Into<Value>>) {
    if let (Value::Object(members), Some(value)) = (body, value) {
        members.insert(name.to_owned(), value.into());
    }
}

fn put_audience(body: &mut Value, audience: &[String]) {
    if !audience.is_empty() {
        put(body, "audience", Some(audience.to_vec()));
    }
}

/// Claims as they were written, each of the type that the policy says.
fn claims(own: &OwnIssuer, written: &[String]) -> Result<Value, Failure> {
    let mut claims = Map::new();
    for one in written {
        let (name, text) = one
            .split_once('=')
            .ok_or_else(|| Failure::usage(format!("`--claim {one}` is no `NAME=VALUE`")))?;
        let kind = own.claims.get(name).ok_or_else(|| {
            Failure::usage(format!(
                "`{name}` is none of `claims` of `[identity.tokens]`: add it there with its type"
            ))
        })?;
        let value = match kind {
            ClaimKind::Text => Some(text.into()),
            ClaimKind::Number => text.parse::<u64>().ok().map(Into::into),
            ClaimKind::Boolean => text.parse::<bool>().ok().map(Into::into),
        };
        let wrong = || {
            Failure::usage(format!(
                "the claim `{name}` is a {kind}, and `{text}` is none"
            ))
        };
        let before = claims.insert(name.to_owned(), value.ok_or_else(wrong)?);
        if before.is_some() {
            return Err(Failure::usage(format!("the claim `{name}` is there twice")));
        }
    }
    Ok(Value::Object(claims))
}
