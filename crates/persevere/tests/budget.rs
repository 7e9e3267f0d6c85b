//! The retry budget.
#![allow(clippy::unwrap_used)]

mod common;

use std::io;

use common::{SECOND, blocking_retryer, plain_retryer, reset};
use persevere::{End, ManualMonitor, NetworkState, RetryBudget, RetryPolicy, Retryer};

fn fails(retryer: &Retryer) -> persevere::RetryError<io::Error> {
    retryer.run_blocking("call", |_| Err::<(), _>(reset())).unwrap_err()
}

fn succeeds_at(retryer: &Retryer, at: u32) {
    let operation = |attempt: persevere::Attempt| match attempt.number() {
        number if number == at => Ok(()),
        _ => Err(reset()),
    };
    retryer.run_blocking("call", operation).unwrap();
}

#[test]
fn failed_retries_spend_successful_ones_refund_and_first_successes_fill() {
    let budget = RetryBudget::new();
    let retryer = blocking_retryer().0.budget(budget.clone());
    fails(&retryer);
    assert_eq!(budget.available(), 490, "two retries at 5 tokens");
    succeeds_at(&retryer, 2);
    assert_eq!(budget.available(), 490, "a retry that succeeds gives its tokens back");
    succeeds_at(&retryer, 3);
    assert_eq!(budget.available(), 485, "but not those of the failed one before it");
    succeeds_at(&retryer, 1);
    assert_eq!(budget.available(), 486);
    for _ in 0..100 {
        succeeds_at(&retryer, 1);
    }
    assert_eq!(budget.available(), 500, "never more than it holds");
}

#[test]
fn an_empty_budget_ends_calls_after_their_first_attempt() {
    let budget = RetryBudget::with_capacity(12);
    let (retryer, clock) = blocking_retryer();
    let retryer = retryer.budget(budget.clone());
    assert_eq!(fails(&retryer).end(), End::AttemptsExhausted);
    assert_eq!(budget.available(), 2);
    let slept = clock.sleeps().len();
    let error = fails(&retryer);
    assert_eq!((error.end(), error.attempts()), (End::BudgetExhausted, 1));
    assert_eq!(clock.sleeps().len(), slept, "checked before the wait");
    assert_eq!(
        error.to_string(),
        "call: operation failed, retry budget is empty (1 attempt): connection reset"
    );
}

#[test]
fn timeouts_cost_twice() {
    let budget = RetryBudget::new();
    let retryer = blocking_retryer().0.budget(budget.clone());
    let timed_out = || io::Error::from(io::ErrorKind::TimedOut);
    drop(retryer.run_blocking("call", |_| Err::<(), _>(timed_out())));
    assert_eq!(budget.available(), 480);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_gives_back_what_it_holds() {
    let budget = RetryBudget::new();
    let retryer = plain_retryer().budget(budget.clone());
    let running = retryer.run("call", |_| async { Err::<(), _>(reset()) });
    assert!(tokio::time::timeout(SECOND / 2, running).await.is_err());
    assert_eq!(budget.available(), 500, "dropped in its wait");

    let running = retryer.run("call", |attempt| async move {
        if attempt.is_retry() {
            std::future::pending::<()>().await;
        }
        Err::<(), _>(reset())
    });
    assert!(tokio::time::timeout(SECOND * 2, running).await.is_err());
    assert_eq!(budget.available(), 500, "dropped in its second attempt");
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_hangs_until_the_deadline_has_failed() {
    let budget = RetryBudget::new();
    let retryer = plain_retryer().budget(budget.clone());
    let call = retryer.call("call").deadline(SECOND * 10);
    let running = call.run(|attempt| async move {
        if attempt.is_retry() {
            std::future::pending::<()>().await;
        }
        Err::<(), _>(reset())
    });
    assert_eq!(running.await.unwrap_err().end(), End::Deadline);
    assert_eq!(budget.available(), 495);

    // As in the blocking form.
    let (blocking, clock) = blocking_retryer();
    let blocking = blocking.budget(budget.clone());
    let call = blocking.call("call").deadline(SECOND * 10);
    let result = call.run_blocking(|attempt| {
        if attempt.is_retry() {
            clock.advance(SECOND * 10);
        }
        Err::<(), _>(reset())
    });
    assert_eq!(result.unwrap_err().end(), End::Deadline);
    assert_eq!(budget.available(), 490);
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_wait_gives_back_what_it_holds() {
    let (budget, token) = (RetryBudget::new(), persevere::CancellationToken::new());
    let retryer = plain_retryer().budget(budget.clone());
    let call = retryer.call("call").cancel_on(token.clone());
    let cancel = async { token.cancel() };
    let (result, ()) = tokio::join!(call.run(|_| async { Err::<(), _>(reset()) }), cancel);
    assert_eq!(result.unwrap_err().end(), End::Cancelled);
    assert_eq!(budget.available(), 500);
}

#[tokio::test(start_paused = true)]
async fn an_outage_costs_nothing() {
    let budget = RetryBudget::new();
    let monitor = std::sync::Arc::new(ManualMonitor::new(NetworkState::Up));
    let policy = RetryPolicy::builder().wait_for_network(true).build().unwrap();
    let retryer = Retryer::new(policy).budget(budget.clone()).network_monitor(monitor.clone());
    let mut calls = 0;
    let during = monitor.clone();
    let running = retryer.run("call", |_| {
        calls += 1;
        // The first retry falls into an outage.
        if calls == 2 {
            during.set(NetworkState::Down);
        }
        async { Err::<(), _>(reset()) }
    });
    let look = async {
        tokio::time::sleep(SECOND * 10).await;
        assert_eq!(budget.available(), 500);
        monitor.set(NetworkState::Up);
    };
    let (result, ()) = tokio::join!(running, look);
    assert!(result.is_err());
}

#[test]
fn threads_that_share_a_budget_lose_nothing() {
    let budget = RetryBudget::new();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let retryer = blocking_retryer().0.budget(budget.clone());
            scope.spawn(move || {
                for _ in 0..1_000 {
                    succeeds_at(&retryer, 2);
                }
            });
        }
    });
    assert_eq!(budget.available(), 500);
}
