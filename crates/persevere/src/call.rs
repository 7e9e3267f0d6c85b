//! The options of one call.

use std::fmt;
use std::future::Future;
use std::time::{Duration, Instant};

use crate::as_error::AsError;
use crate::attempt::Attempt;
use crate::cancel::CancellationToken;
use crate::error::RetryError;
use crate::options::{CallerRule, Chosen, NoRule, RetryIf, Rule};
use crate::retryer::Retryer;
use crate::run::Run;
use crate::run_async::RunAsync;
use crate::run_blocking::run_blocking;
use crate::verdict::Verdict;

/// One call with options of its own; made by [`Retryer::call`].
///
/// ```
/// use std::time::Duration;
/// use persevere::{CancellationToken, RetryError, Retryer};
///
/// # async fn upload(part: u32) -> std::io::Result<u64> { Ok(u64::from(part)) }
/// # async fn example(token: CancellationToken) -> Result<(), RetryError<std::io::Error>> {
/// let sent = Retryer::default()
///     .call("upload part 7")
///     .deadline(Duration::from_secs(600))
///     .attempt_timeout(Duration::from_secs(30))
///     .cancel_on(token)
///     .run(|_| upload(7))
///     .await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a call does nothing until `run` or `run_blocking`"]
pub struct Call<'a, R = NoRule> {
    retryer: &'a Retryer,
    name: &'a str,
    options: Chosen<R>,
}

impl<'a> Call<'a> {
    #[inline]
    pub(crate) fn new(retryer: &'a Retryer, name: &'a str) -> Self {
        Self { retryer, name, options: Chosen::nothing() }
    }

    /// Errors for which `retryable` says yes are retried; for the others detection decides, as
    /// always.
    ///
    /// All else that is known of the error still counts, as with a mark: the wait that the server
    /// asks for, the kind, whether an answer came back, whether the server did not act.
    ///
    /// ```
    /// use persevere::{RetryPolicy, Retryer};
    ///
    /// #[derive(Debug)]
    /// struct Busy;
    /// impl std::fmt::Display for Busy {
    ///     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
    ///         f.write_str("permission denied, for now")
    ///     }
    /// }
    /// impl std::error::Error for Busy {}
    ///
    /// let policy = RetryPolicy::builder().initial_delay(std::time::Duration::ZERO).build()?;
    /// let retryer = Retryer::new(policy);
    /// let call = retryer.call("poll").retry_if(|_: &Busy| true);
    /// assert_eq!(call.run_blocking(|_| Err::<(), _>(Busy)).unwrap_err().attempts(), 3);
    /// # Ok::<(), persevere::PolicyError>(())
    /// ```
    pub fn retry_if<E, F: Fn(&E) -> bool>(self, retryable: F) -> Call<'a, RetryIf<F>> {
        let options = self.options.with_rule(RetryIf(retryable));
        Call { retryer: self.retryer, name: self.name, options }
    }

    /// A rule of your own, asked before detection: `Some` decides, `None` leaves it to detection.
    ///
    /// Its verdict stands as it is: detection adds nothing to it. A rule that wants to honour a
    /// Retry-After says so by [`Verdict::with_hint`]; to change no more than whether to retry, use
    /// [`retry_if`](Self::retry_if), or start from [`detect::error`](crate::detect::error).
    ///
    /// It is asked after every failure, and about the last one again if the call ends later than by
    /// that failure: in a wait, or in an attempt that hangs. So it should answer by the error alone.
    ///
    /// ```
    /// use persevere::{Kind, Retryer, Verdict};
    ///
    /// let retryer = Retryer::default();
    /// let call = retryer.call("query").rule(|error: &std::io::Error| match error.raw_os_error() {
    ///     Some(5) => Some(Verdict::stop(Kind::Other, "disk.broken")),
    ///     _ => None,
    /// });
    /// # drop(call);
    /// ```
    pub fn rule<E, F: Fn(&E) -> Option<Verdict>>(self, rule: F) -> Call<'a, CallerRule<F>> {
        let options = self.options.with_rule(CallerRule(rule));
        Call { retryer: self.retryer, name: self.name, options }
    }
}

impl<'a, R> Call<'a, R> {
    /// How long the whole call may take, waits included. An async attempt in flight at the deadline
    /// is dropped; a wait that would pass it is not begun.
    #[inline]
    pub fn deadline(mut self, after: Duration) -> Self {
        self.options.deadline_after = Some(after);
        self
    }

    /// The same as a point in time of the retryer's clock, for several calls that share one.
    #[inline]
    pub fn deadline_at(mut self, at: Instant) -> Self {
        self.options.deadline = Some(at);
        self
    }

    /// How long one attempt may take, from its start. Longer is a failure like any other, and is
    /// retried.
    ///
    /// A blocking attempt cannot be interrupted: give [`Attempt::limit`] to what it calls.
    #[inline]
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.options.attempt_timeout = Some(timeout);
        self
    }

    /// Ends the call when `token` is cancelled. A call listens to one token: said twice, the last
    /// one counts. Where several can end it, have all of them cancel one that is the call's own.
    #[inline]
    pub fn cancel_on(mut self, token: CancellationToken) -> Self {
        self.options.cancelled = Some(token.cancelled());
        self
    }

    /// Whether doing it twice is as good as doing it once. Default: yes.
    ///
    /// With `false` it is repeated only after an error which proves that the server did not act:
    /// connection refused, name not resolved, HTTP 429, HTTP 503 with Retry-After, and your own
    /// verdicts with [`Verdict::with_unprocessed`] and marks by [`transient`](crate::transient) and
    /// [`retry_after`](crate::retry_after()).
    #[inline]
    pub fn idempotent(mut self, idempotent: bool) -> Self {
        self.options.idempotent = idempotent;
        self
    }

    /// Runs the operation until it succeeds, or until the policy, an error, the deadline, the
    /// budget or somebody else ends it.
    ///
    /// Nothing happens before the future is polled. Dropping it cancels the call. When it ends, so
    /// has every attempt: one in flight is dropped by then.
    ///
    /// # Errors
    ///
    /// A [`RetryError`] with the operation's last error.
    ///
    /// # Panics
    ///
    /// Panics of the operation go through. Without a [`clock`](Retryer::clock), waiting inside a
    /// tokio runtime that was built without `enable_time` panics, in tokio. Polling the future
    /// after it has ended panics, as with any async function.
    #[inline]
    pub fn run<T, E, Via, F, Attempted>(
        self,
        operation: F,
    ) -> impl Future<Output = Result<T, RetryError<E>>> + use<'a, T, E, Via, F, Attempted, R>
    where
        E: AsError<Via>,
        R: Rule<E>,
        F: FnMut(Attempt) -> Attempted,
        Attempted: Future<Output = Result<T, E>>,
    {
        RunAsync::new(Run::new(self.retryer, self.name, self.options), operation)
    }

    /// The same on this thread, without a runtime: waits block it.
    ///
    /// An attempt runs to its end, also past the deadline or a cancellation, which take effect when
    /// it returns.
    ///
    /// # Errors
    ///
    /// A [`RetryError`] with the operation's last error.
    ///
    /// # Panics
    ///
    /// Panics of the operation go through.
    ///
    /// ```
    /// use persevere::Retryer;
    ///
    /// let text = Retryer::default()
    ///     .call("read configuration")
    ///     .run_blocking(|_| std::fs::read_to_string("Cargo.toml"))?;
    /// # Ok::<(), persevere::RetryError<std::io::Error>>(())
    /// ```
    #[inline]
    pub fn run_blocking<T, E, Via, F>(self, operation: F) -> Result<T, RetryError<E>>
    where
        E: AsError<Via>,
        R: Rule<E>,
        F: FnMut(Attempt) -> Result<T, E>,
    {
        run_blocking(Run::new(self.retryer, self.name, self.options), operation)
    }
}

impl<R> fmt::Debug for Call<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("name", &self.name)
            .field("deadline_after", &self.options.deadline_after)
            .field("deadline", &self.options.deadline)
            .field("attempt_timeout", &self.options.attempt_timeout)
            .field("idempotent", &self.options.idempotent)
            .finish_non_exhaustive()
    }
}
