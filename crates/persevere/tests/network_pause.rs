//! Section 2 of the design, rule 10: the network pause.
#![allow(clippy::unwrap_used)]

mod common;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use common::{Recorder, SECOND, plain_policy, reset};
use persevere::clock::{Clock, VirtualClock};
use persevere::{
    CancellationToken, End, EventKind, ManualMonitor, NetworkGate, NetworkMonitor, NetworkReport,
    NetworkState, RetryPolicy, Retryer, retry_after, transient,
};
use tokio::time::Instant;

fn waiting_policy() -> RetryPolicy {
    plain_policy().to_builder().wait_for_network(true).build().unwrap()
}

fn with_monitor(state: NetworkState) -> (Retryer, Arc<ManualMonitor>) {
    let monitor = Arc::new(ManualMonitor::new(state));
    (Retryer::new(waiting_policy()).network_monitor(monitor.clone()), monitor)
}

/// Sets the states after these times.
async fn script(monitor: Arc<ManualMonitor>, steps: &[(Duration, NetworkState)]) {
    for (after, state) in steps {
        tokio::time::sleep(*after).await;
        monitor.set(*state);
    }
}

#[tokio::test(start_paused = true)]
async fn rule_10_an_outage_is_waited_out_and_not_charged() {
    let started = Instant::now();
    let (retryer, monitor) = with_monitor(NetworkState::Up);
    let recorder = Recorder::default();
    let retryer = retryer.observer(recorder.clone());
    let mut numbers = Vec::new();
    let during = monitor.clone();
    let running = retryer.run("upload", |attempt| {
        numbers.push(attempt.number());
        let calls = numbers.len();
        if calls == 1 {
            during.set(NetworkState::Down);
        }
        async move { if calls < 3 { Err(reset()) } else { Ok(()) } }
    });
    let steps = [(SECOND * 60, NetworkState::Up)];
    let (result, ()) = tokio::join!(running, script(monitor, &steps));
    result.unwrap();
    // The first attempt is made again under its number; the second failure is an ordinary one.
    assert_eq!(numbers, [1, 1, 2]);
    let events = [
        (EventKind::NetworkDown, 1),
        (EventKind::NetworkRecovered, 1),
        (EventKind::Retrying, 1),
        (EventKind::Succeeded, 2),
    ];
    assert_eq!(recorder.events(), events);
    // 60 s of outage, at most 250 ms of stagger, 1 s of backoff from its base.
    let elapsed = started.elapsed();
    assert!((SECOND * 61..=SECOND * 61 + SECOND / 4).contains(&elapsed), "{elapsed:?}");
}

#[tokio::test(start_paused = true)]
async fn rule_10_after_an_outage_the_backoff_starts_again_at_its_base() {
    let started = Instant::now();
    let (_, monitor) = with_monitor(NetworkState::Up);
    let policy = waiting_policy().to_builder().max_attempts(5).build().unwrap();
    let retryer = Retryer::new(policy).network_monitor(monitor.clone());
    let during = monitor.clone();
    let mut calls = 0;
    let running = retryer.run("upload", |_| {
        calls += 1;
        if calls == 3 {
            during.set(NetworkState::Down);
        }
        let succeeds = calls == 5;
        async move { if succeeds { Ok(()) } else { Err(reset()) } }
    });
    let steps = [(SECOND * 63, NetworkState::Up)];
    let (result, ()) = tokio::join!(running, script(monitor, &steps));
    result.unwrap();
    // 1 s and 2 s of backoff, 60 s of outage, at most 250 ms of stagger, and 1 s again, not 4.
    let elapsed = started.elapsed();
    assert!((SECOND * 64..=SECOND * 64 + SECOND / 4).contains(&elapsed), "{elapsed:?}");
}

#[tokio::test(start_paused = true)]
async fn rule_10_an_outage_never_uses_up_the_attempts() {
    let (_, monitor) = with_monitor(NetworkState::Down);
    let policy = waiting_policy().to_builder().max_attempts(1).build().unwrap();
    let retryer = Retryer::new(policy).network_monitor(monitor.clone());
    let during = monitor.clone();
    let mut calls = 0;
    let running = retryer.run("upload", |attempt| {
        assert!(attempt.is_last());
        calls += 1;
        let lost = calls <= 5;
        if lost {
            during.set(NetworkState::Down);
        }
        async move { if lost { Err(reset()) } else { Ok(()) } }
    });
    let recoveries = [(SECOND * 30, NetworkState::Up); 5];
    let (result, ()) = tokio::join!(running, script(monitor, &recoveries));
    assert!(result.is_ok());
    assert_eq!(calls, 6);
}

#[tokio::test(start_paused = true)]
async fn rule_10_uncharged_attempts_are_bounded_and_spaced() {
    /// Finds the network down after each failure; somebody else finds it up soon after.
    #[derive(Debug)]
    struct Flapping(NetworkGate);
    impl NetworkMonitor for Flapping {
        fn gate(&self) -> &NetworkGate {
            &self.0
        }
        fn recheck(&self) -> NetworkState {
            self.0.set(NetworkState::Down);
            NetworkState::Down
        }
    }

    let started = Instant::now();
    let monitor = Arc::new(Flapping(NetworkGate::new(NetworkState::Up)));
    let retryer = Retryer::new(waiting_policy()).network_monitor(monitor.clone());
    let mut at = Vec::new();
    let running = retryer.run("upload", |_| {
        at.push(started.elapsed());
        async { Err::<(), _>(reset()) }
    });
    let flap = async {
        loop {
            tokio::time::sleep(SECOND / 100).await;
            monitor.gate().set(NetworkState::Up);
        }
    };
    let result = tokio::select! {
        result = running => result,
        () = flap => unreachable!("it flaps for ever"),
    };
    let error = result.unwrap_err();
    assert_eq!((error.end(), error.attempts()), (End::AttemptsExhausted, 3));
    assert_eq!(at.len(), 10 + 3);
    assert!(at.windows(2).all(|pair| pair[1] - pair[0] >= SECOND), "{at:?}");
}

#[tokio::test(start_paused = true)]
async fn rule_10_nobody_pauses_at_an_open_gate() {
    /// Says Down, and forgets to close its gate.
    #[derive(Debug)]
    struct Forgetful(NetworkGate);
    impl NetworkMonitor for Forgetful {
        fn gate(&self) -> &NetworkGate {
            &self.0
        }
        fn recheck(&self) -> NetworkState {
            NetworkState::Down
        }
    }

    let (recorder, started) = (Recorder::default(), Instant::now());
    let monitor = Arc::new(Forgetful(NetworkGate::new(NetworkState::Up)));
    let retryer = Retryer::new(waiting_policy()).network_monitor(monitor);
    let retryer = retryer.observer(recorder.clone());
    let error = retryer.run("call", |_| async { Err::<(), _>(reset()) }).await.unwrap_err();
    // Ordinary backoff.
    assert_eq!((error.end(), error.attempts()), (End::AttemptsExhausted, 3));
    assert_eq!(started.elapsed(), SECOND * 3);
    assert!(!recorder.events().iter().any(|(kind, _)| *kind == EventKind::NetworkDown));
}

#[tokio::test(start_paused = true)]
async fn rule_10_an_answer_never_pauses_nor_do_other_states() {
    let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
    for (state, error) in [
        (NetworkState::Down, refused as fn() -> io::Error),
        (NetworkState::Degraded, reset),
        (NetworkState::Unknown, reset),
        (NetworkState::Up, reset),
    ] {
        let (retryer, _monitor) = with_monitor(state);
        let started = Instant::now();
        let result = retryer.run("call", |_| async { Err::<(), _>(error()) }).await;
        assert_eq!(result.unwrap_err().attempts(), 3, "{state:?}");
        assert_eq!(started.elapsed(), SECOND * 3, "{state:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn rule_10_nothing_pauses_without_the_switch_or_without_need() {
    let monitor = Arc::new(ManualMonitor::new(NetworkState::Down));
    let retryer = Retryer::new(plain_policy()).network_monitor(monitor.clone());
    let result = retryer.run("call", |_| async { Err::<(), _>(reset()) }).await;
    assert_eq!(result.unwrap_err().end(), End::AttemptsExhausted);

    let retryer = Retryer::new(waiting_policy()).network_monitor(monitor);
    assert!(retryer.run("call", |_| async { Ok::<_, io::Error>(()) }).await.is_ok());
    let denied = || async { Err::<(), _>(io::Error::from(io::ErrorKind::PermissionDenied)) };
    let result = retryer.run("call", |_| denied()).await;
    assert_eq!(result.unwrap_err().end(), End::NonRetryable);
}

#[tokio::test(start_paused = true)]
async fn rule_10_the_wait_ends_with_the_operations_error_and_the_time() {
    let (retryer, _monitor) = with_monitor(NetworkState::Down);
    let started = Instant::now();
    let result = retryer.run("upload", |_| async { Err::<(), _>(reset()) }).await;
    let error = result.unwrap_err();
    assert_eq!(started.elapsed(), SECOND * 600);
    assert_eq!((error.end(), error.network_wait()), (End::NetworkDown, SECOND * 600));
    assert_eq!(
        error.to_string(),
        "upload: operation failed, network did not recover (1 attempt in 10m, 10m of it without \
         network): connection reset"
    );
}

#[tokio::test(start_paused = true)]
async fn rule_10_deadline_and_token_end_the_pause() {
    let (retryer, monitor) = with_monitor(NetworkState::Down);
    let started = Instant::now();
    let call = retryer.call("upload").deadline(SECOND * 30);
    let error = call.run(|_| async { Err::<(), _>(reset()) }).await.unwrap_err();
    assert_eq!((error.end(), started.elapsed()), (End::Deadline, SECOND * 30));
    assert_eq!(monitor.gate().waiting(), 0);

    let token = CancellationToken::new();
    let call = retryer.call("upload").cancel_on(token.clone());
    let cancel = async {
        tokio::time::sleep(SECOND).await;
        assert_eq!(monitor.gate().waiting(), 1);
        token.cancel();
    };
    let (result, ()) = tokio::join!(call.run(|_| async { Err::<(), _>(reset()) }), cancel);
    assert_eq!(result.unwrap_err().end(), End::Cancelled);
    assert_eq!((monitor.gate().waiting(), token.waiting()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn rule_7_a_hint_is_a_floor_in_an_outage_too() {
    let started = Instant::now();
    let (retryer, monitor) = with_monitor(NetworkState::Down);
    let mut at = Vec::new();
    let running = retryer.run("call", |_| {
        at.push(started.elapsed());
        let first = at.len() == 1;
        async move { if first { Err(retry_after(reset(), SECOND * 60)) } else { Ok(()) } }
    });
    // Down once more in between, and up for good long before the server wants to see us.
    let blips = [
        (SECOND / 10, NetworkState::Up),
        (SECOND / 10, NetworkState::Down),
        (SECOND, NetworkState::Up),
    ];
    let (result, ()) = tokio::join!(running, script(monitor, &blips));
    assert!(result.is_ok());
    let [first, second] = at[..] else { panic!("{at:?}") };
    assert_eq!(first, Duration::ZERO);
    // At most 250 ms of stagger, for others may have the same hint.
    assert!((SECOND * 60..=SECOND * 60 + SECOND / 4).contains(&second), "{second:?}");
}

#[tokio::test(start_paused = true)]
async fn rule_7_a_hint_that_is_too_long_ends_the_call_before_a_pause() {
    let (retryer, _monitor) = with_monitor(NetworkState::Down);
    let started = Instant::now();
    let run = |hint: Duration, deadline: Duration| {
        let call = retryer.call("call").deadline(deadline);
        call.run(move |_| async move { Err::<(), _>(retry_after(reset(), hint)) })
    };
    let error = run(SECOND * 301, SECOND * 900).await.unwrap_err();
    assert_eq!((error.end(), error.retry_after()), (End::HintTooLong, Some(SECOND * 301)));
    let error = run(SECOND * 31, SECOND * 30).await.unwrap_err();
    assert_eq!((error.end(), error.retry_after()), (End::HintTooLong, Some(SECOND * 31)));
    assert_eq!(started.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn rule_10_down_again_during_the_stagger_goes_on_waiting() {
    let (retryer, monitor) = with_monitor(NetworkState::Down);
    let calls = Arc::new(AtomicU32::new(0));
    let seen = calls.clone();
    let running = retryer.run("upload", |_| {
        let call = calls.fetch_add(1, Ordering::SeqCst);
        async move { if call == 0 { Err(reset()) } else { Ok(()) } }
    });
    let blip = async {
        tokio::time::sleep(SECOND / 100).await;
        // The attempts stay a second apart, so this recovery is over before the next one.
        monitor.set(NetworkState::Up);
        tokio::time::sleep(SECOND / 100).await;
        monitor.set(NetworkState::Down);
        tokio::time::sleep(SECOND * 60).await;
        assert_eq!(seen.load(Ordering::SeqCst), 1);
        monitor.set(NetworkState::Up);
    };
    let (result, ()) = tokio::join!(running, blip);
    assert!(result.is_ok());
    assert_eq!(seen.load(Ordering::SeqCst), 2);
}

/// A monitor looks more closely while somebody waits, and during the stagger nobody does.
#[tokio::test(start_paused = true)]
async fn rule_10_a_monitor_hears_of_those_who_go_on_waiting() {
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

    let monitor = Arc::new(Asked(NetworkGate::new(NetworkState::Down), AtomicU32::new(0)));
    let retryer = Retryer::new(waiting_policy()).network_monitor(monitor.clone());
    let call = retryer.call("upload").deadline(SECOND * 60);
    let blip = async {
        tokio::time::sleep(SECOND / 10).await;
        assert_eq!(monitor.1.load(Ordering::SeqCst), 1);
        monitor.gate().set(NetworkState::Up);
        tokio::time::sleep(SECOND / 10).await;
        monitor.gate().set(NetworkState::Down);
        tokio::time::sleep(SECOND * 2).await;
        assert_eq!(monitor.1.load(Ordering::SeqCst), 2);
    };
    let (result, ()) = tokio::join!(call.run(|_| async { Err::<(), _>(reset()) }), blip);
    assert_eq!(result.unwrap_err().end(), End::Deadline);
}

#[tokio::test(start_paused = true)]
async fn rule_10_one_may_go_and_see_although_the_network_is_down() {
    let (retryer, monitor) = with_monitor(NetworkState::Down);
    let recorder = Recorder::default();
    let retryer = retryer.observer(recorder.clone());
    let works = AtomicU32::new(0);
    let made = std::sync::Mutex::new(Vec::new());
    let call = |name| {
        let (retryer, works, made) = (&retryer, &works, &made);
        async move {
            let operation = |_| {
                made.lock().unwrap().push(name);
                let works = works.load(Ordering::SeqCst) == 1;
                async move { if works { Ok(()) } else { Err(reset()) } }
            };
            retryer.run(name, operation).await
        }
    };
    let script = async {
        tokio::time::sleep(SECOND * 30).await;
        assert_eq!(monitor.gate().waiting(), 2);
        // The first finds out that it is true, and queues up again; then it is the other's turn.
        assert!(monitor.gate().admit_one());
        tokio::time::sleep(SECOND * 30).await;
        assert_eq!(*made.lock().unwrap(), ["a", "b", "a"]);
        works.store(1, Ordering::SeqCst);
        assert!(monitor.gate().admit_one());
        tokio::time::sleep(SECOND * 30).await;
        assert_eq!(*made.lock().unwrap(), ["a", "b", "a", "b"]);
        assert_eq!(monitor.gate().waiting(), 1);
        let recovered = |recorder: &Recorder| {
            recorder.events().iter().any(|(kind, _)| *kind == EventKind::NetworkRecovered)
        };
        assert!(!recovered(&recorder), "nobody knew that");
        monitor.set(NetworkState::Up);
        tokio::time::sleep(SECOND).await;
        assert!(recovered(&recorder));
        assert!(!monitor.gate().admit_one(), "nobody waits");
    };
    let (a, b, ()) = tokio::join!(call("a"), call("b"), script);
    assert!(a.is_ok() && b.is_ok());
}

#[tokio::test(start_paused = true)]
async fn rule_10_one_who_was_let_through_and_is_cancelled_lets_the_next_one_go() {
    let (retryer, monitor) = with_monitor(NetworkState::Down);
    let token = CancellationToken::new();
    let calls = AtomicU32::new(0);
    let first = retryer.call("first").cancel_on(token.clone());
    let first = first.run(|_| async { Err::<(), _>(reset()) });
    let second = retryer.run("second", |_| {
        let first = calls.fetch_add(1, Ordering::SeqCst) == 0;
        async move { if first { Err(reset()) } else { Ok(()) } }
    });
    let script = async {
        tokio::time::sleep(SECOND).await;
        token.cancel();
        monitor.gate().admit_one();
    };
    let (first, second, ()) = tokio::join!(first, second, script);
    assert_eq!(first.unwrap_err().end(), End::Cancelled);
    assert!(second.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_monitor_is_told_what_attempts_find_out() {
    #[derive(Debug)]
    struct Listener(NetworkGate, std::sync::Mutex<Vec<NetworkReport>>);
    impl NetworkMonitor for Listener {
        fn gate(&self) -> &NetworkGate {
            &self.0
        }
        fn report(&self, report: NetworkReport) {
            self.1.lock().unwrap().push(report);
        }
    }

    let listener = Listener(NetworkGate::new(NetworkState::Up), std::sync::Mutex::default());
    let listener = Arc::new(listener);
    let policy = plain_policy().to_builder().max_attempts(10).build().unwrap();
    let retryer = Retryer::new(policy).network_monitor(listener.clone());
    let mut errors = [
        io::ErrorKind::NetworkUnreachable,
        io::ErrorKind::ConnectionRefused,
        io::ErrorKind::Interrupted,
        io::ErrorKind::TimedOut,
    ]
    .into_iter();
    let operation = |_| {
        let next = errors.next();
        async move { next.map_or(Ok(()), |kind| Err(io::Error::from(kind))) }
    };
    retryer.run("call", operation).await.unwrap();
    retryer.run("at once", |_| async { Ok::<_, io::Error>(()) }).await.unwrap();
    use NetworkReport::{Answered, Failed, Succeeded, Unreachable};
    let told = listener.1.lock().unwrap().clone();
    assert_eq!(told, [Unreachable, Answered, Failed, Succeeded, Succeeded]);
}

#[test]
fn rule_10_blocking_calls_pause_too() {
    let clock = Arc::new(VirtualClock::new());
    let (retryer, _monitor) = with_monitor(NetworkState::Down);
    let retryer = retryer.clock(clock.clone());
    // The virtual clock jumps over the longest wait at once.
    let error = retryer.run_blocking("upload", |_| Err::<(), _>(reset())).unwrap_err();
    assert_eq!((error.end(), error.network_wait()), (End::NetworkDown, SECOND * 600));

    // In real time here, so without a delay between attempts.
    let policy = waiting_policy().to_builder().initial_delay(Duration::ZERO).build().unwrap();
    let monitor = Arc::new(ManualMonitor::new(NetworkState::Down));
    let retryer = Retryer::new(policy).network_monitor(monitor.clone());
    let helper = std::thread::spawn(move || {
        while monitor.gate().waiting() == 0 {
            std::thread::yield_now();
        }
        monitor.set(NetworkState::Up);
    });
    let mut calls = 0;
    let result = retryer.run_blocking("upload", |attempt| {
        calls += 1;
        assert_eq!(attempt.number(), 1);
        if calls == 1 { Err(transient(reset())) } else { Ok(()) }
    });
    assert!(result.is_ok());
    helper.join().unwrap();
}

#[tokio::test]
async fn rule_16_a_pause_can_be_tested_in_virtual_time() {
    let clock = Arc::new(VirtualClock::new());
    let (retryer, monitor) = with_monitor(NetworkState::Down);
    let retryer = retryer.clock(clock.clone());
    let mut calls = 0;
    let running = retryer.call("upload").attempt_timeout(SECOND * 5).run(|_| {
        calls += 1;
        let (first, took) = (calls == 1, clock.sleep(SECOND));
        async move {
            took.await;
            if first { Err(reset()) } else { Ok(()) }
        }
    });
    let recovery = async {
        clock.sleep(SECOND * 60).await;
        monitor.set(NetworkState::Up);
    };
    let (result, ()) = tokio::join!(running, recovery);
    assert!(result.is_ok());
    // Neither the longest pause nor the limits of the attempts have taken any time.
    let sleeps = clock.sleeps();
    let [attempt, outage, stagger, repeated] = sleeps[..] else { panic!("{sleeps:?}") };
    assert_eq!([attempt, outage, repeated], [SECOND, SECOND * 60, SECOND]);
    assert!(stagger <= SECOND / 4, "{stagger:?}");
    assert_eq!(clock.elapsed(), SECOND * 61 + stagger);
}

#[test]
fn rule_16_a_blocking_pause_can_be_tested_in_virtual_time() {
    let clock = Arc::new(VirtualClock::new());
    let (retryer, monitor) = with_monitor(NetworkState::Down);
    let recovers = move |event: &persevere::Event<'_>| {
        if event.kind == EventKind::NetworkDown {
            monitor.set(NetworkState::Up);
        }
    };
    let retryer = retryer.clock(clock.clone()).observer(recovers);
    let mut calls = 0;
    let result = retryer.run_blocking("upload", |_| {
        calls += 1;
        if calls == 1 { Err(reset()) } else { Ok(()) }
    });
    assert!(result.is_ok());
    let [apart] = clock.sleeps()[..] else { panic!("{:?}", clock.sleeps()) };
    assert!((SECOND..=SECOND * 5 / 4).contains(&apart), "{apart:?}");
}
