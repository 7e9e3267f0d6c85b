//! What happens when the network goes and comes back, in network namespaces. No test sleeps: it
//! waits for a state, and fails if that never comes.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod common;

use std::fs::File;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use common::{cable, down_for, inside, ip, server, up, wait_for, wait_until};
use persevere::{NetworkMonitor, NetworkReport, NetworkState};
use persevere_network::{Monitor, Reason, Target, TargetMonitor};

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
        assert!(netlink_sockets().iter().any(|socket| socket.lost > 0), "none were too many");
        routes("add");
        ip("link set v1 up");
        wait_for(&target, up);
    });
}

#[test]
fn a_netlink_socket_that_somebody_closes() {
    inside("a_netlink_socket_that_somebody_closes", || {
        cable();
        let monitor = Monitor::new();
        let target = monitor.target(server());
        wait_for(&target, up);
        let listening = || netlink_sockets().into_iter().find(|socket| socket.groups != 0);
        let closed = listening().unwrap();
        let number = closed.descriptor().unwrap();
        nix::unistd::close(number).unwrap();
        // Somebody else's socket has the number now, and what comes there is not the monitor's.
        // Not at once, if the monitor is just looking with a socket of that number.
        let mut pairs = std::iter::repeat_with(|| UnixStream::pair().unwrap()).take(1_000);
        let (mut other, mut writer) = pairs.find(|(other, _)| other.as_raw_fd() == number).unwrap();
        writer.write_all(b"a letter").unwrap();
        ip("link set v1 down");
        wait_for(&target, down_for(Reason::NoCarrier));
        drop(writer);
        let mut letter = String::new();
        other.read_to_string(&mut letter).unwrap();
        assert_eq!(letter, "a letter");
        ip("link set v1 up");
        wait_for(&target, up);
        wait_until("it listens again", || {
            listening().is_some_and(|socket| socket.inode != closed.inode)
        });
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

/// The kernel refuses to poll more descriptors than a process may have.
#[test]
fn fewer_file_descriptors_than_there_are() {
    inside("fewer_file_descriptors_than_there_are", || {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        cable();
        let monitor = Monitor::new();
        let target = monitor.target(server());
        let status = wait_for(&target, up);
        let enough = getrlimit(Resource::Nofile);
        setrlimit(Resource::Nofile, Rlimit { current: Some(1), ..enough }).unwrap();
        let before = monitor.turns();
        target.wait_for_change(&status, Some(Duration::from_millis(500)));
        let turns = monitor.turns() - before;
        assert!(turns < 20, "a hot loop: {turns} turns in half a second");
        setrlimit(Resource::Nofile, enough).unwrap();
        ip("link set v1 down");
        wait_for(&target, down_for(Reason::NoCarrier));
    });
}

/// A program closes all descriptors that it does not know, and opens files of its own.
#[test]
fn the_bell_rings_for_nobody_else() {
    inside("the_bell_rings_for_nobody_else", || {
        cable();
        let monitor = Monitor::new();
        let target = monitor.target(server());
        wait_for(&target, up);
        // Not those of the monitor's sockets that are there for the moment of a look.
        let sockets = || {
            let all = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
            let sockets = all.filter(|entry| {
                std::fs::read_link(entry.path())
                    .is_ok_and(|link| link.to_string_lossy().starts_with("socket:"))
            });
            sockets.map(|entry| entry.file_name().to_str().unwrap().parse().unwrap())
        };
        let lasting: Vec<i32> = sockets().collect();
        let mut lasting: Vec<i32> = sockets().filter(|number| lasting.contains(number)).collect();
        lasting.sort_unstable();
        lasting.iter().for_each(|number| _ = nix::unistd::close(*number));
        let path = std::env::temp_dir().join(format!("persevere-file-{}", std::process::id()));
        let files: Vec<_> = (0..10).map(|_| File::create(&path).unwrap()).collect();
        assert!(files.iter().any(|file| lasting.contains(&file.as_raw_fd())));
        for _ in 0..3 {
            target.report(NetworkReport::Failed);
        }
        ip("link set v1 down");
        wait_for(&target, down_for(Reason::NoCarrier));
        drop((target, monitor));
        let written: u64 = files.iter().map(|file| file.metadata().unwrap().len()).sum();
        assert_eq!(written, 0, "nothing of ours is in them, and none of them was closed");
        std::fs::remove_file(path).unwrap();
    });
}

/// A netlink socket in this namespace, as `/proc/net/netlink` tells of it.
struct NetlinkSocket {
    groups: u32,
    /// How many messages there was no room for.
    lost: u64,
    inode: u64,
}

fn netlink_sockets() -> Vec<NetlinkSocket> {
    let table = std::fs::read_to_string("/proc/net/netlink").unwrap();
    let sockets = table.lines().skip(1).map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let groups = u32::from_str_radix(fields[3], 16).unwrap();
        let [lost, inode] = [8, 9].map(|field: usize| fields[field].parse().unwrap());
        NetlinkSocket { groups, lost, inode }
    });
    sockets.collect()
}

impl NetlinkSocket {
    /// What this process knows it by.
    fn descriptor(&self) -> Option<i32> {
        let link = format!("socket:[{}]", self.inode);
        let mut descriptors = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
        let own = descriptors.find(|entry| {
            std::fs::read_link(entry.path()).is_ok_and(|other| other.as_os_str() == link.as_str())
        })?;
        own.file_name().to_str()?.parse().ok()
    }
}
