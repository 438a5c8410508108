//! `Touched`: which modules of a project were looked at, for whoever keeps what was found out by looking.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::body::ModuleId;

/// Notes which modules are looked at. A project is shared by threads while it is read, and used by one afterwards.
#[derive(Debug, Default)]
pub(crate) struct Touched {
    flags: Box<[AtomicBool]>,
    list: Mutex<Vec<ModuleId>>,
    whole: AtomicBool,
}

impl Touched {
    pub(crate) fn new(modules: usize) -> Self {
        Self {
            flags: (0..modules).map(|_| AtomicBool::new(false)).collect(),
            ..Self::default()
        }
    }

    /// A module is looked at.
    #[inline]
    pub(crate) fn one(&self, module: ModuleId) {
        if let Some(flag) = self.flags.get(module.index())
            && !flag.load(Ordering::Relaxed)
        {
            flag.store(true, Ordering::Relaxed);
            self.list().push(module);
        }
    }

    /// Perhaps every module is looked at.
    #[inline]
    pub(crate) fn all(&self) {
        self.whole.store(true, Ordering::Relaxed);
    }

    /// Begins to note anew.
    pub(crate) fn open(&self) -> (Vec<ModuleId>, bool) {
        let list = std::mem::take(&mut *self.list());
        self.forget(&list);
        (list, self.whole.swap(false, Ordering::Relaxed))
    }

    /// What was looked at since; what was noted before goes on to be noted, with this.
    pub(crate) fn close(&self, before: Vec<ModuleId>, whole_before: bool) -> (Vec<ModuleId>, bool) {
        let list = std::mem::take(&mut *self.list());
        self.forget(&list);
        for module in before.into_iter().chain(list.iter().copied()) {
            self.one(module);
        }
        let whole = self.whole.fetch_or(whole_before, Ordering::Relaxed);
        (list, whole)
    }

    fn forget(&self, list: &[ModuleId]) {
        for module in list {
            if let Some(flag) = self.flags.get(module.index()) {
                flag.store(false, Ordering::Relaxed);
            }
        }
    }

    fn list(&self) -> std::sync::MutexGuard<'_, Vec<ModuleId>> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
