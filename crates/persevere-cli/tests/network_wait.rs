//! `run --wait-for-network`, in network namespaces.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod common;

use common::Folder;
use common::namespace::inside;
use serde_json::Value;

const DOWN: &str = "network is down, waiting for network to recover";

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
fn where_there_was_no_way_out_nothing_is_waited_for() {
    let Some(told) = inside(
        "no_way_out",
        "
        local_network
        run() { persevere run --wait-for-network --deadline 60s --initial-delay 10ms -- \"$@\"; }
        run bash -c '
            echo try >> tries
            if [ $(wc -l < tries) -le 2 ]; then
                echo ssh: connect to host 10.9.0.2 port 22: Connection timed out >&2
                exit 255
            fi
            echo done' 2>&1
        ip link del v0
        run bash -c 'exit 9' 2>&1 || echo code $?
        run curl -sS http://127.0.0.1:9/ 2>&1 || echo code $?
    ",
    ) else {
        return;
    };
    assert!(!told.contains(DOWN), "{told}");
    assert!(told.contains("\ndone\n"), "{told}");
    assert_eq!(told.matches("not waiting for the network").count(), 2, "{told}");
    assert!(told.contains("\ncode 9\n") && told.ends_with("\ncode 7\n"), "{told}");
}

#[test]
fn a_way_out_that_has_come_since_counts() {
    let Some(told) = inside(
        "come_since",
        "
        persevere run --wait-for-network --attempts 1 --log-level debug -- bash -c '
            test ! -e started || exit 0
            touch started
            until test -e go; do sleep 0.01; done
            echo curl: Recv failure: Connection reset by peer >&2
            exit 56' 2> log & running=$!
        eventually test -e started
        cable
        eventually grep -q 'there is a way out now' log
        ip link set v1 down
        until ip link show v0 | grep -q NO-CARRIER; do sleep 0.01; done
        touch go
        eventually grep -q waiting log
        ip link set v1 up
        wait $running
        cat log
    ",
    ) else {
        return;
    };
    assert!(
        told.contains(&format!("{DOWN} | operation=bash, attempt=1, reason=v0 has no carrier"))
    );
    assert!(told.contains("longest_wait=10m"), "{told}");
    assert!(
        told.contains("network recovered, retrying operation | operation=bash, attempt=1, waited=")
    );
}

#[test]
fn a_target_is_waited_for_where_there_is_no_way_out() {
    let Some(told) = inside(
        "a_target",
        "
        local_network
        ip link set v1 down
        until ip link show v0 | grep -q NO-CARRIER; do sleep 0.01; done
        persevere run --wait-for-network --network-target 10.9.0.2:22 --attempts 1 --report report -- \
            bash -c 'test -e back || { echo Connection timed out >&2; exit 255; }' 2> log & running=$!
        eventually grep -q waiting log
        touch back
        ip link set v1 up
        wait $running
        cat report
        # The way to this machine needs no network.
        ip link set v1 down
        PERSEVERE_NETWORK_TARGET=localhost:9 persevere run --wait-for-network --deadline 60s \
            --initial-delay 10ms -- bash -c 'echo Connection timed out >&2; exit 5' >&2 || echo code $?
    ",
    ) else {
        return;
    };
    let (report, code) = told.rsplit_once("code").unwrap();
    let report: Value = serde_json::from_str(report).unwrap();
    let waited = report["network_wait_ms"].as_u64().unwrap();
    assert!(waited > 0 && waited <= report["elapsed_ms"].as_u64().unwrap(), "{report}");
    assert_eq!(report["attempts"][0]["network_wait_ms"], waited);
    assert_eq!(report["attempts"][1]["network_wait_ms"], Value::Null);
    assert_eq!(report["attempts"][1]["attempt"], 1);
    assert_eq!(code, " 5\n");
}

#[test]
fn a_target_whose_name_does_not_resolve_yet_is_any_way_out() {
    let Some(told) = inside(
        "a_name",
        "
        echo nameserver 127.0.0.1 > resolv.conf
        mount --bind resolv.conf /etc/resolv.conf
        persevere run --wait-for-network --network-target nobody.invalid:443 --attempts 1 -- \
            bash -c 'test -e back || { echo Could not resolve host >&2; exit 6; }' 2> log & running=$!
        eventually grep -q waiting log
        touch back
        cable
        wait $running
        cat log
    ",
    ) else {
        return;
    };
    let warning =
        "network target does not resolve, trying again | network_target=nobody.invalid:443";
    assert_eq!(told.matches(warning).count(), 1, "{told}");
    assert_eq!((told.matches(DOWN).count(), told.matches("recovered").count()), (1, 1), "{told}");
}

#[test]
fn an_outage_has_a_limit_which_until_success_extends_to_the_deadline() {
    let Some(told) = inside(
        "a_limit",
        "
        export PERSEVERE_NETWORK_TARGET=10.9.0.2:80 PERSEVERE_WAIT_FOR_NETWORK=true
        fails() { persevere run \"$@\" -- bash -c 'echo Connection timed out >&2; exit 5'; }
        fails --max-network-wait 50ms --report report 2>&1 || echo code $?
        cat report
        persevere run --until-success --deadline 30m -- \
            bash -c 'echo Connection timed out >&2; exit 5' 2> log & running=$!
        eventually grep -q longest_wait log
        kill $running
        wait $running || true
        cat log
        fails --until-success --deadline 30m --max-network-wait 20ms 2>&1 || echo code $?
    ",
    ) else {
        return;
    };
    let (limited, rest) = told.split_once("code 5\n{").unwrap();
    let reason = "reason=there is no route, or no address to send from";
    assert!(
        limited
            .contains(&format!("{DOWN} | operation=bash, attempt=1, {reason}, longest_wait=50ms"))
    );
    let last = limited.lines().last().unwrap();
    let ended = "[ERROR] operation failed, network did not recover | operation=bash, attempts=1, \
                 network_wait=5";
    assert!(last.starts_with(ended), "{told}");
    assert!(rest.contains("\"outcome\": \"network_down\""), "{told}");
    assert!(!rest.contains("\"network_wait_ms\": 0"), "{told}");
    // What has passed of the half hour is less than a minute.
    assert!(rest.contains("longest_wait=29m5") || rest.contains("longest_wait=30m"), "{told}");
    assert!(rest.contains("longest_wait=20ms") && told.ends_with("code 5\n"), "{told}");
}

#[test]
fn a_target_that_does_nothing_or_cannot_be_is_refused() {
    let folder = Folder::new();
    let run = folder.finish(["run", "--network-target", "example.org:443", "--", "true"]);
    run.is_refused(&["--network-target needs --wait-for-network"]);
    // One that is inherited is meant for other runs.
    let mut command = folder.persevere(["run", "--", "true"]);
    common::finish(command.env("PERSEVERE_NETWORK_TARGET", "example.org:443")).succeeds();
    let secret = "http://user:s3cret@proxy:3128";
    folder.write("c.toml", &format!("[run]\nnetwork-target = '{secret}'\n"));
    let mut by_variable = folder.persevere(["run", "--wait-for-network", "--", "true"]);
    by_variable.env("PERSEVERE_NETWORK_TARGET", secret);
    let option = ["run", "--wait-for-network", "--network-target", secret, "--", "true"];
    for (refused, by) in [
        (folder.finish(["run", "--config", "c.toml", "--", "true"]), "c.toml:2: network-target"),
        (common::finish(&mut by_variable), "PERSEVERE_NETWORK_TARGET"),
        (folder.finish(option), "--network-target"),
    ] {
        refused.is_refused(&[by, "'http://…'", "leave out http://"]);
        assert!(!refused.stderr.contains("s3cret"), "{}", refused.stderr);
    }
}
