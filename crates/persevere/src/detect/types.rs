//! What the type of one error in a chain says; one file per library.
//!
//! Each says how much its word counts. A documented code says more than a precise kind, and that says
//! more than a type that wraps many things, so that a wrapper never hides its cause.

#[cfg(feature = "h2")]
mod h2;
#[cfg(feature = "hyper")]
mod hyper;
mod io;
#[cfg(feature = "object_store")]
mod object_store;
#[cfg(feature = "reqwest")]
mod reqwest;
#[cfg(feature = "russh")]
mod russh;
#[cfg(feature = "rustls")]
mod rustls;
#[cfg(feature = "tokio")]
mod tokio;
#[cfg(feature = "tonic")]
mod tonic;

use std::error::Error;

use super::evidence::Evidence;

/// `std::io::Error`, by its kind and by the operating system's number.
pub(crate) use io::says_unreachable;

pub(super) fn io(error: &std::io::Error) -> Option<Evidence> {
    io::judge(error)
}

/// Asks every library whose types we know, but for `std::io::Error`, which the caller has looked for.
pub(super) fn judge(error: &(dyn Error + 'static)) -> Option<Evidence> {
    LIBRARIES.iter().find_map(|judge| judge(error))
}

type Judge = fn(&(dyn Error + 'static)) -> Option<Evidence>;

/// Each question costs a virtual call, so that the ones that most programs meet come first.
const LIBRARIES: &[Judge] = &[
    #[cfg(feature = "http")]
    http_status,
    #[cfg(feature = "reqwest")]
    reqwest::judge,
    #[cfg(feature = "hyper")]
    hyper::judge,
    #[cfg(feature = "tonic")]
    tonic::judge,
    #[cfg(feature = "h2")]
    h2::judge,
    #[cfg(feature = "rustls")]
    rustls::judge,
    #[cfg(feature = "object_store")]
    object_store::judge,
    #[cfg(feature = "russh")]
    russh::judge,
    #[cfg(feature = "tokio")]
    tokio::judge,
];

#[cfg(feature = "http")]
fn http_status(error: &(dyn Error + 'static)) -> Option<Evidence> {
    let error = error.downcast_ref::<crate::http::HttpStatusError>()?;
    Some(Evidence::new(super::evidence::Rank::Code, error.verdict()))
}

/// An error that its library holds where no chain of causes shows it, with what is inside.
#[cfg(any(feature = "h2", feature = "russh"))]
fn hidden_io(error: &std::io::Error) -> Option<Evidence> {
    let inside = || {
        let inside = error.get_ref()?;
        match inside.downcast_ref::<std::io::Error>() {
            Some(error) => io(error),
            None => judge(inside),
        }
    };
    match io(error) {
        Some(found) => Some(found.or_cause(inside())),
        None => inside(),
    }
}
