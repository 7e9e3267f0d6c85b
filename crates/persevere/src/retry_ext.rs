//! The one-off form: `operation.retry(policy)`.

use std::future::Future;

use crate::as_error::AsError;
use crate::error::RetryError;
use crate::policy::RetryPolicy;
use crate::retryer::Retryer;

/// The operation's name in logs and errors, where the caller gave none.
const NAME: &str = "operation";

/// Retries an async closure once and for all, without a [`Retryer`].
///
/// For a name in the logs, a deadline and everything else, use [`Retryer::call`].
///
/// ```
/// use persevere::{RetryExt, RetryPolicy};
///
/// # async fn fetch(url: &str) -> std::io::Result<String> { Ok(url.to_owned()) }
/// # async fn example() -> Result<(), persevere::RetryError<std::io::Error>> {
/// let page = (|| fetch("https://example.org")).retry(RetryPolicy::aggressive()).await?;
/// # Ok(())
/// # }
/// ```
pub trait RetryExt<T, E, Via, Attempted>: FnMut() -> Attempted + Sized
where
    E: AsError<Via>,
    Attempted: Future<Output = Result<T, E>>,
{
    /// Calls the closure until it succeeds, or the policy or the error ends it.
    ///
    /// # Errors
    ///
    /// A [`RetryError`] with the closure's last error.
    fn retry(mut self, policy: RetryPolicy) -> impl Future<Output = Result<T, RetryError<E>>> {
        async move { Retryer::new(policy).run(NAME, move |_| self()).await }
    }
}

impl<F, T, E, Via, Attempted> RetryExt<T, E, Via, Attempted> for F
where
    F: FnMut() -> Attempted,
    E: AsError<Via>,
    Attempted: Future<Output = Result<T, E>>,
{
}

/// Retries a blocking closure once and for all, without a [`Retryer`].
///
/// ```
/// use persevere::{RetryBlockingExt, RetryPolicy};
///
/// let manifest = (|| std::fs::read("Cargo.toml")).retry_blocking(RetryPolicy::conservative())?;
/// # Ok::<(), persevere::RetryError<std::io::Error>>(())
/// ```
pub trait RetryBlockingExt<T, E, Via>: FnMut() -> Result<T, E> + Sized
where
    E: AsError<Via>,
{
    /// Calls the closure until it succeeds, or the policy or the error ends it. Waits block the
    /// thread.
    ///
    /// # Errors
    ///
    /// A [`RetryError`] with the closure's last error.
    fn retry_blocking(mut self, policy: RetryPolicy) -> Result<T, RetryError<E>> {
        Retryer::new(policy).run_blocking(NAME, move |_| self())
    }
}

impl<F, T, E, Via> RetryBlockingExt<T, E, Via> for F
where
    F: FnMut() -> Result<T, E>,
    E: AsError<Via>,
{
}
