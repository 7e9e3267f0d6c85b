//! Time that can be replaced, so that tests need none.

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// A sleep of a [`Clock`].
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Where a [`Retryer`](crate::Retryer) takes its time from.
///
/// Without one it uses tokio's time inside a tokio runtime (with the feature `tokio`, so
/// `tokio::time::pause` works), a timer thread of its own outside, and the sleeping thread itself
/// in blocking calls. Give it another for another runtime, or [`VirtualClock`] for tests.
///
/// ```
/// use std::time::{Duration, Instant};
/// use persevere::clock::{Clock, Sleep};
///
/// /// Twice as fast as the world.
/// #[derive(Debug)]
/// struct Hurried;
///
/// impl Clock for Hurried {
///     fn now(&self) -> Instant {
///         Instant::now()
///     }
///     fn sleep(&self, duration: Duration) -> Sleep {
///         Box::pin(tokio::time::sleep(duration / 2))
///     }
/// }
/// ```
pub trait Clock: Debug + Send + Sync {
    /// The time now. Must never go back.
    fn now(&self) -> Instant;

    /// Ends when `duration` has passed, not earlier. Dropping it must cancel it.
    fn sleep(&self, duration: Duration) -> Sleep;
}

/// A clock that stands still until somebody sleeps, and then jumps: for tests, async and blocking.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
/// use persevere::clock::VirtualClock;
/// use persevere::{Jitter, RetryPolicy, Retryer};
///
/// let clock = Arc::new(VirtualClock::new());
/// let policy = RetryPolicy::builder().jitter(Jitter::None).build()?;
/// let retryer = Retryer::new(policy).clock(clock.clone());
///
/// let result = retryer.run_blocking("call", |_| Err::<(), _>(std::io::Error::other("busy")));
/// assert_eq!(result.unwrap_err().attempts(), 3);
/// assert_eq!(clock.sleeps(), [Duration::from_secs(1), Duration::from_secs(2)]);
/// # Ok::<(), persevere::PolicyError>(())
/// ```
#[derive(Debug)]
pub struct VirtualClock {
    start: Instant,
    sleeps: Mutex<(Duration, Vec<Duration>)>,
}

impl VirtualClock {
    /// A clock at an arbitrary time.
    pub fn new() -> Self {
        Self { start: Instant::now(), sleeps: Mutex::new((Duration::ZERO, Vec::new())) }
    }

    /// Lets time pass.
    pub fn advance(&self, duration: Duration) {
        let mut state = self.lock();
        state.0 = state.0.saturating_add(duration);
    }

    /// How much time has passed since the clock was made.
    pub fn elapsed(&self) -> Duration {
        self.lock().0
    }

    /// Every sleep so far, in order.
    pub fn sleeps(&self) -> Vec<Duration> {
        self.lock().1.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, (Duration, Vec<Duration>)> {
        self.sleeps.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Default for VirtualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Instant {
        self.start + self.elapsed()
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        let mut state = self.lock();
        state.0 = state.0.saturating_add(duration);
        state.1.push(duration);
        Box::pin(std::future::ready(()))
    }
}
