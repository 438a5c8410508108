//! `Source`: where a set comes from, with what gets it from there.

use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;
use std::sync::Arc;

use portcullis_guard::token::{KeySet, KeyStrength};
use portcullis_policy::{HttpsUrl, KeySetPlace};

use super::fault::KeySetError;
use super::fetch::Fetcher;
use crate::issuer::IssuerKeys;

/// Where a set comes from.
#[derive(Clone, Debug)]
pub(super) enum Source {
    File(PathBuf),
    Url {
        url: HttpsUrl,
        fetcher: Fetcher,
    },
    /// The guard's own, where they were handed in.
    Own(Option<Arc<IssuerKeys>>),
}

impl Source {
    pub(super) fn new(place: &KeySetPlace, fetcher: &Fetcher) -> Self {
        match place {
            KeySetPlace::Own => Self::Own(fetcher.own().cloned()),
            KeySetPlace::File(path) => Self::File(path.into()),
            KeySetPlace::Url(url) => Self::Url {
                url: url.clone(),
                fetcher: fetcher.clone(),
            },
        }
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::File(one), Self::File(other)) => one == other,
            (Self::Url { url: one, .. }, Self::Url { url: other, .. }) => one == other,
            (Self::Own(Some(one)), Self::Own(Some(other))) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }
}

/// Reads the set of an issuer from a file, which must have a usable key: somebody wrote it for this.
pub(super) fn read_file(
    issuer: &str,
    path: &PathBuf,
    strength: KeyStrength,
) -> Result<(KeySet, Vec<u8>), KeySetError> {
    let text = bytes_of(path).map_err(|source| KeySetError::File {
        issuer: issuer.to_owned(),
        path: path.clone(),
        source,
    })?;
    let set = KeySet::read(&text, strength).map_err(|source| KeySetError::Malformed {
        issuer: issuer.to_owned(),
        path: path.clone(),
        source,
    })?;
    if set.is_empty() {
        let why = match set.unusable().first() {
            Some((place, fault)) => format!("of key {}, {fault}", place + 1),
            None => "it holds none".to_owned(),
        };
        return Err(KeySetError::NoKey {
            issuer: issuer.to_owned(),
            path: path.clone(),
            why,
        });
    }
    Ok((set, text))
}

/// As much of a file as a set may have, and a byte more, by which it is seen to be too long.
fn bytes_of(path: &PathBuf) -> std::io::Result<Vec<u8>> {
    let bytes_max = u64::try_from(KeySet::BYTES_MAX).unwrap_or(u64::MAX);
    let mut text = Vec::new();
    File::open(path)?
        .take(bytes_max.saturating_add(1))
        .read_to_end(&mut text)?;
    Ok(text)
}
