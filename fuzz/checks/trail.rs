//! What is a record of the trail or a line of a checkpoint has one spelling, and what is not is refused in one harmless line.

use portcullis_state::trail::{Body, Checkpoint, hash_of};

pub(crate) fn check(data: &[u8]) {
    match Body::parse(data) {
        Ok(body) => {
            assert_eq!(body.to_bytes(), data, "two spellings");
            let mut other = body;
            other.seq ^= 1;
            assert_ne!(hash_of(&other.to_bytes()), hash_of(data));
        }
        Err(fault) => assert!(!fault.to_string().contains(['\n', '\r'])),
    }
    let Ok(line) = std::str::from_utf8(data) else {
        return;
    };
    match Checkpoint::parse(line) {
        Ok(checkpoint) => {
            let written = checkpoint.to_line().unwrap();
            assert!(!written.contains(['\n', '\r']));
            assert_eq!(Checkpoint::parse(&written), Ok(checkpoint));
            // Nobody who fuzzes has the key of a seed; either way it must answer.
            assert_eq!(
                checkpoint.is_signed(),
                Checkpoint::parse(&written).unwrap().is_signed()
            );
        }
        Err(error) => assert!(!error.to_string().contains(char::is_control)),
    }
}
