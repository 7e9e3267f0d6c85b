//! Passes on what a command prints, in a thread of its own, and keeps the end of it.

use std::io::{self, ErrorKind, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::tail::Tail;
use crate::patience::{LAST_CHANCE, LOOK};

/// What the kernel may hold for us in a pipe: Linux, pipe(7), and less elsewhere.
const PIPE_CAPACITY: usize = 64 * 1024;

/// A pipe that is being read.
pub(super) struct Pump {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    at_end: bool,
    /// Everything that was read has been passed on; the thread waits for more.
    idle: bool,
    passed_on: usize,
    tail: Tail,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn update(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.changed.notify_all();
    }
}

impl Pump {
    /// Reads until all writers have closed the pipe, which can be long after the command's end.
    pub(super) fn start(
        mut pipe: impl Read + Send + 'static,
        mut pass_on: impl FnMut(&[u8]) + Send + 'static,
    ) -> io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let of_thread = shared.clone();
        let read_all = move || {
            let mut buffer = vec![0; 16 * 1024];
            loop {
                of_thread.update(|state| state.idle = true);
                let read = match pipe.read(&mut buffer) {
                    Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                    Ok(0) | Err(_) => break,
                    Ok(read) => &buffer[..read],
                };
                of_thread.update(|state| {
                    state.idle = false;
                    state.tail.push(read);
                });
                pass_on(read);
                of_thread.update(|state| state.passed_on += read.len());
            }
            of_thread.update(|state| state.at_end = true);
        };
        thread::Builder::new().name("pump".to_owned()).spawn(read_all)?;
        Ok(Self { shared })
    }

    /// Waits until all that the command itself wrote has been passed on; call it after the command's
    /// end. Somebody else may keep the pipe open: then `grace` must do, and the thread goes on. A slow
    /// reader behind us is waited for until time `is_over`.
    pub(super) fn finish(&self, grace: Duration, is_over: &dyn Fn() -> bool) {
        let begun = Instant::now();
        let mut state = self.shared.state();
        let before = state.passed_on;
        loop {
            let left = grace.saturating_sub(begun.elapsed());
            // Not for more than the pipe could hold.
            let caught_up = state.idle || state.passed_on - before > PIPE_CAPACITY;
            let has_stalled = || begun.elapsed() >= LAST_CHANCE && is_over();
            if state.at_end || (left.is_zero() && (caught_up || has_stalled())) {
                return;
            }
            let wait = if left.is_zero() { LOOK } else { left };
            state = match self.shared.changed.wait_timeout(state, wait) {
                Ok((state, _)) => state,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
    }

    /// The end of what was read.
    pub(super) fn tail(&self) -> Vec<u8> {
        self.shared.state().tail.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::sync::mpsc;

    #[test]
    fn passes_everything_on_and_keeps_the_end() {
        let (reader, mut writer) = io::pipe().unwrap();
        let (sender, received) = mpsc::channel();
        let pump = Pump::start(reader, move |bytes| sender.send(bytes.to_vec()).unwrap()).unwrap();
        writer.write_all(b"one\n\xfftwo").unwrap();
        drop(writer);
        pump.finish(Duration::from_secs(60), &|| false);
        assert_eq!(pump.tail(), b"one\n\xfftwo");
        assert_eq!(received.iter().flatten().collect::<Vec<_>>(), b"one\n\xfftwo");
    }

    #[test]
    fn does_not_wait_for_ever_for_a_pipe_that_stays_open() {
        let (reader, mut writer) = io::pipe().unwrap();
        let (sender, received) = mpsc::channel();
        let pump = Pump::start(reader, move |bytes| sender.send(bytes.to_vec()).unwrap()).unwrap();
        writer.write_all(b"one").unwrap();
        assert_eq!(received.recv().unwrap(), b"one");
        pump.finish(Duration::ZERO, &|| false);
        assert_eq!(pump.tail(), b"one");
        writer.write_all(b"two").unwrap();
        assert_eq!(received.recv().unwrap(), b"two");
    }
}
