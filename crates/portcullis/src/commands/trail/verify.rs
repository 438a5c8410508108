//! `portcullis trail verify`: whether somebody touched the trail, and where.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use portcullis_policy::event::{EventTime, HexBytes};
use portcullis_state::trail::{
    PUBLIC_KEY_FILE, TrailError, TrailReader, Verified, VerifyError, VerifyOptions,
};
use serde_json::json;

use super::{failed, nothing};
use crate::args::{TextFormat, VerifyArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

type Keys = BTreeSet<HexBytes<32>>;

pub(crate) fn run(args: &VerifyArgs) -> Result<Exit, Failure> {
    let trail = &args.place.trail;
    let (keys, is_beside) = keys(args)?;
    let checkpoints = match &args.checkpoints {
        Some(path) => Some(BufReader::new(File::open(path).map_err(|error| {
            Failure::caused(&format!("cannot read `{}`", path.display()), &error)
        })?)),
        None => None,
    };
    let options = VerifyOptions { keys, checkpoints };
    let has_second_place = args.checkpoints.is_some();
    let read = TrailReader::open(trail).map_err(VerifyError::from);
    let verified = read.and_then(|mut reader| {
        let verified = portcullis_state::trail::verify(&mut reader, options)?;
        Ok((verified, reader.open_intents()?))
    });
    match verified {
        Ok((verified, _)) if verified.records == 0 => {
            Ok(nothing("there is no record in the trail"))
        }
        Ok((verified, open)) => {
            let text = match args.format {
                TextFormat::Terminal => whole(&verified, open, is_beside, has_second_place),
                TextFormat::Json => whole_json(&verified, open, is_beside),
            };
            output::write(&text, None)?;
            Ok(Exit::Clean)
        }
        Err(error) => told(error, args),
    }
}

fn told(error: VerifyError, args: &VerifyArgs) -> Result<Exit, Failure> {
    let (seq, why) = match error {
        VerifyError::Broken { seq, fault } => (Some(seq), fault.to_string()),
        VerifyError::Trail(TrailError::Damaged { why, .. }) => (None, why),
        VerifyError::Trail(missing @ TrailError::Missing(_)) => {
            return Ok(nothing(&missing.to_string()));
        }
        VerifyError::Trail(error) => return Err(failed(&error)),
        VerifyError::SecondPlace(error) => {
            return Err(Failure::caused("cannot read the checkpoints", &error));
        }
    };
    let text = match args.format {
        TextFormat::Json => line(&json!({
            "schema": SCHEMA, "whole": false, "seq": seq, "fault": why,
        })),
        TextFormat::Terminal => broken(seq, &why),
    };
    output::write(&text, None)?;
    Ok(Exit::Findings)
}

const SCHEMA: &str = "portcullis.trail-verify/1";

fn line(value: &serde_json::Value) -> String {
    format!("{value}\n")
}

fn broken(seq: Option<u64>, why: &str) -> String {
    let next = "keep the database, its -wal file and the checkpoints as they are, and find out who could write them";
    match seq {
        Some(1) => format!("the trail is broken at record 1: {why}\nnext: {next}\n"),
        Some(seq) => format!(
            "the trail is broken at record {seq}: {why}\nall before record {seq} follows its chain\nnext: {next}\n"
        ),
        None => format!("the trail is broken: {why}\nnext: {next}\n"),
    }
}

fn whole(verified: &Verified, open: u64, is_beside: bool, has_second_place: bool) -> String {
    let time = |millis: Option<u64>| EventTime::of_unix_millis(millis.unwrap_or_default());
    let mut text = format!(
        "the trail is whole: {} records from {} to {}\n",
        verified.records,
        time(verified.first_millis),
        time(verified.last_millis)
    );
    text.push_str(&format!(
        "{} checkpoints sign it; {} records stand after the last\n",
        verified.checkpoints, verified.unsigned
    ));
    for key in &verified.keys {
        text.push_str(&format!("signed by {key}\n"));
    }
    if has_second_place {
        text.push_str(&format!(
            "{} checkpoints of the second place are in it\n",
            verified.second_place
        ));
    }
    if verified.unreadable_lines > 0 {
        text.push_str(&format!(
            "note: {} lines of the second place are no checkpoint: a guard that was killed leaves one at most\n",
            verified.unreadable_lines
        ));
    }
    if open > 0 {
        text.push_str(&format!(
            "note: {open} intents have no outcome yet; the next start of the guard closes those it left\n"
        ));
    }
    if is_beside {
        text.push_str("note: the key stands beside the trail, and whoever can write there can replace both: name a copy with `--public-key`\n");
    }
    if !has_second_place {
        text.push_str("note: nothing shows whether the end was cut off: name the second place with `--checkpoints`\n");
    }
    text
}

fn whole_json(verified: &Verified, open: u64, is_beside: bool) -> String {
    let keys: Vec<String> = verified.keys.iter().map(ToString::to_string).collect();
    let time =
        |millis: Option<u64>| millis.map(|millis| EventTime::of_unix_millis(millis).to_string());
    line(&json!({
        "schema": SCHEMA,
        "whole": true,
        "records": verified.records,
        "first": time(verified.first_millis),
        "last": time(verified.last_millis),
        "checkpoints": verified.checkpoints,
        "unsigned": verified.unsigned,
        "keys": keys,
        "key_beside_trail": is_beside,
        "second_place": verified.second_place,
        "unreadable_lines": verified.unreadable_lines,
        "open_intents": open,
    }))
}

/// The keys that may sign, and whether they stand beside the trail.
fn keys(args: &VerifyArgs) -> Result<(Keys, bool), Failure> {
    let mut keys = Keys::new();
    for one in &args.public_key {
        match one.parse() {
            Ok(key) => {
                keys.insert(key);
            }
            Err(_no_hex) => keys.extend(keys_in(Path::new(one))?),
        }
    }
    let beside = args.place.trail.with_file_name(PUBLIC_KEY_FILE);
    if args.public_key.is_empty() && beside.is_file() {
        return Ok((keys_in(&beside)?, true));
    }
    Ok((keys, false))
}

fn keys_in(path: &Path) -> Result<Keys, Failure> {
    let name = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::caused(
            &format!("`{name}` is neither a key of 64 digits of hex nor a file with one"),
            &error,
        )
    })?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let keys: Result<Keys, _> = lines.map(str::parse).collect();
    match keys {
        Ok(keys) if !keys.is_empty() => Ok(keys),
        Ok(_) | Err(_) => Err(Failure::usage(format!(
            "`{name}` is no file of public keys: each line has 64 digits of lower-case hex, as `trail.pub` in the state folder"
        ))),
    }
}
