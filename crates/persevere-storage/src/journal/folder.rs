//! The folder of the journals.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use sha2::{Digest as _, Sha256};

use super::file::{self, Journal, Opened};
use super::record::{self, Memory};
use crate::error::StorageError;

/// The folder of the journals.
#[derive(Debug, Clone)]
pub(crate) struct Jobs {
    folder: PathBuf,
}

/// A journal that was found.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) path: PathBuf,
    pub(crate) memory: Memory,
    /// Whether a process works on it now.
    pub(crate) is_held: bool,
}

impl Jobs {
    pub(crate) fn at(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// `PERSEVERE_STATE_DIR`, or where the XDG Base Directory Specification puts state.
    pub(crate) fn usual() -> Result<Self, StorageError> {
        let absolute =
            |name: &str| env::var_os(name).map(PathBuf::from).filter(|it| it.is_absolute());
        let folder = absolute("PERSEVERE_STATE_DIR")
            .or_else(|| Some(absolute("XDG_STATE_HOME")?.join("persevere")))
            .or_else(|| Some(env::home_dir()?.join(".local/state/persevere")));
        let folder = folder.ok_or_else(|| {
            StorageError::setup(
                "there is no place to remember transfers in: set PERSEVERE_STATE_DIR or HOME",
            )
        })?;
        Ok(Self::at(folder.join("jobs")))
    }

    /// Opens the journal of a transfer for this process alone, and creates it if there is none. Blocks
    /// this thread for as much as a second, if another process works on it.
    pub(crate) fn open(&self, source: &str, destination: &str) -> Result<Opened, StorageError> {
        create_private(&self.folder).map_err(StorageError::io("create folder", &self.folder))?;
        Journal::open(&self.folder.join(name(source, destination)))
    }

    /// Opens the journal of a transfer as [`open`](Self::open) does, if there is one.
    pub(crate) fn open_existing(
        &self,
        source: &str,
        destination: &str,
    ) -> Result<Option<Opened>, StorageError> {
        match self.folder.join(name(source, destination)).try_exists() {
            Ok(true) => self.open(source, destination).map(Some),
            // What cannot be looked at cannot have been written.
            Ok(false) | Err(_) => Ok(None),
        }
    }

    /// Opens a journal that was found.
    pub(crate) fn open_found(found: &Path) -> Result<Opened, StorageError> {
        Journal::open(found)
    }

    /// All journals, the oldest first. Whoever works on one is not disturbed.
    pub(crate) fn all(&self) -> Result<Vec<Found>, StorageError> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(StorageError::io("read folder", &self.folder))?,
        };
        let mut found = Vec::new();
        for entry in entries {
            let path = entry.map_err(StorageError::io("read folder", &self.folder))?.path();
            if path.extension().is_some_and(|it| it == "journal") {
                // One that has just come to its end is none.
                if let Ok(bytes) = fs::read(&path) {
                    let memory = record::read(&bytes).0;
                    found.push(Found { is_held: file::is_held(&path), path, memory });
                }
            }
        }
        found.sort_by_key(|found| found.memory.header.as_ref().map(|header| header.begun));
        Ok(found)
    }
}

/// The same transfer has the same name, whoever starts it.
fn name(source: &str, destination: &str) -> String {
    let mut hash = Sha256::new();
    for text in [source, destination] {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text);
    }
    let hash = hash.finalize();
    let hexadecimal: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("{hexadecimal}.journal")
}

fn create_private(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
