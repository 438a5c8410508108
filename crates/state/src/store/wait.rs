//! Waits for a reply in a thread that has no executor, for suites that run in plain threads.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::Duration;

use portcullis_guard::clock::SECOND;
use portcullis_guard::store::{Answers, Reply, StoreError};

use crate::SystemClock;

/// How many seconds a store has for one batch. A suite that hangs tells nothing.
const SECONDS_MAX: u64 = 30;

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// The answer, when it has come; after half a minute it is taken not to come.
///
/// # Errors
///
/// What the store says, or [`StoreError::TimedOut`].
pub fn wait(reply: Reply<'_>) -> Result<Answers, StoreError> {
    let clock = SystemClock::start();
    let deadline = clock.monotonic().saturating_add(SECONDS_MAX * SECOND);
    let mut reply = pin!(reply.wait());
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(answers) = reply.as_mut().poll(&mut context) {
            return answers;
        }
        if clock.monotonic() >= deadline {
            return Err(StoreError::TimedOut);
        }
        std::thread::park_timeout(Duration::from_secs(1));
    }
}
