//! `persevere network`: whether there is a network, and waiting for it.

mod report;

use std::net::{SocketAddr, ToSocketAddrs};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use persevere::NetworkState;
use persevere_network::{Monitor, Status, Target, TargetMonitor};

use crate::error::{CliError, reason};
use crate::exit_status::TIMED_OUT;
use crate::output;
use crate::settings::value;

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
    /// Give up after this long, with exit status 124 [default: none]
    #[arg(long, value_name = "DURATION")]
    deadline: Option<String>,
}

const HELP: &str = "\
Down means that the kernel knows no way there, has no address to send from, or that the interface on \
the way has no carrier. Only routes are looked up; nothing is sent, so that a host that does not \
answer is not found out. A name in --target is resolved first, which may ask a server.

Exit status:
  0       up, or nothing speaks against it
  1       down
  124     network wait: the deadline has passed

Examples:
  persevere network
  persevere network --watch
  persevere network wait --deadline 5m && ./upload.sh
  persevere network --target storage.example.org:443 --json";

/// Between two attempts to resolve a name, while there is nothing else to wait for.
const RESOLVE_AGAIN: Duration = Duration::from_secs(2);

impl NetworkArgs {
    pub(crate) fn run(self) -> Result<ExitCode, CliError> {
        let monitor = Monitor::new();
        match &self.action {
            Some(Action::Wait(_)) if self.watch => Err(CliError::usage(
                "--watch never ends by itself, so that it cannot stand with wait",
            )),
            Some(Action::Wait(wait)) => self.wait(&monitor, wait),
            None if self.watch => self.watch(&*self.resolved(&monitor)?),
            None => self.show(&*self.resolved(&monitor)?),
        }
    }

    fn show(&self, target: &TargetMonitor) -> Result<ExitCode, CliError> {
        let report = Report::new(self.target.as_deref(), target);
        let text = match self.json {
            true => output::json(&report)? + "\n",
            false => report.text(),
        };
        output::print(text.as_bytes())?;
        Ok(exit_code(&target.status()))
    }

    fn watch(&self, target: &TargetMonitor) -> Result<ExitCode, CliError> {
        let mut status = target.look();
        let mut before = None;
        loop {
            if !self.tell(&Change::new(&status, before))? {
                return Ok(exit_code(&status));
            }
            before = Some(status);
            status = target.wait_for_change(&status, None);
        }
    }

    /// Whether anybody still reads.
    fn tell(&self, change: &Change) -> Result<bool, CliError> {
        let line = match self.json {
            true => output::json(change)?,
            false => change.text(),
        };
        output::print_on((line + "\n").as_bytes())
    }

    fn wait(&self, monitor: &Monitor, wait: &WaitArgs) -> Result<ExitCode, CliError> {
        let until = wait.until()?;
        let left = || until.map(|until| until.saturating_duration_since(Instant::now()));
        loop {
            // A name that does not resolve may do so when there is a network.
            let (target, pause) = match self.resolved(monitor) {
                Ok(target) => (target, None),
                Err(_) if self.is_well_formed() => {
                    (monitor.target(Target::anywhere()), Some(RESOLVE_AGAIN))
                }
                Err(error) => return Err(error),
            };
            let status = target.look();
            if status.state != NetworkState::Down && pause.is_none() {
                self.tell(&Change::new(&status, None))?;
                return Ok(ExitCode::SUCCESS);
            }
            if left() == Some(Duration::ZERO) {
                self.tell(&Change::new(&status, None))?;
                return Ok(ExitCode::from(TIMED_OUT));
            }
            target.wait_for_change(&status, left().into_iter().chain(pause).min());
        }
    }

    fn is_well_formed(&self) -> bool {
        self.target.as_deref().is_none_or(|target| host_and_port(target).is_some())
    }

    fn resolved(&self, monitor: &Monitor) -> Result<Arc<TargetMonitor>, CliError> {
        let Some(written) = &self.target else {
            return Ok(monitor.target(Target::anywhere()));
        };
        if host_and_port(written).is_none() {
            return Err(CliError::usage(format!(
                "--target is '{written}', but must be a host and a port, such as example.org:443 or \
                 [2001:db8::1]:443"
            )));
        }
        let addresses: Vec<SocketAddr> = written
            .to_socket_addrs()
            .map_err(|error| {
                CliError::failed(format!("cannot resolve '{written}': {}", reason(&error)))
            })?
            .collect();
        Ok(monitor.target(addresses.into_iter().collect::<Target>()))
    }
}

impl WaitArgs {
    fn until(&self) -> Result<Option<Instant>, CliError> {
        let Some(written) = &self.deadline else { return Ok(None) };
        let limit = value::time_limit(written).map_err(|allowed| {
            CliError::usage(format!("--deadline is '{written}', but must be {allowed}"))
        })?;
        // Further away than the clock can tell is never.
        Ok(Instant::now().checked_add(limit))
    }
}

fn host_and_port(written: &str) -> Option<(&str, u16)> {
    let (host, port) = written.rsplit_once(':')?;
    let bracketed = host.starts_with('[') && host.ends_with(']');
    let plain = !host.is_empty() && (bracketed || !host.contains(':'));
    plain.then_some((host, port.parse().ok()?))
}

fn exit_code(status: &Status) -> ExitCode {
    ExitCode::from(u8::from(status.state == NetworkState::Down))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_has_a_host_and_a_port() {
        for (written, right) in [
            ("example.org:443", true),
            ("192.0.2.7:1", true),
            ("[2001:db8::1]:443", true),
            ("2001:db8::1:443", false),
            ("example.org", false),
            (":443", false),
            ("example.org:https", false),
            ("example.org:70000", false),
        ] {
            assert_eq!(host_and_port(written).is_some(), right, "{written}");
        }
    }
}
