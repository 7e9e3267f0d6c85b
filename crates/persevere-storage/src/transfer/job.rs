//! What a transfer knows from the start.

use std::hash::{BuildHasher, RandomState};
use std::ops::Range;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use super::fetch::fetch;
use crate::error::StorageError;
use crate::journal::Jobs;
use crate::options::{CallLimits, TransferOptions};
use crate::part_size::Cut;
use crate::progress::Progress;
use crate::side::Side;
use crate::store::{ObjectInfo, Payload, Upload};

/// A transfer under way.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub(super) from: Side,
    pub(super) to: Side,
    pub(super) info: ObjectInfo,
    pub(super) cut: Cut,
    pub(super) options: TransferOptions,
    pub(super) limits: CallLimits,
    pub(super) progress: Arc<Progress>,
}

impl Job {
    /// `counts_reading`: whether the line is on the reading side.
    pub(super) async fn begin(
        from: Side,
        to: Side,
        options: &TransferOptions,
        counts_reading: bool,
    ) -> Result<Self, StorageError> {
        let limits = options.limits();
        let progress = Arc::new(Progress::new(None, counts_reading));
        let info = source_info(&from, &limits, &progress).await?;
        progress.restart(info.size);
        let cut = cut(&to, &info, options)?;
        Ok(Self { from, to, info, cut, options: options.clone(), limits, progress })
    }

    /// The source has changed: what it is now.
    pub(super) async fn look_again(&mut self) -> Result<(), StorageError> {
        self.info = source_info(&self.from, &self.limits, &self.progress).await?;
        self.cut = cut(&self.to, &self.info, &self.options)?;
        self.progress.restart(self.info.size);
        Ok(())
    }

    /// A range of the source, of the version that this transfer is of.
    pub(super) async fn fetch(&self, range: Range<u64>) -> Result<Payload, StorageError> {
        let version = self.info.version.as_ref();
        fetch(&self.from, range, version, &self.limits, &self.progress).await
    }

    /// What there is at the destination now.
    pub(super) async fn stat_target(&self) -> Result<Option<ObjectInfo>, StorageError> {
        self.to.stat(&self.limits, Some(&self.progress)).await
    }

    /// One request is enough for what would be a single part.
    pub(super) fn fits_one_request(&self) -> bool {
        self.info.size <= self.cut.part_size.min(self.to.store.limits().max_put)
    }

    pub(super) fn jobs(&self) -> Result<Jobs, StorageError> {
        match &self.options.state_folder {
            Some(folder) => Ok(Jobs::at(folder)),
            None => Jobs::usual(),
        }
    }

    /// Where part `number`, counted from 1, begins, and how long it is.
    pub(super) fn part(&self, part_size: u64, number: u32) -> (u64, u64) {
        let offset = u64::from(number - 1) * part_size;
        (offset, part_size.min(self.info.size - offset))
    }
}

fn cut(to: &Side, info: &ObjectInfo, options: &TransferOptions) -> Result<Cut, StorageError> {
    let wanted = (options.part_size, options.concurrency);
    Cut::new(info.size, &to.store.limits(), wanted).map_err(StorageError::setup)
}

async fn source_info(
    from: &Side,
    limits: &CallLimits,
    progress: &Progress,
) -> Result<ObjectInfo, StorageError> {
    let info = from.stat(limits, Some(progress)).await?;
    info.ok_or_else(|| StorageError::NotFound { what: from.url(), source: None })
}

/// An id that nobody else has: by it we know an object that we have written.
pub(super) fn new_id() -> String {
    // The keys of a `RandomState` come from the system's random numbers, and are new for each.
    let random = || RandomState::new().hash_one(std::process::id());
    format!("{:016x}{:016x}", random(), random())
}

/// Milliseconds since 1970.
pub(super) fn milliseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Drops an unfinished upload, as well as it can be done.
pub(crate) async fn abort(to: &Side, id: &str) -> Result<(), StorageError> {
    // Whoever gave up has neither time left nor patience: no deadline and no token of theirs counts.
    let abort = || to.store.abort_upload(Upload { key: &to.key, id });
    to.run("abort", &CallLimits::default(), None, abort).await
}
