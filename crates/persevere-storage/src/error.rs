//! What can go wrong with storage.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use persevere::{Kind, RetryError, Verdict};

use crate::location::LocationError;

/// What can go wrong with storage.
///
/// [`verdict`](Self::verdict) says whether trying again can help; a
/// [`Retryer`](persevere::Retryer) with the rule [`storage_rule`](crate::storage_rule) goes by it.
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
}

impl fmt::Display for ProviderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} answered {}", self.doing, self.provider, self.status)?;
        if let Some(code) = &self.code {
            write!(f, " {code}")?;
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

impl Error for ProviderError {}

impl StorageError {
    /// Whether trying again can help. `None` where the cause knows it better.
    pub fn verdict(&self) -> Option<Verdict> {
        Some(match self {
            Self::Provider(error) => error.verdict,
            Self::Stalled { .. } => Verdict::retry(Kind::Timeout, "storage.stalled"),
            Self::Damaged { .. } => Verdict::retry(Kind::Other, "storage.damaged"),
            Self::NotFound { .. } => Verdict::stop(Kind::NotFound, "storage.not_found"),
            Self::Changed { .. } => Verdict::stop(Kind::Conflict, "storage.changed"),
            Self::UploadGone { .. } => Verdict::stop(Kind::NotFound, "storage.upload_gone"),
            Self::Busy { .. } => Verdict::stop(Kind::Conflict, "storage.busy"),
            Self::Location(_) => Verdict::stop(Kind::Invalid, "storage.location"),
            Self::Unsupported { .. } => Verdict::stop(Kind::Invalid, "storage.unsupported"),
            Self::Setup { .. } => Verdict::stop(Kind::Invalid, "storage.setup"),
            Self::Transport { .. } | Self::Io { .. } | Self::GaveUp(_) => return None,
        })
    }

    pub(crate) fn io(
        doing: &'static str,
        path: impl AsRef<Path>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.as_ref().to_owned();
        move |source| Self::Io { doing, path, source }
    }

    pub(crate) fn setup(message: impl Into<String>) -> Self {
        Self::Setup { message: message.into(), source: None }
    }
}

impl From<RetryError<Self>> for StorageError {
    /// An error that no attempt was repeated for stays as it is.
    fn from(error: RetryError<Self>) -> Self {
        Self::GaveUp(Box::new(error))
    }
}
