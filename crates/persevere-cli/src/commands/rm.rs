//! `persevere rm`: removes objects and files.

mod walk;

use std::process::ExitCode;

use clap::Args;
use futures_util::StreamExt;
use futures_util::stream;
use persevere_storage::{Storage, StorageError};
use serde::Serialize;
use tracing::info;

use super::cp::concerns_all;
use crate::error::CliError;
use crate::output;
use crate::policy::PolicyArgs;
use crate::settings::{Settings, key, value};
use crate::storage::StorageArgs;
use crate::storage::filter::Filter;
use crate::storage::format;
use crate::storage::place::{folder_prefix, last_component};
use crate::storage::question;
use crate::storage::selection::{Kind, Selection};
use crate::storage::session::{self, Failure, Session};

/// Remove objects and files, with --recursive also folders.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub(crate) struct RmArgs {
    /// Remove folders with all that is in them
    #[arg(short, long)]
    recursive: bool,

    /// Remove only what this pattern matches; can be repeated
    #[arg(long, value_name = "PATTERN")]
    include: Vec<String>,

    /// Keep what this pattern matches; wins over --include; can be repeated
    #[arg(long, value_name = "PATTERN")]
    exclude: Vec<String>,

    /// Print what would be removed, and remove nothing
    #[arg(short = 'n', long)]
    dry_run: bool,

    /// Do not ask, and remove even all of a bucket
    #[arg(short, long)]
    yes: bool,

    /// Remove so many at once [default: 4]
    #[arg(short, long, value_name = "N")]
    jobs: Option<String>,

    /// Print a JSON object for each of them, one per line: url, status, error
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    pub(crate) policy: PolicyArgs,

    #[command(flatten)]
    storage: StorageArgs,

    /// URLs, paths, and patterns of them as for `cp`
    #[arg(required = true, value_name = "PLACE")]
    places: Vec<String>,
}

const HELP: &str = "\
On a terminal it asks before it removes more than one. A whole bucket and / are only removed with --yes. \
Links are removed, and never followed. Folders of this machine go when they are empty; patterns are as \
for `cp`.

Exit status:
  0       all is gone
  1       something does not exist or could not be removed, or you said no
  2       bad options, variables, configuration or names, or no credentials; nothing was removed
  124     the deadline has passed
  128+N   signal N ended it

Examples:
  persevere rm s3://images/old.img
  persevere rm -r --include '*.tmp' --dry-run sftp://me@nas/~/photos
  persevere rm --yes 's3://logs/2024-*/**'";

/// One that is to go.
#[derive(Debug)]
struct Victim {
    storage: Storage,
    key: String,
    /// What an empty folder of this machine is removed by: the storage knows none.
    is_folder: bool,
}

/// What has become of one, as JSON.
#[derive(Debug, Serialize)]
struct Removed<'a> {
    url: &'a str,
    status: &'static str,
    error: Option<&'a str>,
}

impl RmArgs {
    pub(crate) fn run(self, settings: &Settings) -> Result<ExitCode, CliError> {
        let session = Session::new(&self.policy, &self.storage, settings)?;
        let filter = Filter::new(&self.include, &self.exclude)?;
        let jobs = settings.get(&key::JOBS, self.jobs.as_deref(), value::count)?;
        let jobs = jobs.map_or(4, |set| set.value);
        session.run("", async |session| {
            session.until_stopped(self.remove(session, &filter, jobs)).await?
        })
    }

    async fn remove(
        &self,
        session: &Session,
        filter: &Filter,
        jobs: usize,
    ) -> Result<ExitCode, Failure> {
        let mut victims = Vec::new();
        for written in &self.places {
            let place = session.open(written).await?;
            if place.is_local && walk::is_file_or_link(&place.key) {
                if filter.takes(last_component(&place.key)) {
                    victims.push(Victim {
                        storage: place.storage,
                        key: place.key,
                        is_folder: false,
                    });
                }
                continue;
            }
            let selection = Selection::find(session, written, self.recursive).await?;
            self.refuse_everything(&selection)?;
            refuse_links(&selection, self.recursive)?;
            self.collect(&selection, filter, &mut victims).await?;
        }
        if self.dry_run {
            for victim in &victims {
                self.tell(victim, "would_remove", None)?;
            }
            return Ok(ExitCode::SUCCESS);
        }
        let files = victims.iter().filter(|victim| !victim.is_folder).count() as u64;
        if files > 1 && !self.yes && question::can_ask() {
            let question = format!("Remove {}?", format::count(files, "file"));
            question::must_agree(session, &question).await?;
        }
        self.remove_all(victims, jobs).await
    }

    fn refuse_everything(&self, selection: &Selection) -> Result<(), CliError> {
        let folder = match &selection.kind {
            Kind::Folder { prefix, .. } => prefix,
            Kind::Pattern { pattern, recursive } if *recursive || pattern.is_deep() => {
                &pattern.folder
            }
            _ => return Ok(()),
        };
        let is_everything = folder.chars().all(|char| char == '/')
            || (selection.place.is_local
                && std::fs::canonicalize(folder).is_ok_and(|it| it.parent().is_none()));
        match is_everything && !self.yes && !self.dry_run {
            true => Err(CliError::usage(format!(
                "{} is all that there is: if it is to be removed, add --yes",
                selection.place.at(folder.as_str()).url()
            ))),
            false => Ok(()),
        }
    }

    async fn collect(
        &self,
        selection: &Selection,
        filter: &Filter,
        victims: &mut Vec<Victim>,
    ) -> Result<(), Failure> {
        let victim = |key: String, is_folder| Victim {
            storage: selection.place.storage.clone(),
            key,
            is_folder,
        };
        let before = victims.len();
        if selection.place.is_local {
            // A list follows links.
            let found = walk::below(selection, filter).await?;
            victims.extend(found.into_iter().map(|it| victim(it.path, it.is_folder)));
        } else {
            let mut items = selection.items(filter);
            while let Some(item) = items.next().await {
                let item = item?;
                if selection.takes(&item, filter) {
                    victims.push(victim(item.key, false));
                }
            }
        }
        match &selection.kind {
            Kind::Pattern { .. } if victims.len() == before => {
                Err(CliError::failed(format!("{} matches nothing", selection.place.url())).into())
            }
            _ => Ok(()),
        }
    }

    async fn remove_all(&self, victims: Vec<Victim>, jobs: usize) -> Result<ExitCode, Failure> {
        // Those above come after what is in them.
        let (mut folders, files): (Vec<_>, Vec<_>) =
            victims.into_iter().partition(|victim| victim.is_folder);
        folders.sort_by(|one, other| other.key.cmp(&one.key));
        let mut removed = 0;
        let mut failures = Vec::new();
        let removals = stream::iter(files).map(async |victim| {
            let result = victim.storage.delete(&victim.key).await;
            (victim, result)
        });
        let mut removals = std::pin::pin!(removals.buffer_unordered(jobs));
        while let Some((victim, result)) = removals.next().await {
            let Err(error) = result else {
                removed += 1;
                self.tell_if_json(&victim, "removed", None)?;
                continue;
            };
            let text = session::text(&error);
            self.tell_if_json(&victim, "failed", Some(&text))?;
            failures.push(text);
            if concerns_all(&error) {
                break;
            }
        }
        for folder in folders {
            // What is not empty has been kept on purpose, or has failed above.
            if std::fs::remove_dir(&folder.key).is_ok() {
                self.tell_if_json(&folder, "removed", None)?;
            }
        }
        info!("removed {}", format::count(removed, "file"));
        for failure in &failures {
            output::error_line(&format!("error: {}", crate::text::one_line(failure)));
        }
        Ok(ExitCode::from(u8::from(!failures.is_empty())))
    }

    fn tell_if_json(
        &self,
        victim: &Victim,
        status: &'static str,
        error: Option<&str>,
    ) -> Result<(), CliError> {
        if self.json { self.tell(victim, status, error) } else { Ok(()) }
    }

    fn tell(
        &self,
        victim: &Victim,
        status: &'static str,
        error: Option<&str>,
    ) -> Result<(), CliError> {
        let mut url = victim.storage.url(&victim.key);
        if victim.is_folder {
            url = folder_prefix(&url);
        }
        let line = match self.json {
            true => output::json(&Removed { url: &url, status, error })?,
            false => url,
        };
        output::print((line + "\n").as_bytes())
    }
}

/// A list over SFTP goes into folders that links lead to, and does not say so.
fn refuse_links(selection: &Selection, recursive: bool) -> Result<(), CliError> {
    let is_deep = match &selection.kind {
        Kind::Object(_) => false,
        Kind::Folder { .. } => true,
        Kind::Pattern { pattern, .. } => recursive || pattern.is_deep(),
    };
    let place = &selection.place;
    match is_deep && place.has_folders && !place.is_local {
        true => Err(CliError::usage(format!(
            "{}: folders cannot be removed over SFTP yet, for what links in them lead to would go as well",
            place.url()
        ))),
        false => Ok(()),
    }
}

/// What could not be looked at on this machine.
fn unreadable(path: &std::path::Path, error: std::io::Error) -> StorageError {
    StorageError::Io { doing: "list", path: path.to_owned(), source: error }
}
