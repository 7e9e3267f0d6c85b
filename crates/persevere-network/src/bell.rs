//! How the monitor's thread is woken by others.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Rung by anybody, heard by the monitor's thread. Works without any file descriptor, where there is
/// none to be had; with a line the thread can listen to the kernel at the same time.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    rung: Mutex<bool>,
    ringing: Condvar,
    #[cfg(any(target_os = "linux", target_os = "android"))]
    line: Mutex<Option<std::sync::Arc<line::Line>>>,
}

impl Bell {
    pub(crate) fn ring(&self) {
        *self.lock() = true;
        self.ringing.notify_all();
        #[cfg(any(target_os = "linux", target_os = "android"))]
        if let Some(line) = self.held() {
            line.ring();
        }
    }

    /// Waits until it rings, or this long.
    pub(crate) fn wait(&self, limit: Duration) {
        let waited = self.ringing.wait_timeout_while(self.lock(), limit, |rung| !*rung);
        *waited.unwrap_or_else(PoisonError::into_inner).0 = false;
    }

    fn lock(&self) -> MutexGuard<'_, bool> {
        self.rung.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod line;

#[cfg(any(target_os = "linux", target_os = "android"))]
impl Bell {
    /// Whether it has rung since the last time that somebody asked.
    pub(crate) fn take(&self) -> bool {
        if let Some(line) = self.held() {
            line.silence();
        }
        std::mem::take(&mut *self.lock())
    }

    /// What to poll for it. `None` where there is no file descriptor left. If somebody has closed it,
    /// another one is made.
    pub(crate) fn line(&self) -> Option<std::sync::Arc<line::Line>> {
        let mut held = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        if !held.as_ref().is_some_and(|line| line.is_ours()) {
            *held = line::Line::open().ok().map(std::sync::Arc::new);
        }
        held.clone()
    }

    /// In a child process the line is the parent's too, and each would hear the other's bell.
    pub(crate) fn renew(&self) {
        *self.line.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn held(&self) -> Option<std::sync::Arc<line::Line>> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
