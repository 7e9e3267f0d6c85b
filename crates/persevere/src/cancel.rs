//! Cancellation from outside, for async and blocking calls alike.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::sync::{AtomicBool, Ordering};
use crate::waiters::{Awaited, Place, Waiters};

/// Ends calls from outside: from another task, another thread, a signal handler's thread.
///
/// Clones are the same token. Give one to [`Call::cancel_on`](crate::Call::cancel_on); cancelling
/// ends a wait, a network pause and an async attempt in flight at once. A blocking attempt runs to
/// its end first.
///
/// ```
/// use persevere::{CancellationToken, End, Retryer};
///
/// let token = CancellationToken::new();
/// let in_operation = token.clone();
/// let result = Retryer::default().call("poll").cancel_on(token).run_blocking(|_| {
///     in_operation.cancel();
///     Err::<(), _>(std::io::Error::other("not yet"))
/// });
/// assert_eq!(result.unwrap_err().end(), End::Cancelled);
/// ```
#[derive(Debug, Clone, Default)]
pub struct CancellationToken {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    cancelled: AtomicBool,
    waiters: Waiters,
}

impl CancellationToken {
    /// A token that nobody has cancelled.
    pub fn new() -> Self {
        Self::default()
    }

    /// Cancels, for good. Doing it again changes nothing.
    pub fn cancel(&self) {
        self.shared.waiters.wake_all(|_| self.shared.cancelled.store(true, Ordering::SeqCst));
    }

    /// Whether somebody cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.shared.cancelled.load(Ordering::SeqCst)
    }

    /// Ends when somebody cancels.
    ///
    /// ```
    /// # async fn example(token: persevere::CancellationToken) {
    /// token.cancelled().await;
    /// # }
    /// ```
    pub fn cancelled(&self) -> Cancelled {
        Cancelled { place: Place::new(self.clone()) }
    }

    /// How many calls and [`cancelled`](Self::cancelled) futures wait for this token.
    pub fn waiting(&self) -> usize {
        self.shared.waiters.len()
    }
}

impl Awaited for CancellationToken {
    fn waiters(&self) -> &Waiters {
        &self.shared.waiters
    }

    fn happened(&self) -> bool {
        self.is_cancelled()
    }
}

/// Ends when its token is cancelled; see [`CancellationToken::cancelled`].
#[derive(Debug)]
#[must_use = "a future does nothing until it is awaited"]
pub struct Cancelled {
    place: Place<CancellationToken>,
}

impl Cancelled {
    pub(crate) fn is_cancelled(&self) -> bool {
        self.place.awaited().is_cancelled()
    }
}

impl Future for Cancelled {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.place.go_or_wait(context.waker(), None).map(|_| ())
    }
}
