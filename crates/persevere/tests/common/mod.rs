//! What several test files need.
#![allow(dead_code, clippy::unwrap_used)]

use std::error::Error;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use persevere::clock::VirtualClock;
use persevere::{Event, EventKind, Jitter, RetryPolicy, Retryer};

pub(crate) const SECOND: Duration = Duration::from_secs(1);

pub(crate) type BoxError = Box<dyn Error + Send + Sync>;

/// Three attempts, 1 s and 2 s in between, no randomness.
pub(crate) fn plain_policy() -> RetryPolicy {
    RetryPolicy::builder().jitter(Jitter::None).build().unwrap()
}

pub(crate) fn plain_retryer() -> Retryer {
    Retryer::new(plain_policy())
}

/// A blocking retryer whose sleeps take no time.
pub(crate) fn blocking_retryer() -> (Retryer, Arc<VirtualClock>) {
    let clock = Arc::new(VirtualClock::new());
    (plain_retryer().clock(clock.clone()), clock)
}

pub(crate) fn reset() -> io::Error {
    io::ErrorKind::ConnectionReset.into()
}

/// Remembers the kinds of events, and attempt numbers with them.
#[derive(Clone, Default)]
pub(crate) struct Recorder {
    events: Arc<Mutex<Vec<(EventKind, u32)>>>,
}

impl Recorder {
    pub(crate) fn events(&self) -> Vec<(EventKind, u32)> {
        self.events.lock().unwrap().clone()
    }
}

impl persevere::Observer for Recorder {
    fn observe(&self, event: &Event<'_>) {
        self.events.lock().unwrap().push((event.kind, event.attempt));
    }
}
