//! `persevere network`: whether there is a network, and waiting for it.

mod report;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use persevere::NetworkState;
use persevere_network::{Monitor, Status, Target, TargetMonitor};
use tracing::warn;

use crate::error::CliError;
use crate::exit_status::TIMED_OUT;
use crate::network_target::{self, NetworkTarget};
use crate::output;
use crate::settings::{Settings, key, value};

use report::{Change, Report};

/// Show whether there is a network, and why, without sending a packet.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub(crate) struct NetworkArgs {
    #[command(subcommand)]
    action: Option<Action>,

    /// Look at the way to this host and port, in place of any way out
    #[arg(long, global = true, value_name = "HOST:PORT")]
    target: Option<String>,

    /// Print JSON, with --watch one object per line
    #[arg(long, global = true)]
    json: bool,

    /// Print each change as it happens, until interrupted
    #[arg(long)]
    watch: bool,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Wait until the network is up
    Wait(WaitArgs),
}

#[derive(Debug, Args)]
struct WaitArgs {
    /// Give up after this long, with exit status 124; also PERSEVERE_DEADLINE and `deadline` of the
    /// configuration file [default: none]
    #[arg(long, value_name = "DURATION")]
    deadline: Option<String>,

    /// Read settings from this file [default: as for `run`]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

const HELP: &str = "\
Down means that the kernel knows no way there, has no address to send from, or that the interface on \
the way has no carrier. Only routes are looked up; nothing is sent, so that a host that does not \
answer is not found out. A name in --target is resolved first, which may ask a server. `wait` goes on \
until it resolves; otherwise one that does not is told, beside the way out to anybody.

Exit status:
  0       up, or nothing speaks against it
  1       down
  2       bad options, variables or configuration
  3       it could not be found out or told: the name in --target does not resolve although there is a \
way out, or the output cannot be written
  124     network wait: the deadline has passed

Examples:
  persevere network
  persevere network --watch
  persevere network wait --deadline 5m && ./upload.sh
  persevere network --target storage.example.org:443 --json";

/// It could not be found out whether there is a network.
const NOT_KNOWN: u8 = 3;
/// Between two attempts to resolve a name, while there is nothing else to wait for.
const RESOLVE_AGAIN: Duration = Duration::from_secs(2);
/// Between two looks whether anybody still reads the changes.
const LOOK_FOR_READER: Duration = Duration::from_secs(1);

/// What is looked at, or why a name gives nothing to look at.
type Resolved = Result<Arc<TargetMonitor>, String>;

impl NetworkArgs {
    /// What stands below the options. Only a wait has some, and the rest must work with any file.
    pub(crate) fn settings(&self) -> Result<Settings, CliError> {
        match &self.action {
            Some(Action::Wait(wait)) => Settings::load_file(wait.config.as_deref()),
            None => Ok(Settings::without_file()),
        }
    }

    pub(crate) fn run(self, settings: &Settings) -> Result<ExitCode, CliError> {
        let monitor = Monitor::new();
        let target = self.target.as_deref().map(parse).transpose()?;
        let target = target.as_ref();
        match &self.action {
            Some(Action::Wait(_)) if self.watch => Err(CliError::usage(
                "--watch never ends by itself, so that it cannot stand with wait",
            )),
            Some(Action::Wait(wait)) => self.wait(&monitor, target, wait.until(settings)?),
            None if self.watch => self.watch(&monitor, target),
            None => self.show(&monitor, target),
        }
        // A script must be able to tell it from "down".
        .map_err(|error| error.failed_with(NOT_KNOWN))
    }

    fn show(
        &self,
        monitor: &Monitor,
        target: Option<&NetworkTarget>,
    ) -> Result<ExitCode, CliError> {
        let resolved = resolve(monitor, target, None);
        let report = Report::new(target, &resolved, &anywhere(monitor));
        let text = match self.json {
            true => output::json(&report)? + "\n",
            false => report.text(),
        };
        output::print(text.as_bytes())?;
        Ok(match resolved {
            Err(_) if !report.is_down() => ExitCode::from(NOT_KNOWN),
            _ => exit_code(report.is_down()),
        })
    }

    fn watch(
        &self,
        monitor: &Monitor,
        target: Option<&NetworkTarget>,
    ) -> Result<ExitCode, CliError> {
        let target = resolve(monitor, target, None).map_err(CliError::failed)?;
        let mut status = target.look();
        let mut before = None;
        while self.tell(&Change::new(&status, before))? {
            before = Some(status);
            while before == Some(status) {
                // Nobody hears of a reader who has gone before the next line, which may never come.
                if !output::is_read() {
                    return Ok(exit_code(is_down(&status)));
                }
                status = target.wait_for_change(&status, Some(LOOK_FOR_READER));
            }
        }
        Ok(exit_code(is_down(&status)))
    }

    /// Whether anybody still reads.
    fn tell(&self, change: &Change) -> Result<bool, CliError> {
        let line = match self.json {
            true => output::json(change)?,
            false => change.text(),
        };
        output::print_on((line + "\n").as_bytes())
    }

    fn wait(
        &self,
        monitor: &Monitor,
        target: Option<&NetworkTarget>,
        until: Option<Instant>,
    ) -> Result<ExitCode, CliError> {
        let left = || until.map(|until| until.saturating_duration_since(Instant::now()));
        let mut is_told = false;
        loop {
            // A name that does not resolve may do so when there is a network.
            let (looked_at, problem) = match resolve(monitor, target, left()) {
                Ok(looked_at) => (looked_at, None),
                Err(problem) => (anywhere(monitor), Some(problem)),
            };
            let status = looked_at.look();
            let is_up = !is_down(&status) && problem.is_none();
            if is_up || left() == Some(Duration::ZERO) {
                self.tell(&Change::new(&status, None).with_target_error(problem))?;
                return Ok(ExitCode::from(if is_up { 0 } else { TIMED_OUT }));
            }
            let again = problem.as_ref().map(|_| RESOLVE_AGAIN);
            if let Some(error) = problem.filter(|_| !is_told) {
                is_told = true;
                warn!(error, "the name of the target does not resolve, trying again");
            }
            looked_at.wait_for_change(&status, left().into_iter().chain(again).min());
        }
    }
}

impl WaitArgs {
    fn until(&self, settings: &Settings) -> Result<Option<Instant>, CliError> {
        let limit = settings.get(&key::DEADLINE, self.deadline.as_deref(), value::time_limit)?;
        // Further away than the clock can tell is never.
        Ok(limit.and_then(|limit| Instant::now().checked_add(limit.value)))
    }
}

fn parse(written: &str) -> Result<NetworkTarget, CliError> {
    NetworkTarget::parse(written).map_err(|allowed| {
        let written = network_target::shown(written);
        CliError::usage(format!("--target is '{written}', but must be {allowed}"))
    })
}

fn resolve(monitor: &Monitor, target: Option<&NetworkTarget>, limit: Option<Duration>) -> Resolved {
    let Some(target) = target else { return Ok(anywhere(monitor)) };
    let resolved = match limit {
        Some(limit) => target.resolve_within(limit),
        None => target.resolve(),
    };
    let resolved = resolved.map_err(|error| format!("cannot resolve '{target}': {error}"))?;
    Ok(monitor.target(resolved))
}

fn anywhere(monitor: &Monitor) -> Arc<TargetMonitor> {
    monitor.target(Target::anywhere())
}

fn is_down(status: &Status) -> bool {
    status.state == NetworkState::Down
}

fn exit_code(is_down: bool) -> ExitCode {
    ExitCode::from(u8::from(is_down))
}
