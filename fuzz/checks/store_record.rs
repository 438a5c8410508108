//! A record of the embedded store is read and written as the same bytes; what has no checksum of its own is never read.

use portcullis_state::store::embedded::{rewritten, seal};

/// The first byte is the length of the name, then come the name and the value without its checksum.
pub(crate) fn check(data: &[u8]) {
    let Some((length, rest)) = data.split_first() else {
        return;
    };
    let (name, body) = rest.split_at(usize::from(*length).min(rest.len()));
    let value = seal(name, body.to_vec());
    match rewritten(name, &value) {
        Ok(again) => assert_eq!(again, (name.to_vec(), value.clone())),
        Err(why) => assert!(!why.is_empty() && !why.contains(['\n', '\r'])),
    }
    // A name or a value that was changed has another checksum.
    let mut other = value;
    if let Some(byte) = other.first_mut() {
        *byte ^= 1;
    }
    assert!(rewritten(name, &other).is_err());
    assert!(rewritten(&[name, b"x"].concat(), &seal(name, body.to_vec())).is_err());
}
