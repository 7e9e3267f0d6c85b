//! Standard output and standard error. Nothing here panics when the reader has gone away.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use indicatif::MultiProgress;

use crate::error::{CliError, reason};
use crate::patience::{self, STDERR};

/// Writes results. A reader who has seen enough (`| head`) is no error.
pub(crate) fn print(bytes: &[u8]) -> Result<(), CliError> {
    ignore_closed(write_results(bytes), "standard output")
}

/// Past Rust's own standard output, which says nothing when it is not open for writing.
#[cfg(unix)]
fn write_results(bytes: &[u8]) -> io::Result<()> {
    use std::os::fd::AsFd;
    let stdout = io::stdout().lock().as_fd().try_clone_to_owned()?;
    fs::File::from(stdout).write_all(bytes)
}

#[cfg(not(unix))]
fn write_results(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes).and_then(|()| stdout.flush())
}

/// The same, for results that go on for ever: whether anybody still reads them.
pub(crate) fn print_on(bytes: &[u8]) -> Result<bool, CliError> {
    match write_results(bytes) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        written => ignore_closed(written, "standard output").map(|()| true),
    }
}

/// Whether there is still somebody who could read more results, as far as the system tells: a pipe
/// whose reader has gone is in error.
#[cfg(unix)]
pub(crate) fn is_read() -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let stdout = io::stdout();
    let mut watched = [PollFd::new(&stdout, PollFlags::empty())];
    let at_once = Timespec::default();
    match poll(&mut watched, Some(&at_once)) {
        Ok(_) => !watched[0].revents().intersects(PollFlags::ERR | PollFlags::HUP),
        Err(_) => true,
    }
}

#[cfg(not(unix))]
pub(crate) fn is_read() -> bool {
    true
}

/// Turns a failed write into an error, unless the reader has gone.
pub(crate) fn ignore_closed(written: io::Result<()>, place: &str) -> Result<(), CliError> {
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            let reason = reason(&error);
            Err(CliError::failed(format!("cannot write to {place}: {reason}")))
        }
        _ => Ok(()),
    }
}

/// A value as JSON on one line.
pub(crate) fn json(value: &impl serde::Serialize) -> Result<String, CliError> {
    serde_json::to_string(value)
        .map_err(|error| CliError::failed(format!("cannot write JSON: {error}")))
}

/// Whether the last byte that we passed on to standard error was in the middle of a line. Never held
/// while writing: a reader who has stalled must not stall those who only ask.
static IN_LINE: Mutex<bool> = Mutex::new(false);

fn set_in_line(value: bool) -> bool {
    let mut in_line = IN_LINE.lock().unwrap_or_else(PoisonError::into_inner);
    std::mem::replace(&mut in_line, value)
}

/// Passes a command's bytes on to standard error as they are.
pub(crate) fn forward(bytes: &[u8]) {
    let Some(&last) = bytes.last() else { return };
    set_in_line(last != b'\n');
    // Where nobody reads, the command goes on all the same.
    let _closed = io::stderr().write_all(bytes);
}

/// A line of our own on standard error, never glued to a line that a command has not finished, nor
/// drawn through progress bars.
pub(crate) fn error_line(line: &str) {
    let start = if set_in_line(false) { "\n" } else { "" };
    let line = format!("{start}{line}\n");
    let write = move || io::stderr().write_all(line.as_bytes());
    let bars = BARS.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let _lost = match bars {
        Some(bars) => bars.suspend(|| patience::write(&STDERR, write)),
        None => patience::write(&STDERR, write),
    };
}

/// Somebody else has left standard error in the middle of a line.
pub(crate) fn left_in_line() {
    set_in_line(true);
}

/// Writes what an option names a file for; `-` is standard output.
pub(crate) fn write_file(option: &str, path: &Path, content: &[u8]) -> Result<(), CliError> {
    if is_standard_output(path) {
        return print(content);
    }
    fs::write(path, content).map_err(|error| unwritable(option, path, &error))
}

/// The same without writing anything yet, where that comes late.
pub(crate) fn check_file(option: &str, path: &Path) -> Result<(), CliError> {
    if is_standard_output(path) {
        return Ok(());
    }
    let opened = fs::OpenOptions::new().append(true).create(true).open(path);
    opened.map(drop).map_err(|error| unwritable(option, path, &error))
}

pub(crate) fn is_standard_output(path: &Path) -> bool {
    path.as_os_str() == "-"
}

fn unwritable(option: &str, path: &Path, error: &io::Error) -> CliError {
    CliError::usage(format!(
        "{option} is '{}', but must be a file that can be written: {}",
        path.display(),
        reason(error)
    ))
}

/// A question, after which the answer stands in the same line.
pub(crate) fn prompt(text: &str) {
    let text = text.to_owned();
    let _lost = patience::write(&STDERR, move || io::stderr().write_all(text.as_bytes()));
}

/// The progress bars that stand at the foot of the terminal.
static BARS: Mutex<Option<MultiProgress>> = Mutex::new(None);

/// From now on, lines go above these bars.
pub(crate) fn keep_above(bars: MultiProgress) {
    *BARS.lock().unwrap_or_else(PoisonError::into_inner) = Some(bars);
}
