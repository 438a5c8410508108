//! Makes `src/keys/known_weak.txt` of a published list of secrets, and holds that none of them is taken for a key:
//! `cargo run -p portcullis-state --example known_weak < jwt.secrets.list`.

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::io::{self, Write as _};

use portcullis_guard::clock::Now;
use portcullis_policy::SecretKey;
use portcullis_state::keys::{KEY_BYTES_MIN, SecretReader};

#[path = "../src/keys/encoding.rs"]
mod encoding;
#[expect(
    dead_code,
    unreachable_pub,
    reason = "the same file is a module of the library, which looks keys up and has `Weakness` in its interface"
)]
#[path = "../src/keys/weakness.rs"]
mod weakness;

/// Keys that RFCs print.
const PRINTED: &str = include_str!("../src/keys/printed_keys.txt");

const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/keys/known_weak.txt");

fn main() -> Result<(), Box<dyn Error>> {
    let input = io::read_to_string(io::stdin())?;
    let secrets: BTreeSet<&str> = input.lines().chain(PRINTED.lines()).collect();
    let mut rows = BTreeSet::new();
    for secret in &secrets {
        let Some((encoding, key)) = encoding::decoded(secret.as_bytes()) else {
            continue;
        };
        let is_judged = key.len() >= KEY_BYTES_MIN;
        if is_judged && weakness::uncommon(encoding, secret.as_bytes(), &key).is_none() {
            rows.insert(weakness::row(&key));
        }
    }
    let table: Vec<u8> = rows.iter().flatten().copied().collect();
    if fs::read(TABLE)? != table {
        fs::write(TABLE, table)?;
        return Err(format!("`{TABLE}` has {} rows now: run this again", rows.len()).into());
    }
    for secret in &secrets {
        refused(secret)?;
    }
    let (secrets, rows) = (secrets.len(), rows.len());
    writeln!(
        io::stdout(),
        "{secrets} secrets are refused, {rows} of them by the table"
    )?;
    Ok(())
}

/// Reads a secret as a guard would, which has to fail.
fn refused(secret: &str) -> Result<(), Box<dyn Error>> {
    let environment = |_: &str| Some(secret.into());
    let key = SecretKey {
        kid: None,
        key: "env:SECRET".parse()?,
        not_after: None,
    };
    let read = SecretReader::new(&environment).read("secret", &[key], Now::default());
    match read {
        Ok(_) => Err(format!("`{secret}` is taken for a key").into()),
        Err(_) => Ok(()),
    }
}
