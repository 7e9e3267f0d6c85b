//! An upload in a process of its own, which is killed in the middle.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use persevere::HumanDuration;

use super::stage::{ACCESS_KEY, ATTEMPTS, INITIAL_DELAY, MAX_DELAY, Stage};
use crate::cli::LogArgs;
use crate::error::{CliError, reason};

/// Between two looks how far it is.
const LOOK: Duration = Duration::from_millis(5);

/// Ends with us, however we end.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ended = self.0.kill();
        let _reaped = self.0.wait();
    }
}

/// Runs `persevere cp`, and kills it when `is_time`. Whether there was something to kill.
pub(super) async fn upload(
    stage: &Stage,
    log: &LogArgs,
    is_time: impl Fn() -> bool,
) -> Result<bool, CliError> {
    let child = command(stage, log)?.spawn().map_err(|error| {
        CliError::failed(format!("cannot start a second process: {}", reason(&error)))
    })?;
    let mut child = Killed(child);
    loop {
        if is_time() {
            return Ok(true);
        }
        match child.0.try_wait() {
            Ok(None) => tokio::time::sleep(LOOK).await,
            Ok(Some(status)) if status.success() => return Ok(false),
            Ok(Some(_)) => return Err(CliError::failed("the upload has failed")),
            Err(error) => {
                let reason = reason(&error);
                return Err(CliError::failed(format!("the upload was lost sight of: {reason}")));
            }
        }
    }
}

fn command(stage: &Stage, log: &LogArgs) -> Result<Command, CliError> {
    let program = std::env::current_exe().map_err(|error| {
        CliError::failed(format!("cannot find this program again: {}", reason(&error)))
    })?;
    let mut command = Command::new(program);
    // Neither proxies nor profiles nor settings of whoever runs this are meant for the demo.
    #[cfg(unix)]
    command.env_clear();
    for name in ["TERM", "NO_COLOR", "COLUMNS", "PERSEVERE_LOG_LEVEL", "PERSEVERE_LOG_FORMAT"] {
        command.envs(std::env::var_os(name).map(|value| (name, value)));
    }
    command
        .env("HOME", stage.state_folder())
        .env("XDG_CONFIG_HOME", stage.state_folder())
        .env("PERSEVERE_STATE_DIR", stage.state_folder())
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        .env("AWS_SECRET_ACCESS_KEY", stage.secret_key())
        .args(["cp", "--endpoint", &stage.proxy.url(), "--region", "us-east-1"])
        .args(["--part-size", &stage.part_size.to_string()])
        .args(["--concurrency", &stage.concurrency.to_string()])
        .args(["--attempts", &ATTEMPTS.to_string()])
        .args(["--initial-delay", &HumanDuration(INITIAL_DELAY).to_string()])
        .args(["--max-delay", &HumanDuration(MAX_DELAY).to_string()]);
    for (option, value) in [("--log-format", &log.log_format), ("--log-level", &log.log_level)] {
        command.args(value.iter().flat_map(|value| [option, value]));
    }
    command.args(log.quiet.then_some("--quiet"));
    command.arg("--").arg(&stage.file).arg(stage.url());
    command.stdin(Stdio::null()).stdout(Stdio::null());
    Ok(command)
}
