//! 3. One delay, with jitter.

use std::hint::black_box;

use backon::{BackoffBuilder, ExponentialBuilder};
use benchmarks::first_success::backon_policy;
use benchmarks::report::Report;
use benchmarks::rounds::{Candidate, Spread, measure};
use persevere::RetryPolicy;

const OURS: &str = "persevere";
const BACKON: &str = "backon";
const OURS_LONG: &str = "persevere, 10,000 delays of a call";
const BACKON_LONG: &str = "backon, 10,000 delays of a call";
const LONG: usize = 10_000;
const NANOS: f64 = 20.0;

pub(super) fn run(report: &mut Report) {
    // Ten attempts, nine delays: each schedule is made anew, as each call does.
    let ours = RetryPolicy::aggressive();
    let backon = backon_policy().with_jitter_seed(7).with_max_times(9);
    let ours_long = unlimited();
    let backon_long = backon.without_max_times();
    let samples = measure(vec![
        Candidate::new(OURS, |times| draw(times, 9, || black_box(&ours).delays(7))),
        Candidate::new(BACKON, |times| draw(times, 9, || build(&backon))),
        Candidate::new(OURS_LONG, |times| draw(times, LONG, || black_box(&ours_long).delays(7))),
        Candidate::new(BACKON_LONG, |times| draw(times, LONG, || build(&backon_long))),
    ]);
    report.section("3. One delay, with jitter", ["time", "quartiles", ""]);
    for name in samples.names() {
        let spread = samples.of(name);
        report.row(name, [&nanos(spread.median), &quartiles(spread), ""]);
    }
    for name in [OURS, OURS_LONG] {
        let median = samples.of(name).median;
        let target = format!("one delay in less than {NANOS} ns, {name}");
        report.target(&target, nanos(median), median < NANOS);
    }
}

fn unlimited() -> RetryPolicy {
    let builder = RetryPolicy::aggressive().to_builder();
    let policy = builder.max_attempts(RetryPolicy::UNLIMITED_ATTEMPTS).build();
    policy.expect("a preset without a limit")
}

fn build(builder: &ExponentialBuilder) -> impl Iterator<Item = std::time::Duration> + use<> {
    black_box(builder).build()
}

/// Draws this many delays, in calls that have so many each.
fn draw<D: Iterator>(times: u64, each: usize, mut schedule: impl FnMut() -> D) {
    let mut left = usize::try_from(times).unwrap_or(usize::MAX);
    while left > 0 {
        let now = left.min(each);
        for delay in schedule().take(now) {
            black_box(delay);
        }
        left -= now;
    }
}

/// Two digits after the point, for what is small.
pub(super) fn nanos(nanos: f64) -> String {
    match nanos.abs() < 100.0 {
        true => format!("{nanos:.2} ns"),
        false => format!("{nanos:.0} ns"),
    }
}

pub(super) fn quartiles(spread: Spread) -> String {
    format!("[{:.2} to {:.2}]", spread.low, spread.high)
}

pub(super) fn nanos_with_quartiles(spread: Spread) -> String {
    format!("{:+.2} ns {}", spread.median, quartiles(spread))
}
