//! `portcullis key`: makes, lists, changes and revokes API keys of a guard that runs.

use std::io::Write as _;

use portcullis_guard::api_key::ApiKeyId;
use portcullis_policy::Method;
use portcullis_report::harmless_line;
use serde_json::{Value, json};

use crate::admin_client::{AdminClient, encoded};
use crate::args::{CreateArgs, KeyCommand, KeyListArgs, RevokeKeyArgs, RotateKeyArgs, TextFormat};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

const DAY_SECONDS: u64 = 24 * 60 * 60;
const HOUR_SECONDS: u64 = 60 * 60;

pub(crate) fn run(command: &KeyCommand) -> Result<Exit, Failure> {
    match command {
        KeyCommand::Create(args) => create(args),
        KeyCommand::List(args) => list(args),
        KeyCommand::Rotate(args) => rotate(args),
        KeyCommand::Revoke(args) => revoke(args),
    }
}

fn create(args: &CreateArgs) -> Result<Exit, Failure> {
    let client = AdminClient::of(&args.place)?;
    let content = json!({
        "user": args.user,
        "tenant": args.tenant,
        "name": args.name,
        "scopes": args.scope,
        "lifetime_seconds": args.days.map(|days| days * DAY_SECONDS),
    });
    let answer = client.ask(Method::Post, "/keys", Some(&content))?.json()?;
    made(answer.as_ref())
}

fn rotate(args: &RotateKeyArgs) -> Result<Exit, Failure> {
    let client = AdminClient::of(&args.place)?;
    let content = json!({
        "overlap_seconds": args.overlap_hours * HOUR_SECONDS,
        "lifetime_seconds": args.days.map(|days| days * DAY_SECONDS),
    });
    let target = format!("/keys/{}/rotate", id(&args.id)?);
    match client.ask(Method::Post, &target, Some(&content))?.json()? {
        Some(answer) => made(Some(&answer)),
        None => Ok(nothing("there is no such key")),
    }
}

/// The key alone on standard output, and beside it what it is.
fn made(answer: Option<&Value>) -> Result<Exit, Failure> {
    let text = |name: &str| answer.and_then(|answer| answer.get(name)?.as_str());
    let key = text("key").ok_or_else(|| Failure::usage("the answer of the guard has no key"))?;
    output::write(&format!("{key}\n"), None)?;
    let (id, user) = (text("id").unwrap_or("?"), text("user").unwrap_or("?"));
    let expires = text("expires").unwrap_or("?");
    let old = text("old_secret_until");
    let old = old.map(|until| format!("; the secret before is accepted until {until}"));
    tell(&format!(
        "the key {id} of {user} is good until {expires}{}; it is shown this once",
        old.unwrap_or_default()
    ));
    Ok(Exit::Clean)
}

fn list(args: &KeyListArgs) -> Result<Exit, Failure> {
    let client = AdminClient::of(&args.place)?;
    let target = format!("/keys?user={}", encoded(&args.user));
    let answer = client.ask(Method::Get, &target, None)?.json()?;
    let answer = answer.unwrap_or_default();
    let keys = answer.get("keys").and_then(Value::as_array);
    let keys = keys.ok_or_else(|| Failure::usage("the answer of the guard has no keys"))?;
    let text = match args.format {
        TextFormat::Json => format!("{answer}\n"),
        TextFormat::Terminal => keys.iter().map(row).collect(),
    };
    output::write(&text, None)?;
    if keys.is_empty() {
        return Ok(nothing("the user has no keys"));
    }
    Ok(Exit::Clean)
}

/// One key: what it is called last, as that is what people wrote.
fn row(key: &Value) -> String {
    let text = |name: &str| key.get(name).and_then(Value::as_str);
    let id = text("id").unwrap_or("?");
    let end = if key.get("is_expired") == Some(&Value::Bool(true)) {
        "expired"
    } else {
        "until"
    };
    let expires = text("expires").unwrap_or("?");
    let used = text("used").map_or("never used".to_owned(), |used| format!("used {used}"));
    let scopes: Vec<&str> = key
        .get("scopes")
        .and_then(Value::as_array)
        .map(|scopes| scopes.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let scopes = if scopes.is_empty() {
        "no scopes".to_owned()
    } else {
        scopes.join(" ")
    };
    let old = text("old_secret_until");
    let old = old.map(|until| format!("  (old secret until {until})"));
    let line = format!(
        "{id}  {end} {expires}  {used}  [{scopes}]  {}{}",
        text("name").unwrap_or("?"),
        old.unwrap_or_default()
    );
    format!("{}\n", harmless_line(&line))
}

fn revoke(args: &RevokeKeyArgs) -> Result<Exit, Failure> {
    let client = AdminClient::of(&args.place)?;
    let target = match (&args.id, &args.user) {
        (Some(text), _) => format!("/keys/{}", id(text)?),
        (None, Some(user)) => format!("/keys?user={}", encoded(user)),
        (None, None) => return Err(Failure::usage("say which key, or `--user ID`")),
    };
    let answer = client.ask(Method::Delete, &target, None)?.json()?;
    let count = answer.and_then(|answer| answer.get("revoked")?.as_u64());
    match count {
        None | Some(0) => Ok(nothing("there is no such key")),
        Some(1) => {
            tell("one key is revoked");
            Ok(Exit::Clean)
        }
        Some(count) => {
            tell(&format!("{count} keys are revoked"));
            Ok(Exit::Clean)
        }
    }
}

/// An id. What is wrong is not repeated: it may be a whole key.
fn id(text: &str) -> Result<ApiKeyId, Failure> {
    ApiKeyId::read(text.as_bytes()).map_err(|_fault| {
        Failure::usage("a key is called by the 16 digits behind its prefix, without the secret")
    })
}

fn nothing(why: &str) -> Exit {
    tell(why);
    Exit::NothingToRead
}

fn tell(words: &str) {
    let told = writeln!(std::io::stderr(), "{}", harmless_line(words));
    // With standard error closed the exit code is all that is left to tell.
    drop(told);
}
