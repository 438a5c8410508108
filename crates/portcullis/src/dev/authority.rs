//! `Authority`: the certificate that `guard dev` greets with, and who signed it: made once, kept, and renewed near its end.

use std::path::PathBuf;

use portcullis_gateway::Tls;
use portcullis_policy::Date;
use rcgen::KeyPair;
use zeroize::Zeroizing;

use super::folder::DevFolder;
use super::made::{self, Made};
use crate::failure::Failure;

const AUTHORITY: &str = "ca.pem";
const AUTHORITY_KEY: &str = "ca-key.pem";
const CERTIFICATE: &str = "localhost.pem";
const KEY: &str = "localhost-key.pem";
/// The last days of the authority and of the certificate, one on each line.
const DAYS: &str = "valid-until";

/// From how many days before its end on something is made anew.
const CERTIFICATE_DAYS_LEFT: u64 = 15;
const AUTHORITY_DAYS_LEFT: u64 = 30;

/// Who signs, and with what clients are greeted.
#[derive(Debug)]
pub(crate) struct Authority {
    /// The file that is to be trusted.
    pub(crate) file: PathBuf,
    /// Its last day.
    pub(crate) until: Date,
    /// What clients are greeted with.
    pub(crate) tls: Tls,
    /// What was made at this start.
    pub(crate) greeting: Greeting,
}

/// What was made at this start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Greeting {
    /// Nothing: all of it was there.
    Kept,
    /// Another certificate by the same authority: who trusts that need not do anything.
    Renewed,
    /// An authority that nobody trusts yet.
    New,
}

/// The last days of what is kept.
#[derive(Clone, Copy)]
struct Days {
    authority: Date,
    certificate: Date,
}

impl Authority {
    /// Takes what is kept, and makes what is missing or near its end.
    pub(crate) fn open(folder: &DevFolder, today: Date) -> Result<Self, Failure> {
        let days = days(folder)?;
        let is_good = |until: Date, left: u64| until.unix_day() >= today.unix_day() + left;
        let kept_key = folder.read(AUTHORITY_KEY)?;
        let authority = match (days, kept_key, folder.read(AUTHORITY)?) {
            (Some(days), Some(key), Some(_)) if is_good(days.authority, AUTHORITY_DAYS_LEFT) => {
                key_of(&key).map(|key| (key, days))
            }
            _ => None,
        };
        let Some((authority_key, days)) = authority else {
            return Self::make(folder, today);
        };
        if is_good(days.certificate, CERTIFICATE_DAYS_LEFT)
            && let Some(certificate) = folder.read(CERTIFICATE)?
            && let Some(key) = folder.read(KEY)?
            && let Ok(tls) = Tls::of_pem(&certificate, &key)
        {
            return Ok(Self {
                file: folder.file(AUTHORITY),
                until: days.authority,
                tls,
                greeting: Greeting::Kept,
            });
        }
        Self::sign(
            folder,
            authority_key,
            days.authority,
            today,
            Greeting::Renewed,
        )
    }

    fn make(folder: &DevFolder, today: Date) -> Result<Self, Failure> {
        let key = KeyPair::generate().map_err(|error| failed(&error))?;
        let Made { certificate, until } =
            made::authority(&key, today).map_err(|error| failed(&error))?;
        let pem = Zeroizing::new(key.serialize_pem());
        folder.write(AUTHORITY_KEY, pem.as_bytes())?;
        folder.write(AUTHORITY, certificate.as_bytes())?;
        Self::sign(folder, key, until, today, Greeting::New)
    }

    fn sign(
        folder: &DevFolder,
        authority_key: KeyPair,
        until: Date,
        today: Date,
        greeting: Greeting,
    ) -> Result<Self, Failure> {
        let key = KeyPair::generate().map_err(|error| failed(&error))?;
        let made = made::certificate(authority_key, &key, today).map_err(|error| failed(&error))?;
        let key = Zeroizing::new(key.serialize_pem());
        folder.write(KEY, key.as_bytes())?;
        folder.write(CERTIFICATE, made.certificate.as_bytes())?;
        // Last: what is not whole is made anew.
        let days = format!("authority {until}\ncertificate {}\n", made.until);
        folder.write(DAYS, days.as_bytes())?;
        let tls = Tls::of_pem(made.certificate.as_bytes(), key.as_bytes());
        Ok(Self {
            file: folder.file(AUTHORITY),
            until,
            tls: tls.map_err(|error| Failure::caused("", &error))?,
            greeting,
        })
    }
}

fn failed(error: &rcgen::Error) -> Failure {
    Failure::caused("cannot make a certificate", error)
}

/// A key that was kept; none of what is no key any more.
fn key_of(pem: &[u8]) -> Option<KeyPair> {
    KeyPair::from_pem(std::str::from_utf8(pem).ok()?).ok()
}

/// The days that were kept; none where they cannot be read, and then all is made anew.
fn days(folder: &DevFolder) -> Result<Option<Days>, Failure> {
    let Some(kept) = folder.read(DAYS)? else {
        return Ok(None);
    };
    let text = String::from_utf8_lossy(&kept).into_owned();
    let day = |name: &str| -> Option<Date> {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().parse().ok()
    };
    let both = day("authority ").zip(day("certificate "));
    Ok(both.map(|(authority, certificate)| Days {
        authority,
        certificate,
    }))
}

#[cfg(test)]
mod tests;
