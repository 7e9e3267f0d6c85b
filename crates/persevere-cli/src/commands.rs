//! The commands, one file each.

pub(crate) mod classify;
pub(crate) mod completions;
pub(crate) mod cp;
pub(crate) mod demo;
pub(crate) mod exists;
pub(crate) mod jobs;
pub(crate) mod ls;
pub(crate) mod man;
pub(crate) mod network;
pub(crate) mod plan;
pub(crate) mod rm;
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
        Command::Cp(args) => args.policy.settings()?,
        Command::Ls(args) => args.policy.settings()?,
        Command::Rm(args) => args.policy.settings()?,
        Command::Exists(args) => args.policy.settings()?,
        Command::Jobs(args) => args.policy.settings()?,
        _ => Settings::without_file(),
    };
    log::start(&cli.log, &settings)?;
    match cli.command {
        Command::Run(args) => return args.run(&settings),
        Command::Network(args) => return args.run(&settings),
        Command::Cp(args) => return args.run(&settings),
        Command::Ls(args) => return args.run(&settings),
        Command::Rm(args) => return args.run(&settings),
        Command::Exists(args) => return args.run(&settings),
        Command::Jobs(args) => return args.run(&settings),
        Command::Demo(args) => return args.run(&cli.log),
        Command::Plan(args) => args.run(&settings),
        Command::Classify(args) => args.run(&settings),
        Command::Completions(args) => args.run(),
        Command::Man(args) => args.run(),
    }?;
    Ok(ExitCode::SUCCESS)
}
