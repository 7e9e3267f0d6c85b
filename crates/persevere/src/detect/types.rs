//! What the type of one error in a chain says; one file per library.

mod io;

use std::error::Error;

use super::evidence::Evidence;

/// Asks every library whose types we know.
pub(super) fn judge(error: &(dyn Error + 'static)) -> Option<Evidence> {
    if let Some(error) = error.downcast_ref::<std::io::Error>() {
        return io::judge(error);
    }
    #[cfg(feature = "http")]
    if let Some(error) = error.downcast_ref::<crate::http::HttpStatusError>() {
        return Some(Evidence::new(super::evidence::Rank::Code, error.verdict()));
    }
    None
}
