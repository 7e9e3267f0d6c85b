//! Places that were opened, and what is there.

use std::path::Path;
use std::time::SystemTime;

use futures_util::StreamExt;
use persevere_storage::{Location, Storage, StorageError};

/// A place on the command line, opened.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) storage: Storage,
    /// What the storage calls it. Of a path of this machine, the absolute path, so that whoever reads
    /// a journal elsewhere knows it.
    pub(crate) key: String,
    /// Whether keys are paths, with folders that exist by themselves.
    pub(crate) has_folders: bool,
    pub(crate) is_local: bool,
}

/// What there is at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    Object(Seen),
    /// A folder, or a common beginning of keys.
    Folder,
    Nothing,
}

/// What a list or a look tells of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) size: u64,
    pub(crate) modified: Option<SystemTime>,
}

impl Place {
    pub(crate) fn at(&self, key: impl Into<String>) -> Self {
        Self { key: key.into(), ..self.clone() }
    }

    /// As people know it.
    pub(crate) fn url(&self) -> String {
        self.storage.url(&self.key)
    }

    /// Whether it is written as a folder: `dir/`, `.`, a bucket.
    pub(crate) fn names_folder(&self) -> bool {
        names_folder(&self.key)
    }

    /// The beginning of all keys in it, taken as a folder.
    pub(crate) fn prefix(&self) -> String {
        folder_prefix(&self.key)
    }

    pub(crate) async fn find(&self) -> Result<Found, StorageError> {
        if self.has_folders { self.find_path().await } else { self.find_object().await }
    }

    async fn find_path(&self) -> Result<Found, StorageError> {
        // A look through a list would be logged as a failure.
        if self.is_local && std::fs::metadata(&self.key).is_err_and(|it| is_absent(&it)) {
            return Ok(Found::Nothing);
        }
        let mut entries = std::pin::pin!(self.storage.list(&self.key, false));
        match entries.next().await {
            Some(Ok(it)) if it.key == self.key && !it.is_folder => {
                Ok(Found::Object(Seen { size: it.size, modified: it.modified }))
            }
            Some(Ok(_)) | None => Ok(Found::Folder),
            Some(Err(error)) => absent(error),
        }
    }

    async fn find_object(&self) -> Result<Found, StorageError> {
        if !self.names_folder()
            && let Some(it) = self.storage.stat(&self.key).await?
        {
            return Ok(Found::Object(Seen { size: it.size, modified: it.modified }));
        }
        let prefix = self.prefix();
        let mut entries = std::pin::pin!(self.storage.list(&prefix, false));
        match entries.next().await {
            Some(Ok(_)) => Ok(Found::Folder),
            None if prefix.is_empty() => Ok(Found::Folder),
            None => Ok(Found::Nothing),
            Some(Err(error)) if prefix.is_empty() => Err(error),
            Some(Err(error)) => absent(error),
        }
    }
}

/// What a key looks like when it is meant as a folder.
pub(crate) fn folder_prefix(key: &str) -> String {
    match key.is_empty() || key.ends_with('/') {
        true => key.to_owned(),
        false => format!("{key}/"),
    }
}

fn names_folder(key: &str) -> bool {
    key.is_empty() || key.ends_with('/') || matches!(last_component(key), "." | "..")
}

/// What comes after the last `/`.
pub(crate) fn last_component(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or(key)
}

fn absent(error: StorageError) -> Result<Found, StorageError> {
    match error.last() {
        StorageError::NotFound { .. } => Ok(Found::Nothing),
        _ => Err(error),
    }
}

fn is_absent(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{NotADirectory, NotFound};
    matches!(error.kind(), NotFound | NotADirectory)
}

/// The same place, by a name that holds in every folder.
pub(crate) fn absolute(location: Location) -> Location {
    match location {
        Location::Local(path) => {
            let absolute = std::path::absolute(&path).unwrap_or(path.clone());
            // `.` at the end says that it is a folder, and is dropped.
            let ends = |last: &str| path.to_str().is_some_and(|it| last_component(it) == last);
            let is_folder = ends(".") && absolute != Path::new("/");
            Location::Local(if is_folder { absolute.join("") } else { absolute })
        }
        other => other,
    }
}

/// What a place has in common with others that one storage serves: all but the key.
pub(crate) fn without_key(location: &Location) -> Option<Location> {
    let mut location = location.clone();
    match &mut location {
        Location::S3 { key, .. } | Location::Gcs { key, .. } | Location::Azure { key, .. } => {
            key.clear();
        }
        Location::Sftp { path, .. } => path.clear(),
        // One storage would copy within itself, by the system's own copy: at once, but without a
        // checksum, and not to be taken up again.
        _ => return None,
    }
    Some(location)
}
