//! Whether the machine has slept, after which nothing that was known can be trusted.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Both clocks are read one after the other, so that they differ by a little.
const WORTH_TELLING: u64 = 500;

/// Remembers for how long the machine has slept altogether.
#[derive(Debug)]
pub(crate) struct Sleeps {
    millis: AtomicU64,
    /// By as much longer, as a test wants it.
    #[cfg(test)]
    pub(crate) longer: AtomicU64,
}

impl Sleeps {
    pub(crate) fn new() -> Self {
        Self {
            millis: AtomicU64::new(millis(slept())),
            #[cfg(test)]
            longer: AtomicU64::new(0),
        }
    }

    /// Whether it has slept since the last time that somebody asked.
    pub(crate) fn have_grown(&self) -> bool {
        let now = millis(slept());
        #[cfg(test)]
        let now = now + self.longer.load(Ordering::Relaxed);
        self.grow_to(now)
    }

    fn grow_to(&self, now: u64) -> bool {
        let before = self.millis.fetch_max(now, Ordering::Relaxed);
        now >= before + WORTH_TELLING
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The clock that goes on in sleep, less the one that stands still.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn slept() -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    let read = |clock| Duration::try_from(clock_gettime(clock)).unwrap_or_default();
    let awake = read(ClockId::Monotonic);
    read(ClockId::Boottime).saturating_sub(awake)
}

/// Elsewhere nobody tells us.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn slept() -> Duration {
    Duration::ZERO
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sleep_is_told_once_and_the_noise_of_clocks_never() {
        let sleeps = Sleeps { millis: AtomicU64::new(7_000), ..Sleeps::new() };
        assert!(!sleeps.grow_to(7_001));
        assert!(!sleeps.grow_to(6_999));
        assert!(sleeps.grow_to(9_000));
        assert!(!sleeps.grow_to(9_000));
        assert!(!Sleeps::new().have_grown());
    }
}
