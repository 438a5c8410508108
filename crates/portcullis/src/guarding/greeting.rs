//! `Greeting`: the certificate and the key with which clients are greeted, read from where the policy says.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use portcullis_gateway::{Tls, Validity};
use portcullis_guard::clock::Now;
use portcullis_guard::digest::sha256;
use portcullis_policy::{Date, Policy, SecretRef};
use zeroize::Zeroizing;

use super::Lookup;
use crate::failure::Failure;

/// A chain of certificates has a few of some KiB each.
const BYTES_MAX: u64 = 256 << 10;

/// What was read.
#[derive(Clone, Debug)]
pub(crate) struct Greeting {
    pub(crate) tls: Tls,
    /// Where the certificate is kept.
    kept_at: SecretRef,
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
        let certificate = bytes(&stated.certificate, "certificate", lookup, notices);
        let key = bytes(&stated.key, "key", lookup, notices);
        let (certificate, key) = match (certificate, key) {
            (Err(one), Err(other)) => {
                let both = [one.message(), other.message()].join("\n");
                return Err(Failure::usage(both));
            }
            (certificate, key) => (certificate?, key?),
        };
        let tls = Tls::of_pem(&certificate, &key).map_err(|error| {
            let places = format!("`{}` and `{}`", stated.certificate, stated.key);
            Failure::caused(&format!("`tls` of `[proxy]`, {places}"), &error)
        })?;
        let kept_at = &stated.certificate;
        match standing(tls.validity(), now) {
            Standing::Good | Standing::Unknown => {}
            Standing::Ended(day) => notices.push(format!(
                "the certificate at `{kept_at}` ended on {day}: clients refuse it, put a renewed one in its place"
            )),
            Standing::ToCome(day, _) => notices.push(format!(
                "the certificate at `{kept_at}` begins on {day}: clients refuse it until then"
            )),
        }
        let files = [&stated.certificate, &stated.key].into_iter();
        Ok(Some(Self {
            kept_at: stated.certificate.clone(),
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

    /// Refuses to put what clients refuse in the place of what they accept.
    ///
    /// # Errors
    ///
    /// One that has ended, is not valid yet, or does not say when it is, where the one that greets now is good.
    pub(crate) fn can_replace(&self, served: &Tls, now: Now) -> Result<(), Unfit> {
        if !matches!(standing(served.validity(), now), Standing::Good) {
            return Ok(());
        }
        let (what, detail, holds_from) = match standing(self.tls.validity(), now) {
            Standing::Good => return Ok(()),
            Standing::Ended(day) => (
                format!("ended on {day}: put a renewed one in its place"),
                "it has ended; the one before greets on",
                None,
            ),
            Standing::ToCome(day, from) => (
                format!("begins on {day}, and is taken then"),
                "it is not valid yet; the one before greets on",
                Some(from),
            ),
            Standing::Unknown => (
                "does not say when it is valid, in the way of RFC 5280: have it made anew"
                    .to_owned(),
                "it does not say when it is valid; the one before greets on",
                None,
            ),
        };
        // When the one that greets now has ended, nothing is gained by keeping it, and what waits is taken.
        let served_until = served.validity().map(|one| one.until.saturating_add(1));
        Err(Unfit {
            why: format!("the certificate at `{}` {what}", self.kept_at),
            detail,
            again_at: holds_from.into_iter().chain(served_until).min(),
        })
    }
}

/// Why a certificate does not take the place of another.
#[derive(Debug)]
pub(crate) struct Unfit {
    /// For the operator, with where it is kept.
    pub(crate) why: String,
    /// For events.
    pub(crate) detail: &'static str,
    /// From when on it does, in seconds since 1970-01-01T00:00:00Z: it is valid, or the other one no longer is.
    pub(crate) again_at: Option<u64>,
}

/// What clients think of a certificate now.
enum Standing {
    Good,
    /// Since a day.
    Ended(Date),
    /// Until a day, and a second of it.
    ToCome(Date, u64),
    /// It does not say.
    Unknown,
}

fn standing(validity: Option<Validity>, now: Now) -> Standing {
    let Some(validity) = validity else {
        return Standing::Unknown;
    };
    let is_over = validity.until < now.unix_seconds();
    match (validity.first_day(), validity.last_day()) {
        _ if validity.holds_at(now.unix_seconds()) => Standing::Good,
        (_, Some(day)) if is_over => Standing::Ended(day),
        (Some(day), _) if !is_over => Standing::ToCome(day, validity.from),
        _ => Standing::Unknown,
    }
}

fn bytes(
    kept_at: &SecretRef,
    what: &str,
    lookup: &Lookup<'_>,
    notices: &mut Vec<String>,
) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let refused = |why: String| {
        Failure::usage(format!(
            "the {what} of `tls` of `[proxy]` at `{kept_at}` {why}"
        ))
    };
    let path = match kept_at {
        SecretRef::Env(name) => {
            let value =
                lookup(name).ok_or_else(|| refused("is not there: set the variable".to_owned()))?;
            return Ok(Zeroizing::new(value.into_encoded_bytes()));
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
    read(path, metadata.len()).map_err(unreadable)
}

/// Into room that is there from the beginning: a vector that grows leaves its old bytes behind.
fn read(path: &str, length: u64) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let room = usize::try_from(length).map_err(std::io::Error::other)?;
    let mut bytes = Zeroizing::new(vec![0; room]);
    File::open(path)?.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    /// 2026-06-01T00:00:00Z.
    const NOW: Now = Now {
        monotonic: 0,
        unix_millis: 1_780_272_000_000,
    };

    fn made(from: (i32, u8), until: (i32, u8)) -> Greeting {
        let mut params = CertificateParams::new(["shop.test".to_owned()]).unwrap();
        params.not_before = date_time_ymd(from.0, from.1, 1);
        params.not_after = date_time_ymd(until.0, until.1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap().pem();
        Greeting {
            tls: Tls::of_pem(certificate.as_bytes(), key.serialize_pem().as_bytes()).unwrap(),
            kept_at: SecretRef::File("new.pem".to_owned()),
            digest: [0; 32],
            files: Vec::new(),
        }
    }

    #[test]
    fn what_clients_refuse_does_not_replace_what_they_accept() {
        let good = made((2025, 1), (2027, 1));
        let ended = made((2025, 1), (2026, 5));
        let to_come = made((2026, 7), (2027, 1));
        let why = |new: &Greeting| new.can_replace(&good.tls, NOW).unwrap_err();
        assert!(good.can_replace(&good.tls, NOW).is_ok());
        let unfit = why(&ended);
        assert_eq!(
            unfit.why,
            "the certificate at `file:new.pem` ended on 2026-05-01: put a renewed one in its place"
        );
        // 2027-01-01T00:00:01Z
        let over = 1_798_761_601;
        assert_eq!(unfit.again_at, Some(over));
        let unfit = why(&to_come);
        assert_eq!(
            unfit.why,
            "the certificate at `file:new.pem` begins on 2026-07-01, and is taken then"
        );
        let begins = unfit.again_at.unwrap();
        assert!(begins < over);
        let at = |unix_seconds: u64| Now {
            monotonic: 0,
            unix_millis: unix_seconds * 1_000,
        };
        assert!(to_come.can_replace(&good.tls, at(begins - 1)).is_err());
        assert!(to_come.can_replace(&good.tls, at(begins)).is_ok());
        assert!(ended.can_replace(&good.tls, at(over - 1)).is_err());
        assert!(ended.can_replace(&good.tls, at(over)).is_ok());
        // Where nothing good greets, nothing is lost.
        for served in [&ended, &to_come] {
            for new in [&good, &ended, &to_come] {
                assert!(new.can_replace(&served.tls, NOW).is_ok());
            }
        }
    }
}
