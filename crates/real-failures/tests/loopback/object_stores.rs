//! object_store, with S3's protocol and on disk.

use std::net::SocketAddr;

use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::local::LocalFileSystem;
use object_store::{ClientOptions, Error, ObjectStoreExt, RetryConfig};
use persevere::Kind;
use real_failures::certificates::use_ring;
use real_failures::{expect, expect_final, expect_retry, peer};

use crate::{NOBODY, SHORT};

fn s3_at(endpoint: String) -> AmazonS3 {
    use_ring();
    AmazonS3Builder::new()
        .with_endpoint(endpoint)
        .with_bucket_name("bucket")
        .with_region("us-east-1")
        .with_skip_signature(true)
        .with_retry(RetryConfig { max_retries: 0, ..RetryConfig::default() })
        .with_client_options(ClientOptions::new().with_allow_http(true).with_timeout(SHORT * 2))
        .build()
        .unwrap()
}

async fn get(store: &AmazonS3) -> Result<Vec<u8>, Error> {
    let answer = store.get(&"disks/timeout/503.vmdk".into()).await?;
    Ok(answer.bytes().await?.to_vec())
}

async fn failure_at(address: SocketAddr) -> Error {
    get(&s3_at(format!("http://{address}"))).await.unwrap_err()
}

async fn answered(status: &str, code: &str) -> Error {
    let body = format!("<Error><Code>{code}</Code><Message>Said S3.</Message></Error>");
    failure_at(peer::answers(peer::http(status, "", &body)).unwrap()).await
}

#[tokio::test]
async fn refused() {
    let closed = peer::Closed::port().unwrap();
    let verdict = expect(&failure_at(closed.address()).await, true, Kind::Network);
    assert_eq!(verdict.rule(), "io.connection_refused");
    assert!(verdict.is_unprocessed());
}

#[tokio::test]
async fn reset() {
    expect_retry(&failure_at(peer::resets_at_once().unwrap()).await, Kind::Network);
}

#[tokio::test]
async fn stalled() {
    expect_retry(&failure_at(peer::stalls().unwrap()).await, Kind::Timeout);
}

#[tokio::test]
async fn body_cut_short() {
    let cut = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nETag: \"1\"\r\n\
               Last-Modified: Thu, 01 Jan 1970 00:00:00 GMT\r\n\r\nthe beginning";
    expect_retry(&failure_at(peer::answers(cut).unwrap()).await, Kind::Network);
}

#[tokio::test]
async fn unknown_host() {
    let error = get(&s3_at(format!("http://{NOBODY}"))).await.unwrap_err();
    assert!(expect(&error, true, Kind::Network).is_unprocessed());
}

#[tokio::test]
async fn statuses() {
    expect_final(&answered("404 Not Found", "NoSuchKey").await, Kind::NotFound);
    expect_final(&answered("403 Forbidden", "AccessDenied").await, Kind::Permission);
    expect_final(&answered("501 Not Implemented", "NotImplemented").await, Kind::Unsupported);
    expect_retry(&answered("500 Internal Server Error", "InternalError").await, Kind::Server);
    expect_retry(&answered("503 Slow Down", "SlowDown").await, Kind::Throttle);
}

#[tokio::test]
async fn a_code_turns_the_status_into_its_contrary() {
    let error = answered("400 Bad Request", "RequestTimeout").await;
    expect_retry(&error, Kind::Timeout);
    let error = answered("409 Conflict", "OperationAborted").await;
    assert!(persevere::detect::error(&error).is_retryable(), "{error:?}");
}

#[tokio::test]
async fn a_file_that_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let store = LocalFileSystem::new_with_prefix(folder.path()).unwrap();
    expect_final(&store.get(&"absent".into()).await.unwrap_err(), Kind::NotFound);
}
