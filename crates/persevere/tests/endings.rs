//! Section 2 of the design, rules 11 to 14: the final error, panics, events and logs, and what a
//! success costs.
#![allow(clippy::unwrap_used)]

mod common;

use std::error::Error as _;
use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use common::{Recorder, SECOND, blocking_retryer, plain_retryer, reset};
use persevere::clock::{Clock, Sleep};
use persevere::{
    End, EventKind, Level, Retried, RetryBlockingExt, RetryBudget, RetryExt, RetryPolicy, Retryer,
};

#[test]
fn rule_11_the_last_error_comes_back_whole_and_typed() {
    #[derive(Debug, PartialEq)]
    struct Numbered(u32);
    impl fmt::Display for Numbered {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "connection timeout")
        }
    }
    impl std::error::Error for Numbered {}

    let (retryer, _clock) = blocking_retryer();
    let error = retryer
        .run_blocking("upload", |attempt| Err::<(), _>(Numbered(attempt.number())))
        .unwrap_err();
    assert_eq!(error.operation(), "upload");
    assert_eq!((error.end(), error.attempts()), (End::AttemptsExhausted, 3));
    assert_eq!(error.elapsed(), SECOND * 3);
    assert_eq!(
        error.to_string(),
        "upload: operation failed after max attempts (3 attempts in 3s): connection timeout"
    );
    assert!(error.source().is_some_and(|source| source.is::<Retried>()));
    assert_eq!(error.into_last_error(), Some(Numbered(3)));
}

#[test]
fn rule_11_each_text_is_shown_once() {
    #[derive(Debug)]
    struct Wrapper(io::Error, bool);
    impl fmt::Display for Wrapper {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            match self.1 {
                true => write!(f, "cannot fetch: {}", self.0),
                false => write!(f, "cannot fetch"),
            }
        }
    }
    impl std::error::Error for Wrapper {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.0)
        }
    }

    let (retryer, _clock) = blocking_retryer();
    for shows_its_cause in [true, false] {
        let error = retryer
            .run_blocking("fetch", |_| Err::<(), _>(Wrapper(reset(), shows_its_cause)))
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "fetch: operation failed after max attempts (3 attempts in 3s): cannot fetch: \
             connection reset"
        );
    }
}

#[test]
fn rule_11_long_names_survive() {
    let (retryer, _clock) = blocking_retryer();
    for name in ["", "é", &"upload ".repeat(8), &"ü".repeat(31), &"ü".repeat(32), &"x".repeat(999)]
    {
        let error = retryer.run_blocking(name, |_| Err::<(), _>(reset())).unwrap_err();
        assert_eq!(error.operation(), name);
    }
}

#[test]
fn rule_12_a_panic_goes_through_unchanged() {
    let (retryer, _clock) = blocking_retryer();
    let budget = RetryBudget::new();
    let retryer = retryer.budget(budget.clone());
    let call = || {
        retryer.run_blocking("call", |attempt| -> io::Result<()> {
            match attempt.number() {
                1 => Err(reset()),
                _ => std::panic::panic_any(42),
            }
        })
    };
    let panic = catch_unwind(AssertUnwindSafe(call)).unwrap_err();
    assert_eq!(panic.downcast_ref(), Some(&42));
    assert_eq!(budget.available(), 500, "the budget loses nothing by a panic");
}

#[test]
fn rule_13_the_events_in_their_order() {
    let run = |succeed_at: u32, error: fn() -> io::Error| {
        let (recorder, (retryer, _clock)) = (Recorder::default(), blocking_retryer());
        let retryer = retryer.observer(recorder.clone());
        drop(retryer.run_blocking("call", |attempt| match attempt.number() {
            number if number == succeed_at => Ok(()),
            _ => Err(error()),
        }));
        recorder.events()
    };
    let denied = || io::Error::from(io::ErrorKind::PermissionDenied);
    assert_eq!(run(1, reset), []);
    assert_eq!(run(2, reset), [(EventKind::Retrying, 1), (EventKind::Succeeded, 2)]);
    assert_eq!(run(9, denied), [(EventKind::Ended(End::NonRetryable), 1)]);
    let exhausted = EventKind::Ended(End::AttemptsExhausted);
    assert_eq!(run(9, reset), [(EventKind::Retrying, 1), (EventKind::Retrying, 2), (exhausted, 3)]);
}

#[test]
fn rule_13_messages_and_levels_are_the_requirements() {
    for (kind, level, message) in [
        (EventKind::Succeeded, Level::Info, "operation succeeded after retry"),
        (EventKind::Retrying, Level::Warn, "operation failed, retrying"),
        (EventKind::NetworkDown, Level::Warn, "network is down, waiting for network to recover"),
        (EventKind::NetworkRecovered, Level::Info, "network recovered, retrying operation"),
        (
            EventKind::Ended(End::NonRetryable),
            Level::Warn,
            "operation failed with non-retryable error",
        ),
        (
            EventKind::Ended(End::AttemptsExhausted),
            Level::Error,
            "operation failed after max attempts",
        ),
    ] {
        assert_eq!((kind.level(), kind.message()), (level, message));
    }
}

/// Counts how often somebody looks at it.
#[derive(Debug, Default)]
struct CountingClock {
    looks: AtomicU32,
}

impl Clock for CountingClock {
    fn now(&self) -> Instant {
        self.looks.fetch_add(1, Ordering::SeqCst);
        Instant::now()
    }

    fn sleep(&self, _: Duration) -> Sleep {
        Box::pin(std::future::ready(()))
    }
}

#[tokio::test]
async fn rule_14_a_first_success_does_not_look_at_the_clock() {
    let clock = Arc::new(CountingClock::default());
    let retryer = plain_retryer().clock(clock.clone());
    let ok = || Ok::<_, io::Error>(());
    retryer.run("call", |_| async { ok() }).await.unwrap();
    retryer.run_blocking("call", |_| ok()).unwrap();
    retryer.call("call").run(|_| async { ok() }).await.unwrap();
    retryer.call("call").attempt_timeout(SECOND).run_blocking(|_| ok()).unwrap();
    assert_eq!(clock.looks.load(Ordering::SeqCst), 0);
    // What limits an attempt has to know when it began.
    retryer.call("call").attempt_timeout(SECOND).run(|_| async { ok() }).await.unwrap();
    assert_eq!(clock.looks.load(Ordering::SeqCst), 1);
    retryer.call("call").deadline(SECOND).run(|_| async { ok() }).await.unwrap();
    assert_ne!(clock.looks.load(Ordering::SeqCst), 1);
}

#[test]
fn rule_14_a_retryer_is_small() {
    assert!(size_of::<Retryer>() <= 200, "{}", size_of::<Retryer>());
    assert_eq!(size_of::<persevere::RetryError<io::Error>>(), size_of::<usize>());
}

#[tokio::test(start_paused = true)]
async fn rule_14_nothing_happens_before_the_future_is_polled() {
    let mut calls = 0;
    let retryer = plain_retryer();
    drop(retryer.run("call", |_| {
        calls += 1;
        async { Ok::<_, io::Error>(()) }
    }));
    assert_eq!(calls, 0);
}

#[tokio::test(start_paused = true)]
async fn rule_15_futures_can_be_spawned_and_borrow() {
    let retryer = plain_retryer();
    let (name, data) = (format!("upload {}", 7), vec![1_u8; 3]);
    let length = retryer.run(&name, |_| async { Ok::<_, io::Error>(data.len()) }).await;
    assert_eq!(length.unwrap(), 3);

    let spawned = tokio::spawn(async move {
        let call = retryer.call("call").deadline(SECOND * 60).rule(|_: &io::Error| None);
        let before = call.run(|_| async { Err::<(), _>(reset()) }).await.is_err();
        before && retryer.run("call", |_| async { Err::<(), _>(reset()) }).await.is_err()
    });
    assert!(spawned.await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn rule_16_a_seeded_retryer_waits_what_its_policy_shows() {
    let started = tokio::time::Instant::now();
    let policy = RetryPolicy::aggressive();
    let retryer = Retryer::new(policy).seed(42);
    let mut at = Vec::new();
    let result = retryer
        .run("call", |_| {
            at.push(started.elapsed());
            async { Err::<(), _>(reset()) }
        })
        .await;
    assert!(result.is_err());
    let waited = at.windows(2).map(|pair| pair[1] - pair[0]);
    // Tokio's clock ticks in milliseconds, and never wakes early.
    let shown: Vec<Duration> = policy.delays(42).collect();
    assert_eq!(waited.len(), shown.len());
    for (waited, shown) in waited.zip(shown) {
        assert!((shown..=shown + Duration::from_millis(2)).contains(&waited));
    }
}

#[test]
fn rule_16_calls_of_one_seed_do_not_share_a_sequence() {
    let clock = Arc::new(persevere::clock::VirtualClock::new());
    let retryer = Retryer::new(RetryPolicy::balanced()).clock(clock.clone()).seed(7);
    drop(retryer.run_blocking("one", |_| Err::<(), _>(reset())));
    drop(retryer.clone().run_blocking("two", |_| Err::<(), _>(reset())));
    let sleeps = clock.sleeps();
    assert_ne!(sleeps[..2], sleeps[2..]);
}

#[test]
fn rule_16_the_nth_call_that_fails_waits_the_same_whatever_succeeds_in_between() {
    let sleeps = |successes: u32| {
        let clock = Arc::new(persevere::clock::VirtualClock::new());
        let retryer = Retryer::new(RetryPolicy::balanced()).clock(clock.clone()).seed(7);
        for _ in 0..2 {
            for _ in 0..successes {
                retryer.run_blocking("succeeds", |_| Ok::<_, io::Error>(())).unwrap();
            }
            drop(retryer.run_blocking("fails", |_| Err::<(), _>(reset())));
        }
        clock.sleeps()
    };
    assert_eq!(sleeps(0), sleeps(3));
    assert!(RetryPolicy::balanced().delays(7).eq(sleeps(3).into_iter().take(2)));
}

#[tokio::test(start_paused = true)]
async fn the_one_off_form_retries() {
    let mut calls = 0;
    let result = (|| {
        calls += 1;
        let done = calls == 3;
        async move { if done { Ok(()) } else { Err(reset()) } }
    })
    .retry(RetryPolicy::balanced())
    .await;
    assert!(result.is_ok());
    assert_eq!(calls, 3);

    let policy = RetryPolicy::builder().initial_delay(Duration::ZERO).build().unwrap();
    let error = (|| Err::<(), _>(reset())).retry_blocking(policy).unwrap_err();
    assert_eq!(error.attempts(), 3);
}
