//! Many files at once, each by itself.

use std::io::ErrorKind;
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream;
use persevere::{CancellationToken, Kind, detect};
use persevere_storage::{StorageError, TransferOptions};
use tokio::sync::mpsc;

use super::Wishes;
use super::bars::Bars;
use super::plan::{Plan, Planned};
use super::report::{Outcome, Tally};
use crate::storage::place::Place;
use crate::storage::session::{Failure, Session, Stop};

/// How far the lists may be ahead of the copies, which the bars need to tell how much is left.
const AHEAD: usize = 10_000;

pub(super) async fn copy(
    session: &Session,
    wishes: &Wishes,
) -> Result<std::process::ExitCode, Failure> {
    let (tally, ended) = count(session, wishes).await?;
    tally.finish(session, ended, wishes.dry_run)
}

/// Copies, and tells what has become of it, and what ended it before its time.
pub(super) async fn count(
    session: &Session,
    wishes: &Wishes,
) -> Result<(Tally, Option<Failure>), Failure> {
    let plan = Plan::new(session, wishes).await?;
    let mut tally = Tally::new(wishes.json);
    for (source, failure) in &plan.failed {
        let outcome = match failure {
            Failure::Storage(error) => Outcome::failed(error),
            Failure::Told(error) => Outcome::refused(error.to_string()),
            Failure::Interrupted | Failure::OutOfTime => continue,
        };
        tally.note(source, &wishes.destination, &outcome)?;
    }
    let bars = Bars::default();
    let drawing =
        (wishes.bars && !wishes.dry_run).then(|| bars.draw(session.waits_for_network.clone()));
    let (sender, receiver) = mpsc::channel(AHEAD);
    let (listed, copied) = tokio::join!(plan.send(session, wishes, &bars, sender), async {
        let copied = copy_all(session, wishes, &bars, receiver, &mut tally).await;
        if copied.is_err() {
            // Nobody takes what lists bring any more.
            session.stop().token.cancel();
        }
        copied
    });
    if let Some(drawing) = drawing {
        drawing.end().await;
    }
    let mut ended = copied?;
    match listed {
        Ok(failed) => {
            for (source, error) in failed {
                tally.note(&source, &wishes.destination, &Outcome::failed(&error))?;
            }
        }
        Err(failure @ (Failure::Interrupted | Failure::OutOfTime)) => {
            ended = ended.or(Some(failure));
        }
        Err(failure) => return Err(failure),
    }
    Ok((tally, ended))
}

/// Copies what comes, as many at once as were asked for. Returns what ended it before its time.
async fn copy_all(
    session: &Session,
    wishes: &Wishes,
    bars: &Bars,
    receiver: mpsc::Receiver<Planned>,
    tally: &mut Tally,
) -> Result<Option<Failure>, Failure> {
    let planned = stream::unfold(receiver, async |mut receiver| {
        let next: Planned = receiver.recv().await?;
        Some((next, receiver))
    });
    let copies = planned.map(|planned| begin(session, wishes, bars, planned));
    let mut copies = std::pin::pin!(copies.buffer_unordered(wishes.jobs));
    let mut ended = None;
    while let Some((from, to, result)) = copies.next().await {
        let outcome = match result {
            Ok(outcome) => outcome,
            Err(failure) => {
                ended = ended.or(Some(failure));
                Outcome::Stopped
            }
        };
        // Files that were never begun are nobody's business.
        if !matches!(outcome, Outcome::Stopped) {
            tally.note(&from, &to, &outcome)?;
        }
    }
    Ok(ended)
}

type Ended = (String, String, Result<Outcome, Failure>);

/// Begins in a task of its own: there are several processors.
async fn begin(session: &Session, wishes: &Wishes, bars: &Bars, planned: Planned) -> Ended {
    let from = planned.from.url();
    let to = if planned.refused.is_some() && planned.to.key.is_empty() {
        wishes.destination.clone()
    } else {
        planned.to.url()
    };
    if let Some(reason) = planned.refused {
        return (from, to, Ok(Outcome::refused(reason)));
    }
    let bytes = planned.item.seen.size;
    if wishes.dry_run && !wishes.skip_existing {
        return (from, to, Ok(Outcome::WouldCopy { bytes }));
    }
    if session.stop().token.is_cancelled() {
        return (from, to, Err(Failure::Interrupted));
    }
    let one = One {
        planned,
        options: wishes.transfer_options(session),
        stop: session.stop().clone(),
        bars: bars.clone(),
        skip_existing: wishes.skip_existing,
        dry_run: wishes.dry_run,
    };
    let token = one.stop.token.clone();
    let result = match tokio::spawn(one.copy()).await {
        Ok(result) => result,
        Err(ended) if ended.is_panic() => std::panic::resume_unwind(ended.into_panic()),
        Err(_) => return (from, to, Err(Failure::Interrupted)),
    };
    (from, to, result.or_else(|failure| told(failure, &token)))
}

/// What failed for this file alone is told of; what would fail for all ends it all.
fn told(failure: Failure, token: &CancellationToken) -> Result<Outcome, Failure> {
    match failure {
        Failure::Storage(error) => {
            if concerns_all(&error) {
                token.cancel();
            }
            Ok(Outcome::failed(&error))
        }
        other => Err(other),
    }
}

/// Whether the next file would fail as well: credentials, certificates, settings, disk space.
pub(crate) fn concerns_all(error: &StorageError) -> bool {
    let last = error.last();
    let kind = match (error, last) {
        (StorageError::GaveUp(error), _) => error.verdict().map(|verdict| verdict.kind()),
        (_, StorageError::Provider(error)) => Some(error.verdict.kind()),
        (_, other) => Some(detect::error(other).kind()),
    };
    let is_full = |error: &std::io::Error| {
        use ErrorKind::{QuotaExceeded, ReadOnlyFilesystem, StorageFull};
        matches!(error.kind(), StorageFull | QuotaExceeded | ReadOnlyFilesystem)
    };
    match last {
        StorageError::Setup { .. } => true,
        StorageError::Io { source, .. } => is_full(source),
        _ => matches!(kind, Some(Kind::Auth | Kind::Tls | Kind::ExhaustedResource)),
    }
}

/// One file.
struct One {
    planned: Planned,
    options: TransferOptions,
    stop: Stop,
    bars: Bars,
    skip_existing: bool,
    dry_run: bool,
}

impl One {
    async fn copy(self) -> Result<Outcome, Failure> {
        let bytes = self.planned.item.seen.size;
        let flight = self.bars.begin(&self.planned.item.relative, Some(bytes));
        let outcome = self.copy_watched(&flight).await;
        self.bars.end(&flight, bytes);
        outcome
    }

    async fn copy_watched(&self, flight: &Arc<super::bars::Flight>) -> Result<Outcome, Failure> {
        let Planned { from, to, item, .. } = &self.planned;
        let bytes = item.seen.size;
        if self.skip_existing && self.stop.or(is_there(&self.planned)).await?? {
            return Ok(Outcome::Skipped { bytes });
        }
        if self.dry_run {
            return Ok(Outcome::WouldCopy { bytes });
        }
        let noted = flight.clone();
        let options = self.options.clone().on_progress(move |progress| noted.note(progress));
        let summary = from.storage.copy(&from.key, &to.storage, &to.key, &options).await?;
        Ok(Outcome::Copied(Box::new(summary)))
    }
}

/// Whether the destination is what the source would make of it, as far as can be told without reading
/// either: of the same size, and of the same checksum if both keep the same kind, else no older.
async fn is_there(planned: &Planned) -> Result<bool, StorageError> {
    let Planned { from, to, item, .. } = planned;
    let Some(there) = stat(to).await? else { return Ok(false) };
    if there.size != item.seen.size {
        return Ok(false);
    }
    if there.checksums != Default::default()
        && let Some(here) = stat(from).await?
    {
        let (one, other) = (here.checksums, there.checksums);
        if let (Some(one), Some(other)) = (one.crc64nvme, other.crc64nvme) {
            return Ok(one == other);
        }
        if let (Some(one), Some(other)) = (one.crc32c, other.crc32c) {
            return Ok(one == other);
        }
    }
    Ok(matches!((there.modified, item.seen.modified), (Some(there), Some(here)) if there >= here))
}

async fn stat(place: &Place) -> Result<Option<persevere_storage::ObjectInfo>, StorageError> {
    place.storage.stat(&place.key).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_fail_for_every_file_ends_it_all() {
        let io = |kind: ErrorKind| StorageError::Io {
            doing: "write",
            path: "x".into(),
            source: kind.into(),
        };
        let settings = StorageError::Setup { message: "no credentials".into(), source: None };
        for error in [io(ErrorKind::StorageFull), io(ErrorKind::ReadOnlyFilesystem), settings] {
            assert!(concerns_all(&error), "{error:?}");
        }
        let changed = StorageError::Changed { what: "x".into() };
        for error in [io(ErrorKind::PermissionDenied), io(ErrorKind::NotFound), changed] {
            assert!(!concerns_all(&error), "{error:?}");
        }
    }
}
