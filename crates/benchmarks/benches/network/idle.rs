//! 5. What the monitor's thread takes while nothing happens.

use std::io::{self, ErrorKind};
use std::process::Child;
use std::thread;
use std::time::Duration;

use benchmarks::report::Report;
use persevere::{CancellationToken, NetworkMonitor, NetworkState, RetryPolicy, Retryer};
use persevere_network::Monitor;

use crate::namespace::{self, Figures, cable, ip, server, tell, wait_for};
use crate::thread::Cost;

const MINUTE: Duration = Duration::from_secs(60);
/// After the beginning: the kernel's last messages on the new interfaces, and the attention that the
/// monitor pays to whoever has just asked.
const SETTLING: Duration = Duration::from_secs(5);
/// So often it looks without being told, in a minute; and one more for the edges.
const LOOKS_IDLE: f64 = 1.0 + 1.0;
const LOOKS_WAITED_FOR: f64 = 60.0 + 1.0;
/// Milliseconds of processor time a minute.
const CPU: f64 = 1.0;

/// Both measurements, under way.
pub(super) struct Running {
    idle: Result<Child, String>,
    waited_for: Result<Child, String>,
}

impl Running {
    pub(super) fn start() -> Self {
        Self { idle: namespace::start("idle"), waited_for: namespace::start("waited-for") }
    }

    pub(super) fn finish(self, report: &mut Report) {
        report.section("5. The monitor's thread, a minute in which nothing happens", ["", "", ""]);
        let figures = |child: Result<Child, String>| child.and_then(namespace::finish);
        match (figures(self.idle), figures(self.waited_for)) {
            (Ok(idle), Ok(waited_for)) => {
                let (cpu, wakes) = read(&idle);
                report.target("nobody waits, below 1 ms", format!("{cpu:.2} ms"), cpu < CPU);
                let target = "nobody waits, awake at most once and at the edges";
                report.target(target, wakes, wakes <= LOOKS_IDLE);
                let (cpu, wakes) = read(&waited_for);
                report.row("a call waits", [&format!("{cpu:.2} ms"), "", ""]);
                let target = "a call waits, awake at most once a second";
                report.target(target, wakes, wakes <= LOOKS_WAITED_FOR);
            }
            (Err(missing), _) | (_, Err(missing)) => report.skip(&format!("idling: {missing}")),
        }
    }
}

fn read(figures: &Figures) -> (f64, f64) {
    let first = |name: &str| figures.get(name).and_then(|all| all.first()).copied();
    (first("cpu").unwrap_or(f64::NAN), first("wakes").unwrap_or(f64::NAN))
}

/// Inside: somebody had a failure once, and then all is well.
pub(super) fn measure() {
    cable();
    let watched = Monitor::new().target(server());
    watched.recheck();
    wait_for(&watched, |status| status.state == NetworkState::Up);
    measure_a_minute();
}

/// Inside: a call waits for the network all the time.
pub(super) fn measure_waited_for() {
    cable();
    let watched = Monitor::new().target(server());
    ip("link set v0 down");
    let policy = RetryPolicy::balanced().to_builder().wait_for_network(true).build();
    let retryer = Retryer::new(policy.expect("a good policy")).network_monitor(watched.clone());
    let token = CancellationToken::new();
    let cancelled = token.clone();
    let call = thread::spawn(move || {
        let call = retryer.call("operation").cancel_on(cancelled);
        call.run_blocking(|_| Err::<(), _>(io::Error::from(ErrorKind::NetworkUnreachable)))
    });
    while watched.gate().waiting() == 0 {
        thread::yield_now();
    }
    measure_a_minute();
    token.cancel();
    call.join().expect("it ends").expect_err("it was cancelled");
}

fn measure_a_minute() {
    thread::sleep(SETTLING);
    let before = Cost::now();
    thread::sleep(MINUTE);
    let cost = Cost::now() - before;
    tell("cpu", cost.cpu.as_secs_f64() * 1_000.0);
    tell("wakes", cost.sleeps as f64);
}
