//! `persevere ls`: what is there.

use std::io::{IsTerminal, stdout};
use std::process::ExitCode;

use clap::{ArgAction, Args};
use futures_util::StreamExt;
use persevere_storage::{Entry, StorageError};
use serde::Serialize;

use crate::error::CliError;
use crate::output;
use crate::policy::PolicyArgs;
use crate::settings::Settings;
use crate::storage::StorageArgs;
use crate::storage::filter::Pattern;
use crate::storage::format;
use crate::storage::place::{Found, Place, Seen, last_component};
use crate::storage::selection;
use crate::storage::session::{Failure, Session};
use crate::text;

/// List what is in a bucket, a folder, or what a pattern matches.
#[derive(Debug, Args)]
#[command(after_long_help = HELP, disable_help_flag = true)]
pub(crate) struct LsArgs {
    /// List folders with all that is in them
    #[arg(short, long)]
    recursive: bool,

    /// Print size and time before each name
    #[arg(short, long)]
    long: bool,

    /// With --long, print sizes such as 1.5 GiB
    #[arg(short = 'h', long)]
    human: bool,

    /// Print a JSON object for each entry, one per line: url, key, size, modified, folder
    #[arg(long)]
    json: bool,

    /// Print help
    #[arg(long, action = ArgAction::Help)]
    help: Option<bool>,

    #[command(flatten)]
    pub(crate) policy: PolicyArgs,

    #[command(flatten)]
    storage: StorageArgs,

    /// A URL or a path
    #[arg(default_value = ".", hide_default_value = true)]
    place: String,
}

const HELP: &str = "\
Names are printed from the folder on that is listed, and folders end with /. An object that is named by \
itself is printed. In a bucket s3://BUCKET/KEY is an object or the folder KEY/; for all keys that begin \
so, write 's3://BUCKET/KEY*'. Patterns are as for `cp`.

Exit status:
  0       listed
  1       it does not exist, or could not be listed to the end
  2       bad options, variables, configuration or names, or no credentials
  124     the deadline has passed
  128+N   signal N ended it

Examples:
  persevere ls s3://images/
  persevere ls -lhr sftp://me@nas/~/photos
  persevere ls --json 'gs://logs/**/*.gz' | jq -r .url";

/// An entry as JSON.
#[derive(Debug, Serialize)]
struct EntryJson<'a> {
    url: String,
    key: &'a str,
    /// `null` for a folder.
    size: Option<u64>,
    modified: Option<String>,
    folder: bool,
}

impl LsArgs {
    pub(crate) fn run(self, settings: &Settings) -> Result<ExitCode, CliError> {
        let session = Session::new(&self.policy, &self.storage, settings)?;
        session.run("", async |session| session.until_stopped(self.list(session)).await?)
    }

    async fn list(&self, session: &Session) -> Result<ExitCode, Failure> {
        let place = session.open(&self.place).await?;
        match place.find().await? {
            Found::Object(seen) => {
                let name = last_component(&place.key);
                self.print(&place, &place.key, name, Some(&seen))?;
            }
            Found::Folder => self.list_in(&place, &place.prefix(), |_| true, false).await?,
            Found::Nothing => {
                let Some(pattern) = Pattern::parse(&place.key)? else {
                    return Err(selection::not_found(&place).into());
                };
                let takes = |relative: &str| pattern.takes(relative, self.recursive);
                self.list_in(&place, &pattern.folder, takes, pattern.is_deep()).await?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    async fn list_in(
        &self,
        place: &Place,
        prefix: &str,
        takes: impl Fn(&str) -> bool,
        is_deep: bool,
    ) -> Result<(), Failure> {
        let mut entries = std::pin::pin!(place.storage.list(prefix, self.recursive || is_deep));
        let mut found_any = false;
        while let Some(entry) = entries.next().await {
            let Entry { key, size, modified, is_folder, .. } = entry?;
            let relative = key.strip_prefix(prefix).unwrap_or(&key);
            // The object that stands for the folder itself.
            if relative.is_empty() || !takes(relative.trim_end_matches('/')) {
                continue;
            }
            found_any = true;
            let seen = (!is_folder).then_some(Seen { size, modified });
            if !self.print(place, &key, relative, seen.as_ref())? {
                return Ok(());
            }
        }
        match (found_any, prefix == place.prefix()) {
            // Only a pattern can match nothing.
            (false, false) => {
                Err(StorageError::NotFound { what: place.url(), source: None }.into())
            }
            _ => Ok(()),
        }
    }

    /// Whether anybody still reads.
    fn print(
        &self,
        place: &Place,
        key: &str,
        name: &str,
        seen: Option<&Seen>,
    ) -> Result<bool, CliError> {
        let line = match self.json {
            true => {
                let modified = seen.and_then(|seen| seen.modified).map(format::time);
                output::json(&EntryJson {
                    url: place.at(key).url(),
                    key,
                    size: seen.map(|seen| seen.size),
                    modified,
                    folder: seen.is_none(),
                })?
            }
            false => self.line(name, seen),
        };
        output::print_on((line + "\n").as_bytes())
    }

    fn line(&self, name: &str, seen: Option<&Seen>) -> String {
        // Somebody else has chosen the name. In a pipe it must stay as it is.
        let name = match stdout().is_terminal() {
            true => text::one_line(name),
            false => name.to_owned(),
        };
        if !self.long {
            return name;
        }
        let size = match (seen, self.human) {
            (None, _) => "-".to_owned(),
            (Some(seen), true) => format::bytes(seen.size),
            (Some(seen), false) => seen.size.to_string(),
        };
        let modified = seen.and_then(|seen| seen.modified).map(format::time);
        let width = if self.human { 10 } else { 15 };
        format!("{size:>width$}  {:20}  {name}", modified.unwrap_or_else(|| "-".to_owned()))
    }
}
