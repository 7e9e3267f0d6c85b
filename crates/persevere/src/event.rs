//! What happens in a call, for logs, metrics and tests.

use std::error::Error;
use std::time::Duration;

use crate::error::End;
use crate::verdict::Verdict;

/// Something worth telling. A first attempt that succeeds tells nothing.
///
/// ```
/// use std::sync::atomic::{AtomicU32, Ordering};
/// use std::sync::Arc;
/// use persevere::{Event, EventKind, Retryer};
///
/// let retries = Arc::new(AtomicU32::new(0));
/// let counter = retries.clone();
/// let retryer = Retryer::default().observer(move |event: &Event<'_>| {
///     if matches!(event.kind, EventKind::Retrying) {
///         counter.fetch_add(1, Ordering::Relaxed);
///     }
/// });
/// # drop(retryer);
/// ```
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Event<'a> {
    /// What happened.
    pub kind: EventKind,
    /// The operation's name.
    pub operation: &'a str,
    /// The attempt that it happened in or after, from 1. With [`EventKind::Ended`] it is the number
    /// of attempts made, 0 if the call ended before its first.
    pub attempt: u32,
    /// How many attempts the policy allows.
    pub max_attempts: u32,
    /// [`EventKind::Retrying`]: the wait before the next attempt. [`EventKind::NetworkDown`]: how
    /// long the network is waited for at the most. [`EventKind::NetworkRecovered`]: how long it was.
    pub delay: Option<Duration>,
    /// How much of the call was spent waiting for the network so far.
    pub network_wait: Duration,
    /// [`EventKind::NetworkDown`]: why, if the monitor
    /// [says so](crate::NetworkMonitor::reason).
    pub network_reason: Option<&'a str>,
    /// The operation's error, where there is one.
    pub error: Option<&'a (dyn Error + 'static)>,
    /// What detection said of the error.
    pub verdict: Option<Verdict>,
}

/// The kind of an [`Event`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventKind {
    /// An attempt after the first has succeeded.
    Succeeded,
    /// An attempt has failed, and another will follow.
    Retrying,
    /// The call waits for the network.
    NetworkDown,
    /// The network is back, and the attempt is made again.
    NetworkRecovered,
    /// The network is no longer known to be down, and the attempt is made again.
    NetworkUncertain,
    /// The call has failed for good.
    Ended(End),
}

/// How loud an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Level {
    /// Good news.
    Info,
    /// Something failed.
    Warn,
    /// The call failed although it could have been retried.
    Error,
}

impl EventKind {
    /// The message in the log.
    pub const fn message(self) -> &'static str {
        match self {
            Self::Succeeded => "operation succeeded after retry",
            Self::Retrying => "operation failed, retrying",
            Self::NetworkDown => "network is down, waiting for network to recover",
            Self::NetworkRecovered => "network recovered, retrying operation",
            Self::NetworkUncertain => "network may be back, retrying operation",
            Self::Ended(end) => end.message(),
        }
    }

    /// The level in the log.
    pub const fn level(self) -> Level {
        match self {
            Self::Succeeded | Self::NetworkRecovered | Self::NetworkUncertain => Level::Info,
            Self::Retrying | Self::NetworkDown => Level::Warn,
            Self::Ended(End::NonRetryable | End::NotIdempotent | End::Cancelled) => Level::Warn,
            Self::Ended(_) => Level::Error,
        }
    }
}

/// Sees every [`Event`] of a retryer. Closures are observers.
///
/// It is called in the middle of the call, so it must be quick, and must not panic.
pub trait Observer: Send + Sync {
    /// One event.
    fn observe(&self, event: &Event<'_>);
}

impl<F: Fn(&Event<'_>) + Send + Sync> Observer for F {
    fn observe(&self, event: &Event<'_>) {
        self(event);
    }
}
