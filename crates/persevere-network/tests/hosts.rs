//! A host that does not answer, refuses, comes back, or is not the one that operations talk to; and
//! names that do not resolve. The other end of the cable is a process of ours.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod common;

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::{Peer, be_peer, down_for, inside, replace_file, server, up, wait_for, wait_until};
use persevere::{
    End, Event, EventKind, Jitter, NetworkMonitor, NetworkState, RetryPolicy, Retryer,
};
use persevere_network::{Monitor, Reason, Target, TargetMonitor};

/// Enough attempts for the monitor to make up its mind, at twenty times its speed.
fn retryer(monitor: Arc<dyn NetworkMonitor>, attempts: u32) -> Retryer {
    let policy = RetryPolicy::builder()
        .max_attempts(attempts)
        .initial_delay(Duration::from_millis(10))
        .max_delay(Duration::from_millis(100))
        .jitter(Jitter::None)
        .wait_for_network(true)
        .build();
    Retryer::new(policy.unwrap()).network_monitor(monitor)
}

fn connect(to: SocketAddr) -> io::Result<()> {
    TcpStream::connect_timeout(&to, Duration::from_millis(100)).map(drop)
}

#[test]
fn a_host_that_refuses_is_there() {
    inside("a_host_that_refuses_is_there", || {
        let _peer = Peer::start();
        let refuses = SocketAddr::from(([10, 9, 0, 2], 81));
        let target = Monitor::new().target(refuses);
        // The cable is new, and on a busy machine it may be a while until the kernel uses it.
        let connect = || TcpStream::connect_timeout(&refuses, common::GENEROUS).map(drop);
        let error = retryer(target.clone(), 5).run_blocking("connect", |_| connect());
        let error = error.unwrap_err();
        assert_eq!(error.verdict().unwrap().rule(), "io.connection_refused");
        assert_eq!((error.end(), error.attempts()), (End::AttemptsExhausted, 5));
        assert_eq!(error.network_wait(), Duration::ZERO);
        assert_eq!(target.status().state, NetworkState::Up);
    });
}

#[test]
fn a_host_that_says_nothing_and_then_answers() {
    inside("a_host_that_says_nothing_and_then_answers", || {
        let mut peer = Peer::start();
        let target = Monitor::builder().speed(20).build().target(server());
        wait_for(&target, up);
        peer.ip("addr del 10.9.0.2/24 dev v1");
        let retryer = retryer(target.clone(), 40);
        std::thread::scope(|scope| {
            let call = scope.spawn(|| retryer.run_blocking("connect", |_| connect(server())));
            wait_for(&target, |status| status.reason == Reason::OperationsFail);
            wait_for(&target, down_for(Reason::ProbesFail));
            wait_until("the call waits", || target.gate().waiting() == 1);
            // Whoever goes to see finds that it is true, and waits on.
            wait_until("one goes to see", || target.gate().waiting() == 0);
            wait_until("and waits on", || target.gate().waiting() == 1);
            assert_eq!(target.status().reason, Reason::ProbesFail);
            peer.ip("addr add 10.9.0.2/24 dev v1");
            call.join().unwrap().unwrap();
        });
        assert_eq!(target.status().state, NetworkState::Up);
    });
}

#[test]
fn probes_that_look_in_the_wrong_place_keep_nobody_waiting_for_ever() {
    inside("probes_that_look_in_the_wrong_place_keep_nobody_waiting_for_ever", || {
        let mut peer = Peer::start();
        // Nobody has this address, and it is not what the operations talk to.
        let wrong = SocketAddr::from(([10, 9, 0, 77], 80));
        let target = Monitor::builder().speed(20).build().target(wrong);
        let retryer = retryer(target.clone(), 40);
        peer.ip("addr del 10.9.0.2/24 dev v1");
        let went_to_see = AtomicUsize::new(0);
        let attempt = || {
            if target.gate().state() == NetworkState::Down {
                went_to_see.fetch_add(1, Ordering::SeqCst);
            }
            connect(server())
        };
        std::thread::scope(|scope| {
            let calls: Vec<_> = (0..3)
                .map(|_| scope.spawn(|| retryer.run_blocking("connect", |_| attempt())))
                .collect();
            wait_for(&target, down_for(Reason::ProbesFail));
            wait_until("all wait", || target.gate().waiting() == 3);
            went_to_see.store(0, Ordering::SeqCst);
            peer.ip("addr add 10.9.0.2/24 dev v1");
            for call in calls {
                call.join().unwrap().unwrap();
            }
        });
        assert_eq!(target.status().state, NetworkState::Up);
        assert_eq!(went_to_see.load(Ordering::SeqCst), 1, "one finds out for all");
    });
}

#[test]
fn names_that_do_not_resolve_pause_nobody() {
    inside("names_that_do_not_resolve_pause_nobody", || {
        let _peer = Peer::start();
        // A server of names that says nothing.
        replace_file("/etc/resolv.conf", "nameserver 10.9.0.77\noptions timeout:1 attempts:1\n");
        replace_file("/etc/nsswitch.conf", "hosts: files dns\n");
        let monitor = Monitor::builder().speed(4).build();
        let targets = [monitor.target(server()), monitor.target(Target::anywhere())];
        common::ip("route add default via 10.9.0.2");
        std::thread::scope(|scope| {
            for target in &targets {
                wait_for(target, up);
                scope.spawn(|| fails_to_resolve(target));
            }
        });
        // Its probes are answered, so that it was a doubt at most; of nobody in particular there are none.
        wait_for(&targets[0], up);
        assert_eq!(targets[1].status().reason, Reason::OperationsFail);
    });
}

fn fails_to_resolve(target: &Arc<TargetMonitor>) {
    let (told, pauses) = std::sync::mpsc::channel();
    // A second each: long enough for probes to make up their minds.
    let retryer = retryer(target.clone(), 5).observer(move |event: &Event<'_>| {
        if event.kind == EventKind::NetworkDown {
            told.send(()).unwrap();
        }
    });
    let mut doubted = false;
    let error = retryer.run_blocking("resolve", |_| {
        doubted |= target.status().state == NetworkState::Degraded;
        ("server.example", 80).to_socket_addrs().map(drop)
    });
    let error = error.unwrap_err();
    assert_eq!(error.verdict().unwrap().kind(), persevere::Kind::Network, "{error}");
    assert_eq!((error.end(), error.network_wait()), (End::AttemptsExhausted, Duration::ZERO));
    drop(retryer);
    assert_eq!(pauses.iter().count(), 0);
    assert!(doubted);
}

/// Not a test: the other end of the cables, where it is started as that.
#[test]
fn peer() {
    if std::env::var_os(common::PEER).is_some() {
        be_peer(|| {
            let listener = TcpListener::bind(("0.0.0.0", 80)).unwrap();
            listener.incoming().for_each(drop);
        });
    }
}
