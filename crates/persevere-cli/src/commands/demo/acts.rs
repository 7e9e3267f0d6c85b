//! What is done, one after the other.

use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt;
use persevere::{HumanDuration, NetworkState};
use persevere_faults::{Exchange, Outage, Plan};
use persevere_storage::UnfinishedTransfer;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::faults::{self, OUTAGE};
use super::record::{Record, Sample, Sampler, Subject, subject};
use super::stage::{BUCKET, STALLED_AFTER, Stage, sha256};
use super::{killed, tell};
use crate::cli::LogArgs;
use crate::commands::cp;
use crate::error::CliError;
use crate::output;
use crate::plot::Span;
use crate::storage::format;
use crate::storage::session::{Failure, Session};

/// The first process is killed when so many hundredths have arrived.
const KILLED_AT: u64 = 40;

/// Fewer parts have no middle.
const FEWEST_PARTS: u64 = 3;

pub(super) async fn perform(
    session: &Session,
    stage: &Stage,
    log: &LogArgs,
) -> Result<Record, Failure> {
    introduce(stage);
    let mut record = Record::default();
    // Not the stage, of which nothing must be left when an interruption ends all.
    let (proxy, started) = (Arc::clone(&stage.proxy), stage.started);
    let sampler = Sampler::start(move || {
        let counters = proxy.counters();
        Sample { at: started.elapsed(), up: counters.request_bytes, down: counters.answer_bytes }
    });
    if stage.parts() < FEWEST_PARTS {
        tell("");
        tell("1. No upload is killed: the file is too small to have a middle (11 MiB is enough)");
    } else {
        let upload = upload_and_kill(stage, log, &mut record);
        session.until_stopped(upload).await??;
    }
    upload_again(session, stage, &mut record).await?;
    download(session, stage, &mut record).await?;
    session.until_stopped(look_and_delete(session, stage, &mut record)).await??;
    record.samples = sampler.end();
    record.exchanges = all_ended(stage).await;
    Ok(record)
}

/// The client may have an answer a moment before the proxy has noted that it is through.
async fn all_ended(stage: &Stage) -> Vec<Exchange> {
    for _ in 0..100 {
        let exchanges = stage.proxy.exchanges();
        if exchanges.iter().all(|exchange| exchange.ended.is_some()) {
            return exchanges;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    stage.proxy.exchanges()
}

fn introduce(stage: &Stage) {
    let pace = format::bytes(stage.pace * stage.concurrency);
    tell("An S3 server and a bad network before it, both in this program, on loopback.");
    tell(&format!(
        "Simulated: the faults, a line of {pace}/s, and the network's absence, by a proxy before the server. \
         The rest is real."
    ));
}

/// Runs an act under a plan, and notes when it was.
async fn act<T>(
    stage: &Stage,
    record: &mut Record,
    (name, plan): (&str, Plan),
    work: impl AsyncFnOnce(&mut Record) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let set = stage.proxy.set_plan(plan);
    set.map_err(|error| CliError::failed(error.to_string()))?;
    let from = stage.elapsed();
    let result = work(record).await?;
    record.acts.push(Span { from, to: stage.elapsed(), name: name.to_owned() });
    Ok(result)
}

async fn upload_and_kill(stage: &Stage, log: &LogArgs, record: &mut Record) -> Result<(), Failure> {
    tell("");
    tell(&format!(
        "1. Upload {} in {} parts, {} at once. One breaks off, one is throttled, and then the process is killed",
        format::bytes(stage.size),
        stage.parts(),
        stage.concurrency
    ));
    tell_command("cp", &[&stage.name, &stage.url()]);
    let target = stage.size / 100 * KILLED_AT;
    let is_time = || confirmed(stage) >= target;
    let plan = faults::upload(stage);
    act(stage, record, ("upload, then kill -9", plan), async |record| {
        let was_killed = killed::upload(stage, log, is_time).await?;
        if cp::can_draw() {
            // Its bars stay where they were.
            output::left_in_line();
        }
        if was_killed {
            let confirmed = confirmed(stage);
            record.killed = Some((stage.elapsed(), confirmed));
            let (some, all) = (format::bytes(confirmed), format::bytes(stage.size));
            tell(&format!("   kill -9, when {some} of {all} were confirmed"));
        } else {
            tell("   The upload was over before it could be killed");
        }
        Ok(())
    })
    .await
}

/// What the journal of an unfinished upload says.
fn confirmed(stage: &Stage) -> u64 {
    let unfinished = UnfinishedTransfer::all(Some(&stage.journals()));
    unfinished.unwrap_or_default().iter().map(|it| it.confirmed).sum()
}

async fn upload_again(
    session: &Session,
    stage: &Stage,
    record: &mut Record,
) -> Result<(), Failure> {
    let before = stage.proxy.exchanges().len();
    let confirmed = record.killed.map(|(_, confirmed)| confirmed);
    tell("");
    let what = if confirmed.is_none() { "Upload" } else { "The same command again" };
    let outage = HumanDuration(OUTAGE);
    tell(&format!(
        "2. {what}. The network goes away for {outage}, and the answer to the last request is lost"
    ));
    tell_command("cp", &[&stage.name, &stage.url()]);
    let left = (stage.size - confirmed.unwrap_or(0)).div_ceil(stage.part_size).max(1);
    let (stuck, is_stuck) = unbounded_channel();
    // One of those that follow the first few.
    let number = (stage.concurrency + 2).min(left);
    let plan = faults::taken_up(stage, number, stuck);
    let figures = act(stage, record, ("the same again, and an outage", plan), async |record| {
        let (source, destination) = (path(&stage.file)?, stage.url());
        let copy = cp::copy_one(session, (source, &destination), cut(stage));
        let mut copy = pin!(copy);
        let mut back = pin!(outage_of(stage, is_stuck));
        let figures = tokio::select! {
            biased;
            outage = &mut back => {
                record.outages.push(outage);
                copy.await
            }
            figures = &mut copy => figures,
        };
        figures?.ok_or_else(not_copied)
    })
    .await?;
    record.upload = figures;
    if let Some(confirmed) = confirmed {
        record.confirmed_sent_again =
            (sent_since(stage, before) + confirmed).saturating_sub(stage.size);
        let (resumed, size) = (format::bytes(figures.resumed), format::bytes(stage.size));
        let again = match record.confirmed_sent_again {
            0 => "no confirmed part was sent again".to_owned(),
            again => format!("{} of what was confirmed were sent again", format::bytes(again)),
        };
        tell(&format!("   Resumed {resumed} of {size}: {again}"));
    }
    Ok(())
}

/// Bytes of all parts that the proxy has seen since then, each counted once.
fn sent_since(stage: &Stage, before: usize) -> u64 {
    let exchanges = stage.proxy.exchanges();
    let parts = exchanges.iter().skip(before).filter_map(|it| match subject(stage, it) {
        Subject::Up(number) => Some(number - 1),
        _ => None,
    });
    let parts: BTreeSet<u64> = parts.collect();
    let length = |part| stage.size.saturating_sub(part * stage.part_size).min(stage.part_size);
    parts.into_iter().map(length).sum()
}

/// Waits until a request is stuck, and takes the network away for a while.
async fn outage_of(stage: &Stage, mut is_stuck: UnboundedReceiver<()>) -> Span {
    if is_stuck.recv().await.is_none() {
        std::future::pending::<()>().await;
    }
    tokio::time::sleep(faults::until_outage(stage)).await;
    let from = stage.elapsed();
    tell(
        "   The demo switches the network off: connections are refused, and the monitor is told by hand",
    );
    // The monitor must know before the first connection breaks, as it does when the kernel tells it of a cable.
    stage.monitor.set_by_hand(Some(NetworkState::Down));
    stage.proxy.begin_outage(Outage::Refuse);
    tokio::time::sleep(OUTAGE).await;
    stage.proxy.end_outage();
    let to = stage.elapsed();
    tell("   The demo switches the network on again");
    stage.monitor.set_by_hand(Some(NetworkState::Up));
    Span { from, to, name: "no network".to_owned() }
}

async fn download(session: &Session, stage: &Stage, record: &mut Record) -> Result<(), Failure> {
    tell("");
    tell(&format!(
        "3. Download it. One answer breaks off, one is throttled, one stalls, and is given up after {} (in \
         place of 60s)",
        HumanDuration(STALLED_AFTER)
    ));
    tell_command("cp", &[&stage.url(), &format!("received/{}", stage.name)]);
    let figures = act(stage, record, ("download", faults::download(stage)), async |_| {
        let (source, destination) = (stage.url(), stage.received());
        let copy = cp::copy_one(session, (&source, path(&destination)?), cut(stage));
        copy.await?.ok_or_else(not_copied)
    })
    .await?;
    record.download = figures;
    let (sent, received) = (stage.file.clone(), stage.received());
    let hash = tokio::task::spawn_blocking(move || Ok((sha256(&sent)?, sha256(&received)?)));
    let hashes: Result<_, CliError> =
        hash.await.map_err(|error| CliError::failed(error.to_string()))?;
    (record.sent, record.received) = hashes?;
    Ok(())
}

async fn look_and_delete(
    session: &Session,
    stage: &Stage,
    record: &mut Record,
) -> Result<(), Failure> {
    tell("");
    tell("4. List it, delete it, and see that it is gone");
    act(stage, record, ("ls, rm", faults::none(stage)), async |_| {
        let place = session.open(&stage.url()).await?;
        let folder = format!("s3://{BUCKET}/");
        tell_command("ls", &[&folder]);
        let entries: Vec<_> = place.storage.list("", false).try_collect().await?;
        entries.iter().for_each(|entry| tell(&entry.key));
        tell_exists(place.storage.exists(&place.key).await?, stage);
        tell_command("rm", &[&stage.url()]);
        place.storage.delete(&place.key).await?;
        tell_exists(place.storage.exists(&place.key).await?, stage);
        Ok(())
    })
    .await
}

fn tell_exists(exists: bool, stage: &Stage) {
    tell_command("exists", &[&stage.url()]);
    tell(if exists { "exit status 0: yes" } else { "exit status 1: no" });
}

fn tell_command(command: &str, places: &[&str]) {
    tell(&format!("$ persevere {command} {}", places.join(" ")));
}

fn cut(stage: &Stage) -> (u64, usize) {
    (stage.part_size, usize::try_from(stage.concurrency).unwrap_or(1))
}

fn path(path: &std::path::Path) -> Result<&str, CliError> {
    path.to_str().ok_or_else(|| CliError::failed("the temporary folder's name is not UTF-8"))
}

/// Why has been told already.
fn not_copied() -> Failure {
    Failure::Told(CliError::failed("the copy has failed, so the demo ends here"))
}
