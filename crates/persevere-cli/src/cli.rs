//! The command line: what the program understands.

use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand};

use crate::commands::{
    classify, completions, cp, demo, exists, jobs, ls, man, network, plan, rm, run,
};
use crate::settings::value::{LOG_FORMATS, LOG_LEVELS};

/// Retry any command, and copy to and from storage: backoff with jitter, error detection, deadlines,
/// transfers that go on where they were interrupted.
#[derive(Debug, Parser)]
#[command(
    name = "persevere",
    version,
    args_override_self = true,
    subcommand_required = true,
    arg_required_else_help = true,
    max_term_width = 100,
    after_long_help = HELP
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) log: LogArgs,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Run(Box<run::RunArgs>),
    Cp(Box<cp::CpArgs>),
    Ls(Box<ls::LsArgs>),
    Rm(Box<rm::RmArgs>),
    Exists(Box<exists::ExistsArgs>),
    Jobs(Box<jobs::JobsArgs>),
    Plan(Box<plan::PlanArgs>),
    Classify(classify::ClassifyArgs),
    Network(network::NetworkArgs),
    Demo(demo::DemoArgs),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
}

/// What is told on standard error, and how.
#[derive(Debug, Args)]
#[command(next_help_heading = "Logging options")]
pub(crate) struct LogArgs {
    /// Print logs as text or json, one object per line [default: text]
    #[arg(long, global = true, value_name = "FORMAT", hide_possible_values = true,
          value_parser = PossibleValuesParser::new(LOG_FORMATS))]
    pub(crate) log_format: Option<String>,

    /// Print logs from this level up: off, error, warn, info or debug [default: info]
    #[arg(long, global = true, value_name = "LEVEL", hide_possible_values = true,
          value_parser = PossibleValuesParser::new(LOG_LEVELS.map(|(name, _)| name)))]
    pub(crate) log_level: Option<String>,

    /// Print no logs, the same as --log-level off
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
}

/// What holds for all commands. Paragraphs are lines: clap wraps them.
const HELP: &str = "\
Settings:
  Every policy and logging option is also an environment variable and a key in the configuration \
file: --max-delay is PERSEVERE_MAX_DELAY and `max-delay`. So are --retry-on, --stop-on, \
--quiet-failures, --inherit-stderr, --kill-after and --network-target, in the file under [run], and the \
storage options, --part-size, --concurrency, --jobs and --no-progress, there under [storage]. Commands with policy \
options refuse a variable PERSEVERE_... that they do not know.
  For each setting by itself an option wins over a variable, a variable over the file, and the \
file over the preset. So --preset aggressive with `attempts = 5` in the file makes 5 attempts.
  The file is --config FILE, else $PERSEVERE_CONFIG, else $XDG_CONFIG_HOME/persevere/config.toml \
or ~/.config/persevere/config.toml if it exists. For example:

    preset = \"aggressive\"
    initial-delay = \"500ms\"
    deadline = \"10m\"

    [run]
    retry-on = [7, \"28-30\", \"connection lost\"]

    [storage]
    endpoint = \"https://s3.example.org\"
    ca-file = [\"/etc/ssl/our-ca.pem\"]

    # What error detection does not know: text (by itself, in any case), http-status, or both.
    [[rules]]
    name = \"license-server.busy\"
    text = \"no free license\"
    retry = true
    kind = \"throttle\"
    retry-after = \"30s\"

Durations:
  Written with their unit: 500ms, 2s, 5m, 1h30m.

Examples:
  persevere run -- curl -fsSO https://example.org/disk.img
  persevere plan --preset aggressive
  persevere classify 'connect: Connection refused'
  persevere network wait --deadline 5m
  persevere cp -r photos/ s3://backups/photos/";
