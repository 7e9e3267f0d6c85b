//! Output that is held back until somebody knows whether it is wanted: in memory, then in a file.

use std::io::{self, Seek, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tempfile::SpooledTempFile;

/// Longer output goes to a file without a name in the folder for temporary files.
const IN_MEMORY: usize = 1024 * 1024;

/// Clones share the same output.
#[derive(Clone)]
pub(crate) struct Spool {
    shared: Arc<Mutex<Held>>,
}

struct Held {
    file: SpooledTempFile,
    /// The first thing that went wrong, such as a full disk.
    failed: Option<io::Error>,
}

impl Spool {
    pub(super) fn new() -> Self {
        let held = Held { file: SpooledTempFile::new(IN_MEMORY), failed: None };
        Self { shared: Arc::new(Mutex::new(held)) }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn hold(&self, bytes: &[u8]) {
        let mut held = self.held();
        if held.failed.is_none() {
            held.failed = held.file.write_all(bytes).err();
        }
    }

    /// Writes what was held back, as far as it could be held.
    pub(crate) fn release(&self, to: &mut dyn Write) -> io::Result<()> {
        let mut held = self.held();
        held.file.rewind()?;
        io::copy(&mut held.file, to)?;
        to.flush()?;
        held.failed.take().map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_output_comes_back_whole() {
        let spool = Spool::new();
        let block = [b'x'; 4096];
        for _ in 0..600 {
            spool.hold(&block);
        }
        let mut released = Vec::new();
        spool.release(&mut released).unwrap();
        assert_eq!(released.len(), 600 * 4096);
    }
}
