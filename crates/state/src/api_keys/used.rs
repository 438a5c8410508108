//! When a key was used last: an entry of its own, written once a minute at most.

use portcullis_guard::api_key::{ApiKeyId, KeyCaller, USED_APART_MILLIS, read_used, write_used};
use portcullis_guard::clock::Now;

use super::{ApiKeyError, ApiKeys, remembered};

impl ApiKeys<'_> {
    /// When a key was used last, as far as it was written.
    pub(super) async fn used(&self, id: ApiKeyId, now: Now) -> Result<Option<u64>, ApiKeyError> {
        let used = self.store.get(id.used_key(), now).await?;
        Ok(used.as_deref().and_then(read_used))
    }

    /// Whether a use has to be written: the last one was written a minute ago, or none was.
    #[must_use]
    pub fn is_use_due(caller: &KeyCaller, now: Now) -> bool {
        let is_old = |used: u64| now.unix_millis.saturating_sub(used) >= USED_APART_MILLIS;
        caller.used.is_none_or(is_old)
    }

    /// Writes that a key is used; gives whether it was this one who wrote it. What was written last may be lost in a crash, as nobody
    /// waits for the disk.
    ///
    /// # Errors
    ///
    /// When the store did not do it: then the list tells of an earlier use.
    pub async fn note_use(&self, caller: &KeyCaller, now: Now) -> Result<bool, ApiKeyError> {
        let (key, was) = (caller.id.used_key(), caller.used.map(write_used));
        let next = (
            write_used(now.unix_millis),
            remembered(caller.record.expires(), now),
        );
        Ok(self.store.set_lazily(key, was, next, now).await?)
    }
}
