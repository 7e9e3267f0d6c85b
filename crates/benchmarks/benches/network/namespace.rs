//! This program runs itself again in a network namespace of its own, where it may pull every cable.

use std::collections::BTreeMap;
use std::env;
use std::net::SocketAddr;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use persevere_network::{Status, TargetMonitor};

const INSIDE: &str = "inside-namespace";

/// Figures by name, in the order in which they were measured.
pub(super) type Figures = BTreeMap<String, Vec<f64>>;

/// What can be measured inside, by name.
type Parts = [(&'static str, fn())];

/// Measures what the arguments say, if this is the program inside: then it has nothing else to do.
pub(super) fn run_if_asked(parts: &Parts) -> Option<ExitCode> {
    let mut arguments = env::args().skip_while(|argument| argument != INSIDE).skip(1);
    let wanted = arguments.next()?;
    let (_, measure) = parts.iter().find(|(name, _)| *name == wanted)?;
    ip("link set lo up");
    measure();
    Some(ExitCode::SUCCESS)
}

/// For the program inside: what it has measured.
pub(super) fn tell(name: &str, figure: f64) {
    println!("figure\t{name}\t{figure}");
}

/// Measures a part inside.
pub(super) fn run(part: &str) -> Result<Figures, String> {
    finish(start(part)?)
}

/// Begins to measure a part inside.
pub(super) fn start(part: &str) -> Result<Child, String> {
    available()?;
    let program = env::current_exe().map_err(|error| error.to_string())?;
    let mut inside = namespace();
    inside.arg(program).args([INSIDE, part]).stdout(Stdio::piped());
    inside.spawn().map_err(|error| error.to_string())
}

/// The end of what was begun.
pub(super) fn finish(inside: Child) -> Result<Figures, String> {
    let output = inside.wait_with_output().map_err(|error| error.to_string())?;
    let mut figures = Figures::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let mut fields = line.split('\t').skip(1);
        let (Some(name), Some(figure)) = (fields.next(), fields.next()) else { continue };
        let figure = figure.parse().map_err(|_| format!("not a figure: {line}"))?;
        figures.entry(name.to_owned()).or_default().push(figure);
    }
    match output.status.success() {
        true => Ok(figures),
        false => Err(format!("it failed inside: {}", output.status)),
    }
}

/// Root makes one; a user makes one in which it is root.
fn namespace() -> Command {
    let mut unshare = Command::new("unshare");
    unshare.args(["--net", "--map-root-user"]);
    unshare
}

fn available() -> Result<(), String> {
    let runs = |command: &mut Command| {
        let command = command.stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    if !runs(Command::new("ip").arg("-V")) {
        return Err("`ip` is missing: install iproute2".to_owned());
    }
    if !runs(namespace().arg("true")) {
        return Err("network namespaces are not to be had here: run as root".to_owned());
    }
    Ok(())
}

/// `ip link set v0 up`.
pub(super) fn ip(arguments: &str) {
    let status = Command::new("ip").args(arguments.split_whitespace()).status();
    assert!(status.is_ok_and(|status| status.success()), "ip {arguments}");
}

/// Who is at the other end of the cable.
pub(super) fn server() -> SocketAddr {
    SocketAddr::from(([10, 9, 0, 2], 80))
}

/// A cable between `v0`, which is ours, and `v1`, with an address and a way out.
pub(super) fn cable() {
    ip("link add v0 type veth peer name v1");
    ip("link set v1 up");
    ip("link set v0 up");
    ip("addr add 10.9.0.1/24 dev v0");
    ip("route add default via 10.9.0.2");
}

/// Blocks until it is so, for a minute at most.
pub(super) fn wait_for(target: &TargetMonitor, wanted: impl Fn(&Status) -> bool) -> Status {
    let until = Instant::now() + Duration::from_secs(60);
    let mut status = target.status();
    while !wanted(&status) {
        let left = until.saturating_duration_since(Instant::now());
        assert!(!left.is_zero(), "it never happens: {status}");
        status = target.wait_for_change(&status, Some(left));
    }
    status
}
