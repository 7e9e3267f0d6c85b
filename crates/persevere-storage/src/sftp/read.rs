//! Reading a range of a file, with many requests under way at once.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use russh_sftp::protocol::{FileAttributes, OpenFlags};

use super::call::{Call, OpenFile, version};
use crate::error::StorageError;
use crate::store::{ByteStream, Version};

/// Requests under way at once: 16 MiB, which is a part.
const WINDOW: usize = 64;

pub(super) async fn open(
    call: Call,
    key: &str,
    range: Range<u64>,
    expected: Option<&Version>,
) -> Result<ByteStream, StorageError> {
    // To open a pipe would wait for whoever writes into it.
    call.regular(key).await?.ok_or_else(|| call.not_found())?;
    let open = call.open(key, OpenFlags::READ, FileAttributes::empty()).await?;
    let file = open.ok_or_else(|| call.not_found())?;
    let found = version(&file.attributes().await?);
    if expected.is_some_and(|expected| *expected != found) {
        return Err(changed(&call));
    }
    let (file, step) = (Arc::new(file), u64::from(call.connection.largest_read));
    let ranges = (range.start..range.end).step_by(step as usize);
    let ranges = ranges.map(move |start| start..range.end.min(start + step));
    let reads = {
        let (file, call) = (Arc::clone(&file), call.clone());
        ranges.map(move |range| piece(call.clone(), Arc::clone(&file), range))
    };
    let reads = stream::iter(reads).buffered(WINDOW);
    let last = stream::once(async move {
        // It may have been changed between the first byte and the last.
        match version(&file.attributes().await?) == found {
            true => Ok(Bytes::new()),
            false => Err(changed(&call)),
        }
    });
    let pieces = reads.chain(last);
    Ok(Box::pin(pieces.filter(|piece| {
        let is_something = !piece.as_ref().is_ok_and(Bytes::is_empty);
        std::future::ready(is_something)
    })))
}

async fn piece(call: Call, file: Arc<OpenFile>, range: Range<u64>) -> Result<Bytes, StorageError> {
    let length = range.end - range.start;
    let bytes = file.read(range.start, length as u32).await?;
    // A range is of what the file was when somebody looked.
    if (bytes.len() as u64) < length { Err(changed(&call)) } else { Ok(bytes) }
}

fn changed(call: &Call) -> StorageError {
    StorageError::Changed { what: call.url.clone() }
}
