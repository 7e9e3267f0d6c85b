//! A transfer in parts, from its journal to its object.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

use super::job::{Job, abort};
use super::resume::{self, Begun, State, is_there, list_parts};
use super::whole::check;
use super::{Summary, Verified, attributes, parts, summary};
use crate::digest::Digest;
use crate::error::StorageError;
use crate::journal::{Header, Journal, Record};
use crate::options::CallLimits;
use crate::progress::Progress;
use crate::side::Side;
use crate::store::{SentPart, Stored, Upload, Whole};

/// Sends an object in parts, or what is left of it.
pub(super) async fn in_parts(job: &Job) -> Result<Summary, StorageError> {
    let Begun { mut journal, header, state } = resume::take_up(job).await?;
    let (upload, mut sent) = match state {
        State::Sending { upload, parts } => (upload, parts),
        State::Done { digest } => {
            journal.remove()?;
            job.progress.take_up(digest.length);
            let verified = Verified { source: false, destination: true };
            return Ok(summary(&job.progress, digest, verified, Stored::default()));
        }
    };
    let resumed = !sent.is_empty();
    let work = async {
        let part_size = header.part_size;
        parts::send(job, &mut journal, part_size, &upload, &mut sent).await?;
        if resumed {
            send_the_lost(job, &mut journal, part_size, &upload, &mut sent).await?;
        }
        complete(job, &mut journal, &header, &upload, &sent).await
    };
    match work.await {
        Ok(summary) => {
            journal.remove()?;
            Ok(summary)
        }
        Err(error) => {
            // What nobody can go on with, nobody should find.
            if error.starts_over() && !matches!(error.last(), StorageError::Changed { .. })
                || sent.is_empty()
            {
                let aborted = abort(&job.to, &upload).await;
                if aborted.is_ok() {
                    journal.remove()?;
                }
            }
            Err(error)
        }
    }
}

/// Parts that were confirmed to a process before this one may be gone.
async fn send_the_lost(
    job: &Job,
    journal: &mut Journal,
    part_size: u64,
    upload: &str,
    sent: &mut BTreeMap<u32, SentPart>,
) -> Result<(), StorageError> {
    if !job.to.store.knows_parts() {
        return Ok(());
    }
    let seen = list_parts(job, upload).await?;
    let is_there = |number: u32, part: &SentPart| {
        let same = |it: &crate::store::SeenPart| it.number == number && it.has(&part.tag);
        seen.iter().any(same)
    };
    sent.retain(|&number, part| is_there(number, part));
    parts::send(job, journal, part_size, upload, sent).await
}

async fn complete(
    job: &Job,
    journal: &mut Journal,
    header: &Header,
    upload: &str,
    sent: &BTreeMap<u32, SentPart>,
) -> Result<Summary, StorageError> {
    let digest = sent.values().fold(Digest::empty(), |sum, part| sum.then(part.digest));
    let source = check(&job.from.url(), &job.info.checksums, digest)?;
    unchanged(job).await?;
    journal.append(&[Record::Completing { digest }])?;
    journal.sync()?;

    let sent: Vec<SentPart> = sent.values().cloned().collect();
    let attributes = attributes(&header.job, &job.info, &job.options);
    let whole = Whole { digest, attributes: &attributes };
    let is_there = || is_there(job, &header.job, digest);
    let to = Destination { side: &job.to, limits: &job.limits, progress: &job.progress };
    let stored = to.complete(upload, &sent, &whole, is_there).await?;
    let destination = verify(job, &stored, &header.job, digest).await?;
    Ok(summary(&job.progress, digest, Verified { source, destination }, stored))
}

/// Where an upload is completed, for a transfer or for a pipe.
pub(super) struct Destination<'a> {
    pub(super) side: &'a Side,
    pub(super) limits: &'a CallLimits,
    pub(super) progress: &'a Progress,
}

impl Destination<'_> {
    /// Has the object made of its parts. `is_there` tells whether it is there already, and ours.
    pub(super) async fn complete<F>(
        &self,
        upload: &str,
        parts: &[SentPart],
        whole: &Whole<'_>,
        is_there: impl Fn() -> F,
    ) -> Result<Stored, StorageError>
    where
        F: Future<Output = Result<bool, StorageError>>,
    {
        let upload = Upload { key: &self.side.key, id: upload };
        let tries = AtomicU32::new(0);
        let finish = async || {
            let is_first = tries.fetch_add(1, Ordering::Relaxed) == 0;
            match self.side.store.finish_upload(upload, parts, whole).await {
                // The answer to the attempt before may have been lost. Not every server says of an
                // upload that it has finished that it is gone.
                Err(error)
                    if (is_gone(&error) || !is_first && !error.verdict().is_retryable())
                        && is_there().await? =>
                {
                    Ok(Stored::default())
                }
                result => result,
            }
        };
        self.side.run("complete upload", self.limits, Some(self.progress), finish).await
    }
}

fn is_gone(error: &StorageError) -> bool {
    matches!(error, StorageError::UploadGone { .. })
}

/// What was read in the course of time must be one version.
async fn unchanged(job: &Job) -> Result<(), StorageError> {
    let now = job.from.stat(&job.limits, Some(&job.progress)).await?;
    if now.and_then(|info| info.version) != job.info.version {
        return Err(StorageError::Changed { what: job.from.url() });
    }
    Ok(())
}

/// Whether the provider has come to the same checksum. What it does not say with its answer, it may
/// say when asked.
async fn verify(
    job: &Job,
    stored: &Stored,
    id: &str,
    digest: Digest,
) -> Result<bool, StorageError> {
    let to = &job.to;
    if check(&to.url(), &stored.checksums, digest)? {
        return Ok(true);
    }
    let info = job.stat_target().await?;
    let Some(info) = info.filter(|info| info.size == digest.length) else {
        return Err(StorageError::Damaged {
            what: to.url(),
            found: "missing, or of another length".into(),
            expected: format!("{:016x} of {} bytes", digest.crc64nvme, digest.length),
        });
    };
    // Somebody else may have written it since, which is no damage.
    if info.job.as_deref().is_some_and(|job| job != id) {
        return Ok(false);
    }
    check(&to.url(), &info.checksums, digest)
}
