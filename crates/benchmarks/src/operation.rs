//! The operation that is retried, and the loop that one would write by hand.
//!
//! The loop by hand is what everything else is measured against, so it does what such loops do: it
//! counts attempts, asks whether the error is worth another try, sleeps, and doubles the delay.

use std::future::Future;
use std::hint::black_box;
use std::io::{self, ErrorKind};
use std::time::Duration;

/// How often everybody tries.
pub const ATTEMPTS: u32 = 3;
/// Everybody's first delay.
pub const FIRST_DELAY: Duration = Duration::from_secs(1);
/// Nobody's delay grows past this.
pub const MAX_DELAY: Duration = Duration::from_secs(30);

/// Succeeds for everything but 0. The black box keeps the compiler from knowing that.
///
/// # Errors
///
/// A connection reset, for 0.
#[inline]
pub fn operation(input: u64) -> io::Result<u64> {
    match black_box(input) {
        0 => Err(reset()),
        input => Ok(input),
    }
}

/// The same as a future.
///
/// # Errors
///
/// A connection reset, for 0.
#[inline]
pub async fn operation_async(input: u64) -> io::Result<u64> {
    operation(input)
}

/// An error that everybody retries. It allocates nothing.
pub fn reset() -> io::Error {
    ErrorKind::ConnectionReset.into()
}

fn is_worth_retrying(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionReset | ErrorKind::ConnectionRefused | ErrorKind::TimedOut
    )
}

/// The loop by hand, async.
///
/// # Errors
///
/// The operation's last error.
#[inline]
pub async fn by_hand<T, Attempted>(mut operation: impl FnMut() -> Attempted) -> io::Result<T>
where
    Attempted: Future<Output = io::Result<T>>,
{
    let mut delay = FIRST_DELAY;
    let mut attempt = 1;
    loop {
        match operation().await {
            Ok(value) => return Ok(value),
            Err(error) if attempt >= ATTEMPTS || !is_worth_retrying(&error) => return Err(error),
            Err(_) => {
                tokio::time::sleep(delay).await;
                delay = (delay * 2).min(MAX_DELAY);
                attempt += 1;
            }
        }
    }
}

/// The loop by hand, blocking.
///
/// # Errors
///
/// The operation's last error.
#[inline]
pub fn by_hand_blocking<T>(mut operation: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    let mut delay = FIRST_DELAY;
    let mut attempt = 1;
    loop {
        match operation() {
            Ok(value) => return Ok(value),
            Err(error) if attempt >= ATTEMPTS || !is_worth_retrying(&error) => return Err(error),
            Err(_) => {
                std::thread::sleep(delay);
                delay = (delay * 2).min(MAX_DELAY);
                attempt += 1;
            }
        }
    }
}
