//! Sleeping in async calls outside of tokio: one thread for all, started with the first sleep.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

/// Everybody who sleeps, by the time to wake and a number that tells equal times apart.
struct Sleepers {
    queue: Mutex<Queue>,
    earlier: Condvar,
}

struct Queue {
    next_id: u64,
    wakers: BTreeMap<(Instant, u64), Waker>,
}

static SLEEPERS: Sleepers = Sleepers {
    queue: Mutex::new(Queue { next_id: 0, wakers: BTreeMap::new() }),
    earlier: Condvar::new(),
};
/// Whether the thread could be started.
static THREAD: OnceLock<bool> = OnceLock::new();

impl Sleepers {
    // Nothing under the lock can panic half-way, so a poisoned one holds good data.
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn work() {
    let mut queue = SLEEPERS.lock();
    loop {
        let now = Instant::now();
        let first = queue.wakers.first_key_value().map(|((at, _), _)| *at);
        queue = match first {
            None => SLEEPERS.earlier.wait(queue).unwrap_or_else(PoisonError::into_inner),
            Some(at) if at > now => {
                let waited = SLEEPERS.earlier.wait_timeout(queue, at - now);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
            Some(_) => {
                let due = queue.wakers.pop_first();
                drop(queue);
                // Outside the lock, for a waker may run anything; and one that panics takes only
                // itself along.
                let wake = || due.map(|(_, waker)| waker.wake());
                drop(std::panic::catch_unwind(std::panic::AssertUnwindSafe(wake)));
                SLEEPERS.lock()
            }
        };
    }
}

pub(crate) struct ThreadSleep {
    /// `None`: too far away for the clock to express.
    until: Option<Instant>,
    key: Option<(Instant, u64)>,
}

impl ThreadSleep {
    pub(crate) fn new(duration: Duration) -> Self {
        Self { until: Instant::now().checked_add(duration), key: None }
    }
}

impl Future for ThreadSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let Some(until) = self.until else {
            return Poll::Pending;
        };
        if Instant::now() >= until {
            return Poll::Ready(());
        }
        let spawn = || thread::Builder::new().name("persevere-timer".to_owned()).spawn(work);
        if !THREAD.get_or_init(|| spawn().is_ok()) {
            // No thread is to be had. Asking again and again is slow, but never stuck.
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let mut queue = SLEEPERS.lock();
        let key = *self.key.get_or_insert_with(|| {
            queue.next_id += 1;
            (until, queue.next_id)
        });
        let before = queue.wakers.insert(key, context.waker().clone());
        let is_first = queue.wakers.first_key_value().is_some_and(|(first, _)| *first == key);
        drop(queue);
        // Not under the lock: the last waker of a task drops that task, with the sleeps in it.
        drop(before);
        if is_first {
            SLEEPERS.earlier.notify_one();
        }
        Poll::Pending
    }
}

impl Drop for ThreadSleep {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            let waker = SLEEPERS.lock().wakers.remove(&key);
            drop(waker);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Real time, as this is what wakes people in it; a few milliseconds of it.
    #[test]
    fn many_sleepers_wake_and_none_of_them_early() {
        let started = Instant::now();
        let sleeper = |number: u64| {
            let duration = Duration::from_micros(number * 17 % 5_000);
            async move {
                ThreadSleep::new(duration).await;
                assert!(started.elapsed() >= duration);
            }
        };
        // One that nobody waits for to its end.
        let dropped = ThreadSleep::new(Duration::from_secs(3_600));
        let mut polled = Box::pin(dropped);
        assert!(polled.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let key = polled.key;
        drop(polled);
        assert!(key.is_some_and(|key| !SLEEPERS.lock().wakers.contains_key(&key)));

        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let sleepers: tokio::task::JoinSet<()> = (0..1_000).map(sleeper).collect();
            assert_eq!(sleepers.join_all().await.len(), 1_000);
        });
    }

    #[test]
    fn a_sleep_beyond_time_never_ends() {
        let mut forever = Box::pin(ThreadSleep::new(Duration::MAX));
        let mut context = Context::from_waker(Waker::noop());
        assert!(forever.as_mut().poll(&mut context).is_pending());
    }
}
