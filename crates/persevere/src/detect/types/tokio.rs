//! tokio: time that ran out, and tasks that did not end by themselves.

use std::error::Error;

use tokio::task::JoinError;
use tokio::time::error::Elapsed;

use crate::detect::evidence::{Evidence, Rank};
use crate::verdict::Kind;

pub(super) fn judge(error: &(dyn Error + 'static)) -> Option<Evidence> {
    if error.is::<Elapsed>() {
        let words = "deadline has elapsed";
        return Some(Evidence::retry(Rank::Phrase, Kind::Timeout, "tokio.elapsed", words));
    }
    let error = error.downcast_ref::<JoinError>()?;
    Some(match error.is_panic() {
        // A panic is a mistake in the program, and goes through unchanged where we see it ourselves.
        true => Evidence::stop(Rank::Decisive, Kind::Other, "tokio.panic", "task panicked"),
        // Somebody who had its handle wanted the task to end, or the runtime is going down.
        false => Evidence::stop(Rank::Phrase, Kind::Other, "tokio.cancelled", "task cancelled"),
    })
}
