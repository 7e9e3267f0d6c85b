//! How an attempt to run a command ended, if not in success.

use std::fmt;
use std::io::{self, ErrorKind};
use std::time::Duration;

use persevere::HumanDuration;

use crate::error::reason;
use crate::exit_status::{CANNOT_RUN, NOT_FOUND, SIGNALLED, TIMED_OUT};

/// How an attempt ended.
#[derive(Debug)]
pub(crate) enum Ending {
    Exited(u8),
    /// By the number of the signal.
    Signalled(i32),
    /// Stopped by us, at the attempt timeout.
    TimedOut(Duration),
    /// Stopped by us, at the deadline.
    DeadlineReached,
    NotStarted(StartError),
}

impl Ending {
    /// The exit status that a shell would give for it.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Exited(status) => *status,
            Self::Signalled(signal) => signal_code(*signal),
            Self::TimedOut(_) | Self::DeadlineReached => TIMED_OUT,
            Self::NotStarted(error) => error.exit_code(),
        }
    }
}

/// 130 for SIGINT, and so on.
pub(crate) fn signal_code(signal: i32) -> u8 {
    let signal = u8::try_from(signal).unwrap_or(u8::MAX - SIGNALLED);
    SIGNALLED.saturating_add(signal)
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(status) => write!(f, "exit status {status}"),
            Self::Signalled(signal) => match signal_name(*signal) {
                Some(name) => write!(f, "killed by signal {signal} ({name})"),
                None => write!(f, "killed by signal {signal}"),
            },
            Self::TimedOut(limit) => write!(f, "timed out after {}", HumanDuration(*limit)),
            Self::DeadlineReached => f.write_str("still running at the deadline"),
            Self::NotStarted(error) => error.fmt(f),
        }
    }
}

/// Whether a signal is how people and service managers ask a program to end.
pub(crate) fn is_wish(signal: i32) -> bool {
    let name = signal_name(signal);
    matches!(name, Some("SIGHUP" | "SIGINT" | "SIGQUIT" | "SIGTERM"))
}

pub(crate) fn signal_name(signal: i32) -> Option<&'static str> {
    #[cfg(unix)]
    return signal_hook::low_level::signal_name(signal);
    #[cfg(not(unix))]
    None
}

/// The command could not be started at all.
#[derive(Debug)]
pub(crate) struct StartError {
    program: String,
    cause: io::Error,
    /// The program is there, so something else is not: its interpreter.
    exists: bool,
}

impl StartError {
    pub(crate) fn new(program: &std::ffi::OsStr, cause: io::Error) -> Self {
        let path = std::path::Path::new(program);
        Self {
            program: program.to_string_lossy().into_owned(),
            cause,
            exists: path.components().count() > 1 && path.exists(),
        }
    }

    pub(crate) fn cause(&self) -> &io::Error {
        &self.cause
    }

    pub(crate) fn exit_code(&self) -> u8 {
        match self.cause.kind() {
            ErrorKind::NotFound => NOT_FOUND,
            _ => CANNOT_RUN,
        }
    }

    /// Whether it is the program's fault: a system that is out of processes recovers.
    pub(crate) fn is_final(&self) -> bool {
        use ErrorKind::{ArgumentListTooLong, InvalidInput, NotADirectory};
        matches!(self.cause.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied)
            || matches!(self.cause.kind(), ArgumentListTooLong | InvalidInput | NotADirectory)
            || self.has_bad_format()
    }

    fn has_bad_format(&self) -> bool {
        #[cfg(unix)]
        return self.cause.raw_os_error() == Some(rustix::io::Errno::NOEXEC.raw_os_error());
        #[cfg(not(unix))]
        false
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let program = &self.program;
        let is_path = program.contains('/');
        match self.cause.kind() {
            ErrorKind::NotFound if self.exists => {
                write!(f, "cannot run '{program}': the interpreter in its first line is missing")
            }
            ErrorKind::NotFound if is_path => write!(f, "cannot run '{program}': no such file"),
            ErrorKind::NotFound => write!(f, "cannot run '{program}': not found in PATH"),
            ErrorKind::PermissionDenied => {
                write!(f, "cannot run '{program}': permission denied, perhaps it is not executable")
            }
            _ if self.has_bad_format() => write!(
                f,
                "cannot run '{program}': not a program, or a script without a first line #!"
            ),
            _ => write!(f, "cannot run '{program}': {}", reason(&self.cause)),
        }
    }
}
