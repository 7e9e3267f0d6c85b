//! The requirement's own two test examples, and its use of the Go package, in Rust.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::Duration;

use common::{BoxError, SECOND, plain_retryer};
use persevere::{End, Retryer, permanent};

#[tokio::test(start_paused = true)]
async fn testing_with_retry() {
    let retryer = Retryer::default();
    let mut attempts = 0;
    let result = retryer
        .run("test operation", |_| {
            attempts += 1;
            let failed = attempts < 3;
            async move { if failed { Err(BoxError::from("transient error")) } else { Ok(()) } }
        })
        .await;
    assert!(result.is_ok(), "expected success, got: {result:?}");
    assert_eq!(attempts, 3);
}

#[tokio::test(start_paused = true)]
async fn testing_non_retryable_errors() {
    let retryer = Retryer::default();
    let mut attempts = 0;
    let result: Result<(), _> = retryer
        .run("test operation", |_| {
            attempts += 1;
            async { Err(permanent("validation error")) }
        })
        .await;
    assert_eq!(result.expect_err("expected error").end(), End::NonRetryable);
    assert_eq!(attempts, 1, "expected 1 attempt (no retry)");
}

#[tokio::test(start_paused = true)]
async fn the_delays_of_the_overview() {
    let started = tokio::time::Instant::now();
    let mut at = Vec::new();
    let result = plain_retryer()
        .run("operation", |_| {
            at.push(started.elapsed());
            async { Err::<(), _>(common::reset()) }
        })
        .await;
    assert!(result.is_err());
    assert_eq!(at, [Duration::ZERO, SECOND, SECOND * 3]);
}
