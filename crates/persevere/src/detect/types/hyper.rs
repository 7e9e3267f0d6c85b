//! hyper, and the pooling client of hyper-util.
//!
//! From the documentation of `hyper::Error`; hyper's `client/dispatch.rs` for what a cancelled request
//! is: one that never left.

use std::error::Error;

use hyper_util::client::legacy;

use crate::detect::evidence::{Evidence, Rank};
use crate::verdict::Kind::{Invalid, Network, Timeout};

pub(super) fn judge(error: &(dyn Error + 'static)) -> Option<Evidence> {
    if let Some(error) = error.downcast_ref::<hyper::Error>() {
        return by_kind(error);
    }
    let error = error.downcast_ref::<legacy::Error>()?;
    // No address, no connection or no handshake, so no request. The cause knows which.
    error.is_connect().then(|| {
        Evidence::retry(Rank::Vague, Network, "hyper.connect", "connecting failed").unprocessed()
    })
}

/// What is not here has a cause that says more: reading, writing, HTTP/2, the caller's own body.
fn by_kind(error: &hyper::Error) -> Option<Evidence> {
    let retry = |kind, rule, words| Some(Evidence::retry(Rank::Phrase, kind, rule, words));
    if error.is_incomplete_message() {
        retry(Network, "hyper.incomplete_message", "connection closed before message completed")
    } else if error.is_closed() {
        retry(Network, "hyper.closed", "connection closed")
    } else if error.is_canceled() {
        let closed = "connection closed before the request was sent";
        retry(Network, "hyper.canceled", closed).map(Evidence::unprocessed)
    } else if error.is_timeout() {
        retry(Timeout, "hyper.timeout", "timed out")
    } else if error.is_body_write_aborted() {
        retry(Network, "hyper.body_write_aborted", "request body aborted")
    } else if error.is_shutdown() {
        let words = "closing the connection failed";
        Some(Evidence::retry(Rank::Vague, Network, "hyper.shutdown", words))
    } else if error.is_parse() {
        let words = "message is not HTTP";
        Some(Evidence::stop(Rank::Phrase, Invalid, "hyper.parse", words).answered())
    } else {
        None
    }
}
