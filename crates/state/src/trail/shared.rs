//! `Shared`: what the writer of the trail and everybody who hands it records both see.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// How the writing goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrailHealth {
    /// Records that are on the disk.
    pub written: u64,
    /// Records that could not be taken or written, and are in no trail. The next record that is written says how many.
    pub lost: u64,
    /// Attempts to write that failed.
    pub failures: u64,
    /// Why nothing sensitive may pass now; nothing when all is well.
    pub error: Option<String>,
}

#[derive(Debug, Default)]
pub(super) struct Shared {
    written: AtomicU64,
    lost: AtomicU64,
    /// Those of `lost` that no record has told of.
    untold: AtomicU64,
    failures: AtomicU64,
    /// An intent was not on the disk in its time, and nothing has been since.
    slow: AtomicBool,
    ended: AtomicBool,
    troubles: Mutex<Troubles>,
}

#[derive(Debug, Default)]
struct Troubles {
    database: Option<String>,
    second_place: Option<String>,
}

/// What an attempt to write to the second place changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SecondPlaceNews {
    Nothing,
    Lost,
    /// It can be written again, and so can the trail itself.
    AllIsWell,
}

impl Shared {
    pub(super) fn health(&self) -> TrailHealth {
        TrailHealth {
            written: self.written.load(Ordering::Relaxed),
            lost: self.lost.load(Ordering::Relaxed),
            failures: self.failures.load(Ordering::Relaxed),
            error: self.trouble(),
        }
    }

    /// Why the trail is not well.
    pub(super) fn trouble(&self) -> Option<String> {
        if self.ended.load(Ordering::Acquire) {
            return Some("the writer of the trail has ended: restart the guard".to_owned());
        }
        let troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        let told = troubles
            .database
            .as_ref()
            .or(troubles.second_place.as_ref());
        if let Some(told) = told {
            return Some(told.clone());
        }
        drop(troubles);
        if self.slow.load(Ordering::Acquire) {
            return Some("the disk of the trail is too slow".to_owned());
        }
        let untold = self.untold.load(Ordering::Acquire);
        (untold > 0).then(|| format!("{untold} records were lost, and no record says so yet"))
    }

    pub(super) fn wrote(&self, records: u64) {
        self.written.fetch_add(records, Ordering::Relaxed);
        self.slow.store(false, Ordering::Release);
        self.troubles().database = None;
    }

    /// Says whether it is the first failure since the last success.
    pub(super) fn failed(&self, why: String) -> bool {
        self.failures.fetch_add(1, Ordering::Relaxed);
        self.troubles().database.replace(why).is_none()
    }

    /// What is wrong with the second place, or that nothing is. Says whether that is news.
    pub(super) fn second_place(&self, trouble: Option<String>) -> SecondPlaceNews {
        let mut troubles = self.troubles();
        let news = match (&troubles.second_place, &trouble) {
            (None, Some(_)) => SecondPlaceNews::Lost,
            (Some(_), None) if troubles.database.is_none() => SecondPlaceNews::AllIsWell,
            _ => SecondPlaceNews::Nothing,
        };
        troubles.second_place = trouble;
        news
    }

    /// Whether the second place can be written.
    pub(super) fn has_second_place(&self) -> bool {
        self.troubles().second_place.is_none()
    }

    pub(super) fn too_slow(&self) {
        self.slow.store(true, Ordering::Release);
    }

    pub(super) fn lost(&self, records: u64) {
        self.lost.fetch_add(records, Ordering::Relaxed);
        self.untold.fetch_add(records, Ordering::AcqRel);
    }

    pub(super) fn untold(&self) -> u64 {
        self.untold.load(Ordering::Acquire)
    }

    /// A record on the disk tells of so many.
    pub(super) fn told(&self, records: u64) {
        self.untold.fetch_sub(records, Ordering::AcqRel);
    }

    pub(super) fn ended(&self) {
        self.ended.store(true, Ordering::Release);
    }

    fn troubles(&self) -> std::sync::MutexGuard<'_, Troubles> {
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_well_when_both_places_are() {
        let shared = Shared::default();
        let lost = || shared.second_place(Some("full".to_owned()));
        assert_eq!(shared.second_place(None), SecondPlaceNews::Nothing);
        assert_eq!(lost(), SecondPlaceNews::Lost);
        assert_eq!(lost(), SecondPlaceNews::Nothing);
        assert_eq!(shared.second_place(None), SecondPlaceNews::AllIsWell);
        assert_eq!(lost(), SecondPlaceNews::Lost);
        assert!(shared.failed("no room".to_owned()));
        assert_eq!(shared.second_place(None), SecondPlaceNews::Nothing);
        assert!(shared.has_second_place() && shared.trouble().is_some());
        shared.wrote(1);
        assert_eq!(shared.trouble(), None);
    }
}
