//! Error detection: is it worth trying again?
//!
//! The evidence, in the order in which it decides:
//!
//! 1. a mark by the operation ([`permanent`](crate::permanent()), [`transient`](crate::transient()),
//!    [`retry_after`](crate::retry_after())), the outermost one in the chain of causes;
//! 2. the caller's own rule, of the call, then of the retryer;
//! 3. an error that has come out of an inner retry: not retried again;
//! 4. types: `std::io::Error`, and [`HttpStatusError`](crate::http::HttpStatusError), anywhere in the
//!    chain of causes;
//! 5. the text, for errors that are nothing but a message.
//!
//! What none of them knows is [`Kind::Unknown`].

mod io;
#[cfg(feature = "text")]
mod phrases;
mod status;
#[cfg(feature = "text")]
mod text;

use std::error::Error;
use std::ops::ControlFlow;

use crate::chain;
use crate::error::Retried;
use crate::mark::{Mark, Marked};
use crate::verdict::{Kind, Verdict};

pub use status::http_status;
#[cfg(feature = "text")]
pub use text::text;

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
    with_rule(error, || None, false)
}

/// The same with the caller's rule in its place, and perhaps with inner retries passed over.
pub(crate) fn with_rule(
    error: &(dyn Error + 'static),
    rule: impl FnOnce() -> Option<Verdict>,
    retry_nested: bool,
) -> Verdict {
    let evidence = Evidence::gather(error);
    if let Some(marked) = evidence.marked {
        return judge_mark(marked);
    }
    if let Some(verdict) = rule() {
        return verdict;
    }
    if let Some(retried) = evidence.retried {
        return judge_retried(retried, retry_nested);
    }
    evidence.typed.unwrap_or_else(|| judge_text(error))
}

/// What the types along the chain of causes say.
#[derive(Default)]
struct Evidence<'a> {
    marked: Option<&'a Marked>,
    retried: Option<&'a Retried>,
    typed: Option<Verdict>,
}

impl<'a> Evidence<'a> {
    fn gather(error: &'a (dyn Error + 'static)) -> Self {
        let mut evidence = Self::default();
        walk(error, |link| {
            evidence.marked = link.downcast_ref();
            if evidence.marked.is_some() {
                return ControlFlow::Break(());
            }
            if evidence.retried.is_none() {
                evidence.retried = link.downcast_ref();
            }
            if evidence.typed.is_none() {
                evidence.typed = judge_type(link);
            }
            ControlFlow::Continue(())
        });
        evidence
    }
}

/// Visits an error and its causes, the ones inside `std::io::Error` too, which its `source` skips.
fn walk<'a>(
    error: &'a (dyn Error + 'static),
    mut visit: impl FnMut(&'a (dyn Error + 'static)) -> ControlFlow<()>,
) {
    let mut link = Some(error);
    for _ in 0..chain::LONGEST {
        let Some(error) = link else { return };
        if visit(error).is_break() {
            return;
        }
        let inside = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        link = match inside {
            Some(inside) => Some(inside),
            None => error.source(),
        };
    }
}

fn judge_type(error: &(dyn Error + 'static)) -> Option<Verdict> {
    if let Some(error) = error.downcast_ref::<std::io::Error>() {
        return io::judge(error);
    }
    #[cfg(feature = "http")]
    if let Some(error) = error.downcast_ref::<crate::http::HttpStatusError>() {
        return Some(error.verdict());
    }
    None
}

fn judge_mark(marked: &Marked) -> Verdict {
    // What is inside still tells the kind, and whether the network works.
    let inside = error(marked.inner());
    match marked.mark() {
        Mark::Permanent => inside.with_retryable(false, "mark.permanent"),
        Mark::Transient => inside.with_retryable(true, "mark.transient").with_unprocessed(),
        Mark::RetryAfter(wait) => {
            let verdict = inside.with_retryable(true, "mark.retry_after");
            verdict.with_unprocessed().with_hint(wait)
        }
    }
    .with_known_kind()
}

fn judge_retried(retried: &Retried, retry_nested: bool) -> Verdict {
    let inner = retried.verdict.unwrap_or(Verdict::unknown());
    match retry_nested {
        true => inner,
        false => Verdict::stop(Kind::AlreadyRetried, "nested.already_retried"),
    }
}

#[cfg(feature = "text")]
fn judge_text(error: &(dyn Error + 'static)) -> Verdict {
    use std::fmt::Write;

    let mut message = text::Message::new();
    for link in chain::links(error) {
        // A message that is cut still ends up in detection, and a failing `Display` is no evidence.
        let _cut = write!(message, "{link}: ");
    }
    text(message.as_str())
}

#[cfg(not(feature = "text"))]
fn judge_text(_: &(dyn Error + 'static)) -> Verdict {
    Verdict::unknown()
}
