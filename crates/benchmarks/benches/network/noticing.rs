//! 2 and 3. How soon somebody who waits knows that the network is gone; and how soon the first of those
//! who paused tries again when it is back.

use std::io::{self, ErrorKind};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use benchmarks::report::Report;
use persevere::{Event, EventKind, NetworkMonitor, NetworkState, RetryPolicy, Retryer};
use persevere_network::{Monitor, Target};

use crate::namespace::{self, Figures, cable, ip, server, tell, wait_for};

const ROUNDS: usize = 20;
/// How soon an outage must be noticed, in milliseconds.
const NOTICED: f64 = 20.0;
/// How soon the first must try again, in milliseconds: a second, and up to 250 ms by chance.
const TRIED_AGAIN: f64 = 1_000.0 + 250.0;

/// What breaks it, and what mends it.
const OUTAGES: [(&str, &str, &[&str]); 4] = [
    ("carrier loss", "link set v1 down", &["link set v1 up"]),
    ("link down", "link set v0 down", &["link set v0 up", ROUTE]),
    ("route deleted", "route del default", &[ROUTE]),
    ("address deleted", "addr del 10.9.0.1/24 dev v0", &["addr add 10.9.0.1/24 dev v0", ROUTE]),
];
/// Longer than the first delay, by which attempts are kept apart.
const LONG: &str = "carrier loss, mended after 1.1 s";
const ROUTE: &str = "route replace default via 10.9.0.2";

pub(super) fn run(report: &mut Report) {
    report.section("2. From an outage to a caller that waits", ["median", "lowest to highest", ""]);
    let figures = match namespace::run("noticing") {
        Ok(figures) => figures,
        Err(missing) => return report.skip(&format!("outages: {missing}")),
    };
    for (name, ..) in OUTAGES {
        row(report, &figures, name, NOTICED);
    }
    let title = "3. From the network's return to the first that tries again";
    report.section(title, ["median", "lowest to highest", ""]);
    for (name, ..) in OUTAGES {
        row(report, &figures, &format!("{name}, mended"), TRIED_AGAIN);
    }
    row(report, &figures, LONG, TRIED_AGAIN);
}

fn row(report: &mut Report, figures: &Figures, name: &str, limit: f64) {
    let mut times = figures.get(name).cloned().unwrap_or_default();
    times.sort_unstable_by(f64::total_cmp);
    let (Some(lowest), Some(highest)) = (times.first(), times.last()) else {
        return report.skip(&format!("{name}: nothing was measured"));
    };
    let median = times[times.len() / 2];
    let spread = format!("{lowest:.1} to {highest:.1}");
    report.row(name, [&format!("{median:.1} ms"), &spread, ""]);
    let target = format!("{name}, below {limit:.0} ms");
    report.target(&target, format!("{median:.1} ms of {}", times.len()), median < limit);
}

/// Inside.
pub(super) fn measure() {
    cable();
    for (name, breaks, mends) in OUTAGES {
        for _ in 0..ROUNDS {
            tell(name, millis(notice(name, breaks)));
            mends.iter().for_each(|command| ip(command));
        }
        for _ in 0..ROUNDS / 4 {
            let at_once = Duration::ZERO;
            tell(&format!("{name}, mended"), millis(try_again(name, breaks, mends, at_once)));
        }
    }
    let [(name, breaks, mends), ..] = OUTAGES;
    for _ in 0..ROUNDS / 4 {
        tell(LONG, millis(try_again(name, breaks, mends, Duration::from_millis(1_100))));
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// Without its route to everywhere, a target on the same cable is still to be reached.
fn target(name: &str) -> Target {
    if name == "route deleted" { Target::anywhere() } else { server().into() }
}

/// From the moment before `ip` is run, so that the time it takes is in it. A new monitor each time, or
/// it would be a network that flaps.
fn notice(name: &str, breaks: &str) -> Duration {
    let watched = Monitor::new().target(target(name));
    let up = wait_for(&watched, |status| status.state == NetworkState::Up);
    let waiter = Arc::clone(&watched);
    let thread = thread::spawn(move || {
        let status = waiter.wait_for_change(&up, Some(Duration::from_secs(60)));
        (status, Instant::now())
    });
    // It shall stand there when it happens.
    thread::sleep(Duration::from_millis(20));
    let began = Instant::now();
    ip(breaks);
    let (status, noticed) = thread.join().expect("it waits");
    assert_eq!(status.state, NetworkState::Down, "{name}: {status}");
    noticed - began
}

/// From the moment before `ip` is run to the second attempt of a call that was paused.
fn try_again(name: &str, breaks: &str, mends: &[&str], lasts: Duration) -> Duration {
    let watched = Monitor::new().target(target(name));
    wait_for(&watched, |status| status.state == NetworkState::Up);
    ip(breaks);
    let policy = RetryPolicy::balanced().to_builder().wait_for_network(true).build();
    let (sender, events) = mpsc::channel();
    let retryer = Retryer::new(policy.expect("a good policy"))
        .network_monitor(watched.clone())
        .observer(move |event: &Event<'_>| _ = sender.send(event.kind));
    let call = thread::spawn(move || {
        let mut first = true;
        let result = retryer.run_blocking("operation", |_| match std::mem::take(&mut first) {
            true => Err(io::Error::from(ErrorKind::NetworkUnreachable)),
            false => Ok(Instant::now()),
        });
        result.expect("the second attempt succeeds")
    });
    let paused = events.recv_timeout(Duration::from_secs(60));
    assert_eq!(paused, Ok(EventKind::NetworkDown));
    while watched.gate().waiting() == 0 {
        thread::yield_now();
    }
    thread::sleep(lasts);
    let began = Instant::now();
    mends.iter().for_each(|command| ip(command));
    call.join().expect("it comes back") - began
}
