//! A crowd of operations that wait in backoff at once: how much memory each takes, and whether all
//! of them come back, none too early.
//!
//! Each operation fails once, waits, and succeeds, in a task of its own on a runtime of one thread
//! whose clock is paused: all fail in the same instant of virtual time, and the waits take no real
//! time. The tasks are the same around everybody's retry.

use std::future::{Future, Ready, ready};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use backon::Retryable;
use persevere::{RetryPolicy, Retryer};
use tokio::runtime::{Builder, Runtime};
use tokio::time::Instant;
use tokio_retry2::strategy::jitter;
use tokio_retry2::{MapErr, Retry};

use crate::allocations;
use crate::first_success::{backon_policy, tokio_retry2_policy};
use crate::operation::{FIRST_DELAY, by_hand, reset};

/// What came of a crowd.
#[derive(Debug, Clone, Copy)]
pub struct Outcome {
    /// The bytes that one operation held while it waited, its task included.
    pub bytes_each: f64,
    /// How many came back before the shortest delay had passed.
    pub early: u64,
    /// How many never came back.
    pub lost: u64,
    /// Real time from the first spawn to the last success.
    pub wall: Duration,
}

/// What all operations of a crowd write to.
struct Ledger {
    start: Instant,
    /// No delay is shorter, jitter included.
    shortest: Duration,
    failed: AtomicU64,
    early: AtomicU64,
    done: AtomicU64,
}

impl Ledger {
    /// An operation that fails once.
    fn operation(self: &Arc<Self>) -> impl FnMut() -> Ready<io::Result<()>> + Send + use<> {
        let (ledger, mut failed) = (Arc::clone(self), false);
        move || {
            if failed {
                ledger.note_return();
                return ready(Ok(()));
            }
            failed = true;
            ledger.failed.fetch_add(1, Ordering::Relaxed);
            ready(Err(reset()))
        }
    }

    fn note_return(&self) {
        if self.start.elapsed() < self.shortest {
            self.early.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn note_end(&self, success: bool) {
        self.done.fetch_add(success.into(), Ordering::Relaxed);
    }
}

/// Ours. The retryer lives as long as the program, as it would in a `static`.
pub fn ours(count: u64, policy: RetryPolicy) -> Outcome {
    let retryer: &'static Retryer = Box::leak(Box::new(Retryer::new(policy)));
    let shortest = *policy.delay_bounds(1).start();
    crowd(count, shortest, |ledger| async move {
        let mut operation = ledger.operation();
        let result = retryer.run("operation", |_| operation()).await;
        ledger.note_end(result.is_ok());
    })
}

/// backon. Its jitter only ever adds.
pub fn backon(count: u64) -> Outcome {
    crowd(count, FIRST_DELAY, |ledger| async move {
        let result = ledger.operation().retry(backon_policy()).await;
        ledger.note_end(result.is_ok());
    })
}

/// tokio-retry2. Its jitter is ±50 %.
pub fn tokio_retry2(count: u64) -> Outcome {
    crowd(count, FIRST_DELAY / 2, |ledger| async move {
        let mut operation = ledger.operation();
        let operation = || ready(operation().into_inner().map_transient_err());
        let delays = tokio_retry2_policy().map(jitter).take(2);
        let result = Retry::spawn(delays, operation).await;
        ledger.note_end(result.is_ok());
    })
}

/// The loop by hand.
pub fn by_loop(count: u64) -> Outcome {
    crowd(count, FIRST_DELAY, |ledger| async move {
        let result = by_hand(ledger.operation()).await;
        ledger.note_end(result.is_ok());
    })
}

fn crowd<Task>(count: u64, shortest: Duration, task: impl Fn(Arc<Ledger>) -> Task) -> Outcome
where
    Task: Future<Output = ()> + Send + 'static,
{
    let begun = std::time::Instant::now();
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.expect("a runtime of one thread");
    let ledger = Arc::new(Ledger {
        start: runtime.block_on(async { Instant::now() }),
        shortest,
        failed: AtomicU64::new(0),
        early: AtomicU64::new(0),
        done: AtomicU64::new(0),
    });
    let bytes = allocations::bytes_left_by(|| {
        runtime.block_on(spawn_all(&runtime, count, &ledger, task));
    });
    runtime.block_on(until_done(count, &ledger));
    Outcome {
        bytes_each: bytes as f64 / count as f64,
        early: ledger.early.load(Ordering::Relaxed),
        lost: count - ledger.done.load(Ordering::Relaxed),
        wall: begun.elapsed(),
    }
}

/// Returns when all have failed and none has come back.
async fn spawn_all<Task>(
    runtime: &Runtime,
    count: u64,
    ledger: &Arc<Ledger>,
    task: impl Fn(Arc<Ledger>) -> Task,
) where
    Task: Future<Output = ()> + Send + 'static,
{
    for number in 0..count {
        runtime.spawn(task(Arc::clone(ledger)));
        // The queue of those that have yet to begin is not what is measured.
        if number % 128 == 0 {
            tokio::task::yield_now().await;
        }
    }
    while ledger.failed.load(Ordering::Relaxed) < count {
        tokio::task::yield_now().await;
    }
    assert_eq!(ledger.start.elapsed(), Duration::ZERO, "the clock is paused");
}

/// Returns when all are done, or else a minute later than the last should have been.
async fn until_done(count: u64, ledger: &Ledger) {
    let late = ledger.start + 10 * FIRST_DELAY + Duration::from_secs(60);
    while ledger.done.load(Ordering::Relaxed) < count && Instant::now() < late {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
