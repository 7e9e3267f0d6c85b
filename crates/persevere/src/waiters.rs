//! Tasks and threads that wait for one thing to happen.

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;

/// The wakers of everybody who waits. A waiter that is dropped leaves nothing behind.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    last_id: u64,
    wakers: BTreeMap<NonZeroU64, Waker>,
    /// The one who need not wait any longer, though it has not happened.
    admitted: Option<NonZeroU64>,
}

impl Waiters {
    /// Wakes everybody, outside the lock: a waker may run anything. Nobody else is forgotten if one
    /// panics.
    pub(crate) fn wake_all(&self) {
        let mut inner = self.lock();
        inner.admitted = None;
        let wakers = std::mem::take(&mut inner.wakers);
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

    pub(crate) fn len(&self) -> usize {
        self.lock().wakers.len()
    }

    // Nothing in here can panic half-way, so a poisoned lock holds good data.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What somebody can wait for.
pub(crate) trait Awaited {
    fn waiters(&self) -> &Waiters;

    /// Whether it has happened. Must be true before [`Waiters::wake_all`] is called.
    fn happened(&self) -> bool;
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

    /// Whether this one was let through; if so, it has used that up.
    pub(crate) fn takes_admission(&mut self) -> bool {
        let Some(id) = self.id else { return false };
        let mut inner = self.awaited.waiters().lock();
        let admitted = inner.admitted == Some(id);
        if admitted {
            inner.admitted = None;
        }
        admitted
    }

    /// Whether it had not happened yet when somebody first asked.
    pub(crate) fn has_waited(&self) -> bool {
        self.id.is_some()
    }

    /// Whether it has happened. If not, `waker` is woken when it does: both under one lock, so that
    /// nothing is lost in between.
    pub(crate) fn happened_or_wait(&mut self, waker: &Waker) -> bool {
        let mut inner = self.awaited.waiters().lock();
        if self.awaited.happened() {
            return true;
        }
        let id = *self.id.get_or_insert_with(|| {
            inner.last_id += 1;
            NonZeroU64::new(inner.last_id).unwrap_or(NonZeroU64::MIN)
        });
        let before = inner.wakers.insert(id, waker.clone());
        drop(inner);
        // Not under the lock: the last waker of a task drops that task, with the places in it.
        drop(before);
        false
    }
}

impl<A: Awaited> Drop for Place<A> {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            let mut inner = self.awaited.waiters().lock();
            let waker = inner.wakers.remove(&id);
            let admitted = inner.admitted == Some(id);
            if admitted {
                inner.admitted = None;
            }
            drop(inner);
            drop(waker);
            // It was let through and does not go: somebody else does.
            if admitted {
                self.awaited.waiters().admit_one();
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
