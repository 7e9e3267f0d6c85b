//! h2: the reasons with which HTTP/2 ends a stream or a connection.
//!
//! Meanings from RFC 9113 section 7. What gRPC takes for INTERNAL is retried as INTERNAL is
//! ("gRPC over HTTP2", section "Errors").

use std::error::Error;

use h2::Reason;

use super::hidden_io;
use crate::detect::evidence::{Evidence, Rank};
use crate::verdict::Kind::{Network, Server, Throttle, Timeout, Tls, Unsupported};

pub(super) fn judge(error: &(dyn Error + 'static)) -> Option<Evidence> {
    let error = error.downcast_ref::<h2::Error>()?;
    if let Some(error) = error.get_io() {
        return hidden_io(error);
    }
    let evidence = by_reason(error.reason()?)?;
    Some(if error.is_remote() { evidence.answered() } else { evidence })
}

/// Left out: CANCEL, for either side may have lost interest.
fn by_reason(reason: Reason) -> Option<Evidence> {
    let code = |kind, rule, words| Evidence::retry(Rank::Code, kind, rule, words);
    let vague = |rule, words| Evidence::retry(Rank::Vague, Server, rule, words);
    Some(match reason {
        // "The endpoint refused the stream prior to performing any application processing."
        Reason::REFUSED_STREAM => {
            code(Network, "h2.refused_stream", "REFUSED_STREAM").unprocessed()
        }
        Reason::ENHANCE_YOUR_CALM => code(Throttle, "h2.enhance_your_calm", "ENHANCE_YOUR_CALM"),
        // A graceful end. Which streams were still served is not told.
        Reason::NO_ERROR => code(Network, "h2.no_error", "NO_ERROR"),
        Reason::INTERNAL_ERROR => code(Server, "h2.internal_error", "INTERNAL_ERROR"),
        Reason::CONNECT_ERROR => code(Network, "h2.connect_error", "CONNECT_ERROR"),
        Reason::STREAM_CLOSED => code(Network, "h2.stream_closed", "STREAM_CLOSED"),
        Reason::SETTINGS_TIMEOUT => code(Timeout, "h2.settings_timeout", "SETTINGS_TIMEOUT"),
        // A connection has state that a new one has not.
        Reason::PROTOCOL_ERROR => vague("h2.protocol_error", "PROTOCOL_ERROR"),
        Reason::FLOW_CONTROL_ERROR => vague("h2.flow_control_error", "FLOW_CONTROL_ERROR"),
        Reason::FRAME_SIZE_ERROR => vague("h2.frame_size_error", "FRAME_SIZE_ERROR"),
        Reason::COMPRESSION_ERROR => vague("h2.compression_error", "COMPRESSION_ERROR"),
        Reason::INADEQUATE_SECURITY => {
            Evidence::stop(Rank::Decisive, Tls, "h2.inadequate_security", "INADEQUATE_SECURITY")
        }
        Reason::HTTP_1_1_REQUIRED => {
            Evidence::stop(Rank::Code, Unsupported, "h2.http_1_1_required", "HTTP_1_1_REQUIRED")
        }
        _ => return None,
    })
}
