//! Which error types an operation may return.

use std::error::Error;

/// What an operation may fail with: any `'static` [`std::error::Error`], `Box<dyn Error>` in its
/// three usual forms, and `anyhow::Error` (feature `anyhow`).
///
/// `Via` only keeps these apart for the compiler; it is always inferred. For a type of your own
/// that is not a `std::error::Error`, implement it with a type of your own in that place:
///
/// ```
/// use std::error::Error;
/// use persevere::{AsError, Retryer};
///
/// struct Report(std::io::Error);
/// struct ViaReport;
///
/// impl AsError<ViaReport> for Report {
///     fn as_error(&self) -> &(dyn Error + 'static) {
///         &self.0
///     }
/// }
///
/// let result = Retryer::default().run_blocking("look up", |_| {
///     Err::<(), _>(Report(std::io::ErrorKind::NotFound.into()))
/// });
/// assert_eq!(result.unwrap_err().attempts(), 1);
/// ```
#[diagnostic::on_unimplemented(
    message = "an operation cannot fail with `{Self}`",
    label = "this is not an error type that a retry can look into",
    note = "use a type that implements `std::error::Error`, `Box<dyn Error + Send + Sync>`, or \
            `anyhow::Error` with the feature `anyhow`",
    note = "a plain message becomes one by `.map_err(Box::<dyn Error + Send + Sync>::from)`"
)]
pub trait AsError<Via = ViaError> {
    /// The error, for detection to look into.
    fn as_error(&self) -> &(dyn Error + 'static);
}

/// The `Via` of error types.
#[derive(Debug)]
pub struct ViaError;

/// The `Via` of boxes.
#[derive(Debug)]
pub struct ViaBox;

impl<E: Error + 'static> AsError<ViaError> for E {
    fn as_error(&self) -> &(dyn Error + 'static) {
        self
    }
}

impl AsError<ViaBox> for Box<dyn Error + Send + Sync> {
    fn as_error(&self) -> &(dyn Error + 'static) {
        &**self
    }
}

impl AsError<ViaBox> for Box<dyn Error + Send> {
    fn as_error(&self) -> &(dyn Error + 'static) {
        &**self
    }
}

impl AsError<ViaBox> for Box<dyn Error> {
    fn as_error(&self) -> &(dyn Error + 'static) {
        &**self
    }
}

/// The `Via` of `anyhow::Error`.
#[cfg(feature = "anyhow")]
#[derive(Debug)]
pub struct ViaAnyhow;

#[cfg(feature = "anyhow")]
impl AsError<ViaAnyhow> for anyhow::Error {
    fn as_error(&self) -> &(dyn Error + 'static) {
        let error: &(dyn Error + 'static) = self.as_ref();
        error
    }
}
