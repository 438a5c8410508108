//! Reads files that others wrote: within a bound, and as text only where they are text.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use crate::failure::Failure;

/// The bytes of a file, if they are no more than the bound.
pub(crate) fn read_bytes(path: &Path, bytes_max: usize) -> Result<Vec<u8>, Failure> {
    let name = path.display();
    let cannot = |error: &std::io::Error| Failure::caused(&format!("cannot read `{name}`"), error);
    let bound = u64::try_from(bytes_max).map_or(u64::MAX, |bound| bound.saturating_add(1));
    let mut bytes = Vec::new();
    let mut file = File::open(path)
        .map_err(|error| cannot(&error))?
        .take(bound);
    file.read_to_end(&mut bytes)
        .map_err(|error| cannot(&error))?;
    if bytes.len() > bytes_max {
        let mib = bytes_max >> 20;
        return Err(Failure::usage(format!(
            "`{name}` is larger than {mib} MiB, which is the most that is read"
        )));
    }
    Ok(bytes)
}

/// The same as text. What is no UTF-8 is refused with its line.
pub(crate) fn read_text(path: &Path, bytes_max: usize) -> Result<String, Failure> {
    String::from_utf8(read_bytes(path, bytes_max)?).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let before = error.as_bytes().get(..valid).unwrap_or_default();
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let name = path.display();
        Failure::usage(format!("{name}:{line}: this is no UTF-8 text"))
    })
}
