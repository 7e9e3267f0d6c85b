//! Signals that reach this program while a command runs or is waited for, and signals to it.
//!
//! Two races are closed here. A signal must not go to a number that another process has got since:
//! the command is reaped only under the lock under which signals are sent. And a signal that comes
//! while the command is being started must reach it, or keep it from starting.

use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use persevere::CancellationToken;
use rustix::process::{Pid, Signal, getpgid, getpgrp, kill_process};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
use signal_hook::iterator::SignalsInfo;
use signal_hook::iterator::exfiltrator::WithOrigin;
use signal_hook::low_level::siginfo::{Cause, Origin};

use super::family;
use crate::interrupt::ignored_signals;

/// After these no further attempt is made.
const ENDING: [i32; 4] = [SIGINT, SIGTERM, SIGHUP, SIGQUIT];
const PASSED_ON: [i32; 2] = [SIGUSR1, SIGUSR2];

/// The command that runs, and what people have asked for.
#[derive(Clone)]
pub(crate) struct Signals {
    shared: Arc<Shared>,
}

struct Shared {
    running: Mutex<Option<Running>>,
    /// The last signal of [`ENDING`], set inside the signal handler; 0 for none.
    caught: Arc<AtomicUsize>,
    token: CancellationToken,
    has_terminal: bool,
}

struct Running {
    pid: Pid,
    /// A signal came while it was being started, so perhaps it has not got it.
    missed_one: bool,
}

impl Signals {
    /// Listens from now on, in a thread.
    pub(crate) fn listen() -> io::Result<Self> {
        let signals = Self {
            shared: Arc::new(Shared {
                running: Mutex::new(None),
                caught: Arc::default(),
                token: CancellationToken::new(),
                // It opens for those who have a terminal, whichever it is.
                has_terminal: File::open("/dev/tty").is_ok(),
            }),
        };
        // Whoever started us may ignore SIGCHLD, and then the system would forget exit statuses.
        signal_hook::flag::register(SIGCHLD, Arc::default())?;
        let ignored = ignored_signals();
        let heard = |signal: &i32| ignored & (1 << (signal - 1)) == 0;
        let ending: Vec<_> = ENDING.into_iter().filter(heard).collect();
        for &signal in &ending {
            // The numbers are small and positive.
            let number = usize::try_from(signal).unwrap_or_default();
            signal_hook::flag::register_usize(signal, signals.shared.caught.clone(), number)?;
        }
        let all = PASSED_ON.into_iter().filter(heard).chain(ending);
        let mut incoming = SignalsInfo::<WithOrigin>::new(all)?;
        let of_thread = signals.clone();
        let handle_all = move || {
            for origin in &mut incoming {
                of_thread.handle(&origin);
            }
        };
        thread::Builder::new().name("signals".to_owned()).spawn(handle_all)?;
        Ok(signals)
    }

    /// Cancelled when somebody wants us to end.
    pub(crate) fn token(&self) -> CancellationToken {
        self.shared.token.clone()
    }

    /// The signal by which somebody wants us to end.
    pub(crate) fn caught(&self) -> Option<i32> {
        let number = self.shared.caught.load(Ordering::SeqCst);
        i32::try_from(number).ok().filter(|signal| *signal != 0)
    }

    fn running(&self) -> MutexGuard<'_, Option<Running>> {
        let running = self.shared.running.lock();
        running.unwrap_or_else(PoisonError::into_inner)
    }

    fn handle(&self, origin: &Origin) {
        if ENDING.contains(&origin.signal) {
            self.shared.token.cancel();
        }
        let (Some(running), Some(signal)) =
            (&*self.running(), Signal::from_named_raw(origin.signal))
        else {
            return;
        };
        // A key press reaches the whole foreground process group, and so the command if it is in ours.
        let from_keyboard = matches!(origin.signal, SIGINT | SIGQUIT) && !is_sent(origin);
        if from_keyboard && !running.missed_one && group_of(running.pid) == getpgrp() {
            return;
        }
        if ENDING.contains(&origin.signal) && group_of(running.pid) == running.pid {
            family::send_to_group(running.pid, signal);
        } else {
            send(running, signal);
        }
    }

    /// Starts the command, unless somebody wants us to end: then `None`.
    pub(super) fn start(&self, command: &mut Command) -> io::Result<Option<Child>> {
        let mut running = self.running();
        if self.caught().is_some() {
            return Ok(None);
        }
        if !self.shared.has_terminal {
            command.process_group(0);
        }
        let child = command.spawn()?;
        *running = i32::try_from(child.id())
            .ok()
            .and_then(Pid::from_raw)
            .map(|pid| Running { pid, missed_one: self.caught().is_some() });
        Ok(Some(child))
    }

    /// Sends a signal to the command, if it runs.
    pub(super) fn send(&self, signal: Signal) {
        if let Some(running) = &*self.running() {
            send(running, signal);
        }
    }

    /// Takes the exit status of a command that has ended.
    pub(super) fn reap(&self, child: &mut Child) -> io::Result<ExitStatus> {
        let mut running = self.running();
        *running = None;
        child.wait()
    }
}

fn send(running: &Running, signal: Signal) {
    // It may have ended this very moment, or run as somebody else.
    let _gone = kill_process(running.pid, signal);
}

/// The process group of a command that has not been reaped.
fn group_of(pid: Pid) -> Pid {
    getpgid(Some(pid)).unwrap_or(pid)
}

/// Whether a process has sent it, and not the kernel for a key press or a closed terminal.
fn is_sent(origin: &Origin) -> bool {
    matches!(origin.cause, Cause::Sent(_)) || origin.process.is_some_and(|sender| sender.pid != 0)
}
