//! `persevere network`, in network namespaces.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod common;

use common::Folder;
use common::namespace::inside;

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
fn a_name_server_that_says_nothing_does_not_outlast_the_deadline() {
    let Some(told) = inside(
        "a_name_server",
        "
        cable
        ip neigh add 10.9.0.9 lladdr 02:00:00:00:00:09 dev v0
        echo nameserver 10.9.0.9 > resolv.conf
        mount --bind resolv.conf /etc/resolv.conf
        persevere network wait --target nobody.example:80 --deadline 100ms || echo code $?
    ",
    ) else {
        return;
    };
    let rest = " up: there is a route, but cannot resolve 'nobody.example:80': there was no answer in \
                time\ncode 124\n";
    assert!(told.ends_with(rest), "{told}");
}

#[test]
fn a_name_that_does_not_resolve_is_told() {
    let Some(told) = inside(
        "a_name",
        "
        # Where nobody listens, a resolver is told so at once.
        echo nameserver 127.0.0.1 > resolv.conf
        mount --bind resolv.conf /etc/resolv.conf
        persevere network wait --target nobody.invalid:80 2> log & waiting=$!
        eventually grep -q trying log
        kill $waiting
        cat log
        persevere network --target nobody.invalid:80 --json || echo code $?
        cable
        persevere network --target nobody.invalid:80 || echo code $?
        persevere network --target nobody.invalid:80 --json || echo code $?
        persevere network > /dev/full 2>/dev/null || echo code $?
    ",
    ) else {
        return;
    };
    let lines: Vec<_> = told.lines().collect();
    let warning = "[WARN] the name of the target does not resolve, trying again | \
                   error=cannot resolve 'nobody.invalid:80': ";
    assert_eq!(told.matches(warning).count(), 1, "{told}");
    let json = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap();
    let down = json(lines[1]);
    assert_eq!((&down["state"], &down["target"]), (&"down".into(), &"nobody.invalid:80".into()));
    assert!(down["target_error"].as_str().unwrap().starts_with("cannot resolve"), "{told}");
    assert_eq!(lines[2..4], ["code 1", "up: there is a route"]);
    assert!(lines[4].starts_with("cannot resolve 'nobody.invalid:80': "), "{told}");
    assert_eq!(lines[6], "Out:");
    let codes: Vec<_> = lines.iter().filter(|line| line.starts_with("code ")).collect();
    assert_eq!(codes, [&"code 1", &"code 3", &"code 3", &"code 3"]);
}

#[test]
fn an_address_with_its_interface_is_looked_at() {
    let Some(told) = inside("an_address", "persevere network --target '[fe80::1%lo]:80' || true")
    else {
        return;
    };
    assert!(told.contains("To [fe80::1%lo]:80:\n  [fe80::1%1]:80  "), "{told}");
}

#[test]
fn watching_ends_with_its_reader() {
    // `timeout` ends only what has failed.
    let Some(told) = inside("watching", "timeout 60 bash -c 'persevere network --watch | head -1'")
    else {
        return;
    };
    assert_eq!(told.lines().count(), 1, "{told}");
}

#[test]
fn a_wait_takes_its_deadline_from_a_variable_and_from_the_file() {
    let Some(told) = inside(
        "a_wait",
        "
        PERSEVERE_DEADLINE=10ms persevere network wait >/dev/null || echo code $?
        echo 'deadline = \"10ms\"' > c.toml
        persevere network wait --config c.toml >/dev/null || echo code $?
        PERSEVERE_CONFIG=c.toml persevere network wait >/dev/null || echo code $?
        PERSEVERE_DEADLINE=soon persevere network wait 2>&1 || echo code $?
    ",
    ) else {
        return;
    };
    assert!(told.starts_with("code 124\ncode 124\ncode 124\nerror: PERSEVERE_DEADLINE is 'soon'"));
    assert!(told.ends_with("code 2\n"), "{told}");
}

#[test]
fn bad_input_is_refused_in_one_line() {
    let folder = Folder::new();
    for (arguments, message) in [
        (
            &["--target", "example.org"][..],
            "error: --target is 'example.org', but must be a host and a port, such as example.org:443 or [2001:db8::1]:443\n",
        ),
        (
            &["--target", "https://user:s3cret@proxy:3128"],
            "error: --target is 'https://…', but must be a host and a port, such as example.org:443 or [2001:db8::1]:443: leave out https:// and what follows the port\n",
        ),
        (
            &["wait", "--target", "user:s3cret@proxy:3128"],
            "error: --target is '…@proxy:3128', but must be a host and a port",
        ),
        (
            &["wait", "--target", "[fe80::1]:80"],
            "error: --target is '[fe80::1]:80', but must be an address with its interface, such as [fe80::1%eth0]:443\n",
        ),
        (&["wait", "--target", "[::g]:80"], "error: --target is '[::g]:80', but must be a host"),
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
