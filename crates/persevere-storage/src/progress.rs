//! How far a transfer is.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::meter::Meter;

/// How far a transfer is. All figures are of now, and may be asked for from anywhere.
#[derive(Debug)]
pub struct Progress {
    /// `u64::MAX` while nobody knows.
    total: AtomicU64,
    confirmed: AtomicU64,
    resumed: AtomicU64,
    attempts: AtomicU64,
    retries: AtomicU64,
    pub(crate) read: Meter,
    pub(crate) written: Meter,
    counts_reading: bool,
}

impl Progress {
    /// `counts_reading`: whether the line is on the reading side.
    pub(crate) fn new(total: Option<u64>, counts_reading: bool) -> Self {
        Self {
            total: AtomicU64::new(total.unwrap_or(u64::MAX)),
            confirmed: AtomicU64::new(0),
            resumed: AtomicU64::new(0),
            attempts: AtomicU64::new(0),
            retries: AtomicU64::new(0),
            read: Meter::default(),
            written: Meter::default(),
            counts_reading,
        }
    }

    /// Bytes of the object; `None` if nobody knows yet, as with a pipe.
    pub fn total(&self) -> Option<u64> {
        let total = self.total.load(Ordering::Relaxed);
        (total != u64::MAX).then_some(total)
    }

    /// Bytes that have arrived and need not go again. Goes down only if the source has changed, so that
    /// all begins anew.
    pub fn confirmed(&self) -> u64 {
        self.confirmed.load(Ordering::Relaxed)
    }

    /// How many of them had arrived before this process began.
    pub fn resumed(&self) -> u64 {
        self.resumed.load(Ordering::Relaxed)
    }

    /// Bytes that this process has moved over the network, those that had to go twice included.
    pub fn moved(&self) -> u64 {
        if self.counts_reading { self.read.moved() } else { self.written.moved() }
    }

    /// Attempts at requests so far.
    pub fn attempts(&self) -> u64 {
        self.attempts.load(Ordering::Relaxed)
    }

    /// How many of them were repetitions.
    pub fn retries(&self) -> u64 {
        self.retries.load(Ordering::Relaxed)
    }

    /// All begins anew.
    pub(crate) fn restart(&self, total: u64) {
        self.total.store(total, Ordering::Relaxed);
        self.resumed.store(0, Ordering::Relaxed);
        self.confirmed.store(0, Ordering::Relaxed);
    }

    pub(crate) fn confirm(&self, bytes: u64) {
        self.confirmed.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn take_up(&self, bytes: u64) {
        self.resumed.fetch_add(bytes, Ordering::Relaxed);
        self.confirm(bytes);
    }

    /// An attempt begins.
    pub(crate) fn count(&self, is_retry: bool) {
        self.attempts.fetch_add(1, Ordering::Relaxed);
        if is_retry {
            self.retries.fetch_add(1, Ordering::Relaxed);
        }
    }
}
