//! One call goes and sees although the network is down; section 4 of the design. None of these is lost,
//! and none of them ends an outage that is still there.
#![allow(clippy::unwrap_used)]

mod common;

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{Recorder, SECOND, plain_policy, reset};
use persevere::{
    CancellationToken, End, EventKind, ManualMonitor, NetworkGate, NetworkMonitor, NetworkState,
    RetryPolicy, Retryer, retry_after,
};
use tokio::time::{Instant, sleep};

fn down(policy: RetryPolicy) -> (Retryer, Arc<ManualMonitor>) {
    let monitor = Arc::new(ManualMonitor::new(NetworkState::Down));
    (Retryer::new(policy).network_monitor(monitor.clone()), monitor)
}

fn policy() -> RetryPolicy {
    plain_policy().to_builder().wait_for_network(true).build().unwrap()
}

/// Fails the first time, and notes how often it was called.
async fn second(retryer: &Retryer, calls: &AtomicU32) {
    let operation = |_| {
        let first = calls.fetch_add(1, Ordering::SeqCst) == 0;
        async move { if first { Err(reset()) } else { Ok(()) } }
    };
    retryer.run("second", operation).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn one_who_is_cancelled_before_it_goes_lets_the_next_one_go() {
    let (retryer, monitor) = down(policy());
    let (token, calls) = (CancellationToken::new(), AtomicU32::new(0));
    let first = retryer.call("first").cancel_on(token.clone());
    let script = async {
        sleep(SECOND / 10).await;
        assert!(monitor.gate().admit_one());
        // It keeps the distance between its attempts.
        sleep(SECOND / 10).await;
        assert_eq!(monitor.gate().waiting(), 1);
        token.cancel();
    };
    let first = first.run(|_| async { Err::<(), _>(reset()) });
    let (first, (), ()) = tokio::join!(first, second(&retryer, &calls), script);
    assert_eq!(first.unwrap_err().end(), End::Cancelled);
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn one_who_has_too_little_time_lets_the_next_one_go() {
    let (retryer, monitor) = down(policy());
    let calls = AtomicU32::new(0);
    let first = retryer.call("first").deadline(SECOND * 9 / 10);
    let script = async {
        sleep(SECOND / 10).await;
        assert!(monitor.gate().admit_one());
    };
    let first = first.run(|_| async { Err::<(), _>(reset()) });
    let (first, (), ()) = tokio::join!(first, second(&retryer, &calls), script);
    assert_eq!(first.unwrap_err().end(), End::Deadline);
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}

/// In the attempt with which it went to see: it is dropped, runs out of time, or panics.
#[tokio::test(start_paused = true)]
async fn one_whose_attempt_finds_nothing_out_lets_the_next_one_go() {
    for ends in ["dropped", "deadline", "panic"] {
        let (retryer, monitor) = down(policy());
        let (calls, went) = (AtomicU32::new(0), Arc::new(AtomicBool::new(false)));
        let (shared, goes) = (retryer.clone(), went.clone());
        let first = tokio::spawn(async move {
            let mut call = shared.call("first");
            if ends == "deadline" {
                call = call.deadline(SECOND * 8);
            }
            let mut first = true;
            let operation = |_| {
                let first = std::mem::take(&mut first);
                goes.store(!first, Ordering::SeqCst);
                async move {
                    if first {
                        return Err::<(), _>(reset());
                    }
                    assert!(ends != "panic", "as the test wants it");
                    std::future::pending().await
                }
            };
            call.run(operation).await
        });
        let script = async {
            sleep(SECOND * 5).await;
            assert!(monitor.gate().admit_one());
            sleep(SECOND).await;
            assert!(went.load(Ordering::SeqCst), "{ends}");
            if ends == "dropped" {
                first.abort();
            }
        };
        // The first one stands first.
        sleep(SECOND / 10).await;
        tokio::join!(second(&retryer, &calls), script);
        assert_eq!(calls.load(Ordering::SeqCst), 2, "{ends}");
        assert_eq!(monitor.gate().waiting(), 0, "{ends}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_who_finds_it_still_down_goes_on_waiting_for_as_long_as_it_may() {
    let (retryer, monitor) = down(policy());
    let recorder = Recorder::default();
    let retryer = retryer.observer(recorder.clone());
    let (started, calls) = (Instant::now(), AtomicU32::new(0));
    let running = retryer.run("upload", |attempt| {
        assert_eq!(attempt.number(), 1);
        calls.fetch_add(1, Ordering::SeqCst);
        async { Err::<(), _>(reset()) }
    });
    let admits = async {
        loop {
            sleep(SECOND * 30).await;
            monitor.gate().admit_one();
        }
    };
    let result = tokio::select! {
        result = running => result,
        () = admits => unreachable!("it admits for ever"),
    };
    let error = result.unwrap_err();
    assert_eq!((error.end(), started.elapsed()), (End::NetworkDown, SECOND * 600));
    assert_eq!(error.network_wait(), SECOND * 600);
    assert!(calls.load(Ordering::SeqCst) >= 20, "{calls:?}");
    // It is one pause.
    assert_eq!(recorder.events()[..1], [(EventKind::NetworkDown, 1)]);
    assert_eq!(recorder.events().len(), 2, "{:?}", recorder.events());
}

#[tokio::test(start_paused = true)]
async fn one_who_finds_it_working_but_fails_otherwise_is_charged_from_then_on() {
    let (retryer, monitor) = down(policy());
    let mut calls = 0;
    let running = retryer.run("upload", |_| {
        calls += 1;
        if calls == 2 {
            monitor.set(NetworkState::Up);
        }
        async { Err::<(), _>(reset()) }
    });
    let script = async {
        sleep(SECOND * 60).await;
        monitor.gate().admit_one();
    };
    let (result, ()) = tokio::join!(running, script);
    let error = result.unwrap_err();
    assert_eq!((error.end(), error.attempts()), (End::AttemptsExhausted, 3));
    assert_eq!((error.network_wait(), calls), (SECOND * 60, 4));
}

#[tokio::test(start_paused = true)]
async fn even_a_monitor_that_always_lets_one_through_makes_no_hot_loop() {
    let (retryer, monitor) = down(policy());
    let (started, at) = (Instant::now(), Mutex::new(Vec::new()));
    let call = retryer.call("upload").deadline(SECOND * 60);
    let running = call.run(|_| {
        at.lock().unwrap().push(started.elapsed());
        async { Err::<(), _>(reset()) }
    });
    let admits = async {
        loop {
            sleep(SECOND / 100).await;
            monitor.gate().admit_one();
        }
    };
    tokio::select! {
        result = running => assert_eq!(result.unwrap_err().end(), End::Deadline),
        () = admits => unreachable!("it admits for ever"),
    };
    let at = at.into_inner().unwrap();
    assert!(at.windows(2).all(|pair| pair[1] - pair[0] >= SECOND), "{at:?}");
    assert!(at.len() > 50, "{at:?}");
}

#[tokio::test(start_paused = true)]
async fn rule_7_a_hint_that_came_with_it_counts_from_then_on() {
    let (retryer, monitor) = down(policy());
    let (started, mut at) = (Instant::now(), Vec::new());
    let running = retryer.run("call", |_| {
        at.push(started.elapsed());
        let calls = at.len();
        async move {
            match calls {
                1 => Err(persevere::transient(reset())),
                2 => Err(retry_after(reset(), SECOND * 60)),
                _ => Ok(()),
            }
        }
    });
    let script = async {
        sleep(SECOND * 100).await;
        monitor.gate().admit_one();
        sleep(SECOND * 10).await;
        monitor.set(NetworkState::Up);
    };
    let (result, ()) = tokio::join!(running, script);
    assert!(result.is_ok());
    let [_, saw, third] = at[..] else { panic!("{at:?}") };
    assert!((SECOND * 60..=SECOND * 61).contains(&(third - saw)), "{at:?}");
}

#[tokio::test(start_paused = true)]
async fn that_it_is_back_is_said_only_where_it_is_known() {
    for (state, told) in [
        (NetworkState::Up, EventKind::NetworkRecovered),
        (NetworkState::Degraded, EventKind::NetworkUncertain),
        (NetworkState::Unknown, EventKind::NetworkUncertain),
    ] {
        let (retryer, monitor) = down(policy());
        let recorder = Recorder::default();
        let (retryer, calls) = (retryer.observer(recorder.clone()), AtomicU32::new(0));
        let opens = async {
            sleep(SECOND * 5).await;
            monitor.set(state);
        };
        tokio::join!(second(&retryer, &calls), opens);
        assert_eq!(recorder.events(), [(EventKind::NetworkDown, 1), (told, 1)]);
    }
}

/// Failures that say nothing of the network pause too, and a monitor has to know who waits.
#[tokio::test(start_paused = true)]
async fn a_monitor_hears_of_everybody_who_is_about_to_wait() {
    #[derive(Debug)]
    struct Asked(NetworkGate, AtomicU32);
    impl NetworkMonitor for Asked {
        fn gate(&self) -> &NetworkGate {
            &self.0
        }
        fn recheck(&self) -> NetworkState {
            self.1.fetch_add(1, Ordering::SeqCst);
            self.0.state()
        }
    }

    for (state, asked) in [(NetworkState::Down, 1), (NetworkState::Up, 0)] {
        let monitor = Arc::new(Asked(NetworkGate::new(state), AtomicU32::new(0)));
        let retryer = Retryer::new(policy()).network_monitor(monitor.clone());
        let busy = || io::Error::from(io::ErrorKind::ResourceBusy);
        let call = retryer.call("lock").deadline(SECOND / 2);
        let error = call.run(|_| async { Err::<(), _>(busy()) }).await.unwrap_err();
        assert_eq!(error.end(), End::Deadline);
        assert_eq!(monitor.1.load(Ordering::SeqCst), asked, "{state:?}");
    }
}

/// The network works again, so that a call whose turn would come after its deadline comes before it.
#[tokio::test(start_paused = true)]
async fn a_place_in_the_queue_costs_nobody_its_deadline() {
    const COUNT: u32 = 1_000;
    let (retryer, monitor) = down(policy());
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..COUNT {
        let retryer = retryer.clone();
        tasks.spawn(async move {
            // From 0.1 s to 5 s after the network is back.
            let left = SECOND / 10 + SECOND * 5 * number / COUNT;
            let mut calls = 0;
            let operation = |_| {
                calls += 1;
                let first = calls == 1;
                async move { if first { Err(reset()) } else { Ok(Instant::now()) } }
            };
            retryer.call("upload").deadline(SECOND * 60 + left).run(operation).await.unwrap()
        });
    }
    sleep(SECOND * 60).await;
    monitor.set(NetworkState::Up);
    let mut windows = std::collections::BTreeMap::<u128, u32>::new();
    let recovered = Instant::now();
    for back in tasks.join_all().await {
        *windows.entry((back - recovered).as_millis() / 10).or_default() += 1;
    }
    let busiest = windows.values().max().unwrap();
    assert!(*busiest <= COUNT / 20, "{busiest} within 10 ms");
}

#[test]
fn a_blocking_call_that_goes_and_sees_keeps_its_place_in_the_outage() {
    let policy = policy().to_builder().initial_delay(Duration::ZERO).build().unwrap();
    let (retryer, monitor) = down(policy);
    let calls = AtomicU32::new(0);
    std::thread::scope(|scope| {
        let call = scope.spawn(|| {
            retryer.run_blocking("upload", |attempt| {
                assert_eq!(attempt.number(), 1);
                match calls.fetch_add(1, Ordering::SeqCst) {
                    20 => Ok(()),
                    _ => Err(reset()),
                }
            })
        });
        while !call.is_finished() {
            monitor.gate().admit_one();
            std::thread::yield_now();
        }
        assert!(call.join().unwrap().is_ok());
    });
}
