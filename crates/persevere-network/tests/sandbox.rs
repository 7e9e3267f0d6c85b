//! A sandbox that denies netlink: with a filter of the kernel (seccomp), as container runtimes make
//! them. The monitor has to do with what is left: connecting sockets, and files.
#![cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")
))]
#![allow(clippy::unwrap_used)]

mod common;

use std::net::SocketAddr;
use std::sync::mpsc::{self, Sender};

use common::{cable, down_for, inside, ip, replace_file, run, server, up, wait_for};
use nix::libc;
use persevere_network::{Interface, Monitor, Reason, Target};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketType, socket};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};

/// From now on this thread, and those that it starts, get this error for a netlink socket.
fn deny_netlink(errno: Errno) {
    let netlink = AddressFamily::NETLINK.as_raw().into();
    let is_netlink =
        SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, netlink).unwrap();
    let rule = SeccompRule::new(vec![is_netlink]).unwrap();
    let filter = SeccompFilter::new(
        [(libc::SYS_socket, vec![rule])].into(),
        SeccompAction::Allow,
        SeccompAction::Errno(errno.raw_os_error().unsigned_abs()),
        TargetArch::try_from(std::env::consts::ARCH).unwrap(),
    );
    let program = BpfProgram::try_from(filter.unwrap()).unwrap();
    seccompiler::apply_filter(&program).unwrap();
    assert_eq!(socket(AddressFamily::NETLINK, SocketType::RAW, None).unwrap_err(), errno);
    assert!(Interface::all().is_err(), "the list of interfaces comes by netlink");
}

/// Runs `ip` with what it is told, outside of the sandbox.
fn outside() -> Sender<&'static str> {
    let (sender, commands) = mpsc::channel();
    std::thread::spawn(move || commands.into_iter().for_each(ip));
    sender
}

fn outages_are_seen_without_netlink(errno: Errno) {
    cable();
    // The files of this namespace, as a container has them.
    run("mount", "-t sysfs sysfs /sys");
    let ip = outside();
    deny_netlink(errno);
    let monitor = Monitor::builder().speed(4).build();
    let (target, out) = (monitor.target(server()), monitor.target(Target::anywhere()));
    wait_for(&target, up);
    for (breaks, reason, mends) in [
        ("link set v1 down", Reason::NoCarrier, &["link set v1 up"][..]),
        ("link set v0 down", Reason::NoRoute, &["link set v0 up"]),
        ("addr del 10.9.0.1/24 dev v0", Reason::NoRoute, &["addr add 10.9.0.1/24 dev v0"]),
    ] {
        ip.send(breaks).unwrap();
        wait_for(&target, down_for(reason));
        wait_for(&out, down_for(reason));
        mends.iter().for_each(|command| ip.send(command).unwrap());
        wait_for(&target, up);
        ip.send("route replace default via 10.9.0.2").unwrap();
        wait_for(&out, up);
    }
    let target = monitor.target("[2001:db8::2]:80".parse::<SocketAddr>().unwrap());
    ip.send("addr add 2001:db8::1/64 dev v0 nodad").unwrap();
    wait_for(&target, up);
    ip.send("link set v1 down").unwrap();
    wait_for(&target, down_for(Reason::NoCarrier));
    assert!(monitor.turns() < 200, "a hot loop: {}", monitor.turns());
}

#[test]
fn netlink_is_not_permitted() {
    inside("netlink_is_not_permitted", || outages_are_seen_without_netlink(Errno::PERM));
}

/// There is an interface of this name in it, and it is another one.
#[test]
fn files_of_another_namespace() {
    inside("files_of_another_namespace", || {
        cable();
        run("mount", "-t sysfs sysfs /sys");
        replace_file("/sys/class/net/v0/ifindex", "4711\n");
        replace_file("/sys/class/net/v0/operstate", "down\n");
        deny_netlink(Errno::PERM);
        assert_eq!(Monitor::new().target(server()).look().reason, Reason::RouteOpen);
    });
}

#[test]
fn netlink_is_not_there() {
    inside("netlink_is_not_there", || outages_are_seen_without_netlink(Errno::AFNOSUPPORT));
}
