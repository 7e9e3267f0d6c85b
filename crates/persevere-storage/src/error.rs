//! What can go wrong with storage.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use persevere::{End, Kind, RetryError, Verdict};

use crate::location::LocationError;

/// What a file was done to when it was to survive a loss of power, as [`StorageError::Io`] says it.
pub(crate) const SYNC: &str = "sync";

/// The rule of a verdict: credentials have expired, and will be loaded anew for the next request.
pub(crate) const EXPIRED: &str = "storage.credentials_expired";

/// What can go wrong with storage.
///
/// Operations of a [`Storage`](crate::Storage) return it when trying again cannot help, or when the
/// attempts are used up, which [`GaveUp`](Self::GaveUp) tells.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// A URL or a path that names no place.
    #[error(transparent)]
    Location(#[from] LocationError),

    /// Settings that do not go together, or credentials that are missing. The text says which, where
    /// they were looked for, and what would be right.
    #[error("{message}")]
    Setup {
        /// The whole story.
        message: String,
        /// What it is about, if something below said so.
        #[source]
        source: Option<Cause>,
    },

    /// There is nothing under this name.
    #[error("{what} does not exist")]
    NotFound {
        /// The URL of the object, bucket or folder.
        what: String,
        /// What the provider said.
        #[source]
        source: Option<Cause>,
    },

    /// The provider answered with an error.
    #[error(transparent)]
    Provider(Box<ProviderError>),

    /// No answer, or only the beginning of one.
    #[error("{doing}")]
    Transport {
        /// What was under way, as "PUT s3://bucket/key".
        doing: String,
        /// The library's error. Its text never holds a URL.
        #[source]
        source: Cause,
    },

    /// Nothing moved for so long that the connection was given up.
    #[error("{doing}: no progress for {} s", waited.as_secs())]
    Stalled {
        /// What was under way.
        doing: String,
        /// How long nothing had moved.
        waited: Duration,
    },

    /// A file of this machine could not be read or written.
    #[error("{doing} {}", path.display())]
    Io {
        /// "read", "write", "rename", ...
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },

    /// What was being read is not what it was at the start.
    #[error("{what} was changed during the transfer")]
    Changed {
        /// The URL of the object.
        what: String,
    },

    /// The bytes that arrived are not those that were sent.
    #[error("{what} is damaged: its checksum is {found}, but should be {expected}")]
    Damaged {
        /// The URL of the object, or a part of it.
        what: String,
        /// The checksum that it has.
        found: String,
        /// The checksum that it should have.
        expected: String,
    },

    /// The provider knows nothing of an upload that was begun: it has expired, was aborted, or is
    /// complete.
    #[error("the unfinished upload of {what} is gone")]
    UploadGone {
        /// The URL of the object.
        what: String,
    },

    /// Another process works on the same transfer.
    #[error("process {process} is working on this transfer: wait for it, or stop it first")]
    Busy {
        /// Its process id.
        process: u32,
    },

    /// The provider cannot do this.
    #[error("{what}")]
    Unsupported {
        /// What cannot be done, and what to do in its place.
        what: String,
    },

    /// Attempts were made, and have ended.
    #[error(transparent)]
    GaveUp(Box<RetryError<StorageError>>),
}

/// An error of a library below.
pub type Cause = Box<dyn Error + Send + Sync>;

/// An error that a provider has answered with.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ProviderError {
    /// "S3", "Azure", "GCS", "SFTP".
    pub provider: &'static str,
    /// What was asked, as "PUT s3://bucket/key".
    pub doing: String,
    /// The HTTP status, or that of SFTP.
    pub status: u16,
    /// The provider's own code: "SlowDown", "BlobNotFound".
    pub code: Option<String>,
    /// What it said in words.
    pub message: Option<String>,
    /// What its support wants to know.
    pub request_id: Option<String>,
    /// The verdict on all of this, its wait included.
    pub verdict: Verdict,
    /// The same as detection finds it, so that a rule of the user's own comes before it.
    pub(crate) answer: Option<Answered>,
}

/// An answer as detection finds it in an error's causes.
#[cfg(feature = "http-stores")]
pub(crate) type Answered = persevere::http::HttpStatusError;
#[cfg(not(feature = "http-stores"))]
pub(crate) type Answered = std::fmt::Error;

impl Error for ProviderError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.answer.as_ref().map(|answer| answer as _)
    }
}

impl ProviderError {
    /// Whether the store knows better than detection, which sees the answer alone: credentials that have
    /// expired can be had anew.
    fn is_judged(&self) -> bool {
        self.answer.as_ref().is_none_or(|answer| detected(answer).rule() != self.verdict.rule())
    }
}

#[cfg(feature = "http-stores")]
fn detected(answer: &Answered) -> Verdict {
    answer.verdict()
}

/// There are none.
#[cfg(not(feature = "http-stores"))]
fn detected(_: &Answered) -> Verdict {
    Verdict::stop(Kind::Other, "storage.no_answer")
}

impl fmt::Display for ProviderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} answered ", self.doing, self.provider)?;
        if let Some(code) = &self.code {
            write!(f, "{code}, ")?;
        }
        match &self.answer {
            Some(answer) => write!(f, "{answer}")?,
            None => write!(f, "status {}", self.status)?,
        }
        if let Some(message) = &self.message {
            write!(f, ": {}", message.trim().trim_end_matches('.'))?;
        }
        if let Some(id) = &self.request_id {
            write!(f, " (request {id})")?;
        }
        Ok(())
    }
}

impl StorageError {
    /// What is known of it here, whatever else detection and the rules of the user find. `None` where
    /// they are to decide alone: by the provider's answer, and by the errors of libraries below.
    pub(crate) fn own_verdict(&self) -> Option<Verdict> {
        Some(match self {
            Self::Provider(error) if error.is_judged() => error.verdict,
            Self::Stalled { .. } => Verdict::retry(Kind::Timeout, "storage.stalled"),
            Self::Damaged { .. } => Verdict::retry(Kind::Other, "storage.damaged"),
            Self::NotFound { .. } => Verdict::stop(Kind::NotFound, "storage.not_found"),
            Self::Changed { .. } => Verdict::stop(Kind::Precondition, "storage.changed"),
            Self::UploadGone { .. } => Verdict::stop(Kind::NotFound, "storage.upload_gone"),
            Self::Busy { .. } => Verdict::stop(Kind::Conflict, "storage.busy"),
            Self::Location(_) => Verdict::stop(Kind::Invalid, "storage.location"),
            Self::Unsupported { .. } => Verdict::stop(Kind::Unsupported, "storage.unsupported"),
            // The system drops what it could not write, and says so once: the next call succeeds.
            Self::Io { doing: SYNC, .. } => Verdict::stop(Kind::Other, "storage.sync"),
            Self::Setup { .. } => Verdict::stop(Kind::Invalid, "storage.setup"),
            Self::Provider(_) | Self::Transport { .. } | Self::Io { .. } | Self::GaveUp(_) => {
                return None;
            }
        })
    }

    /// Whether trying again can help, as far as can be said without the rules of a retryer.
    pub fn verdict(&self) -> Verdict {
        self.own_verdict().unwrap_or_else(|| persevere::detect::error(self))
    }

    /// The error of the last attempt, if attempts were made.
    pub fn last(&self) -> &Self {
        match self {
            Self::GaveUp(error) => error.last_error().unwrap_or(self),
            _ => self,
        }
    }

    /// Whether a transfer that ended so can be taken up again, or has to begin anew.
    pub(crate) fn starts_over(&self) -> bool {
        matches!(self.last(), Self::Changed { .. } | Self::UploadGone { .. } | Self::Damaged { .. })
    }

    /// Whether the next request is signed with other credentials, and may well succeed by that.
    pub(crate) fn wants_new_credentials(&self) -> bool {
        matches!(self, Self::Provider(error) if error.verdict.rule() == EXPIRED)
    }

    pub(crate) fn io<P: AsRef<Path>>(
        doing: &'static str,
        path: P,
    ) -> impl FnOnce(io::Error) -> Self + use<P> {
        let path = path.as_ref().to_owned();
        move |source| Self::Io { doing, path, source }
    }

    pub(crate) fn setup(message: impl Into<String>) -> Self {
        Self::Setup { message: message.into(), source: None }
    }
}

impl From<RetryError<Self>> for StorageError {
    /// One that was final at once stays as it is.
    fn from(error: RetryError<Self>) -> Self {
        let at_once = error.end() == End::NonRetryable && error.attempts() == 1;
        if !at_once || error.last_error().is_none() {
            return Self::GaveUp(Box::new(error));
        }
        let operation = error.operation().to_owned();
        // There is one, as was just seen.
        let gone = || Self::Unsupported { what: operation };
        error.into_last_error().unwrap_or_else(gone)
    }
}
