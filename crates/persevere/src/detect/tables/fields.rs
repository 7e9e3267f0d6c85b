//! Keys of error documents.
//!
//! Sources: AWS "Error responses" (`<Code>`, `__type`), Azure "Status and error codes" (`<Code>`,
//! `error.code`), Google "Errors" (`error.code`, `error.status`, `errors[].reason`), RFC 9457
//! (`status`),
//! SOAP 1.1 section 4.4 (`faultcode`), the Kubernetes API's `Status` (`reason`, `code`), OAuth 2 RFC
//! 6749
//! section 5.2 (`error`).

/// What stands before a code or a status, in lower case, up to where the key ends.
pub(in crate::detect) const KEYS: &[&str] = &[
    "\"code",
    "\"errorcode",
    "\"error_code",
    "\"errcode",
    "\"reason",
    "\"status",
    "\"statuscode",
    "\"status_code",
    "\"httpstatuscode",
    "\"__type",
    "\"error",
    "\"type",
    "'code'",
    "'status'",
    "'httpstatuscode'",
    "'reason'",
    "<code",
    "<errorcode",
    "<faultcode",
    "errorcode:",
    "error_code:",
    "code:",
    "code=",
    "errno:",
    "reason:",
];

/// What stands before a wait in seconds: RFC 9110 section 10.2.3, Google's `RetryInfo`, Discord and
/// Telegram's `retry_after`.
pub(in crate::detect) const WAITS: &[&str] =
    &["retry-after:", "\"retrydelay\"", "\"retry_after\"", "retry_after:"];

/// The same in milliseconds: Azure's headers.
pub(in crate::detect) const WAITS_IN_MILLISECONDS: &[&str] =
    &["retry-after-ms:", "\"retry_after_ms\"", "\"retryafterms\""];

/// The same in a sentence, where only a number with a unit counts.
pub(in crate::detect) const WAITS_IN_WORDS: &[&str] = &[
    "retry after",
    "retry in",
    "try again in",
    "try again after",
    "retry again in",
    "please wait",
];
