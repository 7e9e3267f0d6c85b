//! Transfers that were begun and not ended.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::error::StorageError;
use crate::journal::{Found, Jobs};
use crate::side::Side;
use crate::storage::Storage;
use crate::transfer::abort;

/// A transfer that was begun and not ended. The same transfer, begun again, goes on where it was.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnfinishedTransfer {
    /// The URL that was read from.
    pub source: String,
    /// The URL that was written to.
    pub destination: String,
    /// The host and port of the destination. `None` for a local file.
    pub endpoint: Option<String>,
    /// When it was begun.
    pub begun: SystemTime,
    /// Bytes of the object; `None` if nobody knows.
    pub size: Option<u64>,
    /// How many of them have arrived.
    pub confirmed: u64,
    /// The process that works on it now.
    pub process: Option<u32>,
    /// Where it is remembered.
    pub journal: PathBuf,
    key: String,
}

impl UnfinishedTransfer {
    /// All that are remembered in a folder, or where they usually are, the oldest first.
    ///
    /// # Errors
    ///
    /// If the folder cannot be read. That there is none is no error.
    pub fn all(state_folder: Option<&Path>) -> Result<Vec<Self>, StorageError> {
        let jobs = state_folder.map_or_else(Jobs::usual, |folder| Ok(Jobs::at(folder)))?;
        Ok(jobs.all()?.into_iter().filter_map(Self::of).collect())
    }

    /// `None` for a journal in which there is nothing yet.
    fn of(found: Found) -> Option<Self> {
        let confirmed = found.memory.confirmed();
        let process = found.memory.process.filter(|_| found.is_held);
        let header = found.memory.header?;
        Some(Self {
            source: header.source.url,
            destination: header.destination.url,
            endpoint: header.destination.endpoint,
            begun: UNIX_EPOCH + Duration::from_millis(header.begun),
            size: header.source.size,
            confirmed,
            process,
            journal: found.path,
            key: header.destination.key,
        })
    }
}

impl Storage {
    /// Gives a transfer to this storage up: what has arrived of it is deleted, and it is forgotten.
    ///
    /// # Errors
    ///
    /// [`Busy`](StorageError::Busy) if a process works on it, [`Setup`](StorageError::Setup) if it went to
    /// another host than this storage's, and whatever the provider says.
    pub async fn give_up(&self, transfer: &UnfinishedTransfer) -> Result<(), StorageError> {
        let opened = Jobs::open_found(&transfer.journal)?;
        // Where nothing was begun, nobody has to be asked.
        if let Some(upload) = &opened.memory.upload {
            let to = self.side(&transfer.key);
            must_be_that_of(transfer, &to)?;
            abort(&to, upload).await?;
        }
        opened.journal.remove()
    }
}

fn must_be_that_of(transfer: &UnfinishedTransfer, to: &Side) -> Result<(), StorageError> {
    let there = (to.url(), to.endpoint());
    if there == (transfer.destination.clone(), transfer.endpoint.clone()) {
        return Ok(());
    }
    let endpoint = transfer.endpoint.as_deref().unwrap_or("this machine");
    Err(StorageError::setup(format!(
        "the transfer to {} was begun at {endpoint}, which is not what the settings say now: name that endpoint, \
         to have what arrived there deleted",
        transfer.destination
    )))
}
