//! `persevere cp`: copies between stores and this machine, and goes on where it was interrupted.

mod bars;
mod copy;
mod landing;
mod pipe;
mod plan;
mod report;

use std::process::ExitCode;

use clap::Args;
pub(crate) use copy::concerns_all;
pub(crate) use report::{Figures, can_draw};

use crate::error::CliError;
use crate::policy::PolicyArgs;
use crate::settings::{Settings, key, value};
use crate::storage::StorageArgs;
use crate::storage::filter::Filter;
use crate::storage::session::{Failure, Session};

/// Copy files and folders between stores and this machine; interrupted, it goes on where it was.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub(crate) struct CpArgs {
    /// Copy folders with all that is in them
    #[arg(short, long)]
    recursive: bool,

    /// Copy only what this pattern matches; can be repeated
    #[arg(long, value_name = "PATTERN")]
    include: Vec<String>,

    /// Leave out what this pattern matches; wins over --include; can be repeated
    #[arg(long, value_name = "PATTERN")]
    exclude: Vec<String>,

    /// Print what would be copied, and copy nothing
    #[arg(short = 'n', long)]
    dry_run: bool,

    /// Leave out what is there already: of the same size, and of the same checksum where both stores
    /// keep one, else no older than the source
    #[arg(long)]
    skip_existing: bool,

    /// Begin anew in place of going on with what was interrupted
    #[arg(long)]
    no_resume: bool,

    /// Say that what is written is of this media type, such as text/html [default: as the source says]
    #[arg(long, value_name = "TYPE")]
    content_type: Option<String>,

    /// Cut files into parts of this size [default: 16MiB, more for what is larger than 140 GiB]
    #[arg(long, value_name = "SIZE")]
    part_size: Option<String>,

    /// Have so many parts of a file under way at once [default: 8]
    #[arg(long, value_name = "N")]
    concurrency: Option<String>,

    /// Copy so many files at once [default: 4]
    #[arg(short, long, value_name = "N")]
    jobs: Option<String>,

    /// Draw no progress bars [default: false; never where standard error is no terminal]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true")]
    no_progress: Option<String>,

    /// Print a JSON object for each file and one for all of them, one per line
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    pub(crate) policy: PolicyArgs,

    #[command(flatten)]
    storage: StorageArgs,

    /// What to copy, and at the end where to
    #[arg(required = true, num_args = 2.., value_names = ["SOURCE", "DESTINATION"])]
    places: Vec<String>,
}

const HELP: &str = "\
Places:
  s3://BUCKET/KEY, az://CONTAINER/BLOB, gs://BUCKET/KEY, sftp://USER@HOST:PORT/PATH (/~/PATH from \
home), a path, or - for standard input and output. Keys are taken as they stand, without %-codes.
  * ? [a-z] {a,b} and ** (also across folders) match names; quote them, so that the shell leaves them \
alone. A name that exists as it is written is taken as it is.

Where copies go is decided by what is written, not by what is there, so that the same command can be run \
again:
  cp a.img DST        to DST; if DST is a folder of this machine or of an SFTP host, into it
  cp a.img DST/       to DST/a.img
  cp -r dir DST       to DST/..., so that DST becomes a copy of dir, whether it exists or not
  cp -r dir DST/      to DST/dir/...
  cp -r dir/ DST      to DST/..., as cp -r dir/ DST/
  cp a b DST          to DST/a and DST/b: with several sources or a pattern DST is always a folder
  cp 'x/*.img' DST    to DST/a.img: names from the folder before the first wildcard on
  A bucket by itself, . and .. count as written with a / at the end.

Patterns of --include and --exclude:
  Without a / a pattern matches names at any depth, with one it matches paths from the source folder \
on. What matches a folder matches all that is in it.

Interruptions:
  What has arrived is remembered in $PERSEVERE_STATE_DIR, else $XDG_STATE_HOME/persevere or \
~/.local/state/persevere, even if this program is killed. The same command goes on from there. `persevere \
jobs` lists what was not finished. Standard input cannot be taken up again.

Exit status:
  0       all was copied, or was there already with --skip-existing
  1       something was not copied: the other files were, unless credentials, certificates or disk \
space were the reason, which end it all
  2       bad options, variables, configuration or names, or no credentials; nothing was copied
  124     the deadline has passed
  128+N   signal N (Ctrl-C is 130, SIGTERM 143): parts under way are dropped, then we die by it; a second \
one ends at once

Examples:
  persevere cp disk.img s3://images/
  persevere cp -r --exclude '*.tmp' photos/ sftp://me@nas/~/photos
  persevere cp 's3://logs/2026-*/app.log' gs://archive/logs/
  pg_dump db | persevere cp - az://backups/db.sql --content-type application/sql";

/// What was asked for, checked.
pub(super) struct Wishes {
    recursive: bool,
    filter: Filter,
    dry_run: bool,
    skip_existing: bool,
    resume: bool,
    content_type: Option<String>,
    part_size: Option<u64>,
    concurrency: Option<usize>,
    jobs: usize,
    bars: bool,
    json: bool,
    sources: Vec<String>,
    destination: String,
}

impl CpArgs {
    pub(crate) fn run(self, settings: &Settings) -> Result<ExitCode, CliError> {
        let session = Session::new(&self.policy, &self.storage, settings)?;
        let wishes = self.check(settings)?;
        let piped = wishes.sources.iter().any(|it| it == "-") || wishes.destination == "-";
        let hint = match (piped, wishes.resume && !wishes.dry_run) {
            (false, true) => ": what has arrived is kept, run the same command again to go on",
            _ => "",
        };
        session.run(hint, async |session| match piped {
            true => pipe::copy(session, &wishes).await,
            false => copy::copy(session, &wishes).await,
        })
    }

    fn check(mut self, settings: &Settings) -> Result<Wishes, CliError> {
        // clap sees to it that there are two.
        let destination = self.places.pop().unwrap_or_default();
        let count = |key, option: &Option<String>| {
            let set = settings.get(key, option.as_deref(), value::count)?;
            Ok::<_, CliError>(set.map(|set| set.value))
        };
        let part_size = settings.get(&key::PART_SIZE, self.part_size.as_deref(), value::size)?;
        let no_progress =
            settings.get(&key::NO_PROGRESS, self.no_progress.as_deref(), value::flag)?;
        let no_progress = no_progress.is_some_and(|set| set.value);
        Ok(Wishes {
            recursive: self.recursive,
            filter: Filter::new(&self.include, &self.exclude)?,
            dry_run: self.dry_run,
            skip_existing: self.skip_existing,
            resume: !self.no_resume,
            part_size: part_size.map(|set| set.value),
            concurrency: count(&key::CONCURRENCY, &self.concurrency)?,
            jobs: count(&key::JOBS, &self.jobs)?.unwrap_or(4),
            bars: !no_progress && can_draw(),
            content_type: self.content_type,
            json: self.json,
            sources: self.places,
            destination,
        })
    }
}

/// One file from one place to another, as the command does it; `None` if it was not copied, which is told of.
pub(crate) async fn copy_one(
    session: &Session,
    (source, destination): (&str, &str),
    (part_size, concurrency): (u64, usize),
) -> Result<Option<Figures>, Failure> {
    let wishes = Wishes {
        recursive: false,
        filter: Filter::new(&[], &[])?,
        dry_run: false,
        skip_existing: false,
        resume: true,
        content_type: None,
        part_size: Some(part_size),
        concurrency: Some(concurrency),
        jobs: 1,
        bars: can_draw(),
        json: false,
        sources: vec![source.to_owned()],
        destination: destination.to_owned(),
    };
    let (tally, ended) = copy::count(session, &wishes).await?;
    let figures = tally.figures();
    tally.finish(session, ended, false)?;
    Ok(figures)
}

impl Wishes {
    fn transfer_options(&self, session: &Session) -> persevere_storage::TransferOptions {
        let mut options = session.transfer_options().resume(self.resume);
        if let Some(part_size) = self.part_size {
            options = options.part_size(part_size);
        }
        if let Some(concurrency) = self.concurrency {
            options = options.concurrency(concurrency);
        }
        if let Some(content_type) = &self.content_type {
            options = options.content_type(content_type);
        }
        options
    }
}
