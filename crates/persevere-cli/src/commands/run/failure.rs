//! A failed attempt, as the engine sees it.

use std::error::Error;
use std::fmt;

use persevere::Verdict;

use crate::judge::ending::Ending;

/// The command failed, and this is what is known about it.
#[derive(Debug)]
pub(super) struct CommandFailure {
    pub(super) ending: Ending,
    /// The last line that it printed on standard error.
    pub(super) message: Option<String>,
    pub(super) verdict: Verdict,
}

/// `curl: (7) Failed to connect (exit status 7)`, or only `exit status 7`.
impl fmt::Display for CommandFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.message {
            Some(message) => write!(f, "{message} ({})", self.ending),
            None => self.ending.fmt(f),
        }
    }
}

impl Error for CommandFailure {}
