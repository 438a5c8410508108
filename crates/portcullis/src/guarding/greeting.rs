//! `Greeting`: the certificate and the key with which clients are greeted, read from where the policy says.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use portcullis_gateway::Tls;
use portcullis_guard::clock::Now;
use portcullis_guard::digest::sha256;
use portcullis_policy::{Policy, SecretRef};

use super::Lookup;
use crate::failure::Failure;

/// A chain of certificates has a few of some KiB each.
const BYTES_MAX: u64 = 256 << 10;

/// What was read.
#[derive(Clone, Debug)]
pub(crate) struct Greeting {
    pub(crate) tls: Tls,
    /// Another where another certificate or key was read. It stays in memory.
    pub(crate) digest: [u8; 32],
    /// The files that were read.
    pub(crate) files: Vec<PathBuf>,
}

impl Greeting {
    /// Reads what a policy names; nothing where it names none.
    ///
    /// # Errors
    ///
    /// What is missing, unreadable or no PEM, a key that is another certificate's, and one that others can write.
    pub(super) fn read(
        policy: &Policy,
        lookup: &Lookup<'_>,
        now: Now,
        notices: &mut Vec<String>,
    ) -> Result<Option<Self>, Failure> {
        let Some(stated) = &policy.proxy().tls else {
            return Ok(None);
        };
        let certificate = bytes(&stated.certificate, "certificate", lookup, notices)?;
        let key = bytes(&stated.key, "key", lookup, notices)?;
        let tls = Tls::of_pem(&certificate, &key).map_err(|error| {
            let places = format!("`{}` and `{}`", stated.certificate, stated.key);
            Failure::caused(&format!("`tls` of `[proxy]`, {places}"), &error)
        })?;
        if let Some(day) = tls.last_day().filter(|day| day.unix_day() < now.unix_day()) {
            notices.push(format!(
                "the certificate at `{}` ended on {day}: clients refuse it, put a renewed one in its place",
                stated.certificate
            ));
        }
        let files = [&stated.certificate, &stated.key].into_iter();
        Ok(Some(Self {
            tls,
            digest: sha256(&[sha256(&certificate), sha256(&key)].concat()),
            files: files
                .filter_map(|kept_at| match kept_at {
                    SecretRef::File(path) => Some(PathBuf::from(path)),
                    SecretRef::Env(_) => None,
                })
                .collect(),
        }))
    }
}

fn bytes(
    kept_at: &SecretRef,
    what: &str,
    lookup: &Lookup<'_>,
    notices: &mut Vec<String>,
) -> Result<Vec<u8>, Failure> {
    let refused = |why: String| {
        Failure::usage(format!(
            "the {what} of `tls` of `[proxy]` at `{kept_at}` {why}"
        ))
    };
    let path = match kept_at {
        SecretRef::Env(name) => {
            let value =
                lookup(name).ok_or_else(|| refused("is not there: set the variable".to_owned()))?;
            return Ok(value.into_encoded_bytes());
        }
        SecretRef::File(path) => path,
    };
    let unreadable = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => refused("is not there: create the file".to_owned()),
        kind => refused(format!(
            "cannot be read ({kind}): check that the user that runs the guard may read it"
        )),
    };
    // Looked at before it is opened: to open a pipe would wait for whoever writes it.
    let metadata = std::fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(refused("is no regular file: put it into one".to_owned()));
    }
    if metadata.len() > BYTES_MAX {
        return Err(refused(format!("has more than {BYTES_MAX} bytes")));
    }
    if metadata.mode() & 0o022 != 0 {
        return Err(refused(
            "can be written by others than its owner: `chmod go-w` it, then make a new one"
                .to_owned(),
        ));
    }
    if what == "key" && metadata.mode() & 0o004 != 0 {
        notices.push(format!(
            "the key of `tls` at `{kept_at}` can be read by every user of the machine: `chmod o-r` it"
        ));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(BYTES_MAX)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    Ok(bytes)
}
