//! Files that come into being: beside their target, and then in its place.

use futures_util::{StreamExt, stream};
use russh_sftp::protocol::{FileAttributes, OpenFlags};

use super::call::{Call, FileKind, OpenFile, kind, modified, stored, version};
use crate::error::StorageError;
use crate::meter::Meter;
use crate::partial;
use crate::store::{SeenUpload, Stored, Upload, Version};

/// Requests under way at once, of one part: OpenSSH's server takes 2 MiB before it has an answer
/// (`CHAN_SES_WINDOW_DEFAULT`), and what is more waits in our memory.
const WINDOW: usize = 16;

/// Where an upload grows, and where it belongs.
pub(super) struct Place<'a> {
    folder: &'a str,
    target: &'a str,
    partial: String,
}

impl<'a> Place<'a> {
    /// That of an upload.
    pub(super) fn of(call: &Call, upload: Upload<'a>) -> Result<Self, StorageError> {
        let (folder, name) = split(call, upload.key)?;
        // It was in a journal, which anybody may have written into.
        if !partial::is_of(name, upload.id) {
            return Err(call.gone());
        }
        Ok(Self { folder, target: upload.key, partial: format!("{folder}{}", upload.id) })
    }
}

fn split<'a>(call: &Call, key: &'a str) -> Result<(&'a str, &'a str), StorageError> {
    partial::split(key).ok_or_else(|| StorageError::Unsupported {
        what: format!("{} names a folder, but must name a file", call.url),
    })
}

/// Makes the partial file, and the folders that are missing on the way to it.
pub(super) async fn begin<'a>(
    call: &Call,
    key: &'a str,
    job: &str,
) -> Result<(String, Place<'a>, OpenFile), StorageError> {
    let (folder, name) = split(call, key)?;
    let mut attributes = FileAttributes::empty();
    if let Some(replaced) = call.regular(key).await? {
        // What was private stays private, and ours to write.
        attributes.permissions = replaced.permissions.map(|mode| mode & 0o777 | 0o600);
    }
    let flags = OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::EXCLUDE;
    for id in partial::names(name, job) {
        let place = Place { folder, target: key, partial: format!("{folder}{id}") };
        let open = || call.open(&place.partial, flags, attributes.clone());
        let mut opened = open().await;
        if matches!(opened, Ok(None)) {
            make_folders(call, folder).await?;
            opened = open().await;
        }
        match opened {
            Ok(Some(file)) => return Ok((id, place, file)),
            Ok(None) => return Err(call.not_found()),
            // The protocol has no code for "exists already".
            Err(error) => {
                if call.lstat(&place.partial).await?.is_none() {
                    return Err(call.why(error, folder).await);
                }
            }
        }
    }
    Err(StorageError::setup(format!(
        "{0} has too many unfinished uploads: remove {0}.part* that nobody works on",
        call.url
    )))
}

async fn make_folders(call: &Call, folder: &str) -> Result<(), StorageError> {
    let ends = folder.match_indices('/').map(|(end, _)| end);
    for end in ends.filter(|&end| end > 0) {
        let path = &folder[..end];
        if call.stat(path).await?.is_some() {
            continue;
        }
        let session = &call.connection.session;
        if let Err(error) = call.run(session.mkdir(path, FileAttributes::empty())).await {
            // Another part of the same job may have made it.
            if call.stat(path).await?.is_none() {
                return Err(call.why(error, path).await);
            }
        }
    }
    Ok(())
}

/// The partial file, to be written to.
pub(super) async fn open(call: &Call, place: &Place<'_>) -> Result<OpenFile, StorageError> {
    // Whoever can write to the folder could have put a link there.
    match call.lstat(&place.partial).await? {
        Some(attributes) if kind(&attributes) == FileKind::File => {}
        _ => return Err(call.gone()),
    }
    let flags = OpenFlags::READ | OpenFlags::WRITE;
    let file = call.open(&place.partial, flags, FileAttributes::empty()).await?;
    file.ok_or_else(|| call.gone())
}

pub(super) async fn part(
    call: &Call,
    place: &Place<'_>,
    offset: u64,
    bytes: &[u8],
    meter: &Meter,
) -> Result<(), StorageError> {
    let file = open(call, place).await?;
    let written = match write(call, &file, offset, bytes, meter).await {
        Ok(()) => file.close().await,
        Err(error) => Err(error),
    };
    match written {
        Err(error) => Err(call.why(error, place.folder).await),
        Ok(()) => Ok(()),
    }
}

async fn write(
    call: &Call,
    file: &OpenFile,
    offset: u64,
    bytes: &[u8],
    meter: &Meter,
) -> Result<(), StorageError> {
    let step = call.connection.largest_write;
    let writes = (0..bytes.len()).step_by(step).map(|start| async move {
        let piece = &bytes[start..bytes.len().min(start + step)];
        file.write(offset + start as u64, piece).await?;
        meter.add(piece.len() as u64);
        Ok::<_, StorageError>(())
    });
    let mut writes = stream::iter(writes).buffer_unordered(WINDOW);
    while let Some(written) = writes.next().await {
        written?;
    }
    Ok(())
}

pub(super) async fn finish(
    call: &Call,
    place: &Place<'_>,
    length: u64,
) -> Result<Stored, StorageError> {
    let file = open(call, place).await?;
    // All parts are in it, as far as anybody knows: somebody else has been at it.
    if file.attributes().await?.len() != length {
        return Err(call.gone());
    }
    replace(call, place, file).await
}

/// Puts the partial file, which is whole, in the place of the target.
async fn replace(call: &Call, place: &Place<'_>, file: OpenFile) -> Result<Stored, StorageError> {
    if let Some(replaced) = call.regular(place.target).await?
        && let Some(mode) = replaced.permissions
    {
        let mut attributes = FileAttributes::empty();
        attributes.permissions = Some(mode & 0o777);
        file.set(attributes).await?;
    }
    file.sync().await?;
    let attributes = file.attributes().await?;
    file.close().await?;
    call.replace(&place.partial, place.target).await?;
    Ok(stored(&attributes))
}

pub(super) async fn put(
    call: &Call,
    key: &str,
    job: &str,
    bytes: &[u8],
    meter: &Meter,
) -> Result<Stored, StorageError> {
    let (_, place, file) = begin(call, key, job).await?;
    let stored = match write(call, &file, 0, bytes, meter).await {
        Ok(()) => replace(call, &place, file).await,
        Err(error) => Err(error),
    };
    cleaned(call, &place, stored).await
}

pub(super) async fn copy(
    call: &Call,
    from: &str,
    expected: Option<&Version>,
    to: &str,
    job: &str,
) -> Result<Stored, StorageError> {
    if !call.offers("copy-data") {
        return Err(StorageError::Unsupported {
            what: format!("{}: this server cannot copy files by itself", call.url),
        });
    }
    call.regular(from).await?.ok_or_else(|| call.not_found())?;
    let source = call.open(from, OpenFlags::READ, FileAttributes::empty()).await?;
    let source = source.ok_or_else(|| call.not_found())?;
    let before = source.attributes().await?;
    let changed = || StorageError::Changed { what: call.url.clone() };
    if expected.is_some_and(|expected| *expected != version(&before)) {
        return Err(changed());
    }
    let (_, place, file) = begin(call, to, job).await?;
    let copied = async {
        source.copy_to(&file, before.len()).await?;
        let after = source.attributes().await?;
        if version(&after) != version(&before) || file.attributes().await?.len() != before.len() {
            return Err(changed());
        }
        replace(call, &place, file).await
    };
    let copied = copied.await;
    cleaned(call, &place, copied).await
}

/// Leaves nothing behind of a file that was made by one call and failed.
async fn cleaned(
    call: &Call,
    place: &Place<'_>,
    result: Result<Stored, StorageError>,
) -> Result<Stored, StorageError> {
    let Err(error) = result else { return result };
    let error = call.why(error, place.folder).await;
    // On a connection that is gone there is nothing to be done.
    if call.connection.is_alive() {
        let _ = call.run(call.connection.session.remove(&place.partial)).await;
    }
    Err(error)
}

/// The partial files of a key that nothing was ever written to: others are in a journal, or belong to
/// somebody else.
pub(super) async fn uploads(call: &Call, key: &str) -> Result<Vec<SeenUpload>, StorageError> {
    let (folder, name) = split(call, key)?;
    let folder = if folder.is_empty() { "." } else { folder };
    let children = super::list::children(call, folder).await?.unwrap_or_default();
    let orphans = children.into_iter().filter(|(child, attributes)| {
        partial::is_of(name, child)
            && kind(attributes) == FileKind::File
            && attributes.size == Some(0)
    });
    // Nobody has written to them, so that this is when they were made.
    Ok(orphans.map(|(id, attributes)| SeenUpload { id, begun: modified(&attributes) }).collect())
}

pub(super) async fn abort(call: &Call, place: &Place<'_>) -> Result<(), StorageError> {
    call.find(call.connection.session.remove(&place.partial)).await.map(drop)
}

pub(super) async fn delete(call: &Call, key: &str) -> Result<bool, StorageError> {
    match call.lstat(key).await?.as_ref().map(kind) {
        None => Ok(false),
        Some(FileKind::File | FileKind::Link) => {
            Ok(call.find(call.connection.session.remove(key)).await?.is_some())
        }
        Some(FileKind::Folder) => Err(StorageError::Unsupported {
            what: format!(
                "{} is a folder, but must be a file: to remove all that is in it, use --recursive",
                call.url
            ),
        }),
        Some(FileKind::Other) => Err(StorageError::Unsupported {
            what: format!("{} is no regular file, but a device or a pipe", call.url),
        }),
    }
}
