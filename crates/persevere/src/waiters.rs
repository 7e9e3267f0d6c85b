//! Tasks and threads that wait for one thing to happen.

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::PoisonError;
use std::task::{Poll, Waker};

use crate::sync::{Mutex, MutexGuard};

/// The wakers of everybody who waits. A waiter that is dropped leaves nothing behind.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    last_id: u64,
    wakers: BTreeMap<NonZeroU64, Waker>,
    /// How many have a place: those with a waker here, and those who were woken and have yet to notice.
    places: usize,
    /// The one who need not wait any longer, though it has not happened.
    admitted: Option<NonZeroU64>,
}

impl Waiters {
    /// Makes it happen, and wakes everybody. `happen` is told how many wait, and nobody comes or goes
    /// meanwhile. Nobody is forgotten if a waker panics.
    pub(crate) fn wake_all(&self, happen: impl FnOnce(usize)) {
        let mut inner = self.lock();
        happen(inner.places);
        inner.admitted = None;
        let wakers = std::mem::take(&mut inner.wakers);
        // Outside the lock: a waker may run anything.
        drop(inner);
        let mut panic = None;
        for waker in wakers.into_values() {
            if let Err(payload) = catch_unwind(AssertUnwindSafe(|| waker.wake())) {
                panic.get_or_insert(payload);
            }
        }
        if let Some(payload) = panic {
            resume_unwind(payload);
        }
    }

    /// Wakes the one who has waited longest, and lets it through although it has not happened.
    /// Returns whether there was one.
    pub(crate) fn admit_one(&self) -> bool {
        let mut inner = self.lock();
        let Some((id, waker)) = inner.wakers.pop_first() else {
            return false;
        };
        inner.admitted = Some(id);
        drop(inner);
        waker.wake();
        true
    }

    /// One who was let through does not go: somebody else does. A waker that panics must not do so
    /// here, for whoever leaves may be in the middle of a panic.
    pub(crate) fn pass_on(&self) {
        let _woken = catch_unwind(AssertUnwindSafe(|| self.admit_one()));
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().wakers.len()
    }

    #[cfg(test)]
    pub(crate) fn places(&self) -> usize {
        self.lock().places
    }

    // Nothing in here can panic half-way, so a poisoned lock holds good data.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What somebody can wait for.
pub(crate) trait Awaited {
    fn waiters(&self) -> &Waiters;

    /// Whether it has happened.
    fn happened(&self) -> bool;
}

/// Why somebody need not wait any longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Go {
    Happened,
    /// It has not happened: see [`Waiters::admit_one`].
    LetThrough,
}

/// One waiter's place; removes itself when dropped.
#[derive(Debug)]
pub(crate) struct Place<A: Awaited> {
    awaited: A,
    id: Option<NonZeroU64>,
}

impl<A: Awaited> Place<A> {
    pub(crate) fn new(awaited: A) -> Self {
        Self { awaited, id: None }
    }

    pub(crate) fn awaited(&self) -> &A {
        &self.awaited
    }

    /// Where it stands, if it had not happened yet when somebody first asked.
    pub(crate) fn stands(&self) -> Option<NonZeroU64> {
        self.id
    }

    /// Whether to go on. If not, `waker` is woken when it is time to: both under one lock, so that
    /// nothing is lost in between. The first time it queues up, behind all others or where it stood
    /// when it waited before.
    pub(crate) fn go_or_wait(&mut self, waker: &Waker, before: Option<NonZeroU64>) -> Poll<Go> {
        let mut inner = self.awaited.waiters().lock();
        let admitted = self.id.is_some() && inner.admitted == self.id;
        if admitted {
            inner.admitted = None;
        }
        if self.awaited.happened() {
            return Poll::Ready(Go::Happened);
        }
        if admitted {
            return Poll::Ready(Go::LetThrough);
        }
        let id = *self.id.get_or_insert_with(|| {
            inner.places += 1;
            before.unwrap_or_else(|| {
                inner.last_id += 1;
                NonZeroU64::new(inner.last_id).unwrap_or(NonZeroU64::MIN)
            })
        });
        let before = inner.wakers.insert(id, waker.clone());
        drop(inner);
        // Not under the lock: the last waker of a task drops that task, with the places in it.
        drop(before);
        Poll::Pending
    }
}

impl<A: Awaited> Drop for Place<A> {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            let mut inner = self.awaited.waiters().lock();
            inner.places -= 1;
            let waker = inner.wakers.remove(&id);
            let admitted = inner.admitted == Some(id);
            if admitted {
                inner.admitted = None;
            }
            drop(inner);
            drop(waker);
            if admitted {
                self.awaited.waiters().pass_on();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Wake};

    use crate::cancel::CancellationToken;

    /// Counts, and panics every other time.
    #[derive(Default)]
    struct Panics(AtomicUsize);

    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            assert!(self.0.fetch_add(1, Ordering::SeqCst) % 2 == 1, "as a test wants it");
        }
    }

    #[test]
    fn a_waker_that_panics_leaves_nobody_asleep() {
        let (token, panics) = (CancellationToken::new(), Arc::new(Panics::default()));
        let waker = panics.clone().into();
        let mut waiting = pin!([token.cancelled(), token.cancelled(), token.cancelled()]);
        for future in waiting.as_mut().get_mut() {
            let polled = pin!(future).poll(&mut Context::from_waker(&waker));
            assert!(polled.is_pending());
        }
        let told = std::thread::scope(|scope| scope.spawn(|| token.cancel()).join());
        assert!(told.is_err(), "the panic goes on when all are awake");
        assert_eq!(panics.0.load(Ordering::SeqCst), 3);
    }
}
