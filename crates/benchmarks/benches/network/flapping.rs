//! 6. A storm: 200 interfaces that go up and down as quickly as `ip` can make them.

use std::fmt::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use benchmarks::report::Report;
use persevere::{NetworkMonitor, NetworkState};
use persevere_network::{Monitor, Reason};

use crate::namespace::{self, cable, ip, server, tell, wait_for};
use crate::thread::Cost;

const INTERFACES: u32 = 200;
const STORM: Duration = Duration::from_secs(30);
/// Per cent of one core.
const CPU: f64 = 5.0;

pub(super) fn run(report: &mut Report, wanted: bool) {
    report.section("6. 200 interfaces flap for 30 s", ["", "", ""]);
    if !wanted {
        return report
            .skip("flapping: half a minute of two busy cores; asked for by `-- flapping`");
    }
    let figures = match namespace::run("flapping") {
        Ok(figures) => figures,
        Err(missing) => return report.skip(&format!("flapping: {missing}")),
    };
    let first =
        |name: &str| figures.get(name).and_then(|all| all.first()).copied().unwrap_or(f64::NAN);
    report.row("changes of a link", [&format!("{:.0}/s", first("changes")), "", ""]);
    report.row("times awake", [&format!("{:.1}/s", first("wakes")), "", ""]);
    let cpu = first("cpu");
    report.target("below 5 % of a core", format!("{cpu:.2} %"), cpu < CPU);
    let right = first("right");
    report.target("the verdict is right at its end, down and up", right, right == 2.0);
    report.row("down known after", [&format!("{:.0} ms", first("down")), "", ""]);
    report.row("up known after, with its settling", [&format!("{:.0} ms", first("up")), "", ""]);
}

/// Inside.
pub(super) fn measure() {
    cable();
    // Both ends of a hundred cables. (Kernels of small virtual machines may have no dummies.)
    let ends = (0..INTERFACES).step_by(2);
    let add = |n| format!("link add d{n} type veth peer name d{}\n", n + 1);
    batch(&ends.map(add).collect::<String>());
    batch(&commands(|n| format!("addr add 10.100.{n}.1/24 dev d{n}")));
    let watched = Monitor::new().target(server());
    wait_for(&watched, |status| status.state == NetworkState::Up);
    let waiter = watched.clone();
    // The cable of the target flaps as well, and somebody waits.
    let up = commands(|n| format!("link set d{n} up")) + "link set v1 up\n";
    let down = commands(|n| format!("link set d{n} down")) + "link set v1 down\n";
    let (began, before, mut changes) = (Instant::now(), Cost::now(), 0);
    let waiting = std::thread::spawn(move || {
        let mut status = waiter.status();
        while began.elapsed() < STORM {
            status = waiter.wait_for_change(&status, Some(Duration::from_secs(1)));
        }
    });
    while began.elapsed() < STORM {
        for commands in [&up, &down] {
            batch(commands);
            changes += INTERFACES + 1;
        }
    }
    let (took, cost) = (began.elapsed().as_secs_f64(), Cost::now() - before);
    tell("cpu", cost.cpu.as_secs_f64() / took * 100.0);
    tell("wakes", cost.sleeps as f64 / took);
    tell("changes", f64::from(changes) / took);

    // It ended with the cable out; then that is put in.
    let ended = Instant::now();
    let status = wait_for(&watched, |status| status.state == NetworkState::Down);
    tell("down", ended.elapsed().as_secs_f64() * 1_000.0);
    let mut right = u32::from(status.reason == Reason::NoCarrier);
    assert_eq!(watched.gate().state(), NetworkState::Down);
    let mended = Instant::now();
    ip("link set v1 up");
    let status = wait_for(&watched, |status| status.state != NetworkState::Down);
    tell("up", mended.elapsed().as_secs_f64() * 1_000.0);
    right += u32::from(status.state == NetworkState::Up);
    tell("right", f64::from(right));
    waiting.join().expect("it waits");
}

/// A line for each of the interfaces.
fn commands(command: impl Fn(u32) -> String) -> String {
    (0..INTERFACES).fold(String::new(), |mut all, n| {
        _ = writeln!(all, "{}", command(n));
        all
    })
}

/// Runs all of them in one process.
fn batch(commands: &str) {
    use std::io::Write as _;
    let mut ip = Command::new("ip").args(["-batch", "-"]).stdin(Stdio::piped()).spawn();
    let ip = ip.as_mut().expect("`ip` runs");
    if let Some(mut input) = ip.stdin.take() {
        input.write_all(commands.as_bytes()).expect("it reads");
    }
    assert!(ip.wait().is_ok_and(|status| status.success()), "it does not like {commands:.60}");
}
