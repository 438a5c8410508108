//! What the store answers, in its time, whatever it does: a store that hangs or panics must not take the requests with it.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use tokio::time::timeout;

use portcullis_guard::clock::Now;
use portcullis_guard::store::{Answers, Ask, Reply, Store, StoreError};

/// How long the store may take for one answer. A store that hangs must not take the requests with it.
const STORE_BUDGET: Duration = Duration::from_millis(30);

/// Why there is no answer of the store, inside.
pub(crate) const STORE_PANICKED: &str = "the store panicked";

/// The store's reply. Nothing of one that panics.
fn asked<'a>(store: &'a dyn Store, batch: &'a [Ask<'_>], now: Now) -> Option<Reply<'a>> {
    catch_unwind(AssertUnwindSafe(|| store.ask(batch, now))).ok()
}

/// The answer of a store that says that it is there at once. One that is not is refused like one that does not come.
pub(crate) fn answers_at_once(
    store: &dyn Store,
    batch: &[Ask<'_>],
    now: Now,
) -> Option<Result<Answers, StoreError>> {
    match asked(store, batch, now)? {
        Reply::Ready(answers) => Some(answers),
        Reply::Pending(_) => Some(Err(StoreError::TimedOut)),
    }
}

/// The store's answer, in its time. Nothing of a store that panics, while it is asked or while it is waited for.
pub(crate) async fn answers(
    store: &dyn Store,
    batch: &[Ask<'_>],
    now: Now,
) -> Option<Result<Answers, StoreError>> {
    match asked(store, batch, now)? {
        Reply::Ready(answers) => Some(answers),
        Reply::Pending(pending) => match timeout(STORE_BUDGET, unless_it_panics(pending)).await {
            Ok(answers) => answers,
            Err(_elapsed) => Some(Err(StoreError::TimedOut)),
        },
    }
}

/// What a future comes to; nothing of one that panics.
pub(crate) async fn unless_it_panics<T>(
    mut future: Pin<Box<dyn Future<Output = T> + Send + '_>>,
) -> Option<T> {
    poll_fn(|context| {
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context)));
        match polled {
            Ok(Poll::Ready(output)) => Poll::Ready(Some(output)),
            Ok(Poll::Pending) => Poll::Pending,
            Err(_panic) => Poll::Ready(None),
        }
    })
    .await
}
