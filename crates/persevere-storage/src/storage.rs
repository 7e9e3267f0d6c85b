//! The operations.

use std::path::Path;
use std::sync::Arc;

use futures_util::stream::{self, Stream, TryStreamExt};
use persevere::Retryer;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::buffers::Buffers;
use crate::error::StorageError;
use crate::local::LocalStore;
use crate::options::{CallLimits, TransferOptions};
use crate::side::Side;
use crate::store::{Entry, ObjectInfo, Store};
use crate::transfer::{self, Summary};

/// A bucket, a container, a host, or this machine, and the retryer that every operation goes through.
/// Cheap to clone.
///
/// ```
/// use persevere_storage::{Storage, TransferOptions};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let (from, to) = (folder.path().join("a"), folder.path().join("b"));
/// # std::fs::write(&from, "hello")?;
/// # let (from, to) = (from.to_str().unwrap(), to.to_str().unwrap());
/// // Any other store works the same way.
/// let storage = Storage::local();
/// let summary = storage.upload(from, to, &TransferOptions::new()).await?;
/// assert_eq!(summary.bytes, 5);
/// assert!(storage.exists(to).await?);
/// storage.delete(to).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Storage {
    store: Arc<dyn Store>,
    retryer: Retryer,
    buffers: Buffers,
}

impl Storage {
    pub(crate) fn new(store: Arc<dyn Store>, retryer: Retryer) -> Self {
        Self { store, retryer, buffers: Buffers::default() }
    }

    /// Files of this machine. Keys are paths.
    pub fn local() -> Self {
        Self::new(Arc::new(LocalStore::new()), Retryer::default())
    }

    /// What runs the operations. By default a retryer with the balanced policy.
    #[must_use]
    pub fn with_retryer(mut self, retryer: Retryer) -> Self {
        self.retryer = retryer;
        self
    }

    /// How log lines and errors call the provider: "S3", "Azure", "GCS", "SFTP", "local".
    pub fn provider(&self) -> &'static str {
        self.store.name()
    }

    /// The URL of a key, for people to read.
    pub fn url(&self, key: &str) -> String {
        self.store.url(key)
    }

    /// The host and port that it talks to, or those of the proxy before it. `None` for local files.
    pub fn peer(&self) -> Option<(String, u16)> {
        self.store.peer()
    }

    /// Sends a file. One that was interrupted, by whatever, goes on where it was.
    ///
    /// # Errors
    ///
    /// A [`StorageError`]: what went wrong last, and if attempts were made, how many.
    pub async fn upload(
        &self,
        file: impl AsRef<Path>,
        key: &str,
        options: &TransferOptions,
    ) -> Result<Summary, StorageError> {
        let file = Self::local().side(&LocalStore::key(file.as_ref())?);
        transfer::transfer(file, self.side(key), options).await
    }

    /// Sends what a reader brings. It cannot be taken up again after the end of this process, for the
    /// reader cannot be read twice.
    ///
    /// # Errors
    ///
    /// As [`upload`](Self::upload). What the reader says comes back as it is.
    pub async fn upload_stream(
        &self,
        reader: impl AsyncRead + Unpin + Send,
        key: &str,
        options: &TransferOptions,
    ) -> Result<Summary, StorageError> {
        transfer::write_stream(reader, self.side(key), options).await
    }

    /// Fetches an object into a file. One that was interrupted, by whatever, goes on where it was.
    ///
    /// Until all of it is there and its checksum is right, it is called `NAME.part`.
    ///
    /// # Errors
    ///
    /// As [`upload`](Self::upload).
    pub async fn download(
        &self,
        key: &str,
        file: impl AsRef<Path>,
        options: &TransferOptions,
    ) -> Result<Summary, StorageError> {
        let file = Self::local().side(&LocalStore::key(file.as_ref())?);
        transfer::transfer(self.side(key), file, options).await
    }

    /// Fetches an object into a writer. Of the deadline and the rest, the same holds; taking up again
    /// is for files only.
    ///
    /// # Errors
    ///
    /// As [`upload`](Self::upload). What the writer says comes back as it is.
    pub async fn download_stream(
        &self,
        key: &str,
        writer: impl AsyncWrite + Unpin + Send,
        options: &TransferOptions,
    ) -> Result<Summary, StorageError> {
        transfer::read_stream(self.side(key), writer, options).await
    }

    /// Copies an object to another key, here or in another storage. Within one storage the provider does
    /// it, where it can; else the bytes go through this machine, and it can be taken up again.
    ///
    /// # Errors
    ///
    /// As [`upload`](Self::upload).
    pub async fn copy(
        &self,
        key: &str,
        to: &Self,
        to_key: &str,
        options: &TransferOptions,
    ) -> Result<Summary, StorageError> {
        transfer::transfer(self.side(key), to.side(to_key), options).await
    }

    /// What is under a prefix or a path, page by page as it is asked for. With `recursive` all that is
    /// below; without, one level, with folders. Order is the provider's, which sorts by key.
    ///
    /// An error does not lose what came before: asked again, the stream goes on with the page that
    /// failed.
    pub fn list(
        &self,
        prefix: &str,
        recursive: bool,
    ) -> impl Stream<Item = Result<Entry, StorageError>> + Send + 'static {
        let pages = stream::unfold(
            (self.side(prefix), Some(None::<String>)),
            move |(side, page)| async move {
                let page = page?;
                let list = || side.store.list_page(&side.key, recursive, page.as_deref());
                let answer = side.run("list", &CallLimits::default(), None, list).await;
                let next =
                    answer.as_ref().map_or(Some(page), |answer| answer.next.clone().map(Some));
                let entries = answer.map(|answer| stream::iter(answer.entries.into_iter().map(Ok)));
                Some((entries, (side, next)))
            },
        );
        pages.try_flatten()
    }

    /// Removes an object. That there is none is no error.
    ///
    /// # Errors
    ///
    /// As [`upload`](Self::upload).
    pub async fn delete(&self, key: &str) -> Result<(), StorageError> {
        let side = self.side(key);
        let delete = || side.store.delete(key);
        side.run("delete", &CallLimits::default(), None, delete).await.map(|_| ())
    }

    /// Whether there is an object of this name. Never `false` because of a refusal or an outage.
    ///
    /// # Errors
    ///
    /// If nobody could find out.
    pub async fn exists(&self, key: &str) -> Result<bool, StorageError> {
        Ok(self.stat(key).await?.is_some())
    }

    /// What is known of an object; `None` if there is none.
    ///
    /// # Errors
    ///
    /// If nobody could find out.
    pub async fn stat(&self, key: &str) -> Result<Option<ObjectInfo>, StorageError> {
        self.side(key).stat(&CallLimits::default(), None).await
    }

    pub(crate) fn side(&self, key: &str) -> Side {
        let Self { store, retryer, buffers } = self.clone();
        Side { store, retryer, buffers, key: key.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever spawns them on a runtime of many threads asks for that.
    #[test]
    fn operations_can_go_to_other_threads() {
        fn goes<T: Send>(_: T) {}
        let (storage, options) = (Storage::local(), TransferOptions::new());
        goes(storage.upload("a", "b", &options));
        goes(storage.upload_stream(&[][..], "a", &options));
        goes(storage.download("a", "b", &options));
        goes(storage.download_stream("a", Vec::new(), &options));
        goes(storage.copy("a", &storage, "b", &options));
        goes(storage.list("a", true));
        goes((storage.delete("a"), storage.exists("a"), storage.stat("a")));
    }
}
