//! Stores that fail.

use std::sync::atomic::{AtomicUsize, Ordering};

use portcullis_guard::clock::Now;
use portcullis_guard::store::{Ask, Durability, Reply, Store, StoreError};

/// How a store fails.
#[derive(Clone, Debug)]
pub(crate) enum Broken {
    /// It answers with this error.
    Error(StoreError),
    /// It answers something that was not asked.
    Nonsense,
    /// It answers nothing at all to what was asked.
    Empty,
    /// It never answers.
    Never,
    /// It panics when it is asked.
    Panic,
    /// It panics while it is waited for.
    PanicLater,
}

/// A store that fails in one way, as often as it is asked.
#[derive(Debug)]
pub(crate) struct Broker {
    how: Broken,
    asked: AtomicUsize,
}

impl Broker {
    /// One that fails so.
    pub(crate) fn new(how: Broken) -> Self {
        Self {
            how,
            asked: AtomicUsize::new(0),
        }
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Store for Broker {
    fn ask<'a>(&'a self, _batch: &'a [Ask<'_>], _now: Now) -> Reply<'a> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        match &self.how {
            Broken::Error(error) => Reply::Ready(Err(error.clone())),
            Broken::Nonsense => {
                let done = portcullis_guard::store::Answer::Done;
                Reply::Ready(Ok([done].into_iter().collect()))
            }
            Broken::Empty => Reply::Ready(Ok([].into_iter().collect())),
            Broken::Never => Reply::Pending(Box::pin(std::future::pending())),
            Broken::Panic => panic!("the store panics, as this test wants it"),
            Broken::PanicLater => Reply::Pending(Box::pin(async {
                panic!("the store panics later, as this test wants it")
            })),
        }
    }

    fn keeps(&self) -> Durability {
        Durability::Durable
    }
}
