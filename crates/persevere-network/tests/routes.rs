//! Which ways are ways: routing that is out of the ordinary, in network namespaces.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod common;

use std::net::SocketAddr;
use std::time::Duration;

use common::{cable, down_for, inside, ip, server, up, wait_for};
use persevere::{NetworkMonitor, NetworkReport, NetworkState, RetryPolicy, Retryer};
use persevere_network::{Interface, Monitor, Reason, Target, Way};

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn words(text: &str) -> &'static str {
    Way::to(address(text)).words()
}

#[test]
fn a_firewall_that_drops_what_should_not_be_there() {
    inside("a_firewall_that_drops_what_should_not_be_there", || {
        cable();
        let monitor = Monitor::new();
        for bogon in ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"] {
            ip(&format!("route add blackhole {bogon}"));
        }
        assert_eq!(monitor.look().state, NetworkState::Up);
        assert_eq!(words("203.0.113.1:443"), "no route");
        // One way out for each kind, and the one that there is.
        let out: Vec<_> = Way::out().iter().map(Way::words).collect();
        assert_eq!(out, ["open", "no route"]);
        ip("route del default");
        assert_eq!(monitor.look().reason, Reason::NoRoute);
    });
}

#[test]
fn no_address_to_send_from() {
    inside("no_address_to_send_from", || {
        ip("link add v0 type veth peer name v1");
        ip("link set v1 up");
        ip("link set v0 up");
        ip("route add default dev v0");
        assert_eq!(Monitor::new().look().reason, Reason::NoRoute);
        assert_eq!(words("203.0.113.1:443"), "no route");
        ip("addr add 10.9.0.1/24 dev v0");
        assert_eq!(Monitor::new().look().state, NetworkState::Up);
        ip("addr del 10.9.0.1/24 dev v0");
        ip("route flush table main");
        // What a router announces when nobody has an address yet.
        ip("addr add fe80::7/64 dev v0 nodad");
        ip("route add default via fe80::1 dev v0");
        assert_eq!(words("[2600::1]:443"), "no route");
        assert_eq!(Monitor::new().look().reason, Reason::NoRoute);
        let index = std::fs::read_to_string("/proc/net/if_inet6").unwrap();
        let index = index.lines().find(|line| line.ends_with("v0")).unwrap();
        let index = index.split_whitespace().nth(1).unwrap();
        let index = u32::from_str_radix(index, 16).unwrap();
        assert_eq!(words(&format!("[fe80::9%{index}]:80")), "open");
    });
}

#[test]
fn an_ipv4_address_that_is_written_as_one_of_ipv6() {
    inside("an_ipv4_address_that_is_written_as_one_of_ipv6", || {
        cable();
        let monitor = Monitor::new();
        let mapped = monitor.target(address("[::ffff:10.9.0.2]:80"));
        assert_eq!(mapped.target().addresses(), [server()]);
        wait_for(&mapped, up);
        ip("link set v1 down");
        wait_for(&mapped, down_for(Reason::NoCarrier));
        assert_eq!(words("[::ffff:10.9.0.2]:80"), "no carrier");
    });
}

/// Packets are shared out to two cables by their ports, and one of the two is out.
#[test]
fn one_of_two_ways_is_enough() {
    inside("one_of_two_ways_is_enough", || {
        cable();
        ip("link add w0 type veth peer name w1");
        ip("link set w1 up");
        ip("link set w0 up");
        ip("addr add 10.8.0.1/24 dev w0");
        std::fs::write("/proc/sys/net/ipv4/fib_multipath_hash_policy", "1").unwrap();
        ip("route replace default nexthop via 10.9.0.2 dev v0 nexthop via 10.8.0.2 dev w0");
        let monitor = Monitor::new();
        let far = monitor.target(address("198.51.100.7:80"));
        wait_for(&far, up);
        ip("link set v1 down");
        wait_for(&monitor.target(server()), down_for(Reason::NoCarrier));
        for _ in 0..100 {
            assert_eq!(words("198.51.100.7:80"), "open");
        }
        ip("link set w1 down");
        wait_for(&far, down_for(Reason::NoCarrier));
    });
}

/// What this machine, or one nearby, answers says nothing of the way out.
#[test]
fn what_is_near_answers_while_the_way_out_is_missing() {
    inside("what_is_near_answers_while_the_way_out_is_missing", || {
        cable();
        ip("route del default");
        let monitor = Monitor::new();
        let out = monitor.target(Target::anywhere());
        assert_eq!(out.look().reason, Reason::NoRoute);
        for near in ["10.9.0.1:80", "10.9.0.2:80", "127.0.0.1:80"] {
            let near = monitor.target(address(near));
            near.look();
            near.report(NetworkReport::Succeeded);
            near.report(NetworkReport::Answered);
            assert_eq!(out.look().reason, Reason::NoRoute);
        }
    });
}

/// The program has a way that the kernel's tables do not show, as by a socket bound to a device.
#[test]
fn a_way_that_we_do_not_see() {
    inside("a_way_that_we_do_not_see", || {
        let reset = || std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        let policy = RetryPolicy::builder()
            .initial_delay(Duration::from_millis(1))
            .wait_for_network(true)
            .build();
        let (monitor, mut calls) = (Monitor::builder().speed(100).build(), 0);
        let target = monitor.target(address("198.51.100.7:80"));
        let retryer = Retryer::new(policy.unwrap()).network_monitor(target.clone());
        let mut call = |fails: fn(u32) -> bool| {
            retryer.run_blocking("call", |_| {
                calls += 1;
                if fails(calls) { Err(reset()) } else { Ok(()) }
            })
        };
        // A hiccup among successes pauses nobody.
        call(|_| false).unwrap();
        call(|calls| calls == 2).unwrap();
        assert_eq!(target.status().state, NetworkState::Up);
        // Without any success before it does; until one goes and sees, after 30 s of the monitor's time.
        let target = monitor.target(address("198.51.100.8:80"));
        let retryer = retryer.network_monitor(target.clone());
        let mut calls = 0;
        let paused = retryer.run_blocking("call", |_| {
            calls += 1;
            if calls == 1 { Err(reset()) } else { Ok(()) }
        });
        paused.unwrap();
        assert_eq!((calls, target.status().state), (2, NetworkState::Up));
        assert_eq!(words("198.51.100.8:80"), "no route");
    });
}

#[test]
fn hundreds_of_interfaces_are_listed_once_each() {
    inside("hundreds_of_interfaces_are_listed_once_each", || {
        let path = std::env::temp_dir().join(format!("persevere-links-{}", std::process::id()));
        let lines = (0..200).map(|number| {
            format!(
                "link add d{number} type veth peer name e{number}\n\
                 addr add 10.1.{number}.1/32 dev d{number}\n\
                 addr add 10.1.{number}.2/32 dev d{number}\n"
            )
        });
        std::fs::write(&path, lines.collect::<String>()).unwrap();
        ip(&format!("-batch {}", path.display()));
        std::fs::remove_file(path).unwrap();
        let all = Interface::all().unwrap();
        let of = |name: &str| all.iter().filter(|interface| interface.name == name).count();
        assert_eq!((of("d0"), of("d199"), of("lo")), (1, 1, 1));
        let last = all.iter().find(|interface| interface.name == "d199").unwrap();
        let ours: Vec<_> = last.addresses.iter().filter(|address| address.is_ipv4()).collect();
        assert_eq!(ours.len(), 2);
    });
}
