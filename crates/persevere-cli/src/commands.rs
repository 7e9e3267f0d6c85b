//! The commands, one file each.

pub(crate) mod classify;
pub(crate) mod completions;
pub(crate) mod man;
pub(crate) mod network;
pub(crate) mod plan;
pub(crate) mod run;

use std::process::ExitCode;

use crate::cli::{Cli, Command};
use crate::error::CliError;
use crate::log;
use crate::settings::Settings;

/// Carries out what the command line says.
pub(crate) fn dispatch(cli: Cli) -> Result<ExitCode, CliError> {
    let settings = match &cli.command {
        Command::Run(args) => args.policy.settings()?,
        Command::Plan(args) => args.policy.settings()?,
        Command::Classify(args) => args.settings()?,
        Command::Network(args) => args.settings()?,
        _ => Settings::without_file(),
    };
    log::start(&cli.log, &settings)?;
    match cli.command {
        Command::Run(args) => return args.run(&settings),
        Command::Network(args) => return args.run(&settings),
        Command::Plan(args) => args.run(&settings),
        Command::Classify(args) => args.run(&settings),
        Command::Completions(args) => args.run(),
        Command::Man(args) => args.run(),
    }?;
    Ok(ExitCode::SUCCESS)
}
