//! 4. A hundred thousand calls that wait for the network, in real time.

use std::net::SocketAddr;

use benchmarks::outage::{LONGEST, MOST_BYTES, MOST_IN_A_WINDOW, crowd};
use benchmarks::report::Report;
use persevere_network::Monitor;

const COUNT: usize = 100_000;

pub(super) fn run(report: &mut Report) {
    let monitor = Monitor::new();
    let target = monitor.target(SocketAddr::from(([127, 0, 0, 1], 9)));
    let outcome = crowd(COUNT, target, |state| monitor.set_by_hand(Some(state)), false);
    report.section("4. 100,000 calls wait for the network", ["", "", ""]);
    report.row("future of a call", [&format!("{} bytes", outcome.future), "", ""]);
    let median = outcome.back.get(outcome.back.len() / 2).copied().unwrap_or_default();
    report.row("half of them are back after", [&format!("{:.1} s", median.as_secs_f64()), "", ""]);
    let bytes = outcome.bytes_each;
    report.target("at most 700 bytes each", format!("{bytes:.0}"), bytes <= MOST_BYTES);
    let busiest = outcome.busiest();
    report.target(
        "at most 2 % of them back within any 10 ms",
        format!("{:.3} %", busiest * 100.0),
        busiest <= MOST_IN_A_WINDOW,
    );
    let last = outcome.last();
    report.target("all back within 35 s", format!("{:.1} s", last.as_secs_f64()), last <= LONGEST);
    report.target("none lost", outcome.lost, outcome.lost == 0);
}
