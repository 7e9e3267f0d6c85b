//! The attempts.

use std::cell::RefCell;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use persevere::{Attempt, End, Event, EventKind, Kind, RetryError, Retryer, Verdict};
use rustix::process::{Resource, Rlimit, setrlimit};
use tracing::debug;

use super::Run;
use super::failure::CommandFailure;
use super::network::RunNetwork;
use super::report::{AttemptReport, Report, ReportFile, milliseconds};
use crate::error::{CliError, reason};
use crate::exit_status::TIMED_OUT;
use crate::judge::ending::{Ending, signal_code};
use crate::log;
use crate::output;
use crate::patience::{self, STDERR, STDOUT};
use crate::supervise::{Attempted, Held, Output, Signals, Supervisor};
use crate::text;

/// The longest error text in logs, in characters.
const LONGEST_MESSAGE: usize = 200;

/// Runs it to its end, whichever that is.
pub(super) fn execute(run: Run) -> Result<ExitCode, CliError> {
    let mut report = run.report.as_deref().map(ReportFile::create).transpose()?;
    let signals = Signals::listen().map_err(|error| {
        CliError::failed(format!("cannot listen for signals: {}", reason(&error)))
    })?;
    let started = Instant::now();
    let (deadline, ended) = (run.limits.deadline, signals.clone());
    patience::ends_when(move || {
        ended.caught().is_some() || deadline.is_some_and(|deadline| started.elapsed() >= deadline)
    });
    let attempts = Attempts::new(&run, signals.clone());
    let waits = attempts.reports.clone();
    let mut retryer =
        Retryer::new(run.limits.policy).observer(move |event: &Event<'_>| waits.note(event));
    if run.limits.policy.wait_for_network() {
        retryer = retryer.network_monitor(RunNetwork::watch(run.network_target.clone()));
    }
    let mut call = retryer
        .call(&run.name)
        .cancel_on(signals.token())
        .rule(|failure: &CommandFailure| Some(failure.verdict));
    if let Some(deadline) = run.limits.deadline {
        call = call.deadline(deadline);
    }
    if let Some(timeout) = run.limits.attempt_timeout {
        call = call.attempt_timeout(timeout);
    }
    let result = call.run_blocking(|attempt| attempts.make(attempt));

    attempts.reports.end_pause();
    let exit_code = exit_code(&result, &signals);
    let shown = attempts.release_output();
    if let Err(error) = &result {
        tell_unless_logged(error);
    }
    let reported = report.as_mut().map_or(Ok(()), |report| {
        let attempts = attempts.reports.take();
        report.write(&Report {
            operation: &run.name,
            outcome: outcome(&result, &signals),
            exit_code,
            elapsed_ms: milliseconds(started.elapsed()),
            network_wait_ms: attempts.iter().filter_map(|attempt| attempt.network_wait_ms).sum(),
            attempts,
        })
    });
    // The command's own status says more than that of a lost report.
    for error in [shown, reported].into_iter().filter_map(Result::err) {
        let code = error.tell();
        if exit_code == 0 {
            return Ok(code);
        }
    }
    if let (Err(_), Some(signal)) = (&result, signals.caught()) {
        die_by(signal);
    }
    Ok(ExitCode::from(exit_code))
}

/// Ends us by the signal that was meant to: from an exit status a shell could not tell that Ctrl-C
/// was pressed, and would go on with its loop.
fn die_by(signal: i32) {
    // SIGQUIT would leave a picture of our memory, which nobody wants. GNU timeout does the same.
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    let _no_core = setrlimit(Resource::Core, none);
    // It does not return, and if it did, there is still the exit status.
    let _returned = signal_hook::low_level::emulate_default_handler(signal);
}

/// Makes attempts, and remembers them.
struct Attempts<'a> {
    run: &'a Run,
    supervisor: Supervisor,
    reports: Reports,
    /// What the last attempt printed, if it was held back.
    held: RefCell<Option<Held>>,
}

impl<'a> Attempts<'a> {
    fn new(run: &'a Run, signals: Signals) -> Self {
        let output = match (run.quiet_failures, run.inherit_stderr) {
            (true, _) => Output::HeldBack,
            (false, true) => Output::Inherited,
            (false, false) => Output::Forwarded,
        };
        Self {
            run,
            supervisor: Supervisor {
                program: run.program.clone(),
                arguments: run.arguments.clone(),
                output,
                kill_after: run.kill_after,
                attempt_timeout: run.limits.attempt_timeout,
                signals,
            },
            reports: Reports::default(),
            held: RefCell::default(),
        }
    }

    fn make(&self, attempt: Attempt) -> Result<(), CommandFailure> {
        self.reports.end_pause();
        debug!(operation = self.run.name, attempt = attempt.number(), "attempt started");
        let started = Instant::now();
        let Some(attempted) = self.supervisor.attempt(attempt) else {
            return Err(self.not_started());
        };
        let elapsed = started.elapsed();
        let Attempted { ending, stderr, held } = attempted;
        self.held.replace(held);
        let Some(ending) = ending else {
            self.reports.push(AttemptReport::success(attempt.number(), elapsed));
            return Ok(());
        };
        let failure = self.failure(ending, &stderr);
        self.reports.push(AttemptReport::failure(attempt.number(), elapsed, &failure));
        self.log(attempt, elapsed, &failure);
        Err(failure)
    }

    fn failure(&self, ending: Ending, stderr: &[u8]) -> CommandFailure {
        let stderr = text::decode(stderr);
        let verdict = match self.supervisor.signals.caught() {
            // It may have failed for that very reason.
            Some(_) => {
                log::interrupted();
                Verdict::stop(Kind::Other, "run.interrupted")
            }
            None => self.run.rules.judge(&ending, &stderr),
        };
        CommandFailure { message: text::last_line(&stderr, LONGEST_MESSAGE), ending, verdict }
    }

    /// The signal came before the attempt.
    fn not_started(&self) -> CommandFailure {
        let signal = self.supervisor.signals.caught().unwrap_or_default();
        self.failure(Ending::Signalled(signal), &[])
    }

    fn log(&self, attempt: Attempt, elapsed: Duration, failure: &CommandFailure) {
        debug!(
            operation = self.run.name,
            attempt = attempt.number(),
            elapsed = %persevere::HumanDuration(elapsed),
            verdict = %failure.verdict,
            rule = failure.verdict.rule(),
            error = %failure,
            "attempt failed"
        );
    }

    /// Prints what the last attempt printed.
    fn release_output(&self) -> Result<(), CliError> {
        let Some(held) = self.held.take() else {
            return Ok(());
        };
        let Held { stdout, stderr } = held;
        let stdout = patience::write(&STDOUT, move || stdout.release(&mut io::stdout().lock()));
        let stderr = patience::write(&STDERR, move || stderr.release(&mut Forward));
        output::ignore_closed(stdout, "standard output")?;
        output::ignore_closed(stderr, "standard error")
    }
}

/// Our standard error, as if the command had just written it.
struct Forward;

impl Write for Forward {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        output::forward(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The attempts so far, shared with the observer, who alone hears of delays and outages.
#[derive(Clone, Default)]
struct Reports {
    shared: Arc<Mutex<Noted>>,
}

#[derive(Default)]
struct Noted {
    attempts: Vec<AttemptReport>,
    /// When the network pause under way began.
    paused_at: Option<Instant>,
}

impl Reports {
    fn with<T>(&self, use_them: impl FnOnce(&mut Noted) -> T) -> T {
        use_them(&mut self.shared.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn push(&self, report: AttemptReport) {
        self.with(|noted| noted.attempts.push(report));
    }

    fn note(&self, event: &Event<'_>) {
        self.with(|noted| match (event.kind, event.delay, noted.attempts.last_mut()) {
            (EventKind::Retrying, Some(delay), Some(last)) => {
                last.delay_ms = Some(milliseconds(delay));
            }
            (EventKind::NetworkDown, ..) => noted.paused_at = Some(Instant::now()),
            _ => {}
        });
    }

    /// An attempt begins, or the run has ended: that the network is back is not told to one who only
    /// goes to see, and not if it does not come back.
    fn end_pause(&self) {
        self.with(|noted| {
            if let (Some(since), Some(last)) = (noted.paused_at.take(), noted.attempts.last_mut()) {
                last.network_wait_ms = Some(milliseconds(since.elapsed()));
            }
        });
    }

    fn take(&self) -> Vec<AttemptReport> {
        self.with(|noted| std::mem::take(&mut noted.attempts))
    }
}

fn exit_code(result: &Result<(), RetryError<CommandFailure>>, signals: &Signals) -> u8 {
    let Err(error) = result else { return 0 };
    if let Some(signal) = signals.caught() {
        return signal_code(signal);
    }
    let last = error.last_error().map(|last| last.ending.exit_code());
    match error.end() {
        End::Deadline => TIMED_OUT,
        _ => last.unwrap_or(1),
    }
}

fn outcome(result: &Result<(), RetryError<CommandFailure>>, signals: &Signals) -> &'static str {
    match result {
        Ok(()) => "succeeded",
        Err(_) if signals.caught().is_some() => End::Cancelled.name(),
        Err(error) => error.end().name(),
    }
}

/// Without logs nobody would know why there is nothing but a status.
fn tell_unless_logged(error: &RetryError<CommandFailure>) {
    let failure = error.last_error();
    if let Some(Ending::NotStarted(problem)) = failure.map(|failure| &failure.ending)
        && !tracing::enabled!(tracing::Level::WARN)
    {
        output::error_line(&format!("error: {}", text::one_line(&problem.to_string())));
    }
}
