//! One journal on disk.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{process, thread};

use super::record::{self, Memory, Record};
use crate::error::StorageError;

/// How long a lock is waited for.
const PATIENCE: Duration = Duration::from_secs(1);

/// The journal of a transfer, which this process alone works on: it holds a lock on the file, which
/// the system takes back when the process ends, however it does.
#[derive(Debug)]
pub(crate) struct Journal {
    file: File,
    path: PathBuf,
}

/// A journal, and what stood in it.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) journal: Journal,
    pub(crate) memory: Memory,
}

impl Journal {
    /// Blocks this thread for as much as a second, if another process works on it.
    pub(super) fn open(path: &Path) -> Result<Opened, StorageError> {
        let begun = Instant::now();
        loop {
            let file = options().open(path).map_err(StorageError::io("open", path))?;
            match file.try_lock() {
                Ok(()) => {}
                // Whoever was killed a moment ago may not be gone yet, nor a child that it had.
                Err(TryLockError::WouldBlock) if begun.elapsed() < PATIENCE => {
                    thread::sleep(PATIENCE / 50);
                    continue;
                }
                Err(TryLockError::WouldBlock) => return Err(busy(path)),
                Err(TryLockError::Error(error)) => {
                    return Err(StorageError::io("lock", path)(error));
                }
            }
            // Whoever held it may have come to the end and removed it, between the two.
            if is_still(&file, path) {
                return Self { file, path: path.to_owned() }.take_up();
            }
        }
    }

    fn take_up(mut self) -> Result<Opened, StorageError> {
        let mut bytes = Vec::new();
        self.file.read_to_end(&mut bytes).map_err(self.failed("read"))?;
        let (mut memory, good) = record::read(&bytes);
        if good < bytes.len() {
            self.file.set_len(good as u64).map_err(self.failed("shorten"))?;
        }
        self.file.seek(SeekFrom::Start(good as u64)).map_err(self.failed("read"))?;
        if memory.header.is_none() {
            memory = Memory::default();
        }
        Ok(Opened { journal: self, memory })
    }

    /// Begins anew: whatever stood in it is gone.
    pub(crate) fn begin(&mut self, header: Record) -> Result<(), StorageError> {
        self.file.set_len(0).map_err(self.failed("shorten"))?;
        self.file.rewind().map_err(self.failed("write"))?;
        self.append(&[header, this_process()])?;
        self.sync()
    }

    /// Says that this process works on it now.
    pub(crate) fn take_over(&mut self) -> Result<(), StorageError> {
        self.append(&[this_process()])?;
        self.sync()
    }

    /// Appends records, for which the system may take its time.
    pub(crate) fn append(&mut self, records: &[Record]) -> Result<(), StorageError> {
        let lines: String = records.iter().map(record::line).collect();
        self.file.write_all(lines.as_bytes()).map_err(self.failed("write"))
    }

    /// Returns when all of it is on disk.
    pub(crate) fn sync(&self) -> Result<(), StorageError> {
        self.file.sync_data().map_err(self.failed("write"))?;
        // The name as well, where a folder can be synced.
        let folder = self.path.parent().map(File::open);
        if let Some(Ok(folder)) = folder {
            let _ = folder.sync_all();
        }
        Ok(())
    }

    /// The transfer is over, or given up.
    pub(crate) fn remove(self) -> Result<(), StorageError> {
        fs::remove_file(&self.path).map_err(StorageError::io("remove", &self.path))
    }

    fn failed(&self, doing: &'static str) -> impl FnOnce(std::io::Error) -> StorageError + use<> {
        StorageError::io(doing, self.path.clone())
    }
}

/// Which start of the machine this is. What was written since then is still there, on disk or not.
pub(crate) fn this_boot() -> Option<String> {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(text.trim().to_owned())
}

fn this_process() -> Record {
    Record::Process { id: process::id(), boot: this_boot() }
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

#[cfg(unix)]
fn is_still(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let (Ok(ours), Ok(there)) = (file.metadata(), fs::metadata(path)) else { return false };
    ours.dev() == there.dev() && ours.ino() == there.ino()
}

/// Elsewhere an open file cannot be removed.
#[cfg(not(unix))]
fn is_still(_: &File, _: &Path) -> bool {
    true
}

/// Whether a process holds a journal.
pub(super) fn is_held(path: &Path) -> bool {
    let file = File::open(path);
    file.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

fn busy(path: &Path) -> StorageError {
    let memory = fs::read(path).map(|bytes| record::read(&bytes).0).unwrap_or_default();
    StorageError::Busy { process: memory.process.unwrap_or_default() }
}
