//! 7. A million operations that wait in backoff at once.

use benchmarks::report::Report;
use benchmarks::waiting::{self, Outcome};
use persevere::RetryPolicy;

const COUNT: u64 = 1_000_000;

pub(super) fn run(report: &mut Report) {
    report.section(
        "7. 1,000,000 operations waiting at once",
        ["bytes each", "wall time", "early, lost"],
    );
    let by_loop = waiting::by_loop(COUNT);
    row(report, "loop by hand", by_loop);
    let ours = waiting::ours(COUNT, RetryPolicy::balanced());
    row(report, "persevere", ours);
    let backon = waiting::backon(COUNT);
    row(report, "backon", backon);
    row(report, "tokio-retry2", waiting::tokio_retry2(COUNT));
    report.target(
        "less memory than backon",
        format!("{:.0} to {:.0} bytes", ours.bytes_each, backon.bytes_each),
        ours.bytes_each < backon.bytes_each,
    );
    let (early, lost) = (ours.early, ours.lost);
    report.target("none too early, none lost", format!("{early}, {lost}"), early + lost == 0);
}

fn row(report: &mut Report, name: &str, outcome: Outcome) {
    let Outcome { bytes_each, early, lost, wall } = outcome;
    let wall = format!("{:.2} s", wall.as_secs_f64());
    report.row(name, [&format!("{bytes_each:.0}"), &wall, &format!("{early}, {lost}")]);
}
