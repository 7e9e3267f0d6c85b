//! `persevere run`: runs a command until it succeeds, or cannot.

#[cfg(unix)]
mod execute;
mod failure;
#[cfg(unix)]
mod network;
mod report;

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use crate::error::CliError;
use crate::judge::Rules;
use crate::judge::matcher::{self, Matcher};
use crate::network_target::NetworkTarget;
use crate::policy::{Limits, PolicyArgs};
use crate::settings::key::{self, Key};
use crate::settings::{Settings, Source, value};

/// Run a command, and run it again when it fails and that can help.
#[derive(Debug, Args)]
#[command(
    override_usage = "persevere run [OPTIONS] -- COMMAND [ARGUMENT]...",
    after_long_help = HELP
)]
pub(crate) struct RunArgs {
    /// Retry failures with this exit status, range (1-5) or list (1,7,28), or with a line on standard
    /// error that this regular expression finds; can be repeated
    #[arg(long, value_name = "STATUS|PATTERN", allow_negative_numbers = true)]
    retry_on: Vec<String>,

    /// Stop at failures with this exit status, range, list or pattern; wins over --retry-on; can be
    /// repeated
    #[arg(long, value_name = "STATUS|PATTERN", allow_negative_numbers = true)]
    stop_on: Vec<String>,

    /// Retry every failure, without a limit on attempts, until --deadline, which then also limits
    /// --wait-for-network; only --stop-on and commands that cannot be run stop it
    #[arg(long, conflicts_with = "attempts")]
    until_success: bool,

    /// Hold back the output of each attempt, and print only that of the last one [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true")]
    quiet_failures: Option<String>,

    /// Give the command our own standard error, for colours and progress bars; then only the exit
    /// status decides [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true")]
    inherit_stderr: Option<String>,

    /// Kill a command that still runs this long after it was told to stop at a timeout or at the
    /// deadline [default: 10s]
    #[arg(long, value_name = "DURATION")]
    kill_after: Option<String>,

    /// What the command talks to, for --wait-for-network: then only the way there counts [default: any
    /// way out]
    #[arg(long, value_name = "HOST:PORT")]
    network_target: Option<String>,

    /// Call the operation this in logs [default: the command's file name, never its arguments]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    /// Write what happened into this file, as JSON
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) policy: PolicyArgs,

    /// The command and its arguments
    #[arg(required = true, trailing_var_arg = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

const HELP: &str = "\
What is retried, in this order (see also [[rules]] of the configuration file, which come before 6):
  1. --stop-on matches: stop. It is compared with the exit status as given below, so also with 124 \
and 137.
  2. --retry-on matches: retry.
  3. The command was not found (127) or cannot be run (126): stop.
  4. The attempt timed out: retry.
  5. SIGINT, SIGTERM, SIGHUP or SIGQUIT ended it: stop, for somebody wished so.
  6. Its standard error (the last 64 KiB) names a known failure: a refused connection is retried, a \
permission denied is not. `persevere classify` shows what a message would lead to.
  7. Its exit status has a meaning for this program, such as curl's 7 (retried) and 60 (not): of \
ansible, aws, borg, curl, git, grpcurl, mount, pg_isready, ping, psql, rclone, restic, rsync, systemctl, wget, zypper. \
It says more than everyday words on standard error, such as \"invalid\" or \"timeout\".
  8. Its exit status is one of sysexits.h: 69, 71, 74 and 75 are retried, the others from 64 to 78 \
are not.
  9. Nothing is known: retry, unless --stop-unknown.

Input and output:
  The command reads our standard input and writes to our standard output. A retry does not take back \
what was written, and does not read again what was read. Standard error passes through us byte for \
byte.
  Its last line is the error in logs and in the report, up to 200 characters: so is a secret that the \
command prints there. Its arguments are in neither. A new report file can be read by its owner only.

Waiting for the network, with --wait-for-network:
  An attempt that fails while the network is down is made again when it is back, and not counted: after at most 10 outages, each no longer than --max-network-wait. With --until-success they last until --deadline, unless --max-network-wait says otherwise.
  Down is that there is no way out of this machine, and that there was one at the start or since; on a machine with nothing but a local network nothing is waited for. With --network-target down is that there is no way there, or that nothing there answers any more: name the proxy if there is one, and do so if the command talks to this machine or to the local network.

Signals:
  SIGINT and SIGQUIT, SIGTERM, SIGHUP, SIGUSR1 and SIGUSR2 reach the command, the first four \
also its process group where that is not ours. After those four no further attempt is made.
  At a timeout the command and its process group get SIGTERM, and after --kill-after SIGKILL. The \
command has a process group of its own, as under `timeout`. On a terminal it stays in ours, so that it \
can read from it and Ctrl-Z stops it; there the processes that it has started are looked up, which \
needs /proc.

Environment of the command:
  PERSEVERE_ATTEMPT is the number of the attempt, from 1, and PERSEVERE_MAX_ATTEMPTS how many there \
can be, or \"unlimited\".

Exit status:
  0       the command succeeded
  2       bad options, variables or configuration; nothing was run
  124     the deadline has passed or would have passed, or the last attempt timed out
  126     the command cannot be run
  127     the command was not found
  128+N   signal N ended the command, or reached us before a success: then we die by it
  other   the command's own, of its last attempt

Examples:
  persevere run -- curl -fsSO https://example.org/disk.img
  persevere run --preset aggressive --attempt-timeout 5m -- rsync -a --partial src/ host:dst/
  persevere run --until-success --deadline 2m -- pg_isready -h db
  persevere run --retry-on 7,28 --stop-on 'quota exceeded' -- ./upload.sh";

/// As long as the engine allows.
const LONGEST_NETWORK_WAIT: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// All that was asked for, checked.
pub(crate) struct Run {
    limits: Limits,
    rules: Rules,
    quiet_failures: bool,
    inherit_stderr: bool,
    kill_after: Duration,
    network_target: Option<NetworkTarget>,
    name: String,
    report: Option<PathBuf>,
    program: OsString,
    arguments: Vec<OsString>,
}

impl RunArgs {
    #[cfg(unix)]
    pub(crate) fn run(self, settings: &Settings) -> Result<ExitCode, CliError> {
        execute::execute(self.check(settings)?)
    }

    #[cfg(not(unix))]
    pub(crate) fn run(self, settings: &Settings) -> Result<ExitCode, CliError> {
        self.check(settings)?;
        Err(CliError::usage("run works on Unix systems only, for it needs their signals"))
    }

    fn check(self, settings: &Settings) -> Result<Run, CliError> {
        let arguments: Vec<_> = env::args_os().collect();
        flag_with_a_word(&arguments, &self.command)?;
        let limits = self.policy.limits(settings)?;
        let limits = self.with_attempts(limits)?;
        let rules = Rules {
            stop_on: matchers(settings.list(&key::STOP_ON, &self.stop_on)?)?,
            retry_on: matchers(settings.list(&key::RETRY_ON, &self.retry_on)?)?,
            until_success: self.until_success,
            max_retry_after: limits.policy.max_retry_after(),
            program: self.command.first().map(base_name).unwrap_or_default(),
            detector: settings.detector(),
        };
        let (quiet_failures, inherit_stderr) = self.outputs(settings)?;
        let kill_after = self.kill_after.as_deref();
        let kill_after = settings.get(&key::KILL_AFTER, kill_after, value::duration)?;
        let network_target = self.network_target(settings, &limits)?;
        let mut command = self.command.into_iter();
        let program = command.next().filter(|program| !program.is_empty());
        let program = program.ok_or_else(|| CliError::usage("the COMMAND to run is empty"))?;
        Ok(Run {
            limits,
            rules,
            quiet_failures,
            inherit_stderr,
            kill_after: kill_after.map_or(Duration::from_secs(10), |set| set.value),
            network_target,
            name: self.name.unwrap_or_else(|| base_name(&program)),
            report: self.report,
            program,
            arguments: command.collect(),
        })
    }

    /// Attempts without limit need something else that ends them.
    fn with_attempts(&self, mut limits: Limits) -> Result<Limits, CliError> {
        let asked_by = match (&limits.unlimited, self.until_success) {
            (_, true) => "--until-success".to_owned(),
            (Some(source), false) => format!("{source} unlimited"),
            (None, false) => return Ok(limits),
        };
        if limits.deadline.is_none() {
            return Err(CliError::usage(format!(
                "{asked_by} needs --deadline, or it might never end: add for example --deadline 1h"
            )));
        }
        let unlimited = limits.policy.to_builder();
        let unlimited = unlimited.max_attempts(persevere::RetryPolicy::UNLIMITED_ATTEMPTS);
        // An outage that ends it earlier would break the promise.
        let network_wait = limits.deadline.filter(|_| self.until_success);
        let network_wait = network_wait.filter(|_| !limits.network_wait_is_set);
        let network_wait = network_wait.map(|deadline| deadline.min(LONGEST_NETWORK_WAIT));
        limits.policy = unlimited
            .max_network_wait(network_wait.unwrap_or(limits.policy.max_network_wait()))
            .build()
            .map_err(|error| CliError::usage(error.to_string()))?;
        Ok(limits)
    }

    /// What is inherited may be meant for other runs; what was written for this one must do something.
    fn network_target(
        &self,
        settings: &Settings,
        limits: &Limits,
    ) -> Result<Option<NetworkTarget>, CliError> {
        let target = self.network_target.as_deref();
        let target = settings.get(&key::NETWORK_TARGET, target, NetworkTarget::parse)?;
        match target {
            Some(set) if !limits.policy.wait_for_network() => match set.source {
                Source::Option(_) => Err(CliError::usage(
                    "--network-target needs --wait-for-network, or nothing looks at it",
                )),
                _ => Ok(None),
            },
            target => Ok(target.map(|set| set.value)),
        }
    }

    /// Whether failures are quiet, and whether standard error is inherited: not both, and the higher
    /// source wins.
    fn outputs(&self, settings: &Settings) -> Result<(bool, bool), CliError> {
        let flag = |key, option: &Option<String>| {
            let set = settings.get(key, option.as_deref(), value::flag)?;
            Ok(set.filter(|flag| flag.value).map(|flag| flag.source))
        };
        let quiet = flag(&key::QUIET_FAILURES, &self.quiet_failures)?;
        let inherit = flag(&key::INHERIT_STDERR, &self.inherit_stderr)?;
        match (&quiet, &inherit) {
            (Some(one), Some(other)) if one.rank() == other.rank() => {
                Err(CliError::usage(format!(
                    "{one} holds standard error back, but {other} gives it away: leave one of them out"
                )))
            }
            (Some(one), Some(other)) => {
                let quiet = one.rank() > other.rank();
                Ok((quiet, !quiet))
            }
            _ => Ok((quiet.is_some(), inherit.is_some())),
        }
    }
}

/// In `--no-jitter false -- make` the word is no value of the flag but the COMMAND, and nobody means
/// that.
fn flag_with_a_word(arguments: &[OsString], command: &[OsString]) -> Result<(), CliError> {
    let start = arguments.len().saturating_sub(command.len());
    let before = start.checked_sub(1).and_then(|before| arguments[before].to_str());
    let word = command.first().and_then(|word| word.to_str());
    let (Some(flag), Some(word @ ("true" | "false"))) = (before, word) else { return Ok(()) };
    match Key::of_option(flag).is_some_and(Key::is_flag) {
        false => Ok(()),
        true => Err(CliError::usage(format!(
            "{flag} {word} is unclear: write {flag}={word} for the flag, or {flag} -- {word} for the \
             command"
        ))),
    }
}

fn matchers(written: Vec<crate::settings::Raw>) -> Result<Vec<Matcher>, CliError> {
    let parsed = written.into_iter().map(|raw| raw.parse(matcher::parse));
    parsed.map(|set| Ok(set?.value)).collect()
}

fn base_name(program: &OsString) -> String {
    let name = Path::new(program).file_name().unwrap_or(program);
    name.to_string_lossy().into_owned()
}
