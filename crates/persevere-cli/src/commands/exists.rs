//! `persevere exists`: whether there is something of this name.

use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use crate::error::CliError;
use crate::output;
use crate::policy::PolicyArgs;
use crate::settings::Settings;
use crate::storage::StorageArgs;
use crate::storage::place::{Found, Place};
use crate::storage::session::{self, Failure, Session};

/// Tell by the exit status whether an object, a file or a folder exists.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub(crate) struct ExistsArgs {
    /// Print a JSON object: url, exists, size
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    pub(crate) policy: PolicyArgs,

    #[command(flatten)]
    storage: StorageArgs,

    /// A URL or a path; in a bucket KEY is an object, and KEY/ is a folder with something in it
    place: String,
}

const HELP: &str = "\
A refusal or an outage is never a no.

Exit status:
  0       yes
  1       no
  2       nobody could find out, or bad options, variables or configuration
  124     the deadline has passed
  128+N   signal N ended it

Examples:
  persevere exists s3://images/disk.img && echo there
  persevere exists --deadline 1m sftp://me@nas/~/photos";

/// The answer as JSON.
#[derive(Debug, Serialize)]
struct Answer {
    url: String,
    exists: bool,
    /// Of an object.
    size: Option<u64>,
}

impl ExistsArgs {
    pub(crate) fn run(self, settings: &Settings) -> Result<ExitCode, CliError> {
        let session = Session::new(&self.policy, &self.storage, settings)?;
        session.run("", async |session| match session.until_stopped(self.answer(session)).await? {
            Ok(code) => Ok(code),
            // Not the status of a no.
            Err(Failure::Storage(error)) => Err(CliError::usage(session::text(&error)).into()),
            Err(Failure::Told(error)) => Err(CliError::usage(error.to_string()).into()),
            Err(ended) => Err(ended),
        })
    }

    async fn answer(&self, session: &Session) -> Result<ExitCode, Failure> {
        let place = session.open(&self.place).await?;
        let found = find(&place).await?;
        let exists = found != Found::Nothing;
        if self.json {
            let size = match found {
                Found::Object(seen) => Some(seen.size),
                _ => None,
            };
            let answer = Answer { url: place.url(), exists, size };
            output::print((output::json(&answer)? + "\n").as_bytes())?;
        }
        Ok(ExitCode::from(u8::from(!exists)))
    }
}

/// In a bucket a folder is asked for by its `/`: who asks for an object wants no other.
async fn find(place: &Place) -> Result<Found, persevere_storage::StorageError> {
    match place.find().await? {
        Found::Folder if !place.has_folders && !place.names_folder() => Ok(Found::Nothing),
        found => Ok(found),
    }
}
