//! A machine that has slept: by the kernel's own clocks, the one that goes on in sleep having run
//! ahead of the one that stands still. Without a harness, see `Cargo.toml`.
#![allow(clippy::unwrap_used)]

#[cfg(target_os = "linux")]
mod common;

fn main() {
    // Asked by tools what tests there are.
    if std::env::args().any(|argument| argument == "--list") {
        return;
    }
    #[cfg(target_os = "linux")]
    common::inside_without_harness("suspend", linux::what_was_known_before_a_sleep_is_forgotten);
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs::File;
    use std::io::Read;
    use std::net::SocketAddr;
    use std::os::fd::AsFd;
    use std::process::{Command, Stdio};

    use persevere::{NetworkMonitor, NetworkReport};
    use persevere_network::{Monitor, Reason};
    use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

    pub(super) fn what_was_known_before_a_sleep_is_forgotten() {
        // Without probes its thread does not begin for a doubt.
        let target = Monitor::builder().probes(false).build().target(loopback());
        assert_eq!(target.look().reason, Reason::RouteOpen);
        let doubt = || {
            target.report(NetworkReport::Unreachable);
            // A look alone does not end a doubt.
            assert_eq!(target.look().reason, Reason::OperationsFail);
        };
        doubt();
        sleep_for_an_hour();
        assert_eq!(target.look().reason, Reason::RouteOpen, "it is a new day");
        doubt();
        println!("test what_was_known_before_a_sleep_is_forgotten ... ok");
    }

    fn loopback() -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], 9))
    }

    /// To this process it looks as if the machine had: it moves to where the clock of the time since
    /// boot is an hour ahead, and the monotonic one is the same.
    fn sleep_for_an_hour() {
        let mut elsewhere = Command::new("unshare")
            .args(["--time", "--boottime", "3600", "sh", "-c", "echo ready; read line"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut ready = [0; 6];
        elsewhere.stdout.take().unwrap().read_exact(&mut ready).unwrap();
        let clocks = format!("/proc/{}/ns/time_for_children", elsewhere.id());
        let clocks = File::open(clocks).unwrap();
        move_into_link_name_space(clocks.as_fd(), Some(LinkNameSpaceType::Time)).unwrap();
        drop(elsewhere.stdin.take());
        elsewhere.wait().unwrap();
    }
}
