//! Reading a range, however often the line breaks in the middle of it.

use std::ops::Range;

use bytes::Bytes;
use futures_util::StreamExt;
use persevere::End;
use tokio::sync::Mutex;

use crate::buffers::Buffers;
use crate::digest::Digest;
use crate::error::StorageError;
use crate::meter::Meter;
use crate::options::CallLimits;
use crate::progress::Progress;
use crate::side::Side;
use crate::store::{Payload, Version};

/// Reads a range whole. What has arrived before a failure is not asked for again.
pub(super) async fn fetch(
    from: &Side,
    range: Range<u64>,
    version: Option<&Version>,
    limits: &CallLimits,
    progress: &Progress,
) -> Result<Payload, StorageError> {
    if range.is_empty() {
        return Ok(Payload { bytes: Bytes::new(), digest: Digest::empty() });
    }
    let arrived = Mutex::new(Arrived::default());
    loop {
        let before = arrived.lock().await.length;
        let rest = || read_rest(from, range.clone(), version, &progress.read, &arrived);
        let result = from.run("download", limits, Some(progress), rest).await;
        let after = arrived.lock().await.length;
        match result {
            Ok(()) => break,
            // A line that breaks again and again but brings something every time gets there.
            Err(error) if after > before && is_exhausted(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Payload::new(arrived.into_inner().into_bytes(&from.buffers)))
}

fn is_exhausted(error: &StorageError) -> bool {
    matches!(error, StorageError::GaveUp(error) if error.end() == End::AttemptsExhausted)
}

#[derive(Default)]
struct Arrived {
    /// All of it, if it came at once, which is not copied then.
    first: Option<Bytes>,
    rest: Vec<u8>,
    length: u64,
}

impl Arrived {
    fn push(&mut self, bytes: Bytes, whole: u64, buffers: &Buffers) {
        self.length += bytes.len() as u64;
        if bytes.len() as u64 == whole {
            self.first = Some(bytes);
            return;
        }
        if self.rest.capacity() == 0 {
            self.rest = buffers.take(usize::try_from(whole).unwrap_or(0));
        }
        self.rest.extend_from_slice(&bytes);
    }

    fn into_bytes(self, buffers: &Buffers) -> Bytes {
        self.first.unwrap_or_else(|| buffers.lend(self.rest))
    }
}

async fn read_rest(
    from: &Side,
    range: Range<u64>,
    version: Option<&Version>,
    meter: &Meter,
    arrived: &Mutex<Arrived>,
) -> Result<(), StorageError> {
    let mut arrived = arrived.lock().await;
    let whole = range.end - range.start;
    let rest = range.start + arrived.length..range.end;
    if rest.is_empty() {
        return Ok(());
    }
    let mut body = from.store.read(&from.key, rest, version).await?;
    while let Some(bytes) = body.next().await {
        let bytes = bytes?;
        meter.add(bytes.len() as u64);
        arrived.push(bytes, whole, &from.buffers);
    }
    if arrived.length != whole {
        return Err(cut_short(from, arrived.length, whole));
    }
    Ok(())
}

fn cut_short(from: &Side, arrived: u64, whole: u64) -> StorageError {
    let text = format!("{arrived} bytes came in place of {whole}");
    let source = std::io::Error::new(std::io::ErrorKind::UnexpectedEof, text);
    StorageError::Transport { doing: format!("read {}", from.url()), source: source.into() }
}
