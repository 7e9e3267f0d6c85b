//! What is wrong with a peer, and what a test makes of it.

use std::fmt;
use std::io::Write;

/// Why a peer does not run.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum PeerError {
    /// It is not installed.
    Missing {
        /// Its program.
        program: &'static str,
    },
    /// It is installed, and does not start.
    Broken {
        /// Its program.
        program: &'static str,
        /// What went wrong, with what it printed.
        why: String,
    },
}

impl PeerError {
    pub(crate) fn broken(program: &'static str, why: impl fmt::Display) -> Self {
        Self::Broken { program, why: why.to_string() }
    }
}

impl fmt::Display for PeerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { program } => {
                write!(f, "{program} is not installed; scripts/peers installs it")
            }
            Self::Broken { program, why } => write!(f, "{program} does not start: {why}"),
        }
    }
}

impl std::error::Error for PeerError {}

/// The peer, or `None` after saying past the test runner's capture of output that the test was skipped.
///
/// # Panics
///
/// If the peer is there but does not start; and if it is missing and `CI` is `true`, for CI does not
/// skip tests.
#[track_caller]
pub fn or_skip<T>(test: &str, peer: Result<T, PeerError>) -> Option<T> {
    let error = match peer {
        Ok(peer) => return Some(peer),
        Err(error) => error,
    };
    if matches!(error, PeerError::Broken { .. }) {
        panic!("{test}: {error}");
    }
    let in_ci = std::env::var_os("CI").is_some_and(|value| value == "true");
    assert!(!in_ci, "{test}: {error}, and CI does not skip tests");
    let _closed = writeln!(std::io::stderr(), "SKIPPED: {test}: {error}");
    None
}
