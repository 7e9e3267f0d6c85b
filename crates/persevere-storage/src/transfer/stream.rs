//! Pipes: what comes in has no length, and what goes out no way back.

use std::sync::Arc;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, TryStreamExt};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::task::JoinSet;

use super::finish::Destination;
use super::job::{Job, abort, new_id};
use super::whole::{check, is_ours};
use super::{Summary, Verified, summary, told};
use crate::digest::Digest;
use crate::error::StorageError;
use crate::options::{CallLimits, TransferOptions};
use crate::part_size::{Cut, SMALLEST};
use crate::progress::Progress;
use crate::side::Side;
use crate::store::{Attributes, PartPlace, Payload, SentPart, Stored, Upload, Whole};

/// After so many parts their size doubles, so that 10,000 of them hold a terabyte of a pipe.
const DOUBLING: u32 = 2_000;

/// Sends what a pipe brings. It cannot be taken up again: the pipe remembers nothing.
pub(crate) async fn write_stream(
    mut source: impl AsyncRead + Unpin,
    to: Side,
    options: &TransferOptions,
) -> Result<Summary, StorageError> {
    let started = Instant::now();
    let limits = to.store.limits();
    let wanted = (options.part_size, options.concurrency);
    let cut = Cut::new(0, &limits, wanted).map_err(StorageError::setup)?;
    let pipe = Pipe {
        to,
        cut,
        progress: Arc::new(Progress::new(None, false)),
        limits: options.limits(),
        attributes: Attributes { job: new_id(), content_type: options.content_type.clone() },
    };
    let work = async {
        let first = read_part(&mut source, cut.part_size).await?;
        let is_all = (first.len() as u64) < cut.part_size && first.len() as u64 <= limits.max_put;
        let (digest, stored, destination) = match is_all {
            true => pipe.put(first).await?,
            false => pipe.in_parts(first, &mut source).await?,
        };
        Ok(summary(&pipe.progress, digest, Verified { source: false, destination }, stored))
    };
    told(options, &pipe.progress, started, work).await
}

struct Pipe {
    to: Side,
    cut: Cut,
    progress: Arc<Progress>,
    limits: CallLimits,
    attributes: Attributes,
}

type Sent = (Digest, Stored, bool);

impl Pipe {
    async fn put(&self, bytes: Bytes) -> Result<Sent, StorageError> {
        let (to, payload) = (&self.to, Payload::new(bytes));
        let put = async || {
            let meter = &self.progress.written;
            let stored = to.store.put(&to.key, &payload, &self.attributes, meter).await?;
            let verified = check(&to.url(), &stored.checksums, payload.digest)?;
            Ok((payload.digest, stored, verified))
        };
        let sent = to.run("upload", &self.limits, Some(&self.progress), put).await?;
        self.progress.confirm(payload.digest.length);
        Ok(sent)
    }

    async fn in_parts(
        &self,
        first: Bytes,
        source: &mut (impl AsyncRead + Unpin),
    ) -> Result<Sent, StorageError> {
        let to = &self.to;
        let begin = || to.store.begin_upload(&to.key, &self.attributes);
        let upload = to.run("begin upload", &self.limits, Some(&self.progress), begin).await?;
        let work = async {
            let parts = self.send(&upload, first, source).await?;
            self.finish(&upload, parts).await
        };
        let result = work.await;
        if result.is_err() {
            // Why it failed matters more than that this failed as well.
            let _ = abort(to, &upload).await;
        }
        result
    }

    async fn send(
        &self,
        upload: &str,
        first: Bytes,
        source: &mut (impl AsyncRead + Unpin),
    ) -> Result<Vec<SentPart>, StorageError> {
        let (mut parts, mut under_way) = (Vec::new(), JoinSet::new());
        let (mut next, mut place) = (first, PartPlace { number: 1, offset: 0 });
        while !next.is_empty() || place.number == 1 {
            let length = next.len() as u64;
            under_way.spawn(self.part(upload.to_owned(), place, next));
            place = PartPlace { number: place.number + 1, offset: place.offset + length };
            while under_way.len() >= self.concurrency(place.number) {
                self.confirmed(&mut under_way, &mut parts).await?;
            }
            next = read_part(source, self.part_size(place.number)).await?;
        }
        while !under_way.is_empty() {
            self.confirmed(&mut under_way, &mut parts).await?;
        }
        parts.sort_unstable_by_key(|part: &SentPart| part.place.number);
        Ok(parts)
    }

    async fn confirmed(
        &self,
        under_way: &mut JoinSet<Result<SentPart, StorageError>>,
        parts: &mut Vec<SentPart>,
    ) -> Result<(), StorageError> {
        if let Some(part) = under_way.join_next().await {
            let part = part.unwrap_or_else(|it| std::panic::resume_unwind(it.into_panic()))?;
            self.progress.confirm(part.digest.length);
            parts.push(part);
        }
        Ok(())
    }

    fn part(
        &self,
        upload: String,
        place: PartPlace,
        bytes: Bytes,
    ) -> impl Future<Output = Result<SentPart, StorageError>> + Send + use<> {
        let (to, limits, progress) = (self.to.clone(), self.limits.clone(), self.progress.clone());
        async move {
            let payload = Payload::new(bytes);
            let upload = Upload { key: &to.key, id: &upload };
            let put = || to.store.put_part(upload, place, &payload, &progress.written);
            let tag = to.run("upload", &limits, Some(&progress), put).await?;
            Ok(SentPart { place, digest: payload.digest, tag })
        }
    }

    async fn finish(&self, id: &str, parts: Vec<SentPart>) -> Result<Sent, StorageError> {
        let to = &self.to;
        let digest = parts.iter().fold(Digest::empty(), |sum, part| sum.then(part.digest));
        let whole = Whole { digest, attributes: &self.attributes };
        let is_there = || self.is_there(digest);
        let destination = Destination { side: to, limits: &self.limits, progress: &self.progress };
        let stored = destination.complete(id, &parts, &whole, is_there).await?;
        let verified = check(&to.url(), &stored.checksums, digest)?;
        Ok((digest, stored, verified))
    }

    async fn is_there(&self, digest: Digest) -> Result<bool, StorageError> {
        let info = self.to.stat(&self.limits, Some(&self.progress)).await?;
        Ok(info.is_some_and(|info| is_ours(&info, &self.attributes.job, digest) == Some(true)))
    }

    fn part_size(&self, number: u32) -> u64 {
        let limits = self.to.store.limits();
        let size = self.cut.part_size << ((number - 1) / DOUBLING).min(8);
        size.min(limits.max_part)
    }

    /// Larger parts, fewer at once: what they take of memory stays the same.
    fn concurrency(&self, number: u32) -> usize {
        let times = self.part_size(number) / self.cut.part_size.max(1);
        let in_flight = self.cut.part_size.max(SMALLEST) * self.cut.concurrency as u64;
        let fits = in_flight / (self.cut.part_size.max(1) * times.max(1));
        usize::try_from(fits).unwrap_or(1).clamp(1, self.cut.concurrency)
    }
}

async fn read_part(
    source: &mut (impl AsyncRead + Unpin),
    length: u64,
) -> Result<Bytes, StorageError> {
    let mut bytes = BytesMut::new();
    let mut limited = source.take(length);
    while limited.read_buf(&mut bytes).await.map_err(StorageError::io("read", "-"))? > 0 {}
    Ok(bytes.freeze())
}

/// Writes an object to a pipe: parts are read ahead, and written in their order.
pub(crate) async fn read_stream(
    from: Side,
    mut sink: impl AsyncWrite + Unpin,
    options: &TransferOptions,
) -> Result<Summary, StorageError> {
    let started = Instant::now();
    let job = Job::begin(from.clone(), from, options, true).await?;
    let work = async {
        let size = job.cut.part_size;
        let count = job.info.size.div_ceil(size);
        let parts =
            (0..count).map(|index| job.fetch(index * size..job.info.size.min((index + 1) * size)));
        let mut parts = futures_util::stream::iter(parts).buffered(job.cut.concurrency);
        let mut digest = Digest::empty();
        while let Some(part) = parts.try_next().await? {
            sink.write_all(&part.bytes).await.map_err(StorageError::io("write", "-"))?;
            digest = digest.then(part.digest);
            job.progress.confirm(part.digest.length);
        }
        sink.flush().await.map_err(StorageError::io("write", "-"))?;
        let source = check(&job.from.url(), &job.info.checksums, digest)?;
        let verified = Verified { source, destination: false };
        Ok(summary(&job.progress, digest, verified, Stored::default()))
    };
    told(options, &job.progress, started, work).await
}
