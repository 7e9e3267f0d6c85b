//! Section 2 of the design, rule 14: what a call may allocate.

use std::io;
use std::time::Duration;

use benchmarks::allocations::count;
use benchmarks::first_success::{FORMS, OURS, Setup};
use benchmarks::operation::reset;
use persevere::{Jitter, RetryPolicy, Retryer, Verdict, detect};

/// Without a wait, so that a blocking call with failures takes no time.
fn retryer(attempts: u32) -> Retryer {
    let policy = RetryPolicy::builder()
        .max_attempts(attempts)
        .initial_delay(Duration::ZERO)
        .jitter(Jitter::None)
        .build();
    Retryer::new(policy.expect("a good policy"))
}

#[test]
fn rule_14_a_first_success_allocates_nothing() {
    let setup = Setup::new();
    for form in &FORMS {
        for variant in form.variants.iter().filter(|variant| variant.name.starts_with(OURS)) {
            // The first call of a thread sets things up.
            (variant.repeat)(&setup, 1);
            let allocations = count(|| (variant.repeat)(&setup, 100));
            assert_eq!(allocations, 0, "{}, {}", form.name, variant.name);
        }
    }
}

/// Blocking, all failures together: the waker of the waits, and the error at the end.
#[test]
fn rule_14_a_failed_attempt_costs_at_most_one_allocation() {
    for attempts in [1, 2, 3, 10] {
        let retryer = retryer(attempts);
        let run = || retryer.run_blocking("operation", |_| Err::<(), _>(reset()));
        drop(run());
        let allocations = count(|| drop(run()));
        assert!(allocations <= u64::from(attempts), "{allocations} in {attempts} attempts");
    }
}

#[test]
fn rule_14_an_async_failure_allocates_only_the_final_error() {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_time().start_paused(true).build();
    let runtime = runtime.expect("a runtime of one thread");
    // What tokio itself takes to wait.
    let sleep = || async { tokio::time::sleep(Duration::from_millis(1)).await };
    let wait = || runtime.block_on(sleep());
    wait();
    let by_tokio = count(wait);
    for attempts in [1, 2, 3, 10] {
        let retryer = retryer(attempts);
        let fail = || {
            let run = retryer.run("operation", |_| async { Err::<(), _>(reset()) });
            assert!(runtime.block_on(run).is_err());
        };
        fail();
        assert_eq!(count(fail) - by_tokio, 1, "{attempts} attempts");
    }
}

#[test]
fn a_verdict_allocates_nothing() {
    let typed = reset();
    let wrapped = io::Error::other(reset());
    let message = "upload of part 17 failed: dial tcp 10.20.30.40:443: Connection reset by peer";
    let only_text = io::Error::other(message);
    // The tables are made once.
    let _ = detect::text(message);
    let ignore = |_: Verdict| {};
    assert_eq!(count(|| ignore(detect::error(&typed))), 0);
    assert_eq!(count(|| ignore(detect::error(&wrapped))), 0);
    assert_eq!(count(|| ignore(detect::text(message))), 0);
    assert_eq!(count(|| ignore(detect::error(&only_text))), 0);
    assert_eq!(count(|| ignore(detect::http_status(503))), 0);
}
