//! Transfers: parts of an object that is read go to an upload that is made of them.
//!
//! There is one way for all pairs of stores. A download is a transfer to local files, where the unfinished
//! upload is a file `NAME.part`; an upload is one from them.

mod fetch;
mod finish;
mod job;
mod parts;
mod resume;
mod stream;
#[cfg(test)]
mod tests;
mod whole;

use std::time::{Duration, Instant};

use crate::digest::Digest;
use crate::error::StorageError;
use crate::options::TransferOptions;
use crate::progress::Progress;
use crate::side::Side;
use crate::store::{Attributes, ObjectInfo, Stored, Version};

pub(crate) use job::abort;
pub(crate) use stream::{read_stream, write_stream};

use job::Job;

/// What a transfer has come to.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Summary {
    /// Bytes of the object.
    pub bytes: u64,
    /// How many of them had arrived before this process began.
    pub resumed: u64,
    /// Bytes that this process has moved over the network.
    pub moved: u64,
    /// How long it took this process.
    pub elapsed: Duration,
    /// Attempts at requests.
    pub attempts: u64,
    /// How many of them were repetitions.
    pub retries: u64,
    /// CRC-64/NVME of the object, as it was read. `None` where the provider has copied it by itself.
    pub crc64nvme: Option<u64>,
    /// Who else has worked out a checksum of the object and come to the same.
    pub verified: Verified,
    /// The version that was written, if the provider tells.
    pub version: Option<Version>,
}

/// Who else has worked out a checksum of an object and come to the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// The store that was read from.
    pub source: bool,
    /// The store that was written to.
    pub destination: bool,
}

/// Copies an object from one side to the other.
pub(crate) async fn transfer(
    from: Side,
    to: Side,
    options: &TransferOptions,
) -> Result<Summary, StorageError> {
    let started = Instant::now();
    let counts_reading = to.is_local();
    let mut job = Job::begin(from, to, options, counts_reading).await?;
    let progress = job.progress.clone();
    told(options, &progress, started, run(&mut job)).await
}

async fn run(job: &mut Job) -> Result<Summary, StorageError> {
    if let Some(summary) = whole::copied_by_the_provider(job).await? {
        return Ok(summary);
    }
    match once(job).await {
        // What changed in the middle is read anew, once: if it keeps changing, nobody can copy it.
        Err(error) if error.starts_over() => {
            job.look_again().await?;
            once(job).await
        }
        result => result,
    }
}

async fn once(job: &Job) -> Result<Summary, StorageError> {
    if job.fits_one_request() { whole::put(job).await } else { finish::in_parts(job).await }
}

/// Runs `work`, and tells of its progress a few times a second and at the end.
async fn told(
    options: &TransferOptions,
    progress: &Progress,
    started: Instant,
    work: impl Future<Output = Result<Summary, StorageError>>,
) -> Result<Summary, StorageError> {
    const PERIOD: Duration = Duration::from_millis(100);
    tokio::pin!(work);
    let result = match &options.on_progress {
        None => work.await,
        Some(tell) => {
            let result = loop {
                match tokio::time::timeout(PERIOD, &mut work).await {
                    Ok(result) => break result,
                    Err(_) => tell(progress),
                }
            };
            tell(progress);
            result
        }
    };
    Ok(Summary { elapsed: started.elapsed(), ..result? })
}

fn summary(progress: &Progress, digest: Digest, verified: Verified, stored: Stored) -> Summary {
    Summary {
        bytes: digest.length,
        resumed: progress.resumed(),
        moved: progress.moved(),
        elapsed: Duration::ZERO,
        attempts: progress.attempts(),
        retries: progress.retries(),
        crc64nvme: Some(digest.crc64nvme),
        verified,
        version: stored.version,
    }
}

/// What is said of the object that is written.
fn attributes(job: &str, info: &ObjectInfo, options: &TransferOptions) -> Attributes {
    Attributes {
        job: job.to_owned(),
        content_type: options.content_type.clone().or_else(|| info.content_type.clone()),
    }
}
