//! What error detection says of an error.

use std::fmt;
use std::num::NonZeroU16;
use std::str::FromStr;
use std::time::Duration;

use crate::duration::HumanDuration;
use crate::provider::Provider;

/// Is it worth trying again? The answer, what kind of failure it was, how long the server wants us
/// to wait, and which rule said so, from what evidence.
///
/// Detection makes them; a rule of your own can make one too. It reads as a sentence:
///
/// ```
/// use persevere::{Kind, Provider, Verdict};
/// use std::time::Duration;
///
/// let busy = Verdict::retry(Kind::Throttle, "s3.throttling")
///     .with_http_status(503)
///     .with_provider(Provider::S3)
///     .with_evidence("SlowDown")
///     .with_hint(Duration::from_secs(7));
/// assert!(busy.is_retryable());
/// assert_eq!(
///     busy.to_string(),
///     "HTTP 503 from S3 (SlowDown): throttled, retried; the server asked for 7s"
/// );
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct Verdict {
    retryable: bool,
    kind: Kind,
    answered: bool,
    unprocessed: bool,
    guess: bool,
    provider: Option<Provider>,
    http_status: Option<NonZeroU16>,
    hint: Option<Duration>,
    rule: &'static str,
    evidence: &'static str,
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
        Self {
            retryable,
            kind,
            answered: false,
            unprocessed: false,
            guess: false,
            provider: None,
            http_status: None,
            hint: None,
            rule,
            evidence: "",
        }
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

    #[cfg(feature = "text")]
    pub(crate) const fn without_unprocessed(mut self) -> Self {
        self.unprocessed = false;
        self
    }

    /// Adds the HTTP status of the answer, for the sentence. 0 is none.
    pub const fn with_http_status(mut self, status: u16) -> Self {
        self.http_status = NonZeroU16::new(status);
        self
    }

    /// Adds whose service it was, for the sentence.
    pub const fn with_provider(mut self, provider: Provider) -> Self {
        self.provider = Some(provider);
        self
    }

    /// Adds the code or the words that decided, for the sentence.
    pub const fn with_evidence(mut self, evidence: &'static str) -> Self {
        self.evidence = evidence;
        self
    }

    /// Adds that it rests on everyday words.
    #[cfg(feature = "text")]
    pub(crate) const fn as_guess(mut self) -> Self {
        self.guess = true;
        self
    }

    pub(crate) const fn with_retryable(mut self, retryable: bool, rule: &'static str) -> Self {
        self.retryable = retryable;
        self.rule = rule;
        self
    }

    #[cfg(feature = "tonic")]
    pub(crate) const fn with_kind(mut self, kind: Kind) -> Self {
        self.kind = kind;
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

    /// The code or the words that decided, such as `SlowDown`; empty if there were none.
    pub const fn evidence(&self) -> &'static str {
        self.evidence
    }

    /// Whose service said it, if that is known.
    pub const fn provider(&self) -> Option<Provider> {
        self.provider
    }

    /// The HTTP status of the answer, if there was one.
    pub const fn http_status(&self) -> Option<u16> {
        match self.http_status {
            Some(status) => Some(status.get()),
            None => None,
        }
    }

    /// Whether an answer came back, which proves that the network works.
    pub const fn has_answer(&self) -> bool {
        self.answered
    }

    /// Whether the server certainly did not act.
    pub const fn is_unprocessed(&self) -> bool {
        self.unprocessed
    }

    /// Whether it rests on nothing but everyday words in a message, such as "invalid" or "timeout", so
    /// that better evidence from elsewhere should win.
    pub const fn is_guess(&self) -> bool {
        self.guess
    }

    /// `HTTP 503 from S3 (SlowDown)`, as much of it as is known.
    fn fmt_subject(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.http_status, self.provider, self.evidence) {
            (None, None, "") => f.write_str(self.rule),
            (None, None, evidence) => f.write_str(evidence),
            (None, Some(provider), "") => write!(f, "{provider}"),
            (None, Some(provider), evidence) => write!(f, "{evidence} from {provider}"),
            (Some(status), provider, evidence) => {
                write!(f, "HTTP {status}")?;
                if let Some(provider) = provider {
                    write!(f, " from {provider}")?;
                }
                if evidence.is_empty() { Ok(()) } else { write!(f, " ({evidence})") }
            }
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt_subject(f)?;
        let word = if self.retryable { "retried" } else { "not retried" };
        write!(f, ": {}, {word}", self.kind.description())?;
        if let Some(wait) = self.hint {
            write!(f, "; the server asked for {}", HumanDuration(wait))?;
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
    /// Every one, for menus and help texts.
    pub const ALL: [Self; 17] = [
        Self::Network,
        Self::Timeout,
        Self::Throttle,
        Self::Server,
        Self::TransientIo,
        Self::Conflict,
        Self::NotFound,
        Self::Permission,
        Self::Auth,
        Self::Invalid,
        Self::Precondition,
        Self::ExhaustedResource,
        Self::Tls,
        Self::Unsupported,
        Self::AlreadyRetried,
        Self::Other,
        Self::Unknown,
    ];

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

    /// The kind in words, for sentences.
    const fn description(self) -> &'static str {
        match self {
            Self::Network => "network failure",
            Self::Timeout => "timed out",
            Self::Throttle => "throttled",
            Self::Server => "server failure",
            Self::TransientIo => "temporary local failure",
            Self::Conflict => "conflict",
            Self::NotFound => "not found",
            Self::Permission => "not permitted",
            Self::Auth => "not authenticated",
            Self::Invalid => "invalid",
            Self::Precondition => "precondition not met",
            Self::ExhaustedResource => "space or quota used up",
            Self::Tls => "not trusted",
            Self::Unsupported => "not supported",
            Self::AlreadyRetried => "retried already",
            Self::Other => "failure",
            Self::Unknown => "unknown failure",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(name: &str) -> Result<Self, UnknownKind> {
        let known = Self::ALL.into_iter().find(|kind| kind.name() == name);
        known.ok_or_else(|| UnknownKind { name: name.to_owned() })
    }
}

/// A name that no [`Kind`] has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownKind {
    name: String,
}

impl fmt::Display for UnknownKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "kind is `{}`, but must be one of", self.name)?;
        for (index, kind) in Kind::ALL.iter().enumerate() {
            write!(f, "{}{kind}", if index == 0 { " " } else { ", " })?;
        }
        Ok(())
    }
}

impl std::error::Error for UnknownKind {}
