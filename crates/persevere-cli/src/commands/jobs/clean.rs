//! `persevere jobs clean`: gives transfers up.

use std::process::ExitCode;
use std::time::SystemTime;

use clap::Args;
use persevere_storage::{StorageError, UnfinishedTransfer};

use super::{id, print_json, short_id};
use crate::error::CliError;
use crate::output;
use crate::settings::value;
use crate::storage::format;
use crate::storage::question;
use crate::storage::session::{self, Failure, Session};
use crate::text;

/// Give transfers up: what has arrived of them is deleted, and they are forgotten.
#[derive(Debug, Args)]
pub(super) struct CleanArgs {
    /// All that no process works on
    #[arg(long, conflicts_with = "ids")]
    all: bool,

    /// Those that were begun longer ago than this, such as 7d
    #[arg(long, value_name = "DURATION", conflicts_with_all = ["all", "ids"])]
    older_than: Option<String>,

    /// Print which they are, and give none of them up
    #[arg(short = 'n', long)]
    dry_run: bool,

    /// Do not ask
    #[arg(short, long)]
    yes: bool,

    /// Ids as `persevere jobs` shows them, or the beginnings of them
    #[arg(value_name = "ID")]
    ids: Vec<String>,
}

impl CleanArgs {
    /// Those that were asked for.
    pub(super) fn select(
        &self,
        jobs: Vec<UnfinishedTransfer>,
    ) -> Result<Vec<UnfinishedTransfer>, CliError> {
        if let Some(written) = &self.older_than {
            let age = value::duration(written).map_err(|allowed| {
                CliError::usage(format!("--older-than is '{written}', but must be {allowed}"))
            })?;
            let since = SystemTime::now().checked_sub(age);
            let is_old = |job: &UnfinishedTransfer| since.is_some_and(|since| job.begun < since);
            return Ok(jobs.into_iter().filter(is_old).filter(is_idle).collect());
        }
        if self.all {
            return Ok(jobs.into_iter().filter(is_idle).collect());
        }
        if self.ids.is_empty() {
            return Err(CliError::usage(
                "jobs clean needs to know which: an ID, --older-than 7d or --all",
            ));
        }
        self.ids.iter().map(|written| by_id(&jobs, written)).collect()
    }

    pub(super) async fn run(
        &self,
        session: &Session,
        jobs: Vec<UnfinishedTransfer>,
        json: bool,
    ) -> Result<ExitCode, Failure> {
        if self.dry_run {
            for job in &jobs {
                tell(job, "would_clean", None, json)?;
            }
            return Ok(ExitCode::SUCCESS);
        }
        if !jobs.is_empty() && !self.yes && question::can_ask() {
            let count = format::count(jobs.len() as u64, "transfer");
            let question = format!("Give up {count}, and delete what has arrived?");
            question::must_agree(session, &question).await?;
        }
        let mut failed = false;
        for job in &jobs {
            match give_up(session, job).await {
                Ok(()) => tell(job, "cleaned", None, json)?,
                Err(ended @ (Failure::Interrupted | Failure::OutOfTime)) => return Err(ended),
                Err(failure) => {
                    failed = true;
                    let reason = match failure {
                        Failure::Storage(error) => session::text(&error),
                        Failure::Told(error) => error.to_string(),
                        Failure::Interrupted | Failure::OutOfTime => continue,
                    };
                    let line = format!("error: {} to {}: {reason}", short_id(job), job.destination);
                    output::error_line(&text::one_line(&line));
                    if json {
                        tell(job, "failed", Some(&reason), json)?;
                    }
                }
            }
        }
        Ok(ExitCode::from(u8::from(failed)))
    }
}

fn is_idle(job: &UnfinishedTransfer) -> bool {
    job.process.is_none()
}

fn by_id(jobs: &[UnfinishedTransfer], written: &str) -> Result<UnfinishedTransfer, CliError> {
    let found: Vec<_> = jobs.iter().filter(|job| id(job).starts_with(written)).collect();
    match found.as_slice() {
        [job] => Ok((*job).clone()),
        [] => Err(CliError::usage(format!(
            "there is no unfinished transfer '{written}': `persevere jobs` lists those that are"
        ))),
        _ => Err(CliError::usage(format!(
            "'{written}' is the beginning of several ids: write more of it"
        ))),
    }
}

async fn give_up(session: &Session, job: &UnfinishedTransfer) -> Result<(), Failure> {
    let place = session.open(&job.destination).await?;
    let given_up = place.storage.give_up(job);
    Ok::<(), StorageError>(session.until_stopped(given_up).await??).map_err(Failure::from)
}

fn tell(
    job: &UnfinishedTransfer,
    status: &str,
    error: Option<&str>,
    json: bool,
) -> Result<(), CliError> {
    match json {
        true => print_json(job, Some(status), error),
        false => {
            let (from, to) = (&job.source, &job.destination);
            let line = text::one_line(&format!("{} {from} -> {to}", short_id(job)));
            output::print((line + "\n").as_bytes())
        }
    }
}
