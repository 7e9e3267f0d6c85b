//! Taking up what was begun, by this process or one before it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::SystemTime;

use super::attributes;
use super::fetch::fetch;
use super::job::{Job, abort, milliseconds, new_id};
use super::whole::is_ours;
use crate::digest::Digest;
use crate::error::StorageError;
use crate::journal::{Header, Journal, Memory, Opened, Record, this_boot};
use crate::options::CallLimits;
use crate::partial;
use crate::progress::Progress;
use crate::side::Side;
use crate::store::{PartPlace, SeenPart, SentPart, Upload};

/// Clocks differ: an upload that was begun shortly before its journal may still be ours.
const CLOCK_SKEW: u64 = 15 * 60 * 1000;

/// A journal that is open, and where the transfer stands.
pub(super) struct Begun {
    pub(super) journal: Journal,
    pub(super) header: Header,
    pub(super) state: State,
}

pub(super) enum State {
    /// Parts are to be sent to this upload.
    Sending { upload: String, parts: BTreeMap<u32, SentPart> },
    /// The object is there: the process before this one died before it could say so.
    Done { digest: Digest },
}

/// Opens the journal of a transfer, and finds out what of it is left to do.
pub(super) async fn take_up(job: &Job) -> Result<Begun, StorageError> {
    let (from, to) = (job.from.identity(), job.to.identity());
    let jobs = job.jobs()?;
    let open = tokio::task::spawn_blocking(move || jobs.open(&from, &to));
    let opened = open.await.unwrap_or_else(|it| std::panic::resume_unwind(it.into_panic()))?;
    let Opened { mut journal, memory } = opened;
    let Some(mut header) = memory.header.clone() else {
        return begin(job, journal).await;
    };
    // A source that has no version may be another by now, and nothing would tell.
    let is_unknown = job.info.version.is_none();
    if job.options.forget || is_unknown || header.source.size != Some(job.info.size) {
        drop_upload(job, &memory).await?;
        return begin(job, journal).await;
    }
    journal.take_over()?;
    let Some(upload) = memory.upload.clone() else {
        abort_orphans(job, header.begun, None).await?;
        return send(job, journal, header, BTreeMap::new()).await;
    };
    let seen = match list_parts(job, &upload).await {
        Ok(seen) => seen,
        Err(error) if matches!(error.last(), StorageError::UploadGone { .. }) => {
            return match finished(job, &header, &memory).await? {
                Some(digest) => Ok(Begun { journal, header, state: State::Done { digest } }),
                None => send(job, journal, header, BTreeMap::new()).await,
            };
        }
        Err(error) => return Err(error),
    };
    let parts = trusted(job, &header, &memory, &upload, seen).await?;
    job.progress.take_up(parts.values().map(|part| part.digest.length).sum());
    for &number in memory.parts.keys().filter(|number| !parts.contains_key(number)) {
        journal.append(&[Record::Lost { number }])?;
    }
    if header.source.version != job.info.version {
        // What is sent from here on is of the source as it is now, and so is what was kept.
        header.source.version.clone_from(&job.info.version);
        journal.append(&[Record::Source { version: header.source.version.clone() }])?;
    }
    Ok(Begun { journal, header, state: State::Sending { upload, parts } })
}

/// Drops what was begun of an object that has become so small that it goes at once.
pub(super) async fn forget(job: &Job) -> Result<(), StorageError> {
    let (from, to, jobs) = (job.from.identity(), job.to.identity(), job.jobs()?);
    let open = tokio::task::spawn_blocking(move || jobs.open_existing(&from, &to));
    let opened = open.await.unwrap_or_else(|it| std::panic::resume_unwind(it.into_panic()))?;
    match opened {
        Some(Opened { journal, memory }) => {
            drop_upload(job, &memory).await?;
            journal.remove()
        }
        None => Ok(()),
    }
}

async fn begin(job: &Job, mut journal: Journal) -> Result<Begun, StorageError> {
    let header = Header {
        version: 1,
        job: new_id(),
        begun: milliseconds(SystemTime::now()),
        part_size: job.cut.part_size,
        source: job.from.end(Some(&job.info)),
        destination: job.to.end(None),
    };
    journal.begin(Record::Header(header.clone().into()))?;
    send(job, journal, header, BTreeMap::new()).await
}

/// Begins an upload, and remembers it before anything goes there.
async fn send(
    job: &Job,
    mut journal: Journal,
    mut header: Header,
    parts: BTreeMap<u32, SentPart>,
) -> Result<Begun, StorageError> {
    if header.source.version != job.info.version {
        // Nothing of what was sent is left: the journal may as well speak of what is there now.
        header.source.version.clone_from(&job.info.version);
        header.job = new_id();
        journal.begin(Record::Header(header.clone().into()))?;
    }
    let (to, attributes) = (&job.to, attributes(&header.job, &job.info, &job.options));
    let tries = AtomicU32::new(0);
    let begin = || {
        tries.fetch_add(1, Ordering::Relaxed);
        to.store.begin_upload(&to.key, &attributes)
    };
    let begun = to.run("begin upload", &job.limits, Some(&job.progress), begin).await;
    let upload = match begun {
        Err(error) => {
            if is_nothing_begun(job, &header, &error).await {
                journal.remove()?;
            }
            return Err(error);
        }
        Ok(upload) => upload,
    };
    if tries.into_inner() > 1 {
        // What failed may only have lost its answer.
        abort_orphans(job, header.begun, Some(&upload)).await?;
    }
    journal.append(&[Record::Upload { id: upload.clone() }])?;
    journal.sync()?;
    Ok(Begun { journal, header, state: State::Sending { upload, parts } })
}

/// Whether there is nothing to go on with after a failure to begin.
async fn is_nothing_begun(job: &Job, header: &Header, error: &StorageError) -> bool {
    match error {
        // One of the attempts may have lost its answer.
        StorageError::GaveUp(_) => false,
        // A clear no to the only attempt, to which nothing is to be added by another request.
        StorageError::Provider(_)
        | StorageError::NotFound { .. }
        | StorageError::Setup { .. }
        | StorageError::Unsupported { .. } => true,
        _ => {
            abort_orphans(job, header.begun, None).await.is_ok_and(|looked| looked == Looked::AtAll)
        }
    }
}

pub(super) async fn list_parts(job: &Job, id: &str) -> Result<Vec<SeenPart>, StorageError> {
    let to = &job.to;
    let list = || to.store.list_parts(Upload { key: &to.key, id });
    to.run("list parts", &job.limits, Some(&job.progress), list).await
}

/// The parts that need not be sent again.
async fn trusted(
    job: &Job,
    header: &Header,
    memory: &Memory,
    upload: &str,
    seen: Vec<SeenPart>,
) -> Result<BTreeMap<u32, SentPart>, StorageError> {
    let limits = job.to.store.limits();
    let same_source = header.source.version == job.info.version && !may_have_changed(job, header);
    let same_boot = memory.boots.iter().all(|boot| boot.is_some() && *boot == this_boot());
    let seen: BTreeMap<u32, SeenPart> = seen.into_iter().map(|part| (part.number, part)).collect();
    let count = job.info.size.div_ceil(header.part_size);
    // Where parts lie in a file, somebody may have cut it short meanwhile.
    let file = match job.to.store.knows_parts() {
        true => None,
        false => written(job, upload).stat(&job.limits, None).await?,
    };
    let mut trusted = BTreeMap::new();
    for number in 1..=u32::try_from(count).unwrap_or(u32::MAX) {
        let (offset, length) = job.part(header.part_size, number);
        let place = PartPlace { number, offset };
        let remembered = memory.parts.get(&number).filter(|(digest, _)| digest.length == length);
        let there = seen.get(&number).filter(|part| part.size == length);
        let part = match (remembered, there) {
            (Some((digest, tag)), there) => {
                let is_there = there.is_some_and(|part| part.has(tag))
                    || file.as_ref().is_some_and(|file| offset + length <= file.size);
                // A crash of the machine may have taken what had not yet reached the disk.
                let is_whole = !limits.is_local
                    || same_boot
                    || reads_as(&written(job, upload), offset, *digest).await;
                // Where it costs little to see that a part is still the same, look.
                let is_same = same_source || is_unchanged(job, offset, *digest).await?;
                let good = is_there && is_whole && is_same;
                good.then(|| SentPart { place, digest: *digest, tag: tag.clone() })
            }
            (None, Some(there)) if same_source && !there.tag.is_empty() => {
                unwritten(job, place, there).await?
            }
            (None, _) => None,
        };
        trusted.extend(part.map(|part| (number, part)));
    }
    Ok(trusted)
}

/// Whether the source was so new when the transfer was begun that a later version of it may look the
/// same.
fn may_have_changed(job: &Job, header: &Header) -> bool {
    /// A second for what the time leaves out, and one for clocks that differ.
    const NEW: u64 = 2_000;
    let modified = job.info.modified.map(milliseconds);
    job.from.store.limits().coarse_times
        && modified.is_none_or(|modified| modified + NEW >= header.begun)
}

/// A part that was sent, but not written down. The upload is nobody else's, so it is the part of this
/// source, of which only the checksum is missing, where reading it costs little.
async fn unwritten(
    job: &Job,
    place: PartPlace,
    there: &SeenPart,
) -> Result<Option<SentPart>, StorageError> {
    if !job.from.is_local() {
        return Ok(None);
    }
    let payload = job.fetch(place.offset..place.offset + there.size).await?;
    Ok(Some(SentPart { place, digest: payload.digest, tag: there.tag.clone() }))
}

/// Whether a part of a file that was touched still holds the same bytes.
async fn is_unchanged(job: &Job, offset: u64, digest: Digest) -> Result<bool, StorageError> {
    if !job.from.is_local() {
        return Ok(false);
    }
    let payload = job.fetch(offset..offset + digest.length).await?;
    Ok(payload.digest == digest)
}

/// The unfinished object of a store that does not know parts, which is a file beside the other.
fn written(job: &Job, upload: &str) -> Side {
    let folder = partial::split(&job.to.key).map_or("", |(folder, _)| folder);
    Side { key: format!("{folder}{upload}"), ..job.to.clone() }
}

async fn reads_as(side: &Side, offset: u64, digest: Digest) -> bool {
    let (limits, progress) = (CallLimits::default(), Progress::new(None, false));
    let read = fetch(side, offset..offset + digest.length, None, &limits, &progress).await;
    read.is_ok_and(|payload| payload.digest == digest)
}

/// Whether the object is there already: its digest, if so.
async fn finished(
    job: &Job,
    header: &Header,
    memory: &Memory,
) -> Result<Option<Digest>, StorageError> {
    // Only whoever had all parts can have asked for it.
    let Some(digest) = memory.completing else { return Ok(None) };
    if header.source.version != job.info.version {
        return Ok(None);
    }
    Ok(is_there(job, &header.job, digest).await?.then_some(digest))
}

/// Whether there is an object at the destination, and it is this job's.
pub(super) async fn is_there(job: &Job, id: &str, digest: Digest) -> Result<bool, StorageError> {
    let Some(info) = job.stat_target().await? else { return Ok(false) };
    match is_ours(&info, id, digest) {
        Some(answer) => Ok(answer),
        // Where the provider keeps neither, its bytes say it.
        None => reads_whole(job, digest).await,
    }
}

async fn reads_whole(job: &Job, digest: Digest) -> Result<bool, StorageError> {
    // What is only looked at has not been moved.
    let (mut whole, progress) = (Digest::empty(), Progress::new(None, false));
    while whole.length < digest.length {
        let end = digest.length.min(whole.length + job.cut.part_size);
        let part = fetch(&job.to, whole.length..end, None, &job.limits, &progress).await?;
        whole = whole.then(part.digest);
    }
    Ok(whole == digest)
}

async fn drop_upload(job: &Job, memory: &Memory) -> Result<(), StorageError> {
    match &memory.upload {
        Some(upload) => abort(&job.to, upload).await,
        None => Ok(()),
    }
}

/// Uploads that were begun when nobody heard of it, or had no time left to write their ids down.
///
/// Somebody else may be writing the same object: only what was begun since, and holds nothing, is ours.
async fn abort_orphans(job: &Job, begun: u64, but: Option<&str>) -> Result<Looked, StorageError> {
    let to = &job.to;
    let list = || to.store.list_uploads(&to.key);
    let uploads = to.run("list uploads", &job.limits, Some(&job.progress), list).await?;
    let mut looked = Looked::AtAll;
    for upload in uploads.iter().filter(|upload| Some(&*upload.id) != but) {
        let since = upload.begun.map(milliseconds);
        if since.is_none_or(|since| since + CLOCK_SKEW < begun) {
            continue;
        }
        match is_empty(job, &upload.id).await {
            Ok(true) => abort(to, &upload.id).await?,
            Ok(false) => {}
            // Who may write need not be allowed to look.
            Err(_) => looked = Looked::AtSome,
        }
    }
    Ok(looked)
}

/// How much of what may be left behind could be looked at.
#[derive(PartialEq)]
enum Looked {
    AtAll,
    AtSome,
}

/// Whether nothing has been sent to an upload.
async fn is_empty(job: &Job, upload: &str) -> Result<bool, StorageError> {
    if job.to.store.knows_parts() {
        return Ok(list_parts(job, upload).await?.is_empty());
    }
    let info = written(job, upload).stat(&job.limits, None).await?;
    Ok(info.is_some_and(|info| info.size == 0))
}
