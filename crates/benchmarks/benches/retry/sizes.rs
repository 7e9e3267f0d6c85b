//! 6. Sizes.

use std::io;
use std::mem::{size_of, size_of_val};

use backon::Retryable;
use benchmarks::first_success::{backon_policy, tokio_retry2_policy};
use benchmarks::operation::by_hand;
use benchmarks::report::Report;
use persevere::{RetryError, RetryPolicy, Retryer};
use tokio_retry2::strategy::jitter;
use tokio_retry2::{MapErr, Retry};

pub(super) fn run(report: &mut Report) {
    report.section("6. Sizes", ["bytes", "", ""]);
    let retryer = size_of::<Retryer>();
    report.row("Retryer", [&retryer.to_string(), "", ""]);
    report.target("a Retryer of at most 200 bytes", retryer, retryer <= 200);
    let error = size_of::<RetryError<io::Error>>();
    report.row("RetryError<io::Error>", [&error.to_string(), "", ""]);
    futures::<0>(report);
    futures::<256>(report);
    futures::<1024>(report);
}

/// An attempt that holds this much while it is in flight.
async fn attempt<const HELD: usize>() -> io::Result<u8> {
    let held = std::hint::black_box([0; HELD]);
    tokio::task::yield_now().await;
    Ok(held.first().copied().unwrap_or(0))
}

fn futures<const HELD: usize>(report: &mut Report) {
    let retryer = Retryer::new(RetryPolicy::balanced());
    let own = size_of_val(&attempt::<HELD>());
    let delays = tokio_retry2_policy().map(jitter).take(2);
    let tokio_retry2 =
        Retry::spawn(delays, || async { attempt::<HELD>().await.map_transient_err() });
    for (name, size) in [
        ("loop by hand", size_of_val(&by_hand(attempt::<HELD>))),
        ("persevere", size_of_val(&retryer.run("operation", |_| attempt::<HELD>()))),
        ("backon", size_of_val(&attempt::<HELD>.retry(backon_policy()))),
        ("tokio-retry2", size_of_val(&tokio_retry2)),
    ] {
        report.row(&format!("future around one of {own}, {name}"), [&size.to_string(), "", ""]);
    }
}
