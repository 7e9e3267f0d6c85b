//! The program `persevere`: retries any command, and shows what a retry policy does.

mod cli;
mod commands;
mod error;
mod exit_status;
mod judge;
mod log;
mod output;
mod patience;
mod plot;
mod policy;
mod settings;
#[cfg(unix)]
mod supervise;
mod text;
mod usage;

use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use cli::Cli;

fn main() -> ExitCode {
    let outcome = match Cli::try_parse() {
        Ok(cli) => commands::dispatch(cli),
        Err(error) => return refuse(&error),
    };
    outcome.unwrap_or_else(|error| error.tell())
}

/// What clap has to say: help as it is, everything else in one line.
fn refuse(error: &clap::Error) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelp
        | ErrorKind::DisplayVersion
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            // Nobody reads on: there is nobody left to tell.
            let _closed = error.print();
            ExitCode::from(u8::from(error.use_stderr()) * error::USAGE)
        }
        _ => error::CliError::usage(usage::one_line(error)).tell(),
    }
}
