//! HTTP statuses in messages: RFC 9110 section 15, RFC 6585.

/// Reasons that are plain without their number, in lower case.
pub(in crate::detect) const REASONS: &[(u16, &str)] = &[
    (413, "payload too large"),
    (413, "request entity too large"),
    (413, "content too large"),
    (414, "uri too long"),
    (415, "unsupported media type"),
    (422, "unprocessable entity"),
    (422, "unprocessable content"),
    (500, "internal server error"),
    (502, "bad gateway"),
    (503, "service unavailable"),
    (504, "gateway timeout"),
    (504, "gateway time-out"),
];

/// What stands before an HTTP status, perhaps with punctuation in between, in lower case.
pub(in crate::detect) const BEFORE_A_STATUS: &[&str] = &[
    "http",
    "http/1.1",
    "http/1.0",
    "http/2",
    "http/2.0",
    "http/3",
    "status",
    "status_code",
    "statuscode",
    "code",
    "error",
    "err",
    "errors",
    "exception",
    "returned",
    "responded",
    "responded with",
    "returned with",
    "failed with",
    "response",
    "answered",
    "reply",
    "failure",
    "failed",
];

/// What ends like the words above and yet is followed by another number.
pub(in crate::detect) const BEFORE_NO_STATUS: &[&str] = &[
    "exit code",
    "exit_code",
    "exitcode",
    "exit status",
    "exited with code",
    "return code",
    "os error",
    "exited with status",
    "exit-code",
    "returncode",
    "signal code",
];

/// What is counted, or how it begins, so that the number before it is no status.
#[rustfmt::skip]
pub(in crate::detect) const COUNTED: &[&str] = &[
    "--", "byte", "kb", "mb", "gb", "kib", "mib", "gib", "ms", "sec", "minute", "hour", "day", "file", "time", "item", "row", "line", "attempt",
    "retries", "record", "object", "entries", "of ", "test", "char",
];
