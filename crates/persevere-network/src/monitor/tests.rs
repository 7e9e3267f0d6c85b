//! What holds on any machine. What happens when the network goes is in `tests/namespaces.rs`.

use std::net::SocketAddr;
use std::time::Instant;

use super::*;
use crate::evaluator::Route;
use crate::status::Reason;

const GENEROUS: Duration = Duration::from_secs(60);

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// Blocks until it is so. The bound is for tests that have failed.
fn wait_for(target: &TargetMonitor, wanted: impl Fn(&Status) -> bool) -> Status {
    let until = Instant::now() + GENEROUS;
    let mut status = target.status();
    while !wanted(&status) {
        assert!(Instant::now() < until, "it never happens: {status}");
        status = target.wait_for_change(&status, Some(Duration::from_secs(1)));
    }
    status
}

#[test]
fn a_loopback_target_is_up_and_a_look_needs_no_thread() {
    let monitor = Monitor::new();
    let target = monitor.target(loopback(9));
    assert_eq!(target.status().reason, Reason::NoEvidence);
    assert_eq!(target.look().reason, Reason::RouteOpen);
    assert_eq!(Arc::strong_count(&target.life.shared), 1, "no thread has it");
}

#[test]
fn one_target_asked_for_twice_is_one_and_none_of_1000_is_leaked() {
    let monitor = Monitor::new();
    let shared = monitor.anywhere.life.shared.clone();
    let kept = monitor.target(loopback(1));
    for _ in 0..1_000 {
        let again = monitor.target(loopback(1));
        again.report(NetworkReport::Succeeded);
        drop(monitor.target(loopback(2)));
    }
    assert_eq!(kept.status().state, NetworkState::Up);
    assert_eq!(shared.count(), 1);
    drop(kept);
    assert_eq!(shared.count(), 0);
}

#[test]
fn the_end_of_all_who_have_it_ends_the_thread_and_no_sooner() {
    let monitor = Monitor::new();
    let shared = Arc::downgrade(&monitor.anywhere.life.shared);
    let target = monitor.target(loopback(9));
    drop(monitor);
    assert_eq!(target.recheck(), NetworkState::Up);
    drop(target);
    let until = Instant::now() + GENEROUS;
    while shared.strong_count() > 0 {
        assert!(Instant::now() < until, "the thread still has it");
        std::thread::yield_now();
    }
}

#[test]
fn stopping_it_lets_everybody_go() {
    let monitor = Monitor::new();
    monitor.set_by_hand(Some(NetworkState::Down));
    let target = monitor.target(loopback(9));
    let down = target.status();
    assert_eq!(down.reason, Reason::ByHand);
    let waiting = target.clone();
    let waiter = std::thread::spawn(move || waiting.wait_for_change(&down, Some(GENEROUS)));
    monitor.stop();
    assert_eq!(waiter.join().unwrap().reason, Reason::Stopped);
    assert_eq!(target.recheck(), NetworkState::Unknown);
    assert_eq!(monitor.target(loopback(7)).recheck(), NetworkState::Unknown);
}

/// Whoever waits in a loop for what comes next hears of the end, and does not wait for more.
#[test]
fn after_the_end_nobody_waits_for_a_change() {
    let monitor = Monitor::new();
    monitor.look();
    monitor.stop();
    let status = monitor.status();
    assert_eq!(monitor.wait_for_change(&status, None), status);
    assert_eq!(monitor.target(loopback(7)).wait_for_change(&status, None).reason, Reason::Stopped);
}

#[test]
fn without_a_thread_whoever_waits_looks_and_nobody_is_kept_waiting_at_the_gate() {
    let monitor = Monitor::builder().speed(100).build();
    let target = monitor.target(loopback(9));
    let shared = &target.life.shared;
    shared.threads_are_denied.store(true, Ordering::SeqCst);
    let unknown = target.status();
    assert_eq!(target.wait_for_change(&unknown, None).state, NetworkState::Up);
    // A route that is missing, and nobody who would see it come back.
    target.watched.take(shared.now(), Input::Route(Route::Missing));
    assert_eq!(target.status().state, NetworkState::Down);
    assert_eq!(target.look().state, NetworkState::Unknown);
    assert_eq!(target.recheck(), NetworkState::Unknown);
}

/// A child process has all that its parent had, but not its thread.
#[test]
fn a_child_process_forgets_and_begins_a_thread_of_its_own() {
    let monitor = Monitor::new();
    let target = monitor.target(loopback(9));
    wait_for(&target, |status| status.state == NetworkState::Up);
    target.watched.take(Duration::ZERO, Input::Route(Route::Missing));
    assert_eq!(target.status().state, NetworkState::Down);
    let shared = &target.life.shared;
    let threads = || Arc::strong_count(shared);
    let before = threads();
    *shared.started.lock().unwrap() = Some(std::process::id() + 1);
    assert_ne!(target.recheck(), NetworkState::Down);
    assert_eq!(threads(), before + 1);
    assert_eq!(*shared.started.lock().unwrap(), Some(std::process::id()));
    target.recheck();
    assert_eq!(threads(), before + 1, "only one");
}

#[test]
fn a_panic_of_the_thread_is_survived() {
    let monitor = Monitor::new();
    let target = monitor.target(loopback(9));
    let up = wait_for(&target, |status| status.state == NetworkState::Up);
    let shared = &monitor.anywhere.life.shared;
    shared.panics.store(true, Ordering::SeqCst);
    shared.bell.ring();
    // Unknown in between; whether anybody sees that is a matter of speed.
    let changed = wait_for(&target, |status| status.since != up.since);
    assert!(matches!(changed.state, NetworkState::Unknown | NetworkState::Up));
    wait_for(&target, |status| status.state == NetworkState::Up);
}

#[test]
fn the_thread_forgets_what_was_known_before_a_sleep() {
    let monitor = Monitor::builder().probes(false).build();
    let target = monitor.target(loopback(9));
    wait_for(&target, |status| status.state == NetworkState::Up);
    target.report(NetworkReport::Unreachable);
    let doubt = target.status();
    assert_eq!(doubt.reason, Reason::OperationsFail);
    monitor.anywhere.life.shared.sleeps.longer.store(3_600_000, Ordering::SeqCst);
    monitor.anywhere.life.shared.bell.ring();
    let changed = wait_for(&target, |status| status.since != doubt.since);
    assert!(matches!(changed.state, NetworkState::Unknown | NetworkState::Up));
}

#[test]
fn a_host_that_fails_but_answers_probes_is_doubtful_and_then_up() {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let monitor = Monitor::new();
    let target = monitor.target(listener.local_addr().unwrap());
    wait_for(&target, |status| status.state == NetworkState::Up);
    target.report(NetworkReport::Unreachable);
    assert_eq!(target.status().reason, Reason::OperationsFail);
    assert_eq!(target.recheck(), NetworkState::Degraded, "which pauses nobody");
    wait_for(&target, |status| status.state == NetworkState::Up);
}

#[test]
fn what_one_host_answers_counts_for_the_network_and_what_it_does_not_does_not() {
    let monitor = Monitor::new();
    let target = monitor.target(SocketAddr::from(([192, 0, 2, 7], 9)));
    for _ in 0..10 {
        target.report(NetworkReport::Failed);
    }
    assert_ne!(monitor.status().state, NetworkState::Degraded);
    target.report(NetworkReport::Answered);
    assert_eq!(monitor.status().state, NetworkState::Up);

    let monitor = Monitor::new();
    monitor.target(loopback(9)).report(NetworkReport::Succeeded);
    assert_eq!(monitor.status().state, NetworkState::Unknown, "it stayed on this machine");
}

/// As in a network without a way out: what is near answers, and the way out is missing all the same.
#[test]
fn what_is_near_says_nothing_of_the_way_out_unless_it_is_reached_without_a_route() {
    let (near, missing) = (SocketAddr::from(([192, 0, 2, 7], 9)), Input::Route(Route::Missing));
    let monitor = Monitor::new();
    let target = monitor.target(near);
    monitor.anywhere.watched.take(Duration::ZERO, missing);
    target.watched.take(Duration::ZERO, Input::Route(Route::Open));
    target.report(NetworkReport::Succeeded);
    target.report(NetworkReport::Answered);
    assert_eq!(monitor.status().reason, Reason::NoRoute);
    // It is reached by a way that the kernel does not see: then there may be such a one for others.
    target.watched.take(Duration::ZERO, missing);
    target.report(NetworkReport::Succeeded);
    assert_eq!(monitor.status().state, NetworkState::Up);
}

#[test]
fn without_kernel_messages_it_looks_by_the_clock() {
    let monitor = Monitor::builder().kernel_events(false).build();
    let target = monitor.target(loopback(9));
    wait_for(&target, |status| status.state == NetworkState::Up);
}

#[test]
fn what_needs_no_network_never_waits() {
    let target = Monitor::new().target(Target::local());
    for _ in 0..10 {
        target.report(NetworkReport::Unreachable);
    }
    assert_eq!(target.recheck(), NetworkState::Up);
    assert_eq!(target.status().reason, Reason::Local);
}
