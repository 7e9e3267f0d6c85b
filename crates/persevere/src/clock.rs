//! Time that can be replaced, so that tests need none.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::future::Future;
use std::ops::Bound;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
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

/// A clock that stands still until all that is left to do is sleep, and then jumps to the end of the
/// first sleep: for tests, async and blocking.
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
///
/// Whether others are at rest it has to guess: a sleep gives them sixteen turns before time jumps. That
/// is plenty for tasks of one thread that wait for each other, and means nothing to other threads
/// or to real input and output; `tokio::time::pause`, where there is a tokio runtime, knows.
///
/// After 100 years it stands still for good.
#[derive(Debug)]
pub struct VirtualClock {
    start: Instant,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    elapsed: Duration,
    /// How long those slept whose sleep has ended.
    slept: Vec<Duration>,
    /// Who sleeps: until when, and a number that tells equal times apart.
    sleeping: BTreeSet<(Duration, u64)>,
    last_id: u64,
}

/// Every platform's `Instant` can express so much; and no policy waits longer than a year.
const END_OF_TIME: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// How often a sleep lets everybody else go first.
const TURNS: u8 = 16;

impl VirtualClock {
    /// A clock at an arbitrary time.
    pub fn new() -> Self {
        Self { start: Instant::now(), state: Arc::default() }
    }

    /// Lets time pass.
    pub fn advance(&self, duration: Duration) {
        let mut state = lock(&self.state);
        state.elapsed = state.after(duration);
    }

    /// How much time has passed since the clock was made.
    pub fn elapsed(&self) -> Duration {
        lock(&self.state).elapsed
    }

    /// How long each sleep was, in the order in which they ended. One that was dropped before, such
    /// as the limit of an attempt that returned in time, is not among them.
    pub fn sleeps(&self) -> Vec<Duration> {
        lock(&self.state).slept.clone()
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
        let mut state = lock(&self.state);
        state.last_id += 1;
        let key = (state.after(duration), state.last_id);
        let state = Arc::clone(&self.state);
        Box::pin(VirtualSleep { state, duration, key, turns: TURNS, ended: false })
    }
}

impl State {
    fn after(&self, duration: Duration) -> Duration {
        self.elapsed.saturating_add(duration).min(END_OF_TIME)
    }

    /// To the end of the first sleep that has not ended yet.
    fn jump(&mut self) {
        let past = Bound::Excluded((self.elapsed, u64::MAX));
        if let Some((until, _)) = self.sleeping.range((past, Bound::Unbounded)).next() {
            self.elapsed = *until;
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// It never waits to be woken: as long as it has not ended, it asks to be polled again.
struct VirtualSleep {
    state: Arc<Mutex<State>>,
    duration: Duration,
    /// Its place among those who sleep.
    key: (Duration, u64),
    /// How often it still lets the others go first.
    turns: u8,
    ended: bool,
}

impl Future for VirtualSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let (until, mut state) = (this.key.0, lock(&this.state));
        if state.elapsed < until {
            state.sleeping.insert(this.key);
            match this.turns.checked_sub(1) {
                Some(left) => this.turns = left,
                // Nobody else had anything to do.
                None => {
                    state.jump();
                    this.turns = TURNS;
                }
            }
        }
        if state.elapsed < until {
            drop(state);
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if !std::mem::replace(&mut this.ended, true) {
            state.sleeping.remove(&this.key);
            state.slept.push(this.duration);
        }
        Poll::Ready(())
    }
}

impl Drop for VirtualSleep {
    fn drop(&mut self) {
        lock(&self.state).sleeping.remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test]
    async fn sleeps_side_by_side_end_in_their_order() {
        let clock = VirtualClock::new();
        tokio::join!(clock.sleep(SECOND * 10), clock.sleep(SECOND), clock.sleep(SECOND * 4));
        assert_eq!(clock.sleeps(), [SECOND, SECOND * 4, SECOND * 10]);
        assert_eq!(clock.elapsed(), SECOND * 10);
    }

    #[tokio::test]
    async fn a_sleep_that_nobody_polls_or_finishes_takes_no_time() {
        let clock = VirtualClock::new();
        drop(clock.sleep(SECOND));
        tokio::select! {
            biased;
            () = clock.sleep(SECOND) => unreachable!("the other one is ready first"),
            () = tokio::task::yield_now() => {}
        }
        assert_eq!((clock.elapsed(), clock.sleeps()), (Duration::ZERO, Vec::new()));
        assert!(lock(&clock.state).sleeping.is_empty());
    }

    #[test]
    fn time_has_an_end_and_does_not_overflow() {
        let clock = VirtualClock::new();
        clock.advance(Duration::MAX);
        clock.advance(Duration::MAX);
        assert_eq!(clock.now(), clock.start + END_OF_TIME);
    }
}
