//! `-`: standard input and standard output.

use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::task::{Context, Poll};

use persevere_storage::StorageError;
use tokio::io::{AsyncRead, ReadBuf};

use super::Wishes;
use super::bars::{Bars, Flight};
use super::report::{Outcome, Tally};
use crate::error::CliError;
use crate::storage::place::{Found, Place};
use crate::storage::selection::{Kind, Selection};
use crate::storage::session::{Failure, Session};

pub(super) async fn copy(session: &Session, wishes: &Wishes) -> Result<ExitCode, Failure> {
    let usage = |message: &str| Err(CliError::usage(message).into());
    match (wishes.sources.as_slice(), wishes.destination.as_str()) {
        _ if wishes.dry_run => usage("--dry-run has nothing to tell of standard input and output"),
        _ if wishes.skip_existing => {
            usage("--skip-existing cannot compare anything with standard input and output")
        }
        ([source], "-") if source == "-" => {
            usage("standard input is to go to standard output: `cat` does that")
        }
        (_, "-") if wishes.json => {
            usage("--json and the destination - both go to standard output: leave one of them out")
        }
        ([source], "-") => read(session, wishes, source).await,
        (_, "-") => usage("several sources cannot go to standard output: name one"),
        ([_], destination) => write(session, wishes, destination).await,
        _ => usage("standard input cannot be copied with other sources: make two commands of it"),
    }
}

/// To standard output.
async fn read(session: &Session, wishes: &Wishes, source: &str) -> Result<ExitCode, Failure> {
    let selection = Selection::find(session, source, false).await?;
    let Kind::Object(seen) = &selection.kind else {
        return Err(CliError::usage(format!(
            "{} is a pattern, but only one object can go to standard output: write its name",
            selection.place.url()
        ))
        .into());
    };
    let place = &selection.place;
    let work = async |flight: &Arc<Flight>| {
        let noted = flight.clone();
        let options = wishes.transfer_options(session).on_progress(move |it| noted.note(it));
        let output = tokio::io::stdout();
        let copied = place.storage.download_stream(&place.key, output, &options);
        session.until_stopped(copied).await
    };
    let tally = Tally::new(wishes.json);
    let result = watched(session, wishes, &place.url(), Some(seen.size), work).await;
    finish(session, &place.url(), "-", tally, result)
}

/// From standard input.
async fn write(session: &Session, wishes: &Wishes, to: &str) -> Result<ExitCode, Failure> {
    let place = session.open(to).await?;
    if place.names_folder() || is_folder(session, &place).await? {
        return Err(CliError::usage(format!(
            "{} is a folder, and standard input has no name: write one after the folder's",
            place.url()
        ))
        .into());
    }
    let work = async |flight: &Arc<Flight>| {
        let noted = flight.clone();
        let options = wishes.transfer_options(session).on_progress(move |it| noted.note(it));
        let input = Stoppable::new(tokio::io::stdin(), session);
        Ok(place.storage.upload_stream(input, &place.key, &options).await)
    };
    let tally = Tally::new(wishes.json);
    let result = watched(session, wishes, "-", None, work).await;
    finish(session, "-", &place.url(), tally, result)
}

async fn is_folder(session: &Session, place: &Place) -> Result<bool, Failure> {
    Ok(place.has_folders && session.until_stopped(place.find()).await?? == Found::Folder)
}

type Copied = Result<Result<persevere_storage::Summary, StorageError>, Failure>;

async fn watched(
    session: &Session,
    wishes: &Wishes,
    name: &str,
    size: Option<u64>,
    work: impl AsyncFnOnce(&Arc<Flight>) -> Copied,
) -> Copied {
    let bars = Bars::default();
    let drawing = wishes.bars.then(|| bars.draw(session.waits_for_network.clone()));
    let flight = bars.begin(name, size);
    let result = work(&flight).await;
    bars.end(&flight, size.unwrap_or_default());
    if let Some(drawing) = drawing {
        drawing.end().await;
    }
    result
}

fn finish(
    session: &Session,
    from: &str,
    to: &str,
    mut tally: Tally,
    result: Copied,
) -> Result<ExitCode, Failure> {
    let (outcome, ended) = match result {
        Ok(Ok(summary)) => (Outcome::Copied(Box::new(summary)), None),
        // A reader who has seen enough.
        Ok(Err(StorageError::Io { source, .. })) if is_closed(&source) && to == "-" => {
            return Ok(ExitCode::SUCCESS);
        }
        Ok(Err(_)) if session.is_interrupted() => (Outcome::Stopped, Some(Failure::Interrupted)),
        Ok(Err(_)) if session.stop().is_out_of_time() => {
            (Outcome::Stopped, Some(Failure::OutOfTime))
        }
        Ok(Err(error)) => (Outcome::failed(&error), None),
        Err(failure) => (Outcome::Stopped, Some(failure)),
    };
    tally.note(from, to, &outcome)?;
    tally.finish(session, ended, false)
}

fn is_closed(error: &io::Error) -> bool {
    error.kind() == ErrorKind::BrokenPipe
}

/// Ends with an error when somebody wants us to end: then what was sent is tidied up, which it would
/// not be if the whole transfer were dropped.
struct Stoppable<R> {
    reader: R,
    is_stopped: bool,
    stopped: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl<R> Stoppable<R> {
    fn new(reader: R, session: &Session) -> Self {
        let stop = session.stop().clone();
        let is_stopped = false;
        Self { reader, is_stopped, stopped: Box::pin(async move { drop(stop.wanted().await) }) }
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Stoppable<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Poll::Ready(read) = Pin::new(&mut self.reader).poll_read(context, buffer) {
            return Poll::Ready(read);
        }
        let ended = || Err(io::Error::other("ended from outside"));
        if self.is_stopped {
            return Poll::Ready(ended());
        }
        self.stopped.as_mut().poll(context).map(|()| {
            self.is_stopped = true;
            ended()
        })
    }
}
