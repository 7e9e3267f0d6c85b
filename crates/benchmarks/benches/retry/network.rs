//! 5. What a call asks of the network.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use benchmarks::report::Report;
use benchmarks::rounds::{Candidate, measure};
use persevere::{ManualMonitor, NetworkMonitor, NetworkState};

use super::delay::{nanos, quartiles};

const GATE: &str = "NetworkGate::state, by Arc<dyn NetworkMonitor>";
const ATOMIC: &str = "an atomic read";

pub(super) fn run(report: &mut Report) {
    let monitor: Arc<dyn NetworkMonitor> = Arc::new(ManualMonitor::new(NetworkState::Up));
    let atomic = AtomicU8::new(1);
    let samples = measure(vec![
        Candidate::once(GATE, || black_box(&monitor).gate().state()),
        Candidate::once(ATOMIC, || black_box(&atomic).load(Ordering::SeqCst)),
    ]);
    report.section("5. The network check", ["time", "quartiles", ""]);
    for name in samples.names() {
        let spread = samples.of(name);
        report.row(name, [&nanos(spread.median), &quartiles(spread), ""]);
    }
    let median = samples.of(GATE).median;
    report.target("less than 2 ns", nanos(median), median < 2.0);
}
