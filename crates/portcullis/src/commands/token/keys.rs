//! `portcullis token keys`: makes, changes and lists the keys that tokens are signed with.

use portcullis_guard::token::KeyStrength;
use portcullis_policy::event::EventTime;
use portcullis_policy::{Policy, SigningAlgorithm};
use portcullis_state::SystemClock;
use portcullis_state::issuer::{IssuerKeyError, IssuerKeys, Key, KeyList, KeyState, RsaBits};
use serde_json::json;

use super::{folder, own, policy_of};
use crate::args::{Bits, GenerateArgs, ListArgs, NewKey, RotateArgs, TextFormat};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::issuing::strength;
use crate::output;

const SCHEMA: &str = "portcullis.token-keys/1";

pub(super) fn generate(args: &GenerateArgs) -> Result<Exit, Failure> {
    let policy = policy_of(&args.place.policy)?;
    let folder = folder(&policy, &args.place)?;
    let algorithm = own(&policy, &args.place.policy)?.algorithm;
    let (algorithm, bits) = new_key(&policy, &args.new, algorithm)?;
    let now = SystemClock::start().now();
    let list = folder
        .generate(algorithm, bits, now)
        .map_err(|e| failed(&e))?;
    let told = format!(
        "made in `{}`; it signs from now on\n",
        folder.path().display()
    );
    output::write(&(table(&list, now.unix_seconds()) + &told), None)?;
    Ok(Exit::Clean)
}

pub(super) fn rotate(args: &RotateArgs) -> Result<Exit, Failure> {
    let policy = policy_of(&args.place.policy)?;
    let folder = folder(&policy, &args.place)?;
    let algorithm = own(&policy, &args.place.policy)?.algorithm;
    let (algorithm, bits) = new_key(&policy, &args.new, algorithm)?;
    let now = SystemClock::start().now();
    let (list, told) = if args.at_once {
        let list = folder.replace(algorithm, bits, now);
        (
            list,
            "it signs from now on, and no token of before is believed\n",
        )
    } else {
        let list = folder.rotate(algorithm, bits, args.lead_minutes * 60, now);
        (
            list,
            "the next key is published, and signs at the moment that is shown\n",
        )
    };
    let list = list.map_err(|error| failed(&error))?;
    output::write(&(table(&list, now.unix_seconds()) + told), None)?;
    Ok(Exit::Clean)
}

pub(super) fn list(args: &ListArgs) -> Result<Exit, Failure> {
    let policy = policy_of(&args.place.policy)?;
    let folder = folder(&policy, &args.place)?;
    let now = SystemClock::start().now();
    // With the private halves, as a guard reads them: what it would refuse is refused here.
    let keys = IssuerKeys::open(folder, strength(&policy), now).map_err(|error| failed(&error))?;
    let (list, now) = (keys.list(), now.unix_seconds());
    let text = match args.format {
        TextFormat::Terminal => table(&list, now),
        TextFormat::Json => {
            let keys: Vec<_> = list
                .states(now)
                .map(|(key, state)| told(key, state))
                .collect();
            format!("{}\n", json!({ "schema": SCHEMA, "keys": keys }))
        }
    };
    output::write(&text, None)?;
    Ok(Exit::Clean)
}

fn told(key: &Key, state: KeyState) -> serde_json::Value {
    json!({
        "kid": key.public.thumbprint(),
        "algorithm": key.public.algorithm(),
        "rsa_bits": key.public.rsa_bits(),
        "state": state.as_str(),
        "published": moment(key.published),
        "signs_from": moment(key.signs_from),
    })
}

fn table(list: &KeyList, now: u64) -> String {
    let rows = list.states(now).map(|(key, state)| {
        let (kid, algorithm) = (key.public.thumbprint(), key.public.algorithm());
        let bits = key.public.rsa_bits().map(|bits| format!("-{bits}"));
        let name = format!("{algorithm}{}", bits.unwrap_or_default());
        let (state, from) = (state.as_str(), moment(key.signs_from));
        format!("{kid}  {name:<10}  {state:<8}  signs from {from}\n")
    });
    rows.collect()
}

fn moment(seconds: u64) -> String {
    EventTime::of_unix_millis(seconds.saturating_mul(1_000)).to_string()
}

/// What a new key signs with, where the profile admits it: a guard refuses to start with one that is too weak, and to run on by it.
fn new_key(
    policy: &Policy,
    new: &NewKey,
    stated: SigningAlgorithm,
) -> Result<(SigningAlgorithm, RsaBits), Failure> {
    let (algorithm, bits) = (new.algorithm.unwrap_or(stated), bits(new));
    let is_short = algorithm == SigningAlgorithm::Rs256 && bits == RsaBits::B2048;
    if is_short && strength(policy) == KeyStrength::Strict {
        return Err(Failure::usage(
            "the strict profile signs by no RSA key of 2048 bits: `--rsa-bits 3072`",
        ));
    }
    Ok((algorithm, bits))
}

const fn bits(new: &NewKey) -> RsaBits {
    match new.rsa_bits {
        Bits::B2048 => RsaBits::B2048,
        Bits::B3072 => RsaBits::B3072,
        Bits::B4096 => RsaBits::B4096,
    }
}

fn failed(error: &IssuerKeyError) -> Failure {
    Failure::caused("", error)
}
