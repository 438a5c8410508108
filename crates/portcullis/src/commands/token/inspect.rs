//! `portcullis token inspect`: says what a token is, and why it would be refused.

use portcullis_guard::clock::Now;
use portcullis_guard::token::{ClaimFault, Jws, TokenFault, TokenUse, Wrong};
use portcullis_policy::Policy;
use portcullis_policy::event::EventTime;
use portcullis_state::SystemClock;
use portcullis_state::key_sets::Fetcher;
use portcullis_state::tokens::{CacheBounds, NotBelieved, Tokens};
use serde_json::{Map, Value, json};

use super::token_of;
use crate::args::{InspectArgs, TextFormat};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::guarding::state_folder;
use crate::issuing::{KeysPlan, open_keys, strength};
use crate::output;
use crate::policy_source::read_policy;

const SCHEMA: &str = "portcullis.token-inspect/1";

/// What was found out.
struct Found {
    header: Value,
    /// What it claims; nothing where its signature does not hold.
    claims: Option<Map<String, Value>>,
    is_parent: bool,
    /// Why it would be refused: the code, and in words.
    refused: Option<(&'static str, String)>,
}

pub(super) fn run(args: &InspectArgs) -> Result<Exit, Failure> {
    let (policy, _digest) = read_policy(&args.place.policy)?;
    let Some(token) = token_of(&args.token)? else {
        return Ok(super::nothing("there is no token"));
    };
    let now = SystemClock::start().now();
    let found = find(&policy, args, &token, now)?;
    let text = match args.format {
        TextFormat::Terminal => shown(&found),
        TextFormat::Json => format!("{}\n", told(&found)),
    };
    output::write(&text, None)?;
    Ok(if found.refused.is_none() {
        Exit::Clean
    } else {
        Exit::Findings
    })
}

fn find(policy: &Policy, args: &InspectArgs, token: &str, now: Now) -> Result<Found, Failure> {
    let mut found = Found {
        header: Value::Null,
        claims: None,
        is_parent: false,
        refused: None,
    };
    let header = match Jws::read(token) {
        Ok(jws) => jws.header().clone(),
        Err(fault) => return Ok(refused(found, fault)),
    };
    found.header = json!({
        "alg": header.algorithm(), "kid": header.key_id(), "typ": header.media_type(),
    });
    let identity = policy.identity().filter(|one| !one.issuers.is_empty());
    let identity = identity.ok_or_else(|| {
        Failure::usage(format!(
            "`{}` believes no tokens: add `[identity.tokens]` or `[[identity.issuer]]`",
            args.place.policy.display()
        ))
    })?;
    let state = state_folder(&args.place.policy, args.place.state_dir.as_deref());
    let plan = KeysPlan {
        state: &state,
        makes_first: false,
    };
    let failed =
        |error: &dyn std::error::Error| Failure::caused("tokens cannot be verified", error);
    let mut fetcher = Fetcher::new(&[]).map_err(|error| failed(&error))?;
    if let Some(keys) = open_keys(policy, plan, None, now)? {
        fetcher = fetcher.with_own(keys);
    }
    let (strength, bounds) = (strength(policy), CacheBounds::default());
    let tokens = Tokens::new(identity, strength, &fetcher, bounds, None);
    let tokens = tokens.map_err(|error| failed(&error))?;
    let mut seen = tokens.inspect(token, now, TokenUse::Route);
    if is_parent(&seen.judged) {
        found.is_parent = true;
        seen = tokens.inspect(token, now, TokenUse::Exchange);
    }
    let claims = seen.payload.as_deref();
    found.claims = claims.and_then(|payload| serde_json::from_slice(payload).ok());
    Ok(match seen.judged {
        Ok(()) => found,
        Err(NotBelieved::Fault(fault)) => refused(found, fault),
        Err(NotBelieved::Unavailable(why)) => {
            found.refused = Some(("token_unknown", format!("nobody can say: {why}")));
            found
        }
    })
}

/// Whether it is refused for being a parent alone.
fn is_parent(judged: &Result<(), NotBelieved>) -> bool {
    matches!(
        judged,
        Err(NotBelieved::Fault(TokenFault::Claim(ClaimFault {
            wrong: Wrong::Parent,
            ..
        })))
    )
}

fn refused(mut found: Found, fault: TokenFault) -> Found {
    found.refused = Some((fault.reason(), words(fault)));
    found
}

fn shown(found: &Found) -> String {
    let mut text = match &found.refused {
        Some((code, why)) => format!("it would be refused: {why} ({code})\n"),
        None if found.is_parent => {
            "it is a parent token: good for the exchange, and refused by every route\n".to_owned()
        }
        None => "it would be believed\n".to_owned(),
    };
    if found.refused.is_none() {
        text.push_str("whether it was taken back, only a guard that runs knows\n");
    }
    let mut line = |name: &str, value: &Value| {
        let moment = match (name, value.as_u64()) {
            ("exp" | "iat" | "nbf", Some(seconds)) => {
                let moment = EventTime::of_unix_millis(seconds.saturating_mul(1_000));
                format!(" ({moment})")
            }
            _ => String::new(),
        };
        let value = value.to_string();
        let value = portcullis_report::harmless_line(&value);
        let name = portcullis_report::harmless_line(name);
        text.push_str(&format!("  {name}: {value}{moment}\n"));
    };
    for (name, value) in found.header.as_object().into_iter().flatten() {
        line(name, value);
    }
    match &found.claims {
        Some(claims) => claims.iter().for_each(|(name, value)| line(name, value)),
        None => text.push_str("  what it claims is not shown, as nobody has verified it\n"),
    }
    text
}

fn told(found: &Found) -> Value {
    let refused = found
        .refused
        .as_ref()
        .map(|(code, why)| json!({ "reason": code, "why": why }));
    json!({
        "schema": SCHEMA,
        "believed": found.refused.is_none(),
        "opens": match (&found.refused, found.is_parent) {
            (Some(_), _) => "nothing",
            (None, true) => "exchange",
            (None, false) => "routes",
        },
        "refused": refused,
        "header": found.header,
        "claims": found.claims,
    })
}

/// Why, for people.
fn words(fault: TokenFault) -> String {
    let words = match fault {
        TokenFault::TooLong => "it is longer than 8 KiB",
        TokenFault::Form => "it has not three parts with dots between them",
        TokenFault::Encoding => "a part of it is no base64url without padding",
        TokenFault::HeaderMalformed => "its header is no strict JSON object with an `alg`",
        TokenFault::HeaderRepeated => "its header has a name twice, or nearly",
        TokenFault::CriticalUnknown => "its header asks for an extension (`crit`)",
        TokenFault::PayloadUnencoded => "its payload is not encoded (`b64`)",
        TokenFault::AlgorithmRefused => "its `alg` is none that the policy admits of its issuer",
        TokenFault::KeyUnknown => "its `kid` is none of the keys of its issuer",
        TokenFault::KeyMismatch => "the key that it names is for another `alg`",
        TokenFault::SignatureWrong => "its signature does not hold",
        TokenFault::TypeRefused => "its `typ` is none of a token for access",
        TokenFault::SecretTooShort => "the secret is too short",
        TokenFault::Claim(fault) => return of_claim(fault),
    };
    words.to_owned()
}

fn of_claim(fault: ClaimFault) -> String {
    let claim = fault.claim;
    match fault.wrong {
        Wrong::Malformed => "its payload is no strict JSON object".to_owned(),
        Wrong::Repeated => format!("it has `{claim}` twice, or nearly"),
        Wrong::Missing => format!("it has no `{claim}`"),
        Wrong::Type => format!("its `{claim}` is of another type than that claim has"),
        Wrong::Refused => format!("its `{claim}` is none that the policy admits"),
        Wrong::Expired => "it has ended (`exp`)".to_owned(),
        Wrong::NotYet => format!("it has not begun (`{claim}`)"),
        Wrong::LivesTooLong => "it lives longer than a token of its sort may".to_owned(),
        Wrong::Parent => "it is a parent token".to_owned(),
    }
}
