//! Answers with headers and bodies that say more than their status.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, StatusCode};
use persevere::detect::Detector;
use persevere::{Kind, Provider, Verdict};
use real_failures::certificates::SelfSigned;
use real_failures::{expect, peer};

async fn answer(status: &str, headers: &str, body: &str) -> (StatusCode, HeaderMap, Vec<u8>) {
    let address = peer::answers(peer::http(status, headers, body)).unwrap();
    let tls = SelfSigned::new("localhost").trusting_client();
    let client = reqwest::Client::builder().no_proxy().tls_backend_preconfigured(tls);
    let client = client.build().unwrap();
    let answer = client.get(format!("http://{address}/")).send().await.unwrap();
    let (status, headers) = (answer.status(), answer.headers().clone());
    (status, headers, answer.bytes().await.unwrap().to_vec())
}

#[tokio::test]
async fn retry_after_in_seconds() {
    let (status, headers, _) = answer("429 Too Many Requests", "Retry-After: 7\r\n", "").await;
    let error = persevere::http::check(status, &headers).unwrap_err();
    let verdict = expect(&error, true, Kind::Throttle);
    assert_eq!(verdict.hint(), Some(Duration::from_secs(7)));
    assert!(verdict.is_unprocessed());
}

#[tokio::test]
async fn retry_after_as_a_date() {
    let date = "Retry-After: Thu, 01 Jan 1970 00:01:00 GMT\r\n";
    let (status, headers, _) = answer("429 Too Many Requests", date, "").await;
    let verdict = persevere::http::verdict(status, &headers, SystemTime::UNIX_EPOCH);
    assert_eq!(verdict.hint(), Some(Duration::from_secs(60)));
    // By the clock of today that date has passed, and says nothing.
    let error = persevere::http::check(status, &headers).unwrap_err();
    assert_eq!(expect(&error, true, Kind::Throttle).hint(), None);
}

#[tokio::test]
async fn a_503_with_a_hint_was_turned_away() {
    let (status, headers, _) = answer("503 Service Unavailable", "Retry-After: 1\r\n", "").await;
    let error = persevere::http::check(status, &headers).unwrap_err();
    assert!(expect(&error, true, Kind::Server).is_unprocessed());
    let (status, headers, _) = answer("503 Service Unavailable", "", "").await;
    let error = persevere::http::check(status, &headers).unwrap_err();
    assert!(!expect(&error, true, Kind::Server).is_unprocessed());
}

async fn judged(status: &str, body: &str) -> Verdict {
    let (status, _, body) = answer(status, "", body).await;
    Detector::new().provider(Provider::S3).answer(status.as_u16(), &body)
}

#[tokio::test]
async fn s3_sends_request_timeout_with_400() {
    let body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>RequestTimeout</Code><Message>\
                Your socket connection to the server was not read from or written to within the \
                timeout period. Idle connections will be closed.</Message><RequestId>4442587FB7D0A2F9\
                </RequestId></Error>";
    let verdict = judged("400 Bad Request", body).await;
    assert!(verdict.is_retryable() && verdict.has_answer(), "{verdict}");
    let verdict = judged("400 Bad Request", "<Error><Code>InvalidArgument</Code></Error>").await;
    assert!(!verdict.is_retryable(), "{verdict}");
}

#[tokio::test]
async fn s3_fails_with_200() {
    let body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\n<Error><Code>InternalError</Code><Message>We \
                encountered an internal error. Please try again.</Message></Error>";
    let verdict = judged("200 OK", body).await;
    assert_eq!((verdict.is_retryable(), verdict.kind()), (true, Kind::Server), "{verdict}");
    let verdict = judged("200 OK", "<Error><Code>SlowDown</Code></Error>").await;
    assert_eq!((verdict.is_retryable(), verdict.kind()), (true, Kind::Throttle), "{verdict}");
}
