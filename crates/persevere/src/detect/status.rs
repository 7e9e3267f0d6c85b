//! HTTP statuses, whoever sent them.

use crate::verdict::{Kind, Verdict};

/// What an HTTP status says, by the general rules: 429, 500, 502, 503 and 504 are retried, as are
/// Cloudflare's 520 to 524; other 4xx never, nor 501 and 505. A status that is no error is unknown.
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
    let verdict = match STATUSES.binary_search_by_key(&status, |known| known.0) {
        Ok(index) => {
            let (_, retryable, kind, rule) = STATUSES[index];
            if retryable { Verdict::retry(kind, rule) } else { Verdict::stop(kind, rule) }
        }
        Err(_) => match status {
            400..=499 => Verdict::stop(Kind::Invalid, "http.4xx"),
            500..=599 => Verdict::retry(Kind::Server, "http.5xx"),
            _ => return Verdict::unknown(),
        },
    };
    // "Too many requests": turned away before anything was done.
    let verdict = if status == 429 { verdict.with_unprocessed() } else { verdict };
    verdict.with_answer()
}

/// Status, whether to retry, kind, rule; in order.
const STATUSES: [(u16, bool, Kind, &str); 37] = [
    (400, false, Kind::Invalid, "http.400"),
    (401, false, Kind::Auth, "http.401"),
    (402, false, Kind::Permission, "http.402"),
    (403, false, Kind::Permission, "http.403"),
    (404, false, Kind::NotFound, "http.404"),
    (405, false, Kind::Invalid, "http.405"),
    (406, false, Kind::Invalid, "http.406"),
    (407, false, Kind::Auth, "http.407"),
    // Azure and Google say to retry it, and have rules of their own; RFC 9110 leaves it open.
    (408, false, Kind::Timeout, "http.408"),
    (409, false, Kind::Conflict, "http.409"),
    (410, false, Kind::NotFound, "http.410"),
    (411, false, Kind::Invalid, "http.411"),
    (412, false, Kind::Precondition, "http.412"),
    (413, false, Kind::Invalid, "http.413"),
    (414, false, Kind::Invalid, "http.414"),
    (415, false, Kind::Invalid, "http.415"),
    (416, false, Kind::Invalid, "http.416"),
    (417, false, Kind::Invalid, "http.417"),
    (421, false, Kind::Invalid, "http.421"),
    (422, false, Kind::Invalid, "http.422"),
    (423, false, Kind::Conflict, "http.423"),
    (426, false, Kind::Invalid, "http.426"),
    (429, true, Kind::Throttle, "http.429"),
    (431, false, Kind::Invalid, "http.431"),
    (451, false, Kind::Permission, "http.451"),
    (500, true, Kind::Server, "http.500"),
    (501, false, Kind::Unsupported, "http.501"),
    (502, true, Kind::Server, "http.502"),
    (503, true, Kind::Server, "http.503"),
    (504, true, Kind::Timeout, "http.504"),
    (505, false, Kind::Unsupported, "http.505"),
    (506, false, Kind::Other, "http.506"),
    (507, false, Kind::ExhaustedResource, "http.507"),
    (508, false, Kind::Other, "http.508"),
    (510, false, Kind::Unsupported, "http.510"),
    (511, false, Kind::Auth, "http.511"),
    (522, true, Kind::Timeout, "http.522"),
];
