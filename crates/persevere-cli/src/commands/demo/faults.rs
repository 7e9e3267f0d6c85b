//! What goes wrong in each act.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use persevere_faults::{At, Fault, Plan, Request, Rule};
use tokio::sync::mpsc::UnboundedSender;

use super::stage::{Stage, mixed};

/// How long the network is away.
pub(super) const OUTAGE: Duration = Duration::from_secs(3);

/// For the upload that is killed.
pub(super) fn upload(stage: &Stage) -> Plan {
    plan(stage)
        .rule(Rule::new(Fault::ResetRequest(somewhere(stage))).method("PUT").nth(2))
        .rule(Rule::new(Fault::slow_down(Some(1))).method("PUT").nth(4))
}

/// For the upload that is taken up again: part `number` of those that are left gets stuck in the middle, when
/// whoever listens makes the outage, and the answer to the last request is lost.
pub(super) fn taken_up(stage: &Stage, number: u64, stuck: UnboundedSender<()>) -> Plan {
    let seen = AtomicU64::new(0);
    let is_it = move |_: &Request| {
        let is_it = seen.fetch_add(1, Ordering::Relaxed) + 1 == number;
        if is_it {
            let _nobody_listens = stuck.send(());
        }
        is_it
    };
    // Even a small file must not be through before the outage.
    let stuck = Rule::new(Fault::StallRequest(somewhere(stage))).method("PUT").when(is_it);
    let lost = Rule::new(Fault::LoseAnswer).method("POST").path_contains("uploadId=").nth(1);
    plan(stage).rule(stuck).rule(lost)
}

/// From the request that gets stuck to the outage: half the time that a part takes.
pub(super) fn until_outage(stage: &Stage) -> Duration {
    let length = stage.part_size.min(stage.size);
    Duration::from_secs_f64(length as f64 / stage.pace as f64 / 2.0)
}

/// For the download: one of each kind, at places that the seed chooses.
pub(super) fn download(stage: &Stage) -> Plan {
    let third = (stage.parts() / 3).max(1);
    let nth = |index: u64| 1 + index * third + mixed(stage.seed, index) % third;
    let part_size = stage.part_size;
    let rule = |fault| Rule::new(fault).method("GET").when(move |it| begins_part(it, part_size));
    plan(stage)
        .rule(rule(Fault::ResetAnswer(somewhere(stage))).nth(nth(0)))
        .rule(rule(Fault::StallAnswer(somewhere(stage))).nth(nth(1)))
        .rule(rule(Fault::slow_down(Some(1))).nth(nth(2)))
}

/// Whether a part is asked for from its beginning on, and not what was missing of it.
fn begins_part(request: &Request, part_size: u64) -> bool {
    let range = request.header("range").and_then(|range| range.strip_prefix("bytes="));
    let first = range.map_or(Some(0), |range| range.split('-').next()?.parse().ok());
    let begins = first.is_some_and(|first: u64| first.is_multiple_of(part_size));
    begins && !request.target().contains('?')
}

/// Nothing but the slow line.
pub(super) fn none(stage: &Stage) -> Plan {
    plan(stage)
}

fn plan(stage: &Stage) -> Plan {
    Plan::new().seed(stage.seed).pace(stage.pace)
}

/// In the middle half of a part.
fn somewhere(stage: &Stage) -> At {
    let length = stage.part_size.min(stage.size);
    let middle: Range<u64> = length / 4..length - length / 4;
    At::Within(middle)
}
