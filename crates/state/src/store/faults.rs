//! `FaultyStore`: a store that fails as it is told to, batch by batch, so that every fault is a test that repeats.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use portcullis_guard::clock::Now;
use portcullis_guard::store::{Answer, Answers, Ask, Durability, Reply, Store, StoreError};

/// What becomes of one batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing: it is answered.
    None,
    /// It is refused, and nothing was done.
    Error(StoreError),
    /// It is done, and then the answer is lost.
    ErrorAfter(StoreError),
    /// It is never answered, and nothing was done.
    Never,
    /// It is done at once, and never answered.
    NeverAfter,
    /// It is answered after so many polls more than needed, each of which wakes at once.
    Polls(u32),
    /// It is answered after some time.
    Late(Duration),
    /// It is done, and the last answer is missing.
    TooFew,
    /// It is done, and the last answer is there twice; one of nothing has one answer.
    TooMany,
    /// It is done, and every answer is one to another kind of ask.
    OtherKind,
    /// It is done, and of several limits the last one is missing.
    FewerStates,
}

/// A store with a plan of faults.
#[derive(Debug)]
pub struct FaultyStore<S> {
    store: S,
    plan: Mutex<VecDeque<Fault>>,
    then: Fault,
    asked: AtomicUsize,
}

impl<S: Store> FaultyStore<S> {
    /// Treats the first batches by the plan, and all others as `then` says.
    #[must_use]
    pub fn new(store: S, plan: impl IntoIterator<Item = Fault>, then: Fault) -> Self {
        Self {
            store,
            plan: Mutex::new(plan.into_iter().collect()),
            then,
            asked: AtomicUsize::new(0),
        }
    }

    /// How many batches were asked.
    #[must_use]
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::Acquire)
    }

    /// The store behind it.
    #[must_use]
    pub fn inner(&self) -> &S {
        &self.store
    }

    fn next(&self) -> Fault {
        self.asked.fetch_add(1, Ordering::AcqRel);
        let mut plan = self.plan.lock().unwrap_or_else(PoisonError::into_inner);
        plan.pop_front().unwrap_or_else(|| self.then.clone())
    }

    async fn faulty(
        &self,
        fault: Fault,
        batch: &[Ask<'_>],
        now: Now,
    ) -> Result<Answers, StoreError> {
        match fault {
            Fault::Never => std::future::pending().await,
            Fault::Error(error) => return Err(error),
            Fault::Polls(polls) => yields(polls).await,
            Fault::Late(time) => late(time).await,
            Fault::None
            | Fault::ErrorAfter(_)
            | Fault::NeverAfter
            | Fault::TooFew
            | Fault::TooMany
            | Fault::OtherKind
            | Fault::FewerStates => {}
        }
        let mut answers = self.store.ask(batch, now).wait().await?;
        match fault {
            Fault::ErrorAfter(error) => return Err(error),
            Fault::NeverAfter => std::future::pending().await,
            Fault::TooFew => drop(answers.pop()),
            Fault::TooMany => answers.push(answers.last().cloned().unwrap_or(Answer::Done)),
            Fault::OtherKind => answers.iter_mut().for_each(other_kind),
            Fault::FewerStates => answers.iter_mut().for_each(fewer_states),
            Fault::None | Fault::Error(_) | Fault::Never | Fault::Polls(_) | Fault::Late(_) => {}
        }
        Ok(answers)
    }
}

/// The most tempting answer to something else: one that says yes.
fn other_kind(answer: &mut Answer) {
    *answer = match answer {
        Answer::Put(_) => Answer::Set(true),
        Answer::Limits(_)
        | Answer::Done
        | Answer::Found(_)
        | Answer::Set(_)
        | Answer::Committed(_) => Answer::Put(true),
    };
}

fn fewer_states(answer: &mut Answer) {
    if let Answer::Limits(states) = answer {
        states.pop();
    }
}

async fn yields(polls: u32) {
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Waits by a thread of its own, so that it works under every executor and under none.
async fn late(time: Duration) {
    let over = Arc::new(AtomicBool::new(false));
    let mut begun = false;
    poll_fn(move |context| {
        if over.load(Ordering::Acquire) {
            return Poll::Ready(());
        }
        if !begun {
            begun = true;
            let (over, waker) = (Arc::clone(&over), context.waker().clone());
            let sleeping = move || {
                std::thread::sleep(time);
                over.store(true, Ordering::Release);
                waker.wake();
            };
            if std::thread::Builder::new().spawn(sleeping).is_err() {
                return Poll::Ready(());
            }
        }
        Poll::Pending
    })
    .await;
}

impl<S: Store> Store for FaultyStore<S> {
    fn ask<'a>(&'a self, batch: &'a [Ask<'_>], now: Now) -> Reply<'a> {
        match self.next() {
            Fault::None => self.store.ask(batch, now),
            Fault::Error(error) => Reply::Ready(Err(error)),
            fault => Reply::Pending(Box::pin(self.faulty(fault, batch, now))),
        }
    }

    fn keeps(&self) -> Durability {
        self.store.keeps()
    }
}
