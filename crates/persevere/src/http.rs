//! HTTP answers: which are errors, whether to try again, and when.
//!
//! ```
//! use http::{HeaderMap, StatusCode};
//! use persevere::http::check;
//!
//! let mut headers = HeaderMap::new();
//! headers.insert("retry-after", "7".parse()?);
//! let error = check(StatusCode::SERVICE_UNAVAILABLE, &headers).unwrap_err();
//! assert_eq!(error.to_string(), "HTTP status 503 Service Unavailable");
//! assert_eq!(error.verdict().hint(), Some(std::time::Duration::from_secs(7)));
//! # Ok::<(), http::header::InvalidHeaderValue>(())
//! ```

use std::error::Error;
use std::fmt;
use std::time::{Duration, SystemTime};

use http::{HeaderMap, StatusCode};

#[cfg(feature = "text")]
use crate::detect::Detector;
use crate::detect::http_status;
#[cfg(feature = "text")]
use crate::verdict::Kind;
use crate::verdict::Verdict;

/// Turns a 4xx or 5xx answer into an error that detection understands. Return it from an operation:
///
/// ```
/// use persevere::http::check;
/// # struct Response { status: http::StatusCode, headers: http::HeaderMap, body: String }
///
/// # async fn send() -> std::io::Result<Response> { unreachable!() }
/// async fn fetch() -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
///     let response = send().await?;
///     check(response.status, &response.headers)?;
///     Ok(response.body)
/// }
/// ```
///
/// # Errors
///
/// An [`HttpStatusError`] for a 4xx or 5xx status.
pub fn check(status: StatusCode, headers: &HeaderMap) -> Result<(), HttpStatusError> {
    if status.is_client_error() || status.is_server_error() {
        let verdict = verdict(status, headers, SystemTime::now());
        return Err(HttpStatusError { status, verdict });
    }
    Ok(())
}

/// The same with the answer's body, which may say it better: a documented code in it beats the status,
/// even if that is 200. See [`Detector::answer`].
///
/// ```
/// use http::{HeaderMap, StatusCode};
/// use persevere::detect::Detector;
/// use persevere::http::check_body;
///
/// let body = b"<Error><Code>InternalError</Code><Message>Please try again.</Message></Error>";
/// let answer = check_body(StatusCode::OK, &HeaderMap::new(), body, &Detector::new());
/// assert!(answer.unwrap_err().verdict().is_retryable());
/// ```
///
/// # Errors
///
/// An [`HttpStatusError`] for a 4xx or 5xx status, and for a body with a known error code in it.
#[cfg(feature = "text")]
pub fn check_body(
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    detector: &Detector,
) -> Result<(), HttpStatusError> {
    let verdict = detector.answer(status.as_u16(), body);
    let is_error = status.is_client_error() || status.is_server_error();
    if !is_error && verdict.kind() == Kind::Unknown {
        return Ok(());
    }
    let verdict = with_headers(verdict, status, headers, SystemTime::now());
    Err(HttpStatusError { status, verdict })
}

/// What an answer says: its status, and the wait that its headers ask for. `now` is what an HTTP
/// date in them is compared with.
pub fn verdict(status: StatusCode, headers: &HeaderMap, now: SystemTime) -> Verdict {
    with_headers(http_status(status.as_u16()), status, headers, now)
}

/// Adds the wait that the headers ask for to a verdict on the status or the body.
pub fn with_headers(
    verdict: Verdict,
    status: StatusCode,
    headers: &HeaderMap,
    now: SystemTime,
) -> Verdict {
    match retry_after(headers, now) {
        // A server that knows when to come back has turned this one away.
        Some(wait) if status == StatusCode::SERVICE_UNAVAILABLE && verdict.is_retryable() => {
            verdict.with_hint(wait).with_unprocessed()
        }
        Some(wait) => verdict.with_hint(wait),
        None => verdict,
    }
}

/// The wait that an answer asks for, from the first of these headers that makes sense:
/// `x-ms-retry-after-ms`, `retry-after-ms` (both Azure, milliseconds), `retry-after` (RFC 9110).
///
/// ```
/// use http::HeaderMap;
/// use std::time::{Duration, SystemTime};
///
/// let mut headers = HeaderMap::new();
/// headers.insert("retry-after", "2".parse()?);
/// headers.insert("x-ms-retry-after-ms", "1500".parse()?);
/// let wait = persevere::http::retry_after(&headers, SystemTime::now());
/// assert_eq!(wait, Some(Duration::from_millis(1500)));
/// # Ok::<(), http::header::InvalidHeaderValue>(())
/// ```
pub fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let values = |name: &str| headers.get_all(name).into_iter().filter_map(|it| it.to_str().ok());
    let milliseconds =
        |name| values(name).find_map(|value| decimal(value, Duration::from_millis(1)));
    milliseconds("x-ms-retry-after-ms")
        .or_else(|| milliseconds("retry-after-ms"))
        .or_else(|| values("retry-after").find_map(|value| parse_retry_after(value, now)))
}

/// The value of a Retry-After header: seconds, or an HTTP date in any of RFC 9110's three forms.
///
/// `None` for anything else: garbage, a negative number, a date that has passed, more seconds than
/// a `u64` holds. The caller then waits as without a hint.
///
/// ```
/// use persevere::http::parse_retry_after;
/// use std::time::{Duration, SystemTime};
///
/// let now = SystemTime::UNIX_EPOCH;
/// assert_eq!(parse_retry_after("120", now), Some(Duration::from_secs(120)));
/// assert_eq!(
///     parse_retry_after("Thu, 01 Jan 1970 00:01:00 GMT", now),
///     Some(Duration::from_secs(60))
/// );
/// assert_eq!(parse_retry_after("-1", now), None);
/// ```
pub fn parse_retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    decimal(value, Duration::from_secs(1)).or_else(|| {
        let wait = httpdate::parse_http_date(value).ok()?.duration_since(now).ok()?;
        (!wait.is_zero()).then_some(wait)
    })
}

/// Digits, perhaps with a fraction, which RFC 9110 does not have but servers send.
fn decimal(value: &str, unit: Duration) -> Option<Duration> {
    let (whole, fraction) = value.trim().split_once('.').unwrap_or((value.trim(), ""));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    let whole: u64 = whole.parse().ok()?;
    let per_second = Duration::from_secs(1).as_nanos() / unit.as_nanos();
    let seconds = whole / per_second as u64;
    let rest = unit * u32::try_from(whole % per_second as u64).ok()?;
    // Nine digits reach below a nanosecond.
    let fraction = fraction.get(..9).unwrap_or(fraction);
    let fraction: f64 = format!("0.{fraction}0").parse().ok()?;
    Duration::from_secs(seconds).checked_add(rest)?.checked_add(unit.mul_f64(fraction))
}

/// An HTTP answer that is an error. Made by [`check`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpStatusError {
    status: StatusCode,
    verdict: Verdict,
}

impl HttpStatusError {
    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// What the status and the headers say.
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }
}

impl fmt::Display for HttpStatusError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `StatusCode` shows its number and its reason.
        write!(f, "HTTP status {}", self.status)
    }
}

impl Error for HttpStatusError {}
