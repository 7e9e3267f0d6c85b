//! What has become of each file, and of all of them.

use std::io::{IsTerminal, stderr};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use persevere_storage::{StorageError, Summary};
use serde::Serialize;
use tracing::info;

use crate::error::{CliError, USAGE};
use crate::output;
use crate::storage::format;
use crate::storage::session::{self, Failure, Session};

/// Whether bars can be drawn, and somebody wants to hear of anything at all.
pub(crate) fn can_draw() -> bool {
    stderr().is_terminal() && tracing::enabled!(tracing::Level::ERROR)
}

/// What has become of one file.
#[derive(Debug)]
pub(super) enum Outcome {
    Copied(Box<Summary>),
    Skipped {
        bytes: u64,
    },
    WouldCopy {
        bytes: u64,
    },
    Failed {
        reason: String,
        /// Whether it was not the file, but what the user has set.
        by_settings: bool,
    },
    /// Neither done nor failed: the whole command was ended.
    Stopped,
}

impl Outcome {
    pub(super) fn failed(error: &StorageError) -> Self {
        let by_settings = session::is_setup(error);
        Self::Failed { reason: session::text(error), by_settings }
    }

    /// Nothing was tried.
    pub(super) fn refused(reason: String) -> Self {
        Self::Failed { reason, by_settings: false }
    }
}

/// All files so far.
#[derive(Debug)]
pub(super) struct Tally {
    started: Instant,
    json: bool,
    copied: u64,
    skipped: u64,
    bytes: u64,
    moved: u64,
    sent_again: u64,
    resumed: u64,
    attempts: u64,
    retries: u64,
    crc64nvme: Option<u64>,
    source_verified: bool,
    destination_verified: bool,
    failures: Vec<String>,
    failed_by_settings: usize,
}

/// What copies have come to.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Figures {
    pub(crate) resumed: u64,
    pub(crate) retries: u64,
}

/// A file, as JSON. What does not apply is `null`.
#[derive(Debug, Default, Serialize)]
struct FileJson<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    status: &'static str,
    from: &'a str,
    to: &'a str,
    bytes: Option<u64>,
    #[serde(flatten)]
    figures: Option<FiguresJson>,
    error: Option<&'a str>,
}

/// All files, as JSON.
#[derive(Debug, Serialize)]
struct SummaryJson {
    #[serde(rename = "type")]
    kind: &'static str,
    status: &'static str,
    files: u64,
    skipped: u64,
    failed: usize,
    bytes: u64,
    #[serde(flatten)]
    figures: FiguresJson,
}

#[derive(Debug, Serialize)]
struct FiguresJson {
    elapsed_ms: u64,
    bytes_per_second: Option<u64>,
    attempts: u64,
    retries: u64,
    moved_bytes: u64,
    sent_again_bytes: u64,
    resumed_bytes: u64,
    crc64nvme: Option<String>,
    source_verified: bool,
    destination_verified: bool,
}

impl Tally {
    pub(super) fn new(json: bool) -> Self {
        Self {
            started: Instant::now(),
            json,
            copied: 0,
            skipped: 0,
            bytes: 0,
            moved: 0,
            sent_again: 0,
            resumed: 0,
            attempts: 0,
            retries: 0,
            crc64nvme: None,
            source_verified: true,
            destination_verified: true,
            failures: Vec::new(),
            failed_by_settings: 0,
        }
    }

    pub(super) fn note(&mut self, from: &str, to: &str, outcome: &Outcome) -> Result<(), CliError> {
        let mut json = FileJson { kind: "file", from, to, ..FileJson::default() };
        match outcome {
            Outcome::Copied(summary) => {
                self.add(summary);
                json.status = "copied";
                json.bytes = Some(summary.bytes);
                json.figures = Some(FiguresJson::of(summary));
            }
            Outcome::Skipped { bytes } => {
                self.skipped += 1;
                (json.status, json.bytes) = ("skipped", Some(*bytes));
            }
            Outcome::WouldCopy { bytes } => {
                self.copied += 1;
                self.bytes += bytes;
                (json.status, json.bytes) = ("would_copy", Some(*bytes));
                if !self.json {
                    let line = format!("{from} -> {to}\n");
                    return output::print(line.as_bytes());
                }
            }
            Outcome::Failed { reason, by_settings } => {
                // Most reasons name the file already.
                let line = match reason.contains(from) {
                    true => reason.clone(),
                    false => format!("{from}: {reason}"),
                };
                self.failures.push(line);
                self.failed_by_settings += usize::from(*by_settings);
                (json.status, json.error) = ("failed", Some(reason.as_str()));
            }
            Outcome::Stopped => json.status = "stopped",
        }
        if self.json {
            output::print((output::json(&json)? + "\n").as_bytes())?;
        }
        Ok(())
    }

    /// What all files together have come to, if all went well.
    pub(super) fn figures(&self) -> Option<Figures> {
        let &Self { resumed, retries, .. } = self;
        self.failures.is_empty().then_some(Figures { resumed, retries })
    }

    fn add(&mut self, summary: &Summary) {
        self.copied += 1;
        self.bytes += summary.bytes;
        self.moved += summary.moved;
        self.sent_again += sent_again(summary);
        self.resumed += summary.resumed;
        self.attempts += summary.attempts;
        self.retries += summary.retries;
        self.crc64nvme = summary.crc64nvme;
        self.source_verified &= summary.verified.source;
        self.destination_verified &= summary.verified.destination;
    }

    /// Tells of all of it. `ended` is what ended it before its time.
    pub(super) fn finish(
        self,
        session: &Session,
        ended: Option<Failure>,
        dry_run: bool,
    ) -> Result<ExitCode, Failure> {
        // Whatever failed on the way out, it was the signal that ended it.
        let ended =
            ended.map(|it| if session.is_interrupted() { Failure::Interrupted } else { it });
        if self.json {
            output::print(
                (output::json(&self.json(ended.as_ref(), session.is_interrupted()))? + "\n")
                    .as_bytes(),
            )?;
        }
        // Where nothing was copied, what comes below says all.
        if self.copied + self.skipped > 0 || (ended.is_none() && self.failures.is_empty()) {
            self.log(dry_run);
        }
        for failure in &self.failures {
            output::error_line(&format!("error: {}", crate::text::one_line(failure)));
        }
        match (ended, self.failures.len() as u64) {
            // A failure that has ended it all is told of already.
            (Some(Failure::Interrupted), failed) if !session.is_interrupted() && failed > 0 => {
                Ok(self.failure())
            }
            (Some(ended), _) => Err(ended),
            (None, 0) => Ok(ExitCode::SUCCESS),
            (None, failed) if self.copied + self.skipped > 0 => {
                let all = failed + self.copied + self.skipped;
                output::error_line(&format!("error: {failed} of {all} files were not copied"));
                Ok(ExitCode::FAILURE)
            }
            (None, _) => Ok(self.failure()),
        }
    }

    /// The exit status where something has failed.
    fn failure(&self) -> ExitCode {
        let is_usage =
            self.copied + self.skipped == 0 && self.failed_by_settings == self.failures.len();
        if is_usage { ExitCode::from(USAGE) } else { ExitCode::FAILURE }
    }

    fn log(&self, dry_run: bool) {
        let size = format!("{}, {}", format::count(self.copied, "file"), format::bytes(self.bytes));
        let skipped = (self.skipped > 0).then_some(self.skipped);
        if dry_run {
            info!(skipped, "would copy {size}");
            return;
        }
        let elapsed = self.started.elapsed();
        let rate = format::rate(self.moved, elapsed);
        let rate = rate.filter(|rate| *rate > 0).map(|rate| format!("{}/s", format::bytes(rate)));
        let crc = self.crc64nvme.filter(|_| self.copied == 1).map(|it| format!("{it:016x}"));
        info!(
            elapsed = format::span(elapsed),
            speed = rate,
            skipped,
            attempts = self.attempts,
            retries = self.retries,
            sent_again = format::bytes(self.sent_again),
            resumed = format::bytes(self.resumed),
            crc64nvme = crc,
            verified = (self.copied > 0).then(|| self.verified()),
            "copied {size}"
        );
    }

    /// Who has compared a checksum of every file.
    fn verified(&self) -> &'static str {
        match (self.source_verified, self.destination_verified) {
            (true, true) => "source and destination",
            (true, false) => "source",
            (false, true) => "destination",
            (false, false) => "neither side keeps checksums",
        }
    }

    fn json(&self, ended: Option<&Failure>, is_interrupted: bool) -> SummaryJson {
        let elapsed = self.started.elapsed();
        let (one, some) = (self.copied == 1, self.copied > 0);
        SummaryJson {
            kind: "summary",
            status: match ended {
                Some(Failure::OutOfTime) => "deadline",
                Some(Failure::Interrupted) if is_interrupted => "interrupted",
                _ if self.failures.is_empty() => "succeeded",
                _ => "failed",
            },
            files: self.copied,
            skipped: self.skipped,
            failed: self.failures.len(),
            bytes: self.bytes,
            figures: FiguresJson {
                elapsed_ms: milliseconds(elapsed),
                bytes_per_second: format::rate(self.moved, elapsed),
                attempts: self.attempts,
                retries: self.retries,
                moved_bytes: self.moved,
                sent_again_bytes: self.sent_again,
                resumed_bytes: self.resumed,
                crc64nvme: self.crc64nvme.filter(|_| one).map(|it| format!("{it:016x}")),
                source_verified: some && self.source_verified,
                destination_verified: some && self.destination_verified,
            },
        }
    }
}

impl FiguresJson {
    fn of(summary: &Summary) -> Self {
        Self {
            elapsed_ms: milliseconds(summary.elapsed),
            bytes_per_second: format::rate(summary.moved, summary.elapsed),
            attempts: summary.attempts,
            retries: summary.retries,
            moved_bytes: summary.moved,
            sent_again_bytes: sent_again(summary),
            resumed_bytes: summary.resumed,
            crc64nvme: summary.crc64nvme.map(|it| format!("{it:016x}")),
            source_verified: summary.verified.source,
            destination_verified: summary.verified.destination,
        }
    }
}

fn sent_again(summary: &Summary) -> u64 {
    summary.moved.saturating_sub(summary.bytes.saturating_sub(summary.resumed))
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
