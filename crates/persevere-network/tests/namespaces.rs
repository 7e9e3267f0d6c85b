//! What happens when the network goes and comes back, in network namespaces. No test sleeps: it
//! waits for a state, and fails if that never comes.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod common;

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use common::{Peer, be_peer, cable, inside, ip, wait_for};
use persevere::{NetworkMonitor, NetworkState, RetryPolicy, Retryer};
use persevere_network::{Monitor, Reason, Status, Target, TargetMonitor};

fn server() -> SocketAddr {
    SocketAddr::from(([10, 9, 0, 2], 80))
}

fn up(status: &Status) -> bool {
    status.state == NetworkState::Up
}

fn down_for(reason: Reason) -> impl Fn(&Status) -> bool {
    move |status| status.state == NetworkState::Down && status.reason == reason
}

fn anywhere(monitor: &Monitor) -> Arc<TargetMonitor> {
    monitor.target(Target::anywhere())
}

/// Up, then what `breaks` does, then down for this reason, and after `mends` up again.
fn outage(monitor: &Monitor, breaks: &[&str], reason: Reason, mends: &[&str]) {
    for target in [monitor.target(server()), anywhere(monitor)] {
        wait_for(&target, up);
    }
    breaks.iter().for_each(|command| ip(command));
    for target in [monitor.target(server()), anywhere(monitor)] {
        wait_for(&target, down_for(reason));
        assert_eq!(target.recheck(), NetworkState::Down);
        assert_eq!(target.gate().state(), NetworkState::Down);
    }
    mends.iter().for_each(|command| ip(command));
    for target in [monitor.target(server()), anywhere(monitor)] {
        wait_for(&target, up);
        assert_eq!(target.gate().state(), NetworkState::Up);
    }
}

const DEFAULT_ROUTE: &str = "route add default via 10.9.0.2";

#[test]
fn a_link_that_is_switched_off() {
    inside("a_link_that_is_switched_off", || {
        cable();
        let mends = ["link set v0 up", DEFAULT_ROUTE];
        outage(&Monitor::new(), &["link set v0 down"], Reason::NoRoute, &mends);
    });
}

#[test]
fn a_cable_that_is_pulled_out() {
    inside("a_cable_that_is_pulled_out", || {
        cable();
        let monitor = Monitor::new();
        for _ in 0..3 {
            outage(&monitor, &["link set v1 down"], Reason::NoCarrier, &["link set v1 up"]);
        }
    });
}

#[test]
fn an_address_that_is_deleted() {
    inside("an_address_that_is_deleted", || {
        cable();
        let mends = ["addr add 10.9.0.1/24 dev v0", DEFAULT_ROUTE];
        outage(&Monitor::new(), &["addr del 10.9.0.1/24 dev v0"], Reason::NoRoute, &mends);
    });
}

#[test]
fn a_default_route_that_is_deleted() {
    inside("a_default_route_that_is_deleted", || {
        cable();
        let monitor = Monitor::new();
        let (near, out) = (monitor.target(server()), anywhere(&monitor));
        wait_for(&near, up);
        wait_for(&out, up);
        ip("route del default");
        wait_for(&out, down_for(Reason::NoRoute));
        // The server is at the other end of the cable, and needs none.
        assert_eq!(near.recheck(), NetworkState::Up);
        ip(DEFAULT_ROUTE);
        wait_for(&out, up);
    });
}

#[test]
fn a_default_route_that_moves_to_another_interface() {
    inside("a_default_route_that_moves_to_another_interface", || {
        cable();
        ip("link add w0 type veth peer name w1");
        ip("link set w1 up");
        ip("link set w0 up");
        ip("addr add 10.8.0.1/24 dev w0");
        let monitor = Monitor::new();
        let out = anywhere(&monitor);
        let before = wait_for(&out, up);
        ip("route replace default via 10.8.0.2");
        ip("link set v1 down");
        // What it stood on before is out, and it does not matter.
        wait_for(&monitor.target(server()), down_for(Reason::NoCarrier));
        assert_eq!((out.recheck(), out.status()), (NetworkState::Up, before));
        ip("link set w1 down");
        wait_for(&out, down_for(Reason::NoCarrier));
    });
}

#[test]
fn an_unrelated_interface_that_comes_and_goes() {
    inside("an_unrelated_interface_that_comes_and_goes", || {
        cable();
        let monitor = Monitor::new();
        let target = monitor.target(server());
        let before = wait_for(&target, up);
        for _ in 0..20 {
            ip("link add docker0 type veth peer name docker1");
            ip("link set docker0 up");
            ip("addr add 172.17.0.1/16 dev docker0");
            ip("link del docker0");
        }
        assert_eq!((target.look(), target.status()), (before, before));
    });
}

#[test]
fn a_network_of_ipv6_only() {
    inside("a_network_of_ipv6_only", || {
        ip("link add v0 type veth peer name v1");
        ip("link set v1 up");
        ip("link set v0 up");
        ip("addr add 2001:db8::1/64 dev v0 nodad");
        let monitor = Monitor::new();
        let out = anywhere(&monitor);
        wait_for(&out, down_for(Reason::NoRoute));
        ip("route add default via 2001:db8::2 dev v0");
        wait_for(&out, up);
        ip("link set v1 down");
        wait_for(&out, |status| status.state == NetworkState::Down);
        ip("link set v1 up");
        wait_for(&out, up);
        ip("route del default via 2001:db8::2 dev v0");
        wait_for(&out, down_for(Reason::NoRoute));
    });
}

#[test]
fn a_machine_with_nothing_but_itself() {
    inside("a_machine_with_nothing_but_itself", || {
        let monitor = Monitor::new();
        assert_eq!(monitor.look().reason, Reason::NoRoute);
        let own = monitor.target(SocketAddr::from(([127, 0, 0, 1], 9)));
        assert_eq!(own.recheck(), NetworkState::Up);
        ip("link set lo down");
        wait_for(&own, |status| status.state == NetworkState::Down);
        ip("link set lo up");
        wait_for(&own, up);
    });
}

#[test]
fn a_host_that_refuses_is_there() {
    inside("a_host_that_refuses_is_there", || {
        let _peer = Peer::start();
        let refuses = SocketAddr::from(([10, 9, 0, 2], 81));
        let monitor = Monitor::new();
        let target = monitor.target(refuses);
        let policy = RetryPolicy::builder().initial_delay(std::time::Duration::ZERO).build();
        let retryer = Retryer::new(policy.unwrap()).network_monitor(target.clone());
        let error = retryer.run_blocking("connect", |_| std::net::TcpStream::connect(refuses));
        assert_eq!(error.unwrap_err().verdict().unwrap().rule(), "io.connection_refused");
        assert_eq!(target.status().state, NetworkState::Up);
    });
}

#[test]
fn a_host_that_says_nothing_and_then_answers() {
    inside("a_host_that_says_nothing_and_then_answers", || {
        let mut peer = Peer::start();
        let monitor = Monitor::new();
        let target = monitor.target(server());
        wait_for(&target, up);
        peer.ip("addr del 10.9.0.2/24 dev v1");
        for _ in 0..3 {
            target.report(persevere::NetworkReport::Failed);
        }
        assert_eq!(target.status().state, NetworkState::Degraded);
        wait_for(&target, down_for(Reason::ProbesFail));
        peer.ip("addr add 10.9.0.2/24 dev v1");
        wait_for(&target, up);
    });
}

#[test]
fn more_changes_than_the_kernel_can_tell() {
    inside("more_changes_than_the_kernel_can_tell", || {
        cable();
        let monitor = Monitor::builder().receive_buffer(1).build();
        let target = monitor.target(server());
        wait_for(&target, up);
        let routes = |verb: &str| {
            let lines: String = (0..4_000)
                .map(|number| {
                    format!("route {verb} 10.{}.{}.0/24 dev v0\n", 10 + number / 250, number % 250)
                })
                .collect();
            let path = std::env::temp_dir().join(format!("persevere-{}", std::process::id()));
            std::fs::write(&path, lines).unwrap();
            ip(&format!("-batch {}", path.display()));
            std::fs::remove_file(path).unwrap();
        };
        routes("add");
        ip("link set v1 down");
        routes("del");
        wait_for(&target, down_for(Reason::NoCarrier));
        routes("add");
        ip("link set v1 up");
        wait_for(&target, up);
    });
}

#[test]
fn a_system_that_sends_no_messages() {
    inside("a_system_that_sends_no_messages", || {
        cable();
        let monitor = Monitor::builder().kernel_events(false).build();
        outage(&monitor, &["link set v1 down"], Reason::NoCarrier, &["link set v1 up"]);
    });
}

#[test]
fn no_file_descriptors_left() {
    inside("no_file_descriptors_left", || {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        cable();
        let monitor = Monitor::new();
        let target = monitor.target(server());
        let enough = getrlimit(Resource::Nofile);
        setrlimit(Resource::Nofile, Rlimit { current: Some(3), ..enough }).unwrap();
        // Nothing can be found out, and nobody is kept waiting for that.
        for _ in 0..3 {
            assert_eq!(target.recheck(), NetworkState::Unknown);
        }
        setrlimit(Resource::Nofile, enough).unwrap();
        wait_for(&target, up);
        ip("link set v1 down");
        wait_for(&target, down_for(Reason::NoCarrier));
    });
}

/// Not a test: the other end of the cables, where it is started as that.
#[test]
fn peer() {
    if std::env::var_os(common::PEER).is_some() {
        be_peer(|| drop(TcpListener::bind(("0.0.0.0", 80))));
    }
}
