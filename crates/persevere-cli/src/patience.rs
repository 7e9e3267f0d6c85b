//! How long a reader of our output is waited for who has stalled: without end, as every program does,
//! unless a run has a deadline or is told to end. Then it must end, and what is left is lost.

use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// Even when time is up, so long a reader may take who has not stalled.
pub(crate) const LAST_CHANCE: Duration = Duration::from_millis(500);
/// Between two looks whether time is up, while nobody reads.
pub(crate) const LOOK: Duration = Duration::from_millis(20);

static IS_OVER: OnceLock<Box<dyn Fn() -> bool + Send + Sync>> = OnceLock::new();

/// One of our outputs.
pub(crate) struct Stream {
    /// Whether a write was given up: its thread has not come back, and others would queue behind it.
    given_up: AtomicBool,
}

#[cfg_attr(not(unix), allow(dead_code))]
pub(crate) static STDOUT: Stream = Stream { given_up: AtomicBool::new(false) };
pub(crate) static STDERR: Stream = Stream { given_up: AtomicBool::new(false) };

/// From now on, patience ends when this says so.
#[cfg_attr(not(unix), allow(dead_code))]
pub(crate) fn ends_when(is_over: impl Fn() -> bool + Send + Sync + 'static) {
    // There is one run in a process.
    let _first = IS_OVER.set(Box::new(is_over));
}

/// Writes to it in a thread, and waits for that as long as there is patience.
pub(crate) fn write(
    stream: &Stream,
    write: impl FnOnce() -> io::Result<()> + Send + 'static,
) -> io::Result<()> {
    let Some(is_over) = IS_OVER.get() else { return write() };
    let given_up = || Err(io::Error::new(io::ErrorKind::TimedOut, "nobody reads it"));
    if stream.given_up.load(Ordering::Relaxed) {
        return given_up();
    }
    let (done, written) = sync_channel(1);
    thread::Builder::new().name("write".to_owned()).spawn(move || done.send(write()))?;
    let begun = Instant::now();
    loop {
        match written.recv_timeout(LOOK) {
            Ok(result) => return result,
            Err(RecvTimeoutError::Timeout) if !is_over() || begun.elapsed() < LAST_CHANCE => {}
            Err(_) => {
                stream.given_up.store(true, Ordering::Relaxed);
                return given_up();
            }
        }
    }
}
