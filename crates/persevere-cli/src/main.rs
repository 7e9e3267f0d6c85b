//! The program `persevere`: retries any command, and shows what a retry policy does.

mod cli;
mod commands;
mod error;
mod exit_status;
mod judge;
mod log;
mod network_target;
mod output;
mod patience;
mod plot;
mod policy;
mod settings;
#[cfg(unix)]
mod supervise;
mod text;
mod usage;

use std::io::{self, IsTerminal};
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
            help(error).unwrap_or_else(|error| error.tell())
        }
        _ => error::CliError::usage(usage::one_line(error)).tell(),
    }
}

/// A result if it was asked for, and it can have colours on a terminal, which clap knows best.
fn help(error: &clap::Error) -> Result<ExitCode, error::CliError> {
    if error.use_stderr() {
        let _closed = error.print();
        return Ok(ExitCode::from(error::USAGE));
    }
    if io::stdout().is_terminal() {
        let _closed = error.print();
    } else {
        output::print(error.render().to_string().as_bytes())?;
    }
    Ok(ExitCode::SUCCESS)
}
