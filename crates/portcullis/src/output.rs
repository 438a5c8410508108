//! Where a command's answer goes: standard output or a file.

use std::fs;
use std::io::{ErrorKind, Write as _, stdout};
use std::path::Path;

use crate::failure::Failure;

/// Writes the answer. A reader that has seen enough (`| head`) is not an error.
pub(crate) fn write(text: &str, file: Option<&Path>) -> Result<(), Failure> {
    let Some(path) = file else {
        let mut out = stdout().lock();
        let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        return match written {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(Failure::caused("cannot write to standard output", &error))
            }
            Ok(()) | Err(_) => Ok(()),
        };
    };
    fs::write(path, text)
        .map_err(|error| Failure::caused(&format!("cannot write `{}`", path.display()), &error))
}
