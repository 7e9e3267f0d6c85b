//! Exponential backoff: the delay after each failure.

use std::iter::FusedIterator;
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::duration::nanos;
use crate::jitter::{Jitter, spread_hint};
use crate::policy::RetryPolicy;
use crate::random::Random;

impl RetryPolicy {
    /// The delay after failure number `failure` (from 1) before jitter:
    /// `min(initial_delay × multiplier^(failure - 1), cap)`, where the cap is `max_delay`, or
    /// `max_delay / 1.25` with [`Jitter::Proportional`].
    ///
    /// Any number is fine: nothing overflows.
    ///
    /// ```
    /// use std::time::Duration;
    /// use persevere::RetryPolicy;
    ///
    /// let policy = RetryPolicy::balanced();
    /// assert_eq!(policy.base_delay(1), Duration::from_secs(1));
    /// assert_eq!(policy.base_delay(4), Duration::from_secs(8));
    /// assert_eq!(policy.base_delay(u32::MAX), Duration::from_secs(24));
    /// ```
    pub fn base_delay(&self, failure: u32) -> Duration {
        Duration::from_nanos(self.base_nanos(failure))
    }

    /// The shortest and the longest delay that jitter can make of failure number `failure`.
    ///
    /// ```
    /// use std::time::Duration;
    /// use persevere::RetryPolicy;
    ///
    /// let bounds = RetryPolicy::balanced().delay_bounds(1);
    /// assert_eq!(bounds, Duration::from_millis(750)..=Duration::from_millis(1250));
    /// ```
    pub fn delay_bounds(&self, failure: u32) -> RangeInclusive<Duration> {
        let (low, high) = match self.jitter() {
            Jitter::Decorrelated => {
                let initial = nanos(self.initial_delay());
                (initial, grow(initial, 3.0, failure, nanos(self.max_delay())))
            }
            jitter => jitter.range(self.base_nanos(failure)),
        };
        Duration::from_nanos(low)..=Duration::from_nanos(high)
    }

    /// One possible schedule: the `max_attempts - 1` delays of a call that always fails.
    ///
    /// The same seed gives the same delays; a [`Retryer`](crate::Retryer) with that seed waits
    /// exactly these in its first call that fails.
    ///
    /// ```
    /// use persevere::RetryPolicy;
    ///
    /// let delays: Vec<_> = RetryPolicy::aggressive().delays(7).collect();
    /// assert_eq!(delays.len(), 9);
    /// assert!(RetryPolicy::aggressive().delays(7).eq(delays));
    /// ```
    pub fn delays(&self, seed: u64) -> Delays {
        Delays {
            policy: *self,
            backoff: Backoff::new(Random::stream(seed, 0)),
            left: self.max_attempts() - 1,
        }
    }

    fn base_nanos(&self, failure: u32) -> u64 {
        let times = failure.saturating_sub(1);
        grow(nanos(self.initial_delay()), self.multiplier(), times, self.base_cap())
    }

    fn base_cap(&self) -> u64 {
        self.jitter().base_cap(nanos(self.max_delay()))
    }
}

/// `min(start × factor^times, cap)` without overflow.
fn grow(start: u64, factor: f64, times: u32, cap: u64) -> u64 {
    // 0 × infinity is not a number, and powers of 1 are not worth working out.
    if start == 0 || factor == 1.0 {
        return start.min(cap);
    }
    let times = i32::try_from(times).unwrap_or(i32::MAX);
    let grown = start as f64 * factor.powi(times);
    if grown < cap as f64 { grown as u64 } else { cap }
}

/// The delays of one call, drawn one after the other.
#[derive(Debug, Clone)]
pub(crate) struct Backoff {
    /// Counted only until the delay has reached its cap, for high powers take long to work out.
    failures: u32,
    /// The delay before, in nanoseconds, which decorrelated jitter draws from. In a network pause,
    /// which takes the place of a delay, the wait that the server asked for.
    previous: u64,
    random: Random,
}

impl Backoff {
    pub(crate) fn new(random: Random) -> Self {
        Self { failures: 0, previous: 0, random }
    }

    /// The delay after one more failure.
    pub(crate) fn next(&mut self, policy: &RetryPolicy) -> Duration {
        let (low, high) = match policy.jitter() {
            Jitter::Decorrelated => {
                let initial = nanos(policy.initial_delay());
                let top = self.previous.max(initial).saturating_mul(3);
                (initial, top.max(initial))
            }
            jitter => jitter.range(self.next_base(policy)),
        };
        let drawn = if low == high { low } else { self.random.between(low, high) };
        self.previous = drawn.min(nanos(policy.max_delay()));
        Duration::from_nanos(self.previous)
    }

    fn next_base(&mut self, policy: &RetryPolicy) -> u64 {
        let failure = self.failures.saturating_add(1);
        let base = policy.base_nanos(failure);
        if base < policy.base_cap() {
            self.failures = failure;
        }
        base
    }

    /// The wait for a server's hint: never shorter than the hint or than the backoff.
    pub(crate) fn next_with_hint(&mut self, policy: &RetryPolicy, hint: Duration) -> Duration {
        let delay = self.next(policy);
        let hinted = spread_hint(nanos(hint), policy.jitter(), &mut self.random);
        delay.max(Duration::from_nanos(hinted))
    }

    /// A network pause begins: keeps the server's hint, spread upwards like any other, until
    /// [`restart`](Self::restart).
    pub(crate) fn hold_hint(&mut self, policy: &RetryPolicy, hint: Option<Duration>) {
        let spread = |hint| spread_hint(nanos(hint), policy.jitter(), &mut self.random);
        self.previous = hint.map_or(0, spread);
    }

    /// The pause has lasted this long when the attempt failed that the hint came with. It goes on for
    /// `spacing` at least.
    pub(crate) fn hold_from(&mut self, paused: Duration, spacing: Duration) {
        let more = self.previous.max(nanos(spacing));
        self.previous = nanos(paused).saturating_add(more);
    }

    /// What the pause has to last at least.
    pub(crate) fn held_hint(&self) -> Duration {
        Duration::from_nanos(self.previous)
    }

    /// Starts again at the base, as after an outage.
    pub(crate) fn restart(&mut self) {
        self.failures = 0;
        self.previous = 0;
    }

    pub(crate) fn random(&mut self) -> &mut Random {
        &mut self.random
    }
}

/// The delays of a call that always fails; see [`RetryPolicy::delays`].
#[derive(Debug, Clone)]
pub struct Delays {
    policy: RetryPolicy,
    backoff: Backoff,
    left: u32,
}

impl Iterator for Delays {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        self.left = self.left.checked_sub(1)?;
        Some(self.backoff.next(&self.policy))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = usize::try_from(self.left).unwrap_or(usize::MAX);
        (left, Some(left))
    }
}

impl FusedIterator for Delays {}
