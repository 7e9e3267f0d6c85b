//! Lists of folders.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::{is_absent, no_utf8, system};
use crate::error::StorageError;
use crate::store::{Entry, Page};
use crate::walk::{PAGE, Walk};

/// Where a list has got to.
#[derive(Debug)]
pub(super) struct Place {
    prefix: String,
    recursive: bool,
    /// The last key that came.
    after: String,
    walk: Walk<(), PathBuf>,
}

pub(super) fn page(
    prefix: &str,
    recursive: bool,
    after: Option<&str>,
    place: &Mutex<Option<Place>>,
) -> Result<Page, StorageError> {
    let known = place.lock().unwrap_or_else(PoisonError::into_inner).take().filter(|place| {
        place.prefix == prefix && place.recursive == recursive && Some(&*place.after) == after
    });
    let mut walk = match known {
        Some(place) => place.walk,
        None => match begin(prefix, recursive, after)? {
            Begin::File(entry) => return Ok(Page { entries: vec![entry], next: None }),
            Begin::Folder(walk) => walk,
        },
    };
    let mut entries = Vec::new();
    while entries.len() < PAGE {
        let Some((key, ())) = walk.next() else { return Ok(Page { entries, next: None }) };
        if recursive && key.ends_with('/') {
            enter(&mut walk, key)?;
        } else {
            entries.extend(entry(key)?);
        }
    }
    let next = entries.last().map(|entry| entry.key.clone());
    if let Some(after) = next.clone() {
        let place_now = Place { prefix: prefix.to_owned(), recursive, after, walk };
        *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(place_now);
    }
    Ok(Page { entries, next })
}

enum Begin {
    File(Entry),
    Folder(Walk<(), PathBuf>),
}

fn begin(prefix: &str, recursive: bool, after: Option<&str>) -> Result<Begin, StorageError> {
    let path = if prefix.is_empty() { "." } else { prefix };
    let metadata = fs::metadata(path).map_err(|error| match is_absent(&error) {
        true => StorageError::NotFound { what: path.to_owned(), source: Some(error.into()) },
        false => StorageError::io("list", path)(error),
    })?;
    if !metadata.is_dir() {
        super::regular(prefix, &metadata)?;
        return Ok(Begin::File(described(prefix.to_owned(), &metadata)));
    }
    let mut walk = Walk::new(recursive, after);
    let slash = if prefix.is_empty() || prefix.ends_with('/') { "" } else { "/" };
    enter(&mut walk, format!("{prefix}{slash}"))?;
    Ok(Begin::Folder(walk))
}

/// Goes into a folder, if we are not in it already: links make circles.
fn enter(walk: &mut Walk<(), PathBuf>, prefix: String) -> Result<(), StorageError> {
    let path = if prefix.is_empty() { "." } else { &*prefix };
    let failed = |error| StorageError::io("list", path)(error);
    let real = match fs::canonicalize(path) {
        Ok(real) => real,
        Err(error) if is_absent(&error) => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    if walk.is_inside(&real) {
        tracing::warn!(path, "not listed: this link leads to a folder that it is in");
        return Ok(());
    }
    let mut children = Vec::new();
    for child in fs::read_dir(path).map_err(failed)? {
        let child = child.map_err(failed)?;
        let mut name = child.file_name().into_string().map_err(|_| no_utf8(&child.path()))?;
        if is_folder(&child).map_err(failed)? {
            name.push('/');
        }
        children.push((name, ()));
    }
    walk.enter(prefix, real, children);
    Ok(())
}

fn is_folder(child: &fs::DirEntry) -> io::Result<bool> {
    let kind = child.file_type()?;
    if !kind.is_symlink() {
        return Ok(kind.is_dir());
    }
    // One that leads nowhere is told of when its turn comes.
    Ok(fs::metadata(child.path()).is_ok_and(|metadata| metadata.is_dir()))
}

/// `None` for what has gone meanwhile, and for what is neither a file nor a folder.
fn entry(key: String) -> Result<Option<Entry>, StorageError> {
    match fs::metadata(&key) {
        Ok(metadata) if metadata.is_dir() || metadata.is_file() => {
            Ok(Some(described(key, &metadata)))
        }
        Ok(_) => {
            tracing::warn!(path = key, "not listed: it is no regular file");
            Ok(None)
        }
        Err(error) if is_absent(&error) || system::is_link(&error) => {
            if Path::new(&key).is_symlink() {
                tracing::warn!(path = key, "not listed: this link leads nowhere");
            }
            Ok(None)
        }
        Err(error) => Err(StorageError::io("list", key)(error)),
    }
}

fn described(key: String, metadata: &fs::Metadata) -> Entry {
    let is_folder = metadata.is_dir();
    Entry {
        key,
        size: if is_folder { 0 } else { metadata.len() },
        modified: metadata.modified().ok(),
        version: (!is_folder).then(|| system::version(metadata)),
        is_folder,
    }
}
