//! Files that come into being: beside their target, and then in its place.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::read::Source;
use super::{Wanted, is_absent, regular, system};
use crate::error::{SYNC, StorageError};
use crate::meter::Meter;
use crate::partial;
use crate::store::{SeenUpload, Stored, Upload, Version};

/// How much is written between two looks at whether it is still wanted.
const WRITTEN_AT_ONCE: usize = 4 * 1024 * 1024;

/// The same, where the system copies by itself.
const COPIED_AT_ONCE: u64 = 256 * 1024 * 1024;

/// A partial file, and where it belongs.
#[derive(Debug)]
pub(super) struct Place {
    target: String,
    partial: PathBuf,
}

/// A partial file that was just made.
pub(super) struct Begun {
    pub(super) id: String,
    place: Place,
    file: File,
}

/// The partial file of an upload.
pub(super) fn path(upload: Upload<'_>) -> Result<Place, StorageError> {
    let (folder, name) = split(upload.key)?;
    let place =
        Place { target: upload.key.into(), partial: format!("{folder}{}", upload.id).into() };
    // It was in a journal, which anybody may have written into.
    if partial::is_of(name, upload.id) { Ok(place) } else { Err(place.gone()) }
}

impl Place {
    fn gone(&self) -> StorageError {
        StorageError::UploadGone { what: self.target.clone() }
    }

    fn failed(&self, doing: &'static str) -> impl FnOnce(io::Error) -> StorageError {
        StorageError::io(doing, &self.partial)
    }
}

/// Makes the partial file, and the folders that are missing on the way to it.
pub(super) fn begin(key: &str, job: &str) -> Result<Begun, StorageError> {
    let (folder, name) = split(key)?;
    let replaced = existing(key)?;
    if !folder.is_empty() {
        fs::create_dir_all(folder).map_err(StorageError::io("create", folder))?;
    }
    for id in partial::names(name, job) {
        let place = Place { target: key.into(), partial: format!("{folder}{id}").into() };
        let mut options = OpenOptions::new();
        system::without_links(options.write(true).create_new(true));
        if let Some(replaced) = &replaced {
            system::as_private_as(&mut options, replaced);
        }
        match options.open(&place.partial) {
            Ok(file) => return Ok(Begun { id, place, file }),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(place.failed("create")(error)),
        }
    }
    Err(StorageError::setup(format!(
        "{key} has too many unfinished uploads: remove {key}.part* that nobody works on"
    )))
}

/// What is there already, if it can be replaced: never a folder or a device.
fn existing(key: &str) -> Result<Option<Metadata>, StorageError> {
    match fs::metadata(key) {
        Ok(metadata) => regular(key, &metadata).map(|()| Some(metadata)),
        // To begin with, so that what is wrong with the path is said where it is used.
        Err(_) => Ok(None),
    }
}

fn split(key: &str) -> Result<(&str, &str), StorageError> {
    partial::split(key).ok_or_else(|| StorageError::Unsupported {
        what: format!("{key:?} names a folder, but must name a file"),
    })
}

/// The partial file, to be written to.
pub(super) fn open(place: &Place) -> Result<File, StorageError> {
    let mut options = OpenOptions::new();
    let file = system::without_links(options.read(true).write(true)).open(&place.partial);
    let file = file.map_err(|error| match is_absent(&error) || system::is_link(&error) {
        true => place.gone(),
        false => place.failed("write")(error),
    })?;
    let metadata = file.metadata().map_err(place.failed("write"))?;
    if metadata.is_file() { Ok(file) } else { Err(place.gone()) }
}

pub(super) fn part(
    place: &Place,
    offset: u64,
    bytes: &[u8],
    meter: &Meter,
    wanted: &Wanted,
) -> Result<(), StorageError> {
    write(place, &mut open(place)?, offset, bytes, meter, wanted)
}

fn write(
    place: &Place,
    file: &mut File,
    offset: u64,
    bytes: &[u8],
    meter: &Meter,
    wanted: &Wanted,
) -> Result<(), StorageError> {
    file.seek(SeekFrom::Start(offset)).map_err(place.failed("write"))?;
    for piece in bytes.chunks(WRITTEN_AT_ONCE) {
        wanted.check(&place.partial)?;
        file.write_all(piece).map_err(place.failed("write"))?;
        meter.add(piece.len() as u64);
    }
    Ok(())
}

pub(super) fn sync(place: &Place) -> Result<(), StorageError> {
    open(place)?.sync_data().map_err(place.failed(SYNC))
}

pub(super) fn finish(place: &Place, length: u64, wanted: &Wanted) -> Result<Stored, StorageError> {
    let file = open(place)?;
    let found = file.metadata().map_err(place.failed("write"))?.len();
    // All parts are in it, as far as anybody knows: somebody else has been at it.
    if found != length {
        return Err(place.gone());
    }
    wanted.check(&place.partial)?;
    replace(place, &file)
}

/// Puts the partial file, which is whole, in the place of the target.
fn replace(place: &Place, file: &File) -> Result<Stored, StorageError> {
    let replaced = existing(&place.target)?;
    if let Some(replaced) = replaced {
        // What was private stays private.
        file.set_permissions(replaced.permissions()).map_err(place.failed("write"))?;
    }
    file.sync_all().map_err(place.failed(SYNC))?;
    fs::rename(&place.partial, &place.target)
        .map_err(StorageError::io("replace", &place.target))?;
    let folder = match Path::new(&place.target).parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    system::sync_folder(folder).map_err(StorageError::io(SYNC, folder))?;
    let metadata = file.metadata().map_err(StorageError::io("look at", &place.target))?;
    Ok(Stored { version: Some(system::version(&metadata)), ..Stored::default() })
}

pub(super) fn put(
    key: &str,
    job: &str,
    bytes: &[u8],
    meter: &Meter,
    wanted: &Wanted,
) -> Result<Stored, StorageError> {
    at_once(key, job, |place, file| write(place, file, 0, bytes, meter, wanted))
}

pub(super) fn copy(
    from: &str,
    version: Option<&Version>,
    to: &str,
    job: &str,
    wanted: &Wanted,
) -> Result<Stored, StorageError> {
    let source = Source::open(from.to_owned(), version.cloned())?;
    at_once(to, job, |place, file| {
        // The system's own copy: it shares the blocks where the file system can.
        while io::copy(&mut (&source.file).take(COPIED_AT_ONCE), file)
            .map_err(place.failed("write"))?
            > 0
        {
            wanted.check(&place.partial)?;
        }
        let permissions = source.file.metadata().map_err(place.failed("write"))?.permissions();
        file.set_permissions(permissions).map_err(place.failed("write"))?;
        source.check()
    })
}

/// Makes a file by one call, of which nothing is left if it fails.
fn at_once(
    key: &str,
    job: &str,
    fill: impl FnOnce(&Place, &mut File) -> Result<(), StorageError>,
) -> Result<Stored, StorageError> {
    let Begun { place, mut file, .. } = begin(key, job)?;
    let result = fill(&place, &mut file).and_then(|()| replace(&place, &file));
    if result.is_err() {
        // What went wrong first is what counts.
        let _ = fs::remove_file(&place.partial);
    }
    result
}

/// The partial files of a key that nothing was ever written to: others are in a journal, or belong to
/// somebody else.
pub(super) fn uploads(key: &str) -> Result<Vec<SeenUpload>, StorageError> {
    let (folder, name) = split(key)?;
    let folder = if folder.is_empty() { "." } else { folder };
    let failed = |error| StorageError::io("list", folder)(error);
    let children = match fs::read_dir(folder) {
        Ok(children) => children,
        Err(error) if is_absent(&error) => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut uploads = Vec::new();
    for child in children {
        let child = child.map_err(failed)?;
        let Ok(id) = child.file_name().into_string() else { continue };
        if !partial::is_of(name, &id) {
            continue;
        }
        match child.metadata() {
            Ok(metadata) if metadata.is_file() && metadata.len() == 0 => {
                let begun = metadata.created().or_else(|_| metadata.modified()).ok();
                uploads.push(SeenUpload { id, begun });
            }
            _ => {}
        }
    }
    Ok(uploads)
}

pub(super) fn abort(place: &Place) -> Result<(), StorageError> {
    match fs::remove_file(&place.partial) {
        Err(error) if !is_absent(&error) => Err(place.failed("remove")(error)),
        _ => Ok(()),
    }
}

pub(super) fn delete(key: &str) -> Result<bool, StorageError> {
    let unlinked = match fs::symlink_metadata(key) {
        Ok(metadata) if metadata.is_dir() => {
            return Err(StorageError::Unsupported {
                what: format!(
                    "{key} is a folder, but must be a file: to remove all that is in it, use --recursive"
                ),
            });
        }
        Ok(metadata) if metadata.is_symlink() => fs::remove_file(key),
        Ok(metadata) => regular(key, &metadata).map(|()| fs::remove_file(key))?,
        Err(error) => Err(error),
    };
    match unlinked {
        Ok(()) => Ok(true),
        Err(error) if is_absent(&error) => Ok(false),
        Err(error) => Err(StorageError::io("remove", key)(error)),
    }
}
