//! Files of this machine. A key is a path.
//!
//! A file that is written grows as `NAME.part` beside its target, and takes the target's place in one
//! step when it is whole. The name of the partial file is the upload's id.

mod list;
mod read;
mod system;
#[cfg(test)]
mod tests;
mod write;

use std::fs::{self, Metadata};
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex, Weak};

use crate::buffers::Buffers;
use crate::error::StorageError;
use crate::meter::Meter;
use crate::store::{
    Answer, Attributes, ByteStream, Checksums, Limits, ObjectInfo, Page, PartPlace, Payload,
    SeenPart, SeenUpload, SentPart, Store, Stored, Upload, Version, Whole,
};

/// The file systems of this machine.
#[derive(Debug, Default)]
pub(crate) struct LocalStore {
    /// Where the last page of a list ended, so that the next one need not read the folder again.
    list: Arc<Mutex<Option<list::Place>>>,
    buffers: Buffers,
}

impl LocalStore {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// A path as a key.
    pub(crate) fn key(path: &Path) -> Result<String, StorageError> {
        path.to_str().map(str::to_owned).ok_or_else(|| no_utf8(path))
    }
}

impl Store for LocalStore {
    fn name(&self) -> &'static str {
        "local"
    }

    fn url(&self, key: &str) -> String {
        // Journals are read from other folders.
        std::path::absolute(key).map_or_else(|_| key.to_owned(), |path| path.display().to_string())
    }

    fn limits(&self) -> Limits {
        Limits {
            min_part: 1,
            max_part: i64::MAX as u64,
            max_parts: u32::MAX,
            max_put: i64::MAX as u64,
            part_multiple: 1,
            is_local: true,
            coarse_times: false,
        }
    }

    fn peer(&self) -> Option<(String, u16)> {
        None
    }

    fn stat<'a>(&'a self, key: &'a str) -> Answer<'a, Option<ObjectInfo>> {
        let key = key.to_owned();
        Box::pin(blocking(move |_| match fs::metadata(&key) {
            Ok(metadata) => regular(&key, &metadata).map(|()| Some(info(&metadata))),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(StorageError::io("look at", &key)(error)),
        }))
    }

    fn read<'a>(
        &'a self,
        key: &'a str,
        range: Range<u64>,
        version: Option<&'a Version>,
    ) -> Answer<'a, ByteStream> {
        let (key, version) = (key.to_owned(), version.cloned());
        let buffers = self.buffers.clone();
        Box::pin(blocking(move |_| read::open(key, range, version, buffers)))
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        data: &'a Payload,
        attributes: &'a Attributes,
        meter: &'a Meter,
    ) -> Answer<'a, Stored> {
        let (key, bytes) = (key.to_owned(), data.bytes.clone());
        let (job, meter) = (attributes.job.clone(), meter.clone());
        Box::pin(blocking(move |wanted| write::put(&key, &job, &bytes, &meter, wanted)))
    }

    fn begin_upload<'a>(&'a self, key: &'a str, attributes: &'a Attributes) -> Answer<'a, String> {
        let (key, job) = (key.to_owned(), attributes.job.clone());
        Box::pin(blocking(move |_| write::begin(&key, &job).map(|partial| partial.id)))
    }

    fn put_part<'a>(
        &'a self,
        upload: Upload<'a>,
        part: PartPlace,
        data: &'a Payload,
        meter: &'a Meter,
    ) -> Answer<'a, String> {
        let (partial, bytes, meter) = (write::path(upload), data.bytes.clone(), meter.clone());
        Box::pin(blocking(move |wanted| {
            write::part(&partial?, part.offset, &bytes, &meter, wanted).map(|()| String::new())
        }))
    }

    fn sync_upload<'a>(&'a self, upload: Upload<'a>) -> Answer<'a, ()> {
        let partial = write::path(upload);
        Box::pin(blocking(move |_| write::sync(&partial?)))
    }

    fn list_parts<'a>(&'a self, upload: Upload<'a>) -> Answer<'a, Vec<SeenPart>> {
        let partial = write::path(upload);
        Box::pin(blocking(move |_| write::open(&partial?).map(|_| Vec::new())))
    }

    fn knows_parts(&self) -> bool {
        false
    }

    fn list_uploads<'a>(&'a self, key: &'a str) -> Answer<'a, Vec<SeenUpload>> {
        let key = key.to_owned();
        Box::pin(blocking(move |_| write::uploads(&key)))
    }

    fn finish_upload<'a>(
        &'a self,
        upload: Upload<'a>,
        _: &'a [SentPart],
        whole: &'a Whole<'a>,
    ) -> Answer<'a, Stored> {
        let (partial, length) = (write::path(upload), whole.digest.length);
        Box::pin(blocking(move |wanted| write::finish(&partial?, length, wanted)))
    }

    fn abort_upload<'a>(&'a self, upload: Upload<'a>) -> Answer<'a, ()> {
        let partial = write::path(upload);
        Box::pin(blocking(move |_| write::abort(&partial?)))
    }

    fn delete<'a>(&'a self, key: &'a str) -> Answer<'a, bool> {
        let key = key.to_owned();
        Box::pin(blocking(move |_| write::delete(&key)))
    }

    fn list_page<'a>(
        &'a self,
        prefix: &'a str,
        recursive: bool,
        page: Option<&'a str>,
    ) -> Answer<'a, Page> {
        let (prefix, page) = (prefix.to_owned(), page.map(str::to_owned));
        let place = Arc::clone(&self.list);
        Box::pin(blocking(move |_| list::page(&prefix, recursive, page.as_deref(), &place)))
    }

    fn copy<'a>(
        &'a self,
        from: &'a str,
        version: Option<&'a Version>,
        to: &'a str,
        attributes: &'a Attributes,
    ) -> Answer<'a, Stored> {
        let (from, to, version) = (from.to_owned(), to.to_owned(), version.cloned());
        let job = attributes.job.clone();
        Box::pin(blocking(move |wanted| write::copy(&from, version.as_ref(), &to, &job, wanted)))
    }
}

/// Whether somebody still waits for what a blocking call does.
struct Wanted(Weak<()>);

impl Wanted {
    /// A call that was dropped must not go on writing behind the back of the next one.
    fn check(&self, path: &Path) -> Result<(), StorageError> {
        match self.0.strong_count() {
            0 => Err(StorageError::io("write", path)(io::ErrorKind::Interrupted.into())),
            _ => Ok(()),
        }
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce(&Wanted) -> Result<T, StorageError> + Send + 'static,
) -> Result<T, StorageError> {
    let waiting = Arc::new(());
    let wanted = Wanted(Arc::downgrade(&waiting));
    let result = tokio::task::spawn_blocking(move || work(&wanted)).await;
    drop(waiting);
    match result.map_err(tokio::task::JoinError::try_into_panic) {
        Ok(result) => result,
        Err(Ok(panic)) => std::panic::resume_unwind(panic),
        Err(Err(ended)) => {
            Err(StorageError::Transport { doing: "a file operation".into(), source: ended.into() })
        }
    }
}

/// Refuses what has no bytes of its own to copy, or no end.
fn regular(key: &str, metadata: &Metadata) -> Result<(), StorageError> {
    if metadata.is_file() {
        return Ok(());
    }
    let what = match metadata.is_dir() {
        true => format!(
            "{key} is a folder, but must be a file: to copy all that is in it, use --recursive"
        ),
        false => format!(
            "{key} is no regular file: to read or write a device or a pipe, use `-` and let the shell redirect it"
        ),
    };
    Err(StorageError::Unsupported { what })
}

fn info(metadata: &Metadata) -> ObjectInfo {
    ObjectInfo {
        size: metadata.len(),
        modified: metadata.modified().ok(),
        version: Some(system::version(metadata)),
        content_type: None,
        checksums: Checksums::default(),
        job: None,
    }
}

fn is_absent(error: &io::Error) -> bool {
    // A file where a folder should be: nothing can be below it.
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn no_utf8(path: &Path) -> StorageError {
    StorageError::Unsupported {
        what: format!("the name {path:?} is not UTF-8, and cannot be a key: rename the file"),
    }
}
