//! Folders of this machine, without following a link: what it leads to is not ours to remove.

use std::fs;
use std::path::PathBuf;

use persevere_storage::StorageError;

use super::unreadable;
use crate::storage::filter::Filter;
use crate::storage::selection::{Kind, Selection};

/// Something that is to go.
pub(super) struct Found {
    pub(super) path: String,
    pub(super) is_folder: bool,
}

/// All that a selection means, folders included.
pub(super) async fn below(
    selection: &Selection,
    filter: &Filter,
) -> Result<Vec<Found>, StorageError> {
    let key = &selection.place.key;
    let root = match &selection.kind {
        Kind::Pattern { pattern, .. } => &pattern.folder,
        Kind::Folder { prefix, .. } => prefix,
        // Seen before, as `is_file_or_link`.
        Kind::Object(_) => key,
    };
    let meant = |relative: &str| {
        let matches = match &selection.kind {
            Kind::Pattern { pattern, recursive } => pattern.takes(relative, *recursive),
            _ => true,
        };
        matches && filter.takes(relative)
    };
    let mut found = Vec::new();
    // The folder itself goes with all of it. `dir/` means what is in it, and `.` cannot go.
    if let Kind::Folder { name: Some(_), .. } = &selection.kind
        && filter.is_empty()
    {
        found.push(Found { path: key.clone(), is_folder: true });
    }
    walk(root, &meant, &mut found)?;
    Ok(found)
}

/// Whether it can be removed by itself, whatever a link leads to.
pub(super) fn is_file_or_link(path: &str) -> bool {
    !path.ends_with('/') && fs::symlink_metadata(path).is_ok_and(|it| !it.is_dir())
}

fn walk(
    root: &str,
    meant: &impl Fn(&str) -> bool,
    found: &mut Vec<Found>,
) -> Result<(), StorageError> {
    let mut folders = vec![PathBuf::from(root)];
    while let Some(folder) = folders.pop() {
        let failed = |error| unreadable(&folder, error);
        for child in fs::read_dir(&folder).map_err(failed)? {
            let child = child.map_err(failed)?;
            let is_folder = child.file_type().map_err(failed)?.is_dir();
            let path = child.path();
            if is_folder {
                folders.push(path.clone());
            }
            let Some(path) = path.to_str() else {
                return Err(StorageError::Unsupported {
                    what: format!(
                        "the name {path:?} is not UTF-8, and cannot be a key: rename the file"
                    ),
                });
            };
            let relative = path.strip_prefix(root).unwrap_or(path).trim_start_matches('/');
            if meant(relative) {
                found.push(Found { path: path.to_owned(), is_folder });
            }
        }
    }
    Ok(())
}
