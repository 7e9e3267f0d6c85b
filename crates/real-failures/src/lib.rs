//! Peers on loopback that fail as real ones do, for the tests of this crate: they let real libraries
//! meet real failures, and ask detection about the errors that come out.
//!
//! No ports are fixed, nothing sleeps, and nothing needs the public internet.

pub mod certificates;
pub mod child;
pub mod grpc;
pub mod peer;
pub mod skip;
pub mod sshd;
pub mod tls;

use std::error::Error;

use persevere::{Kind, Verdict, detect};

/// Asserts what detection says of an error, and hands the verdict back for more. A failure shows the
/// whole chain of causes.
///
/// # Panics
///
/// If detection says something else.
#[track_caller]
pub fn expect(error: &(dyn Error + 'static), retryable: bool, kind: Kind) -> Verdict {
    let verdict = detect::error(error);
    let said = (verdict.is_retryable(), verdict.kind());
    assert_eq!(said, (retryable, kind), "{verdict} [{}]\n{}", verdict.rule(), chain(error));
    verdict
}

/// [`expect`], without the verdict.
///
/// # Panics
///
/// If the error is final, or of another kind.
#[track_caller]
pub fn expect_retry(error: &(dyn Error + 'static), kind: Kind) {
    let _ = expect(error, true, kind);
}

/// [`expect`], without the verdict.
///
/// # Panics
///
/// If the error is retried, or of another kind.
#[track_caller]
pub fn expect_final(error: &(dyn Error + 'static), kind: Kind) {
    let _ = expect(error, false, kind);
}

fn chain(error: &(dyn Error + 'static)) -> String {
    let links = std::iter::successors(Some(error), |&error| error.source());
    let shown = links.map(|error| format!("  {error}\n    {error:?}\n"));
    shown.collect()
}
