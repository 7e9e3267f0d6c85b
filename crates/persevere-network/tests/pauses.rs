//! Calls that pause at the real monitor: how a pause ends, and what is left of it. Nothing sleeps but
//! whoever shakes a cable at a certain pace.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod common;

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use common::{Peer, be_peer, cable, down_for, inside, ip, server, up, wait_for, wait_until};
use persevere::{CancellationToken, End, Event, EventKind, NetworkMonitor, RetryPolicy, Retryer};
use persevere_network::{Monitor, Reason, TargetMonitor};

fn retryer(monitor: Arc<TargetMonitor>) -> Retryer {
    let policy = RetryPolicy::builder()
        .max_attempts(2)
        .initial_delay(Duration::from_millis(10))
        .wait_for_network(true)
        .build();
    Retryer::new(policy.unwrap()).network_monitor(monitor)
}

fn connect() -> io::Result<TcpStream> {
    TcpStream::connect_timeout(&server(), Duration::from_millis(50))
}

fn fails() -> io::Result<()> {
    Err(ErrorKind::NetworkUnreachable.into())
}

/// A cable that is out, and the way to the server over it.
fn outage(monitor: &Monitor) -> Arc<TargetMonitor> {
    cable();
    ip("link set v1 down");
    let target = monitor.target(server());
    wait_for(&target, down_for(Reason::NoCarrier));
    target
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn a_deadline_ends_a_pause() {
    inside("a_deadline_ends_a_pause", || {
        let target = outage(&Monitor::new());
        let retryer = retryer(target.clone());
        let call = || retryer.call("connect").deadline(Duration::from_millis(200));
        let blocking = call().run_blocking(|_| connect()).unwrap_err();
        let waiting = runtime().block_on(call().run(|_| async { connect() })).unwrap_err();
        for error in [blocking, waiting] {
            assert_eq!((error.end(), error.attempts()), (End::Deadline, 1));
            assert!(error.network_wait() > Duration::ZERO);
            assert!(error.last_error().is_some());
        }
        assert_eq!(target.gate().waiting(), 0);
    });
}

#[test]
fn a_token_ends_a_pause() {
    inside("a_token_ends_a_pause", || {
        let target = outage(&Monitor::new());
        let retryer = retryer(target.clone());
        let ends = |run: &(dyn Fn(CancellationToken) -> io::Result<End> + Sync)| {
            let token = CancellationToken::new();
            std::thread::scope(|scope| {
                let call = scope.spawn(|| run(token.clone()));
                wait_until("it waits", || target.gate().waiting() == 1);
                token.cancel();
                assert_eq!(call.join().unwrap().unwrap(), End::Cancelled);
            });
            assert_eq!((target.gate().waiting(), token.waiting()), (0, 0));
        };
        let call = |token| retryer.call("connect").cancel_on(token);
        ends(&|token| Ok(call(token).run_blocking(|_| connect()).unwrap_err().end()));
        ends(&|token| {
            let result = runtime().block_on(call(token).run(|_| async { connect() }));
            Ok(result.unwrap_err().end())
        });
    });
}

#[test]
fn the_end_of_the_monitor_ends_a_pause() {
    inside("the_end_of_the_monitor_ends_a_pause", || {
        let monitor = Monitor::new();
        let target = outage(&monitor);
        let retryer = retryer(target.clone());
        std::thread::scope(|scope| {
            let call = scope.spawn(|| retryer.run_blocking("connect", |_| connect()));
            wait_until("it waits", || target.gate().waiting() == 1);
            monitor.stop();
            let error = call.join().unwrap().unwrap_err();
            assert_eq!((error.end(), error.attempts()), (End::AttemptsExhausted, 2));
        });
    });
}

#[test]
fn a_thousand_calls_that_are_dropped_leave_nothing_behind() {
    inside("a_thousand_calls_that_are_dropped_leave_nothing_behind", || {
        let descriptors = || std::fs::read_dir("/proc/self/fd").unwrap().count();
        // With its feature `signal`, which others in the workspace switch on, the first of tokio's runtimes
        // opens two sockets for good.
        drop(runtime());
        let before = descriptors();
        let monitor = Monitor::new();
        drop(outage(&monitor));
        let targets: Vec<_> =
            (1..=1_000).map(|port| monitor.target(SocketAddr::new(server().ip(), port))).collect();
        let runtime = runtime();
        for target in &targets {
            let retryer = retryer(target.clone());
            runtime.spawn(async move { retryer.run("connect", |_| async { fails() }).await });
        }
        let waiting = || targets.iter().map(|target| target.gate().waiting()).sum::<usize>();
        while waiting() < targets.len() {
            runtime.block_on(tokio::task::yield_now());
        }
        assert!(!has_thread("network-probe"), "there is no way to probe");
        drop(runtime);
        assert_eq!(waiting(), 0);
        drop((targets, monitor));
        wait_until("the thread ends", || !has_thread("network-monitor"));
        // What the thread held it lets go of at its very end.
        wait_until("its descriptors are closed", || descriptors() == before);
    });
}

fn has_thread(name: &str) -> bool {
    let threads = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    let mut names = threads.flat_map(|thread| std::fs::read_to_string(thread.path().join("comm")));
    names.any(|other| other.trim() == name)
}

struct Panics;

impl Wake for Panics {
    fn wake(self: Arc<Self>) {
        panic!("what wakes this call panics, on the monitor's thread");
    }
}

#[test]
fn a_waker_that_panics_keeps_nobody_else_waiting() {
    inside("a_waker_that_panics_keeps_nobody_else_waiting", || {
        let monitor = Monitor::new();
        let target = outage(&monitor);
        let retryer = retryer(target.clone());
        let mut first = pin!(retryer.run("first", |_| async { fails() }));
        let waker = Waker::from(Arc::new(Panics));
        assert!(first.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        let is_in = AtomicBool::new(false);
        let works = || if is_in.load(Ordering::SeqCst) { Ok(()) } else { fails() };
        std::thread::scope(|scope| {
            let second = scope.spawn(|| retryer.run_blocking("second", |_| works()));
            wait_until("both wait", || target.gate().waiting() == 2);
            is_in.store(true, Ordering::SeqCst);
            ip("link set v1 up");
            second.join().unwrap().unwrap();
        });
        // And the thread goes on.
        ip("link set v1 down");
        wait_for(&target, down_for(Reason::NoCarrier));
    });
}

/// A call that is busy while the cable is put in and out a hundred times, 100 ms each by the
/// monitor's time.
#[test]
fn a_network_that_flaps() {
    inside("a_network_that_flaps", || {
        const SPEED: u32 = 4;
        let mut peer = Peer::start();
        let monitor = Monitor::builder().speed(SPEED).build();
        let target = monitor.target(server());
        wait_for(&target, up);
        let made = Arc::new(Mutex::new(Vec::new()));
        let events = Arc::new(Mutex::new(Vec::new()));
        let told = events.clone();
        let retryer = retryer(target.clone())
            .observer(move |event: &Event<'_>| told.lock().unwrap().push(event.kind));
        let (flaps, busy) = (AtomicBool::new(true), AtomicBool::new(false));
        let talk = |attempt: u32| {
            made.lock().unwrap().push(attempt);
            let mut stream = connect()?;
            stream.set_read_timeout(Some(Duration::from_millis(50)))?;
            loop {
                stream.write_all(b"?")?;
                stream.read_exact(&mut [0])?;
                busy.store(true, Ordering::SeqCst);
                if !flaps.load(Ordering::SeqCst) {
                    return io::Result::Ok(());
                }
            }
        };
        std::thread::scope(|scope| {
            let call =
                scope.spawn(|| retryer.run_blocking("talk", |attempt| talk(attempt.number())));
            wait_until("it talks", || busy.load(Ordering::SeqCst));
            let before = monitor.turns();
            for _ in 0..50 {
                for state in ["down", "up"] {
                    peer.ip(&format!("link set v1 {state}"));
                    std::thread::sleep(Duration::from_millis(100) / SPEED);
                }
            }
            let turns = monitor.turns() - before;
            // One look for 50 ms of its time, and as many turns that come to nothing.
            assert!(turns < 500, "a hot loop: {turns} turns in 10 s");
            flaps.store(false, Ordering::SeqCst);
            call.join().unwrap().unwrap();
        });
        assert!(up(&target.look()));
        assert_eq!(*made.lock().unwrap(), [1, 1], "one failure, which is not charged");
        let paused_once = [EventKind::NetworkDown, EventKind::NetworkRecovered];
        assert_eq!(*events.lock().unwrap(), paused_once);
    });
}

/// Not a test: the other end of the cables, where it is started as that.
#[test]
fn peer() {
    if std::env::var_os(common::PEER).is_some() {
        be_peer(|| {
            let listener = TcpListener::bind(("0.0.0.0", 80)).unwrap();
            for stream in listener.incoming().flatten() {
                std::thread::spawn(move || io::copy(&mut stream.try_clone()?, &mut { stream }));
            }
        });
    }
}
