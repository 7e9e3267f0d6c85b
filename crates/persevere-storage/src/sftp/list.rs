//! Lists of folders.

use std::sync::{Mutex, PoisonError};

use russh_sftp::protocol::FileAttributes;

use super::call::{Call, FileKind, kind, modified, version};
use crate::error::StorageError;
use crate::store::{Entry, Page};
use crate::walk::{PAGE, Walk};

/// What a folder is known by: its path without links.
type Real = String;

/// Where a list has got to.
pub(super) struct Place {
    prefix: String,
    recursive: bool,
    /// The last key that came.
    after: String,
    walk: Walk<FileAttributes, Real>,
}

pub(super) async fn page(
    call: &Call,
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
        None => {
            let path = if prefix.is_empty() { "." } else { prefix };
            let found = call.stat(path).await?.ok_or_else(|| call.not_found())?;
            if kind(&found) != FileKind::Folder {
                call.regular(path).await?;
                let entries = vec![described(prefix.to_owned(), &found)];
                return Ok(Page { entries, next: None });
            }
            let mut walk = Walk::new(recursive, after);
            let slash = if prefix.is_empty() || prefix.ends_with('/') { "" } else { "/" };
            enter(call, &mut walk, format!("{prefix}{slash}")).await?;
            walk
        }
    };
    let mut entries = Vec::new();
    while entries.len() < PAGE {
        let Some((key, attributes)) = walk.next() else { return Ok(Page { entries, next: None }) };
        match kind(&attributes) {
            FileKind::Folder if recursive => enter(call, &mut walk, key).await?,
            FileKind::Folder | FileKind::File => entries.push(described(key, &attributes)),
            FileKind::Link => tracing::warn!(path = key, "not listed: this link leads nowhere"),
            FileKind::Other => tracing::warn!(path = key, "not listed: it is no regular file"),
        }
    }
    let next = entries.last().map(|entry| entry.key.clone());
    if let Some(after) = next.clone() {
        let place_now = Place { prefix: prefix.to_owned(), recursive, after, walk };
        *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(place_now);
    }
    Ok(Page { entries, next })
}

/// Goes into a folder, if we are not in it already: links make circles.
async fn enter(
    call: &Call,
    walk: &mut Walk<FileAttributes, Real>,
    prefix: String,
) -> Result<(), StorageError> {
    let path = if prefix.is_empty() { "." } else { &*prefix };
    let Some(real) = call.find(call.connection.session.realpath(path)).await? else {
        return Ok(());
    };
    let real = real.files.into_iter().next().map(|file| file.filename).unwrap_or_default();
    if walk.is_inside(&real) {
        tracing::warn!(path, "not listed: this link leads to a folder that it is in");
        return Ok(());
    }
    // Gone since the folder above was read.
    let Some(mut children) = children(call, path).await? else { return Ok(()) };
    for (name, attributes) in &mut children {
        if kind(attributes) == FileKind::Link
            && let Some(found) = call.stat(&format!("{prefix}{name}")).await?
        {
            *attributes = found;
        }
        if kind(attributes) == FileKind::Folder {
            name.push('/');
        }
    }
    walk.enter(prefix, real, children);
    Ok(())
}

/// All that is in a folder, in the server's order. `None` if there is no such folder.
pub(super) async fn children(
    call: &Call,
    folder: &str,
) -> Result<Option<Vec<(String, FileAttributes)>>, StorageError> {
    let Some(open) = call.open_folder(folder).await? else { return Ok(None) };
    let mut children = Vec::new();
    while let Some(files) = open.names().await? {
        for file in files {
            if !matches!(&*file.filename, "." | "..") {
                children.push((file.filename, file.attrs));
            }
        }
    }
    open.close().await?;
    for (name, _) in &children {
        check(call, folder, name)?;
    }
    Ok(Some(children))
}

/// A server could name files that lead out of the folder, in which we would then write.
fn check(call: &Call, folder: &str, name: &str) -> Result<(), StorageError> {
    let wrong = if name.contains(char::REPLACEMENT_CHARACTER) {
        "is not UTF-8, and cannot be a key: rename the file"
    } else if name.is_empty() || name.contains(['/', '\0']) {
        "can be no name of a file: this server is not to be trusted"
    } else {
        return Ok(());
    };
    let what = format!("{}: the name {name:?} in {folder} {wrong}", call.url);
    Err(StorageError::Unsupported { what })
}

fn described(key: String, attributes: &FileAttributes) -> Entry {
    let is_folder = kind(attributes) == FileKind::Folder;
    Entry {
        key,
        size: if is_folder { 0 } else { attributes.len() },
        modified: modified(attributes),
        version: (!is_folder).then(|| version(attributes)),
        is_folder,
    }
}
