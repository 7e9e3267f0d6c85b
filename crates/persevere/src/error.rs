//! How a call ended when it did not succeed.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use crate::chain::Chain;
use crate::duration::HumanDuration;
use crate::verdict::Verdict;

/// Which way a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum End {
    /// The error cannot be helped by trying again.
    NonRetryable,
    /// The call is not idempotent, and the error does not prove that the server did not act.
    NotIdempotent,
    /// As many attempts as the policy allows have failed.
    AttemptsExhausted,
    /// The deadline has passed, or the next wait would pass it.
    Deadline,
    /// Somebody cancelled the call.
    Cancelled,
    /// The retry budget is empty.
    BudgetExhausted,
    /// The server asked for a longer wait than the policy or the deadline allows.
    HintTooLong,
    /// The network did not come back in time.
    NetworkDown,
}

impl End {
    /// The message in the log and in the error.
    pub const fn message(self) -> &'static str {
        match self {
            Self::NonRetryable => "operation failed with non-retryable error",
            Self::NotIdempotent => "operation failed and may have had an effect, not repeated",
            Self::AttemptsExhausted => "operation failed after max attempts",
            Self::Deadline => "operation failed, deadline reached",
            Self::Cancelled => "operation cancelled",
            Self::BudgetExhausted => "operation failed, retry budget is empty",
            Self::HintTooLong => "operation failed, server asked for too long a wait",
            Self::NetworkDown => "operation failed, network did not recover",
        }
    }

    /// The name in JSON, such as `attempts_exhausted`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NonRetryable => "non_retryable",
            Self::NotIdempotent => "not_idempotent",
            Self::AttemptsExhausted => "attempts_exhausted",
            Self::Deadline => "deadline",
            Self::Cancelled => "cancelled",
            Self::BudgetExhausted => "budget_exhausted",
            Self::HintTooLong => "hint_too_long",
            Self::NetworkDown => "network_down",
        }
    }
}

/// A call failed for good: how it ended, and the operation's own last error, whole and typed.
///
/// It shows itself in one line, with the last error and its causes:
///
/// ```
/// use std::io;
/// use persevere::{End, Retryer};
///
/// let error = Retryer::default()
///     .run_blocking("download", |_| Err::<(), _>(io::Error::from(io::ErrorKind::NotFound)))
///     .unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "download: operation failed with non-retryable error (1 attempt): entity not found"
/// );
/// assert_eq!(error.end(), End::NonRetryable);
/// assert_eq!(error.last_error().map(io::Error::kind), Some(io::ErrorKind::NotFound));
/// ```
///
/// Its [`source`](Error::source) is a [`Retried`]: the figures, and the verdict that decided. It says
/// to an outer loop that this error was retried already. The last error is not in that chain, since
/// its text is shown here; take it from [`last_error`](Self::last_error).
pub struct RetryError<E> {
    // One pointer, for the error travels in every `Result`, and a success should not carry its size.
    inner: Box<Inner<E>>,
}

struct Inner<E> {
    retried: Retried,
    last: Option<E>,
    as_error: fn(&E) -> &(dyn Error + 'static),
}

impl<E> RetryError<E> {
    pub(crate) fn new(
        retried: Retried,
        last: Option<E>,
        as_error: fn(&E) -> &(dyn Error + 'static),
    ) -> Self {
        Self { inner: Box::new(Inner { retried, last, as_error }) }
    }

    /// Which way the call ended.
    pub fn end(&self) -> End {
        self.inner.retried.end
    }

    /// The operation's name.
    pub fn operation(&self) -> &str {
        self.inner.retried.operation.as_str()
    }

    /// How many attempts were made. 0 when the call was cancelled, or its deadline had passed,
    /// before the first.
    pub fn attempts(&self) -> u32 {
        self.inner.retried.attempts
    }

    /// The time from the start of the call, or from its first failure if it had no deadline (a call
    /// without one does not look at the clock before it has to).
    pub fn elapsed(&self) -> Duration {
        self.inner.retried.elapsed
    }

    /// How much of that was spent waiting for the network.
    pub fn network_wait(&self) -> Duration {
        self.inner.retried.network_wait
    }

    /// What detection said of the last failure.
    pub fn verdict(&self) -> Option<Verdict> {
        self.inner.retried.verdict
    }

    /// How long the server asked us to wait, in its last answer: come back then.
    pub fn retry_after(&self) -> Option<Duration> {
        self.inner.retried.verdict.and_then(|verdict| verdict.hint())
    }

    /// The attempt timeout, if that is what the last attempt failed by.
    pub fn attempt_timeout(&self) -> Option<Duration> {
        self.inner.retried.attempt_timeout.map(|timeout| timeout.0)
    }

    /// The last error that the operation returned. `None` if it never returned one: cancelled, or
    /// out of time, in the first attempt.
    pub fn last_error(&self) -> Option<&E> {
        self.inner.last.as_ref()
    }

    /// Takes the last error out.
    pub fn into_last_error(self) -> Option<E> {
        self.inner.last
    }
}

impl<E> fmt::Display for RetryError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} (", self.operation(), self.end().message())?;
        self.inner.retried.fmt_figures(f)?;
        f.write_str(")")?;
        let last = self.inner.last.as_ref().map(|last| Chain((self.inner.as_error)(last)));
        match (self.inner.retried.attempt_timeout, last) {
            (None, None) => Ok(()),
            (None, Some(last)) => write!(f, ": {last}"),
            (Some(timeout), None) => write!(f, ": {timeout}"),
            (Some(timeout), Some(last)) => write!(f, ": {timeout}, after {last}"),
        }
    }
}

impl<E: fmt::Debug> fmt::Debug for RetryError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryError")
            .field("retried", &self.inner.retried)
            .field("last", &self.inner.last)
            .finish_non_exhaustive()
    }
}

impl<E: fmt::Debug> Error for RetryError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.inner.retried)
    }
}

/// The figures of a call that failed: the source of every [`RetryError`], whatever its type.
///
/// An outer loop that finds one in an error's chain does not retry that error, so that 3 × 3
/// attempts do not become 9; see [`Retryer::retry_nested`](crate::Retryer::retry_nested).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retried {
    operation: Name,
    end: End,
    attempts: u32,
    pub(crate) verdict: Option<Verdict>,
    elapsed: Duration,
    network_wait: Duration,
    attempt_timeout: Option<AttemptTimedOut>,
}

impl Retried {
    pub(crate) fn new(operation: &str, end: End, attempts: u32, verdict: Option<Verdict>) -> Self {
        Self {
            operation: Name::new(operation),
            end,
            attempts,
            verdict,
            elapsed: Duration::ZERO,
            network_wait: Duration::ZERO,
            attempt_timeout: None,
        }
    }

    pub(crate) fn set_elapsed(&mut self, elapsed: Duration) {
        self.elapsed = elapsed;
    }

    pub(crate) fn set_network_wait(&mut self, wait: Duration) {
        self.network_wait = wait;
    }

    pub(crate) fn set_attempt_timeout(&mut self, timeout: Option<AttemptTimedOut>) {
        self.attempt_timeout = timeout;
    }

    /// `5 attempts in 31.2s, 12s of it without network`.
    fn fmt_figures(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.attempts == 1 { "" } else { "s" };
        write!(f, "{} attempt{plural}", self.attempts)?;
        // Less says nothing.
        let worth_telling = Duration::from_millis(1);
        if self.elapsed >= worth_telling {
            write!(f, " in {}", HumanDuration(self.elapsed))?;
        }
        if self.network_wait >= worth_telling {
            write!(f, ", {} of it without network", HumanDuration(self.network_wait))?;
        }
        match self.verdict.and_then(|verdict| verdict.hint()) {
            Some(hint) if self.end == End::HintTooLong => {
                write!(f, ", try again in {}", HumanDuration(hint))
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Retried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.verdict {
            Some(verdict) => write!(f, "the last failure was {verdict}"),
            None => f.write_str("no attempt has failed"),
        }
    }
}

impl Error for Retried {}

/// An attempt took longer than the attempt timeout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AttemptTimedOut(pub(crate) Duration);

impl fmt::Display for AttemptTimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "attempt timed out after {}", HumanDuration(self.0))
    }
}

impl Error for AttemptTimedOut {}

/// An operation's name. Short ones are stored in place, so that a failed call allocates only once.
#[derive(Clone, PartialEq, Eq)]
enum Name {
    Short { length: u8, bytes: [u8; Self::SHORT] },
    Long(Box<str>),
}

impl Name {
    const SHORT: usize = 62;

    fn new(name: &str) -> Self {
        let mut bytes = [0; Self::SHORT];
        match bytes.get_mut(..name.len()) {
            Some(place) => {
                place.copy_from_slice(name.as_bytes());
                // At most 62, by the slice above.
                Self::Short { length: name.len() as u8, bytes }
            }
            None => Self::Long(name.into()),
        }
    }

    fn as_str(&self) -> &str {
        match self {
            Self::Short { length, bytes } => {
                let name = bytes.get(..usize::from(*length)).unwrap_or_default();
                // It was copied whole, so it is still UTF-8.
                std::str::from_utf8(name).unwrap_or_default()
            }
            Self::Long(name) => name,
        }
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}
