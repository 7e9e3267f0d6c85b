//! How a transfer is made.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use persevere::CancellationToken;

use crate::progress::Progress;

/// How a transfer is made; [`new`](Self::new) is right for most.
///
/// ```
/// use std::time::Duration;
/// use persevere_storage::TransferOptions;
///
/// let options = TransferOptions::new()
///     .concurrency(4)
///     .deadline(Duration::from_secs(3600))
///     .on_progress(|progress| eprintln!("{} bytes", progress.confirmed()));
/// ```
#[derive(Clone, Default)]
pub struct TransferOptions {
    pub(crate) part_size: Option<u64>,
    pub(crate) concurrency: Option<usize>,
    pub(crate) forget: bool,
    pub(crate) state_folder: Option<PathBuf>,
    pub(crate) content_type: Option<String>,
    pub(crate) cancel: Option<CancellationToken>,
    pub(crate) deadline: Option<Duration>,
    pub(crate) attempt_timeout: Option<Duration>,
    pub(crate) on_progress: Option<OnProgress>,
}

/// Whoever wants to know how far it is.
pub(crate) type OnProgress = Arc<dyn Fn(&Progress) + Send + Sync>;

impl TransferOptions {
    /// Parts of 16 MiB or more, eight at once, resumable, without a deadline.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Bytes of a part. Default: 16 MiB, more for objects that would have too many of them.
    ///
    /// A transfer that is taken up again keeps the parts it was begun with.
    #[must_use]
    pub fn part_size(mut self, bytes: u64) -> Self {
        self.part_size = Some(bytes);
        self
    }

    /// How many parts are in flight. Default: 8, fewer where they would take more than 512 MiB of
    /// memory together.
    #[must_use]
    pub fn concurrency(mut self, parts: usize) -> Self {
        self.concurrency = Some(parts);
        self
    }

    /// Whether a transfer that was begun is gone on with. Default: yes. With `false` what was
    /// remembered of it is dropped first.
    #[must_use]
    pub fn resume(mut self, resume: bool) -> Self {
        self.forget = !resume;
        self
    }

    /// Where unfinished transfers are remembered. Default: the folder `jobs` in
    /// `PERSEVERE_STATE_DIR`, in `XDG_STATE_HOME/persevere`, or in `~/.local/state/persevere`.
    #[must_use]
    pub fn state_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.state_folder = Some(folder.into());
        self
    }

    /// The media type of what is written. Default: what the source says, or the provider's default.
    #[must_use]
    pub fn content_type(mut self, media_type: impl Into<String>) -> Self {
        self.content_type = Some(media_type.into());
        self
    }

    /// Ends the transfer when `token` is cancelled. It can be taken up again.
    #[must_use]
    pub fn cancel_on(mut self, token: CancellationToken) -> Self {
        self.cancel = Some(token);
        self
    }

    /// How long the whole transfer may take. It can be taken up again.
    #[must_use]
    pub fn deadline(mut self, after: Duration) -> Self {
        self.deadline = Some(after);
        self
    }

    /// How long one attempt at one request may take. Default: as long as bytes move.
    #[must_use]
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = Some(timeout);
        self
    }

    /// Called whenever a part is confirmed, and a few times a second besides.
    #[must_use]
    pub fn on_progress(mut self, tell: impl Fn(&Progress) + Send + Sync + 'static) -> Self {
        self.on_progress = Some(Arc::new(tell));
        self
    }

    pub(crate) fn limits(&self) -> CallLimits {
        CallLimits {
            cancel: self.cancel.clone(),
            deadline: self.deadline.and_then(|after| Instant::now().checked_add(after)),
            attempt_timeout: self.attempt_timeout,
        }
    }
}

impl fmt::Debug for TransferOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransferOptions")
            .field("part_size", &self.part_size)
            .field("concurrency", &self.concurrency)
            .field("resume", &!self.forget)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

/// What all calls of a transfer share.
#[derive(Debug, Clone, Default)]
pub(crate) struct CallLimits {
    pub(crate) cancel: Option<CancellationToken>,
    pub(crate) deadline: Option<Instant>,
    pub(crate) attempt_timeout: Option<Duration>,
}
