//! A call of the store: on one connection, and about one file.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::{BufMut, Bytes};
use persevere::{Kind, Verdict};
use russh_sftp::client::error::Error as SftpError;
use russh_sftp::protocol::{File, FileAttributes, Handle, OpenFlags, Packet, StatusCode};
use tokio::sync::OwnedSemaphorePermit;

use super::connection::Connection;
use super::failure::{disk_full, explained, is, transport};
use crate::error::StorageError;
use crate::store::{Checksums, ObjectInfo, Stored, Version};

/// How many times longer than to answer a server may take to write to its disk.
const DISK_PATIENCE: u32 = 10;

/// How much the server copies by itself at once, for it says nothing meanwhile.
const COPIED_AT_ONCE: u64 = 256 * 1024 * 1024;

/// Less than this is left on a disk that is full: an ordinary user may not have the last blocks.
const NEARLY_FULL: u64 = 1024 * 1024;

#[derive(Clone)]
pub(super) struct Call {
    pub(super) connection: Arc<Connection>,
    /// "read sftp://host/path"
    pub(super) doing: String,
    /// "sftp://host/path"
    pub(super) url: String,
}

impl Call {
    /// Waits for an answer.
    pub(super) async fn run<T>(
        &self,
        request: impl Future<Output = Result<T, SftpError>>,
    ) -> Result<T, StorageError> {
        self.connection.run(&self.doing, request).await
    }

    /// The same; `None` if there is no such file.
    pub(super) async fn find<T>(
        &self,
        request: impl Future<Output = Result<T, SftpError>>,
    ) -> Result<Option<T>, StorageError> {
        match self.run(request).await {
            Ok(found) => Ok(Some(found)),
            Err(error) if is(&error, StatusCode::NoSuchFile) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What is there, links followed.
    pub(super) async fn stat(&self, path: &str) -> Result<Option<FileAttributes>, StorageError> {
        Ok(self.find(self.connection.session.stat(path)).await?.map(|it| it.attrs))
    }

    /// What is there, if it is a link then that.
    pub(super) async fn lstat(&self, path: &str) -> Result<Option<FileAttributes>, StorageError> {
        Ok(self.find(self.connection.session.lstat(path)).await?.map(|it| it.attrs))
    }

    /// What is there, if it can be read or replaced: never a folder or a device.
    pub(super) async fn regular(&self, path: &str) -> Result<Option<FileAttributes>, StorageError> {
        let Some(attributes) = self.stat(path).await? else { return Ok(None) };
        let what = match kind(&attributes) {
            FileKind::File => return Ok(Some(attributes)),
            FileKind::Folder => format!(
                "{} is a folder, but must be a file: to copy all that is in it, use --recursive",
                self.url
            ),
            FileKind::Link | FileKind::Other => {
                format!("{} is no regular file, but a device or a pipe", self.url)
            }
        };
        Err(StorageError::Unsupported { what })
    }

    pub(super) fn not_found(&self) -> StorageError {
        StorageError::NotFound { what: self.url.clone(), source: None }
    }

    pub(super) fn gone(&self) -> StorageError {
        StorageError::UploadGone { what: self.url.clone() }
    }

    pub(super) fn offers(&self, extension: &str) -> bool {
        self.connection.extensions.contains_key(extension)
    }

    /// Opens a file; `None` if there is none.
    pub(super) async fn open(
        &self,
        path: &str,
        flags: OpenFlags,
        attributes: FileAttributes,
    ) -> Result<Option<OpenFile>, StorageError> {
        let (call, path) = (self.clone(), path.to_owned());
        let connection = Arc::clone(&self.connection);
        let open = async move { connection.session.open(path, flags, attributes).await };
        call.hold(open).await
    }

    /// Opens a folder; `None` if there is none.
    pub(super) async fn open_folder(&self, path: &str) -> Result<Option<OpenFile>, StorageError> {
        let (call, path) = (self.clone(), path.to_owned());
        let connection = Arc::clone(&self.connection);
        call.hold(async move { connection.session.opendir(path).await }).await
    }

    /// Waits for a handle in a task of its own: what the server opens for somebody who is gone must be
    /// closed all the same.
    async fn hold(
        self,
        open: impl Future<Output = Result<Handle, SftpError>> + Send + 'static,
    ) -> Result<Option<OpenFile>, StorageError> {
        let doing = self.doing.clone();
        let opened = tokio::spawn(async move {
            let handles = Arc::clone(&self.connection.handles);
            let permit = handles.acquire_owned().await.ok();
            let Some(opened) = self.find(open).await? else { return Ok(None) };
            if opened.handle.contains(char::REPLACEMENT_CHARACTER) {
                let what =
                    format!("{}: this server's way to name open files is not supported", self.url);
                return Err(StorageError::Unsupported { what });
            }
            Ok(Some(OpenFile { call: self, handle: Some(opened.handle), permit }))
        });
        opened.await.map_err(transport(&doing))?
    }

    /// A request that the protocol itself does not have.
    async fn extended(&self, name: &str, data: Vec<u8>) -> Result<(), StorageError> {
        let request = async {
            match self.connection.session.extended(name, data).await? {
                Packet::Status(status) if status.status_code == StatusCode::Ok => Ok(()),
                Packet::Status(status) => Err(SftpError::Status(status)),
                _ => Err(SftpError::UnexpectedPacket),
            }
        };
        self.connection.run_patiently(DISK_PATIENCE, &self.doing, request).await
    }

    /// Puts one file in the place of another.
    pub(super) async fn replace(&self, from: &str, to: &str) -> Result<(), StorageError> {
        const POSIX_RENAME: &str = "posix-rename@openssh.com";
        if self.offers(POSIX_RENAME) {
            let mut data = Vec::new();
            put_string(&mut data, from.as_bytes());
            put_string(&mut data, to.as_bytes());
            return self.extended(POSIX_RENAME, data).await;
        }
        // The protocol's own never replaces. For a moment there is neither, and the partial file, which
        // is whole, is still there to be renamed if we get no further.
        let session = &self.connection.session;
        self.find(session.remove(to)).await?;
        self.run(session.rename(from, to)).await.map(drop)
    }

    /// What can be found out about a write that failed: SFTP has no code for a full disk.
    pub(super) async fn why(&self, error: StorageError, folder: &str) -> StorageError {
        if !is(&error, StatusCode::Failure) || !self.offers("statvfs@openssh.com") {
            return error;
        }
        let folder = if folder.is_empty() { "." } else { folder };
        let Ok(disk) = self.run(self.connection.session.statvfs(folder)).await else {
            return error;
        };
        let left = disk.blocks_avail.saturating_mul(disk.fragment_size);
        if left < NEARLY_FULL || disk.inodes_avail == 0 && disk.inodes > 0 {
            return explained(error, "no space left on the server's disk", disk_full());
        }
        error
    }
}

/// A file that is open on the server, and closed there when this is dropped.
pub(super) struct OpenFile {
    call: Call,
    handle: Option<String>,
    permit: Option<OwnedSemaphorePermit>,
}

impl OpenFile {
    fn handle(&self) -> &str {
        self.handle.as_deref().unwrap_or_default()
    }

    pub(super) async fn attributes(&self) -> Result<FileAttributes, StorageError> {
        let session = &self.call.connection.session;
        Ok(self.call.run(session.fstat(self.handle())).await?.attrs)
    }

    pub(super) async fn set(&self, attributes: FileAttributes) -> Result<(), StorageError> {
        let session = &self.call.connection.session;
        self.call.run(session.fsetstat(self.handle(), attributes)).await.map(drop)
    }

    /// More names in a folder; `None` after the last.
    pub(super) async fn names(&self) -> Result<Option<Vec<File>>, StorageError> {
        let session = &self.call.connection.session;
        match self.call.run(session.readdir(self.handle())).await {
            Ok(names) => Ok(Some(names.files)),
            Err(error) if is(&error, StatusCode::Eof) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// All bytes of a range; fewer at the end of the file.
    pub(super) async fn read(&self, offset: u64, length: u32) -> Result<Bytes, StorageError> {
        let mut read: Vec<u8> = Vec::new();
        loop {
            let done = read.len() as u32;
            let session = &self.call.connection.session;
            let request = session.read(self.handle(), offset + u64::from(done), length - done);
            let data = match self.call.run(request).await {
                Ok(data) => data.data,
                Err(error) if is(&error, StatusCode::Eof) => break,
                Err(error) => return Err(error),
            };
            // A server that sends nothing, or more than it was asked for, would do so for ever.
            if data.is_empty() || data.len() as u32 > length - done {
                break;
            }
            if read.is_empty() {
                read = data;
            } else {
                read.extend_from_slice(&data);
            }
            if read.len() as u32 == length {
                break;
            }
        }
        Ok(read.into())
    }

    pub(super) async fn write(&self, offset: u64, bytes: &[u8]) -> Result<(), StorageError> {
        let session = &self.call.connection.session;
        self.call.run(session.write(self.handle(), offset, bytes.to_vec())).await.map(drop)
    }

    /// Makes what was written survive a loss of power, where the server can.
    pub(super) async fn sync(&self) -> Result<(), StorageError> {
        if !self.call.offers("fsync@openssh.com") {
            return Ok(());
        }
        let mut data = Vec::new();
        put_string(&mut data, self.handle().as_bytes());
        match self.call.extended("fsync@openssh.com", data).await {
            Err(error) if is(&error, StatusCode::OpUnsupported) => Ok(()),
            // The server's system drops what it could not write: the next call would succeed.
            Err(error) if is(&error, StatusCode::Failure) => Err(explained(
                error,
                "the server could not write to its disk",
                Verdict::stop(Kind::Other, "storage.sync"),
            )),
            result => result,
        }
    }

    /// Copies this file to another, by the server.
    pub(super) async fn copy_to(&self, to: &Self, size: u64) -> Result<(), StorageError> {
        for offset in (0..size).step_by(COPIED_AT_ONCE as usize) {
            let mut data = Vec::new();
            put_string(&mut data, self.handle().as_bytes());
            data.put_u64(offset);
            data.put_u64(COPIED_AT_ONCE.min(size - offset));
            put_string(&mut data, to.handle().as_bytes());
            data.put_u64(offset);
            self.call.extended("copy-data", data).await?;
        }
        Ok(())
    }

    /// Closes it, and says whether all is well: some servers write no sooner.
    pub(super) async fn close(mut self) -> Result<(), StorageError> {
        let Some(handle) = self.handle.take() else { return Ok(()) };
        self.call.run(self.call.connection.session.close(handle)).await.map(drop)
    }
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        let Some(handle) = self.handle.take() else { return };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let (call, permit) = (self.call.clone(), self.permit.take());
            runtime.spawn(async move {
                // Nobody waits for it: the server closes it when the connection ends.
                let _ = call.run(call.connection.session.close(handle)).await;
                drop(permit);
            });
        }
    }
}

fn put_string(data: &mut Vec<u8>, string: &[u8]) {
    data.put_u32(string.len() as u32);
    data.put_slice(string);
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileKind {
    File,
    Folder,
    Link,
    Other,
}

/// From the mode, as POSIX has it (`sys/stat.h`). A server that does not say it means a file.
pub(super) fn kind(attributes: &FileAttributes) -> FileKind {
    match attributes.permissions.map(|mode| mode & 0o170_000) {
        None | Some(0 | 0o100_000) => FileKind::File,
        Some(0o040_000) => FileKind::Folder,
        Some(0o120_000) => FileKind::Link,
        Some(_) => FileKind::Other,
    }
}

/// By size and time in seconds, which is all that the protocol tells.
pub(super) fn version(attributes: &FileAttributes) -> Version {
    Version(format!("{}-{}", attributes.len(), attributes.mtime.unwrap_or_default()))
}

pub(super) fn modified(attributes: &FileAttributes) -> Option<SystemTime> {
    Some(SystemTime::UNIX_EPOCH + Duration::from_secs(attributes.mtime?.into()))
}

pub(super) fn info(attributes: &FileAttributes) -> ObjectInfo {
    ObjectInfo {
        size: attributes.len(),
        modified: modified(attributes),
        version: Some(version(attributes)),
        content_type: None,
        checksums: Checksums::default(),
        job: None,
    }
}

pub(super) fn stored(attributes: &FileAttributes) -> Stored {
    Stored { version: Some(version(attributes)), ..Stored::default() }
}
