//! Marks: the operation itself says whether its error is worth a retry.

use std::error::Error;
use std::fmt;
use std::time::Duration;

/// An error with a mark on it, which beats every rule and all detection.
///
/// It shows itself exactly as the error inside does, so it disappears in messages. Where several
/// stand in one chain of sources, the outermost wins.
#[derive(Debug)]
pub struct Marked {
    mark: Mark,
    error: Box<dyn Error + Send + Sync>,
}

/// What a mark says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mark {
    /// Never retry.
    Permanent,
    /// Retry.
    Transient,
    /// Retry, not before this much time has passed.
    RetryAfter(Duration),
}

/// Marks an error as final: the call returns at once.
///
/// Takes an error, a `String` or a `&str`.
///
/// ```
/// use persevere::{permanent, Retryer};
///
/// let mut attempts = 0;
/// let result = Retryer::default().run_blocking("validate", |_| {
///     attempts += 1;
///     Err::<(), _>(permanent("validation error"))
/// });
/// assert_eq!(attempts, 1);
/// assert!(result.is_err());
/// ```
pub fn permanent(error: impl Into<Box<dyn Error + Send + Sync>>) -> Marked {
    Marked { mark: Mark::Permanent, error: error.into() }
}

/// Marks an error as worth a retry, whatever detection would say.
///
/// ```
/// use persevere::{detect, transient};
/// use std::io;
///
/// let error = transient(io::Error::from(io::ErrorKind::NotFound));
/// assert!(detect::error(&error).is_retryable());
/// ```
pub fn transient(error: impl Into<Box<dyn Error + Send + Sync>>) -> Marked {
    Marked { mark: Mark::Transient, error: error.into() }
}

/// Marks an error as worth a retry after `wait`, as a server's Retry-After does: no earlier, and a
/// little later at random, so that not all clients come back at once.
///
/// ```
/// use std::time::Duration;
/// use persevere::{detect, retry_after};
///
/// let error = retry_after("the queue is full", Duration::from_secs(7));
/// assert_eq!(detect::error(&error).hint(), Some(Duration::from_secs(7)));
/// ```
pub fn retry_after(error: impl Into<Box<dyn Error + Send + Sync>>, wait: Duration) -> Marked {
    Marked { mark: Mark::RetryAfter(wait), error: error.into() }
}

impl Marked {
    /// What the mark says.
    pub fn mark(&self) -> Mark {
        self.mark
    }

    /// The error inside.
    pub fn inner(&self) -> &(dyn Error + Send + Sync + 'static) {
        &*self.error
    }

    /// Takes the error out.
    pub fn into_inner(self) -> Box<dyn Error + Send + Sync> {
        self.error
    }
}

impl fmt::Display for Marked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl Error for Marked {
    // Transparent: with the error inside as source, every report would print its text twice.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}
