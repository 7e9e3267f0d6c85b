//! Section 4 of the design, release: how a crowd comes back after an outage.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{SECOND, reset};
use persevere::{ManualMonitor, NetworkMonitor, NetworkState, RetryPolicy, Retryer, retry_after};
use tokio::task::JoinSet;
use tokio::time::Instant;

const MS: Duration = Duration::from_millis(1);

fn retryer(initial_delay: Duration) -> (Retryer, Arc<ManualMonitor>) {
    let builder = RetryPolicy::builder().initial_delay(initial_delay).wait_for_network(true);
    let policy = builder.max_delay(SECOND * 60).build().unwrap();
    let monitor = Arc::new(ManualMonitor::new(NetworkState::Down));
    (Retryer::new(policy).network_monitor(monitor.clone()).seed(7), monitor)
}

/// Calls that all fail at once, by an error that is made by `fail`, and succeed the second time.
/// Returns when they came back, after the outage.
async fn crowd(
    count: u32,
    initial_delay: Duration,
    outage: Duration,
    fail: impl Fn() -> persevere::Marked + Send + Sync + Copy + 'static,
) -> Vec<Duration> {
    let (retryer, monitor) = retryer(initial_delay);
    let mut tasks = JoinSet::new();
    for _ in 0..count {
        let retryer = retryer.clone();
        tasks.spawn(async move {
            let mut calls = 0;
            let operation = |_| {
                calls += 1;
                let first = calls == 1;
                async move { if first { Err(fail()) } else { Ok(Instant::now()) } }
            };
            retryer.run("operation", operation).await.unwrap()
        });
    }
    tokio::time::sleep(outage).await;
    assert_eq!(monitor.gate().waiting(), count as usize);
    monitor.gate().set(NetworkState::Up);
    let recovered = Instant::now();
    let mut back: Vec<_> = tasks.join_all().await;
    back.sort_unstable();
    back.into_iter().map(|at| at - recovered).collect()
}

/// The most that come back within one of the windows of 10 ms.
fn busiest(back: &[Duration]) -> usize {
    let mut windows = BTreeMap::<u128, usize>::new();
    for at in back {
        *windows.entry(at.as_millis() / 10).or_default() += 1;
    }
    windows.into_values().max().unwrap_or(0)
}

#[tokio::test(start_paused = true)]
async fn rule_10_a_crowd_is_released_spread_out() {
    for count in [1_000, 10_000, 100_000] {
        let back = crowd(count, SECOND, SECOND * 100, || persevere::transient(reset())).await;
        assert_eq!(back.len(), count as usize, "none lost");
        let busiest = busiest(&back);
        assert!(busiest <= count as usize / 50, "{busiest} of {count} within 10 ms");
        // Two go first, and nobody follows in the second after the recovery.
        assert!(back[1] <= MS * 251 && back[2] >= SECOND, "{:?}", &back[..3]);
        let last = back.last().unwrap();
        assert!(*last <= SECOND * 35, "{last:?}");
    }
}

/// Attempts are kept a first delay apart. That must not press those together whose turn would come
/// before that.
#[tokio::test(start_paused = true)]
async fn rule_10_a_crowd_is_released_spread_out_after_a_short_outage_too() {
    let reset = || persevere::transient(reset());
    let back = crowd(16, SECOND, MS * 100, reset).await;
    assert!(back[15] - back[0] >= MS * 100, "{back:?}");
    assert!(back[0] >= MS * 900, "a second apart: {back:?}");
    let back = crowd(1_000, SECOND * 10, MS * 100, reset).await;
    assert!(busiest(&back) <= 20, "{} of 1,000 within 10 ms", busiest(&back));
}

/// All that waited were given the same hint, as by a server that restarts.
#[tokio::test(start_paused = true)]
async fn rule_7_a_crowd_with_one_hint_does_not_come_back_in_one_instant() {
    let hint = || retry_after(reset(), SECOND * 60);
    let back = crowd(1_000, SECOND, SECOND * 20, hint).await;
    assert!(back[0] >= SECOND * 40, "nobody comes early: {:?}", back[0]);
    assert!(busiest(&back) <= 20, "{} of 1,000 within 10 ms", busiest(&back));
}

/// The network is there for 2 s in a minute, and whatever runs then is cut off when it goes again.
#[tokio::test(start_paused = true)]
async fn rule_10_a_network_that_comes_and_goes_gives_everybody_a_turn() {
    const COUNT: usize = 300;
    const OUTAGES: u32 = 6;
    let (retryer, monitor) = retryer(SECOND);
    let attempts: Arc<[AtomicU32; COUNT]> = Arc::new(std::array::from_fn(|_| AtomicU32::new(0)));
    let went_down = Arc::new(tokio::sync::Notify::new());
    let mut tasks = JoinSet::new();
    for number in 0..COUNT {
        let (retryer, monitor) = (retryer.clone(), monitor.clone());
        let (attempts, went_down) = (attempts.clone(), went_down.clone());
        tasks.spawn(async move {
            let operation = |_| {
                attempts[number].fetch_add(1, Ordering::Relaxed);
                let (went_down, monitor) = (went_down.clone(), monitor.clone());
                async move {
                    if monitor.gate().state() != NetworkState::Down {
                        went_down.notified().await;
                    }
                    Err::<(), _>(reset())
                }
            };
            retryer.run("operation", operation).await
        });
    }
    for _ in 0..OUTAGES {
        tokio::time::sleep(SECOND * 58).await;
        monitor.set(NetworkState::Up);
        tokio::time::sleep(SECOND * 2).await;
        monitor.set(NetworkState::Down);
        went_down.notify_waiters();
    }
    // 2 and about 100 more each time, so that everybody has had a turn or two after the first one.
    let made: Vec<u32> = attempts.iter().map(|made| made.load(Ordering::Relaxed)).collect();
    let (least, most) = (made.iter().min().unwrap(), made.iter().max().unwrap());
    assert!(most - least <= 1, "from {least} to {most} attempts");
    assert!(*least >= 2, "{least} attempts in {OUTAGES} outages");
}

/// One who fails at a time when nobody else does is not sent to the end of a queue that is gone.
#[tokio::test(start_paused = true)]
async fn a_lone_one_after_a_crowd_comes_back_at_once() {
    let (retryer, monitor) = retryer(MS);
    let mut tasks = JoinSet::new();
    let back = Arc::new(Mutex::new(Vec::new()));
    for count in [500, 1] {
        monitor.set(NetworkState::Down);
        for _ in 0..count {
            let (retryer, back) = (retryer.clone(), back.clone());
            tasks.spawn(async move {
                let mut first = true;
                let operation = |_| {
                    let first = std::mem::take(&mut first);
                    async move { if first { Err(reset()) } else { Ok(()) } }
                };
                retryer.run("operation", operation).await.unwrap();
                back.lock().unwrap().push(Instant::now());
            });
        }
        tokio::time::sleep(SECOND).await;
        monitor.set(NetworkState::Up);
        let recovered = Instant::now();
        while tasks.join_next().await.is_some() {}
        let last = *back.lock().unwrap().last().unwrap();
        assert!(count > 1 || last - recovered <= MS * 251, "{:?}", last - recovered);
    }
}
