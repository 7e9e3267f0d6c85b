//! Objects that need no parts.

use super::job::{Job, new_id};
use super::{Summary, Verified, attributes, resume, summary};
use crate::digest::Digest;
use crate::error::StorageError;
use crate::store::{Checksums, ObjectInfo};

/// Within one store the provider copies better than we could, if it can.
pub(super) async fn copied_by_the_provider(job: &Job) -> Result<Option<Summary>, StorageError> {
    let (from, to) = (&job.from, &job.to);
    if !std::sync::Arc::ptr_eq(&from.store, &to.store) {
        return Ok(None);
    }
    let attributes = attributes(&new_id(), &job.info, &job.options);
    let copy = || from.store.copy(&from.key, job.info.version.as_ref(), &to.key, &attributes);
    match to.run("copy", &job.limits, Some(&job.progress), copy).await {
        Ok(stored) => {
            arrived(job).await?;
            job.progress.confirm(job.info.size);
            let unseen = Digest { length: job.info.size, ..Digest::empty() };
            let summary = summary(&job.progress, unseen, Verified::default(), stored);
            Ok(Some(Summary { crc64nvme: job.info.checksums.crc64nvme, ..summary }))
        }
        Err(StorageError::Unsupported { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A server that does not know the request may have made an empty object of it, and be content.
async fn arrived(job: &Job) -> Result<(), StorageError> {
    let (info, source) = (job.stat_target().await?, &job.info);
    let there = info.map(|info| (info.size, info.checksums));
    match there {
        Some((size, sums)) if size == source.size && sums.agree(&source.checksums) => Ok(()),
        there => Err(StorageError::Damaged {
            what: job.to.url(),
            found: format!("that of {} bytes", there.map_or(0, |(size, _)| size)),
            expected: format!("that of the {} bytes of {}", source.size, job.from.url()),
        }),
    }
}

/// Sends a small object at once.
pub(super) async fn put(job: &Job) -> Result<Summary, StorageError> {
    let (from, to, progress) = (&job.from, &job.to, &job.progress);
    resume::forget(job).await?;
    let payload = job.fetch(0..job.info.size).await?;
    let source = check(&from.url(), &job.info.checksums, payload.digest)?;
    let attributes = attributes(&new_id(), &job.info, &job.options);
    let put = async || {
        let stored = to.store.put(&to.key, &payload, &attributes, &progress.written).await?;
        let verified = check(&to.url(), &stored.checksums, payload.digest)?;
        Ok((stored, verified))
    };
    let (stored, destination) = to.run("upload", &job.limits, Some(progress), put).await?;
    progress.confirm(payload.digest.length);
    Ok(summary(&job.progress, payload.digest, Verified { source, destination }, stored))
}

/// Whether a provider's checksum says the same as ours. `Ok(false)` if it has none.
pub(super) fn check(what: &str, theirs: &Checksums, ours: Digest) -> Result<bool, StorageError> {
    let damaged = |found: String, expected: String| {
        Err(StorageError::Damaged { what: what.to_owned(), found, expected })
    };
    match (theirs.crc64nvme, theirs.crc32c) {
        (Some(crc), _) if crc != ours.crc64nvme => {
            damaged(format!("CRC-64/NVME {crc:016x}"), format!("{:016x}", ours.crc64nvme))
        }
        (_, Some(crc)) if crc != ours.crc32c => {
            damaged(format!("CRC-32C {crc:08x}"), format!("{:08x}", ours.crc32c))
        }
        (crc64nvme, crc32c) => Ok(crc64nvme.is_some() || crc32c.is_some()),
    }
}

/// Whether an object is the one that was to be written: by the job's id, or by size and checksum.
pub(super) fn is_ours(info: &ObjectInfo, job: &str, digest: Digest) -> Option<bool> {
    if info.job.as_deref() == Some(job) {
        return Some(true);
    }
    if info.size != digest.length {
        return Some(false);
    }
    // Without a checksum, that it is there and as long proves nothing.
    check("", &info.checksums, digest).map_or(Some(false), |known| known.then_some(true))
}
