//! HTTP statuses, whoever sent them.

use crate::provider::Provider;
use crate::verdict::{Kind, Verdict};

/// What an HTTP status says, by the general rules: 429, 500, 502, 503 and 504 are retried, as are
/// Cloudflare's 520 to 524, and other 5xx, which RFC 9110 says to treat as 500; other 4xx never, nor 501, 505
/// and Cloudflare's 526 (a certificate). A status that is no error is unknown.
///
/// Sources: RFC 9110 section 15 and RFC 6585 for the meanings; the requirement for the choice;
/// Cloudflare's "5xx errors" page for 520 to 524.
///
/// ```
/// use persevere::detect;
///
/// assert!(detect::http_status(503).is_retryable());
/// assert!(!detect::http_status(404).is_retryable());
/// assert_eq!(detect::http_status(503).rule(), "http.503");
/// ```
pub fn http_status(status: u16) -> Verdict {
    of_status(status, None)
}

/// The same, where it may be known whose it is.
pub(super) fn of_status(status: u16, provider: Option<Provider>) -> Verdict {
    let verdict = match STATUSES.binary_search_by_key(&status, |known| known.0) {
        Ok(index) => {
            let (_, retryable, kind, rule, _) = STATUSES[index];
            if retryable { Verdict::retry(kind, rule) } else { Verdict::stop(kind, rule) }
        }
        Err(_) => match status {
            400..=499 => Verdict::stop(Kind::Invalid, "http.4xx"),
            500..=599 => Verdict::retry(Kind::Server, "http.5xx"),
            _ => return Verdict::unknown().with_http_status(status).with_answer(),
        },
    };
    let verdict = match (status, provider) {
        (408, Some(provider)) if provider.retries_408() => {
            Verdict::retry(Kind::Timeout, "http.408.documented").with_provider(provider)
        }
        // "Too many requests": turned away before anything was done.
        (429, _) => verdict.with_unprocessed(),
        _ => verdict,
    };
    verdict.with_http_status(status).with_answer()
}

/// The reason that stands behind a status in messages, or how it begins; empty if it has none.
#[cfg(feature = "text")]
pub(super) fn reason(status: u16) -> &'static str {
    let index = STATUSES.binary_search_by_key(&status, |known| known.0);
    index.map_or("", |index| STATUSES[index].4)
}

/// Status, whether to retry, kind, rule, and the reason or how it begins; in order.
const STATUSES: [(u16, bool, Kind, &str, &str); 38] = [
    (400, false, Kind::Invalid, "http.400", "Bad Request"),
    (401, false, Kind::Auth, "http.401", "Unauthorized"),
    (402, false, Kind::Permission, "http.402", "Payment Required"),
    (403, false, Kind::Permission, "http.403", "Forbidden"),
    (404, false, Kind::NotFound, "http.404", "Not Found"),
    (405, false, Kind::Invalid, "http.405", "Method Not Allowed"),
    (406, false, Kind::Invalid, "http.406", "Not Acceptable"),
    (407, false, Kind::Auth, "http.407", "Proxy Authentication Required"),
    // Azure and Google say to retry it, and have rules of their own; RFC 9110 leaves it open.
    (408, false, Kind::Timeout, "http.408", "Request Timeout"),
    (409, false, Kind::Conflict, "http.409", "Conflict"),
    (410, false, Kind::NotFound, "http.410", "Gone"),
    (411, false, Kind::Invalid, "http.411", "Length Required"),
    (412, false, Kind::Precondition, "http.412", "Precondition Failed"),
    (413, false, Kind::Invalid, "http.413", "Payload Too Large"),
    (414, false, Kind::Invalid, "http.414", "URI Too Long"),
    (415, false, Kind::Invalid, "http.415", "Unsupported Media Type"),
    (416, false, Kind::Invalid, "http.416", "Range Not Satisfiable"),
    (417, false, Kind::Invalid, "http.417", "Expectation Failed"),
    (421, false, Kind::Invalid, "http.421", "Misdirected Request"),
    (422, false, Kind::Invalid, "http.422", "Unprocessable"),
    (423, false, Kind::Conflict, "http.423", "Locked"),
    (426, false, Kind::Invalid, "http.426", "Upgrade Required"),
    (429, true, Kind::Throttle, "http.429", "Too Many Requests"),
    (431, false, Kind::Invalid, "http.431", "Request Header Fields Too Large"),
    (451, false, Kind::Permission, "http.451", "Unavailable For Legal Reasons"),
    (500, true, Kind::Server, "http.500", "Internal Server Error"),
    (501, false, Kind::Unsupported, "http.501", "Not Implemented"),
    (502, true, Kind::Server, "http.502", "Bad Gateway"),
    (503, true, Kind::Server, "http.503", "Service Unavailable"),
    (504, true, Kind::Timeout, "http.504", "Gateway Time"),
    (505, false, Kind::Unsupported, "http.505", "HTTP Version Not Supported"),
    (506, false, Kind::Other, "http.506", "Variant Also Negotiates"),
    (507, false, Kind::ExhaustedResource, "http.507", "Insufficient Storage"),
    (508, false, Kind::Other, "http.508", "Loop Detected"),
    (510, false, Kind::Unsupported, "http.510", "Not Extended"),
    (511, false, Kind::Auth, "http.511", "Network Authentication Required"),
    (522, true, Kind::Timeout, "http.522", "Origin Connection"),
    (526, false, Kind::Tls, "http.526", "Invalid SSL Certificate"),
];
