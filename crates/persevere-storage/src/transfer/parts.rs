//! Sending parts, several at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::task::{JoinError, JoinSet};

use super::job::Job;
use crate::error::StorageError;
use crate::journal::{Journal, Record};
use crate::store::{PartPlace, SentPart, Upload};

/// What each part needs to know.
struct Line {
    job: Job,
    upload: String,
}

/// Sends all parts that `parts` does not have yet, and writes each down when it is confirmed.
pub(super) async fn send(
    job: &Job,
    journal: &mut Journal,
    part_size: u64,
    upload: &str,
    parts: &mut BTreeMap<u32, SentPart>,
) -> Result<(), StorageError> {
    let line = Arc::new(Line { job: job.clone(), upload: upload.to_owned() });
    let count = u32::try_from(job.info.size.div_ceil(part_size)).unwrap_or(u32::MAX);
    let missing: Vec<u32> = (1..=count).filter(|number| !parts.contains_key(number)).collect();
    let mut missing = missing.into_iter();
    // Dropped with this function, they end whatever is still under way.
    let mut under_way = JoinSet::new();
    let mut flush = Flush::default();
    loop {
        while under_way.len() < job.cut.concurrency
            && let Some(number) = missing.next()
        {
            let (offset, length) = job.part(part_size, number);
            let place = PartPlace { number, offset };
            under_way.spawn(line.clone().move_part(place, length));
        }
        let Some(part) = under_way.join_next().await else { return flush.end().await };
        let part =
            part.unwrap_or_else(|failure| std::panic::resume_unwind(failure.into_panic()))?;
        flush.written(&line, part.digest.length)?;
        let number = part.place.number;
        journal.append(&[Record::Part { number, digest: part.digest, tag: part.tag.clone() }])?;
        job.progress.confirm(part.digest.length);
        if let Some(tell) = &job.options.on_progress {
            tell(&job.progress);
        }
        parts.insert(number, part);
    }
}

impl Line {
    async fn move_part(
        self: Arc<Self>,
        place: PartPlace,
        length: u64,
    ) -> Result<SentPart, StorageError> {
        let Job { to, limits, progress, .. } = &self.job;
        let payload = self.job.fetch(place.offset..place.offset + length).await?;
        let upload = Upload { key: &to.key, id: &self.upload };
        let put = || to.store.put_part(upload, place, &payload, &progress.written);
        let tag = to.run("upload", limits, Some(progress), put).await?;
        // Of this machine we know whether it went down in the meantime, of others we do not.
        if !to.is_local() {
            self.sync().await?;
        }
        Ok(SentPart { place, digest: payload.digest, tag })
    }

    async fn sync(&self) -> Result<(), StorageError> {
        let to = &self.job.to;
        let sync = || to.store.sync_upload(Upload { key: &to.key, id: &self.upload });
        to.run("sync", &self.job.limits, None, sync).await
    }
}

/// Has the disk write while parts still arrive: all at the end would take as long once more.
#[derive(Default)]
struct Flush {
    unwritten: u64,
    under_way: JoinSet<Result<(), StorageError>>,
}

impl Flush {
    const EVERY: u64 = 64 * 1024 * 1024;

    fn written(&mut self, line: &Arc<Line>, bytes: u64) -> Result<(), StorageError> {
        if !line.job.to.is_local() {
            return Ok(());
        }
        self.unwritten += bytes;
        if let Some(result) = self.under_way.try_join_next() {
            flushed(result)?;
        }
        if self.unwritten >= Self::EVERY && self.under_way.is_empty() {
            self.unwritten = 0;
            let line = line.clone();
            self.under_way.spawn(async move { line.sync().await });
        }
        Ok(())
    }

    async fn end(mut self) -> Result<(), StorageError> {
        match self.under_way.join_next().await {
            Some(result) => flushed(result),
            None => Ok(()),
        }
    }
}

fn flushed(result: Result<Result<(), StorageError>, JoinError>) -> Result<(), StorageError> {
    result.unwrap_or_else(|failure| std::panic::resume_unwind(failure.into_panic()))
}
