//! reqwest. Most of its errors wrap hyper's, so that hyper is asked as well.
//!
//! A status from `error_for_status` comes without the answer's headers and body. Those who want
//! Retry-After honoured use [`http::check`](crate::http::check) on the answer instead.

use std::error::Error;

use crate::detect::evidence::{Evidence, Rank};
use crate::detect::status::of_status;
use crate::verdict::Kind::{Invalid, Network, Timeout};

pub(super) fn judge(error: &(dyn Error + 'static)) -> Option<Evidence> {
    let error = error.downcast_ref::<reqwest::Error>()?;
    if let Some(status) = error.status() {
        return Some(Evidence::new(Rank::Code, of_status(status.as_u16(), None)));
    }
    let evidence = by_kind(error)?;
    // What could not connect has sent no request.
    Some(if error.is_connect() { evidence.unprocessed() } else { evidence })
}

/// Left out: a body that cannot be decoded, which may be cut short or nonsense. The cause knows.
fn by_kind(error: &reqwest::Error) -> Option<Evidence> {
    let retry = |rank, kind, rule, words| Some(Evidence::retry(rank, kind, rule, words));
    let stop = |rule, words| Some(Evidence::stop(Rank::Phrase, Invalid, rule, words));
    if error.is_builder() {
        stop("reqwest.builder", "request could not be built")
    } else if error.is_redirect() {
        stop("reqwest.redirect", "redirect not followed")
    } else if error.is_timeout() {
        retry(Rank::Phrase, Timeout, "reqwest.timeout", "timed out")
    } else if error.is_dns() {
        retry(Rank::Phrase, Network, "reqwest.dns", "name not resolved")
    } else if error.is_connect() {
        retry(Rank::Vague, Network, "reqwest.connect", "connecting failed")
    } else if error.is_request() {
        retry(Rank::Word, Network, "reqwest.request", "sending the request failed")
    } else if error.is_body() {
        retry(Rank::Word, Network, "reqwest.body", "transfer of the body failed")
    } else {
        None
    }
}
