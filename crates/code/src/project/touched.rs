//! `Touched`: which modules of a project were looked at, for whoever keeps what was found out by looking.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::{body::ModuleId, track::Outer};

/// Notes which modules are looked at. A project is shared by threads while it is read, and used by one afterwards.
#[derive(Debug, Default)]
pub(crate) struct Touched {
    /// In which frame each module was last noted.
    seen: Box<[AtomicU64]>,
    /// What is noted in the present frame, each with the frame in which it was noted before.
    list: Mutex<Vec<(ModuleId, u64)>>,
    asked: Mutex<Vec<u32>>,
    whole: AtomicBool,
    frame: AtomicU64,
    frames: AtomicU64,
}

/// What was noted before a frame was opened.
#[derive(Debug)]
pub(crate) struct OuterTouched {
    modules: Outer<ModuleId>,
    asked: Vec<u32>,
    whole: bool,
}

/// What was looked at in a frame.
#[derive(Debug)]
pub(crate) struct Looked {
    pub(crate) modules: Vec<ModuleId>,
    pub(crate) asked: Vec<u32>,
    pub(crate) whole: bool,
}

impl Touched {
    pub(crate) fn new(modules: usize) -> Self {
        Self {
            seen: (0..modules).map(|_| AtomicU64::new(0)).collect(),
            frame: AtomicU64::new(1),
            frames: AtomicU64::new(1),
            ..Self::default()
        }
    }

    /// A module is looked at.
    #[inline]
    pub(crate) fn one(&self, module: ModuleId) {
        let frame = self.frame.load(Ordering::Relaxed);
        if let Some(seen) = self.seen.get(module.index())
            && seen.load(Ordering::Relaxed) != frame
        {
            let before = seen.swap(frame, Ordering::Relaxed);
            lock(&self.list).push((module, before));
        }
    }

    /// A question about the whole project is asked, of which it is remembered by number what it was.
    pub(crate) fn asked(&self, question: u32) {
        let mut asked = lock(&self.asked);
        if !asked.contains(&question) {
            asked.push(question);
        }
    }

    /// Perhaps every module is looked at.
    #[inline]
    pub(crate) fn all(&self) {
        self.whole.store(true, Ordering::Relaxed);
    }

    /// Begins to note anew.
    pub(crate) fn open(&self) -> OuterTouched {
        let next = self.frames.fetch_add(1, Ordering::Relaxed) + 1;
        OuterTouched {
            modules: Outer {
                frame: self.frame.swap(next, Ordering::Relaxed),
                list: std::mem::take(&mut *lock(&self.list)),
            },
            asked: std::mem::take(&mut *lock(&self.asked)),
            whole: self.whole.swap(false, Ordering::Relaxed),
        }
    }

    /// What was looked at since; what was noted before goes on to be noted, with this. It costs as much as was looked at since.
    pub(crate) fn close(&self, outer: OuterTouched) -> Looked {
        let looked = self.close_aside(outer);
        for module in &looked.modules {
            self.one(*module);
        }
        for question in &looked.asked {
            self.asked(*question);
        }
        self.whole.fetch_or(looked.whole, Ordering::Relaxed);
        looked
    }

    /// The same, but what was looked at since is nobody else's.
    pub(crate) fn close_aside(&self, outer: OuterTouched) -> Looked {
        let OuterTouched {
            modules: Outer { frame, list },
            asked,
            whole,
        } = outer;
        self.frame.store(frame, Ordering::Relaxed);
        let inner = std::mem::replace(&mut *lock(&self.list), list);
        for (module, before) in &inner {
            if let Some(seen) = self.seen.get(module.index()) {
                seen.store(*before, Ordering::Relaxed);
            }
        }
        Looked {
            modules: inner.into_iter().map(|(module, _)| module).collect(),
            asked: std::mem::replace(&mut *lock(&self.asked), asked),
            whole: self.whole.swap(whole, Ordering::Relaxed),
        }
    }
}

fn lock<T>(list: &Mutex<Vec<T>>) -> std::sync::MutexGuard<'_, Vec<T>> {
    list.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_notes_what_is_looked_at_in_it_whatever_was_noted_before() {
        let touched = Touched::new(4);
        let [a, b, c, d] = [0, 1, 2, 3].map(ModuleId::at);
        touched.one(a);
        let outer = touched.open();
        touched.one(b);
        let inner = touched.open();
        for module in [a, b, c, c] {
            touched.one(module);
        }
        touched.asked(7);
        assert_eq!(touched.close(inner).modules, [a, b, c]);
        // What the frame within noted is noted once.
        touched.one(c);
        touched.one(a);
        let aside = touched.open();
        touched.one(d);
        touched.all();
        assert!(touched.close_aside(aside).whole);
        let looked = touched.close(outer);
        assert_eq!(looked.modules, [b, a, c]);
        assert_eq!(looked.asked, [7]);
        assert!(!looked.whole);
        let outer = touched.open();
        touched.one(b);
        assert_eq!(touched.close(outer).modules, [b]);
    }
}
