//! 1. What the retry loop asks after a failure.

use std::hint::black_box;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use benchmarks::report::Report;
use benchmarks::rounds::{Candidate, measure};
use persevere::NetworkMonitor;
use persevere_network::{Monitor, TargetMonitor};

const TARGET: &str = "state of a target";
const DYNAMIC: &str = "the same, by Arc<dyn NetworkMonitor>";
const ATOMIC: &str = "an atomic read";

pub(super) fn run(report: &mut Report) {
    let target: Arc<TargetMonitor> = Monitor::new().target(SocketAddr::from(([127, 0, 0, 1], 9)));
    target.look();
    let dynamic: Arc<dyn NetworkMonitor> = target.clone();
    let atomic = AtomicU8::new(1);
    let samples = measure(vec![
        Candidate::once(TARGET, || black_box(&target).gate().state()),
        Candidate::once(DYNAMIC, || black_box(&dynamic).gate().state()),
        Candidate::once(ATOMIC, || black_box(&atomic).load(Ordering::SeqCst)),
    ]);
    report.section("1. The state, read on the retry path", ["time", "quartiles", ""]);
    for name in samples.names() {
        let spread = samples.of(name);
        let quartiles = format!("[{:.2} to {:.2}]", spread.low, spread.high);
        report.row(name, [&format!("{:.2} ns", spread.median), &quartiles, ""]);
    }
    for name in [TARGET, DYNAMIC] {
        let median = samples.of(name).median;
        report.target(&format!("{name} below 2 ns"), format!("{median:.2} ns"), median < 2.0);
    }
}
