//! A crowd of calls that wait for the network, and how they come back when it has recovered.

use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use persevere::{NetworkMonitor, NetworkState, RetryPolicy, Retryer};
use tokio::runtime::{Builder, Runtime};
use tokio::time::{Instant, sleep};

use crate::allocations;

/// In which a crowd must not come back all at once.
pub const WINDOW: Duration = Duration::from_millis(10);
/// How much of it may come back in one.
pub const MOST_IN_A_WINDOW: f64 = 0.02;
/// How long a crowd may take to come back.
pub const LONGEST: Duration = Duration::from_secs(35);
/// How much memory one of it may take, with its task.
pub const MOST_BYTES: f64 = 700.0;

/// Longer than the first delay, which lies between attempts in any case.
const OUTAGE: Duration = Duration::from_millis(1_500);

/// What came out.
#[derive(Debug)]
pub struct Outcome {
    /// Memory of one who waits: its task, with the call in it, its place in the queue and its timer.
    pub bytes_each: f64,
    /// The part of it that is the future of the call.
    pub future: usize,
    /// When they came back, after the recovery, in order.
    pub back: Vec<Duration>,
    /// How many never did.
    pub lost: usize,
}

impl Outcome {
    /// The largest part of them that came back within any [`WINDOW`].
    pub fn busiest(&self) -> f64 {
        let (mut first, mut most) = (0, 0);
        for (last, at) in self.back.iter().enumerate() {
            while *at - self.back[first] >= WINDOW {
                first += 1;
            }
            most = most.max(last + 1 - first);
        }
        most as f64 / self.back.len() as f64
    }

    /// When the last one came back.
    pub fn last(&self) -> Duration {
        self.back.last().copied().unwrap_or_default()
    }
}

/// Who has come back, and when.
type Ledger = Mutex<Vec<Instant>>;

/// Lets this many calls fail, wait for the network, and come back, each in a task. `set` is told what
/// `monitor` shall say.
///
/// # Panics
///
/// When the operating system has nothing left for a runtime.
pub fn crowd(
    count: usize,
    monitor: Arc<impl NetworkMonitor + 'static>,
    set: impl Fn(NetworkState),
    virtual_time: bool,
) -> Outcome {
    let runtime = Builder::new_current_thread().enable_time().start_paused(virtual_time).build();
    let runtime = runtime.expect("a runtime of one thread");
    let policy = RetryPolicy::builder().wait_for_network(true).build();
    let retryer = Retryer::new(policy.expect("a good policy")).network_monitor(monitor.clone());
    // As long as the program, as it would in a `static`.
    let retryer: &'static Retryer = Box::leak(Box::new(retryer));
    let ledger = Arc::new(Ledger::new(Vec::with_capacity(count)));
    set(NetworkState::Down);
    // What the runtime sets up once is not theirs.
    runtime.block_on(async { sleep(Duration::from_millis(1)).await });
    let bytes = allocations::bytes_left_by(|| {
        runtime.block_on(spawn_all(&runtime, count, retryer, &ledger, monitor.gate()));
    });
    let recovered = runtime.block_on(async {
        sleep(OUTAGE).await;
        set(NetworkState::Up);
        let recovered = Instant::now();
        while lock(&ledger).len() < count && recovered.elapsed() < 2 * LONGEST {
            sleep(Duration::from_millis(50)).await;
        }
        recovered
    });
    let mut back: Vec<_> = lock(&ledger).iter().map(|at| *at - recovered).collect();
    back.sort_unstable();
    Outcome {
        bytes_each: bytes as f64 / count as f64,
        future: size_of_val(&call(retryer, &ledger)),
        lost: count - back.len(),
        back,
    }
}

/// Returns when all wait.
async fn spawn_all(
    runtime: &Runtime,
    count: usize,
    retryer: &'static Retryer,
    ledger: &Arc<Ledger>,
    gate: &persevere::NetworkGate,
) {
    for number in 0..count {
        let ledger = Arc::clone(ledger);
        runtime.spawn(async move { call(retryer, &ledger).await });
        // The queue of those that have yet to begin is not what is measured.
        if number % 128 == 0 {
            tokio::task::yield_now().await;
        }
    }
    while gate.waiting() < count {
        tokio::task::yield_now().await;
    }
}

/// The first attempt finds no network, the second one finds it.
async fn call(retryer: &Retryer, ledger: &Ledger) {
    let mut first = true;
    let operation = |_| {
        let first = std::mem::take(&mut first);
        async move {
            if first {
                return Err(io::Error::from(ErrorKind::NetworkUnreachable));
            }
            lock(ledger).push(Instant::now());
            Ok(())
        }
    };
    _ = retryer.run("operation", operation).await;
}

fn lock(ledger: &Ledger) -> std::sync::MutexGuard<'_, Vec<Instant>> {
    ledger.lock().unwrap_or_else(PoisonError::into_inner)
}
