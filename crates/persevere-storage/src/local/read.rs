//! Reading a range of a file.

use std::fs::{self, File};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

use super::{blocking, is_absent, regular, system};
use crate::buffers::Buffers;
use crate::error::StorageError;
use crate::store::{ByteStream, Version};

/// More than this is not held in memory at once. A part that is read to be sent is one piece.
const LARGEST_PIECE: u64 = 64 * 1024 * 1024;

/// A range of a file, of which the first piece is read already.
pub(super) fn open(
    key: String,
    range: Range<u64>,
    version: Option<Version>,
    buffers: Buffers,
) -> Result<ByteStream, StorageError> {
    let source = Source::open(key, version)?;
    let (first, rest) = source.piece(range, &buffers)?;
    let first = futures_util::stream::iter([Ok(first)]);
    if rest.is_empty() {
        return Ok(Box::pin(first));
    }
    let source = Arc::new(source);
    let next = move |rest: Range<u64>| {
        let (source, buffers) = (Arc::clone(&source), buffers.clone());
        async move {
            if rest.is_empty() {
                return None;
            }
            match blocking(move |_| source.piece(rest, &buffers)).await {
                Ok((bytes, rest)) => Some((Ok(bytes), rest)),
                Err(error) => Some((Err(error), 0..0)),
            }
        }
    };
    let rest = futures_util::stream::unfold(rest, next);
    Ok(Box::pin(futures_util::StreamExt::chain(first, rest)))
}

/// A file that is open, and what it must be.
pub(super) struct Source {
    key: String,
    pub(super) file: File,
    version: Option<Version>,
}

impl Source {
    pub(super) fn open(key: String, version: Option<Version>) -> Result<Self, StorageError> {
        let failed = |error: std::io::Error| match is_absent(&error) {
            true => StorageError::NotFound { what: key.clone(), source: Some(error.into()) },
            false => StorageError::io("read", &key)(error),
        };
        // To open a device may do something, so that it is not even tried.
        regular(&key, &fs::metadata(&key).map_err(failed)?)?;
        let file = system::open(Path::new(&key)).map_err(failed)?;
        regular(&key, &file.metadata().map_err(failed)?)?;
        let source = Self { key, file, version };
        source.check()?;
        Ok(source)
    }

    /// Whether the file is still the one that it must be.
    pub(super) fn check(&self) -> Result<(), StorageError> {
        let Some(version) = &self.version else { return Ok(()) };
        let metadata = self.file.metadata().map_err(StorageError::io("read", &self.key))?;
        match system::version(&metadata) == *version {
            true => Ok(()),
            false => Err(self.changed()),
        }
    }

    /// The beginning of a range, and what is left of it.
    fn piece(
        &self,
        range: Range<u64>,
        buffers: &Buffers,
    ) -> Result<(Bytes, Range<u64>), StorageError> {
        let length = (range.end - range.start).min(LARGEST_PIECE);
        let buffer = buffers.take(length as usize);
        let bytes = system::read(&self.file, range.start, length as usize, buffer);
        let bytes = bytes.map_err(StorageError::io("read", &self.key))?;
        self.check()?;
        // A range is of what the file was when somebody looked.
        if (bytes.len() as u64) < length {
            return Err(self.changed());
        }
        Ok((buffers.lend(bytes), range.start + length..range.end))
    }

    fn changed(&self) -> StorageError {
        StorageError::Changed { what: self.key.clone() }
    }
}
