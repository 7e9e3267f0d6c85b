//! The numbers of a retry: how often, how long, how random.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use crate::duration::ExactDuration;
use crate::jitter::Jitter;

/// The longest duration a policy accepts, in any field: 365 days.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// How often to try, and how long to wait in between: validated, immutable, cheap to copy.
///
/// Take a preset, or change one with [`to_builder`](Self::to_builder):
///
/// | preset | attempts | first delay | longest delay | for |
/// |---|---|---|---|---|
/// | [`conservative`](Self::conservative) | 2 | 500 ms | 5 s | quick operations that should fail fast |
/// | [`balanced`](Self::balanced), the default | 3 | 1 s | 30 s | general use |
/// | [`aggressive`](Self::aggressive) | 10 | 1 s | 60 s | what must succeed over a bad network |
///
/// All double the delay after each failure and spread it by ±25 %.
///
/// ```
/// use std::time::Duration;
/// use persevere::{Jitter, RetryPolicy};
///
/// let policy = RetryPolicy::aggressive()
///     .to_builder()
///     .max_delay(Duration::from_secs(20))
///     .jitter(Jitter::Full)
///     .build()?;
/// assert_eq!(policy.max_attempts(), 10);
///
/// let refused = RetryPolicy::builder().max_attempts(0).build().unwrap_err();
/// assert_eq!(refused.to_string(), "max_attempts is 0, but must be at least 1");
/// # Ok::<(), persevere::PolicyError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RetryPolicy {
    max_attempts: u32,
    initial_delay: Duration,
    max_delay: Duration,
    multiplier: f64,
    jitter: Jitter,
    retry_unknown: bool,
    wait_for_network: bool,
    max_network_wait: Duration,
    max_retry_after: Duration,
}

impl RetryPolicy {
    /// As many attempts as it takes: give it to [`RetryPolicyBuilder::max_attempts`], and set a
    /// deadline on the call, for nothing else ends it.
    pub const UNLIMITED_ATTEMPTS: u32 = u32::MAX;

    /// Two attempts, 500 ms apart, never more than 5 s: fail fast.
    ///
    /// ```
    /// assert_eq!(persevere::RetryPolicy::conservative().max_attempts(), 2);
    /// ```
    pub const fn conservative() -> Self {
        Self::preset(2, Duration::from_millis(500), Duration::from_secs(5))
    }

    /// Three attempts, first delay 1 s, longest 30 s: the default.
    ///
    /// ```
    /// use persevere::RetryPolicy;
    /// assert_eq!(RetryPolicy::balanced(), RetryPolicy::default());
    /// ```
    pub const fn balanced() -> Self {
        Self::preset(3, Duration::from_secs(1), Duration::from_secs(30))
    }

    /// Ten attempts, first delay 1 s, longest 60 s: patient.
    ///
    /// ```
    /// assert_eq!(persevere::RetryPolicy::aggressive().max_attempts(), 10);
    /// ```
    pub const fn aggressive() -> Self {
        Self::preset(10, Duration::from_secs(1), Duration::from_secs(60))
    }

    const fn preset(max_attempts: u32, initial_delay: Duration, max_delay: Duration) -> Self {
        Self {
            max_attempts,
            initial_delay,
            max_delay,
            multiplier: 2.0,
            jitter: Jitter::Proportional,
            retry_unknown: true,
            wait_for_network: false,
            max_network_wait: Duration::from_secs(10 * 60),
            max_retry_after: Duration::from_secs(5 * 60),
        }
    }

    /// A builder that starts from [`balanced`](Self::balanced).
    ///
    /// ```
    /// let policy = persevere::RetryPolicy::builder().max_attempts(5).build()?;
    /// assert_eq!(policy.max_attempts(), 5);
    /// # Ok::<(), persevere::PolicyError>(())
    /// ```
    pub const fn builder() -> RetryPolicyBuilder {
        Self::balanced().to_builder()
    }

    /// A builder that starts from this policy.
    pub const fn to_builder(self) -> RetryPolicyBuilder {
        RetryPolicyBuilder { draft: self }
    }

    /// How many attempts a call makes at the most, the first one included. At least 1.
    pub const fn max_attempts(&self) -> u32 {
        self.max_attempts
    }

    /// The delay after the first failure, before jitter.
    pub const fn initial_delay(&self) -> Duration {
        self.initial_delay
    }

    /// No delay is longer than this, jitter included. Only a server's own hint may exceed it.
    pub const fn max_delay(&self) -> Duration {
        self.max_delay
    }

    /// What the delay is multiplied with after each further failure. At least 1, finite.
    pub const fn multiplier(&self) -> f64 {
        self.multiplier
    }

    /// How the delay is spread at random.
    pub const fn jitter(&self) -> Jitter {
        self.jitter
    }

    /// Whether an error that detection knows nothing about is retried.
    pub const fn retry_unknown(&self) -> bool {
        self.retry_unknown
    }

    /// Whether a call waits out an outage that the attached network monitor sees.
    pub const fn wait_for_network(&self) -> bool {
        self.wait_for_network
    }

    /// How long one network pause may last.
    pub const fn max_network_wait(&self) -> Duration {
        self.max_network_wait
    }

    /// The longest wait that a server may ask for.
    pub const fn max_retry_after(&self) -> Duration {
        self.max_retry_after
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self::balanced()
    }
}

/// Builds a [`RetryPolicy`]; nothing is checked, and nothing corrected, before [`build`](Self::build).
#[derive(Debug, Clone, Copy)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct RetryPolicyBuilder {
    draft: RetryPolicy,
}

impl RetryPolicyBuilder {
    /// How many attempts, the first one included. At least 1;
    /// [`RetryPolicy::UNLIMITED_ATTEMPTS`] for no limit.
    pub const fn max_attempts(mut self, attempts: u32) -> Self {
        self.draft.max_attempts = attempts;
        self
    }

    /// The delay after the first failure, before jitter. From zero to `max_delay`.
    pub const fn initial_delay(mut self, delay: Duration) -> Self {
        self.draft.initial_delay = delay;
        self
    }

    /// The longest delay, jitter included. From `initial_delay` to 365 days.
    pub const fn max_delay(mut self, delay: Duration) -> Self {
        self.draft.max_delay = delay;
        self
    }

    /// What the delay is multiplied with after each further failure. At least 1, finite; 1 keeps
    /// the delay constant.
    pub const fn multiplier(mut self, multiplier: f64) -> Self {
        self.draft.multiplier = multiplier;
        self
    }

    /// How the delay is spread at random. Default: [`Jitter::Proportional`].
    pub const fn jitter(mut self, jitter: Jitter) -> Self {
        self.draft.jitter = jitter;
        self
    }

    /// Whether an error that detection knows nothing about is retried. Default: yes.
    pub const fn retry_unknown(mut self, retry: bool) -> Self {
        self.draft.retry_unknown = retry;
        self
    }

    /// Whether a call waits out an outage that the attached network monitor sees, in place of
    /// using up its attempts. Default: no.
    pub const fn wait_for_network(mut self, wait: bool) -> Self {
        self.draft.wait_for_network = wait;
        self
    }

    /// How long one network pause may last, at most 365 days. Default: 10 minutes.
    pub const fn max_network_wait(mut self, wait: Duration) -> Self {
        self.draft.max_network_wait = wait;
        self
    }

    /// The longest wait that a server may ask for, at most 365 days. A longer hint ends the call,
    /// and the error carries it. Default: 5 minutes.
    pub const fn max_retry_after(mut self, wait: Duration) -> Self {
        self.draft.max_retry_after = wait;
        self
    }

    /// Checks every field.
    ///
    /// # Errors
    ///
    /// A [`PolicyError`] with the first field that is out of its range, its value, and the range.
    pub fn build(self) -> Result<RetryPolicy, PolicyError> {
        let policy = self.draft;
        if policy.max_attempts == 0 {
            return Err(PolicyError::new("max_attempts", 0, "at least 1"));
        }
        // `contains` is false for NaN, which is what we want.
        if !(1.0..f64::INFINITY).contains(&policy.multiplier) {
            let allowed = "at least 1 and finite";
            return Err(PolicyError::new("multiplier", policy.multiplier, allowed));
        }
        for (field, value) in [
            ("max_delay", policy.max_delay),
            ("max_network_wait", policy.max_network_wait),
            ("max_retry_after", policy.max_retry_after),
        ] {
            if value > LONGEST {
                return Err(PolicyError::new(field, ExactDuration(value), "at most 365 days"));
            }
        }
        if policy.initial_delay > policy.max_delay {
            return Err(PolicyError::new(
                "initial_delay",
                ExactDuration(policy.initial_delay),
                format!("at most max_delay, which is {}", ExactDuration(policy.max_delay)),
            ));
        }
        Ok(policy)
    }
}

/// A policy was refused: which field, what it was, what is allowed.
///
/// ```
/// let error = persevere::RetryPolicy::builder().multiplier(0.5).build().unwrap_err();
/// assert_eq!(error.field(), "multiplier");
/// assert_eq!(error.to_string(), "multiplier is 0.5, but must be at least 1 and finite");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyError {
    field: &'static str,
    value: String,
    allowed: String,
}

impl PolicyError {
    fn new(field: &'static str, value: impl fmt::Display, allowed: impl Into<String>) -> Self {
        Self { field, value: value.to_string(), allowed: allowed.into() }
    }

    /// The field, by its name in [`RetryPolicyBuilder`].
    pub fn field(&self) -> &'static str {
        self.field
    }

    /// The value that was refused.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// What is allowed, to be read after "must be".
    pub fn allowed(&self) -> &str {
        &self.allowed
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}, but must be {}", self.field, self.value, self.allowed)
    }
}

impl Error for PolicyError {}
