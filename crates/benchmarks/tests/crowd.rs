//! Many operations that wait in backoff at once: none comes back early, none is lost, and they take
//! no more memory than with a peer.

use benchmarks::waiting::{backon, ours};
use persevere::{Jitter, RetryPolicy};

const COUNT: u64 = 20_000;

#[test]
fn nobody_comes_early_and_nobody_is_lost() {
    for jitter in [Jitter::Proportional, Jitter::Equal, Jitter::Decorrelated, Jitter::None] {
        let policy = RetryPolicy::builder().jitter(jitter).build().expect("a good policy");
        let crowd = ours(COUNT, policy);
        assert_eq!((crowd.early, crowd.lost), (0, 0), "{jitter}");
    }
}

#[test]
fn a_waiting_operation_takes_no_more_than_with_a_peer() {
    let ours = ours(COUNT, RetryPolicy::balanced());
    let backon = backon(COUNT);
    assert!(ours.bytes_each <= backon.bytes_each, "{ours:?}, {backon:?}");
}
