//! `Timer`: ends a wait at an absolute moment, at next to no cost for the waits that end by themselves.
//!
//! A timer of its own for each wait would be set and taken back several times a request. Here each connection has one,
//! which is set to the earliest moment that was asked for and left there: when it rings too early it is set anew. So a
//! connection sets its timer about once per half minute, however many requests it carries.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::task::{Poll, Waker};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// The timer of one connection.
#[derive(Debug)]
pub(crate) struct Timer {
    sleep: Pin<Box<Sleep>>,
    /// Whom it wakes when it rings, since it was set last.
    wakes: Option<Waker>,
}

impl Timer {
    /// A timer that has nothing to wait for yet.
    pub(crate) fn new() -> Self {
        Self {
            sleep: Box::pin(sleep_until(Instant::now() + Duration::from_secs(60))),
            wakes: None,
        }
    }

    /// Waits for something until a moment.
    ///
    /// # Errors
    ///
    /// What the wait ends with, or [`io::ErrorKind::TimedOut`] at the moment. What was waited for is then dropped.
    pub(crate) async fn until<T>(
        &mut self,
        deadline: Instant,
        work: impl Future<Output = io::Result<T>>,
    ) -> io::Result<T> {
        let mut work = std::pin::pin!(work);
        poll_fn(|context| {
            if let Poll::Ready(done) = work.as_mut().poll(context) {
                return Poll::Ready(done);
            }
            if deadline < self.sleep.deadline() {
                self.sleep.as_mut().reset(deadline);
                self.wakes = None;
            }
            let is_set = self
                .wakes
                .as_ref()
                .is_some_and(|waker| waker.will_wake(context.waker()));
            if is_set && !self.sleep.is_elapsed() {
                return Poll::Pending;
            }
            while self.sleep.as_mut().poll(context).is_ready() {
                if Instant::now() >= deadline {
                    return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                }
                self.sleep.as_mut().reset(deadline);
            }
            self.wakes = Some(context.waker().clone());
            Poll::Pending
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn waited(timer: &mut Timer, until: Instant, work: Duration) -> bool {
        let work = async {
            tokio::time::sleep(work).await;
            Ok(())
        };
        timer.until(until, work).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn a_later_deadline_is_not_cut_short_by_an_earlier_one() {
        let mut timer = Timer::new();
        let begun = Instant::now();
        let seconds = Duration::from_secs;
        assert!(waited(&mut timer, begun + seconds(2), seconds(1)).await);
        assert!(waited(&mut timer, begun + seconds(90), seconds(80)).await);
        assert!(!waited(&mut timer, begun + seconds(100), seconds(30)).await);
        assert_eq!(begun.elapsed().as_secs(), 100);
    }

    #[tokio::test(start_paused = true)]
    async fn a_deadline_that_is_over_ends_only_what_is_not_ready() {
        let mut timer = Timer::new();
        let past = Instant::now();
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(timer.until(past, async { Ok(()) }).await.is_ok());
        assert!(!waited(&mut timer, past, Duration::from_secs(1)).await);
    }
}
