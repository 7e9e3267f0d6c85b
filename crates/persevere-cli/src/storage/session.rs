//! A command at work: its runtime, its retryer, what ends it from outside, and how that is told.

use std::collections::HashMap;
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use persevere::{CancellationToken, End, Event, EventKind, HumanDuration, Retryer};
use persevere_network::Monitor;
use persevere_storage::{Location, Storage, StorageBuilder, StorageError, TransferOptions};

use super::StorageArgs;
use super::place::{self, Place};
use crate::error::{CliError, reason};
use crate::exit_status::{SIGNALLED, TIMED_OUT};
use crate::interrupt::{Interrupt, die_by};
use crate::log;
use crate::output;
use crate::patience;
use crate::policy::PolicyArgs;
use crate::settings::Settings;

/// A command at work.
pub(crate) struct Session {
    builder: StorageBuilder,
    stop: Stop,
    interrupt: Interrupt,
    limit: Option<Duration>,
    attempt_timeout: Option<Duration>,
    state_folder: Option<PathBuf>,
    /// Whether the last thing heard is that a call waits for the network.
    pub(crate) waits_for_network: Arc<AtomicBool>,
    opened: Mutex<HashMap<Location, Storage>>,
}

/// What ends work from outside.
#[derive(Debug, Clone)]
pub(crate) struct Stop {
    /// Cancelled when somebody wants us to end, or when going on makes no sense.
    pub(crate) token: CancellationToken,
    deadline: Option<Instant>,
}

impl Stop {
    pub(crate) fn is_out_of_time(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// Ends when somebody wants us to end, or when time is up.
    pub(crate) async fn wanted(&self) -> Failure {
        let out_of_time = async {
            match self.deadline {
                Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.token.cancelled() => Failure::Interrupted,
            () = out_of_time => Failure::OutOfTime,
        }
    }

    /// Ends with the work, or before it if somebody wants us to end.
    pub(crate) async fn or<T>(&self, work: impl Future<Output = T>) -> Result<T, Failure> {
        tokio::select! {
            biased;
            it = work => Ok(it),
            failure = self.wanted() => Err(failure),
        }
    }
}

/// Why a command ends before its end.
#[derive(Debug)]
pub(crate) enum Failure {
    Told(CliError),
    Storage(StorageError),
    /// A signal to us, or what it led to.
    Interrupted,
    OutOfTime,
}

impl From<CliError> for Failure {
    fn from(error: CliError) -> Self {
        Self::Told(error)
    }
}

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        let end = match &error {
            StorageError::GaveUp(error) => Some(error.end()),
            _ => None,
        };
        match end {
            Some(End::Cancelled) => Self::Interrupted,
            Some(End::Deadline) => Self::OutOfTime,
            _ => Self::Storage(error),
        }
    }
}

impl Session {
    /// Checks the settings. The clock of the deadline runs from now on.
    pub(crate) fn new(
        policy: &PolicyArgs,
        storage: &StorageArgs,
        settings: &Settings,
    ) -> Result<Self, CliError> {
        let limits = policy.limits(settings)?;
        let builder = storage.read(settings)?.builder();
        let builder = builder.map_err(|error| CliError::usage(error.to_string()))?;
        let builder = match limits.policy.wait_for_network() {
            true => builder.network_monitor(Arc::new(Monitor::new())),
            false => builder,
        };
        let retryer = Retryer::new(limits.policy).detector(settings.detector());
        Self::with(builder, retryer, (limits.deadline, limits.attempt_timeout))
    }

    /// With settings that were made by ourselves: the deadline, and the limit of an attempt.
    pub(crate) fn with(
        builder: StorageBuilder,
        retryer: Retryer,
        (limit, attempt_timeout): (Option<Duration>, Option<Duration>),
    ) -> Result<Self, CliError> {
        let waits = Arc::new(AtomicBool::new(false));
        let observed = waits.clone();
        let retryer = retryer.observer(move |event: &Event<'_>| note(event, &observed));
        let builder = builder.retryer(retryer);
        let token = CancellationToken::new();
        let interrupt = Interrupt::listen(token.clone()).map_err(|error| {
            CliError::failed(format!("cannot listen for signals: {}", reason(&error)))
        })?;
        // Further away than the clock can tell is never.
        let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
        let ended = interrupt.clone();
        patience::ends_when(move || {
            ended.caught().is_some() || deadline.is_some_and(|it| Instant::now() >= it)
        });
        log::command_tells_ends();
        Ok(Self {
            builder,
            stop: Stop { token, deadline },
            interrupt,
            limit,
            attempt_timeout,
            state_folder: None,
            waits_for_network: waits,
            opened: Mutex::default(),
        })
    }

    /// Remembers unfinished transfers there, and nowhere else.
    pub(crate) fn state_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.state_folder = Some(folder.into());
        self
    }

    /// Carries the work out. `hint` says what an interruption leaves behind, if anything.
    pub(crate) fn run(
        self,
        hint: &str,
        work: impl AsyncFnOnce(&Self) -> Result<ExitCode, Failure>,
    ) -> Result<ExitCode, CliError> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let runtime = runtime.map_err(|error| {
            CliError::failed(format!("cannot start threads: {}", reason(&error)))
        })?;
        let outcome = runtime.block_on(work(&self));
        // Whoever still waits for a terminal or a pipe may never come back.
        runtime.shutdown_background();
        match outcome {
            Ok(code) => Ok(code),
            Err(Failure::Told(error)) => Err(error),
            Err(Failure::Storage(error)) if is_setup(&error) => Err(CliError::usage(text(&error))),
            Err(Failure::Storage(error)) => Err(CliError::failed(text(&error))),
            Err(Failure::Interrupted) => Ok(self.interrupted(hint)),
            Err(Failure::OutOfTime) => Ok(self.out_of_time(hint)),
        }
    }

    fn interrupted(&self, hint: &str) -> ExitCode {
        output::error_line(&format!("interrupted{hint}"));
        let signal = self.interrupt.caught().unwrap_or_default();
        die_by(signal);
        ExitCode::from(SIGNALLED + u8::try_from(signal).unwrap_or_default())
    }

    fn out_of_time(&self, hint: &str) -> ExitCode {
        let limit = self.limit.map(|limit| format!(" of {}", HumanDuration(limit)));
        let limit = limit.unwrap_or_default();
        output::error_line(&format!("error: the deadline{limit} has passed{hint}"));
        ExitCode::from(TIMED_OUT)
    }

    /// What somebody wrote, as a place. A storage is opened once, whatever is done there.
    pub(crate) async fn open(&self, written: &str) -> Result<Place, Failure> {
        let location: Location =
            written.parse().map_err(|error: persevere_storage::LocationError| {
                Failure::Told(CliError::usage(error.to_string()))
            })?;
        let location = place::absolute(location);
        let shared = place::without_key(&location);
        let known = shared.as_ref().and_then(|it| self.opened().get(it).cloned());
        let (storage, key) = match (known, &location) {
            (Some(storage), Location::S3 { key, .. } | Location::Gcs { key, .. })
            | (Some(storage), Location::Azure { key, .. } | Location::Sftp { path: key, .. }) => {
                (storage, key.clone())
            }
            _ => self.until_stopped(self.builder.open(&location)).await?.map_err(settings)?,
        };
        if let Some(shared) = shared {
            self.opened().insert(shared, storage.clone());
        }
        let is_local = matches!(location, Location::Local(_));
        let has_folders = is_local || matches!(location, Location::Sftp { .. });
        Ok(Place { storage, key, has_folders, is_local })
    }

    fn opened(&self) -> std::sync::MutexGuard<'_, HashMap<Location, Storage>> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a signal wants us to end.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.interrupt.caught().is_some()
    }

    pub(crate) fn stop(&self) -> &Stop {
        &self.stop
    }

    /// Ends with the work, or before it if somebody wants us to end.
    pub(crate) async fn until_stopped<T>(
        &self,
        work: impl Future<Output = T>,
    ) -> Result<T, Failure> {
        self.stop.or(work).await
    }

    /// The options of a transfer that begins now, as far as the policy makes them.
    pub(crate) fn transfer_options(&self) -> TransferOptions {
        let mut options = TransferOptions::new().cancel_on(self.stop.token.clone());
        if let Some(deadline) = self.stop.deadline {
            options = options.deadline(deadline.saturating_duration_since(Instant::now()));
        }
        if let Some(timeout) = self.attempt_timeout {
            options = options.attempt_timeout(timeout);
        }
        if let Some(folder) = &self.state_folder {
            options = options.state_folder(folder);
        }
        options
    }
}

fn note(event: &Event<'_>, waits: &AtomicBool) {
    match event.kind {
        EventKind::NetworkDown => waits.store(true, Ordering::Relaxed),
        EventKind::NetworkRecovered | EventKind::Succeeded | EventKind::Ended(_) => {
            waits.store(false, Ordering::Relaxed);
        }
        _ => {}
    }
}

/// Before anything is asked, it can only be what was written, and ends it all.
fn settings(error: StorageError) -> Failure {
    match is_setup(&error) {
        true => CliError::usage(text(&error)).into(),
        false => error.into(),
    }
}

/// Whether settings are wrong: credentials are missed only when they are needed.
pub(crate) fn is_setup(error: &StorageError) -> bool {
    matches!(error.last(), StorageError::Setup { .. })
}

/// An error with its causes, each told once.
pub(crate) fn text(error: &StorageError) -> String {
    let mut text = error.to_string();
    // Its text has the causes in it, and its source is the figures, which are there as well.
    if let StorageError::GaveUp(_) = error {
        return text;
    }
    let mut source = error.source();
    while let Some(cause) = source {
        let of_cause = cause.to_string();
        let of_cause = of_cause.split(" (os error ").next().unwrap_or_default();
        if !text.contains(of_cause) {
            text = format!("{text}: {of_cause}");
        }
        source = cause.source();
    }
    text
}
