//! `Written`: answers that are given when what they depend on is on the disk.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use portcullis_guard::store::{Answers, StoreError};

use crate::store::journal::Journal;

/// Waits for so many changes.
#[derive(Debug)]
pub(super) struct Written<'j> {
    journal: &'j Journal,
    up_to: u64,
    waiter: Option<u64>,
    answers: Answers,
}

impl<'j> Written<'j> {
    pub(super) fn new(journal: &'j Journal, up_to: u64, answers: Answers) -> Self {
        Self {
            journal,
            up_to,
            waiter: None,
            answers,
        }
    }
}

impl Future for Written<'_> {
    type Output = Result<Answers, StoreError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let written = this
            .journal
            .poll_written(this.up_to, &mut this.waiter, context.waker());
        written.map(|written| written.map(|()| std::mem::take(&mut this.answers)))
    }
}

impl Drop for Written<'_> {
    fn drop(&mut self) {
        if let Some(waiter) = self.waiter {
            self.journal.leave(waiter);
        }
    }
}
