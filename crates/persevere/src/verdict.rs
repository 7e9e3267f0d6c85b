//! What error detection says of an error.

use std::fmt;
use std::time::Duration;

use crate::duration::HumanDuration;

/// Is it worth trying again? The answer, what kind of failure it was, how long the server wants us
/// to wait, and which rule said so.
///
/// Detection makes them; a rule of your own can make one too:
///
/// ```
/// use persevere::{Kind, Verdict};
///
/// let busy = Verdict::retry(Kind::Throttle, "my-queue.busy");
/// assert!(busy.is_retryable());
/// assert_eq!(busy.to_string(), "throttle, retryable (rule my-queue.busy)");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct Verdict {
    retryable: bool,
    kind: Kind,
    answered: bool,
    unprocessed: bool,
    hint: Option<Duration>,
    rule: &'static str,
}

impl Verdict {
    /// Try again. `rule` names who says so, for logs.
    pub const fn retry(kind: Kind, rule: &'static str) -> Self {
        Self::new(true, kind, rule)
    }

    /// Trying again cannot help. `rule` names who says so, for logs.
    pub const fn stop(kind: Kind, rule: &'static str) -> Self {
        Self::new(false, kind, rule)
    }

    /// Nothing is known. Retried, unless the policy says otherwise
    /// ([`RetryPolicyBuilder::retry_unknown`](crate::RetryPolicyBuilder::retry_unknown)).
    pub const fn unknown() -> Self {
        Self::new(true, Kind::Unknown, "unknown")
    }

    const fn new(retryable: bool, kind: Kind, rule: &'static str) -> Self {
        Self { retryable, kind, answered: false, unprocessed: false, hint: None, rule }
    }

    /// Adds the wait that the server asks for.
    pub const fn with_hint(mut self, wait: Duration) -> Self {
        self.hint = Some(wait);
        self
    }

    /// Adds that an answer came back, so the network works: such a failure never pauses a call.
    pub const fn with_answer(mut self) -> Self {
        self.answered = true;
        self
    }

    /// Adds that the server certainly did not act, so that even a call that is not idempotent can
    /// be repeated.
    pub const fn with_unprocessed(mut self) -> Self {
        self.unprocessed = true;
        self
    }

    pub(crate) const fn with_retryable(mut self, retryable: bool, rule: &'static str) -> Self {
        self.retryable = retryable;
        self.rule = rule;
        self
    }

    /// Somebody knows about it, even if nobody knows what it is.
    pub(crate) fn with_known_kind(mut self) -> Self {
        if self.kind == Kind::Unknown {
            self.kind = Kind::Other;
        }
        self
    }

    /// Whether to try again.
    pub const fn is_retryable(&self) -> bool {
        self.retryable
    }

    /// What kind of failure it was.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// How long the server asked us to wait.
    pub const fn hint(&self) -> Option<Duration> {
        self.hint
    }

    /// The rule that decided, such as `io.connection_refused` or `http.503`.
    pub const fn rule(&self) -> &'static str {
        self.rule
    }

    /// Whether an answer came back, which proves that the network works.
    pub const fn has_answer(&self) -> bool {
        self.answered
    }

    /// Whether the server certainly did not act.
    pub const fn is_unprocessed(&self) -> bool {
        self.unprocessed
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.retryable { "retryable" } else { "not retryable" };
        write!(f, "{}, {word} (rule {})", self.kind, self.rule)?;
        if let Some(wait) = self.hint {
            write!(f, ", the server asked for {}", HumanDuration(wait))?;
        }
        Ok(())
    }
}

/// The kind of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// Refused, reset, unreachable, cut off, name not resolved.
    Network,
    /// No answer in time.
    Timeout,
    /// The server asks for fewer requests.
    Throttle,
    /// The server failed: HTTP 5xx and the like.
    Server,
    /// The local system is busy: interrupted, would block, out of file descriptors.
    TransientIo,
    /// Somebody else changes the same thing, or it exists already.
    Conflict,
    /// It is not there.
    NotFound,
    /// Not allowed.
    Permission,
    /// Who we are was not accepted.
    Auth,
    /// The request makes no sense to the other side.
    Invalid,
    /// A condition that the request set does not hold.
    Precondition,
    /// A disk is full, or a hard quota used up.
    ExhaustedResource,
    /// The secure connection could not be trusted.
    Tls,
    /// The other side cannot do that at all.
    Unsupported,
    /// An inner retry has given up already.
    AlreadyRetried,
    /// Known, and none of the above.
    Other,
    /// Detection knows nothing about it.
    Unknown,
}

impl Kind {
    /// The name in logs and JSON, such as `network` or `transient_io`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Timeout => "timeout",
            Self::Throttle => "throttle",
            Self::Server => "server",
            Self::TransientIo => "transient_io",
            Self::Conflict => "conflict",
            Self::NotFound => "not_found",
            Self::Permission => "permission",
            Self::Auth => "auth",
            Self::Invalid => "invalid",
            Self::Precondition => "precondition",
            Self::ExhaustedResource => "exhausted_resource",
            Self::Tls => "tls",
            Self::Unsupported => "unsupported",
            Self::AlreadyRetried => "already_retried",
            Self::Other => "other",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
