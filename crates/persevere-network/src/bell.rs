//! How the monitor's thread is woken by others.

#[cfg(any(target_os = "linux", target_os = "android"))]
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Rung by anybody, heard by the monitor's thread. Works without any file descriptor, where there is
/// none to be had; with one the thread can listen to the kernel at the same time.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    rung: Mutex<bool>,
    ringing: Condvar,
    #[cfg(any(target_os = "linux", target_os = "android"))]
    event: std::sync::OnceLock<OwnedFd>,
}

impl Bell {
    pub(crate) fn ring(&self) {
        *self.lock() = true;
        self.ringing.notify_all();
        #[cfg(any(target_os = "linux", target_os = "android"))]
        if let Some(event) = self.event.get() {
            // Full or gone: then the thread is awake, or waits without it.
            let _rung = rustix::io::write(event, &1_u64.to_ne_bytes());
        }
    }

    /// Waits until it rings, or this long.
    pub(crate) fn wait(&self, limit: Duration) {
        let waited = self.ringing.wait_timeout_while(self.lock(), limit, |rung| !*rung);
        *waited.unwrap_or_else(PoisonError::into_inner).0 = false;
    }

    /// Whether it has rung since the last time that somebody asked.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub(crate) fn take(&self) -> bool {
        if let Some(event) = self.event.get() {
            let _silenced = rustix::io::read(event, &mut [0; 8]);
        }
        std::mem::take(&mut *self.lock())
    }

    /// What to poll for it. `None` where there is no file descriptor left.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub(crate) fn event(&self) -> Option<BorrowedFd<'_>> {
        use rustix::event::{EventfdFlags, eventfd};
        if self.event.get().is_none() {
            let event = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).ok()?;
            let _already_there = self.event.set(event);
        }
        self.event.get().map(AsFd::as_fd)
    }

    fn lock(&self) -> MutexGuard<'_, bool> {
        self.rung.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
