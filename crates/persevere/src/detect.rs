//! Error detection: is it worth trying again?
//!
//! The evidence, in the order in which it decides:
//!
//! 1. a mark by the operation ([`permanent`](crate::permanent()), [`transient`](crate::transient()),
//!    [`retry_after`](crate::retry_after())), the outermost one in the chain of causes;
//! 2. the caller's own rule, of the call, then of the retryer;
//! 3. an error that has come out of an inner retry: not retried again;
//! 4. rules of the caller as data ([`RuleSet`]);
//! 5. types, anywhere in the chain of causes: `std::io::Error`,
//!    [`HttpStatusError`](crate::http::HttpStatusError), tokio's, and those of each library whose
//!    [feature](crate#features) is on;
//! 6. the text, where types say nothing, or little.
//!
//! Within types and within text the strongest evidence decides, among equals the one nearest to the
//! cause. What none of them knows is [`Kind::Unknown`](crate::Kind::Unknown). The tables, their sources
//! and their limits are described in `docs/error-detection.md`.

mod detector;
mod evidence;
#[cfg(feature = "text")]
mod fields;
#[cfg(feature = "text")]
mod lines;
#[cfg(feature = "text")]
mod matcher;
#[cfg(feature = "text")]
mod message;
#[cfg(feature = "text")]
mod place;
#[cfg(feature = "text")]
mod rules;
mod ssh;
mod status;
#[cfg(feature = "text")]
mod tables;
#[cfg(feature = "text")]
mod text;
#[cfg(feature = "text")]
mod trie;
mod types;

use std::error::Error;

use crate::verdict::Verdict;

pub use detector::Detector;
#[cfg(feature = "text")]
pub use rules::{CustomRule, RuleError, RuleSet};
pub use ssh::{sftp_status, ssh_disconnect};
pub use status::http_status;

pub(crate) use types::says_unreachable;

pub(crate) static PLAIN: Detector = Detector::new();

/// What detection says of an error, by its types and then by its text.
///
/// Takes the error as a trait object: `detect::error(&error)` for a typed one, `&*boxed` for a box,
/// `error.as_ref()` for `anyhow`.
///
/// ```
/// use std::io;
/// use persevere::{detect, Kind};
///
/// let verdict = detect::error(&io::Error::from(io::ErrorKind::ConnectionReset));
/// assert!(verdict.is_retryable());
/// assert_eq!(verdict.kind(), Kind::Network);
/// assert_eq!(verdict.rule(), "io.connection_reset");
/// ```
pub fn error(error: &(dyn Error + 'static)) -> Verdict {
    PLAIN.error(error)
}

/// What a message says: a command's stderr, or an error whose type is unknown. It may have many
/// lines.
///
/// ```
/// use persevere::{detect, Kind};
///
/// let verdict = detect::text("curl: (7) Failed to connect: Connection refused");
/// assert!(verdict.is_retryable());
/// assert_eq!(verdict.rule(), "text.connection_refused");
///
/// assert!(!detect::text("open /srv/timeout/503: Permission denied").is_retryable());
/// assert_eq!(detect::text("the gears are grinding").kind(), Kind::Unknown);
/// ```
#[cfg(feature = "text")]
pub fn text(message: &str) -> Verdict {
    PLAIN.text(message)
}
