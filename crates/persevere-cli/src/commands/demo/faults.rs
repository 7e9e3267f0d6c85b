//! What goes wrong in each act.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use persevere::NetworkState;
use persevere_faults::{At, Fault, Outage, Plan, Request, Rule};
use std::sync::Arc;
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

/// For the upload that is taken up again: the network goes away with part `number` of those that are left, which
/// whoever listens is told, and the answer to the last request is lost.
pub(super) fn taken_up(stage: &Stage, number: u64, gone: UnboundedSender<()>) -> Plan {
    let (monitor, seen) = (Arc::clone(&stage.monitor), AtomicU64::new(0));
    // The rule itself tells the monitor, for it must know before the first connection breaks, as it does when the
    // kernel tells it of a cable.
    let is_it = move |_: &Request| {
        let is_it = seen.fetch_add(1, Ordering::Relaxed) + 1 == number;
        if is_it {
            monitor.set_by_hand(Some(NetworkState::Down));
            let _nobody_listens = gone.send(());
        }
        is_it
    };
    // It is ended by hand, and long before this.
    let outage = Fault::Outage { outage: Outage::Refuse, duration: 20 * OUTAGE };
    let lost = Rule::new(Fault::LoseAnswer).method("POST").path_contains("uploadId=").nth(1);
    plan(stage).rule(Rule::new(outage).method("PUT").when(is_it)).rule(lost)
}

/// For the download: one of each kind, at places that the seed chooses.
pub(super) fn download(stage: &Stage) -> Plan {
    let third = (stage.parts() / 3).max(1);
    let nth = |index: u64| 1 + index * third + mixed(stage.seed, index) % third;
    let rule =
        |fault| Rule::new(fault).method("GET").when(|request| !request.target().contains('?'));
    plan(stage)
        .rule(rule(Fault::ResetAnswer(somewhere(stage))).nth(nth(0)))
        .rule(rule(Fault::StallAnswer(somewhere(stage))).nth(nth(1)))
        .rule(rule(Fault::slow_down(Some(1))).nth(nth(2)))
}

/// Nothing but the slow line.
pub(super) fn none(stage: &Stage) -> Plan {
    plan(stage)
}

fn plan(stage: &Stage) -> Plan {
    Plan::new().seed(stage.seed).pace(stage.pace())
}

/// In the middle half of a part.
fn somewhere(stage: &Stage) -> At {
    let length = stage.part_size.min(stage.size);
    let middle: Range<u64> = length / 4..length - length / 4;
    At::Within(middle)
}
