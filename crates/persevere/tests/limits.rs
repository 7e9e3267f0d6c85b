//! Section 2 of the design, rules 8 and 9: deadline, attempt timeout and cancellation.
#![allow(clippy::unwrap_used)]

mod common;

use std::future::pending;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use common::{SECOND, blocking_retryer, plain_policy, plain_retryer, reset};
use persevere::{CancellationToken, End, Kind, RetryPolicy, Retryer};
use tokio::time::Instant;

#[tokio::test(start_paused = true)]
async fn rule_8_a_wait_that_would_pass_the_deadline_is_not_begun() {
    let started = Instant::now();
    let retryer = plain_retryer();
    let call = retryer.call("call").deadline(SECOND * 5 / 2);
    let error = call.run(|_| async { Err::<(), _>(reset()) }).await.unwrap_err();
    // Attempts at 0 s and 1 s; the next would be at 3 s.
    assert_eq!(started.elapsed(), SECOND);
    assert_eq!((error.end(), error.attempts()), (End::Deadline, 2));
    assert_eq!(error.elapsed(), SECOND);
    assert_eq!(error.last_error().map(io::Error::kind), Some(io::ErrorKind::ConnectionReset));
}

/// Tells when it is dropped.
struct OnDrop(Arc<AtomicBool>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[tokio::test(start_paused = true)]
async fn rule_8_an_attempt_in_flight_at_the_deadline_is_dropped() {
    let started = Instant::now();
    let dropped = Arc::new(AtomicBool::new(false));
    let retryer = plain_retryer();
    let result = retryer
        .call("call")
        .deadline(SECOND * 5)
        .run(|attempt| {
            let guard = OnDrop(dropped.clone());
            async move {
                if attempt.number() == 1 {
                    return Err(reset());
                }
                pending::<()>().await;
                drop(guard);
                Ok(())
            }
        })
        .await;
    assert_eq!(started.elapsed(), SECOND * 5);
    let error = result.unwrap_err();
    assert_eq!((error.end(), error.attempts()), (End::Deadline, 2));
    assert!(error.last_error().is_some(), "the error of the first attempt is kept");
    assert!(dropped.load(Ordering::SeqCst));
}

#[tokio::test(start_paused = true)]
async fn rule_8_an_attempt_timeout_is_a_retryable_failure() {
    let started = Instant::now();
    let retryer = plain_retryer();
    let result = retryer
        .call("call")
        .attempt_timeout(SECOND * 10)
        .run(|attempt| async move {
            assert_eq!(attempt.limit(), Some(SECOND * 10));
            if attempt.number() < 3 {
                pending::<()>().await;
            }
            Ok::<_, io::Error>(attempt.number())
        })
        .await;
    assert_eq!(result.unwrap(), 3);
    assert_eq!(started.elapsed(), SECOND * 23);
}

#[tokio::test(start_paused = true)]
async fn rule_8_timeouts_alone_leave_no_error_but_say_so() {
    let retryer = plain_retryer();
    let call = retryer.call("ask").attempt_timeout(SECOND);
    let error = call.run(|_| pending::<Result<(), io::Error>>()).await.unwrap_err();
    assert_eq!(error.end(), End::AttemptsExhausted);
    assert!(error.last_error().is_none());
    assert_eq!(error.attempt_timeout(), Some(SECOND));
    assert_eq!(error.verdict().map(|it| it.kind()), Some(Kind::Timeout));
    assert_eq!(
        error.to_string(),
        "ask: operation failed after max attempts (3 attempts in 5s): attempt timed out after 1s"
    );
}

/// Uses up tokio's cooperative budget in every poll, for 2 s and until somebody ends it.
async fn busy() -> io::Result<()> {
    tokio::task::yield_now().await;
    tokio::time::advance(SECOND * 2).await;
    for _ in 0..100_000 {
        tokio::task::coop::consume_budget().await;
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn rule_8_a_busy_attempt_does_not_hide_from_its_limit() {
    let retryer = plain_retryer();
    let error = retryer.call("call").deadline(SECOND).run(|_| busy()).await.unwrap_err();
    assert_eq!(error.end(), End::Deadline);

    let call = retryer.call("call").attempt_timeout(SECOND);
    let error = call.run(|_| busy()).await.unwrap_err();
    assert_eq!((error.end(), error.attempts()), (End::AttemptsExhausted, 3));
    assert_eq!(error.attempt_timeout(), Some(SECOND));
}

#[tokio::test(start_paused = true)]
async fn rule_8_a_limit_counts_from_the_start_of_the_attempt() {
    // The first poll alone takes 2 s of the 5 s.
    let slow = |_| async {
        tokio::time::advance(SECOND * 2).await;
        pending::<io::Result<()>>().await
    };
    let (retryer, started) = (plain_retryer(), Instant::now());
    let error = retryer.call("call").deadline(SECOND * 5).run(slow).await.unwrap_err();
    assert_eq!((error.end(), started.elapsed()), (End::Deadline, SECOND * 5));

    let started = Instant::now();
    let call = retryer.call("call").attempt_timeout(SECOND * 5);
    let error = call.run(slow).await.unwrap_err();
    assert_eq!(error.end(), End::AttemptsExhausted);
    // Three attempts, and 1 s and 2 s in between.
    assert_eq!(started.elapsed(), SECOND * 18);
}

#[tokio::test(start_paused = true)]
async fn rule_8_the_attempt_learns_what_is_left_until_the_deadline() {
    let retryer = plain_retryer();
    let mut limits = Vec::new();
    let call = retryer.call("call").deadline(SECOND * 9).attempt_timeout(SECOND * 7);
    let result = call
        .run(|attempt| {
            limits.extend(attempt.limit());
            async { Err::<(), _>(reset()) }
        })
        .await;
    assert!(result.is_err());
    assert_eq!(limits, [SECOND * 7, SECOND * 7, SECOND * 6]);
}

#[tokio::test(start_paused = true)]
async fn rule_8_a_deadline_that_has_passed_makes_no_attempt() {
    let retryer = plain_retryer();
    let call = retryer.call("call").deadline(Duration::ZERO);
    let error = call.run(|_| async { Ok::<_, io::Error>(()) }).await.unwrap_err();
    assert_eq!((error.end(), error.attempts()), (End::Deadline, 0));
    assert_eq!(error.to_string(), "call: operation failed, deadline reached (0 attempts)");
}

#[tokio::test(start_paused = true)]
async fn rule_8_the_earlier_of_two_deadlines_counts_and_a_far_one_is_none() {
    let retryer = plain_retryer();
    let soon = Instant::now().into_std() + SECOND;
    let call = retryer.call("call").deadline(SECOND * 60).deadline_at(soon);
    let error = call.run(|_| pending::<Result<(), io::Error>>()).await.unwrap_err();
    assert_eq!((error.end(), error.elapsed()), (End::Deadline, SECOND));

    let call = retryer.call("call").deadline(Duration::MAX).attempt_timeout(Duration::MAX);
    assert!(call.run(|_| async { Ok::<_, io::Error>(()) }).await.is_ok());
}

#[test]
fn rule_8_blocking_calls_have_the_same_deadline() {
    let (retryer, clock) = blocking_retryer();
    let call = retryer.call("call").deadline(SECOND * 5 / 2);
    let error = call.run_blocking(|_| Err::<(), _>(reset())).unwrap_err();
    assert_eq!((error.end(), error.attempts()), (End::Deadline, 2));

    // An attempt that runs past the deadline ends the call when it returns.
    let call = retryer.call("call").deadline(SECOND);
    let error = call
        .run_blocking(|attempt| {
            assert_eq!(attempt.limit(), Some(SECOND));
            clock.advance(SECOND * 2);
            Err::<(), _>(reset())
        })
        .unwrap_err();
    assert_eq!((error.end(), error.attempts()), (End::Deadline, 1));
}

#[tokio::test(start_paused = true)]
async fn rule_9_a_token_ends_a_wait_at_once_and_leaves_nothing_behind() {
    let started = Instant::now();
    let (retryer, token) = (plain_retryer(), CancellationToken::new());
    let cancel = async {
        tokio::time::sleep(SECOND / 2).await;
        assert_eq!(token.waiting(), 1);
        token.cancel();
    };
    let call = retryer.call("call").cancel_on(token.clone());
    let (result, ()) = tokio::join!(call.run(|_| async { Err::<(), _>(reset()) }), cancel);
    let error = result.unwrap_err();
    assert_eq!(started.elapsed(), SECOND / 2);
    assert_eq!((error.end(), error.attempts()), (End::Cancelled, 1));
    assert!(error.last_error().is_some(), "the last error is kept on cancellation");
    assert_eq!(token.waiting(), 0);
}

#[tokio::test(start_paused = true)]
async fn rule_9_a_token_ends_an_attempt_in_flight_and_stops_the_next_call() {
    let (retryer, token) = (plain_retryer(), CancellationToken::new());
    let call = retryer.call("call").cancel_on(token.clone());
    let cancel = async { token.cancel() };
    let never = call.run(|_| pending::<Result<(), io::Error>>());
    let (result, ()) = tokio::join!(never, cancel);
    assert_eq!(result.unwrap_err().end(), End::Cancelled);

    let call = retryer.call("call").cancel_on(token);
    let error = call.run(|_| async { Ok::<_, io::Error>(()) }).await.unwrap_err();
    assert_eq!((error.end(), error.attempts()), (End::Cancelled, 0));
}

#[tokio::test(start_paused = true)]
async fn rules_8_and_9_when_a_call_has_ended_no_attempt_is_in_flight() {
    let retryer = plain_retryer();
    let dropped = Arc::new(AtomicBool::new(false));
    let hangs = |_| {
        let guard = OnDrop(dropped.clone());
        async move {
            pending::<()>().await;
            drop(guard);
            Ok::<_, io::Error>(())
        }
    };
    // Awaited by reference: the future is still there when it has ended.
    let mut running = std::pin::pin!(retryer.call("call").deadline(SECOND).run(hangs));
    assert_eq!(running.as_mut().await.unwrap_err().end(), End::Deadline);
    assert!(dropped.swap(false, Ordering::SeqCst));

    let token = CancellationToken::new();
    let mut running = std::pin::pin!(retryer.call("call").cancel_on(token.clone()).run(hangs));
    let (result, ()) = tokio::join!(running.as_mut(), async { token.cancel() });
    assert_eq!(result.unwrap_err().end(), End::Cancelled);
    assert!(dropped.load(Ordering::SeqCst));
}

#[tokio::test(start_paused = true)]
#[should_panic = "polled after it had ended"]
async fn a_call_that_has_failed_does_not_begin_again() {
    let retryer = plain_retryer();
    let mut running = std::pin::pin!(retryer.run("call", |_| async { Err::<(), _>(reset()) }));
    assert!(running.as_mut().await.is_err());
    drop(running.await);
}

#[tokio::test(start_paused = true)]
#[should_panic = "polled after it had ended"]
async fn a_call_that_has_succeeded_does_not_ask_its_operation_again() {
    let retryer = plain_retryer();
    let always = |_| std::future::poll_fn(|_| std::task::Poll::Ready(Ok::<_, io::Error>(())));
    let mut running = std::pin::pin!(retryer.run("call", always));
    assert!(running.as_mut().await.is_ok());
    drop(running.await);
}

#[test]
fn rule_9_of_two_tokens_the_last_one_counts() {
    let (retryer, _clock) = blocking_retryer();
    let (first, last) = (CancellationToken::new(), CancellationToken::new());
    let run = || {
        let call = retryer.call("call").cancel_on(first.clone()).cancel_on(last.clone());
        call.run_blocking(|_| Ok::<_, io::Error>(()))
    };
    first.cancel();
    assert!(run().is_ok());
    last.cancel();
    assert_eq!(run().unwrap_err().end(), End::Cancelled);
}

#[tokio::test(start_paused = true)]
async fn rule_9_dropping_the_future_leaves_nothing_behind() {
    let (retryer, token) = (plain_retryer(), CancellationToken::new());
    let call = retryer.call("call").cancel_on(token.clone());
    let running = call.run(|_| async { Err::<(), _>(reset()) });
    assert!(tokio::time::timeout(SECOND / 2, running).await.is_err());
    assert_eq!(token.waiting(), 0);
}

#[test]
fn rule_9_another_thread_cancels_a_blocking_wait() {
    let policy = RetryPolicy::builder()
        .initial_delay(Duration::from_secs(3_600))
        .max_delay(Duration::from_secs(3_600))
        .build()
        .unwrap();
    let (retryer, token) = (Retryer::new(policy), CancellationToken::new());
    let canceller = token.clone();
    let waiting_then_cancel = move || {
        while canceller.waiting() == 0 {
            std::thread::yield_now();
        }
        canceller.cancel();
    };
    let thread = std::thread::spawn(waiting_then_cancel);
    let call = retryer.call("call").cancel_on(token.clone());
    let error = call.run_blocking(|_| Err::<(), _>(reset())).unwrap_err();
    assert_eq!((error.end(), error.attempts()), (End::Cancelled, 1));
    assert_eq!(token.waiting(), 0);
    thread.join().unwrap();
}

#[test]
fn rule_15_without_a_runtime_a_timer_thread_serves() {
    // Real time, of which a millisecond is enough.
    let policy = plain_policy();
    let delay = Duration::from_millis(1);
    let policy = policy.to_builder().initial_delay(delay).build().unwrap();
    let retryer = Retryer::new(policy);
    let mut attempts = 0;
    let running = retryer.run("call", |_| {
        attempts += 1;
        let result = if attempts < 3 { Err(reset()) } else { Ok(()) };
        async { result }
    });
    assert!(block_on(running).is_ok());
    assert_eq!(attempts, 3);
}

fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(std::thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = std::task::Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = std::task::Context::from_waker(&waker);
    let mut future = std::pin::pin!(future);
    loop {
        if let std::task::Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        std::thread::park();
    }
}

#[tokio::test]
async fn rule_16_a_limit_in_virtual_time_counts_only_when_it_is_reached() {
    let clock = Arc::new(persevere::clock::VirtualClock::new());
    let retryer = plain_retryer().clock(clock.clone());
    let call = |takes: Duration| {
        let (retryer, clock) = (&retryer, &clock);
        async move {
            let call = retryer.call("call").deadline(SECOND * 10);
            let attempt = |_| async {
                persevere::clock::Clock::sleep(&**clock, takes).await;
                Ok::<_, io::Error>(())
            };
            call.run(attempt).await
        }
    };
    assert!(call(SECOND * 9).await.is_ok());
    assert_eq!((clock.elapsed(), clock.sleeps()), (SECOND * 9, vec![SECOND * 9]));
    assert_eq!(call(SECOND * 11).await.unwrap_err().end(), End::Deadline);
    assert_eq!((clock.elapsed(), clock.sleeps()), (SECOND * 19, vec![SECOND * 9, SECOND * 10]));
}
