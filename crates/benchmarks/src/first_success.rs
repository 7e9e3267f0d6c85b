//! A call that succeeds at the first attempt: the case that a retry must not slow down.
//!
//! The operation, its input and its error are the same for all, and so are the numbers of the
//! policies, which are made once, outside of the loop, as far as each library's interface allows.
//! (backon takes its policy by reference, and makes its state of it, a random seed included, in each
//! call; tokio-retry2 takes an iterator of delays, which is cloned for each call.)

use std::time::Duration;

use backon::ExponentialBuilder;
use persevere::{RetryPolicy, Retryer};
use tokio::runtime::{Builder, Runtime};
use tokio_retry2::strategy::{ExponentialBackoff, jitter};

use crate::operation::{ATTEMPTS, FIRST_DELAY, MAX_DELAY};

pub mod awaited;
pub mod blocking;
pub mod polled;

/// What everything is compared with: [`crate::operation::by_hand`].
pub const LOOP: &str = "loop by hand";
/// Ours.
pub const OURS: &str = "persevere";
/// Ours with an option, which makes it look at the clock.
pub const DEADLINE: &str = "persevere, with a deadline";
/// A peer.
pub const BACKON: &str = "backon";
/// A peer. It has no blocking form.
pub const TOKIO_RETRY2: &str = "tokio-retry2";

/// A way to make the call.
pub struct Variant {
    /// One of the names above.
    pub name: &'static str,
    /// Makes the call this often.
    pub repeat: fn(&Setup, u64),
}

/// The same call in all ways.
pub struct Form {
    /// The name, for the table and for the program that callgrind runs.
    pub name: &'static str,
    /// The ways.
    pub variants: &'static [Variant],
}

/// Where a call is made from.
pub const FORMS: [Form; 3] = [
    Form { name: "async, polled by hand", variants: &polled::VARIANTS },
    Form { name: "async, awaited in a task", variants: &awaited::VARIANTS },
    Form { name: "blocking", variants: &blocking::VARIANTS },
];

/// What exists before the first call: everybody's policy, with the same numbers.
pub struct Setup {
    retryer: Retryer,
    backon: ExponentialBuilder,
    tokio_retry2: ExponentialBackoff,
    runtime: Runtime,
}

impl Setup {
    /// Everything, ready.
    ///
    /// # Panics
    ///
    /// When the operating system has nothing left for a runtime.
    pub fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_time().build();
        Self {
            retryer: Retryer::new(RetryPolicy::balanced()),
            backon: backon_policy(),
            tokio_retry2: tokio_retry2_policy(),
            runtime: runtime.expect("a runtime of one thread"),
        }
    }

    fn tokio_retry2_delays(&self) -> impl Iterator<Item = Duration> + use<> {
        self.tokio_retry2.clone().map(jitter).take(RETRIES)
    }
}

impl Default for Setup {
    fn default() -> Self {
        Self::new()
    }
}

const RETRIES: usize = ATTEMPTS as usize - 1;

/// The policy for backon.
pub const fn backon_policy() -> ExponentialBuilder {
    ExponentialBuilder::new()
        .with_jitter()
        .with_min_delay(FIRST_DELAY)
        .with_max_delay(MAX_DELAY)
        .with_max_times(RETRIES)
}

/// The policy for tokio-retry2: 2^n × 500 ms, which begins with 1 s.
pub const fn tokio_retry2_policy() -> ExponentialBackoff {
    ExponentialBackoff::from_millis(2).factor(500).max_delay(MAX_DELAY)
}
