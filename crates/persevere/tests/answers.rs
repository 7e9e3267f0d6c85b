//! HTTP answers: status, headers, body, and whose they are.
#![cfg(all(feature = "http", feature = "text"))]
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use persevere::detect::{CustomRule, Detector, RuleSet};
use persevere::http::{check, check_body};
use persevere::{Kind, Provider};

const S3_TIMEOUT: &[u8] =
    b"<Error><Code>RequestTimeout</Code><Message>Your socket connection</Message></Error>";

#[test]
fn a_documented_code_beats_the_status() {
    let answer = |status, body: &str| Detector::new().answer(status, body.as_bytes());
    assert!(Detector::new().answer(400, S3_TIMEOUT).is_retryable());
    assert!(answer(403, r#"{"errors":[{"reason":"userRateLimitExceeded"}]}"#).is_retryable());
    assert!(answer(409, "<Code>OperationAborted</Code>").is_retryable());
    assert!(!answer(403, r#"{"errors":[{"reason":"dailyLimitExceeded"}]}"#).is_retryable());
    assert!(
        !answer(500, "<Code>FeatureNotSupported</Code><Message>not supported</Message>")
            .is_retryable()
    );
    // Words of everyday language do not.
    assert!(!answer(400, "please try again: the timeout is invalid").is_retryable());
    assert!(answer(503, "the page was not available, invalid").is_retryable());
}

#[test]
fn two_hundred_may_be_an_error() {
    let body = b"<Error><Code>InternalError</Code></Error>";
    let verdict = Detector::new().answer(200, body);
    assert!(verdict.is_retryable());
    assert_eq!((verdict.kind(), verdict.http_status()), (Kind::Server, Some(200)));
    let harmless = b"<CompleteMultipartUploadResult><Key>timeout/not-found/invalid</Key></CompleteMultipartUploadResult>";
    assert_eq!(Detector::new().answer(200, harmless).kind(), Kind::Unknown);

    for ordinary in [
        r#"{"jobs":[{"status":"timed_out","reason":"throttled"}]}"#,
        "docs: S3 may answer SlowDown, ORA-00001 is final",
        "<p>We MOVED 1 office; Unsupported browsers: none</p>",
        r#"{"vm":"a","status":"stopped"}"#,
    ] {
        assert_eq!(Detector::new().answer(200, ordinary.as_bytes()).kind(), Kind::Unknown);
    }

    let headers = HeaderMap::new();
    assert!(check_body(StatusCode::OK, &headers, harmless, &Detector::new()).is_ok());
    assert!(check_body(StatusCode::OK, &headers, body, &Detector::new()).is_err());
    assert!(check_body(StatusCode::NOT_FOUND, &headers, b"", &Detector::new()).is_err());
}

#[test]
fn a_body_does_not_prove_that_nothing_was_done() {
    let verdict = Detector::new().answer(500, b"order saved, mail failed: connection refused");
    assert!(verdict.is_retryable() && !verdict.is_unprocessed());
    assert_eq!(verdict.rule(), "http.500");
    assert!(!Detector::new().answer(401, b"session timed out").is_retryable());
    let limited = Detector::new().answer(403, b"You have exceeded a secondary rate limit");
    assert!(limited.is_retryable() && !limited.is_unprocessed());
    assert!(Detector::new().answer(429, b"slow down").is_unprocessed());
}

#[test]
fn headers_count_with_a_body_too() {
    let mut headers = HeaderMap::new();
    headers.insert("retry-after", "7".parse().unwrap());
    let error = check_body(StatusCode::SERVICE_UNAVAILABLE, &headers, S3_TIMEOUT, &Detector::new());
    let verdict = error.unwrap_err().verdict();
    assert_eq!(verdict.hint(), Some(Duration::from_secs(7)));
    assert!(verdict.is_unprocessed());
    assert_eq!(
        verdict.to_string(),
        "HTTP 503 from S3 (RequestTimeout): timed out, retried; the server asked for 7s"
    );
}

#[test]
fn request_timeout_is_retried_where_that_is_documented() {
    let retried = |detector: Detector| detector.http_status(408).is_retryable();
    assert!(!retried(Detector::new()));
    assert!(!retried(Detector::new().provider(Provider::S3)));
    assert!(retried(Detector::new().provider(Provider::Azure)));
    assert!(retried(Detector::new().provider(Provider::Gcs)));
    // Also when the error was made by somebody who did not know whose it is.
    let error = check(StatusCode::REQUEST_TIMEOUT, &HeaderMap::new()).unwrap_err();
    assert!(!Detector::new().error(&error).is_retryable());
    assert!(Detector::new().provider(Provider::Gcs).error(&error).is_retryable());
}

#[test]
fn rules_of_the_caller_come_first() {
    let rules = RuleSet::new([
        CustomRule::stop("gone.for.good").http_status(503).text("decommissioned"),
        CustomRule::retry("license").text("no free license").retry_after(Duration::from_secs(3)),
    ])
    .unwrap();
    let detector = Detector::new().rules(rules);
    assert_eq!(detector.answer(503, b"decommissioned").rule(), "gone.for.good");
    assert_eq!(detector.answer(500, b"decommissioned").rule(), "http.500");
    let verdict = detector.text("Permission denied: no free license");
    assert_eq!((verdict.rule(), verdict.hint()), ("license", Some(Duration::from_secs(3))));
    let error = std::io::Error::new(std::io::ErrorKind::PermissionDenied, "no free license");
    assert!(detector.error(&error).is_retryable());
    // A status counts wherever it stands: in an answer, in a text, in the text of an error.
    let found = RuleSet::new([CustomRule::retry("not.yet").http_status(404)]).unwrap();
    let detector = Detector::new().rules(found);
    let message = "The requested URL returned error: 404";
    assert_eq!(detector.http_status(404).rule(), "not.yet");
    assert_eq!(detector.text(message).rule(), "not.yet");
    assert_eq!(detector.error(&std::io::Error::other(message)).rule(), "not.yet");
}
