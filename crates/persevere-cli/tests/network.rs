//! `persevere network` and `run --wait-for-network`, in network namespaces.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod common;

use std::io::Write;
use std::process::Command;

use common::Folder;

/// Runs a shell script in a network namespace with nothing but `lo`, and gives its standard output.
/// `None` where there are none to be had.
fn inside(name: &str, script: &str) -> Option<String> {
    let folder = Folder::new();
    let succeeds = |command: &mut Command| command.output().is_ok_and(|it| it.status.success());
    let available = succeeds(Command::new("ip").arg("-V"))
        && succeeds(Command::new("unshare").args(["--net", "--map-root-user", "true"]));
    if !available {
        assert!(
            std::env::var("CI").as_deref() != Ok("true"),
            "no namespaces, and CI skips nothing"
        );
        // Not by `eprintln!`, of which nobody sees anything if the test passes.
        let missing = "network namespaces or `ip` (iproute2) are not to be had here";
        let _closed = writeln!(std::io::stderr(), "SKIPPED: {name}: {missing}");
        return None;
    }
    let mut shell = folder.program("unshare");
    shell.args(["--net", "--map-root-user", "bash", "-euc"]);
    shell.arg(format!("{CABLE}\n{script}"));
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_persevere")).parent().unwrap();
    let path = std::env::join_paths(
        [program.to_owned()]
            .into_iter()
            .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    );
    shell.env("PATH", path.unwrap());
    let output = shell.output().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {}\n{stdout}\n{stderr}", output.status);
    Some(stdout)
}

const CABLE: &str = "
ip link set lo up
cable() {
    ip link add v0 type veth peer name v1
    ip link set v1 up
    ip link set v0 up
    ip addr add 10.9.0.1/24 dev v0
    ip route add default via 10.9.0.2
    persevere network wait --deadline 60s >/dev/null
}
# eventually COMMAND: again and again, for a minute at the most.
eventually() { for _ in $(seq 1200); do if \"$@\"; then return 0; fi; sleep 0.05; done; return 1; }";

#[test]
fn the_state_the_reason_and_the_interfaces() {
    let Some(told) = inside(
        "the_state",
        "
        persevere network && exit 9 || echo code $?
        persevere network --target 127.0.0.1:80; echo code $?
        cable
        persevere network; echo code $?
        ip link set v1 down
        eventually eval '! persevere network >/dev/null'
        persevere network --json || echo code $?
    ",
    ) else {
        return;
    };
    let (without, with) = told.split_once("\nup: there is a route\n\nOut:").unwrap();
    assert!(
        without.starts_with(
            "down: there is no route, or no address to send from\n\nOut:\n  IPv4  no route\n"
        ),
        "{told}"
    );
    assert!(without.contains("code 1\nup: there is a route\n\nTo 127.0.0.1:80:\n  127.0.0.1:80  open, from 127.0.0.1 by lo\n"), "{told}");
    assert!(with.starts_with("\n  IPv4  open, from 10.9.0.1 by v0\n"), "{told}");
    assert!(with.contains("  v0  running, 10.9.0.1, "), "{told}");
    let json = with.lines().find(|line| line.starts_with('{')).unwrap();
    let json: serde_json::Value = serde_json::from_str(json).unwrap();
    assert_eq!((&json["state"], &json["reason"]), (&"down".into(), &"no_carrier".into()));
    assert!(with.ends_with("}\ncode 1\n"), "{told}");
}

#[test]
fn waiting_for_it_and_watching_it() {
    let Some(told) = inside(
        "waiting",
        "
        persevere network wait --deadline 10ms >/dev/null || echo code $?
        persevere network --watch --json > watched & watching=$!
        eventually grep -q no_route watched
        persevere network wait & waiting=$!
        cable
        wait $waiting
        eventually grep -q route_open watched
        ip link set v1 down
        eventually grep -q no_carrier watched
        kill $watching
        cat watched
    ",
    ) else {
        return;
    };
    let lines: Vec<_> = told.lines().collect();
    assert_eq!(lines[0], "code 124");
    assert!(lines[1].ends_with(" up: there is a route"), "{told}");
    let changes = lines[2..].iter().map(|line| {
        let change: serde_json::Value = serde_json::from_str(line).unwrap();
        change["reason"].as_str().unwrap().to_owned()
    });
    assert_eq!(changes.collect::<Vec<_>>(), ["no_route", "route_open", "no_carrier"]);
}

#[test]
fn a_run_waits_for_the_network_and_its_attempts_are_not_charged() {
    let Some(told) = inside(
        "a_run",
        "
        cable
        persevere run --wait-for-network --attempts 2 --initial-delay 10ms -- bash -c '
            echo try >> tries
            if [ $(wc -l < tries) -le 3 ]; then
                ip link set v1 down
                until ip link show v0 | grep -q NO-CARRIER; do sleep 0.01; done
                echo curl: Recv failure: Connection reset by peer >&2
                exit 56
            fi
            echo downloaded' 2> log & running=$!
        for outage in 1 2 3; do
            waits() { [ $(grep -c 'network is down, waiting' log) -ge $outage ]; }
            eventually waits
            ip link set v1 up
        done
        wait $running
        grep -o 'network .*' log
    ",
    ) else {
        return;
    };
    let (down, back) = (
        "network is down, waiting for network to recover",
        "network recovered, retrying operation",
    );
    assert!(told.starts_with("downloaded\n"), "{told}");
    assert_eq!((told.matches(down).count(), told.matches(back).count()), (3, 3), "{told}");
}

#[test]
fn bad_input_is_refused_in_one_line() {
    let folder = Folder::new();
    for (arguments, message) in [
        (
            &["--target", "example.org"][..],
            "error: --target is 'example.org', but must be a host and a port, such as example.org:443 or [2001:db8::1]:443\n",
        ),
        (&["wait", "--deadline", "5"], "error: --deadline is '5', but must be a duration"),
        (
            &["--watch", "wait"],
            "error: --watch never ends by itself, so that it cannot stand with wait\n",
        ),
    ] {
        let output = folder.persevere(["network"]).args(arguments).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.starts_with(message), "{stderr}");
        assert_eq!(output.status.code(), Some(2));
    }
}
