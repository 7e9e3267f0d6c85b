//! Counts what happens, and stops retrying when too much fails: an observer and a shared budget.
//!
//! `cargo run --example metrics`

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use persevere::{Event, EventKind, RetryBudget, RetryPolicy, Retryer};

#[derive(Default)]
struct Metrics {
    retries: AtomicU32,
    given_up: AtomicU32,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let metrics = Arc::new(Metrics::default());
    let counting = metrics.clone();
    let policy = RetryPolicy::builder()
        .initial_delay(Duration::from_millis(1))
        .max_delay(Duration::from_millis(2))
        .build()?;
    // Forty tokens are eight retries; whoever shares the budget shares the limit.
    let budget = RetryBudget::with_capacity(40);
    let retryer = Retryer::new(policy).budget(budget.clone()).observer(move |event: &Event<'_>| {
        match event.kind {
            EventKind::Retrying => counting.retries.fetch_add(1, Ordering::Relaxed),
            EventKind::Ended(_) => counting.given_up.fetch_add(1, Ordering::Relaxed),
            _ => 0,
        };
    });

    for call in 1..=10 {
        let result = retryer.run_blocking("ask a broken server", |_| {
            Err::<(), _>(io::Error::from(io::ErrorKind::ConnectionReset))
        });
        if let Err(error) = result {
            println!("call {call}: {error}");
        }
    }
    println!(
        "{} retries, {} calls given up, {} tokens left",
        metrics.retries.load(Ordering::Relaxed),
        metrics.given_up.load(Ordering::Relaxed),
        budget.available()
    );
    Ok(())
}
