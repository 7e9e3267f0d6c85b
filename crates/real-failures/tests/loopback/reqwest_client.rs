//! reqwest.

use std::net::SocketAddr;

use persevere::{Kind, Provider, detect};
use real_failures::certificates::SelfSigned;
use real_failures::{expect, expect_final, expect_retry, peer, tls};

use crate::{NOBODY, SHORT};

fn client_trusting(certificate: &SelfSigned) -> reqwest::Client {
    reqwest::Client::builder()
        .no_proxy()
        .tls_backend_preconfigured(certificate.trusting_client())
        .timeout(SHORT * 10)
        .build()
        .unwrap()
}

fn client() -> reqwest::Client {
    client_trusting(&SelfSigned::new("localhost"))
}

async fn get(client: &reqwest::Client, url: &str) -> Result<Vec<u8>, reqwest::Error> {
    let answer = client.get(url).send().await?.error_for_status()?;
    Ok(answer.bytes().await?.to_vec())
}

async fn failure(url: &str) -> reqwest::Error {
    get(&client(), url).await.unwrap_err()
}

async fn failure_at(address: SocketAddr) -> reqwest::Error {
    failure(&format!("http://{address}/timeout/503")).await
}

async fn status(status: &str) -> reqwest::Error {
    failure_at(peer::answers(peer::http(status, "", "")).unwrap()).await
}

#[tokio::test]
async fn refused() {
    let closed = peer::Closed::port().unwrap();
    let verdict = expect(&failure_at(closed.address()).await, true, Kind::Network);
    assert_eq!(verdict.rule(), "io.connection_refused");
    assert!(verdict.is_unprocessed() && verdict.has_answer());
}

#[tokio::test]
async fn reset() {
    let verdict = expect(&failure_at(peer::resets_at_once().unwrap()).await, true, Kind::Network);
    assert!(!verdict.has_answer());
}

#[tokio::test]
async fn reset_within_the_answer() {
    let begun = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nthe beginning";
    let error = failure_at(peer::answers_and_resets(begun).unwrap()).await;
    let verdict = expect(&error, true, Kind::Network);
    assert!(!verdict.is_unprocessed());
}

#[tokio::test]
async fn closed_before_the_answer() {
    expect_retry(&failure_at(peer::answers("").unwrap()).await, Kind::Network);
}

#[tokio::test]
async fn body_cut_short() {
    let cut = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nthe beginning";
    expect_retry(&failure_at(peer::answers(cut).unwrap()).await, Kind::Network);
}

#[tokio::test]
async fn chunks_cut_short() {
    let cut = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n5\r\nwo";
    expect_retry(&failure_at(peer::answers(cut).unwrap()).await, Kind::Network);
}

#[tokio::test]
async fn stalled() {
    let url = format!("http://{}/", peer::stalls().unwrap());
    let error = client().get(url).timeout(SHORT).send().await.unwrap_err();
    let verdict = expect(&error, true, Kind::Timeout);
    assert!(!verdict.is_unprocessed(), "the request was sent");
}

#[tokio::test]
async fn stalled_within_the_body() {
    let begun = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nthe beginning";
    let url = format!("http://{}/", peer::stalls_after(begun).unwrap());
    let answer = client().get(url).timeout(SHORT).send().await.unwrap();
    expect_retry(&answer.bytes().await.unwrap_err(), Kind::Timeout);
}

#[tokio::test]
async fn handshake_stalled() {
    let url = format!("https://{}/", peer::stalls().unwrap());
    let error = client().get(url).timeout(SHORT).send().await.unwrap_err();
    expect_retry(&error, Kind::Timeout);
}

#[tokio::test]
async fn connecting_took_too_long() {
    let client = reqwest::Client::builder()
        .no_proxy()
        .tls_backend_preconfigured(SelfSigned::new("localhost").trusting_client())
        .connect_timeout(SHORT)
        .build()
        .unwrap();
    let error = get(&client, &format!("https://{}/", peer::stalls().unwrap())).await.unwrap_err();
    assert!(expect(&error, true, Kind::Timeout).is_unprocessed());
}

#[tokio::test]
async fn reset_within_the_handshake() {
    let url = format!("https://{}/", peer::resets_at_once().unwrap());
    let verdict = expect(&failure(&url).await, true, Kind::Network);
    assert!(verdict.is_unprocessed(), "no request can have been sent");
}

#[tokio::test]
async fn self_signed_certificate() {
    let address = tls::answers(&SelfSigned::new("127.0.0.1"), "").unwrap();
    let verdict = expect(&failure(&format!("https://{address}/")).await, false, Kind::Tls);
    assert_eq!(verdict.rule(), "tls.invalid_certificate");
}

#[tokio::test]
async fn wrong_name_in_the_certificate() {
    let certificate = SelfSigned::new("somebody-else.invalid");
    let address = tls::answers(&certificate, "").unwrap();
    let url = format!("https://{address}/");
    expect_final(&get(&client_trusting(&certificate), &url).await.unwrap_err(), Kind::Tls);
}

#[tokio::test]
async fn handshake_refused() {
    let url = format!("https://{}/", tls::refuses_handshakes().unwrap());
    expect_final(&failure(&url).await, Kind::Tls);
}

#[tokio::test]
async fn plain_text_where_tls_was_expected() {
    let address = peer::serve(|mut connection| {
        use std::io::{Read, Write};
        let _hello = connection.read(&mut [0; 4096])?;
        connection.write_all(peer::http("400 Bad Request", "", "").as_bytes())
    });
    expect_final(&failure(&format!("https://{}/", address.unwrap())).await, Kind::Tls);
}

#[tokio::test]
async fn unknown_host() {
    let verdict = expect(&failure(&format!("http://{NOBODY}/")).await, true, Kind::Network);
    assert!(verdict.is_unprocessed());
}

#[tokio::test]
async fn not_http() {
    expect_final(&failure_at(peer::answers("SSH-2.0-nobody\r\n").unwrap()).await, Kind::Invalid);
}

#[tokio::test]
async fn too_many_redirects() {
    let redirect = peer::http("302 Found", "Location: /again\r\n", "");
    let error = failure_at(peer::answers(redirect).unwrap()).await;
    assert_eq!(expect(&error, false, Kind::Invalid).rule(), "reqwest.redirect");
}

#[tokio::test]
async fn no_scheme() {
    expect_final(&failure("127.0.0.1:80/").await, Kind::Invalid);
}

#[tokio::test]
async fn statuses() {
    expect_final(&status("404 Not Found").await, Kind::NotFound);
    expect_final(&status("403 Forbidden").await, Kind::Permission);
    expect_final(&status("501 Not Implemented").await, Kind::Unsupported);
    expect_retry(&status("500 Internal Server Error").await, Kind::Server);
    expect_retry(&status("503 Service Unavailable").await, Kind::Server);
    let verdict = expect(&status("429 Too Many Requests").await, true, Kind::Throttle);
    assert!(verdict.is_unprocessed() && verdict.has_answer());
}

#[tokio::test]
async fn a_408_is_retried_where_that_is_documented() {
    let error = status("408 Request Timeout").await;
    expect_final(&error, Kind::Timeout);
    for provider in [Provider::Azure, Provider::Gcs] {
        let detector = detect::Detector::new().provider(provider);
        assert!(detector.error(&error).is_retryable(), "{provider}");
    }
}

#[test]
fn a_request_that_cannot_be_built() {
    let error = client().get("no scheme").build().unwrap_err();
    assert_eq!(expect(&error, false, Kind::Invalid).rule(), "reqwest.builder");
}
