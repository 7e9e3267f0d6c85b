//! What the tests of stores have in common.

use std::ops::Range;

use bytes::Bytes;
use futures_util::TryStreamExt;

use crate::digest::Digest;
use crate::error::StorageError;
use crate::meter::Meter;
use crate::store::{
    Attributes, Entry, ObjectInfo, Page, PartPlace, Payload, Store, Stored, Upload, Version, Whole,
};

/// A store, in the words of tests.
pub(crate) struct Driver<S>(pub(crate) S);

impl<S: Store> Driver<S> {
    pub(crate) async fn put(&self, key: &str, bytes: &[u8]) -> Result<Stored, StorageError> {
        let payload = Payload::new(Bytes::copy_from_slice(bytes));
        self.0.put(key, &payload, &job("put"), &Meter::default()).await
    }

    pub(crate) async fn begin(&self, key: &str, of: &str) -> Result<String, StorageError> {
        self.0.begin_upload(key, &job(of)).await
    }

    pub(crate) async fn part(
        &self,
        upload: Upload<'_>,
        offset: u64,
        bytes: &[u8],
    ) -> Result<(), StorageError> {
        let place = PartPlace { number: 1, offset };
        let payload = Payload::new(Bytes::copy_from_slice(bytes));
        let meter = Meter::default();
        self.0.put_part(upload, place, &payload, &meter).await?;
        assert_eq!(meter.moved(), bytes.len() as u64);
        Ok(())
    }

    pub(crate) async fn finish(
        &self,
        upload: Upload<'_>,
        whole: &[u8],
    ) -> Result<Stored, StorageError> {
        let attributes = job("finish");
        let whole = Whole { digest: Digest::of(whole), attributes: &attributes };
        self.0.finish_upload(upload, &[], &whole).await
    }

    pub(crate) async fn read(&self, key: &str, range: Range<u64>) -> Result<Vec<u8>, StorageError> {
        self.read_version(key, range, None).await
    }

    pub(crate) async fn read_version(
        &self,
        key: &str,
        range: Range<u64>,
        version: Option<&Version>,
    ) -> Result<Vec<u8>, StorageError> {
        let pieces: Vec<Bytes> = self.0.read(key, range, version).await?.try_collect().await?;
        Ok(pieces.concat())
    }

    pub(crate) async fn stat(&self, key: &str) -> Result<Option<ObjectInfo>, StorageError> {
        self.0.stat(key).await
    }

    pub(crate) async fn list(
        &self,
        prefix: &str,
        recursive: bool,
    ) -> Result<Vec<Entry>, StorageError> {
        let mut entries = Vec::new();
        let mut page: Option<String> = None;
        loop {
            let Page { entries: more, next } =
                self.0.list_page(prefix, recursive, page.as_deref()).await?;
            entries.extend(more);
            match next {
                Some(next) => page = Some(next),
                None => return Ok(entries),
            }
        }
    }
}

pub(crate) fn job(id: &str) -> Attributes {
    Attributes { job: id.into(), ..Attributes::default() }
}

/// That trying again is seen to be of use.
pub(crate) fn is_retryable(error: &StorageError) -> bool {
    error.verdict().is_retryable()
}

/// That trying again is seen to be of no use, and what is said.
pub(crate) fn final_text(error: StorageError) -> String {
    assert!(!is_retryable(&error), "{error:?}");
    text(&error)
}

pub(crate) fn text(error: &StorageError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// A small file system of its own.
#[cfg(unix)]
pub(crate) struct Small(std::path::PathBuf);

#[cfg(unix)]
impl Small {
    /// `None` where only root may mount one.
    pub(crate) fn mount(at: &std::path::Path, options: &str) -> Option<Self> {
        let mut mount = std::process::Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(at);
        if mount.output().is_ok_and(|output| output.status.success()) {
            return Some(Self(at.to_owned()));
        }
        eprintln!("SKIPPED: a file system can be mounted by root only");
        None
    }
}

#[cfg(unix)]
impl Drop for Small {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
