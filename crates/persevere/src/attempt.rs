//! One call of the operation.

use std::time::Duration;

use crate::policy::RetryPolicy;

/// Tells the operation which attempt it is, and how long it may take.
///
/// ```
/// use persevere::Retryer;
///
/// let answer = Retryer::default().run_blocking("ask", |attempt| {
///     if attempt.is_retry() {
///         println!("attempt {} of {}", attempt.number(), attempt.max_attempts());
///     }
///     Ok::<_, std::io::Error>(42)
/// })?;
/// assert_eq!(answer, 42);
/// # Ok::<(), persevere::RetryError<std::io::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    pub(crate) number: u32,
    pub(crate) max_attempts: u32,
    pub(crate) limit: Option<Duration>,
}

impl Attempt {
    /// Counted from 1. An attempt that is repeated because the network was down keeps its number.
    pub const fn number(&self) -> u32 {
        self.number
    }

    /// How many there can be; [`RetryPolicy::UNLIMITED_ATTEMPTS`] for no limit.
    pub const fn max_attempts(&self) -> u32 {
        self.max_attempts
    }

    /// Whether an attempt was made before.
    pub const fn is_retry(&self) -> bool {
        self.number > 1
    }

    /// Whether the policy allows no attempt after this one.
    pub const fn is_last(&self) -> bool {
        self.max_attempts != RetryPolicy::UNLIMITED_ATTEMPTS && self.number >= self.max_attempts
    }

    /// How long it may take: the attempt timeout, or what is left until the deadline if that is
    /// less. `None` without both.
    ///
    /// An async attempt is dropped when this has passed. A blocking one cannot be interrupted from
    /// outside, so give this to whatever it calls, for example as a socket's read timeout.
    pub const fn limit(&self) -> Option<Duration> {
        self.limit
    }
}
