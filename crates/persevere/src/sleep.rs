//! How the loop waits and what time it is: in a task, and on a thread.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use pin_project_lite::pin_project;

use crate::clock::{Clock, Sleep as ClockSleep};
use crate::retryer::Retryer;
use crate::timer_thread::ThreadSleep;

/// Which time a call lives in, where the retryer has no clock of its own.
pub(crate) trait Time {
    fn now() -> Instant;
}

/// Tokio's, outside of a runtime too, so that both ends of a measurement agree.
pub(crate) struct TaskTime;

impl Time for TaskTime {
    fn now() -> Instant {
        #[cfg(feature = "tokio")]
        return tokio::time::Instant::now().into_std();
        #[cfg(not(feature = "tokio"))]
        Instant::now()
    }
}

/// The system's.
pub(crate) struct ThreadTime;

impl Time for ThreadTime {
    fn now() -> Instant {
        Instant::now()
    }
}

/// The time of a call: the retryer's clock, where it has one.
pub(crate) fn now<T: Time>(retryer: &Retryer) -> Instant {
    retryer.own_clock().map_or_else(T::now, Clock::now)
}

pin_project! {
    /// The sleep of a task: the caller's clock, else tokio, else a timer thread.
    #[project = AsyncSleepProjection]
    pub(crate) enum AsyncSleep {
        Tokio { #[pin] sleep: TokioSleep },
        Clock { sleep: ClockSleep },
        Thread { sleep: ThreadSleep },
    }
}

#[cfg(feature = "tokio")]
use tokio::time::Sleep as TokioSleep;
/// Never made without tokio.
#[cfg(not(feature = "tokio"))]
type TokioSleep = std::future::Ready<()>;

pub(crate) fn async_sleep(retryer: &Retryer, duration: Duration) -> AsyncSleep {
    if let Some(clock) = retryer.own_clock() {
        return AsyncSleep::Clock { sleep: clock.sleep(duration) };
    }
    #[cfg(feature = "tokio")]
    if tokio::runtime::Handle::try_current().is_ok() {
        return AsyncSleep::Tokio { sleep: tokio::time::sleep(duration) };
    }
    AsyncSleep::Thread { sleep: ThreadSleep::new(duration) }
}

impl Future for AsyncSleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        match self.project() {
            AsyncSleepProjection::Tokio { sleep } => sleep.poll(context),
            AsyncSleepProjection::Clock { sleep } => sleep.as_mut().poll(context),
            AsyncSleepProjection::Thread { sleep } => Pin::new(sleep).poll(context),
        }
    }
}

/// Blocks this thread until `poll` is ready, or until `limit` has passed: then `None`.
pub(crate) fn block_until<T>(
    retryer: &Retryer,
    limit: Duration,
    mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
) -> Option<T> {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut clock_sleep = retryer.own_clock().map(|clock: &dyn Clock| clock.sleep(limit));
    // Too far away for the clock to express is never.
    let until = Instant::now().checked_add(limit);
    loop {
        if let Poll::Ready(value) = poll(&mut context) {
            return Some(value);
        }
        if let Some(sleep) = &mut clock_sleep {
            if sleep.as_mut().poll(&mut context).is_ready() {
                return None;
            }
            thread::park();
            continue;
        }
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        match left {
            Some(Duration::ZERO) => return None,
            Some(left) => thread::park_timeout(left),
            None => thread::park(),
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
