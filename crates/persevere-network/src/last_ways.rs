//! The last look for ways, which may serve once more where it is expensive.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::route::Ways;

/// The last list of interfaces. Where there are thousands, to make one takes many milliseconds, and
/// whoever fails must not spend them all the time.
#[derive(Debug, Default)]
pub(crate) struct LastWays {
    last: Mutex<Option<(Arc<Ways>, Instant)>>,
}

/// Lists that are made more quickly are made every time.
const EXPENSIVE: Duration = Duration::from_millis(2);
/// The others serve for so many times as long as they took, and no longer than the second line says.
const SERVES: u32 = 32;
const LONGEST: Duration = Duration::from_secs(1);

impl LastWays {
    /// Looks, or takes the interfaces of a moment ago, where to list them is expensive. Routes are always
    /// looked up.
    pub(crate) fn look(&self) -> Arc<Ways> {
        let last = self.lock().clone();
        match last {
            Some((ways, until)) if Instant::now() < until => ways,
            _ => self.look_now(),
        }
    }

    pub(crate) fn look_now(&self) -> Arc<Ways> {
        let began = Instant::now();
        let ways = Arc::new(Ways::look());
        let serves = serves(began.elapsed());
        *self.lock() = serves.map(|serves| (ways.clone(), Instant::now() + serves));
        ways
    }

    fn lock(&self) -> MutexGuard<'_, Option<(Arc<Ways>, Instant)>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long a list serves that took this long.
fn serves(took: Duration) -> Option<Duration> {
    (took > EXPENSIVE).then(|| took.saturating_mul(SERVES).min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_list_that_is_expensive_serves_more_than_once() {
        let ms = Duration::from_millis;
        for (took, expected) in [(1, None), (2, None), (3, Some(96)), (70, Some(1_000))] {
            assert_eq!(serves(ms(took)), expected.map(ms), "{took} ms");
        }
        let ways = LastWays::default();
        let listed = Arc::new(Ways::look());
        *ways.lock() = Some((listed.clone(), Instant::now() + LONGEST * 60));
        assert!(Arc::ptr_eq(&ways.look(), &listed));
        *ways.lock() = Some((listed.clone(), Instant::now()));
        assert!(!Arc::ptr_eq(&ways.look(), &listed));
    }
}
