//! One attempt to run a command: starts it, passes on what it prints, stops it when its time is up.

mod family;
mod processes;
mod pump;
mod signals;
mod spool;
mod tail;

use std::ffi::OsString;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use persevere::{Attempt, RetryPolicy};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, waitid};

use crate::judge::ending::{Ending, StartError};
use crate::output;
use crate::settings::variables;
use family::Family;
use pump::Pump;
pub(crate) use signals::Signals;
pub(crate) use spool::Spool;

/// How long the output of a command that has ended is waited for, when another process still has
/// its standard error open.
const GRACE: Duration = Duration::from_secs(1);
/// The same for a command that we have ended, with all that it had started: whoever is left has gone
/// out of its way.
const GRACE_AFTER_STOP: Duration = Duration::from_millis(100);
/// From the signal that cannot be refused to the end: the system may take its time.
const DYING: Duration = Duration::from_secs(1);

/// A command, and how to treat it.
pub(crate) struct Supervisor {
    pub(crate) program: OsString,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) output: Output,
    /// From the polite signal to the one that cannot be refused.
    pub(crate) kill_after: Duration,
    pub(crate) attempt_timeout: Option<Duration>,
    pub(crate) signals: Signals,
}

/// What becomes of standard error, and of standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    /// Standard error goes through us, byte for byte; standard output is ours.
    Forwarded,
    /// Both are ours: only the exit status can tell about a failure.
    Inherited,
    /// Both are held back.
    HeldBack,
}

/// How an attempt went.
pub(crate) struct Attempted {
    /// `None` for success.
    pub(crate) ending: Option<Ending>,
    /// The end of what it printed on standard error.
    pub(crate) stderr: Vec<u8>,
    pub(crate) held: Option<Held>,
}

/// What was held back.
#[derive(Clone)]
pub(crate) struct Held {
    pub(crate) stdout: Spool,
    pub(crate) stderr: Spool,
}

impl Supervisor {
    /// Runs the command once. `None` if somebody wanted us to end before it started.
    pub(crate) fn attempt(&self, attempt: Attempt) -> Option<Attempted> {
        self.try_attempt(attempt).unwrap_or_else(|error| {
            let error = StartError::new(&self.program, error);
            Some(Attempted {
                ending: Some(Ending::NotStarted(error)),
                stderr: Vec::new(),
                held: None,
            })
        })
    }

    fn try_attempt(&self, attempt: Attempt) -> io::Result<Option<Attempted>> {
        let started = Instant::now();
        let Some(mut child) = self.signals.start(&mut self.command(attempt))? else {
            return Ok(None);
        };
        let held = (self.output == Output::HeldBack)
            .then(|| Held { stdout: Spool::new(), stderr: Spool::new() });
        let watched = start_pumps(&mut child, held.as_ref())
            .and_then(|pumps| Ok((pumps, watch_exit(child.id())?)));
        let (pumps, exited) = match watched {
            Ok(watched) => watched,
            Err(error) => {
                // Out of threads: better no command than one that nobody looks after.
                self.signals.send(Signal::KILL);
                self.signals.reap(&mut child)?;
                return Err(error);
            }
        };
        let in_time = wait_for(&exited, attempt.limit());
        if !in_time {
            self.stop(Family::of(Pid::from_child(&child)), &exited);
        }
        let status = self.signals.reap(&mut child)?;
        let grace = if in_time { GRACE } else { GRACE_AFTER_STOP };
        let is_over = || {
            let limit = attempt.limit();
            limit.is_some_and(|limit| started.elapsed() >= limit) || self.signals.caught().is_some()
        };
        pumps.iter().for_each(|pump| pump.finish(grace, &is_over));
        Ok(Some(Attempted {
            ending: match in_time {
                true => ending(status),
                false => Some(self.out_of_time(attempt)),
            },
            stderr: pumps.first().map(Pump::tail).unwrap_or_default(),
            held,
        }))
    }

    fn command(&self, attempt: Attempt) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments);
        let (stdout, stderr) = match self.output {
            Output::Forwarded => (Stdio::inherit(), Stdio::piped()),
            Output::Inherited => (Stdio::inherit(), Stdio::inherit()),
            Output::HeldBack => (Stdio::piped(), Stdio::piped()),
        };
        command.stdin(Stdio::inherit()).stdout(stdout).stderr(stderr);
        let max_attempts = match attempt.max_attempts() {
            RetryPolicy::UNLIMITED_ATTEMPTS => "unlimited".to_owned(),
            limited => limited.to_string(),
        };
        command
            .env(variables::ATTEMPT, attempt.number().to_string())
            .env(variables::MAX_ATTEMPTS, max_attempts);
        command
    }

    /// Ends the command and all that it has started: the next attempt must not run beside it.
    fn stop(&self, mut family: Family, exited: &Receiver<()>) {
        let kill_at = Instant::now() + self.kill_after;
        family.send(Signal::TERM);
        // One that is stopped could not even die.
        family.send(Signal::CONT);
        if wait_for(exited, Some(self.kill_after)) && family.ends_by(kill_at) {
            return;
        }
        family.send(Signal::KILL);
        wait_for(exited, None);
        family.ends_by(Instant::now() + DYING);
    }

    /// Which limit it was that [`Attempt::limit`] gave.
    fn out_of_time(&self, attempt: Attempt) -> Ending {
        match self.attempt_timeout {
            Some(timeout) if attempt.limit() >= Some(timeout) => Ending::TimedOut(timeout),
            _ => Ending::DeadlineReached,
        }
    }
}

/// The pump of standard error comes first.
fn start_pumps(child: &mut Child, held: Option<&Held>) -> io::Result<Vec<Pump>> {
    let mut pumps = Vec::new();
    if let Some(pipe) = child.stderr.take() {
        pumps.push(match held {
            Some(Held { stderr, .. }) => {
                let spool = stderr.clone();
                Pump::start(pipe, move |bytes| spool.hold(bytes))?
            }
            None => Pump::start(pipe, output::forward)?,
        });
    }
    if let (Some(pipe), Some(Held { stdout, .. })) = (child.stdout.take(), held) {
        let spool = stdout.clone();
        pumps.push(Pump::start(pipe, move |bytes| spool.hold(bytes))?);
    }
    Ok(pumps)
}

/// Tells when the command has ended, without reaping it.
fn watch_exit(id: u32) -> io::Result<Receiver<()>> {
    let (sender, receiver) = channel();
    let pid = i32::try_from(id).ok().and_then(Pid::from_raw);
    let watch = move || {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        if let Some(pid) = pid {
            while waitid(WaitId::Pid(pid), options).err() == Some(Errno::INTR) {}
        }
        // Nobody listens any more only if the attempt has ended.
        let _ended = sender.send(());
    };
    thread::Builder::new().name("exit".to_owned()).spawn(watch)?;
    Ok(receiver)
}

/// Whether it happened in time.
fn wait_for(exited: &Receiver<()>, limit: Option<Duration>) -> bool {
    match limit {
        None => {
            let _ended = exited.recv();
            true
        }
        Some(limit) => exited.recv_timeout(limit) != Err(RecvTimeoutError::Timeout),
    }
}

fn ending(status: ExitStatus) -> Option<Ending> {
    match (status.code(), status.signal()) {
        (Some(0), _) => None,
        // A process has eight bits for its status.
        (Some(code), _) => Some(Ending::Exited(code.to_le_bytes()[0])),
        (None, signal) => Some(Ending::Signalled(signal.unwrap_or_default())),
    }
}
