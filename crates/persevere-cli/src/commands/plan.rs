//! `persevere plan`: the delays that a policy makes.

mod json;
mod table;

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use persevere::HumanDuration;

use crate::error::CliError;
use crate::output::{self, is_standard_output, write_file};
use crate::plot::{self, Schedule, Wait};
use crate::policy::{Limits, PolicyArgs};
use crate::settings::Settings;

/// Show how long a policy waits after each failed attempt.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,

    /// Print JSON in place of a table
    #[arg(long)]
    json: bool,

    /// Draw the schedule into this file, as SVG; - is standard output, in place of the table
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,

    /// Draw the schedule into this file, as PNG; - is standard output, in place of the table
    #[arg(long, value_name = "FILE")]
    png: Option<PathBuf>,

    /// Choose the schedule that is drawn as a sample; the same number gives the same delays
    /// [default: 1]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    seed: Option<String>,
}

const HELP: &str = "\
The table has, for each failure, the delay before jitter, the shortest and the longest that jitter \
makes of it, and the sums up to there. The time that the attempts themselves take comes on top.

Examples:
  persevere plan --preset aggressive
  persevere plan --attempts 6 --jitter full --svg schedule.svg";

/// Unlimited attempts have no last delay.
const SHOWN_OF_UNLIMITED: u32 = 20;
/// More than anybody reads, and still quick.
const SHOWN_AT_MOST: u32 = 10_000;

impl PlanArgs {
    pub(crate) fn run(&self, settings: &Settings) -> Result<(), CliError> {
        let limits = self.policy.limits(settings)?;
        self.check_standard_output()?;
        let plan = Plan::new(limits, self.seed()?);
        if let Some(path) = &self.svg {
            write_file("--svg", path, plot::svg(&plan.schedule()).as_bytes())?;
        }
        if let Some(path) = &self.png {
            let png = plot::png(&plan.schedule())
                .map_err(|error| CliError::failed(format!("cannot draw the PNG: {error}")))?;
            write_file("--png", path, &png)?;
        }
        if !self.on_standard_output().is_empty() {
            return Ok(());
        }
        let text = match self.json {
            true => plan.json(self.seed.is_some())? + "\n",
            false => plan.table(self.seed.is_some()),
        };
        output::print(text.as_bytes())
    }

    /// What was asked for there, in place of the table.
    fn on_standard_output(&self) -> Vec<&'static str> {
        let is_there = |path: &Option<PathBuf>| path.as_deref().is_some_and(is_standard_output);
        let all = [("--svg -", is_there(&self.svg)), ("--png -", is_there(&self.png))];
        all.into_iter().filter(|(_, is_there)| *is_there).map(|(option, _)| option).collect()
    }

    /// It takes one thing, and a terminal takes no PNG.
    fn check_standard_output(&self) -> Result<(), CliError> {
        let mut all = self.on_standard_output();
        if self.json && !all.is_empty() {
            all.push("--json");
        }
        match all[..] {
            [one, other, ..] => Err(CliError::usage(format!(
                "{one} and {other} both go to standard output: leave one of them out, or name a file"
            ))),
            ["--png -"] if io::stdout().is_terminal() => Err(CliError::usage(
                "--png is '-', but standard output is a terminal: name a file, or redirect it",
            )),
            _ => Ok(()),
        }
    }

    fn seed(&self) -> Result<u64, CliError> {
        let seed = self.seed.as_deref().unwrap_or("1");
        seed.parse().map_err(|_| {
            CliError::usage(format!(
                "--seed is '{seed}', but must be a whole number from 0 to {}",
                u64::MAX
            ))
        })
    }
}

/// The schedule of a policy.
struct Plan {
    limits: Limits,
    seed: u64,
    rows: Vec<Row>,
    sample: Vec<Duration>,
    /// Whether there are more rows than are shown.
    cut: bool,
}

#[derive(Clone, Copy)]
struct Row {
    attempt: u32,
    base: Duration,
    at_least: Duration,
    at_most: Duration,
    total_at_least: Duration,
    total_at_most: Duration,
}

impl Plan {
    fn new(limits: Limits, seed: u64) -> Self {
        let policy = limits.policy;
        let all = policy.max_attempts() - 1;
        let shown = match limits.unlimited {
            Some(_) => SHOWN_OF_UNLIMITED,
            None => all.min(SHOWN_AT_MOST),
        };
        let (mut total_at_least, mut total_at_most) = (Duration::ZERO, Duration::ZERO);
        let rows = (1..=shown).map(|attempt| {
            let (at_least, at_most) = policy.delay_bounds(attempt).into_inner();
            total_at_least = total_at_least.saturating_add(at_least);
            total_at_most = total_at_most.saturating_add(at_most);
            Row {
                attempt,
                base: policy.base_delay(attempt),
                at_least,
                at_most,
                total_at_least,
                total_at_most,
            }
        });
        Self {
            rows: rows.collect(),
            sample: policy.delays(seed).take(shown as usize).collect(),
            cut: shown < all,
            limits,
            seed,
        }
    }

    /// `3 attempts, delays from 1s to 30s at the most, multiplied by 2, jitter proportional`.
    fn subtitle(&self) -> String {
        let policy = &self.limits.policy;
        let attempts = match (self.limits.unlimited.is_some(), policy.max_attempts()) {
            (true, _) => "unlimited attempts".to_owned(),
            (_, 1) => "1 attempt".to_owned(),
            (_, attempts) => format!("{attempts} attempts"),
        };
        let mut text = format!(
            "{attempts}, first delay {}, longest {}, multiplier {}, jitter {}",
            HumanDuration(policy.initial_delay()),
            HumanDuration(policy.max_delay()),
            policy.multiplier(),
            policy.jitter(),
        );
        if let Some(deadline) = self.limits.deadline {
            text += &format!(", deadline {}", HumanDuration(deadline));
        }
        text
    }

    fn schedule(&self) -> Schedule {
        let waits = self.rows.iter().map(|row| Wait {
            attempt: row.attempt,
            base: row.base,
            at_least: row.at_least,
            at_most: row.at_most,
        });
        Schedule {
            title: format!("Retry policy {}", self.limits.preset),
            subtitle: self.subtitle(),
            waits: waits.collect(),
            sample: self.sample.clone(),
        }
    }
}
