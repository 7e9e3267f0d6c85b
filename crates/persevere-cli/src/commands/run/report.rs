//! What happened, as JSON in a file.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
#[cfg(unix)]
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use persevere::Verdict;
use serde::Serialize;

use super::failure::CommandFailure;
use crate::error::{CliError, reason};
use crate::judge::ending::Ending;

/// The whole run.
#[derive(Debug, Serialize)]
pub(super) struct Report<'a> {
    pub(super) operation: &'a str,
    /// `succeeded`, or how the engine says it ended, such as `attempts_exhausted`.
    pub(super) outcome: &'static str,
    pub(super) exit_code: u8,
    pub(super) elapsed_ms: u64,
    /// How much of that was spent waiting for the network.
    pub(super) network_wait_ms: u64,
    pub(super) attempts: Vec<AttemptReport>,
}

/// One attempt. What does not apply is `null`.
#[derive(Debug, Default, Serialize)]
pub(super) struct AttemptReport {
    pub(super) attempt: u32,
    exit_status: Option<u8>,
    signal: Option<i32>,
    timed_out: bool,
    elapsed_ms: u64,
    kind: Option<&'static str>,
    rule: Option<&'static str>,
    retryable: Option<bool>,
    /// How long the next attempt waits.
    pub(super) delay_ms: Option<u64>,
    /// How long the network was waited for, before the attempt was made again.
    pub(super) network_wait_ms: Option<u64>,
    error: Option<String>,
}

impl AttemptReport {
    pub(super) fn success(attempt: u32, elapsed: Duration) -> Self {
        Self { attempt, exit_status: Some(0), elapsed_ms: milliseconds(elapsed), ..Self::default() }
    }

    pub(super) fn failure(attempt: u32, elapsed: Duration, failure: &CommandFailure) -> Self {
        let (exit_status, signal, timed_out) = match failure.ending {
            Ending::Exited(status) => (Some(status), None, false),
            Ending::Signalled(signal) => (None, Some(signal), false),
            Ending::TimedOut(_) | Ending::DeadlineReached => (None, None, true),
            Ending::NotStarted(_) => (None, None, false),
        };
        let verdict: Verdict = failure.verdict;
        Self {
            attempt,
            exit_status,
            signal,
            timed_out,
            elapsed_ms: milliseconds(elapsed),
            kind: Some(verdict.kind().name()),
            rule: Some(verdict.rule()),
            retryable: Some(verdict.is_retryable()),
            delay_ms: None,
            network_wait_ms: None,
            error: Some(failure.to_string()),
        }
    }
}

pub(super) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The file, opened before anything runs: then a bad name costs nothing.
pub(super) struct ReportFile<'a> {
    path: &'a Path,
    file: File,
}

impl<'a> ReportFile<'a> {
    pub(super) fn create(path: &'a Path) -> Result<Self, CliError> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        // It has the last line of what the command printed, and that may be anything.
        #[cfg(unix)]
        options.mode(0o600);
        let file = options.open(path).map_err(|error| {
            CliError::usage(format!(
                "--report is '{}', but must be a file that can be written: {}",
                path.display(),
                reason(&error)
            ))
        })?;
        Ok(Self { path, file })
    }

    pub(super) fn write(&mut self, report: &Report<'_>) -> Result<(), CliError> {
        let written = serde_json::to_vec_pretty(report).map_err(io::Error::other);
        let written = written.and_then(|mut json| {
            json.push(b'\n');
            self.file.write_all(&json)
        });
        written.map_err(|error| {
            let (path, reason) = (self.path.display(), reason(&error));
            CliError::failed(format!("cannot write the report to '{path}': {reason}"))
        })
    }
}
