//! `persevere jobs`: transfers that were begun and not ended.

mod clean;

use std::process::ExitCode;

use clap::{Args, Subcommand};
use persevere_storage::UnfinishedTransfer;
use serde::Serialize;

use crate::error::CliError;
use crate::output;
use crate::policy::PolicyArgs;
use crate::settings::Settings;
use crate::storage::StorageArgs;
use crate::storage::format;
use crate::storage::session::{self, Session};
use crate::text;

/// List transfers that were begun and not finished, and give them up.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub(crate) struct JobsArgs {
    #[command(subcommand)]
    action: Option<Action>,

    /// Print a JSON object for each of them, one per line
    #[arg(long, global = true)]
    json: bool,

    #[command(flatten)]
    pub(crate) policy: PolicyArgs,

    #[command(flatten)]
    storage: StorageArgs,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Give transfers up: what has arrived of them is deleted, and they are forgotten
    Clean(clean::CleanArgs),
}

const HELP: &str = "\
The same `cp` again goes on with a transfer. One that a process works on is not given up. To give up an \
upload to a server that an option such as --endpoint names, say it before `clean` again.

Exit status:
  0       listed, or given up
  1       some could not be given up, or you said no
  2       bad options, variables or configuration
  124     the deadline has passed
  128+N   signal N ended it

Examples:
  persevere jobs
  persevere jobs clean --older-than 7d --dry-run
  persevere jobs clean 3fa97c01";

/// A transfer as JSON.
#[derive(Debug, Serialize)]
struct JobJson<'a> {
    id: &'a str,
    from: &'a str,
    to: &'a str,
    endpoint: Option<&'a str>,
    begun: String,
    size: Option<u64>,
    confirmed_bytes: u64,
    /// The process that works on it now.
    process: Option<u32>,
    /// What `jobs clean` has made of it.
    status: Option<&'a str>,
    error: Option<&'a str>,
}

impl JobsArgs {
    pub(crate) fn run(self, settings: &Settings) -> Result<ExitCode, CliError> {
        let jobs = UnfinishedTransfer::all(None)
            .map_err(|error| CliError::failed(session::text(&error)))?;
        match self.action {
            None => {
                self.list(&jobs)?;
                Ok(ExitCode::SUCCESS)
            }
            Some(Action::Clean(clean)) => {
                let jobs = clean.select(jobs)?;
                let session = Session::new(&self.policy, &self.storage, settings)?;
                session.run("", async |session| clean.run(session, jobs, self.json).await)
            }
        }
    }

    fn list(&self, jobs: &[UnfinishedTransfer]) -> Result<(), CliError> {
        if self.json {
            return jobs.iter().try_for_each(|job| print_json(job, None, None));
        }
        if jobs.is_empty() {
            return Ok(());
        }
        let title = ["ID", "FROM", "TO", "SIZE", "DONE", "BEGUN", "PROCESS"];
        let mut rows = vec![title.map(str::to_owned).to_vec()];
        rows.extend(jobs.iter().map(row));
        output::print(format::table(&rows, &[3, 4, 6]).as_bytes())
    }
}

fn row(job: &UnfinishedTransfer) -> Vec<String> {
    let size = job.size.map_or_else(|| "?".to_owned(), format::bytes);
    vec![
        short_id(job).to_owned(),
        text::one_line(&job.source),
        text::one_line(&job.destination),
        size,
        done(job),
        format::time(job.begun),
        job.process.map_or_else(|| "-".to_owned(), |process| process.to_string()),
    ]
}

/// `45%`, or bytes where nobody knows how many there are.
fn done(job: &UnfinishedTransfer) -> String {
    match job.size {
        Some(size) if size > 0 => {
            let percent = u128::from(job.confirmed) * 100 / u128::from(size);
            format!("{}%", percent.min(100))
        }
        _ => format::bytes(job.confirmed),
    }
}

/// The name of its journal.
fn id(job: &UnfinishedTransfer) -> &str {
    job.journal.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default()
}

/// Enough to tell it from others.
fn short_id(job: &UnfinishedTransfer) -> &str {
    let id = id(job);
    id.get(..12).unwrap_or(id)
}

fn print_json(
    job: &UnfinishedTransfer,
    status: Option<&str>,
    error: Option<&str>,
) -> Result<(), CliError> {
    let json = JobJson {
        id: id(job),
        from: &job.source,
        to: &job.destination,
        endpoint: job.endpoint.as_deref(),
        begun: format::time(job.begun),
        size: job.size,
        confirmed_bytes: job.confirmed,
        process: job.process,
        status,
        error,
    };
    output::print((output::json(&json)? + "\n").as_bytes())
}
