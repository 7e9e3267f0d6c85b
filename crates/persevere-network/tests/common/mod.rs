//! Network namespaces: a test runs itself again in one of its own, where it may pull every cable.
#![allow(dead_code, reason = "no file of tests uses all of it")]

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use persevere::NetworkState;
use persevere_network::{Reason, Status, TargetMonitor};

/// For tests that have failed; none waits that long.
pub(crate) const GENEROUS: Duration = Duration::from_secs(120);

const INSIDE: &str = "PERSEVERE_TEST_NAMESPACE";
pub(crate) const PEER: &str = "PERSEVERE_TEST_PEER";

/// Runs `body` in a network namespace with nothing but `lo`: called by the test of this name.
pub(crate) fn inside(name: &str, body: impl FnOnce()) {
    if std::env::var_os(INSIDE).is_some() {
        ip("link set lo up");
        return body();
    }
    if is_skipped(name, available()) {
        return;
    }
    let mut again = namespace();
    again.arg(this()).args([name, "--exact", "--nocapture"]).env(INSIDE, "1");
    let output = again.output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    print!("{told}");
    eprint!("{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && told.contains("1 passed"), "{name}: {}", output.status);
}

/// The same for a test that has a process to itself, and no harness.
pub(crate) fn inside_without_harness(name: &str, body: impl FnOnce()) {
    if std::env::var_os(INSIDE).is_some() {
        ip("link set lo up");
        return body();
    }
    if is_skipped(name, available().and_then(|()| clocks_available())) {
        return;
    }
    let status = namespace().arg(this()).env(INSIDE, "1").status().unwrap();
    assert!(status.success(), "{name}: {status}");
}

fn is_skipped(name: &str, available: Result<(), String>) -> bool {
    let Err(missing) = available else { return false };
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{missing}, and CI skips nothing");
    // Not by `eprintln!`, of which nobody sees anything if the test passes.
    let _closed = writeln!(std::io::stderr(), "SKIPPED: {name}: {missing}");
    true
}

fn this() -> std::path::PathBuf {
    std::env::current_exe().unwrap()
}

/// Root makes one; a user makes one in which it is root. With mounts of its own, for files of the
/// system that a test replaces.
fn namespace() -> Command {
    let mut unshare = Command::new("unshare");
    unshare.args(["--net", "--mount", "--map-root-user"]);
    unshare
}

fn runs(command: &mut Command) -> bool {
    let command = command.stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn clocks_available() -> Result<(), String> {
    match runs(namespace().args(["unshare", "--time", "--boottime", "1", "true"])) {
        true => Ok(()),
        false => Err("time namespaces are not to be had here".to_owned()),
    }
}

fn available() -> Result<(), String> {
    if !runs(Command::new("ip").arg("-V")) {
        return Err("`ip` is missing: install iproute2".to_owned());
    }
    if !runs(namespace().arg("true")) {
        return Err("network namespaces are not to be had here".to_owned());
    }
    Ok(())
}

/// `ip link set v0 up`.
pub(crate) fn ip(arguments: &str) {
    run("ip", arguments);
}

/// Runs a program, which has to succeed.
pub(crate) fn run(program: &str, arguments: &str) {
    let status = Command::new(program).args(arguments.split_whitespace()).status().unwrap();
    assert!(status.success(), "{program} {arguments}");
}

/// Puts a file of this content in the place of another, for this test only.
pub(crate) fn replace_file(path: &str, content: &str) {
    let name = path.replace('/', "-");
    let other = std::env::temp_dir().join(format!("persevere-{}{name}", std::process::id()));
    std::fs::write(&other, content).unwrap();
    run("mount", &format!("--bind {} {path}", other.display()));
    std::fs::remove_file(other).unwrap();
}

/// A cable between `v0`, which is ours, and `v1`, with an address and a way out.
pub(crate) fn cable() {
    ip("link add v0 type veth peer name v1");
    ip("link set v1 up");
    ip("link set v0 up");
    ip("addr add 10.9.0.1/24 dev v0");
    ip("route add default via 10.9.0.2");
}

/// Blocks until it is so, without a rhythm of its own.
pub(crate) fn wait_for(target: &TargetMonitor, wanted: impl Fn(&Status) -> bool) -> Status {
    let until = Instant::now() + GENEROUS;
    let mut status = target.status();
    while !wanted(&status) {
        let left = until.saturating_duration_since(Instant::now());
        assert!(!left.is_zero(), "it never happens: {status}");
        status = target.wait_for_change(&status, Some(left));
    }
    status
}

/// Blocks until something is so of which nobody is told.
pub(crate) fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let until = Instant::now() + GENEROUS;
    while !is_so() {
        assert!(Instant::now() < until, "it never happens: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

pub(crate) fn up(status: &Status) -> bool {
    status.state == NetworkState::Up
}

pub(crate) fn down_for(reason: Reason) -> impl Fn(&Status) -> bool {
    move |status| status.state == NetworkState::Down && status.reason == reason
}

/// The other end of the cable.
pub(crate) fn server() -> SocketAddr {
    SocketAddr::from(([10, 9, 0, 2], 80))
}

/// A process at the other end of a cable, in a namespace of its own.
pub(crate) struct Peer {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Peer {
    /// Starts one at the end of the cable between `v0`, 10.9.0.1, and `v1`, 10.9.0.2.
    pub(crate) fn start() -> Self {
        let mut child = Command::new("unshare")
            .arg("--net")
            .arg(this())
            .args(["peer", "--exact", "--nocapture"])
            .env(PEER, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut peer = Self { child, input, output: BufReader::new(output) };
        peer.wait_until_ready();
        ip("link add v0 type veth peer name v1");
        ip(&format!("link set v1 netns {}", peer.child.id()));
        ip("addr add 10.9.0.1/24 dev v0");
        ip("link set v0 up");
        for command in ["link set lo up", "addr add 10.9.0.2/24 dev v1", "link set v1 up"] {
            peer.ip(command);
        }
        peer
    }

    /// Runs `ip` over there.
    pub(crate) fn ip(&mut self, arguments: &str) {
        writeln!(self.input, "{arguments}").unwrap();
        self.wait_until_ready();
    }

    fn wait_until_ready(&mut self) {
        let mut line = String::new();
        while !line.ends_with("ready\n") {
            line.clear();
            assert!(self.output.read_line(&mut line).unwrap() > 0, "the peer has died");
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// What the peer does: serves, and runs `ip` with each line that it is told.
pub(crate) fn be_peer(serve: impl FnOnce() + Send + 'static) {
    std::thread::spawn(serve);
    println!("ready");
    for line in std::io::stdin().lines() {
        ip(&line.unwrap());
        println!("ready");
    }
    std::process::exit(0);
}
