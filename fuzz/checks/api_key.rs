//! A key is read in one way, and its record is read and written as the same bytes.
//!
//! The first byte says which of the two the rest is: a key for an even one, else a record.

use portcullis_guard::api_key::{ShownKey, StoredKey, Worth, write_key};
use portcullis_guard::digest::sha256;

const PREFIX: &str = "pck";

pub(crate) fn check(data: &[u8]) {
    match data.split_first() {
        Some((first, rest)) if first % 2 == 0 => key(rest),
        Some((_, rest)) => record(rest),
        None => {}
    }
}

fn key(text: &[u8]) {
    let read = ShownKey::read(PREFIX, text);
    // Another reader: by the shape of the whole, and not from left to right.
    let parts: Vec<&[u8]> = text.split(|byte| *byte == b'_').collect();
    let is_hex = |part: &[u8], length: usize| {
        part.len() == length && part.iter().all(|byte| b"0123456789abcdef".contains(byte))
    };
    let is_one = matches!(parts[..], [b"pck", id, secret] if is_hex(id, 16) && is_hex(secret, 64));
    assert_eq!(read.is_ok(), is_one, "{}", text.escape_ascii());
    match read {
        Ok(shown) => {
            let secret: Vec<u8> = parts[2]
                .chunks(2)
                .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
                .collect();
            let secret: [u8; 32] = secret.try_into().unwrap();
            assert_eq!(shown.digest(), &sha256(&secret));
            assert_eq!(write_key(PREFIX, shown.id(), &secret).as_bytes(), text);
            assert!(!format!("{shown:?}").contains(std::str::from_utf8(parts[2]).unwrap()));
        }
        Err(fault) => {
            let told = fault.to_string();
            assert!(!told.is_empty() && !told.contains(['\n', '\r']));
        }
    }
}

fn record(bytes: &[u8]) {
    let Ok(StoredKey::Live(record)) = StoredKey::decode(bytes) else {
        return;
    };
    assert_eq!(record.encode().as_slice(), bytes);
    assert!(record.is_valid());
    assert!(StoredKey::decode(&bytes[..bytes.len() - 1]).is_err());
    // No secret is good at its end or after it.
    for secret in [Some(record.secret), record.before].into_iter().flatten() {
        assert_ne!(record.judge(&secret.digest, u64::MAX), Worth::Other);
        assert_ne!(record.judge(&secret.digest, u64::MAX), Worth::Good);
    }
}
