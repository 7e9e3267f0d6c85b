//! A retry budget: retries stop when too many calls fail, so that a server in trouble is not
//! drowned by its own clients.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::verdict::Kind;

/// A token bucket that several retryers can share.
///
/// Every retry takes tokens before it waits; a retry that succeeds gives them back, and so does one
/// that never came to its end because the call was dropped, cancelled, or panicked. One that hangs
/// until the deadline has failed. A first attempt that succeeds adds one. An empty bucket ends a call with [`End::BudgetExhausted`](crate::End), while first
/// attempts are always made: they are what fills it again.
///
/// The constants are those of the AWS SDKs' standard retry mode ([source]): 500 tokens, 5 for a
/// retry, 10 after a timeout, 1 back for a first success. So about 100 retries may fail in a row
/// before clients stop retrying; after that one retry is allowed per five successes. gRPC
/// (`retryThrottling`, gRFC A6) and Finagle (`RetryBudget`) bound retries by the share of successes
/// in the same way.
///
/// [source]: https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
///
/// ```
/// use persevere::{RetryBudget, Retryer};
///
/// let budget = RetryBudget::new();
/// let reads = Retryer::default().budget(budget.clone());
/// let writes = Retryer::default().budget(budget.clone());
/// assert_eq!(budget.available(), 500);
/// # drop((reads, writes));
/// ```
#[derive(Debug, Clone)]
pub struct RetryBudget {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    tokens: AtomicU32,
    capacity: u32,
}

const CAPACITY: u32 = 500;

impl RetryBudget {
    /// A full bucket of 500 tokens.
    pub fn new() -> Self {
        Self::with_capacity(CAPACITY)
    }

    /// A full bucket of another size, in tokens; a retry costs 5, after a timeout 10. Below 5 it
    /// allows no retry at all.
    pub fn with_capacity(capacity: u32) -> Self {
        Self { shared: Arc::new(Shared { tokens: AtomicU32::new(capacity), capacity }) }
    }

    /// How many tokens are left.
    pub fn available(&self) -> u32 {
        self.shared.tokens.load(Ordering::Relaxed)
    }

    /// Takes what a retry after this failure costs, or nothing if there is not enough. Whoever took
    /// it gives it back by [`refund`](Self::refund) unless the retry was made and failed.
    pub(crate) fn acquire(&self, kind: Kind) -> Option<Tokens> {
        let cost = if kind == Kind::Timeout { Tokens::Timeout } else { Tokens::Retry };
        let take = |tokens: u32| tokens.checked_sub(cost as u32);
        let taken = self.shared.tokens.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        taken.is_ok().then_some(cost)
    }

    pub(crate) fn first_success(&self) {
        self.refund(Tokens::FirstSuccess);
    }

    pub(crate) fn refund(&self, tokens: Tokens) {
        let Shared { tokens: bucket, capacity } = &*self.shared;
        let tokens = tokens as u32;
        // A full bucket is the usual case: one read, no write that other cores would have to see.
        let add = |now: u32| (now < *capacity).then(|| now.saturating_add(tokens).min(*capacity));
        let _full = bucket.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self::new()
    }
}

/// Tokens taken out of a budget, or put in: how many, and for what.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Tokens {
    FirstSuccess = 1,
    Retry = 5,
    Timeout = 10,
}
