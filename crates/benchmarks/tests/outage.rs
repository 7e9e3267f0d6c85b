//! A crowd that waits for the network: what it takes, and how it comes back, in virtual time. The same
//! in real time is what `cargo bench` measures.

use std::sync::Arc;

use benchmarks::outage::{LONGEST, MOST_BYTES, MOST_IN_A_WINDOW, crowd};
use persevere::{ManualMonitor, NetworkState};

#[test]
fn a_hundred_thousand_take_little_memory_and_come_back_spread_out() {
    let monitor = Arc::new(ManualMonitor::new(NetworkState::Up));
    let outcome = crowd(100_000, monitor.clone(), |state| monitor.set(state), true);
    assert_eq!(outcome.lost, 0);
    assert!(outcome.bytes_each <= MOST_BYTES, "{} bytes each", outcome.bytes_each);
    assert!(outcome.busiest() <= MOST_IN_A_WINDOW, "{} within 10 ms", outcome.busiest());
    assert!(outcome.last() <= LONGEST, "{:?}", outcome.last());
}
